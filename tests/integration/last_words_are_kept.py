#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An app that is killed in the middle of a sentence has said it: SIGKILL directly behind the last record, unfinished
records, stopped threads, forked workers that hold the socket. The control: without a ring the same death loses."""
import os
import select
import signal

from harness import App, Child, Daemon, case, main, wait_until
from rings import ASLEEP, Logger, Ring, attach, dropped, lines, of_app, read_lines, record, spool

RECORDS = 10000


def log_and_die(out, d, count):
    app = Logger(d, "orders", "8081", capacity=8 << 20)
    data = [record("n", number=n) for n in range(count)]
    out.write(b"ready\n")
    for one in data:
        app.ring.write(one)
    os.kill(os.getpid(), signal.SIGKILL)


def state_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()[0]


def stop(d):
    os.kill(d.pid, signal.SIGSTOP)
    wait_until("prodd is stopped", lambda: state_of(d.pid) == "T", pause=0.0005)


def crash_event(d):
    return wait_until("the crash is told", lambda: [e for e in d.call("events", {})["events"] if e["kind"] == "crashed"])[0]


def check_last_words(rows, count, word):
    """All of them, once and in order; once one is marked, all behind it are."""
    assert [row["number"] for row in rows] == list(range(count))
    marked = [row.get("crashed") for row in rows]
    first = next((n for n, mark in enumerate(marked) if mark), count)
    assert marked == [None] * first + [word] * (count - first), (first, set(marked))
    return count - first


@case
def ten_thousand_records_survive_the_death_of_their_app():
    with Daemon() as d, Child(log_and_die, d, RECORDS) as child:
        assert child.wait() == -signal.SIGKILL
        rows = lines(d, "orders", RECORDS)
        event = crash_event(d)
        last = check_last_words(rows, RECORDS, "SIGKILL")
        assert event["instance"] == "8081" and event["text"] == f"killed by SIGKILL, {last} last records kept", event
        wait_until("the ring is gone", lambda: spool(d, "orders")["records"] == RECORDS)


@case
def all_of_them_are_last_words_when_prodd_looks_after_the_death():
    with Daemon() as d, Child(log_and_die, d, RECORDS) as child:
        assert child.line() == b"ready\n"
        stop(d)
        assert child.wait() == -signal.SIGKILL
        d.signal(signal.SIGCONT)
        rows = lines(d, "orders", RECORDS)
        event = crash_event(d)
        last = check_last_words(rows, RECORDS, "SIGKILL")
        assert last > 0 and f"{last} last records" in event["text"], event
        problem = next(p for p in d.status()["problems"] if p["id"] == "app_crashed")
        assert problem["subject"] == "app orders" and "instance 8081 killed by SIGKILL at " in problem["lines"][0], problem


@case
def without_a_ring_the_same_death_loses():
    """The control: what is under way to the socket dies with its sender."""
    def push_and_die(out, d):
        app = App(d, "orders", "8081", subscribe=False)
        waiting = []
        for n in range(RECORDS):
            waiting.append(record("n", number=n))
            if len(waiting) == 256:
                app.call("log.push", {"records": b"".join(waiting)})
                waiting = []
        os.kill(os.getpid(), signal.SIGKILL)

    with Daemon() as d, Child(push_and_die, d) as child:
        assert child.wait() == -signal.SIGKILL
        app = App(d, "orders", "after", subscribe=False)
        app.call("log.push", {"records": record("after", number=-1)})
        wait_until("the last line", lambda: any(r["instance"] == "after" for r in read_lines(d, "orders")))
        got = [r["number"] for r in read_lines(d, "orders") if r["instance"] == "8081"]
        assert len(got) < RECORDS, "nothing was lost without a ring: the test above proves nothing"


@case
def an_exit_without_an_end_is_told_with_its_status():
    def log_and_exit(out, d):
        app = Logger(d, "orders", "8081")
        app.log("n", number=0)
        stop(d)
        app.log("n", number=1)
        os._exit(3)

    with Daemon() as d, Child(log_and_exit, d) as child:
        wait_until("it has ended", lambda: state_of(child.pid) == "Z")
        d.signal(signal.SIGCONT)
        rows = lines(d, "orders", 2)
        assert rows[-1]["crashed"] == "exit 3", rows
        assert "ended: exit 3" in crash_event(d)["text"]


@case
def an_orderly_end_is_no_crash():
    def log_and_end(out, d):
        app = Logger(d, "orders", "8081")
        app.log("n", number=0)
        app.ring.mark_closed()
        os._exit(0)

    with Daemon() as d, Child(log_and_end, d) as child:
        assert child.wait() == 0
        assert "crashed" not in lines(d, "orders", 1)[0]
        wait_until("it is disconnected", lambda: [e for e in d.call("events", {})["events"] if e["kind"] == "disconnected"])
        assert not [e for e in d.call("events", {})["events"] if e["kind"] == "crashed"]


@case
def what_was_begun_and_not_finished_is_skipped_and_counted():
    def begin_and_die(out, d):
        app = Logger(d, "orders", "8081")
        app.log("n", number=0)
        app.ring.reserve(40)
        app.log("n", number=1)
        app.ring.reserve(40)
        out.write(b"ready\n")
        signal.pause()

    with Daemon() as d, Child(begin_and_die, d) as child:
        assert child.line() == b"ready\n"
        assert [r["number"] for r in lines(d, "orders", 1)] == [0]
        child.kill()
        rows = of_app(lines(d, "orders", 2))
        assert [r["number"] for r in rows] == [0, 1] and rows[1]["crashed"] == "SIGKILL", rows
        wait_until("both are counted", lambda: dropped(d, "orders") == {"unpublished": 2})


@case
def a_stopped_producer_finds_its_room_untouched():
    """What it had reserved is never given to others while it may go on."""
    def stop_in_the_middle(out, d):
        app = Logger(d, "orders", "8081", capacity=65536)
        data = record("the one", number=0)
        at = app.ring.reserve(len(data))
        behind = 0
        while app.ring.write(record("behind", number=behind + 1, text="x" * 200)) is not None:
            behind += 1
        out.write(b"%d\n" % behind)
        os.kill(os.getpid(), signal.SIGSTOP)
        place = 4096 + at % app.ring.capacity + 8
        app.ring.view[place:place + len(data)] = data
        app.ring.publish(at, len(data))
        out.write(b"published\n")
        signal.pause()

    with Daemon() as d, Child(stop_in_the_middle, d) as child:
        behind = int(child.line())
        assert behind > 100
        select.select([], [], [], 0.5)
        assert read_lines(d, "orders") == [], "something behind an unfinished record came out"
        os.kill(child.pid, signal.SIGCONT)
        assert child.line() == b"published\n"
        rows = lines(d, "orders", behind + 1)
        assert [r["number"] for r in rows] == list(range(behind + 1))
        assert dropped(d, "orders") == {}


@case
def a_thread_that_stays_stopped_is_a_problem_in_status():
    with Daemon() as d, Logger(d, "orders", "8081") as app:
        app.ring.reserve(40)
        app.log("behind")
        problem = wait_until("it is told", lambda: [p for p in d.status().get("problems", []) if p["id"] == "log_blocked"],
                             deadline=20)[0]
        assert "instance 8081" in problem["lines"][0], problem
        fresh = Ring()
        attach(app, fresh)
        fresh.write(record("from a fresh ring"))
        assert [r["msg"] for r in lines(d, "orders", 1)] == ["from a fresh ring"]


@case
def a_worker_that_holds_the_socket_does_not_hide_the_death():
    """A forked worker has the master's socket; the master's death is told by its process."""
    def fork_and_die(out, d):
        app = Logger(d, "orders", "8081")
        app.log("n", number=0)
        if os.fork() == 0:
            out.write(b"%d\n" % os.getpid())
            signal.pause()
        app.log("n", number=1)
        signal.pause()

    with Daemon() as d, Child(fork_and_die, d) as child:
        worker = int(child.line())
        try:
            wait_until("both are in the spool", lambda: spool(d, "orders").get("records") == 2)
            child.kill()
            assert "killed by SIGKILL" in crash_event(d)["text"]
        finally:
            os.kill(worker, signal.SIGKILL)


@case
def another_program_in_the_same_process_leaves_its_ring_behind():
    """exec(2): the new program has another ring, and what the old one had begun is skipped."""
    with Daemon() as d:
        old = Logger(d, "orders", "a")
        old.log("n", number=0)
        old.ring.reserve(40)
        old.log("n", number=1)
        wait_until("the first is there", lambda: spool(d, "orders").get("records") == 1)
        old.close()
        with Logger(d, "orders", "a") as new:
            new.log("n", number=2)
            wait_until("all are there", lambda: sorted(r["number"] for r in of_app(read_lines(d, "orders"))) == [0, 1, 2])
            assert dropped(d, "orders") == {"unpublished": 1}


@case
def pages_are_given_back_under_a_producer():
    """A ring that little is written to has few pages; nothing is lost while they are taken away."""
    with Daemon() as d, Logger(d, "orders", capacity=1 << 20) as app:
        blocks = lambda: os.fstat(app.ring.fd).st_blocks * 512
        wait_until("it sleeps", lambda: app.ring.halves[ASLEEP // 4] == 1)
        select.select([], [], [], 1.1)  # the sweep finds it cold
        for number in range(11000):
            app.log("n", number=number, text="x" * 64)
            if number % 20 == 0:
                select.select([], [], [], 0.01)
        most = blocks()
        rows = lines(d, "orders", 11000)
        assert [r["number"] for r in rows] == list(range(11000))
        assert app.ring.tail > 1 << 20
        assert most < 1 << 18, f"{most} bytes in use of a cold ring"


main()
