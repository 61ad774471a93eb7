#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Beside an app that floods, a quiet one's records come in time; what is over a rate or a limit is dropped, counted by
reason, and told in the stream; the instances of an app share its rate evenly."""
import os
import select
import threading
import time

from harness import PLAIN, Child, Daemon, case, main, percentile, wait_until
from rings import Logger, count_lines, dropped, file_of, lines, of_app, read_lines, record, spool

FLOOD_S = float(os.environ.get("PRODD_FLOOD_S", "10" if PLAIN else "3"))


def flood(out, d, seconds, instance="a", app="noisy", pause=0.0):
    logger = Logger(d, app, instance, capacity=4 << 20)
    out.write(b"ready\n")
    data, end, count, full = record("flood", text="f" * 120), time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        for _ in range(200):
            if logger.ring.write(data) is None:
                full += 1
                logger.ring.drop()
                select.select([], [], [], 0.0005)
            count += 1
        if pause:
            select.select([], [], [], pause)
    logger.ring.mark_closed()
    out.write(b"%d %d\n" % (count, full))


class Follower:
    """Tells when a line is in a file."""

    def __init__(self, path):
        self.path, self.file, self.rest = path, None, b""

    def wait(self, needle, deadline):
        while True:
            if self.file is None and os.path.exists(self.path):
                self.file = open(self.path, "rb")
            if self.file:
                self.rest += self.file.read()
                if needle in self.rest:
                    self.rest = b""
                    return time.monotonic()
            assert time.monotonic() < deadline, f"{needle} does not come"
            select.select([], [], [], 0.0005)


def times_of_a_quiet_app(d, seconds):
    """Milliseconds from the record to the file."""
    seen, follower, times = 0, Follower(file_of(d, "quiet")), []
    with Logger(d, "quiet") as quiet:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            quiet.log("quiet", number=seen)
            times.append((follower.wait(b'"number":%d,' % seen, began + 10) - began) * 1000)
            seen += 1
            select.select([], [], [], 0.01)
    return times


@case
def a_quiet_app_is_heard_beside_a_flood():
    with Daemon(conf='log: { app_limit = "64MiB"; };') as d:
        alone = percentile(times_of_a_quiet_app(d, 1), 0.99)
    with Daemon(conf='log: { app_limit = "64MiB"; }; sink: { local: { rotate_size = "32MiB"; keep = 2; }; };') as d, \
            Child(flood, d, FLOOD_S + 1) as noisy:
        noisy.line()
        times = times_of_a_quiet_app(d, FLOOD_S)
        count, full = map(int, noisy.line(FLOOD_S + 10).split())
        p99 = percentile(times, 0.99)
        print(f"  beside {count / (FLOOD_S + 1):.0f} records/s: p50 {percentile(times, 0.5):.1f} ms, p99 {p99:.1f} ms, "
              f"most {max(times):.1f} ms of {len(times)}; alone p99 {alone:.1f} ms; ring full {full}")
        if PLAIN:
            assert p99 <= max(100, 5 * alone), p99
        taken = wait_until("all is accounted for", lambda: (lambda r: r if sum(r) >= count else None)(
            (spool(d, "noisy").get("records", 0), dropped(d, "noisy").get("ring_full", 0))))
        assert sum(taken) == count, (taken, count)


@case
def over_the_rate_is_dropped_and_told():
    with Daemon(conf="log: { rate = 500; burst = 100; };") as d, Logger(d, "orders") as app:
        began = time.monotonic()
        for number in range(3000):
            app.log("n", number=number)
        wait_until("all are read", lambda: spool(d, "orders").get("records", 0) + dropped(d, "orders").get("rate", 0) >= 3000)
        passed, taken = time.monotonic() - began, spool(d, "orders")["records"]
        assert 100 <= taken <= 100 + 500 * (passed + 0.1), (taken, passed)
        drops = dropped(d, "orders")
        assert drops == {"rate": 3000 - taken}, drops
        rows = wait_until("it is told", lambda: (lambda rows: rows if sum(r["count"] for r in rows) == drops["rate"] else None)(
            [r for r in read_lines(d, "orders") if r["msg"] == "records dropped"]))
        assert {r["reason"] for r in rows} == {"rate"} and len(rows) <= passed + 3, rows
        status = next(a for a in d.status()["apps"] if a["app"] == "orders")
        assert status["dropped"] == drops["rate"] and status["drops"] == [{"reason": "rate", "count": drops["rate"]}], status
        assert any(p["id"] == "log_dropped" for p in d.status()["problems"])


@case
def instances_share_the_rate_of_their_app():
    """One that floods leaves the other its half."""
    with Daemon(conf="log: { rate = 400; burst = 40; };") as d, Child(flood, d, 4, "a", "orders") as noisy, \
            Logger(d, "orders", "b") as quiet:
        noisy.line()
        sent, end = 0, time.monotonic() + 3
        while time.monotonic() < end:
            quiet.log("quiet", number=sent)
            sent += 1
            select.select([], [], [], 0.01)  # some 100 a second: under its half of 400
        wait_until("its records are there", lambda: sum(r["msg"] == "quiet" for r in read_lines(d, "orders")) == sent)


@case
def what_the_spool_cannot_hold_is_dropped_by_its_rule():
    conf = 'log: {{ app_limit = "16MiB"; full = "{}"; keep_free = 0; }}; sink: {{ none: {{ directory = "{}/prodd.conf/log"; }}; }};'
    text, count = "x" * 4000, 6000
    for full, reason in (("drop_oldest", "oldest"), ("drop_newest", "spool_full")):
        with Daemon(start=False) as d:
            d.write("prodd.conf", conf.format(full, d.dir))
            d.start()
            with Logger(d, "orders", capacity=4 << 20) as app:
                for number in range(count):
                    app.log("n", number=number, text=text)
                wait_until("all are read", lambda: spool(d, "orders").get("records", 0) + dropped(d, "orders").get("x", 0) >= count)
                shown, drops = spool(d, "orders"), dropped(d, "orders")
                assert 0 < drops[reason] < count, drops
                assert shown["bytes"] <= 16 << 20, shown
            d.kill()  # an orderly end would wait for the sink


@case
def block_stops_and_goes_on():
    """Under block nothing is dropped: rings fill up, and when there is room again it goes on."""
    with Daemon(start=False) as d:
        where = d.path("later", "log")
        d.write("later", "a file where a directory should be")
        d.write("prodd.conf", f'log: {{ app_limit = "16MiB"; full = "block"; keep_free = 0; }}; '
                              f'sink: {{ one: {{ directory = "{where}"; }}; }};')
        d.start()
        with Logger(d, "orders", capacity=1 << 20) as app:
            number, end = 0, time.monotonic() + 15
            while time.monotonic() < end:
                if app.ring.write(record("n", number=number, text="x" * 4000)) is None:
                    if any(p["id"] == "spool_fails" for p in d.status().get("problems", [])):
                        break
                    select.select([], [], [], 0.01)
                else:
                    number += 1
            assert 3000 < number < 6000, number
            assert "oldest" not in dropped(d, "orders")
            os.unlink(d.path("later"))
            os.makedirs(where)
            for number in range(number, number + 500):
                app.ring.wait_write(record("n", number=number, text="x" * 4000), deadline=60)
            path = os.path.join(where, "orders.jsonl")
            wait_until("all are shipped", lambda: os.path.exists(path) and open(path, "rb").read().count(b'"msg":"n"') == number + 1,
                       60)


main()
