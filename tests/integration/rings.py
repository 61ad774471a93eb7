# SPDX-License-Identifier: Apache-2.0
"""Rings of log records as an app makes them (proto/shm/ring.h), and what comes out in the files, for tests.

    with Daemon() as d, Logger(d, "orders") as app:
        app.log("order served", order_id=42)
        lines(d, "orders", 1)
"""
import fcntl
import json
import mmap
import os
import select
import time

import msgpack

from peers import App
from waiting import DEADLINE, wait_until

HEAD, TAIL, DROPPED, CLOSED, RELEASED, RECLAIM, ASLEEP = 4096, 128, 256, 320, 384, 392, 512
RESERVED, RECORD, PADDING = 1 << 63, 1 << 32, 2 << 32
MAGIC = int.from_bytes(b"PRODDRNG", "little")
F_ADD_SEALS, SEALS = 1033, 0x1 | 0x2 | 0x4  # SEAL, SHRINK, GROW
LEVELS = ["trace", "debug", "info", "warn", "error"]


def record(message, level="info", target="main", when=None, thread=None, source=None, **fields):
    """The bytes of a record."""
    values = [int(when if when is not None else time.time_ns()), LEVELS.index(level), target, message, thread, source,
              None, None]
    for key, value in fields.items():
        values += [key, value]
    return msgpack.packb(values)


class Ring:
    """A ring with one producer. `words` and `halves` are its memory as numbers of 8 and 4 bytes."""

    def __init__(self, capacity=1 << 20, seals=SEALS, uuid=None):
        self.capacity, self.uuid = capacity, uuid or os.urandom(16)
        self.fd = os.memfd_create("ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, HEAD + capacity)
        self.memory = mmap.mmap(self.fd, HEAD + capacity)
        self.view = memoryview(self.memory)
        self.words, self.halves = self.view.cast("Q"), self.view.cast("I")
        self.words[0], self.halves[2], self.halves[3], self.words[2] = MAGIC, 1, HEAD, capacity
        self.view[24:40] = self.uuid
        self.words[5], self.words[6] = os.getpid(), time.time_ns()
        if seals:
            fcntl.fcntl(self.fd, F_ADD_SEALS, seals)
        self.tail = 0
        self.eventfd = None

    def close(self):
        """Unmaps and closes; the ring is not marked as closed."""
        for view in (self.words, self.halves, self.view):
            view.release()
        self.memory.close()
        os.close(self.fd)

    def word(self, position):
        """Index in `words` of the slot at a position."""
        return (HEAD + position % self.capacity) // 8

    @property
    def released(self):
        return self.words[RELEASED // 8]

    def reserve(self, size):
        """Reserves and writes the reserved word; the slot's position, or None when it is full."""
        need = (8 + size + 7) & ~7
        left = self.capacity - self.tail % self.capacity
        padding = left if left < need else 0
        if padding + need > self.capacity - (self.tail - self.released):
            return None
        at = self.tail + padding
        self.tail = self.words[TAIL // 8] = at + need
        self.words[self.word(at)] = RESERVED | RECORD | size
        if padding:
            self.words[self.word(at - padding)] = PADDING | padding - 8
        return at

    def publish(self, at, size):
        self.words[self.word(at)] = RECORD | size
        if self.eventfd is not None and self.halves[ASLEEP // 4]:
            self.halves[ASLEEP // 4] = 0
            os.write(self.eventfd, b"\1\0\0\0\0\0\0\0")

    def write(self, data):
        """The end of the record's slot, or None when the ring is full."""
        at = self.reserve(len(data))
        if at is None:
            return None
        place = HEAD + at % self.capacity + 8
        self.view[place:place + len(data)] = data
        self.publish(at, len(data))
        return self.tail

    def wait_write(self, data, deadline=None):
        end = time.monotonic() + (deadline or DEADLINE)
        while (position := self.write(data)) is None:
            assert time.monotonic() < end, "the ring stays full"
            select.select([], [], [], 0.0005)
        return position

    def drop(self, count=1, reason=0):
        self.words[DROPPED // 8 + reason] += count

    def mark_closed(self):
        self.halves[CLOSED // 4] = 1


def attach(client, ring, **more):
    """Sends ring.attach with the ring's memfd; returns the result, and the eventfd is the ring's."""
    result = client.call("ring.attach", {"ring": ring.uuid, "capacity": ring.capacity, **more}, fd=ring.fd)
    eventfd = client.descriptors.pop(0)
    if ring.eventfd is None:
        ring.eventfd = eventfd
    else:  # the number stays: another thread may be about to write to it
        os.dup2(eventfd, ring.eventfd, inheritable=False)
        os.close(eventfd)
    return result


class Logger(App):
    """An instance of an app with a ring."""

    def __init__(self, daemon, app, instance=None, capacity=1 << 20, ring=None, **more):
        super().__init__(daemon, app, instance, subscribe=False, **more)
        self.ring = ring or Ring(capacity)
        self.attached = attach(self, self.ring)

    def log(self, message, **more):
        return self.ring.wait_write(record(message, **more))

    def sync(self, end=None, timeout=None):
        """log.sync up to `end` (default: all)."""
        return self.call("log.sync", {"ring": self.ring.uuid, "end": self.ring.tail if end is None else end}, timeout)


# ---- what comes out

def file_of(daemon, app):
    return daemon.path("log", f"{app}.jsonl")


def read_lines(daemon, app):
    """All whole lines of the app's file, as dicts."""
    try:
        with open(file_of(daemon, app), "rb") as f:
            data = f.read()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in data[:data.rfind(b"\n") + 1].splitlines()]


def count_lines(daemon, app):
    try:
        with open(file_of(daemon, app), "rb") as f:
            return f.read().count(b"\n")
    except FileNotFoundError:
        return 0


def lines(daemon, app, count, deadline=None):
    """Waits for so many lines, and returns all."""
    wait_until(f"{count} lines of {app}", lambda: count_lines(daemon, app) >= count, deadline)
    return read_lines(daemon, app)


def of_app(rows):
    """Without prodd's own records about drops."""
    return [row for row in rows if row["target"] != "prodd"]


def spool(daemon, app):
    """What spool.show says of an app: {} when nothing."""
    shown = daemon.call("spool.show", {"app": app})
    return next(iter(shown.get("spools", [])), {})


def dropped(daemon, app):
    """{reason: count}"""
    return {row["reason"]: row["count"] for row in spool(daemon, app).get("dropped", [])}


def sinks(daemon):
    return {row["sink"]: row for row in daemon.call("spool.show", {}).get("sinks", [])}
