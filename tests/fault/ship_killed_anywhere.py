#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""prodd-ship is killed at random moments, and sometimes the host goes down with it and takes what was not synced: after all
that each record is in the files exactly once, in order."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from harness import case, main
from shipping import Room, check_control, check_history

SEED = int(os.environ.get("PRODD_SEED") or random.SystemRandom().randrange(1 << 32))
KILLS = int(os.environ.get("PRODD_SHIP_KILLS") or 100)
APPS = ["orders", "billing", "legacy~alice"]


def end_of_line(path, seq):
    """Where the line of the last number up to `seq` ends."""
    position = end = 0
    with open(path, "rb") as f:
        for line in f:
            position += len(line)
            if b'"seq":' in line and line.endswith(b"\n") and int(line.split(b'"seq":')[1].split(b",")[0]) <= seq:
                end = position
    return end


def host_crash(dice, room, cursors):
    """What is behind the last durable line suffers: cut anywhere, or zeros from anywhere to anywhere."""
    for app in APPS:
        path = os.path.join(room.log, app + ".jsonl")
        if not os.path.exists(path) or dice.random() < 0.3:
            continue
        size, safe = os.path.getsize(path), end_of_line(path, cursors.get(app, 0))
        if safe >= size:
            continue
        if dice.random() < 0.5:
            os.truncate(path, dice.randrange(safe, size + 1))
        else:
            start = dice.randrange(safe, size)
            with open(path, "r+b") as f:
                f.seek(start)
                f.write(bytes(dice.randrange(1, size - start + 1)))


def one_life(dice, room, ship, counts):
    """Records come, files are rotated, and then it is killed."""
    for _ in range(dice.randrange(1, 5)):
        app = dice.choice(APPS)
        counts[app] += (n := dice.choice([1, 3, 50, 400]))
        room.spool.add(app, n, dice.choice([0, 20, 300]))
        ship.more(app)
        if dice.random() < 0.2:
            ship.send(2, "ship.rotate", {})
        ship.receive(dice.random() * 0.008)
    end = time.monotonic() + dice.random() * 0.02
    while ship.receive(max(0, end - time.monotonic())):
        pass
    ship.kill()


@case
def each_record_is_there_once_after_a_hundred_kills():
    print(f"PRODD_SEED={SEED}", flush=True)
    dice = random.Random(SEED)
    settings = {"rotate_size": 30000, "compress": "gzip"}
    with Room() as room:
        stored, counts, crashes = {}, dict.fromkeys(APPS, 0), 0
        for _ in range(KILLS):
            ship = room.ship(stored, **settings)
            one_life(dice, room, ship, counts)
            if dice.random() < 0.7:  # else prodd had not yet stored what it was told
                stored = ship.numbers
            # What was told is on disk, stored or not. No cursor at all: a lost one.
            if dice.random() < 0.4:
                crashes += 1
                host_crash(dice, room, ship.numbers)
        ship = room.ship(stored, **settings)
        ship.drain()
        assert ship.finish() is None
        for app in APPS:
            found = room.records(app)
            check_history(found, counts[app])
            check_control(found, counts[app])
        print(f"{KILLS} kills, {crashes} of the host, {counts}, {len(room.files('orders'))} files of orders")


main()
