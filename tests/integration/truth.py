# SPDX-License-Identifier: Apache-2.0
"""The program tests/programs/counting, and the truth that it keeps in a file: what its counters must say, whoever was
killed meanwhile.

    truth = Truth(path, series=3)
    with Counting(d, truth, "--workers", "4") as c:
        os.kill(c.worker(), signal.SIGKILL)
        ...
    low, high = truth.bounds(0)     # a counter of a killed thread may lack, or have, the one that was under way
"""
import mmap
import os
import select
import signal
import struct
import subprocess
import time

from harness import Skip
from waiting import DEADLINE

PROGRAM = os.path.join(os.environ.get("builddir", "."), "tests/programs/counting")
ROWS_AT = 4096


class Truth:
    def __init__(self, path, series, rows=4096):
        self.path, self.series, self.rows = path, series, rows
        size = ROWS_AT + rows * series * 16
        with open(path, "xb") as f:
            f.truncate(size)
        with open(path, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), size)

    def taken(self):
        return min(self.rows, struct.unpack_from("<Q", self.memory, 0)[0])

    def bounds(self, n):
        """(sum of `done`, sum of `begun`) of the series; equal when nobody is in the midst of an increment."""
        low = high = 0
        for row in range(self.taken()):
            begun, done = struct.unpack_from("<QQ", self.memory, ROWS_AT + (row * self.series + n) * 16)
            low, high = low + done, high + begun
        return low, high

    def all(self):
        each = [self.bounds(n) for n in range(self.series)]
        return sum(low for low, _ in each), sum(high for _, high in each)


class Counting:
    """The program. Its workers are ended with it, also when the master was killed."""

    def __init__(self, d, truth, *options, app="counting"):
        if "--workers" in options and "address" in os.environ.get("PRODD_SANITIZER", ""):
            raise Skip("AddressSanitizer's memory is not whole in a process that is forked beside threads")
        self.workers, self.done, self.rest = [], set(), b""
        self.process = subprocess.Popen([PROGRAM, "--truth", truth.path, "--series", str(truth.series), "--app", app,
                                         "--socket", d.app_socket, *options], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def read(self, wait=0):
        """Takes in what it has printed; waits for something for so many seconds. False: nothing came."""
        ready, _, _ = select.select([self.process.stdout], [], [], wait)
        data = os.read(self.process.stdout.fileno(), 4096) if ready else b""
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            word, pid = line.split()
            if word == b"worker":
                self.workers.append(int(pid))
            else:
                self.done.add(int(pid))
        return bool(data)

    def await_(self, what, condition):
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, what
            self.read(0.05)

    def await_workers(self, count):
        """So many have begun, since the program began."""
        self.await_(f"{count} workers", lambda: len(self.workers) >= count)

    def await_done(self, count):
        self.await_(f"{count} workers that are done", lambda: len(self.done) >= count)

    def kill_worker(self, pid):
        os.kill(pid, signal.SIGKILL)
        self.workers.remove(pid)

    def kill_master(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """In order. Workers whose master was killed are nobody's children any more: they are waited for by pid."""
        while self.read():
            pass
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(DEADLINE)
        while self.read():
            pass
        for pid in self.workers:
            self.end_worker(pid)
        self.workers = []
        self.process.stdout.close()

    @staticmethod
    def end_worker(pid):
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            signal.pidfd_send_signal(fd, signal.SIGTERM)
            assert select.select([fd], [], [], DEADLINE)[0], f"worker {pid} does not end"
        except ProcessLookupError:
            pass
        finally:
            os.close(fd)
