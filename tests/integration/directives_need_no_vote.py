#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""set, unset, their expiry, and rollback: checked when they are set up, then committed without asking anybody."""
import os
import time

from harness import App, Daemon, case, main, wait_until
from scripted import (EXIT_DIVERGED, EXIT_INVALID, Asked, ask, events, exit_of, instance_status, methods, of, play, problems,
                      refusal, reload, status_of)

CONF = 'watch = "manual"; answer_timeout = "2s";'
FILE = "apps/orders/default.conf"
SCHEMA = 'keys = ( { key = "x"; type = "int"; max = 9; }, { key = "name"; type = "string"; default = "a"; } );'


def daemon(text="x = 1;", conf=CONF, **files):
    return Daemon(conf=conf, apps={"orders": {"default.conf": text, **files}})


def served(d, name="1", **more):
    app = App(d, "orders", name, **more)
    app.settings()
    reload(d, app)
    return app


def directive(d, method, *apps, **params):
    return Asked(d, method, {"app": "orders", **params}).row(*apps)


@case
def an_override_is_applied_without_an_offer():
    with daemon() as d, served(d) as app:
        row = directive(d, "config.set", app, key="x", value="5")
        assert (row["outcome"], exit_of(row), row["from"], row["to"]) == ("committed", 0, 1, 2), row
        assert row["changes"][0]["now"] == "5" and of(row, "1")["state"] == "applied", row
        assert app.settings() == {"x": 5} and methods(app) == ["config.apply", "config.apply"]
        assert [o["key"] for o in status_of(d)["overrides"]] == ["x"]
        row = directive(d, "config.unset", app, key="x")
        assert (row["outcome"], row["to"]) == ("committed", 3) and app.settings() == {"x": 1}, row
        assert "overrides" not in status_of(d) and not problems(d)


@case
def it_stays_over_reloads_and_restarts():
    with daemon() as d, served(d) as app:
        directive(d, "config.set", app, key="x", value="5")
        d.write(FILE, "x = 2; y = 1;")
        assert reload(d, app)["outcome"] == "committed" and app.settings() == {"x": 5, "y": 1}
        app.close()
        d.kill()
        d.start()
        with served(d) as app:
            assert app.settings() == {"x": 5, "y": 1}
            directive(d, "config.unset", app, key="x")
            assert app.settings() == {"x": 2, "y": 1}


@case
def one_that_breaks_the_schema_is_refused_and_changes_nothing():
    with daemon(**{"schema.conf": SCHEMA}) as d, served(d) as app:
        for key, value in (("x", "10"), ("x", "many"), ("nothing", "1")):
            row = directive(d, "config.set", app, key=key, value=value)
            assert (row["outcome"], exit_of(row)) == ("invalid", EXIT_INVALID), row
            assert row["problems"][0]["key"] == key, row
        assert methods(app) == ["config.apply"] and not problems(d)
        assert directive(d, "config.set", app, key="name", value="two words")["outcome"] == "committed"
        assert app.settings()["name"] == "two words"


@case
def a_validator_that_refuses_it_is_diverged():
    with daemon() as d, served(d) as a, served(d, "2") as b:
        b.applied = ("diverged", "x: not 5")
        row = directive(d, "config.set", a, b, key="x", value="5")
        assert (row["outcome"], exit_of(row)) == ("committed", EXIT_DIVERGED), row
        assert (of(row, "2")["state"], of(row, "2")["reason"]) == ("diverged", "x: not 5"), row
        assert a.settings() == {"x": 5} and b.settings() == {"x": 1}
        assert "not 5" in problems(d)["instance_diverged"]


@case
def it_ends_by_its_time():
    with daemon() as d, served(d) as app:
        app.verdict = ("reject", "nobody asks me")
        directive(d, "config.set", app, key="x", value="5", for_ms=300)
        assert app.settings() == {"x": 5}
        play([app], lambda: app.settings() == {"x": 1}, "its end")
        assert "config.offer" not in methods(app) and app.generation == 3
        assert d.counters()["overrides_expired"] == 1 and events(d, "override_ended")


@case
def it_ends_while_prodd_is_away():
    with daemon() as d:
        with served(d) as app:
            directive(d, "config.set", app, key="x", value="5", for_ms=100)
            ends = status_of(d)["overrides"][0]["expires_ms"]
        d.kill()
        wait_until("its time is over", lambda: time.time() * 1000 > ends)
        d.start()
        with App(d, "orders", "1") as app:
            play([app], lambda: app.live and app.settings() == {"x": 1}, "its end")


@case
def two_end_each_by_its_own_time():
    with daemon("x = 1; y = 1;") as d, served(d) as app:
        directive(d, "config.set", app, key="x", value="5", for_ms=200)
        directive(d, "config.set", app, key="y", value="5", for_ms=500)
        play([app], lambda: app.settings() == {"x": 1, "y": 5}, "the first end")
        play([app], lambda: app.settings() == {"x": 1, "y": 1}, "the second end")


@case
def set_again_it_has_the_later_value_and_time():
    with daemon() as d, served(d) as app:
        directive(d, "config.set", app, key="x", value="5", for_ms=150)
        directive(d, "config.set", app, key="x", value="6")
        assert [(o["key"], o["text"], o.get("expires_ms", 0)) for o in status_of(d)["overrides"]] == [("x", "6", 0)]
        assert app.settings() == {"x": 6}


@case
def an_end_that_cannot_be_written_is_tried_again_and_does_not_spin():
    with daemon() as d, served(d) as app:
        directive(d, "config.set", app, key="x", value="5", for_ms=200)
        os.rename(d.path("state/config/orders"), d.path("state/config/away"))
        with open(d.path("state/config/orders"), "w"):
            pass
        play([app], lambda: d.counters()["transactions_failed"], "an end that fails")
        started, later = d.counters()["transactions_started"], time.monotonic() + 0.2
        play([app], lambda: time.monotonic() > later, "some time")
        assert d.counters()["transactions_started"] == started, "it waits before it tries again"
        assert app.settings() == {"x": 5}
        os.unlink(d.path("state/config/orders"))
        os.rename(d.path("state/config/away"), d.path("state/config/orders"))
        directive(d, "config.unset", app, key="x")
        assert app.settings() == {"x": 1}


@case
def one_of_the_value_that_the_key_has_holds_it_against_variables():
    with daemon() as d, App(d, "orders", "1", variables={"APP_X": "7"}) as app:
        assert app.settings() == {"x": 7}
        reload(d, app)
        row = directive(d, "config.set", app, key="x", value="1")
        assert row["outcome"] == "committed" and app.settings() == {"x": 1}, row
        row = directive(d, "config.unset", app, key="x")
        assert row["outcome"] == "committed" and app.settings() == {"x": 7}, row


@case
def a_rollback_brings_back_what_was_live_before():
    with daemon() as d, served(d) as app:
        app.verdict = "accept"
        for x in (2, 3):
            d.write(FILE, f"x = {x};")
            reload(d, app)
        app.verdict = ("reject", "nobody asks me")
        row = directive(d, "config.rollback", app)
        assert (row["outcome"], row["from"], row["to"]) == ("committed", 3, 4) and app.settings() == {"x": 2}, row
        row = directive(d, "config.rollback", app, generation=1)
        assert row["to"] == 5 and app.settings() == {"x": 1}, row
        assert "config.offer" not in methods(app)[-2:]
        history = ask(d, "config.history", {"app": "orders"})["generations"]
        assert [h["generation"] for h in history] == [5, 4, 3, 2, 1] and history[0]["live"]
        assert history[0]["cause"].startswith("rollback to 1 by"), history[0]


@case
def a_rollback_to_what_is_not_there_says_so():
    with daemon() as d, served(d) as app:
        for generation in (1, 7):
            row = directive(d, "config.rollback", app, generation=generation)
            assert row["outcome"] == "failed" and row["note"] and exit_of(row) in (1, 2), row
        row = directive(d, "config.rollback", app)
        assert row["outcome"] == "failed" and "before" in row["note"], row
        error = directive(d, "config.unset", app, key="x")
        assert error["outcome"] == "failed" and "no override" in error["note"], error
        assert app.settings() == {"x": 1} and not problems(d)
        assert refusal(d, "config.set", {"app": "orders", "key": "", "value": "1"}).code == "usage"


@case
def a_broken_file_is_not_in_its_way():
    with daemon() as d, served(d) as app:
        d.write(FILE, "x = ;")
        assert reload(d, app)["outcome"] == "invalid"
        assert directive(d, "config.set", app, key="x", value="5")["outcome"] == "committed"
        assert app.settings() == {"x": 5} and "config_differs" in problems(d)


@case
def it_waits_for_a_transaction_that_runs():
    with daemon() as d, served(d) as app:
        d.write(FILE, "x = 2; y = 1;")
        asked = Asked(d, "reload", {"app": "orders"})
        number, _, offer = app.expect_call("config.offer")
        wanted = Asked(d, "config.set", {"app": "orders", "key": "x", "value": "5"})
        wait_until("it waits", lambda: d.counters()["requests_waiting"])
        app.offered[offer["txn"]] = offer
        app.answer(number, {"verdict": "accept"})
        assert asked.row(app)["outcome"] == "committed" and wanted.row(app)["outcome"] == "committed"
        assert app.settings() == {"x": 5, "y": 1}


@case
def a_silent_instance_is_unconfirmed_and_converges():
    with daemon() as d, served(d) as app:
        app.applied = lambda params: None if params["generation"] == 2 else "applied"
        row = directive(d, "config.set", app, key="x", value="5")
        assert (row["outcome"], exit_of(row), of(row, "1")["state"]) == ("committed", EXIT_DIVERGED, "unconfirmed"), row
        app.applied = "applied"
        directive(d, "config.set", app, key="x", value="6")
        assert app.settings() == {"x": 6} and instance_status(d, "1")["state"] == "applied"


main()
