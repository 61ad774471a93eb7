#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counters stay when their process is killed, when prodd is, and when either comes back; gauges go with their process. A new
boot begins at zero."""
import os
import signal

from harness import Child, Client, Daemon, case, main, wait_until
from segments import SUM, Segment, rows, value

BOOT_AT = 200       # in the ledger's head (daemon/metric/book.h)


def worker(out, path, name, count):
    """Counts to `count` in its own segment and waits to be killed."""
    c = Client(path).hello("orders", name)
    s = Segment()
    served, open_now = s.counter("orders_served_total"), s.gauge("orders_open", SUM)
    took = s.histogram("took_seconds", (0.1, 1.0))
    s.attach(c)
    served.add(count)
    open_now.set(count)
    took.observe(0.5)
    out.write(b"ready\n")
    signal.pause()


def there(d, name, wanted, **more):
    wait_until(f"{name} is {wanted}", lambda: value(d, "orders", name, **more) == wanted)


@case
def a_killed_process_has_counted_and_its_gauge_is_gone():
    with Daemon() as d:
        with Child(worker, d.app_socket, "1", 5) as first, Child(worker, d.app_socket, "2", 7) as second:
            first.line()
            second.line()
            there(d, "orders_served_total", 12)
            assert value(d, "orders", "orders_open") == 12
            assert value(d, "orders", "took_seconds") == (1.0, [0, 2, 0])
            first.kill()
            assert value(d, "orders", "orders_open") == 7      # at the next scrape, whatever comes first
            assert value(d, "orders", "orders_served_total") == 12
        assert value(d, "orders", "orders_open") is None
        assert value(d, "orders", "orders_served_total") == 12
        assert value(d, "orders", "took_seconds") == (1.0, [0, 2, 0])
        assert d.counters()["metric_segments_folded"] == 2


@case
def a_killed_daemon_has_counted():
    with Daemon() as d:
        with Child(worker, d.app_socket, "1", 5) as first:
            first.line()
            there(d, "orders_served_total", 5)
            d.kill()
            d.start()
            assert value(d, "orders", "orders_served_total") == 5     # not yet shared again
            assert value(d, "orders", "orders_open") is None
        there(d, "orders_served_total", 5)
        assert d.counters()["metric_segments_folded"] == 1
        d.kill()
        d.start()
        assert value(d, "orders", "orders_served_total") == 5
        d.restart()
        assert value(d, "orders", "orders_served_total") == 5


@case
def a_process_that_ended_while_prodd_was_away_is_known_to_be_dead():
    with Daemon() as d:
        with Child(worker, d.app_socket, "1", 5) as first:
            first.line()
            there(d, "orders_served_total", 5)
            d.kill()
        d.start()
        assert value(d, "orders", "orders_served_total") == 5
        wait_until("it is folded", lambda: d.counters()["metric_segments_folded"] == 1)
        assert value(d, "orders", "orders_served_total") == 5


@case
def a_lost_connection_is_no_death_and_a_close_in_order_is_one():
    with Daemon() as d:
        s = Segment()
        served, open_now = s.counter("orders_served_total"), s.gauge("orders_open")
        with Client(d.app_socket).hello("orders", "1") as c:
            s.attach(c)
            served.add(3)
            open_now.set(9)
        served.add(4)       # without a connection
        there(d, "orders_served_total", 7)
        assert value(d, "orders", "orders_open") == 9
        with Client(d.app_socket).hello("orders", "1") as c:
            s.attach(c)
            served.add(1)
            there(d, "orders_served_total", 8)
            s.close_in_order()
            served.add(1)
        there(d, "orders_open", None)
        assert value(d, "orders", "orders_served_total") == 9
        counters = d.counters()
        assert (counters["metric_segments_returned"], counters["metric_segments_folded"]) == (1, 1), counters


@case
def another_boot_begins_at_zero():
    def row(d):
        return next(r for r in rows(d, "orders") if r["name"] == "orders_served_total")

    with Daemon() as d:
        s = Segment()
        with Client(d.app_socket).hello("orders", "1") as c:
            s.attach(c)
            s.counter("orders_served_total").add(3)
            there(d, "orders_served_total", 3)
            before = row(d)
            d.stop()
            with open(d.path("state", "metric", "orders.ledger"), "r+b") as f:
                f.seek(BOOT_AT)
                boot = f.read(36)
                with open("/proc/sys/kernel/random/boot_id", "rb") as kernel:
                    assert boot == kernel.read(36)
                f.seek(BOOT_AT)
                f.write(b"0" * 36)
            d.start()
            assert rows(d, "orders") == []
        with Client(d.app_socket).hello("orders", "1") as c:
            s = Segment()
            s.counter("orders_served_total").add(1)
            s.attach(c)
            there(d, "orders_served_total", 1)
            assert row(d)["created_ms"] > before["created_ms"]
        assert "damaged" not in d.log()


@case
def a_damaged_ledger_is_put_aside_and_said():
    with Daemon() as d:
        with Client(d.app_socket).hello("orders", "1") as c:
            s = Segment()
            s.counter("orders_served_total").add(3)
            s.attach(c)
            there(d, "orders_served_total", 3)
        d.stop()
        with open(d.path("state", "metric", "orders.ledger"), "r+b") as f:
            f.seek(600)
            f.write(b"\xff" * 8)
        d.start()
        assert rows(d, "orders") == []
        assert "put aside" in d.log()
        assert any("damaged" in name for name in os.listdir(d.path("state", "metric")))
        assert d.counters()["metric_ledgers_damaged"] == 1


@case
def what_cannot_be_kept_is_a_problem_in_status():
    with Daemon() as d:
        os.rmdir(d.path("state", "metric"))
        with Client(d.app_socket).hello("orders", "1") as c:
            s = Segment()
            s.counter("orders_served_total").add(3)
            s.attach(c)
            there(d, "orders_served_total", 3)      # told all the same
            problem = next(p for p in d.status()["problems"] if p["id"] == "metric_ledger")
            assert problem["subject"] == "metrics orders" and "No such file" in problem["lines"][0], problem
            assert d.call("status", {"app": "orders"})["apps"][0]["series"] == 1


main()
