#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counters stay when their process is killed, when prodd is, and when either comes back; gauges go with their process."""
import os
import signal
import struct

from harness import Child, Client, Daemon, Refused, case, main, wait_until
from segments import EACH, MAX, MIN, SUM, Segment, rows, shown, value


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


@case
def a_killed_daemon_has_counted():
    with Daemon() as d:
        with Child(worker, d.app_socket, "1", 5) as first:
            first.line()
            there(d, "orders_served_total", 5)
            d.kill()
            d.start()
            assert value(d, "orders", "orders_served_total") == 5     # not yet shared again
        d.kill()
        d.start()
        there(d, "orders_served_total", 5)
        d.restart()
        assert value(d, "orders", "orders_served_total") == 5


main()
