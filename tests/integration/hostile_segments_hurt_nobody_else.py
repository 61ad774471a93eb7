#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Segments that lie, and those that are written to while prodd reads them: only their own app suffers."""
import fcntl
import os
import random
import struct
import time

from harness import Child, Client, Closed, Daemon, Refused, case, main, need_root, wait_until
from hostile import GROWTH_MAX, Attack
from segments import COUNTER, GAUGE, HEAD, SEALS, USED, Segment, rows, shown, text, value


F_SEAL_FUTURE_WRITE = 0x0010


def refusal(d, segment, app="evil", **more):
    """Of a session of its own: it may send four descriptors in its whole life."""
    try:
        with Client(d if isinstance(d, str) else d.app_socket) as c:
            segment.attach(c.hello(app, "1"), **more)
    except Refused as error:
        return error
    raise AssertionError("it was taken")


def is_not_taken(d, segment, fd):
    """What is no memfd: an error, or the end of the session."""
    try:
        assert refusal(d, segment, fd=fd).code in ("usage", "protocol")
    except Closed:
        pass


class Victim:
    """An app that counts beside the hostile one, and must be told right."""

    def __init__(self, d):
        self.d = d
        self.segment = Segment()
        self.served = self.segment.counter("served_total")
        self.count = 0
        self.connect()

    def connect(self):
        self.client = Client(self.d.app_socket).hello("orders", "1")
        self.segment.attach(self.client)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.check()
        self.client.close()

    def check(self):
        self.served.add(1)
        self.count += 1
        wait_until("the other app is told right", lambda: value(self.d, "orders", "served_total") == self.count)


@case
def what_is_no_segment_is_refused():
    with Daemon() as d, Victim(d):
        before = d.descriptors()
        s = Segment()
        for seals in (0, fcntl.F_SEAL_SHRINK, SEALS | fcntl.F_SEAL_WRITE, SEALS | F_SEAL_FUTURE_WRITE):
            other = os.memfd_create("sealed otherwise", os.MFD_ALLOW_SEALING)
            os.write(other, s.memory)
            fcntl.fcntl(other, fcntl.F_ADD_SEALS, seals)
            assert refusal(d, s, fd=other).code == "usage"
            os.close(other)
        assert "uuid" in refusal(d, s, uuid=os.urandom(16)).text
        assert "uuid" in refusal(d, s, uuid=b"short").text
        assert "size" in refusal(d, s, size=s.size - 4096).text
        null = os.open("/dev/null", os.O_RDWR)
        is_not_taken(d, s, null)
        pipe = os.pipe()
        is_not_taken(d, s, pipe[0])
        small = os.memfd_create("small", os.MFD_ALLOW_SEALING)
        os.ftruncate(small, 100)
        fcntl.fcntl(small, fcntl.F_ADD_SEALS, SEALS)
        assert refusal(d, s, fd=small).code in ("usage", "too_large", "corrupt")
        for offset in range(0, 80, 4):
            s = Segment()
            s.memory[offset:offset + 4] = b"\xff\xff\xff\x7f"
            uuid = s.memory[48:64]
            if 48 <= offset < 64 or offset >= 64:    # the uuid, the pid, the time: anything may stand there
                continue
            assert refusal(d, s, uuid=uuid).code in ("corrupt", "usage"), offset
        with Client(d.app_socket).hello("evil", "1") as c:
            error = c.refusal("segment.attach", {"segment": bytes(16), "size": 4096})
            assert "descriptor" in error.text
        wait_until("all are closed", lambda: d.descriptors() == before)
        assert d.counters()["metric_segments_refused"] >= 20


@case
def memory_is_shared_by_one_process_as_one_thing():
    with Daemon() as d, Victim(d) as victim, Client(d.app_socket).hello("evil", "1") as c:
        s = Segment()
        served = s.counter("evil_total")
        s.attach(c)
        s.attach(c)                     # again: as after a lost connection
        served.add(4)
        wait_until("it counts once", lambda: value(d, "evil", "evil_total") == 4)
        assert "already" in refusal(d, victim.segment).text

        def other(out, path):
            out.write(refusal(path, s).text.encode() + b"\n")

        with Child(other, d.app_socket) as child:
            assert b"process" in child.line()
        twin = Segment(uuid=s.uuid)
        assert "another segment has that uuid" in refusal(d, twin).text
        assert value(d, "evil", "evil_total") == 4


def entry(kind, type, labels, family, cell, count, rest, mode=0, size=None):
    body = rest + bytes(-len(rest) % 8)
    return struct.pack("<IBBBBIIII", size or 24 + len(body), kind, type, mode, labels, family, cell, count, 0) + body


FAMILY = entry(1, COUNTER, 0, 1, 0, 0, text("late_total") + text("") + text(""))
DAMAGE = {
    "an unknown kind": entry(3, COUNTER, 0, 0, 0, 0, b""),
    "a series of no family": entry(2, COUNTER, 0, 7, 1, 1, b""),
    "cells that another has": FAMILY + entry(2, COUNTER, 0, 1, 0, 1, b""),
    "cells beyond all": FAMILY + entry(2, COUNTER, 0, 1, 4000000, 1, b""),
    "too many cells": FAMILY + entry(2, COUNTER, 0, 1, 1, 60, b""),
    "a size of 0": entry(1, COUNTER, 0, 1, 0, 0, text("late_total"), size=0)[:24].replace(b"\x18", b"\x00", 1),
    "a size beyond the directory": entry(1, COUNTER, 0, 1, 0, 0, text("late_total"), size=4096),
    "a name that may not be": entry(1, COUNTER, 0, 1, 0, 0, text("late total") + text("") + text("")),
    "a text beyond its entry": entry(1, COUNTER, 0, 1, 0, 0, struct.pack("<H", 60000)),
    "an unknown type": entry(1, 9, 0, 1, 0, 0, text("late_total") + text("") + text("")),
    "a family out of order": entry(1, COUNTER, 0, 5, 0, 0, text("late_total") + text("") + text("")),
}


@case
def a_damaged_directory_is_read_no_further():
    for name, bytes_ in DAMAGE.items():
        with Daemon() as d, Victim(d), Client(d.app_socket).hello("evil", "1") as c:
            s = Segment()
            good = s.counter("good_total")
            s.attach(c)
            good.add(3)
            wait_until("it is read", lambda: value(d, "evil", "good_total") == 3)
            s.publish(bytes_)
            good.add(1)
            counts = {"metric_directories_damaged": 1, "metric_entries_refused": 1}
            wait_until(name, lambda: rows(d, "evil") and any(d.counters()[k] >= n for k, n in counts.items()))
            assert value(d, "evil", "good_total") == 4, name
            assert set(n for n, _ in shown(d, "evil")) <= {"good_total", "late_total"}, (name, shown(d, "evil"))


def scribble(out, path, seed):
    """Writes anything anywhere in its own segments, for as long as it lives."""
    rng = random.Random(seed)
    clients = []
    for number in range(4):
        c = Client(path).hello("evil", f"{os.getpid()}-{number}")
        s = Segment(cells=512, shards=4)
        family = s.family(COUNTER, "evil_total", labels=("a",))
        gauge = s.family(GAUGE, "evil", labels=("a",), mode=rng.randrange(5))
        for i in range(20):
            s.series(family, (str(i),))
            s.series(gauge, (str(i),))
        s.attach(c)
        clients.append((c, s))
    out.write(b"ready\n")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        _, s = rng.choice(clients)
        at = rng.choice((rng.randrange(200), HEAD + rng.randrange(4096), rng.randrange(s.size // 8) * 8 % (s.size - 8), USED))
        s.memory[at:at + 8] = rng.choice((rng.randbytes(8), bytes(8), b"\xff" * 8, struct.pack("<d", float("nan")),
                                          struct.pack("<Q", rng.randrange(65536) // 8 * 8)))


@case
def scribbling_into_ones_segment_hurts_nobody_else():
    seed = int(os.environ.get("PRODD_TEST_SEED", random.randrange(1 << 30)))
    print(f"PRODD_TEST_SEED={seed}")
    with Daemon() as d, Victim(d) as victim:
        children = [Child(scribble, d.app_socket, seed + i) for i in range(2)]
        for child in children:
            child.line()
        for _ in range(60):
            victim.check()
            rows(d)
        for child in children:
            child.kill()
        victim.check()
        assert value(d, "evil", "evil") is None
        d.restart()
        assert value(d, "orders", "served_total") == victim.count
        victim.connect()


def flood_series(out, path):
    """As many names and series as it can, under as many apps as it can."""
    kept = []
    for number in range(60):
        try:
            c = Client(path).hello(f"evil{number}", "1")
            s = Segment(directory=2 * 1024 * 1024, cells=65536, shards=1)
            family = s.family(COUNTER, "evil_total", labels=tuple(f"l{i}" for i in range(8)))
            while s.used < s.directory - 4096 and s.next_cell < 60000:
                s.series(family, tuple(f"{s.next_cell:0250}" for _ in range(8)))
            s.attach(c)
            kept.append((c, s))
        except Refused:
            pass
    out.write(f"{len(kept)}\n".encode())
    time.sleep(60)


@case
def a_flood_of_series_stays_within_its_bounds():
    need_root()
    with Daemon() as d:
        # What it has counted stays until the next boot.
        with Attack(d, flood_series, seconds=2.0, kept=GROWTH_MAX) as attack:
            assert attack.counted("metric_segments_refused") > 0 or attack.counted("metric_series_overflowed") > 0


main()
