#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who connects while a transaction runs gets what is live, then what is asked or decided."""
from harness import App, Daemon, Skip, case, main, wait_until
from scripted import Asked, exit_of, instance_status, methods, of, play, reload
import shutil

CONF = 'watch = "manual"; answer_timeout = "1500ms";'
FILE = "apps/orders/default.conf"


def daemon(**more):
    return Daemon(conf=CONF, apps={"orders": {"default.conf": "x = 1;"}}, **more)


class Joined:
    """A transaction that waits for the vote of a; b has come meanwhile."""

    def __init__(self, d, verdict):
        self.a = App(d, "orders", "1")
        reload(d, self.a)       # the looks of the start are over
        d.write(FILE, "x = 2;")
        self.asked = Asked(d, "reload", {"app": "orders"})
        self.number, _, _ = self.a.expect_call("config.offer")
        self.b = App(d, "orders", "2")
        self.b.verdict = verdict
        play([self.b], lambda: self.b.offered or "config.offer" in methods(self.b), "the offer to 2")

    def vote(self, verdict="accept"):
        self.a.answer(self.number, {"verdict": verdict})
        self.a.applied = lambda params: "applied"
        return self.asked.row(self.a, self.b)


@case
def it_gets_the_live_generation_and_then_the_offer():
    with daemon() as d:
        j = Joined(d, "accept")
        assert methods(j.b)[:2] == ["config.apply", "config.offer"] and j.b.settings() == {"x": 1}
        row = j.vote()
        assert (row["outcome"], exit_of(row), of(row, "2")["state"]) == ("committed", 0, "applied"), row
        assert j.b.settings() == {"x": 2} and methods(j.b) == ["config.apply", "config.offer", "config.commit"]


@case
def its_reject_counts():
    with daemon() as d:
        j = Joined(d, ("reject", "no"))
        row = j.vote()
        assert (row["outcome"], of(row, "2")["answer"]) == ("rejected", "rejected"), row
        play([j.a, j.b], lambda: methods(j.b)[-1] == "config.abort", "the abort")
        assert j.b.settings() == {"x": 1}


@case
def its_silence_is_no_veto():
    with daemon() as d:
        j = Joined(d, None)
        row = j.vote()
        assert (row["outcome"], of(row, "2")["answer"]) == ("committed", "joined"), row
        assert j.b.settings() == {"x": 2}


@case
def where_nothing_is_live_it_waits_for_the_end_and_is_not_asked():
    with Daemon(conf=CONF) as d, App(d, "orders", "1") as a:
        assert a.subscribed["state"] == "none"
        d.write(FILE, "x = 1;")
        asked = Asked(d, "reload", {"app": "orders"})
        number, _, offer = a.expect_call("config.offer")
        a.offered[offer["txn"]] = offer
        with App(d, "orders", "2", subscribe=False) as b:
            subscription = b.request("config.subscribe")
            wait_until("2 is known", lambda: instance_status(d, "2"))
            b.ping()
            assert not b.queue, "neither an offer nor an answer"
            a.answer(number, {"verdict": "accept"})
            assert asked.row(a)["outcome"] == "committed"
            assert b.result(subscription)["state"] == "follows" and b.settings() == {"x": 1}


@case
def two_of_one_name_are_told_apart():
    with daemon() as d:
        a, b, c = App(d, "orders", "1"), App(d, "orders", "1"), App(d, "orders", "1")
        play([a, b, c], lambda: a.live and b.live and c.live, "all are served")
        names = {app.welcome["instance"] for app in (a, b, c)}
        assert len(names) == 3 and "1" in names and all(n == "1" or n.startswith("1+") for n in names), names
        d.write(FILE, "x = 2;")
        row = reload(d, a, b, c)
        assert {i["instance"] for i in row["instances"]} == names


def slowly(inject):
    """Words that start prodd with a slow system call."""
    if not shutil.which("strace"):
        raise Skip("needs strace")
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={inject}"]


@case
def who_comes_while_a_rejection_is_written_down_is_not_left_with_an_offer():
    with daemon(wrapper=slowly("fsync:delay_enter=150000")) as d, App(d, "orders", "1") as a:
        reload(d, a)    # the looks of the start are over
        a.verdict = ("reject", "no")
        d.write(FILE, "x = 2;")
        asked = Asked(d, "reload", {"app": "orders"})
        play([a], lambda: methods(a)[-1] == "config.abort", "the abort")
        assert not asked.is_answered(), "the rejection is being written"
        with App(d, "orders", "2") as b:
            assert asked.row(a, b)["outcome"] == "rejected"
            b.settings()
            b.pump(0.02)
            assert b.settings() == {"x": 1} and not b.offered, methods(b)


@case
def who_comes_while_it_is_decided_gets_both_generations_in_order():
    with daemon(wrapper=slowly("fsync:delay_enter=150000")) as d, App(d, "orders", "1") as a:
        reload(d, a)
        d.write(FILE, "x = 2;")
        asked = Asked(d, "reload", {"app": "orders"})
        play([a], lambda: methods(a)[-1] == "config.offer", "the vote")
        wait_until("deciding", lambda: d.call("status", {"app": "orders"})["apps"][0]["transaction"] == "deciding")
        with App(d, "orders", "2") as b:
            row = asked.row(a, b)
            assert (row["outcome"], exit_of(row)) == ("committed", 0), row
            play([a, b], lambda: instance_status(d, "2")["generation"] == 2, "2 has confirmed")
            assert [p["generation"] for m, p in b.seen if m == "config.apply"] == [1, 2], b.seen


main()
