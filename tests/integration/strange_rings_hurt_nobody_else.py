#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Memory that an app shares may be anything, and change while prodd reads it: only that client suffers. Each case ends with
another app's record on its way, and prodd in good health."""
import os
import random
import struct
import threading
import time

from harness import PLAIN, App, Closed, Daemon, Refused, case, main, wait_until
from rings import (ASLEEP, CLOSED, HEAD, RECLAIM, RECORD, RELEASED, RESERVED, SEALS, TAIL, Logger, Ring, attach, dropped,
                   lines, read_lines, record, spool)

SEED = int(os.environ.get("PRODD_SEED", random.randrange(1 << 32)))
F_SEAL_WRITE, F_SEAL_FUTURE_WRITE = 0x8, 0x10


class Witness:
    """Another app: at the end its records must have come, in time."""

    def __init__(self, d):
        self.d, self.app, self.count = d, Logger(d, "witness"), 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.check()
        self.app.close()

    def check(self):
        self.app.log("still here", number=self.count)
        self.count += 1
        rows = lines(self.d, "witness", self.count)
        assert [r["number"] for r in rows] == list(range(self.count))


def refusal(app, ring, **more):
    try:
        attach(app, ring, **more)
    except Refused as refused:
        return refused
    raise AssertionError("the ring was taken")


def raw(size, seals=SEALS, flags=os.MFD_ALLOW_SEALING, fill=None):
    ring = Ring.__new__(Ring)
    ring.uuid, ring.capacity, ring.eventfd = os.urandom(16), max(size - HEAD, 0), None
    ring.fd = os.memfd_create("strange", os.MFD_CLOEXEC | flags)
    os.ftruncate(ring.fd, size)
    if fill:
        os.pwrite(ring.fd, fill, 0)
    if seals and flags & os.MFD_ALLOW_SEALING:
        import fcntl
        fcntl.fcntl(ring.fd, 1033, seals)
    return ring


@case
def memory_that_could_hurt_is_refused():
    """A session brings four descriptors at most, so each has its own."""
    with Daemon() as d, Witness(d):
        def refused_by(ring):
            with App(d, "orders", subscribe=False) as app:
                return refusal(app, ring)

        with App(d, "orders", subscribe=False) as app:
            app.call("log.push", {"records": record("opens the spool")})
        wait_until("its session is closed", lambda: d.counters()["connections_closed"] >= 1)
        before = d.descriptors()
        good = Ring()
        head = bytes(good.view[:HEAD])
        strange = [
            raw(HEAD + (1 << 20), seals=0, fill=head),
            raw(HEAD + (1 << 20), seals=0x1 | 0x2, fill=head),
            raw(HEAD + (1 << 20), seals=SEALS | F_SEAL_FUTURE_WRITE, fill=head),
            raw(HEAD + (1 << 20), seals=SEALS | F_SEAL_WRITE, fill=head),
            raw(0), raw(100), raw(HEAD), raw(HEAD + 65536 - 8), raw(HEAD + (128 << 20)), raw(HEAD + 3 * 65536, fill=head),
            raw(HEAD + (1 << 20)),
            raw(HEAD + (2 << 20), fill=head),
        ]
        for number, ring in enumerate(strange):
            refused = refused_by(ring)
            assert refused.code == "usage", (number, refused)
            os.close(ring.fd)
        other = good.uuid
        good.uuid = os.urandom(16)
        assert "uuid" in refused_by(good).text
        good.uuid = other
        read, write = os.pipe()
        with open("/dev/zero", "r+b", buffering=0) as zero, open(d.path("plain"), "w+b") as plain:
            for fd in (read, zero.fileno(), plain.fileno()):
                good.fd, kept = fd, good.fd
                with App(d, "orders", subscribe=False) as app:      # no memory at all: the session ends
                    app.request("ring.attach", {"ring": good.uuid, "capacity": good.capacity}, fd=fd)
                    assert "of a memfd" in app.expect_end()[-1][2]["text"]
                good.fd = kept
        wait_until("descriptors are closed", lambda: d.descriptors() <= before)
        with App(d, "orders", subscribe=False) as app:
            attach(app, good)
        assert d.counters()["rings_refused"] >= len(strange)


@case
def a_read_only_or_huge_page_descriptor_is_refused():
    with Daemon() as d, Witness(d), App(d, "orders", subscribe=False) as app:
        ring = Ring()
        fd = os.open(f"/proc/self/fd/{ring.fd}", os.O_RDONLY)
        ring.fd, kept = fd, ring.fd
        assert refusal(app, ring).code == "usage"
        ring.fd = kept
        os.close(fd)
        try:
            huge = raw(2 << 20, flags=os.MFD_ALLOW_SEALING | os.MFD_HUGETLB)
        except OSError:
            return
        assert refusal(app, huge).code == "usage"


@case
def a_session_has_four_rings_and_no_more():
    with Daemon() as d, Witness(d), App(d, "orders", subscribe=False) as app:
        rings = [Ring(65536) for _ in range(4)]
        for ring in rings:
            attach(app, ring)
        try:
            attach(app, Ring(65536))
            raise AssertionError("a fifth ring was taken")
        except (Refused, Closed):
            pass


@case
def one_memory_belongs_to_one():
    with Daemon() as d, Witness(d), Logger(d, "orders") as app:
        with App(d, "billing", subscribe=False) as other:
            assert refusal(other, app.ring).code == "busy"
        with App(d, "orders", "second", subscribe=False) as other:
            ring = app.ring
            app.log("one")
            attach(other, ring)  # the same process: its session may have been lost
            ring.write(record("two"))
            assert [r["msg"] for r in lines(d, "orders", 2)] == ["one", "two"]


def scribbles():
    """What one word of the head or a slot becomes."""
    far = 1 << 62
    return {
        "tail odd": lambda r: r.words.__setitem__(TAIL // 8, r.tail + 1),
        "tail far": lambda r: r.words.__setitem__(TAIL // 8, far),
        "tail behind": lambda r: r.words.__setitem__(TAIL // 8, 0),
        "tail over": lambda r: r.words.__setitem__(TAIL // 8, r.released + r.capacity + 8),
        "length huge": lambda r: slot(r, RECORD | 0x7fffffff),
        "length zero": lambda r: slot(r, RECORD),
        "length over the end": lambda r: slot(r, RECORD | (r.capacity // 8 + 8)),
        "kind unknown": lambda r: slot(r, (77 << 32) | 16),
        "padding in the middle": lambda r: slot(r, (2 << 32) | 16),
        "padding reserved": lambda r: slot(r, RESERVED | (2 << 32) | 16),
    }


def slot(ring, word):
    at = ring.reserve(16)
    ring.words[ring.word(at)] = word


@case
def a_ring_with_impossible_words_ends_its_session_alone():
    with Daemon() as d, Witness(d) as witness:
        for number, (name, scribble) in enumerate(scribbles().items()):
            with Logger(d, "orders") as app:
                app.log("before")
                wait_until("it is read", lambda: sum(r["msg"] == "before" for r in read_lines(d, "orders")) == number + 1)
                scribble(app.ring)
                os.write(app.ring.eventfd, b"\1\0\0\0\0\0\0\0")
                try:
                    app.expect_end()
                except TimeoutError:
                    raise AssertionError(f"nothing happened: {name}") from None
            witness.check()
        assert d.counters()["rings_damaged"] == len(scribbles())


@case
def bytes_that_are_no_record_are_counted_and_passed_over():
    dice = random.Random(SEED)
    print(f"  PRODD_SEED={SEED}")
    with Daemon() as d, Witness(d), Logger(d, "orders") as app:
        good = record("good", number=1, text="x" * 30)
        bad = 0
        for _ in range(3000):
            data = bytearray(good)
            for _ in range(dice.randrange(1, 4)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            app.ring.wait_write(bytes(data[:dice.randrange(1, len(data) + 1)]))
            bad += 1
        app.log("end")
        wait_until("the end", lambda: any(r["msg"] == "end" for r in read_lines(d, "orders")))
        shown = spool(d, "orders")
        assert shown["records"] + dropped(d, "orders").get("damaged", 0) == bad + 1, shown


@case
def words_that_change_while_prodd_reads_hurt_nobody():
    dice = random.Random(SEED + 1)
    print(f"  PRODD_SEED={SEED}")
    end = time.monotonic() + (4 if PLAIN else 8)
    words = [TAIL, 256, CLOSED, RELEASED, RECLAIM, ASLEEP, 0, 8, 16, HEAD, HEAD + 8, HEAD + 64]
    with Daemon() as d, Witness(d) as witness:
        while time.monotonic() < end:
            app = Logger(d, "orders", capacity=65536)
            ring, stop = app.ring, threading.Event()

            def scribble():
                while not stop.is_set():
                    at = dice.choice(words) if dice.random() < 0.5 else HEAD + dice.randrange(8192) * 8
                    ring.words[at // 8] = dice.choice([0, 1, 8, ring.tail, ring.tail + 64, RECORD | 40, RESERVED | RECORD | 40,
                                                       dice.randrange(1 << 64)])

            thread = threading.Thread(target=scribble)
            thread.start()
            try:
                for _ in range(200):
                    ring.write(record("n", text="y" * dice.randrange(200)))
                    os.write(ring.eventfd, b"\1\0\0\0\0\0\0\0")
                witness.check()
            finally:
                stop.set()
                thread.join()
            app.close()
        assert d.counters()["rings_damaged"] > 0
        assert d.counters()["loop_turns_long"] <= 3 or not PLAIN, d.counters()


@case
def an_eventfd_that_its_client_spoils_blocks_nobody():
    import fcntl
    with Daemon() as d, Witness(d) as witness, Logger(d, "orders") as app:
        flags = fcntl.fcntl(app.ring.eventfd, fcntl.F_GETFL)
        fcntl.fcntl(app.ring.eventfd, fcntl.F_SETFL, flags & ~os.O_NONBLOCK)
        os.write(app.ring.eventfd, struct.pack("=Q", 2 ** 64 - 2))
        spoilt, app.ring.eventfd = app.ring.eventfd, None  # a write would block whoever writes
        app.ring.write(record("silent"))
        witness.check()
        assert [r["msg"] for r in lines(d, "orders", 1)] == ["silent"]
        os.close(spoilt)


@case
def a_uid_has_so_much_memory_and_no_more():
    with Daemon() as d, Witness(d):
        apps, taken = [], 0
        try:
            for _ in range(20):
                app = Logger(d, "orders", capacity=64 << 20)
                apps.append(app)
                taken += 1
        except Refused as refused:
            assert refused.code == "over_limit", refused
        assert 8 <= taken <= 16, taken
        for app in apps:
            app.ring.mark_closed()
            app.close()


main()
