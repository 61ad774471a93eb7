#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Late, repeated and forged answers: what they do to a transaction, and to the session that sends them."""
from harness import ANSWER, App, Daemon, case, main
from scripted import Asked, exit_of, of, play, reload, status_of

CONF = 'watch = "manual"; answer_timeout = "1s";'
FILE = "apps/orders/default.conf"


def daemon():
    return Daemon(conf=CONF, apps={"orders": {"default.conf": "x = 1;"}})


class Offered:
    """A reload to x = 2; both have the offer and nobody has answered."""

    def __init__(self, d, **options):
        self.d = d
        self.a, self.b = App(d, "orders", "1"), App(d, "orders", "2")
        play([self.a, self.b], lambda: self.a.live and self.b.live, "both are served")
        reload(d, self.a, self.b)       # the looks of the start are over
        d.write(FILE, "x = 2;")
        self.asked = Asked(d, "reload", {"app": "orders", **options})
        self.to_a, _, self.offer = self.a.expect_call("config.offer")
        self.to_b, _, _ = self.b.expect_call("config.offer")
        self.a.offered[self.offer["txn"]] = self.b.offered[self.offer["txn"]] = self.offer

    def vote(self, app, verdict="accept"):
        app.answer(self.to_a if app is self.a else self.to_b, {"verdict": verdict})

    def counter(self, name):
        return self.d.counters()[name]


@case
def a_second_verdict_is_counted_as_late_and_changes_nothing():
    with daemon() as d:
        o = Offered(d)
        o.vote(o.b)
        o.vote(o.b, "reject")
        play([], lambda: o.counter("answers_late") == 1, "the second answer")
        o.vote(o.a)
        row = o.asked.row(o.a, o.b)
        assert (row["outcome"], of(row, "2")["answer"], of(row, "2")["state"]) == ("committed", "accepted", "applied"), row
        assert o.a.settings() == o.b.settings() == {"x": 2}
        assert o.counter("answers_forged") == 0


@case
def a_verdict_after_the_deadline_is_late():
    with daemon() as d:
        o = Offered(d)
        o.vote(o.a)
        row = o.asked.row(o.a)
        assert row["outcome"] == "no_answer", row
        o.vote(o.b)
        play([], lambda: o.counter("answers_late") == 1, "the late answer")
        assert status_of(d)["generation"] == 1
        play([o.a, o.b], lambda: o.a.generation == o.b.generation == 3, "offered again, because it lives")


@case
def a_verdict_after_the_commit_is_late():
    with daemon() as d:
        o = Offered(d, force=True)
        o.vote(o.a)
        number, _, _ = o.b.expect_call("config.commit")
        o.vote(o.b, "reject")
        o.b.answer(number, {"state": "applied"})
        row = o.asked.row(o.a)
        assert (row["outcome"], exit_of(row), of(row, "2")["state"]) == ("committed", 0, "applied"), row
        assert o.counter("answers_late") == 1


@case
def a_second_confirmation_is_late():
    with daemon() as d:
        o = Offered(d)
        o.vote(o.a)
        o.vote(o.b)
        number, _, _ = o.b.expect_call("config.commit")
        o.b.answer(number, {"state": "applied"})
        o.b.answer(number, {"state": "diverged"})
        row = o.asked.row(o.a)
        assert (exit_of(row), of(row, "2")["state"]) == (0, "applied"), row
        play([], lambda: o.counter("answers_late") == 1, "the second answer")
        assert status_of(d)["instances"][1]["state"] == "applied"


@case
def a_forged_answer_ends_its_session_and_only_that():
    for forged in (lambda o: o.to_b + 1000, lambda o: 0):
        with daemon() as d:
            o = Offered(d)
            o.b.send([ANSWER, forged(o), None, {"verdict": "reject"}])
            messages = o.b.expect_end()
            assert any(m[0] == ANSWER and m[2] and m[2]["code"] == "protocol" for m in messages), messages
            o.vote(o.a)
            row = o.asked.row(o.a)
            assert (row["outcome"], exit_of(row), of(row, "2")["answer"]) == ("committed", 0, "gone"), row
            assert (o.counter("answers_forged"), o.counter("sessions_ended_protocol")) == (1, 1)
            assert o.a.settings() == {"x": 2}


@case
def an_answer_to_another_ones_call_counts_for_nobody():
    with daemon() as d:
        o = Offered(d)
        assert o.to_a == o.to_b, "ids are each session's own: the same number twice"
        o.vote(o.b, "reject")
        row = o.asked.row(o.a)
        assert (of(row, "1")["answer"], of(row, "2")["answer"]) == ("silent", "rejected"), row


@case
def an_instance_that_is_always_late_is_not_mistaken_for_a_forger():
    with daemon() as d:
        a = App(d, "orders", "1")
        reload(d, a)
        for x in range(2, 5):
            d.write(FILE, f"x = {x};")
            asked = Asked(d, "reload", {"app": "orders", "force": True})
            number, _, _ = a.expect_call("config.offer")
            commit, _, _ = a.expect_call("config.commit")
            a.answer(number, {"verdict": "accept"})
            a.answer(commit, {"state": "applied"})
            assert exit_of(asked.row(a)) == 0
        assert d.counters()["answers_late"] == 3 and d.counters()["sessions_ended_protocol"] == 0


main()
