#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of prodd at every step of a transaction: afterwards what is live is whole, the old or the new, and every
instance converges to it.

Each seed is one change (a reload of files that two linked apps share, an override, a rollback, a confirmation) with a
few scripted instances, and one kill: a random time after a random event that a peer sees, or when prodd makes the Nth
system call of a kind (strace). Then prodd is started again, looked at, killed and started once more. history.py has
the rules.

    PRODD_KILL_SEEDS    how many; default 300
    PRODD_TEST_SEED     the first one; default: by the time. A failure names its directory's first seed: to see it again,
                        set this to that and PRODD_KILL_SEEDS to PER_DIRECTORY
"""
import collections
import contextlib
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

import msgpack
from harness import ANSWER, CALL, Client, Closed, Daemon, Refused, entries
from history import History, Violation, check_the_checker

SEEDS = int(os.environ.get("PRODD_KILL_SEEDS", "300"))
FIRST = int(os.environ.get("PRODD_TEST_SEED", time.time_ns() // 1000000 % 1000000 * 1000))
PER_DIRECTORY = 10
WORKERS = 2
DEADLINE = 20
APPS = ("orders", "billing")
STRACE = shutil.which("strace")

# What prodd does on the way of a change; how often, calibrate() finds out.
SYSCALLS = ("fsync", "renameat", "openat", "write", "unlinkat", "mkdirat", "writev", "sendmsg", "recvmsg", "read", "readv",
            "epoll_ctl", "epoll_wait", "newfstatat", "close", "flock", "accept4", "futex")


# What a peer may see, and how many seconds later the kill comes at most.
EVENTS = (("asked", 0.01), ("asked", 0.005), ("asked", 0.005), ("asked", 0.002), ("offer", 0.005), ("verdict", 0.003),
          ("verdict", 0.003), ("commit", 0.001), ("commit", 0.0), ("apply", 0.001), ("applied", 0.002), ("note", 0.003))

calls = []                          # (system call, first, last): those that a thread makes during a change
tally = collections.Counter()       # of a worker: where the kills fell


class Peer:
    """An instance as the library is one: it keeps what it uses, and comes back with it."""

    def __init__(self, world, app, name):
        self.world, self.app, self.name = world, app, name
        self.client = None
        self.live = None            # params of the apply or offer in use
        self.offered = {}
        self.later = []             # (when, id, answer)
        self.script = "accept"

    # -- the connection

    def connect(self):
        self.offered, self.later = {}, []
        client = Client(self.world.daemon.app_socket)
        try:
            client.hello(self.app, self.name)
            has = {k: self.live[k] for k in ("epoch", "generation", "hash")} if self.live else {}
            self.asked = client.request("config.subscribe", has)
        except (Closed, BrokenPipeError, ConnectionError):
            client.close()
            raise Closed() from None
        self.client = client

    def leave(self):
        if self.client:
            self.client.close()
        self.client = None

    # -- messages

    def pump(self):
        """Handles what has arrived, and answers what is due."""
        try:
            while self.client and self.later and self.later[0][0] <= time.monotonic():
                _, number, answer = self.later.pop(0)
                self.client.answer(number, answer)
            while self.client:
                self.handle(self.client.recv(0.0002))
        except TimeoutError:
            pass
        except (Closed, BrokenPipeError, ConnectionError):
            self.leave()

    def handle(self, message):
        if message[0] == ANSWER:
            if message[1] == self.asked:
                self.world.saw("subscribed")
            return
        if message[0] != CALL:
            self.offered.pop(message[2].get("txn"), None)
            self.world.saw("note")
            return
        _, number, method, params = message
        getattr(self, method.replace(".", "_"))(number, params)

    def ping(self, number, _):
        self.client.answer(number, {})

    def config_offer(self, number, params):
        history = self.world.history
        history.saw(self.app, params["generation"], params["hash"], entries(params))
        self.offered[params["txn"]] = params
        self.world.saw("offer")
        if self.script == "leave":
            self.leave()
        elif self.script == "reject":
            history.rejected(self.app, params["generation"])
            self.client.answer(number, {"verdict": "reject", "reason": "by its script"})
        elif self.script == "slow":
            self.later.append((time.monotonic() + self.world.dice.uniform(0, 0.03), number, {"verdict": "accept"}))
        elif self.script != "silent":
            self.client.answer(number, {"verdict": "restart" if self.script == "restart" else "accept"})
        self.world.saw("verdict")
        if self.script == "die":
            self.leave()

    def config_commit(self, number, params):
        self.world.history.committed(self.app, params["generation"], self.world.on_disk(self.app))
        self.world.saw("commit")
        self.use(number, self.offered.pop(params["txn"]))

    def config_apply(self, number, params):
        self.world.history.saw(self.app, params["generation"], params["hash"], entries(params))
        self.world.history.committed(self.app, params["generation"], self.world.on_disk(self.app))
        self.world.saw("apply")
        self.use(number, params)

    def use(self, number, params):
        if self.script == "restart" and self.live:
            self.client.answer(number, {"state": "restart", "reason": "by its script"})
            return
        self.live = params
        self.client.answer(number, {"state": "applied"})
        self.world.saw("applied")


class World:
    """A state directory and those who live with it, over PER_DIRECTORY seeds."""

    def __init__(self, watch):
        self.history = History()
        self.daemon = Daemon(conf=f'watch = "{watch}"; answer_timeout = "150ms";', start=False)
        self.watched = watch == "auto"
        self.peers = []
        self.dice = random.Random(0)
        self.value = 0
        self.kill_on = self.kill_at = None
        self.patience = 0.0
        self.lost = False       # a command's connection broke
        self.put(0)
        for app in APPS:
            os.makedirs(self.daemon.path("apps", app, "conf.d"))
            os.symlink("../../../shared.conf", self.daemon.path("apps", app, "conf.d", "shared.conf"))

    def put(self, value):
        """Both apps' files say `value`. True when that was quick enough for no watch to see half of it."""
        started = time.monotonic()
        self.value = value
        for app in APPS:
            self.daemon.write(f"apps/{app}/default.conf", f"own = {value}; o = 0;")
        self.daemon.write("shared.conf", f"shared = {value};")
        return time.monotonic() - started < 0.05

    def on_disk(self, app):
        with open(self.daemon.path("state/config/live"), "rb") as f:
            rows = msgpack.unpackb(f.read()[48:])["rows"]
        return max((r.get("generation", 0) for r in rows if r["app"] == app), default=0)

    # -- the kill

    def saw(self, event):
        """Something has happened: perhaps what the kill waits for."""
        if event != self.kill_on:
            return
        self.kill_on = None
        self.kill_at = time.monotonic() + self.dice.uniform(0, self.patience)

    def kill(self):
        if self.daemon.process:
            self.daemon.kill()
        self.kill_on = self.kill_at = None

    def is_dead(self):
        return self.daemon.process is None or self.daemon.process.poll() is not None

    def start(self, trace=()):
        """False: it was killed while it started."""
        self.daemon.wrapper = [STRACE, "-f", "-qq", *trace] if trace else []
        self.daemon.start(wait=False)
        end = time.monotonic() + DEADLINE
        while not self.is_dead():
            try:
                with Client(self.daemon.ctl_socket) as client:
                    client.hello()
                return True
            except (OSError, Closed):
                time.sleep(0.001)
            assert time.monotonic() < end, "prodd does not accept"
        return False

    # -- everyone does his part

    def turn(self, clients=()):
        """One round: waits a moment for messages, and handles them."""
        if self.kill_at is not None and time.monotonic() >= self.kill_at:
            self.kill()
            return
        sockets = [p.client.socket for p in self.peers if p.client] + [c.socket for c in clients]
        wait = 0.002 if self.kill_at is None else max(0.0, min(0.002, self.kill_at - time.monotonic()))
        select.select(sockets, [], [], wait)
        for peer in self.peers:
            if peer.client:
                peer.pump()

    def connect(self, tolerant=False):
        for peer in self.peers:
            if peer.client:
                continue
            try:
                peer.connect()
            except (Closed, OSError):
                if not tolerant:
                    raise
                return

    def ask(self, method, params):
        """A command's reports, while the others do their part; None when prodd died."""
        try:
            with Client(self.daemon.ctl_socket) as client:
                client.hello()
                number = client.request(method, params)
                self.saw("asked")
                end = time.monotonic() + DEADLINE
                while time.monotonic() < end:
                    self.turn([client])
                    with contextlib.suppress(TimeoutError):
                        client.queue.append(client._read_frame(time.monotonic() + 0.0002))
                    if any(m[0] == ANSWER and m[1] == number for m in client.queue):
                        self.saw("answered")
                        return client.result(number)
                raise AssertionError(f"{method}: no answer")
        except Refused as error:
            return {"refused": error.code}
        except (Closed, OSError):
            self.lost = True
            return None

    def count_kill(self, trace, started):
        if not started:
            tally["while it started"] += 1
        elif trace:
            tally["at a system call" if self.lost else "behind the last system call"] += 1
        else:
            tally["at an event" if self.lost or self.is_dead() else "behind the last event"] += 1
        self.lost = False

    # -- what is live

    def show(self):
        """{app: (number, hash, values)} of a running daemon."""
        seen = {}
        for app in APPS:
            shown = self.ask("config.show", {"app": app})
            rows = self.ask("config.history", {"app": app})
            if "refused" in shown:
                seen[app] = (0, "", {})
                continue
            digest = next(r["hash"] for r in rows["generations"] if r["generation"] == shown["generation"])
            seen[app] = (shown["generation"], digest, {e["key"]: e.get("value") for e in shown.get("entries", [])})
        return seen

    def settle(self):
        """All accept, the files go live, everyone has them. Returns what is live."""
        for peer in self.peers:
            peer.script = "accept"
        self.connect()
        end = time.monotonic() + DEADLINE
        outcomes = ["no_answer"]    # of peers that are slow because the machine is
        while "no_answer" in outcomes and time.monotonic() < end:
            rows = self.ask("reload", {})["reports"]
            outcomes = [row["outcome"] for row in rows]
        if not set(outcomes) <= {"committed", "unchanged"}:
            raise Violation(f"everybody accepts, and yet: {rows}")
        live = self.show()
        for app in APPS:
            self.history.live(app, *live[app])
        end = time.monotonic() + DEADLINE
        while self.lagging(live):
            if time.monotonic() > end:
                for app in APPS:
                    self.history.converged(app, live[app][1], self.used(app))
            self.turn()
        return live

    def used(self, app):
        return {p.name: p.live and p.live["hash"] for p in self.peers if p.app == app}

    def lagging(self, live):
        return any(digest != live[app][1] for app in APPS for digest in self.used(app).values())

    # -- one seed

    def run(self, seed):
        self.dice = random.Random(seed)
        dice = self.dice
        self.peers = self.peers[:dice.randint(0, 3)]
        while len(self.peers) < dice.randint(1, 4):
            self.peers.append(Peer(self, dice.choice(APPS), f"{seed}.{len(self.peers)}"))
        if self.is_dead():
            self.daemon.process = None
            assert self.start()
        before = self.settle()
        trace, started = (), True
        if calls and dice.random() < 0.4:
            self.kill()
            syscall, first, last = dice.choice(calls)
            number = dice.randint(first, last) if dice.random() < 0.85 else dice.randint(1, last)
            trace = ("-o", "/dev/null", "-e", f"trace={syscall}", "-e", f"inject={syscall}:signal=KILL:when={number}")
            started = self.start(trace)
        action = dice.choice(["reload"] * 5 + ["confirm", "set", "rollback", "dry_run"])
        for peer in self.peers:
            peer.script = dice.choice(["accept"] * 6 + ["reject", "slow", "slow", "leave", "die", "restart", "silent"])
            if peer.client is None or dice.random() < 0.2:
                peer.leave()
        wanted = None
        if started:
            if not trace:
                self.kill_on, self.patience = dice.choice(EVENTS)
            self.connect(tolerant=True)
            wanted = self.change(seed, action)
        self.count_kill(trace, started)
        self.kill()
        self.verify(before, wanted, action)

    def change(self, seed, action):
        """Starts the change; returns the values that it was to bring to both apps, None: unknown."""
        value = seed * 10 % 2_000_000_000  # an int of a file has 32 bits
        if action == "set":
            self.told(self.ask("config.set", {"app": "orders", "key": "o", "value": str(value)}), action)
            return None
        if action == "rollback":
            self.told(self.ask("config.rollback", {"app": "orders"}), action)
            return None
        quick = self.put(value)
        options = {"confirm": {"confirm_ms": 600000}, "dry_run": {"dry_run": True}}.get(action, {})
        self.told(self.ask("reload", {"app": self.dice.choice(APPS), **options}), action)
        return value if quick or not self.watched else None

    def told(self, result, action):
        """A command was told this: it is true, and stays true."""
        for row in (result or {}).get("reports", []):
            if row["outcome"] == "committed":
                self.history.decided(row["app"], row["to"])
            elif row["outcome"] in ("rejected", "no_answer", "would_commit") and row.get("to", 0) > row.get("from", 0):
                self.history.rejected(row["app"], row["to"])

    def verify(self, before, wanted, action):
        for peer in self.peers:
            peer.leave()
            peer.script = "accept"
        assert self.start(), "prodd does not start"
        first = self.show()
        for app in APPS:
            self.history.live(app, *first[app])
            values = None
            if wanted is not None:
                values = {"own": wanted, "shared": wanted, "o": before[app][2].get("o", 0)}
            self.history.either(app, (before[app][0], before[app][2]), (first[app][0], first[app][2]), values)
        tally["the old is live" if first == before else "the new is live"] += 1
        if wanted is not None and not self.watched:
            self.history.together({app: first[app][2]["shared"] == wanted for app in APPS})
        if action == "confirm" and first["orders"][0] != before["orders"][0] and not self.watched:
            self.confirmation_is_kept(first)
        self.kill()
        assert self.start(), "prodd does not start"
        second = self.show()
        for app in () if self.watched else APPS:
            self.history.stable(app, first[app][:2], second[app][:2])
        self.settle()

    def confirmation_is_kept(self, live):
        for app in APPS:
            row = self.ask("status", {"app": app})["apps"][0]
            if not row.get("confirm_at"):
                raise Violation(f"{app} {live[app][0]} went live to be confirmed, and nobody waits for it")
        self.ask("confirm", {"app": "orders"})

    def end(self):
        for peer in self.peers:
            peer.leave()
        self.daemon._clean()


# ---- the seeds

def run_directory(first, count):
    """PER_DIRECTORY seeds from `first` on; returns how many failed."""
    world = World("auto" if first // PER_DIRECTORY % 4 == 0 else "manual")
    try:
        for seed in range(first, first + count):
            world.run(seed)
        return 0
    except BaseException:
        print(f"FAIL  seed {seed} of the directory that begins with {first}\n{traceback.format_exc()}"
              f"---- prodd's log:\n{world.daemon.log()[-3000:]}----", flush=True)
        return 1
    finally:
        world.end()


def run_worker(number):
    failed = 0
    for i, first in enumerate(range(FIRST, FIRST + SEEDS, PER_DIRECTORY)):
        if i % WORKERS == number:
            failed += run_directory(first, min(PER_DIRECTORY, FIRST + SEEDS - first))
        if failed > 3:
            break
    print(", ".join(f"{what}: {count}" for what, count in sorted(tally.items())), flush=True)
    return failed


def calibrate():
    """Which system calls a change makes, and how many each thread had made before: fills `calls`."""
    world = World("manual")
    path = world.daemon.path("trace")
    try:
        assert world.start()
        world.peers = [Peer(world, app, str(i)) for i, app in enumerate(APPS)]
        world.settle()
        world.kill()
        assert world.start(("-o", path, "-e", "trace=" + ",".join(SYSCALLS)))
        world.connect()
        while not all(p.live for p in world.peers):
            world.turn()
        before = count_calls(path)
        world.put(1)
        world.ask("reload", {"app": "orders"})
        after = count_calls(path)
        world.kill()
    finally:
        world.end()
    calls.extend((name, before.get((thread, name), 0) + 1, count) for (thread, name), count in sorted(after.items())
                 if count > before.get((thread, name), 0))


def count_calls(path):
    """{(thread, system call): how many} of a trace."""
    counts = collections.Counter()
    with open(path) as f:
        for line in f:
            thread, _, rest = line.partition(" ")
            name = rest.strip().partition("(")[0]
            if name in SYSCALLS:
                counts[thread, name] += 1
    return counts


def an_older_table_is_noticed():
    """The control with a real daemon: its table of live generations is replaced by the one of before."""
    world = World("manual")
    try:
        assert world.start()
        world.peers = [Peer(world, "orders", "1")]
        world.settle()
        shutil.copy(world.daemon.path("state/config/live"), world.daemon.path("older"))
        world.put(1)
        before = world.settle()
        world.kill()
        os.rename(world.daemon.path("older"), world.daemon.path("state/config/live"))
        try:
            world.verify(before, None, "none")
        except Violation:
            return
        raise AssertionError("a daemon that went back was not noticed")
    finally:
        world.end()


def main():
    started = time.monotonic()
    print(f"{check_the_checker()} wrong histories are found wrong")
    an_older_table_is_noticed()
    if STRACE:
        calibrate()
    print(f"PRODD_TEST_SEED={FIRST} PRODD_KILL_SEEDS={SEEDS}" + ("" if STRACE else ", without strace"), flush=True)
    workers = []
    for number in range(WORKERS):
        pid = os.fork()
        if pid == 0:
            os._exit(min(run_worker(number), 100))
        workers.append(pid)
    failed = sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in workers)
    print(f"{SEEDS} seeds, {failed} failed, {time.monotonic() - started:.0f} s")
    sys.exit(1 if failed else 0)


main()
