#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The latest set of files that was rejected or rolled back is not offered by watch or start, only by command."""
from harness import App, Daemon, case, main, wait_until
from scripted import Asked, ask, exit_of, methods, play, problems, reload, status_of, stored

FILE = "apps/orders/default.conf"


def daemon(text="x = 1;", conf=None):
    return Daemon(conf=conf, apps={"orders": {"default.conf": text}})


def app_with(d, name="1", **more):
    app = App(d, "orders", name, **more)
    app.settings()
    return app


def no_twos(params):
    x = {e["key"]: e["value"] for e in params["snapshot"]}["x"]
    return ("reject", "no twos") if x == 2 else "accept"


def offers(app):
    return methods(app).count("config.offer")


def put(d, app, x):
    """Writes, and waits until the watch has looked at it."""
    before = d.counters()["transactions_started"]
    d.write(FILE, f"x = {x};")
    play([app], lambda: d.counters()["transactions_started"] > before and "transaction" not in status_of(d),
         "the watch has looked")


def put_live(d, app, x):
    d.write(FILE, f"x = {x};")
    play([app], lambda: app.settings() == {"x": x} and not problems(d), f"{x} is live")


def put_refused(d, app, x):
    d.write(FILE, f"x = {x};")
    play([app], lambda: "config_differs" in problems(d), f"{x} is refused")
    return problems(d)["config_differs"]


def rejected(d, app):
    """The files say 2, and were rejected."""
    reload(d, app)      # the looks of the start are over
    app.verdict = no_twos
    assert "no twos" in put_refused(d, app, 2) and offers(app) == 1


@case
def not_by_the_watch():
    with daemon() as d, app_with(d) as app:
        rejected(d, app)
        put(d, app, 2)
        assert offers(app) == 1 and "no twos" in problems(d)["config_differs"]
        put_live(d, app, 3)


@case
def not_after_a_restart_of_prodd():
    with daemon() as d:
        with app_with(d) as app:
            rejected(d, app)
            d.stop()
        d.start()
        assert "no twos" in problems(d)["config_differs"]
        with app_with(d) as app:
            app.verdict = no_twos
            play([app], lambda: d.counters()["transactions_unchanged"], "the look after the return")
            assert not offers(app) and app.settings() == {"x": 1}
            assert "no twos" in problems(d)["config_differs"]
            app.verdict = "accept"
            assert reload(d, app)["outcome"] == "committed" and app.settings() == {"x": 2}


@case
def but_by_command():
    with daemon() as d, app_with(d) as app:
        rejected(d, app)
        row = reload(d, app)
        assert (row["outcome"], offers(app)) == ("rejected", 2)
        app.verdict = "accept"
        row = reload(d, app)
        assert (row["outcome"], exit_of(row)) == ("committed", 0) and app.settings() == {"x": 2}
        assert not problems(d) and not stored(d).get("refused")


@case
def not_when_they_come_back_after_they_were_taken_back():
    with daemon() as d, app_with(d) as app:
        rejected(d, app)
        put_live(d, app, 1)
        assert "no twos" in put_refused(d, app, 2) and offers(app) == 1


@case
def not_when_they_come_back_after_others_went_live():
    with daemon() as d, app_with(d) as app:
        rejected(d, app)
        put_live(d, app, 3)
        assert "no twos" in put_refused(d, app, 2) and offers(app) == 2


@case
def files_that_were_taken_in_the_end_are_like_any_others():
    with daemon() as d, app_with(d) as app:
        rejected(d, app)
        app.verdict = "accept"
        assert reload(d, app)["outcome"] == "committed"
        put_live(d, app, 3)
        put_live(d, app, 2)


@case
def files_that_were_rolled_back_stay_back():
    with daemon() as d, app_with(d) as app:
        reload(d, app)
        put_live(d, app, 2)
        ask(d, "config.rollback", {"app": "orders"}, app)
        assert app.settings() == {"x": 1} and app.generation == 3
        assert "rollback to 1 by" in problems(d)["config_differs"]
        put(d, app, 2)
        assert app.settings() == {"x": 1}
        d.restart()
        with app_with(d) as app:
            play([app], lambda: d.counters()["transactions_unchanged"], "the look after the return")
            assert app.settings() == {"x": 1} and "rollback to 1" in problems(d)["config_differs"]
            assert reload(d, app)["outcome"] == "committed" and app.settings() == {"x": 2}


@case
def files_that_were_rolled_back_are_live_again_after_a_rollback_to_them():
    with daemon() as d, app_with(d) as app:
        reload(d, app)
        put_live(d, app, 2)
        ask(d, "config.rollback", {"app": "orders"}, app)
        ask(d, "config.rollback", {"app": "orders"}, app)
        assert app.settings() == {"x": 2} and not problems(d)
        put_live(d, app, 3)


@case
def broken_files_are_parsed_once():
    with daemon() as d, app_with(d) as app:
        reload(d, app)
        assert "default.conf:1" in put_refused(d, app, "")
        before = d.counters()["helper_runs"]
        put(d, app, "")
        assert d.counters()["helper_runs"] == before
        put_live(d, app, 1)


@case
def a_command_that_comes_while_the_watch_is_asking_counts_as_its_own():
    with daemon() as d, app_with(d) as app:
        reload(d, app)
        d.write(FILE, "x = 2;")
        number, _, _ = app.expect_call("config.offer")
        asked = Asked(d, "reload", {"app": "orders"})
        wait_until("the command has joined", lambda: d.counters()["requests_joined"])
        app.answer(number, {"verdict": "reject", "reason": "no twos"})
        assert asked.row(app)["outcome"] == "rejected"


main()
