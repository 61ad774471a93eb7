#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may use an app's name, what others get, and what each may do on which socket: by the kernel's word of the uid.

Needs root, and the users games (5, group 60) and mail (8) of every Debian."""
import os
import stat

from harness import NOBODY, App, Client, Daemon, Refused, as_uid, case, main, need_root

GAMES, GAMES_GROUP, MAIL, STRANGER, SERVICE = 5, 60, 8, 65532, 23456
APPS = {"games": {"default.conf": "x = 1;"}, "mail": {"default.conf": "x = 2;"}, "nobody": {"default.conf": "x = 3;"}}


def granted(d, app, uid, **more):
    """The name that a claim gets, and whether configuration is served."""
    with App(d, app, uid=uid, **more) as a:
        if a.welcome.get("served"):
            assert a.settings(), a.seen
            assert a.welcome["app"] == app
        else:
            assert a.subscribed["state"] == "separate", a.subscribed
            a.pump(0.02)
            assert a.live is None
        return a.welcome["app"], bool(a.welcome.get("served"))


@case
def a_user_has_the_app_of_its_name():
    need_root()
    with Daemon(apps=APPS) as d:
        assert granted(d, "games", GAMES) == ("games", True)
        assert granted(d, "mail", MAIL) == ("mail", True)


@case
def any_other_claim_is_separate_and_said_so():
    need_root()
    with Daemon(apps=APPS) as d:
        assert granted(d, "mail", GAMES) == ("mail~games", False)
        assert granted(d, "games", STRANGER) == (f"games~{STRANGER}", False)
        assert d.counters()["claims_separated"] == 2
        kinds = [e["kind"] for e in d.call("events")["events"]]
        assert kinds.count("separated") == 2, kinds
        with App(d, "games", uid=STRANGER):
            problems = [p for p in d.status()["problems"] if p["id"] == "app_claim"]
            assert len(problems) == 1 and "games" in problems[0]["subject"], problems


@case
def root_and_the_daemons_own_user_have_every_name():
    need_root()
    with Daemon(apps=APPS, uid=SERVICE) as d:
        assert granted(d, "games", 0) == ("games", True)
        assert granted(d, "games", SERVICE) == ("games", True)
        assert granted(d, "mail", GAMES) == ("mail~games", False)


@case
def the_overflow_id_matches_nothing():
    need_root()
    for conf in (None, 'app: { nobody: { user = "nobody"; }; };', 'app: { nobody: { group = "nogroup"; }; };'):
        with Daemon(conf=conf, apps=APPS) as d:
            assert granted(d, "nobody", NOBODY) == ("nobody~nobody", False)
            with Client(d.app_socket, uid=NOBODY) as c:
                assert c.hello().refusal("status", {"app": "nobody"}).code == "not_permitted"


@case
def a_rule_of_prodd_conf_replaces_the_usual_one():
    need_root()
    with Daemon(conf='app: { games: { user = "mail"; }; };', apps=APPS) as d:
        assert granted(d, "games", MAIL) == ("games", True)
        assert granted(d, "games", GAMES) == ("games~games", False)
        assert granted(d, "mail", MAIL) == ("mail", True)
    with Daemon(conf='app: { mail: { group = "games"; }; };', apps=APPS) as d:
        with as_uid(STRANGER, GAMES_GROUP):
            assert granted(d, "mail", None) == ("mail", True)
        assert granted(d, "mail", STRANGER) == (f"mail~{STRANGER}", False)


@case
def unknown_apps_may_be_refused():
    need_root()
    with Daemon(conf='unknown_apps = "refuse";', apps=APPS) as d:
        assert granted(d, "games", GAMES) == ("games", True)
        try:
            granted(d, "mail", GAMES)
        except Refused as why:
            assert why.code == "not_permitted", why
        else:
            raise AssertionError("not refused")
        assert d.counters()["hellos_refused"] == 1


@case
def names_have_a_form():
    with Daemon(apps=APPS) as d:
        for name in ("prodd", "Games", "1games", "ga mes", "games/x", "../games", "games~x", "-", "g\u00e4mes", "x" * 64):
            with Client(d.app_socket) as c:
                try:
                    c.hello(name)
                except Refused as why:
                    assert why.code in ("usage", "not_permitted", "too_large"), (name, why)
                else:
                    raise AssertionError(f"{name} was taken")
        with Client(d.app_socket) as c:
            assert c.hello("x" * 63).welcome["app"] == "x" * 63


@case
def instances_are_named_by_choice_or_pid_and_never_alike():
    with Daemon(apps=APPS) as d:
        with App(d, "games", "8080") as one, App(d, "games", "8080") as two, App(d, "games") as three:
            assert one.welcome["instance"] == "8080"
            assert two.welcome["instance"] == f"8080+{os.getpid()}"
            assert three.welcome["instance"] == str(os.getpid())


READS = ("status", "config.show", "config.check")


@case
def an_apps_own_user_may_ask_about_it_on_the_apps_socket():
    need_root()
    with Daemon(apps=APPS) as d, App(d, "games", uid=GAMES) as app, App(d, "mail", uid=MAIL) as other:
        assert app.settings() and other.settings()
        with Client(d.app_socket, uid=GAMES) as c:
            c.hello()
            for method in READS:
                assert c.call(method, {"app": "games"})
                assert c.refusal(method, {"app": "mail"}).code == "not_permitted"
            assert c.call("config.explain", {"app": "games", "key": "x"})
            assert c.call("reload", {"app": "games"})["reports"][0]["outcome"] == "unchanged"
            assert c.refusal("reload", {}).code == "not_permitted"
            assert c.refusal("reload", {"app": "mail"}).code == "not_permitted"
            assert c.refusal("reload", {"app": "games", "force": True}).code == "not_permitted"
            assert c.refusal("status", {}).code == "not_permitted"
            seen = c.call("status", {"app": "games"})
            assert {a["app"] for a in seen["apps"]} == {"games"}, seen
            assert all("mail" not in p["subject"] for p in seen.get("problems", [])), seen
            for method in ("config.history", "config.schema", "config.rollback"):
                assert c.refusal(method, {"app": "games"}).code == "not_permitted"
            assert c.refusal("config.set", {"app": "games", "key": "x", "value": "2"}).code == "not_permitted"
            assert c.refusal("events", {}).code == "not_permitted"
        with Client(d.app_socket, uid=STRANGER) as c:
            c.hello()
            for method in READS + ("reload",):
                assert c.refusal(method, {"app": "games"}).code == "not_permitted"
        assert d.counters()["calls_not_permitted"] >= 15


@case
def the_operators_socket_is_closed_to_others_by_its_mode():
    need_root()
    with Daemon(apps=APPS) as d:
        assert stat.S_IMODE(os.stat(d.app_socket).st_mode) == 0o666
        assert stat.S_IMODE(os.stat(d.ctl_socket).st_mode) == 0o660
        try:
            Client(d.ctl_socket, uid=STRANGER)
        except PermissionError:
            pass
        else:
            raise AssertionError("a stranger is an operator")
        with d.operator() as c:
            assert c.call("config.history", {"app": "games"})
    with Daemon(apps=APPS, uid=SERVICE) as d:
        assert stat.S_IMODE(os.stat(d.ctl_socket).st_mode) == 0o600
        with Client(d.ctl_socket, uid=SERVICE) as c:
            assert c.hello().call("status", {})


@case
def two_daemons_do_not_share_a_directory():
    with Daemon() as d:
        import subprocess
        from harness import PRODD
        second = subprocess.run([PRODD, "--dir", d.dir], capture_output=True, text=True, timeout=20,
                                env=dict(os.environ, PRODD_LIBEXEC=os.environ.get("PRODD_LIBEXEC",
                                                                                  os.path.dirname(PRODD))))
        assert second.returncode == 9, second
        assert f"pid {d.pid}" in second.stderr, second.stderr
        assert d.status()["pid"] == d.pid


main()
