#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A reload that is asked for while one runs joins it when the sources are the same, else waits, but not for ever."""
from harness import App, Daemon, case, main, wait_until
from scripted import EXIT_BUSY, Asked, exit_of, methods, play, reload, status_of

CONF = 'watch = "manual"; answer_timeout = "2s";'
FILE = "apps/orders/default.conf"


class Running:
    """A reload to x = 2 that waits for the verdict of `app`."""

    def __init__(self, d, **options):
        self.d = d
        self.app = App(d, "orders", "1")
        self.app.settings()
        reload(d, self.app)
        d.write(FILE, "x = 2;")
        self.asked = Asked(d, "reload", {"app": "orders", **options})
        self.number, _, offer = self.app.expect_call("config.offer")
        self.app.offered[offer["txn"]] = offer

    def vote(self, verdict="accept"):
        self.app.answer(self.number, {"verdict": verdict})


def daemon(**files):
    return Daemon(conf=CONF, apps={"orders": {"default.conf": "x = 1;", **files}})


@case
def the_same_sources_are_one_transaction_and_one_report():
    for verdict, outcome in (("accept", "committed"), ("reject", "rejected")):
        with daemon() as d:
            r = Running(d)
            others = [Asked(d, "reload", {"app": "orders"}) for _ in range(3)]
            wait_until("they have joined", lambda: d.counters()["requests_joined"] == 3)
            r.vote(verdict)
            row = r.asked.row(r.app)
            assert row["outcome"] == outcome
            for other in others:
                result = other.result(r.app)
                assert result["joined"] and result["reports"] == [row], result
            assert methods(r.app).count("config.offer") == 0, "nobody was asked again"


@case
def other_sources_wait():
    with daemon() as d:
        r = Running(d)
        d.write(FILE, "x = 3;")
        other = Asked(d, "reload", {"app": "orders"})
        wait_until("it waits", lambda: d.counters()["requests_waiting"] >= 1)
        d.call("ping")
        assert not other.is_answered()
        r.vote()
        assert r.asked.row(r.app)["to"] == 2
        row = other.row(r.app)
        assert (row["outcome"], row["to"]) == ("committed", 3) and r.app.settings() == {"x": 3}, row


@case
def other_options_wait():
    with daemon() as d:
        r = Running(d, dry_run=True)
        other = Asked(d, "reload", {"app": "orders"})
        wait_until("it waits", lambda: d.counters()["requests_waiting"] >= 1)
        d.call("ping")
        r.vote()
        assert r.asked.row(r.app)["outcome"] == "would_commit"
        assert other.row(r.app)["outcome"] == "committed" and d.counters()["requests_joined"] == 0


@case
def they_wait_for_timeout_and_are_busy_then():
    with daemon() as d:
        r = Running(d)
        d.write(FILE, "x = 3;")
        row = reload(d, timeout_ms=100)
        assert (row["outcome"], exit_of(row)) == ("busy", EXIT_BUSY), row
        assert "asking" in row["note"], row
        r.vote()
        assert r.asked.row(r.app)["outcome"] == "committed"
        assert status_of(d)["generation"] == 2, "the busy one is not carried out later"


@case
def a_timeout_that_is_over_before_the_sources_are_known_answers_once():
    with daemon() as d:
        r = Running(d)
        d.write(FILE, "x = 3;")
        for _ in range(20):
            assert reload(d, timeout_ms=1)["outcome"] == "busy"
        r.vote()
        assert r.asked.row(r.app)["outcome"] == "committed"


@case
def who_asked_may_leave():
    with daemon() as d:
        r = Running(d)
        for _ in range(3):
            Asked(d, "reload", {"app": "orders"}).client.close()
        r.asked.client.close()
        r.vote()
        play([r.app], lambda: r.app.generation == 2, "committed all the same")
        assert reload(d, r.app)["outcome"] == "unchanged"


@case
def an_app_may_ask_for_itself():
    with daemon() as d, App(d, "orders", "1") as app:
        app.settings()
        reload(d, app)
        d.write(FILE, "x = 2;")
        number = app.request("reload", {"app": "orders"})
        app.wait(lambda: app.generation == 2, "the generation that it asked for")
        assert app.result(number)["reports"][0]["outcome"] == "committed"


main()
