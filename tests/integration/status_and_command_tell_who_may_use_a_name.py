#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What status and the command say to those who may not use a name, or not the operators' socket; and the rules of app
blocks that are about more than one user (the plain ones: names_belong_to_their_users.py)."""
import grp
import json
import os
import pwd
import subprocess

from harness import NOBODY, App, Client, Daemon, Served, case, main, need_root, wait_until

PRODCTL = os.path.abspath(os.environ.get("PRODCTL", "./prodctl"))
UNKNOWN = 54321      # a uid that no user has
ONE = {"default.conf": "a = 1;"}


def two_users():
    """Users of the machine whose names could be names of apps: [(name, uid, gid)]."""
    need_root()
    found = [u for u in pwd.getpwall() if u.pw_name in ("games", "mail", "daemon", "bin", "sys", "news", "uucp")]
    assert len(found) >= 2, "no two users to be found"
    return [(u.pw_name, u.pw_uid, u.pw_gid) for u in found[:2]]


def welcome(d, app, uid=None, **more):
    with Client(d.app_socket, uid=uid) as c:
        return c.hello(app, **more).welcome


def is_served(d, app, uid=None):
    return welcome(d, app, uid).get("served", False)


@case
def another_claim_works_apart_and_is_served_nothing():
    (one, uid, _), _ = two_users()
    with Daemon(apps={"orders": ONE}) as d:
        with App(d, "orders", instance="8080", uid=uid) as app:
            assert app.welcome["app"] == f"orders~{one}" and "served" not in app.welcome, app.welcome
            assert app.subscribed["state"] == "separate" and app.refusal("config.show", {"app": "orders"}).code == "not_permitted"
            assert app.refusal("status", {"app": f"orders~{one}"}).code == "not_permitted"
            row = [p for p in d.status()["problems"] if p["id"] == "app_claim"][0]
            assert row["subject"] == f"app orders~{one}"
            assert f'claims "orders" but runs as {one} outside orders.service' in row["lines"][0], row
            assert f'app: {{ orders: {{ user = "{one}"; }}; }};' in row["lines"][2], row
            apps = {a["app"]: a for a in d.status()["apps"]}
            assert apps[f"orders~{one}"]["instances"][0]["state"] == "separate" and not apps["orders"].get("instances")
            assert d.counters()["claims_separated"] == 1
        wait_until("it is forgotten", lambda: not d.status().get("problems"))
        assert f"orders~{one}" not in [a["app"] for a in d.status()["apps"]]


@case
def the_advice_in_status_works():
    (one, uid, _), _ = two_users()
    with Daemon(apps={"orders": ONE}) as d:
        with App(d, "orders", uid=uid):
            advice = [p for p in d.status()["problems"] if p["id"] == "app_claim"][0]["lines"][2]
        d.write("prodd.conf", advice)
        d.restart()
        assert is_served(d, "orders", uid)


@case
def a_uid_without_a_name_claims_apart_by_its_number():
    need_root()
    with Daemon(apps={"orders": ONE}) as d:
        assert welcome(d, "orders", UNKNOWN)["app"] == f"orders~{UNKNOWN}"
        assert not is_served(d, f"u{UNKNOWN}", UNKNOWN)
    with Daemon(f'app: {{ orders: {{ user = "{UNKNOWN}"; }}; }};', apps={"orders": ONE}) as d:
        assert is_served(d, "orders", UNKNOWN) and not is_served(d, "orders", UNKNOWN + 1)


@case
def a_block_without_a_rule_keeps_the_rule():
    (one, uid, _), (_, other_uid, _) = two_users()
    with Daemon(f'app: {{ {one}: {{ environment = "test"; }}; }};') as d:
        assert is_served(d, one, uid) and is_served(d, one, 0) and not is_served(d, one, other_uid)
        assert welcome(d, one, uid, environment="other")["environment"] == "test"


@case
def a_block_with_a_unit_shuts_out_who_is_in_none():
    (one, uid, _), _ = two_users()
    with Daemon(f'app: {{ {one}: {{ unit = "{one}.service"; }}; }};') as d:
        assert not is_served(d, one, uid) and not is_served(d, one, 0)


@case
def the_overflow_uid_matches_nothing():
    need_root()
    name = pwd.getpwuid(NOBODY).pw_name
    group = grp.getgrgid(NOBODY).gr_name
    with Daemon(apps={"nobody": ONE, "orders": ONE}) as d:
        assert not is_served(d, "nobody", NOBODY) and not is_served(d, "orders", NOBODY)
    with Daemon(f'app: {{ orders: {{ user = "{name}"; }}; billing: {{ group = "{group}"; }}; '
                f'other: {{ user = "{NOBODY}"; }}; }};') as d:
        assert not any(is_served(d, app, NOBODY) for app in ("orders", "billing", "other"))


@case
def names_that_are_none_are_refused_by_name():
    with Daemon() as d:
        for bad in ("Orders", "1orders", "-x", "a b", "a/b", "../x", "a~b", "prodd", "x" * 64, "ä"):
            with Client(d.app_socket) as c:
                error = c.refusal("hello", {"protocol": 1, "client": "x", "app": bad})
                assert error.code in ("usage", "too_large") and "hello.app" in error.text, (bad, error)
        for field, bad in (("instance", "a/b"), ("instance", "a b"), ("environment", "../x"), ("environment", "a/b")):
            with Client(d.app_socket) as c:
                error = c.refusal("hello", {"protocol": 1, "client": "x", "app": "orders", field: bad})
                assert error.code == "usage" and f"hello.{field}" in error.text, error
        assert is_served(d, "x" * 63)


@case
def instances_are_named_by_themselves_else_by_the_pid():
    with Daemon(apps={"orders": ONE}) as d:
        with App(d, "orders") as one, App(d, "orders", "8080") as two, App(d, "orders", "8080") as three, \
                App(d, "orders", "8080") as four:
            assert one.welcome["instance"] == str(os.getpid())
            assert two.welcome["instance"] == "8080" and three.welcome["instance"] == f"8080+{os.getpid()}"
            names = [a.welcome["instance"] for a in (one, two, three, four)]
            assert len(set(names)) == 4, names
            shown = [i["instance"] for i in d.status()["apps"][0]["instances"]]
            assert sorted(shown) == sorted(names)
            two.close()
            wait_until("8080 is free", lambda: "8080" not in
                       [i["instance"] for i in d.status()["apps"][0]["instances"]])
            with App(d, "orders", "8080") as five:
                assert five.welcome["instance"] == "8080"


@case
def an_app_may_ask_about_itself_and_reload_itself():
    (one, uid, _), (other, _, _) = two_users()
    with Daemon(apps={one: ONE, other: ONE, "orders": ONE}) as d, App(d, one, "1", uid=uid) as app:
        app.settings()
        with Client(d.app_socket, uid=uid) as c:
            c.hello()
            assert [a["app"] for a in c.call("status", {"app": one})["apps"]] == [one]
            for method in ("config.show", "config.check"):
                c.call(method, {"app": one})
            c.call("config.explain", {"app": one, "key": "a"})
            d.write(f"apps/{one}/default.conf", "a = 2;")
            with Served(app):
                assert c.call("reload", {"app": one, "confirm_ms": 60000})["reports"][0].get("exit", 0) == 0
                assert c.call("confirm", {"app": one})["reports"]
            for name in (other, "orders", "none"):
                for method, params in (("status", {}), ("config.show", {}), ("config.check", {}), ("reload", {}),
                                       ("config.explain", {"key": "a"}), ("confirm", {})):
                    assert c.refusal(method, {"app": name, **params}).code == "not_permitted", (name, method)
            for method, params in (("config.set", {"key": "a", "value": "1"}), ("config.unset", {"key": "a"}),
                                   ("config.rollback", {}), ("config.history", {}), ("config.diff", {}),
                                   ("config.schema", {}), ("reload", {"force": True})):
                assert c.refusal(method, {"app": one, **params}).code == "not_permitted", method
            for method in ("status", "reload", "events"):
                assert c.refusal(method, {}).code == "not_permitted", method
            assert d.counters()["calls_not_permitted"] >= 20
        report = d.call("config.show", {"app": one})
        assert report["generation"] == 2 and report["entries"][0]["value"] == 2


def prodctl(d, *words, uid=None, env=None):
    """Runs it as a user, with setpriv: (exit status, output, errors)."""
    as_user = [] if uid is None else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    run = subprocess.run(as_user + [PRODCTL, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                         env={"PATH": os.environ["PATH"], "PRODD_CTL": d.ctl_socket, **(env or {})})
    return run.returncode, run.stdout, run.stderr


@case
def the_command_falls_back_to_the_apps_socket():
    (one, uid, _), (_, other_uid, _) = two_users()
    with Daemon(apps={one: ONE, "orders": ONE}) as d:
        wait_until("live", lambda: all(a.get("generation") for a in d.status()["apps"]))
        status, out, err = prodctl(d, "reload", one, uid=uid)
        assert status == 0 and out == f"{one}  generation 1, files unchanged\n", (status, out, err)
        status, out, err = prodctl(d, "config", "get", one, "a", uid=uid)
        assert (status, out) == (0, "1\n"), (status, out, err)
        status, out, err = prodctl(d, "status", one, "--json", uid=uid)
        assert status == 0 and [a["app"] for a in json.loads(out)["apps"]] == [one], (status, out, err)
        for words, who in ((("reload", one), other_uid), (("reload", "orders"), uid), (("reload", one, "--force"), uid),
                           (("config", "set", one, "a", "2"), uid), (("status",), uid), (("reload",), uid),
                           (("config", "history", one), uid)):
            status, out, err = prodctl(d, *words, uid=who)
            assert status == 8 and out == "" and err.startswith("prodctl: "), (words, status, out, err)
        status, out, err = prodctl(d, "status", uid=uid)
        assert pwd.getpwuid(uid).pw_name in err and "operators are root and the group" in err, err
        assert prodctl(d, "status")[0] == 0


main()
