#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The way of a record, from an app's ring or push through the spool into the file of its app: once, in order, with where it
comes from; over lost connections and restarts of prodd."""
import os
import select
import signal

from harness import App, Client, Daemon, Refused, case, main, wait_until
from rings import (Logger, Ring, attach, count_lines, dropped, file_of, lines, of_app, read_lines, record, sinks, spool)


def messages(rows):
    return [row["msg"] for row in of_app(rows)]


@case
def a_record_is_a_line_with_where_it_comes_from():
    with Daemon() as d, Logger(d, "orders", "8080") as app:
        assert app.attached == {"sync": "interval"}, app.attached
        app.log("order served", level="warn", target="db.pool", when=1795402931123456789, thread="worker-3",
                source="orders.c:88", order_id=42)
        row = lines(d, "orders", 1)[0]
        assert row == {"time": "2026-11-23T03:02:11.123456789Z", "level": "warn", "app": "orders", "instance": "8080", "seq": 1,
                       "target": "db.pool", "msg": "order served", "order_id": 42, "pid": os.getpid(), "thread": "worker-3",
                       "src": "orders.c:88"}, row
        assert os.stat(file_of(d, "orders")).st_mode & 0o777 == 0o640
        assert os.stat(d.path("log")).st_mode & 0o777 == 0o750


@case
def many_records_come_once_and_in_order():
    with Daemon() as d, Logger(d, "orders", capacity=65536) as app:
        for number in range(20000):
            app.log("n", number=number)
        rows = lines(d, "orders", 20000)
        assert [row["number"] for row in rows] == list(range(20000))
        assert [row["seq"] for row in rows] == list(range(1, 20001))
        wait_until("all is released", lambda: app.ring.tail - app.ring.released <= 65536 // 4)
        shown = spool(d, "orders")
        assert (shown["records"], shown.get("dropped", [])) == (20000, []), shown
        assert d.counters()["rings_swept"] == 0, "a wake-up was missed"


@case
def wake_ups_are_not_missed():
    with Daemon() as d, Logger(d, "orders") as app:
        for number in range(200):
            app.log("n", number=number)
            wait_until("it is released, or held for a page", lambda: spool(d, "orders").get("records") == number + 1, pause=0)
            if number % 4 == 0:  # by now the ring sleeps
                wait_until("the ring sleeps", lambda: app.ring.halves[512 // 4] == 1, pause=0.001)
        assert d.counters()["rings_swept"] == 0


@case
def the_sweep_finds_what_no_wake_up_told_of():
    with Daemon() as d, Logger(d, "orders") as app:
        wait_until("the ring sleeps", lambda: app.ring.halves[512 // 4] == 1)
        real, app.ring.eventfd = app.ring.eventfd, None
        app.log("in silence")
        assert messages(lines(d, "orders", 1)) == ["in silence"]
        assert d.counters()["rings_swept"] == 1
        app.ring.eventfd = real


@case
def a_ring_comes_back_after_a_lost_connection():
    with Daemon() as d:
        app = Logger(d, "orders", "a")
        ring = app.ring
        app.log("before")
        lines(d, "orders", 1)
        app.close()
        ring.write(record("between"))
        with Logger(d, "orders", "a", ring=ring) as app:
            assert app.attached["head"] > 0
            app.log("after")
            assert messages(lines(d, "orders", 3)) == ["before", "between", "after"]
            assert d.counters()["rings_attached"] == 2
            try:
                attach(App(d, "billing", subscribe=False), ring)
                raise AssertionError("another app got the ring")
            except Refused as refused:
                assert refused.code == "busy", refused


@case
def a_ring_comes_back_after_a_restart_of_prodd():
    with Daemon() as d:
        ring = Ring()
        for life in range(3):
            with Logger(d, "orders", ring=ring) as app:
                for number in range(500):
                    app.log("n", number=life * 1000 + number)
                if life == 1:
                    app.sync()
                    d.kill()
                else:
                    d.stop()
            for number in range(500, 1000):
                ring.write(record("n", number=life * 1000 + number))
            d.start()
        with Logger(d, "orders", ring=ring):
            rows = lines(d, "orders", 3000)
        assert [row["number"] for row in rows] == list(range(3000))
        numbers = [row["seq"] for row in rows]
        assert numbers == sorted(set(numbers))


@case
def what_was_left_in_the_spool_is_shipped_at_the_next_start():
    with Daemon(conf='sink: { none: { apps = [ "nobody" ]; }; };') as d:
        with Logger(d, "orders") as app:
            app.log("kept")
            app.sync()
        d.stop()
        assert count_lines(d, "orders") == 0
        d.write("prodd.conf", "")
        d.start()
        if spool(d, "orders").get("records"):
            assert messages(lines(d, "orders", 1)) == ["kept"]


@case
def an_orderly_end_ships_what_the_rings_hold():
    with Daemon() as d, Logger(d, "orders") as app:
        d.signal(signal.SIGSTOP)
        for number in range(3000):
            app.log("n", number=number)
        d.signal(signal.SIGTERM)
        d.signal(signal.SIGCONT)
        assert d.process.wait(20) == 0
        d.process = None
        assert [row["number"] for row in read_lines(d, "orders")] == list(range(3000))


@case
def a_closed_ring_is_unmapped_when_it_is_empty():
    with Daemon() as d, App(d, "orders", subscribe=False) as app:
        app.call("log.push", {"records": record("first")})
        before, ring = d.descriptors(), Ring()
        attach(app, ring)
        assert d.descriptors() > before
        ring.write(record("last"))
        ring.mark_closed()
        assert messages(lines(d, "orders", 2)) == ["first", "last"]
        wait_until("its descriptors are closed", lambda: d.descriptors() <= before)
        assert not [e for e in d.call("events", {})["events"] if e["kind"] == "crashed"]


@case
def pushed_records_need_no_ring():
    with Daemon() as d, App(d, "orders", "8080", subscribe=False) as app:
        result = app.call("log.push", {"records": record("one", n=1) + record("two", n=2) + b"\xc1" + b"junk", "dropped": 3})
        assert result == {"taken": 2, "dropped": 1}, result
        app.call("log.sync", {})
        rows = lines(d, "orders", 2)
        assert messages(rows)[:2] == ["one", "two"]
        assert of_app(rows)[0]["instance"] == "8080" and of_app(rows)[0]["pid"] == os.getpid()
        assert dropped(d, "orders") == {"damaged": 1, "sender": 3}
        assert spool(d, "orders")["synced"] >= 2


@case
def sync_is_answered_when_it_is_durable():
    with Daemon(conf='log: { sync = "never"; };') as d, Logger(d, "orders") as app:
        for number in range(100):
            end = app.log("n", number=number)
        app.sync(end)
        shown = spool(d, "orders")
        assert shown["synced"] >= 100, shown
        assert app.refusal("log.sync", {"ring": os.urandom(16), "end": 8}).code == "not_found"
        number = app.request("log.sync", {"ring": app.ring.uuid, "end": app.ring.tail + 64})
        assert not select.select([app.socket], [], [], 0.2)[0], "answered before it was written"
        app.ring.write(record("x" * 100))
        app.result(number)


@case
def under_always_what_is_released_is_durable():
    with Daemon(conf='log: { sync = "always"; };') as d, Logger(d, "orders") as app:
        assert app.attached["sync"] == "always"
        for number in range(2000):
            app.log("n", number=number)
        app.sync()
        shown = spool(d, "orders")
        assert shown["synced"] == shown["next"] - 1 == 2000, shown
        assert len(lines(d, "orders", 2000)) == 2000


@case
def what_an_app_dropped_is_told_where_the_gap_is():
    with Daemon() as d, Logger(d, "orders") as app:
        app.ring.drop(7)
        app.ring.drop(2, reason=1)
        app.log("after")
        rows = lines(d, "orders", 3)
        told = {row["reason"]: row["count"] for row in rows if row["msg"] == "records dropped"}
        assert told == {"ring_full": 7, "too_large": 2}, rows
        assert all(row["target"] == "prodd" and row["level"] == "warn" for row in rows if "reason" in row)
        assert dropped(d, "orders") == {"ring_full": 7, "too_large": 2}


@case
def a_drop_is_told_once_over_restarts_of_prodd():
    with Daemon() as d:
        ring = Ring()
        with Logger(d, "orders", ring=ring):
            ring.drop(7)
            wait_until("it is told", lambda: any("reason" in row for row in read_lines(d, "orders")))
        d.restart()
        ring.drop(3)
        with Logger(d, "orders", ring=ring) as app:
            app.log("after")
            wait_until("the new ones are told", lambda: sum("reason" in row for row in read_lines(d, "orders")) == 2)
            assert [row["count"] for row in read_lines(d, "orders") if "reason" in row] == [7, 3]
            assert dropped(d, "orders") == {"ring_full": 3}


@case
def sinks_say_how_far_they_are():
    with Daemon() as d, Logger(d, "orders") as app:
        app.log("one")
        lines(d, "orders", 1)
        wait_until("the cursor is there", lambda: spool(d, "orders")["sinks"] == [{"sink": "local", "number": 1}])
        row = sinks(d)["local"]
        assert (row["type"], row["state"], row["shipped"]) == ("file", "ok", 1), row
        with Client(d.app_socket) as c:
            assert c.hello("orders").refusal("spool.show").code == "not_permitted"


@case
def the_next_line_of_a_file_goes_on_after_sigusr1():
    with Daemon() as d, Logger(d, "orders") as app:
        app.log("one")
        lines(d, "orders", 1)
        d.signal(signal.SIGUSR1)
        wait_until("it is rotated", lambda: len(os.listdir(d.path("log"))) > 1 or app.log("more") and False)


main()
