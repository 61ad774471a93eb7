#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Beside an app that floods, the record of a quiet one is in its file soon."""
import os
import time

from harness import PLAIN, case, main, percentile
from shipping import DEADLINE, Room, check_history

BOUND_S = 0.1


def flood_of(room, ship, backlog):
    """The flood: a backlog, and more all the time."""
    room.spool.add("noisy", backlog, 200)
    ship.more("noisy")


@case
def a_quiet_app_beside_a_flood():
    with Room() as room:
        room.spool.add("quiet", 1)
        ship = room.ship(rotate_size=20 << 20)
        ship.drain()
        path = os.path.join(room.log, "quiet.jsonl")
        times, total, size = [], 0, os.path.getsize(path)
        for _ in range(40):
            flood_of(room, ship, 5000)
            total += 5000
            room.spool.add("quiet", 1)
            start = time.monotonic()
            ship.more("quiet")
            while os.path.getsize(path) == size:
                assert time.monotonic() < start + DEADLINE
            times.append(time.monotonic() - start)
            size = os.path.getsize(path)
        ship.drain()
        assert ship.finish() is None
        check_history(room.records("noisy"), total)
        check_history(room.records("quiet"), 41)
        print(f"quiet: p50 {percentile(times, 0.5) * 1000:.1f} ms, most {max(times) * 1000:.1f} ms")
        assert not PLAIN or percentile(times, 0.99) <= BOUND_S, f"{max(times):.3f} s"


@case
def many_that_flood_have_equal_turns():
    with Room() as room:
        apps = [f"app{n}" for n in range(20)]
        for app in apps:
            room.spool.add(app, 3000, 100)
        ship = room.ship()
        ship.wait(lambda: ship.numbers, "the first report")
        ship.drain()
        assert ship.finish() is None
        for app in apps:
            check_history(room.records(app), 3000)
        shares = [row.get("shipped", 0) for row in ship.notes[0][1]["rows"]]
        assert min(shares) * 4 >= max(shares) or len(shares) == 1, shares


main()
