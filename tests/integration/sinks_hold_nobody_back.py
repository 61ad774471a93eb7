#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A sink that is slow, stopped, killed or cannot write holds back neither the apps nor the other sinks, and a full disk is no
end: what was taken is kept, and shipped once there is room."""
import contextlib
import os
import signal
import subprocess

from harness import Daemon, Skip, case, main, wait_until
from rings import Logger, count_lines, dropped, lines, of_app, read_lines, record, sinks, spool

TWO = 'sink: {{ local: {{ type = "file"; }}; other: {{ directory = "{}/other"; }}; }};'


def two_sinks(d):
    d.write("prodd.conf", TWO.format(d.dir))
    return d.start()


def lines_of_other(d):
    try:
        with open(d.path("other", "orders.jsonl"), "rb") as f:
            return f.read().count(b"\n")
    except FileNotFoundError:
        return 0


@case
def a_stopped_sink_holds_nobody_back():
    with Daemon(start=False) as d:
        os.mkdir(d.path("other"))
        two_sinks(d)
        with Logger(d, "orders") as app:
            app.log("n", number=0)
            wait_until("both have it", lambda: count_lines(d, "orders") == lines_of_other(d) == 1)
            pid = sinks(d)["other"]["pid"]
            os.kill(pid, signal.SIGSTOP)
            for number in range(1, 5000):
                app.log("n", number=number)
            lines(d, "orders", 5000)
            app.sync()
            shown = spool(d, "orders")
            behind = {row["sink"]: row.get("behind", 0) for row in shown["sinks"]}
            assert behind["other"] >= 4999 and dropped(d, "orders") == {}, shown
            os.kill(pid, signal.SIGCONT)
            wait_until("the other has all", lambda: lines_of_other(d) == 5000)


@case
def a_killed_sink_goes_on_where_it_was():
    with Daemon() as d, Logger(d, "orders") as app:
        sent = 0
        for _ in range(5):
            for _ in range(400):
                app.log("n", number=sent)
                sent += 1
            pid = wait_until("it runs", lambda: sinks(d)["local"].get("pid"))
            os.kill(pid, signal.SIGKILL)
            wait_until("another runs", lambda: sinks(d)["local"].get("pid", pid) != pid, 20)
        rows = lines(d, "orders", sent, 20)
        assert [r["number"] for r in rows] == list(range(sent))
        assert sinks(d)["local"]["shipped"] <= sent


@case
def a_sink_that_cannot_write_is_a_problem_and_recovers():
    with Daemon(start=False) as d:
        d.write("other", "a file where a directory should be")
        two_sinks(d)
        with Logger(d, "orders") as app:
            app.log("n", number=0)
            lines(d, "orders", 1)
            problem = wait_until("it is told", lambda: [p for p in d.status().get("problems", []) if p["id"] == "sink_down"])[0]
            assert problem["subject"] == "sink other" and problem["lines"][0].startswith("down: "), problem
            states = {row["sink"]: row["state"] for row in d.status()["sinks"]}
            assert states["local"] == "ok" and states["other"] in ("retry", "failed"), states
            os.unlink(d.path("other"))
            os.mkdir(d.path("other"))
            wait_until("it ships", lambda: lines_of_other(d) == 1, 20)
            wait_until("all is well", lambda: not [p for p in d.status().get("problems", []) if p["id"] == "sink_down"])


@case
def the_apps_of_a_sink_are_its_own():
    conf = 'sink: {{ local: {{ type = "file"; }}; other: {{ directory = "{}/other"; apps = [ "billing" ]; level = "warn"; }}; }};'
    with Daemon(start=False) as d:
        os.mkdir(d.path("other"))
        d.write("prodd.conf", conf.format(d.dir))
        d.start()
        with Logger(d, "orders") as orders, Logger(d, "billing") as billing:
            orders.log("one", level="error")
            billing.log("two")
            billing.log("three", level="warn")
            lines(d, "orders", 1), lines(d, "billing", 2)
            path = d.path("other", "billing.jsonl")
            wait_until("its own is there", lambda: os.path.exists(path) and b"three" in open(path, "rb").read())
            assert b"two" not in open(path, "rb").read() and lines_of_other(d) == 0
            assert [row["sink"] for row in spool(d, "orders")["sinks"]] == ["local"]


@case
def a_sink_past_its_allowance_skips_alone():
    conf = 'sink: {{ local: {{ type = "file"; }}; other: {{ directory = "{}/other"; allowance = "2MiB"; }}; }};'
    with Daemon(start=False) as d:
        os.mkdir(d.path("other"))
        d.write("prodd.conf", conf.format(d.dir))
        d.start()
        with Logger(d, "orders", capacity=4 << 20) as app:
            app.log("n", number=0)
            wait_until("both have it", lambda: count_lines(d, "orders") == lines_of_other(d) == 1)
            pid = sinks(d)["other"]["pid"]
            os.kill(pid, signal.SIGSTOP)
            for number in range(1, 4000):
                app.log("n", number=number, text="x" * 2000)
            skipped = wait_until("it skips", lambda: dropped(d, "orders").get("allowance"))
            assert skipped > 1000, skipped
            os.kill(pid, signal.SIGCONT)
            app.log("last", number=4000)
            with_last = d.path("other", "orders.jsonl")
            wait_until("it goes on", lambda: b'"last"' in open(with_last, "rb").read())
            rows = of_app(lines(d, "orders", 4001))
            assert [r["number"] for r in rows] == list(range(4001)), "the other sink lost something"
            assert 500 < lines_of_other(d) < 3000, lines_of_other(d)


@case
def segments_go_when_all_sinks_have_them():
    with Daemon(start=False) as d:
        os.mkdir(d.path("other"))
        two_sinks(d)
        with Logger(d, "orders", capacity=4 << 20) as app:
            for number in range(12000):
                app.log("n", number=number, text="x" * 2000)
            wait_until("segments are unlinked", lambda: spool(d, "orders").get("oldest", 0) > 1, 20)
            wait_until("both have all", lambda: count_lines(d, "orders") == lines_of_other(d) == 12000, 20)
            wait_until("one segment is left", lambda: spool(d, "orders").get("segments") == 1, 20)
            assert dropped(d, "orders") == {}


@contextlib.contextmanager
def small_disk(path, size):
    os.makedirs(path, exist_ok=True)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "prodd-test", path],
                                           capture_output=True).returncode != 0:
        raise Skip("needs the right to mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@case
def a_disk_that_fills_and_empties_is_no_end():
    """Somebody else fills it; what comes meanwhile is kept in memory and rings, and nothing is lost but what is counted."""
    with Daemon(conf='log: { keep_free = 0; full = "block"; };', start=False) as d, small_disk(d.path("state"), "40m"):
        d.start()
        with Logger(d, "orders", capacity=1 << 20) as app:
            app.log("n", number=0, text="x" * 1000)
            lines(d, "orders", 1)
            filler = os.open(d.path("state", "filler"), os.O_WRONLY | os.O_CREAT)
            with contextlib.suppress(OSError):
                while True:
                    os.write(filler, b"x" * 65536)
            os.close(filler)
            number = 0
            while app.ring.write(record("n", number=number + 1, text="x" * 1000)) is not None:
                number += 1
            wait_until("it is told", lambda: [p for p in d.status().get("problems", []) if p["id"] == "spool_fails"])
            d.call("ping")
            os.unlink(d.path("state", "filler"))
            app.ring.wait_write(record("n", number=number + 1, text="x" * 1000), 20)
            rows = of_app(lines(d, "orders", number + 2, 20))
            assert [r["number"] for r in rows] == list(range(number + 2))
            wait_until("all is well", lambda: not d.status().get("problems"))
        d.stop()


main()
