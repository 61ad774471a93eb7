#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each system call that prodd-ship makes on its files fails once, at the k-th time, for every k: each record is in the files
once all the same, and nothing is told to be durable before it is. With every write failing, nothing is told (the control)."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from harness import Skip, case, main
from shipping import Room, Ship, check_history

STRACE = shutil.which("strace")
MOST = int(os.environ.get("PRODD_SHIP_CALLS") or 4)
CALLS = [("write", "ENOSPC"), ("write", "EIO"), ("fdatasync", "EIO"), ("fsync", "EIO"), ("ftruncate", "EIO"),
         ("renameat2", "EIO"), ("openat", "EMFILE"), ("openat", "EIO"), ("pread64", "EIO"), ("flock", "EINTR"),
         ("getdents64", "EIO")]


def strace(call, how, log, more):
    if "address" in os.environ.get("PRODD_SANITIZER", ""):
        raise Skip("LeakSanitizer and strace both want to trace the program")
    if not STRACE:
        raise Skip("strace is missing; install: apt-get install strace")
    return [STRACE, "-f", "-qq", "-o", log, "-e", f"trace={call}{more}", "-e", f"inject={call}:{how}"]


def run(room, call, how, cursors, log="/dev/null", more="", size=15000):
    settings = {"directory": room.log, "rotate_size": size, "compress": "gzip"}
    with open(os.devnull, "wb") as nowhere:
        return Ship(room.spool, settings, cursors, err=nowhere, words=strace(call, how, log, more))


def two_lives(room, call, how):
    """One on an empty directory, one where a torn line waits. False: it failed while the program was being loaded."""
    for count in (300, 500):
        room.spool.add("orders", count - room.spool.last.get("orders", 0))
        try:
            ship = run(room, call, how, {})
        except EOFError:
            return False
        ship.drain()
        assert ship.finish() is None
        check_history(room.records("orders"), count)
        with open(os.path.join(room.log, "orders.jsonl"), "ab") as f:
            f.write(b'{"time":"torn')
    return True


@case
def each_call_fails_once():
    for call, error in CALLS:
        tried, k = 0, 1
        while tried < MOST * (3 if call == "openat" else 1):  # which the loader has some of
            with Room() as room:
                try:
                    tried += two_lives(room, call, f"error={error}:when={k}")
                except AssertionError as why:
                    raise AssertionError(f"{call} {error}, {k}: {why}") from None
            k += 1
            assert k < 100
        print(f"{call} {error}: up to the {k - 1}th", flush=True)


@case
def what_could_not_be_synced_is_written_again():
    """Once the kernel has told of a failure it may take the bytes for clean, and a second sync says nothing."""
    with Room() as room:
        log = os.path.join(room.path, "calls")
        ship = run(room, "fdatasync", "error=EIO:when=2", {}, log, ",ftruncate,write")
        for _ in range(3):
            room.spool.add("orders", 20)
            ship.more()
            ship.drain()
        assert ship.finish() is None
        check_history(room.records("orders"), 60)
        with open(log, encoding="ascii") as f:
            calls = [(m[1], int(m[2])) for m in re.finditer(r"(fdatasync|ftruncate|write)\(.*= (-?\d+)", f.read())]
        failed = calls.index(("fdatasync", -1))
        again = calls[failed + 1:failed + 1 + [name for name, _ in calls[failed + 1:]].index("fdatasync")]
        assert ("ftruncate", 0) in again, calls
        lost = next(size for name, size in reversed(calls[:failed]) if name == "write")
        # What its message on stderr is, is none of these; before the sync that starts anew nothing is written.
        later = [size for name, size in calls[failed + 1:] if name == "write"]
        assert lost in later, calls


@case
def with_every_sync_failing_nothing_is_told():
    with Room() as room:
        room.spool.add("orders", 300)
        ship = run(room, "fdatasync", "error=EIO", {}, size=0)
        ship.wait(lambda: ship.state == "retry", "retry")
        for _ in range(5):
            ship.receive(0.2)
        assert not ship.numbers.get("orders"), ship.numbers
        assert ship.finish(200) is None
        assert not ship.numbers.get("orders"), ship.numbers


main()
