#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From the first configuration on, and over restarts: who is served what, and when changed files are offered."""
import time

from harness import App, Daemon, case, main, wait_until
from scripted import events, exit_of, instance_status, methods, play, problems, reload, status_of

CONF = 'answer_timeout = "2s";'
FILE = "apps/orders/default.conf"


def daemon(text="x = 1;", conf=CONF, **files):
    return Daemon(conf=conf, apps={"orders": {"default.conf": text, **files}} if text is not None else None)


def served(d, name="1", **more):
    app = App(d, "orders", name, **more)
    app.settings()
    return app


def written_down(d):
    """How many instances the daemon has noted for its next start."""
    try:
        with open(d.path("run/instances"), encoding="utf-8") as f:
            return f.read().count("\n")
    except FileNotFoundError:
        return 0


@case
def the_first_configuration_runs_the_validator():
    with daemon() as d, App(d, "orders", "1") as bad, App(d, "orders", "2") as good:
        bad.applied = ("diverged", "x: cannot be 1")
        play([bad, good], lambda: good.live and instance_status(d, "1")["state"] == "diverged", "both have answered")
        assert "cannot be 1" in problems(d)["instance_diverged"] and events(d, "diverged")
        reload(d, bad, good)
        assert status_of(d)["generation"] == 1, "it is no veto"
        bad.applied = "applied"
        d.write(FILE, "x = 2;")
        play([bad, good], lambda: bad.live and bad.settings() == good.settings() == {"x": 2}, "the next suits it")


@case
def an_instance_that_has_it_already_is_current():
    with daemon() as d:
        with served(d) as app:
            has = {k: app.live[k] for k in ("epoch", "generation", "hash")}
        with App(d, "orders", "1", has=has) as app:
            assert app.subscribed["state"] == "current"
            app.pump(0.02)
            assert not app.seen and instance_status(d, app.welcome["instance"])["generation"] == 1
        for wrong in ({"epoch": "0"}, {"generation": 7}, {"hash": "0"}):
            with App(d, "orders", "1", has={**has, **wrong}) as app:
                assert app.subscribed["state"] == "follows" and app.settings() == {"x": 1}


@case
def no_files_is_none_until_there_are_some():
    with daemon(text=None) as d, App(d, "orders", "1") as app:
        assert app.subscribed["state"] == "none", app.subscribed
        d.write(FILE, "x = 1;")
        app.wait_setting("x", 1)


@case
def broken_files_and_nothing_before_are_told_to_the_app():
    with daemon("x = 1;\ny = ;") as d, App(d, "orders", "1") as app:
        assert app.subscribed["state"] == "invalid", app.subscribed
        problem = app.subscribed["problems"][0]
        assert problem["file"].endswith("default.conf") and problem["line"] == 2, problem
        assert "default.conf:2" in problems(d)["config_none"]
        d.restart()
        with App(d, "orders", "1") as again:
            assert again.subscribed["state"] == "invalid" and again.subscribed["problems"] == app.subscribed["problems"]
            d.write(FILE, "x = 1;")
            again.wait_setting("x", 1)


@case
def a_value_that_the_schema_forbids_is_told_with_file_line_and_key():
    with daemon("\nx = 10;", **{"schema.conf": 'keys = ( { key = "x"; type = "int"; max = 9; } );'}) as d:
        with App(d, "orders", "1") as app:
            problem = app.subscribed["problems"][0]
            assert app.subscribed["state"] == "invalid" and problem["file"].endswith("default.conf"), app.subscribed
            assert (problem["line"], problem["key"]) == (2, "x") and "9" in problem["text"], problem


@case
def broken_files_leave_the_last_good_generation_live():
    with daemon() as d:
        with served(d):
            d.stop()
        d.write(FILE, "x = ;")
        d.start()
        with served(d) as app:
            assert app.settings() == {"x": 1} and app.generation == 1
            play([app], lambda: problems(d), "the look at the files")
            assert "default.conf:1" in problems(d)["config_differs"]
            d.write(FILE, "x = 2;")
            app.wait_setting("x", 2)


@case
def deleted_files_leave_the_last_good_generation_live():
    with daemon() as d, served(d) as app:
        reload(d, app)
        d.remove(FILE)
        row = reload(d, app)
        assert row["outcome"] == "no_files" and app.settings() == {"x": 1}, row
        assert "no file" in problems(d)["config_differs"]
        d.restart()
        with served(d) as app:
            assert app.settings() == {"x": 1}


@case
def changed_files_are_offered_when_all_are_back():
    with daemon() as d:
        with served(d), served(d, "2"):
            d.call("ping")
            wait_until("both are written down", lambda: written_down(d) == 2)
            d.stop()
        d.write(FILE, "x = 2;")
        d.start()
        with served(d) as a:
            a.pump(0.2)
            assert a.settings() == {"x": 1} and "config.offer" not in methods(a), "2 is not back"
            with served(d, "3") as other:
                other.pump(0.05)
                assert other.settings() == {"x": 1}, "3 was not there before"
                with served(d, "2") as b:
                    b.verdict = ("reject", "no")
                    play([a, b, other], lambda: problems(d), "the offer to all")
                    assert "rejected by orders/2" in problems(d)["config_differs"]
                    assert a.settings() == b.settings() == {"x": 1}


@case
def the_same_after_a_crash():
    with daemon() as d:
        with served(d), served(d, "2"):
            wait_until("both are written down", lambda: written_down(d) == 2)
            d.kill()
        d.write(FILE, "x = 2;")
        d.start()
        with served(d) as a:
            a.pump(0.1)
            assert a.settings() == {"x": 1}
            with served(d, "2") as b:
                play([a, b], lambda: a.settings() == b.settings() == {"x": 2}, "both have it")


@case
def a_command_does_not_wait_for_them():
    with daemon() as d:
        with served(d), served(d, "2"):
            wait_until("both are written down", lambda: written_down(d) == 2)
            d.stop()
        d.write(FILE, "x = 2;")
        d.start()
        with served(d) as a:
            assert reload(d, a)["outcome"] == "committed" and a.settings() == {"x": 2}


@case
def or_after_ten_seconds():
    with daemon() as d:
        with served(d), served(d, "2"):
            wait_until("both are written down", lambda: written_down(d) == 2)
            d.stop()
        d.write(FILE, "x = 2;")
        started = time.monotonic()
        d.start()
        with served(d) as a:
            a.wait_setting("x", 2, timeout=15)
            assert 9 < time.monotonic() - started < 13


@case
def those_that_are_not_recorded_are_not_waited_for():
    with daemon() as d:
        reload(d)
        d.stop()
        d.write(FILE, "x = 2;")
        d.start()
        wait_until("committed", lambda: status_of(d)["generation"] == 2)


@case
def with_watch_manual_a_start_offers_nothing():
    with daemon(conf='watch = "manual";') as d:
        with served(d) as app:
            reload(d, app)
            d.stop()
        d.write(FILE, "x = 2;")
        d.start()
        with served(d) as app:
            app.pump(0.1)
            assert app.settings() == {"x": 1} and methods(app) == ["config.apply"]
            assert exit_of(reload(d, app)) == 0 and app.settings() == {"x": 2}


main()
