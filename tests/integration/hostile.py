# SPDX-License-Identifier: Apache-2.0
"""What every test with hostile peers demands, whatever they do:

- the daemon grows by at most 16 MiB for their uid,
- a polite client of another uid connects within a second all the while, with round trips at p99 <= 10 ms
  (or five times what a bare exchange over a socket takes at the same time, where that is more),
- the memory comes back when they are gone,
- and the counters say what happened, which each test checks itself.

Round trips are judged in optimised builds only (PRODD_PLAIN=1); the rest always.
"""
import contextlib
import os
import select
import socket
import time

from harness import DEADLINE, PLAIN, Child, Client, as_uid, need_root, percentile, wait_until

ATTACKER, POLITE = 65533, 65532
GROWTH_MAX = 16 * 1024 * 1024
RETURNED_MAX = 4 * 1024 * 1024      # what the allocator may keep
CONNECT_MAX_S = 1.0 if PLAIN else 5.0
ROUND_TRIP_MAX_S = 0.010
WINDOWS = 3         # of which one must be fast enough: other work on the machine comes and goes, a defect stays


def attack_nicely(out, path, function, *args):
    """What is measured is how the daemon divides its time, not how the kernel does."""
    os.nice(10)
    function(out, path, *args)


def echo(out, path):
    """Answers every byte on a socket of its own: what a round trip costs on this machine, in this moment."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    out.write(b"ready\n")
    connection, _ = listener.accept()
    while data := connection.recv(64):
        connection.send(data)


class Politeness:
    """A client of another uid: connects anew again and again, and pings; and exchanges bytes with `bare`."""

    def __init__(self, daemon, bare):
        self.daemon, self.bare = daemon, bare
        self.connects, self.trips, self.bare_trips = [], [], []

    def visit(self, pings=50):
        started = time.perf_counter()
        with Client(self.daemon.app_socket, uid=POLITE) as c:
            c.hello()
            self.connects.append(time.perf_counter() - started)
            for _ in range(pings):
                self.trips.append(c.ping())
                started = time.perf_counter()
                self.bare.send(b"x" * 20)
                self.bare.recv(64)
                self.bare_trips.append(time.perf_counter() - started)

    def p99(self):
        return percentile(self.trips, 0.99)

    def limit(self):
        return max(ROUND_TRIP_MAX_S, 5 * percentile(self.bare_trips, 0.99))


class Attack:
    """with Attack(daemon, function, *args): runs function(out, socket path, *args) in a process of its own, as
    another uid, and is polite meanwhile; at the end of the `with` demands what stands above.

    The function writes a line when it has done what it is for, and goes on, or waits until it is killed. The body of
    the `with` begins when every process has written its line; `.lines` are those. So many polite clients as `stay`
    says come then, and stay. `kept` bytes may be kept afterwards.
    """

    def __init__(self, daemon, function, *args, processes=1, uid=ATTACKER, seconds=1.0, limits=(), stay=1,
                 kept=RETURNED_MAX):
        need_root()
        self.daemon, self.uid, self.seconds, self.kept = daemon, uid, seconds, kept
        self.stack = contextlib.ExitStack()
        echoing = self.stack.enter_context(Child(echo, daemon.path("echo")))
        assert echoing.line() == b"ready\n"
        bare = self.stack.enter_context(socket.socket(socket.AF_UNIX))
        bare.connect(daemon.path("echo"))
        Politeness(daemon, bare).visit()
        self.polite = Politeness(daemon, bare)
        self.before = daemon.counters()
        self.peak = self.rss_before = daemon.rss()
        self.children = [self.stack.enter_context(Child(attack_nicely, daemon.app_socket, function, *args, uid=uid,
                                                        limits=limits))
                         for _ in range(processes)]
        self.lines = []
        self.stay = range(stay)

    def look(self):
        self.peak = max(self.peak, self.daemon.rss())

    def __enter__(self):
        try:
            self.watch()
        except BaseException:
            self.stack.close()
            raise
        return self

    def watch(self):
        """Until every process has written its line, and then for the time that was asked for."""
        waiting = {c.out: c for c in self.children}
        end = time.monotonic() + DEADLINE * 3
        while waiting:
            ready, _, _ = select.select(list(waiting), [], [], 0)
            for out in ready:
                self.lines.append(out.readline())
                assert self.lines[-1], "an attacker has failed"
                del waiting[out]
            self.polite.visit(10)
            self.look()
            assert time.monotonic() < end, "the attack did not get anywhere"
        # These stay, and what the daemon keeps for them lies above what it keeps for the attacker.
        self.stay = [Client(self.daemon.app_socket, uid=POLITE).hello() for _ in self.stay]
        for _ in range(WINDOWS):
            end = time.monotonic() + self.seconds
            while time.monotonic() < end:
                self.polite.visit()
                self.look()
            if self.polite.p99() <= self.polite.limit():
                break
            slow, self.polite = self.polite, Politeness(self.daemon, self.polite.bare)
        else:
            self.polite = slow

    def __exit__(self, kind, *_):
        self.look()
        self.stack.close()
        if kind is None:
            self.judge()
        for client in self.stay:
            client.close()

    def counted(self, name):
        """By how much a counter rose since the attack began."""
        return self.daemon.counters()[name] - self.before[name]

    def judge(self):
        account = wait_until("the attacker's sessions are gone", self._gone)
        growth, slowest = self.peak - self.rss_before, max(self.polite.connects)
        print(f"      +{growth / 1048576:.1f} MiB, {account['bytes_max'] / 1048576:.2f} charged; "
              f"{len(self.polite.connects)} connects, slowest {slowest * 1e3:.1f} ms; "
              f""
              f"round trips p99 {self.polite.p99() * 1e3:.2f} ms of {self.polite.limit() * 1e3:.2f}", flush=True)
        assert account["bytes_max"] <= GROWTH_MAX, account
        if PLAIN:
            assert growth <= GROWTH_MAX, f"grew by {growth} bytes"
            assert self.polite.p99() <= self.polite.limit(), self.polite.p99()
            wait_until("the memory comes back", lambda: self.daemon.rss() - self.rss_before <= self.kept)
        assert slowest <= CONNECT_MAX_S, slowest

    def _gone(self):
        account = self.daemon.account(self.uid)
        return account if account["sessions"] == 0 and account["bytes"] == 0 else None


# ---- an attacker's tools

def forever(sockets=()):
    """Keeps the sockets open until the process is killed."""
    select.select([], [], [], 3600)
    return sockets


def reach(path):
    """A socket that does not block, connected; waits its turn in the queue."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.setblocking(False)
    return s


def hello():
    return Client.frame([0, 1, "hello", {"protocol": 1, "client": "hostile"}])


def read_answer(s, patience=5.0):
    """Reads until a whole frame has come, or the end; returns what there was."""
    data = b""
    end = time.monotonic() + patience
    while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4], "big"):
        ready, _, _ = select.select([s], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            break
        try:
            more = s.recv(65536)
        except OSError:
            break
        if not more:
            break
        data += more
    return data


def greeted(path):
    s = reach(path)
    s.sendall(hello())
    read_answer(s)
    return s


__all__ = ["ATTACKER", "POLITE", "Attack", "Politeness", "as_uid", "forever", "greeted", "hello", "reach", "read_answer"]
