# SPDX-License-Identifier: Apache-2.0
"""A prodd-ship as prodd starts it, a writer of spools beside it, and a checker of what came out."""
import fcntl
import gzip
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import msgpack

from waiting import DEADLINE, wait_until

BUILD = os.environ.get("builddir", ".")
SHIP = os.path.join(os.path.abspath(os.environ.get("PRODD_LIBEXEC", BUILD)), "prodd-ship")
PRODUCER = os.path.join(BUILD, "tests/ship/producer")
ROTATED = re.compile(r"^(.*)\.(\d{8}T\d{6}Z)(?:\.(\d+))?(\.gz|\.zst)?$")


class Spool:
    """Spools in DIRECTORY, written by the producer."""

    def __init__(self, directory):
        self.path = directory
        os.makedirs(directory, exist_ok=True)
        self.process = subprocess.Popen([PRODUCER, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.last = {}

    def tell(self, verb, app, *words):
        self.process.stdin.write(" ".join(map(str, (verb, app, *words))) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the producer ended"
        self.last[app] = int(answer)
        return self.last[app]

    def add(self, app, count, size=20, level=2):
        return self.tell("add", app, count, size, level)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(DEADLINE) == 0


class Ship:
    """A prodd-ship; prodd's end of its socket. `numbers` is what it says to have, durably."""

    def __init__(self, spool, settings, cursors=None, start=True, out=subprocess.DEVNULL, before=None, err=None, words=()):
        self.spool, self.settings = spool, {"sink": "local", "type": "file", **settings}
        self.numbers = dict(cursors or {})
        self.notes, self.buffer, self.sent, self.errors = [], b"", 0, {}
        ours, theirs = socket.socketpair()
        self.socket = ours
        directory = os.open(spool.path, os.O_RDONLY)

        # No other descriptor is open in the child at 3 or 4 that is needed after this.
        def prepare():
            a = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD, 20)
            b = fcntl.fcntl(directory, fcntl.F_DUPFD, 20)
            os.dup2(a, 3)
            os.dup2(b, 4)
            if before:
                before()
            os.closerange(5, 64)

        self.process = subprocess.Popen([*words, SHIP], stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=prepare,
                                        close_fds=False)
        theirs.close()
        os.close(directory)
        if start:
            assert self.start() is None, self.errors

    def send(self, *message):
        data = msgpack.packb(list(message))
        self.socket.sendall(struct.pack(">I", len(data)) + data)

    def call(self, method, params, timeout=DEADLINE):
        """Returns the error, or None."""
        self.sent += 1
        self.send(0, self.sent, method, params)
        end = time.monotonic() + timeout
        while True:
            message = self.receive(end - time.monotonic())
            assert message is not None, f"{method} is not answered"
            if message[0] == 1:
                assert message[1] == self.sent
                return message[2]

    def start(self):
        cursors = [{"app": app, "number": self.numbers.get(app, 0), "last": last} for app, last in self.spool.last.items()]
        return self.call("ship.start", {**self.settings, "cursors": cursors})

    def more(self, *apps):
        self.send(2, "ship.more", {"cursors": [{"app": app, "number": self.numbers.get(app, 0), "last": self.spool.last[app]}
                                               for app in apps or self.spool.last]})

    def receive(self, timeout):
        """The next message, or None."""
        end = time.monotonic() + timeout
        while True:
            if len(self.buffer) >= 4:
                size = struct.unpack(">I", self.buffer[:4])[0]
                if len(self.buffer) >= 4 + size:
                    message = msgpack.unpackb(self.buffer[4:4 + size])
                    self.buffer = self.buffer[4 + size:]
                    self.look(message)
                    return message
            if not select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
                return None
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise EOFError
            self.buffer += data

    def look(self, message):
        if message[0] != 2:
            return
        assert message[1] == "ship.progress", message
        self.notes.append((time.monotonic(), message[2]))
        for row in message[2].get("rows", []):
            assert row.get("number", 0) >= self.numbers.get(row["app"], 0), "a cursor went back"
            self.numbers[row["app"]] = row.get("number", 0)

    def row(self, app):
        """What was last said about it."""
        for _, note in reversed(self.notes):
            for row in note.get("rows", []):
                if row["app"] == app:
                    return row
        return {}

    @property
    def state(self):
        return self.notes[-1][1]["state"] if self.notes else None

    def wait(self, condition, what, timeout=DEADLINE):
        end = time.monotonic() + timeout
        while not condition():
            assert self.receive(max(0, end - time.monotonic())) is not None or condition(), \
                f"not in time: {what}; {self.numbers} of {self.spool.last}; {self.notes[-1:]}"

    def drain(self, *apps, timeout=DEADLINE):
        """Waits until all is said to be durable."""
        for app in apps or list(self.spool.last):
            self.wait(lambda: self.numbers.get(app, 0) >= self.spool.last[app], f"all of {app}", timeout)

    def finish(self, within_ms=10000):
        error = self.call("ship.finish", {"within_ms": within_ms}, DEADLINE + within_ms / 1000)
        status = self.process.wait(DEADLINE)
        self.socket.close()
        assert status == 0, status
        return error

    def kill(self):
        """SIGKILL; what it said before counts, as far as `numbers` took it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.socket.close()


class Room:
    """A directory with a spool and one for the lines."""

    def __init__(self, path=None):
        self.path = path or tempfile.mkdtemp(prefix="ship-")
        self.log = os.path.join(self.path, "log")
        self.spool = Spool(os.path.join(self.path, "spool"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.spool.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def ship(self, cursors=None, **settings):
        return Ship(self.spool, {"directory": self.log, **settings}, cursors)

    def files(self, app, suffix=".jsonl"):
        """Its files, oldest first: rotated ones in order, then the current one. A file beside its compressed self is one."""
        names = os.listdir(self.log) if os.path.isdir(self.log) else []
        found = {}
        for name in sorted(names):
            m = ROTATED.match(name)
            if m and m[1] == app + suffix:
                found[m[2], int(m[3] or 0)] = name
        current = [app + suffix] if app + suffix in names else []
        return [os.path.join(self.log, name) for _, name in sorted(found.items())] + current_paths(self.log, current)

    def text(self, app, suffix=".jsonl"):
        return b"".join(content(path) for path in self.files(app, suffix))

    def records(self, app):
        """[(seq, N of "record N of APP")]; each line must be whole."""
        text = self.text(app)
        assert text.endswith(b"\n") or not text, "the last line is torn"
        found = []
        for line in text.splitlines():
            record = json.loads(line)
            assert record["app"] == app, line
            found.append((record["seq"], int(re.fullmatch(r"record (\d+) of .*", record["msg"])[1])))
        return found


def current_paths(directory, names):
    return [os.path.join(directory, name) for name in names]


def content(path):
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
    with (gzip.open(path) if path.endswith(".gz") else open(path, "rb")) as f:
        return f.read()


def check_history(found, count):
    """Exactly the records 1 to `count`, in order, with ascending numbers: raises AssertionError."""
    numbers = [n for _, n in found]
    doubled = [n for a, n in zip(numbers, numbers[1:]) if n <= a]
    missing = sorted(set(range(1, count + 1)) - set(numbers))
    assert not doubled, f"twice or out of order: {doubled[:5]}"
    assert not missing, f"missing: {missing[:5]}"
    assert len(numbers) == count, f"{len(numbers)} lines instead of {count}"
    seqs = [s for s, _ in found]
    assert all(a < b for a, b in zip(seqs, seqs[1:])), "seq does not ascend"


def check_control(found, count):
    """The checker itself: a history with one line doubled, missing, or in another place is found out."""
    assert len(found) > 2
    middle = len(found) // 2
    for doctored in (found[:middle] + found[middle - 1:], found[:middle] + found[middle + 1:], found[1:], found[:-1],
                     found[:middle] + [found[middle + 1], found[middle]] + found[middle + 2:]):
        try:
            check_history(doctored, count)
        except AssertionError:
            continue
        raise RuntimeError("a doctored history passes")


__all__ = ["DEADLINE", "PRODUCER", "SHIP", "Room", "Ship", "Spool", "check_control", "check_history", "content", "wait_until"]
