#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files are rotated by size, age and on demand, compressed beside the stream, and kept as many as is wished."""
import os
import re
import shutil
import subprocess

from harness import Skip, case, main
from shipping import ROTATED, Room, check_history, content, wait_until

ZSTD = "zstd=yes" in subprocess.run([os.path.join(os.environ.get("builddir", "."), "prodd-ship"), "--version"],
                                    capture_output=True, text=True, check=True).stdout


def rotated(room, app="orders"):
    return [os.path.basename(path) for path in room.files(app) if ROTATED.match(os.path.basename(path))]


def all_are(room, suffix):
    return all(name.endswith(suffix) for name in rotated(room)) and not any(".tmp" in n for n in os.listdir(room.log))


def feed(room, ship, count, size=20):
    room.spool.add("orders", count, size)
    ship.more()
    ship.drain()


@case
def no_file_grows_past_its_size():
    with Room() as room:
        ship = room.ship(rotate_size=20000)
        feed(room, ship, 1000)
        feed(room, ship, 1000)
        assert ship.finish() is None
        sizes = [os.path.getsize(path) for path in room.files("orders")]
        assert len(sizes) > 10 and max(sizes) <= 20000 + 400, sizes
        check_history(room.records("orders"), 2000)
        for name in rotated(room):
            assert re.fullmatch(r"orders\.jsonl\.\d{8}T\d{6}Z(\.[1-9]\d*)?", name), name


@case
def on_demand_also_when_nothing_was_shipped_yet():
    with Room() as room:
        ship = room.ship()
        feed(room, ship, 10)
        ship.send(2, "ship.rotate", {})
        ship.send(2, "ship.rotate", {})  # an empty one is not rotated
        feed(room, ship, 10)
        assert len(rotated(room)) == 1
        assert ship.finish() is None
        ship = room.ship(ship.numbers)
        ship.send(2, "ship.rotate", {})
        wait_until("rotated", lambda: len(rotated(room)) == 2)
        assert ship.finish() is None
        check_history(room.records("orders"), 20)
        assert not os.path.exists(os.path.join(room.log, "orders.jsonl"))


@case
def by_age_also_when_nothing_comes():
    with Room() as room:
        ship = room.ship(rotate_age_s=1)
        feed(room, ship, 10)
        wait_until("rotated", lambda: len(rotated(room)) == 1)
        feed(room, ship, 10)
        wait_until("rotated again", lambda: len(rotated(room)) == 2)
        assert ship.finish() is None
        check_history(room.records("orders"), 20)


def compresses(compress, suffix, magic):
    with Room() as room:
        ship = room.ship(rotate_size=20000, compress=compress)
        feed(room, ship, 1000)
        wait_until("compressed", lambda: len(rotated(room)) > 5 and all_are(room, suffix))
        assert ship.finish() is None
        check_history(room.records("orders"), 1000)
        for path in room.files("orders")[:-1]:
            assert os.stat(path).st_mode & 0o7777 == 0o640
            with open(path, "rb") as f:
                assert f.read(len(magic)) == magic
        # The last number is read from the compressed file when no other is there.
        ship = room.ship(ship.numbers, compress=compress)
        ship.send(2, "ship.rotate", {})
        wait_until("compressed", lambda: all_are(room, suffix) and not os.path.exists(os.path.join(room.log, "orders.jsonl")))
        assert ship.finish() is None
        room.spool.add("orders", 10)
        ship = room.ship({"orders": 500}, compress=compress)  # a cursor that is behind
        ship.drain()
        assert ship.finish() is None
        check_history(room.records("orders"), 1010)


@case
def gzip_beside_the_stream():
    compresses("gzip", ".gz", b"\x1f\x8b")


@case
def zstd_beside_the_stream():
    if not ZSTD or not shutil.which("zstd"):
        raise Skip("needs libzstd, and zstd to read it")
    compresses("zstd", ".zst", b"\x50\x2a\x4d\x18")


@case
def what_a_crash_left_is_mended():
    with Room() as room:
        ship = room.ship(rotate_size=20000)
        feed(room, ship, 500)
        assert ship.finish() is None
        first, second = rotated(room)[:2]
        good = content(os.path.join(room.log, second))
        with open(os.path.join(room.log, first + ".gz.tmp"), "wb") as f:
            f.write(b"\x1f\x8b half")
        subprocess.run(["gzip", "-k", os.path.join(room.log, second)], check=True)
        with open(os.path.join(room.log, "orders.jsonl.20260101T000000Z.old"), "wb") as f:
            f.write(b"mine")
        room.spool.add("orders", 1)
        ship = room.ship(ship.numbers, rotate_size=20000, compress="gzip")
        ship.drain()
        wait_until("compressed", lambda: all_are(room, ".gz"))
        assert ship.finish() is None
        check_history(room.records("orders"), 501)
        assert content(os.path.join(room.log, second + ".gz")) == good
        assert os.path.exists(os.path.join(room.log, "orders.jsonl.20260101T000000Z.old"))


@case
def so_many_are_kept():
    for compress in ("none", "gzip"):
        with Room() as room:
            ship = room.ship(rotate_size=10000, keep_count=3, compress=compress)
            feed(room, ship, 1000)
            wait_until("three are left", lambda: len(rotated(room)) == 3)
            assert ship.finish() is None
            left = [n for _, n in room.records("orders")]
            assert left == [*range(left[0], 1001)] and left[0] > 500


@case
def so_many_bytes_are_kept():
    with Room() as room:
        ship = room.ship(rotate_size=10000, keep_bytes=35000)
        feed(room, ship, 1000)
        wait_until("few are left", lambda: sum(os.path.getsize(p) for p in room.files("orders")[:-1]) <= 35000)
        assert ship.finish() is None
        left = [n for _, n in room.records("orders")]
        assert len(rotated(room)) == 3 and left == [*range(left[0], 1001)], rotated(room)


@case
def the_newest_stays_whatever_is_wished():
    with Room() as room:
        ship = room.ship(keep_bytes=1)
        feed(room, ship, 100)
        ship.send(2, "ship.rotate", {})
        wait_until("rotated", lambda: len(rotated(room)) == 1)
        assert ship.finish() is None
        room.spool.add("orders", 10)
        ship = room.ship({"orders": 50}, keep_bytes=1)
        ship.drain()
        assert ship.finish() is None
        check_history(room.records("orders"), 110)


@case
def a_clock_that_was_set_back_does_not_change_the_order():
    with Room() as room:
        os.mkdir(room.log)
        ship = room.ship()
        feed(room, ship, 10)
        os.rename(os.path.join(room.log, "orders.jsonl"), os.path.join(room.log, "orders.jsonl.29990101T000000Z.9"))
        feed(room, ship, 10)
        ship.send(2, "ship.rotate", {})
        feed(room, ship, 10)
        assert rotated(room) == ["orders.jsonl.29990101T000000Z.9", "orders.jsonl.29990101T000000Z.10"], rotated(room)
        check_history(room.records("orders"), 30)
        assert ship.finish() is None


main()
