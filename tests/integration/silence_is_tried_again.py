#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An instance that does not answer an offer: what that does by default, with no_answer = "proceed", and with --force."""
import os
import signal

from harness import App, Child, Daemon, case, main, wait_until
from scripted import (EXIT_DIVERGED, EXIT_NO_ANSWER, EXIT_REJECTED, Asked, exit_of, instance_status, methods, of, play,
                      problems, refusal, reload, status_of, stored)

CONF = 'watch = "manual"; answer_timeout = "1s";'
FILE = "apps/orders/default.conf"


def daemon(conf=CONF):
    return Daemon(conf=conf, apps={"orders": {"default.conf": "x = 1;"}})


def two(d):
    a, b = App(d, "orders", "1"), App(d, "orders", "2")
    play([a, b], lambda: a.live and b.live, "both have their first configuration")
    reload(d, a, b)     # the looks of the start are over
    return a, b


def silent_reload(d, a, b, **options):
    """A reload to x = 2 over b's silence: its row."""
    b.verdict = None
    d.write(FILE, "x = 2;")
    return reload(d, a, b, **options)


@case
def neither_changes():
    with daemon() as d:
        a, b = two(d)
        row = silent_reload(d, a, b)
        assert (row["outcome"], exit_of(row), row["timeout_ms"]) == ("no_answer", EXIT_NO_ANSWER, 1000), row
        assert (of(row, "1")["answer"], of(row, "1")["state"]) == ("accepted", "rolled_back"), row
        assert (of(row, "2")["answer"], of(row, "2")["pid"]) == ("silent", os.getpid()), row
        assert of(row, "2")["heard_ms"] >= 1000 and of(row, "2")["process"] in ("running", "sleeping"), row
        play([a, b], lambda: not a.offered and not b.offered, "the abort")
        assert a.settings() == b.settings() == {"x": 1}
        assert "no answer from orders/2" in problems(d)["config_differs"]
        assert not stored(d).get("refused"), "silence is not remembered over a restart"


def instance(out, d):
    """A process that serves itself, and says each generation that it uses."""
    with App(d, "orders", "2") as app:
        last = 0
        while True:
            app.wait(lambda: app.generation > last, "a new generation", 60)
            last = app.generation
            out.write(b"%d\n" % last)


@case
def a_stopped_process_is_named_and_taken_along_when_it_goes_on():
    with daemon() as d, Child(instance, d) as b, App(d, "orders", "1") as a:
        assert b.line() == b"1\n"
        reload(d, a)
        os.kill(b.pid, signal.SIGSTOP)
        wait_until("it is stopped", lambda: open(f"/proc/{b.pid}/stat").read().rpartition(")")[2].split()[0] == "T")
        d.write(FILE, "x = 2;")
        row = reload(d, a)
        assert (row["outcome"], of(row, "2")["process"]) == ("no_answer", "stopped"), row
        os.kill(b.pid, signal.SIGCONT)
        play([a], lambda: a.generation == 3, "it is offered again, and accepted")
        assert b.line() == b"3\n" and a.settings() == {"x": 2} and not problems(d)


@case
def tried_again_when_that_instance_answers():
    with daemon() as d:
        a, b = two(d)
        silent_reload(d, a, b)
        b.verdict = "accept"    # it answers the ping that prodd has sent meanwhile
        play([a, b], lambda: a.generation == b.generation == 3, "both have the next generation")
        assert a.settings() == b.settings() == {"x": 2}
        assert not problems(d)


@case
def tried_again_when_that_instance_leaves():
    with daemon() as d:
        a, b = two(d)
        b.verdict = None
        d.write(FILE, "x = 2;")
        assert Asked(d, "reload", {"app": "orders"}).row(a)["outcome"] == "no_answer"
        b.close()
        play([a], lambda: a.settings() == {"x": 2}, "tried again without it")
        assert not problems(d)


@case
def not_tried_again_when_another_one_leaves():
    with daemon() as d:
        a, b = two(d)
        c = App(d, "orders", "3")
        c.settings()
        d.write(FILE, "x = 2;")
        assert Asked(d, "reload", {"app": "orders"}).row(a, c)["outcome"] == "no_answer"
        before = d.counters()["transactions_started"]
        c.close()
        wait_until("it has left", lambda: instance_status(d, "3") is None)
        assert d.counters()["transactions_started"] == before
        b.close()
        play([a], lambda: a.settings() == {"x": 2}, "tried again")


@case
def proceeds_when_prodd_conf_says_so():
    with daemon(CONF + 'no_answer = "proceed";') as d:
        a, b = two(d)
        b.applied = lambda params: None if "txn" in params else "applied"
        row = silent_reload(d, a, b)
        assert (row["outcome"], exit_of(row)) == ("committed", EXIT_DIVERGED), row
        assert (of(row, "2")["answer"], of(row, "2")["state"]) == ("silent", "unconfirmed"), row
        play([a, b], lambda: instance_status(d, "2")["state"] == "applied", "it converges when it listens")
        assert a.settings() == b.settings() == {"x": 2}


@case
def force_proceeds_over_silence_and_the_silent_one_hears_the_commit():
    with daemon() as d:
        a, b = two(d)
        row = silent_reload(d, a, b, force=True)
        assert (row["outcome"], exit_of(row)) == ("committed", 0), row
        assert (of(row, "2")["answer"], of(row, "2")["state"]) == ("silent", "applied"), row
        assert a.settings() == b.settings() == {"x": 2} and methods(b)[1:3] == ["config.offer", "config.commit"]


@case
def force_does_not_proceed_over_a_reject_or_an_error():
    with daemon() as d:
        a, b = two(d)
        b.verdict = ("reject", "no")
        d.write(FILE, "x = 2;")
        row = reload(d, a, b, force=True)
        assert (row["outcome"], exit_of(row)) == ("rejected", EXIT_REJECTED)
        d.write(FILE, "x = ;")
        assert reload(d, a, b, force=True)["outcome"] == "invalid" and status_of(d)["generation"] == 1


@case
def force_is_for_operators():
    with daemon() as d, App(d, "orders", "1") as a:
        a.settings()
        error = None
        try:
            a.call("reload", {"app": "orders", "force": True})
        except Exception as refused:
            error = refused
        assert error and error.code == "not_permitted", error
        assert a.call("reload", {"app": "orders"})["reports"][0]["outcome"] == "unchanged"
        assert refusal(d, "reload", {"app": "nobody", "force": True}).code == "not_found"


main()
