#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""reload --confirm: a change goes live, and back by itself unless somebody confirms it; whatever becomes of prodd."""
import shutil
import time

from harness import App, Daemon, Skip, case, main, wait_until
from scripted import Asked, ask, events, exit_of, methods, play, problems, refusal, reload, status_of, stored

CONF = 'watch = "manual"; answer_timeout = "1s";'
FILE = "apps/orders/default.conf"


def daemon(text="x = 1;", conf=CONF, **files):
    return Daemon(conf=conf, apps={"orders": {"default.conf": text, **files}})


def served(d, name="1", **more):
    app = App(d, "orders", name, **more)
    app.settings()
    reload(d, app)
    return app


def change(d, app, text="x = 2;", confirm_ms=60000):
    d.write(FILE, text)
    row = reload(d, app, confirm_ms=confirm_ms)
    assert (row["outcome"], exit_of(row)) == ("committed", 0), row
    return row


def confirm(d, *apps, **more):
    return Asked(d, "confirm", {"app": "orders", **more}).row(*apps)


@case
def confirmed_it_stays():
    with daemon() as d, served(d) as app:
        row = change(d, app, confirm_ms=60000)
        assert abs(row["confirm_at"] / 1000 - time.time() - 60) < 5, row
        assert abs(status_of(d)["confirm_at"] - row["confirm_at"]) < 100
        assert "rolls back to 1" in problems(d)["config_unconfirmed"]
        assert confirm(d, app)["note"] == "confirmed"
        assert not problems(d) and "confirm_at" not in status_of(d) and not stored(d).get("fallback")
        assert events(d, "confirmed") and app.settings() == {"x": 2}
        error = refusal(d, "confirm", {"app": "orders"})
        assert error.code == "failed" and "nothing waits" in error.text


@case
def unconfirmed_it_rolls_back_without_asking_and_is_not_offered_again():
    with daemon(conf='answer_timeout = "1s";') as d, served(d) as app:
        change(d, app, confirm_ms=300)
        app.verdict = ("reject", "nobody asks me")
        play([app], lambda: app.settings() == {"x": 1}, "the rollback")
        assert app.generation == 3 and methods(app)[-1] == "config.apply"
        assert d.counters()["confirmations_expired"] == 1 and events(d, "rolled_back")
        assert "nobody confirmed" in problems(d)["config_differs"]
        before = d.counters()["transactions_started"]
        d.write(FILE, "x = 2;")
        play([app], lambda: d.counters()["transactions_started"] > before and "transaction" not in status_of(d),
             "the watch has looked")
        assert app.settings() == {"x": 1} and "nobody confirmed" in problems(d)["config_differs"]
        app.verdict = "accept"
        assert reload(d, app)["outcome"] == "committed" and app.settings() == {"x": 2}


@case
def also_a_change_that_is_live_already():
    with daemon() as d, served(d) as app:
        d.write(FILE, "x = 2;")
        reload(d, app)
        row = reload(d, app, confirm_ms=300)
        assert row["outcome"] == "unchanged" and row["confirm_at"], row
        assert "rolls back to 1" in problems(d)["config_unconfirmed"]
        play([app], lambda: app.settings() == {"x": 1}, "the rollback")


@case
def where_nothing_was_live_before_it_says_so():
    with daemon() as d, served(d) as app:
        row = reload(d, app, confirm_ms=60000)
        assert row["outcome"] == "unchanged" and not row.get("confirm_at") and "roll back to" in row["note"], row
        assert not problems(d)


@case
def prodd_may_be_killed_meanwhile():
    for end in ("kill", "stop"):
        with daemon() as d:
            with served(d) as app:
                change(d, app, confirm_ms=900)
                getattr(d, end)()
            d.start()
            with App(d, "orders", "1") as app:
                assert app.settings() == {"x": 2}, "its time is not over"
                play([app], lambda: app.settings() == {"x": 1}, "the rollback")


@case
def it_may_end_while_prodd_is_away():
    with daemon() as d:
        with served(d) as app:
            row = change(d, app, confirm_ms=100)
            d.kill()
        wait_until("its time is over", lambda: time.time() * 1000 > row["confirm_at"])
        d.start()
        with App(d, "orders", "1") as app:
            play([app], lambda: app.live and app.settings() == {"x": 1}, "the rollback")


@case
def it_can_be_confirmed_after_a_restart():
    with daemon() as d:
        with served(d) as app:
            change(d, app)
            d.kill()
        d.start()
        with App(d, "orders", "1") as app:
            confirm(d, app)
            assert app.settings() == {"x": 2} and not problems(d)
        d.kill()
        d.start()
        assert not stored(d).get("fallback") and not problems(d)


@case
def a_later_change_does_not_confirm_it():
    with daemon() as d, served(d) as app:
        change(d, app, confirm_ms=700)
        d.write(FILE, "x = 3;")
        assert reload(d, app)["outcome"] == "committed" and app.settings() == {"x": 3}
        assert "rolls back to 1" in problems(d)["config_unconfirmed"]
        play([app], lambda: app.settings() == {"x": 1}, "the rollback to what was confirmed last")


@case
def a_rollback_by_hand_settles_it():
    with daemon() as d, served(d) as app:
        change(d, app)
        ask(d, "config.rollback", {"app": "orders"}, app)
        assert app.settings() == {"x": 1} and "config_unconfirmed" not in problems(d)
        assert not stored(d).get("fallback")


@case
def a_rejected_change_waits_for_nothing():
    with daemon() as d, served(d) as app:
        app.verdict = ("reject", "no")
        d.write(FILE, "x = 2;")
        row = reload(d, app, confirm_ms=60000)
        assert row["outcome"] == "rejected" and not row.get("confirm_at"), row
        assert set(problems(d)) == {"config_differs"}


@case
def a_confirmation_during_a_transaction_is_busy():
    with daemon() as d, served(d) as app:
        change(d, app)
        d.write(FILE, "x = 3;")
        asked = Asked(d, "reload", {"app": "orders"})
        number, _, offer = app.expect_call("config.offer")
        assert refusal(d, "confirm", {"app": "orders"}).code == "busy"
        app.offered[offer["txn"]] = offer
        app.answer(number, {"verdict": "accept"})
        asked.row(app)
        assert confirm(d, app)["note"] == "confirmed"


@case
def a_reload_right_behind_a_confirmation_does_not_undo_it():
    with daemon() as d, served(d) as app:
        for x in range(2, 8):
            change(d, app, f"x = {x};")
            d.write(FILE, f"x = {x}; y = 1;")
            one, two = Asked(d, "confirm", {"app": "orders"}), Asked(d, "reload", {"app": "orders"})
            assert two.row(app)["outcome"] == "committed"
            try:
                one.row(app)
            except Exception as error:
                assert "busy" in str(error), error
                confirm(d, app)
            assert not stored(d).get("fallback") and not problems(d)


@case
def also_when_the_disk_is_slow_and_busy():
    if not shutil.which("strace"):
        raise Skip("needs strace")
    slowly = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=20000"]
    others = ("a", "b", "c", "d", "e")
    apps = {name: {"default.conf": "x = 1;"} for name in ("orders", *others)}
    with Daemon(conf=CONF, apps=apps, wrapper=slowly) as d, served(d) as app:
        change(d, app)
        d.write(FILE, "x = 2; y = 1;")
        wait_until("all are live", lambda: all(status_of(d, name).get("generation") for name in others))
        busy = [Asked(d, "config.set", {"app": name, "key": "x", "value": "2"}) for name in others]
        wait_until("writes wait for one another",
                   lambda: [a.get("transaction") for a in d.status()["apps"]].count("preparing") > 2)
        one = Asked(d, "confirm", {"app": "orders"})
        two = Asked(d, "reload", {"app": "orders"})
        assert one.row(app)["note"] == "confirmed" and two.row(app)["outcome"] == "committed"
        for other in busy:
            other.row(app)
        assert not stored(d).get("fallback") and not problems(d)


@case
def all_environments_are_confirmed_and_rolled_back():
    with daemon(**{"blue.conf": "e = 1;"}) as d, served(d) as a, App(d, "orders", "2", environment="blue") as b:
        b.settings()
        Asked(d, "reload", {"app": "orders"}).rows(a, b)
        d.write(FILE, "x = 2;")
        rows = Asked(d, "reload", {"app": "orders", "confirm_ms": 60000}).rows(a, b)
        assert all(r["confirm_at"] for r in rows) and len(rows) == 2, rows
        assert len(Asked(d, "confirm", {"app": "orders"}).rows(a, b)) == 2
        assert not problems(d)
        d.write(FILE, "x = 3;")
        Asked(d, "reload", {"app": "orders", "confirm_ms": 300}).rows(a, b)
        play([a, b], lambda: a.settings() == {"x": 2} and b.settings() == {"x": 2, "e": 1}, "both are rolled back")


@case
def more_than_a_week_is_refused():
    with daemon() as d, served(d) as app:
        assert refusal(d, "reload", {"app": "orders", "confirm_ms": 8 * 24 * 3600 * 1000}, app).code == "usage"


main()
