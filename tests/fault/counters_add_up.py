#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counters are right to the last one, whatever is killed.

Each seed is a master with four forked workers that count in segments of their own, lose contact and come back, and are
killed and replaced; the master is killed too, and prodd, at any moment: asleep, while it is being asked, while segments are
being shared. Never a worker before it has shared its segment with the prodd that runs: both would be dead at once.

The truth is in the segments, which this program maps too, and in words that the workers count besides. The rules:

    never backwards    no answer shows a counter, or a bucket, below an earlier one, or without it
    no more than true  none is above what has been counted
    gauges of the dead are gone from the next answer
    it adds up         in the end, when all stand still, totals equal the truth; also after prodd's restart, after the death of
                       all, and after prodd's crash

    PRODD_COUNT_SEEDS  how many; default 10
    PRODD_TEST_SEED    the first one; default: by the time
"""
import contextlib
import glob
import mmap
import os
import random
import select
import signal
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from harness import Client, Closed, Daemon, Refused, wait_until
from segments import COUNTER, EACH, Segment, rows

SEEDS = int(os.environ.get("PRODD_COUNT_SEEDS", "10"))
FIRST = int(os.environ.get("PRODD_TEST_SEED", time.time_ns() // 1000000 % 1000000 * 1000))
DEADLINE = 60
STEPS = 24
METHODS = 8
BOUNDS = (1.0, 5.0)
APP = "orders"


class Violation(Exception):
    pass


class History:
    """What was told of counters, and the rule that none goes back."""

    def __init__(self):
        self.floor = {}

    def saw(self, values):
        for key, least in self.floor.items():
            if values.get(key, -1) < least:
                raise Violation(f"{key} is {values.get(key)}, and was {least}")
        self.floor.update(values)


def counters_of(answer):
    """{(name, labels, bucket): value} of counters and of histograms' buckets."""
    found = {}
    for r in answer:
        if r["type"] == "counter":
            found[r["name"], r["labels"], None] = r["value"]
        elif r["type"] == "histogram":
            for bucket, count in enumerate(r["counts"]):
                found[r["name"], r["labels"], bucket] = count
    return found


# ---- a worker, and what is known of it outside

class Worker:
    """Made before the fork, so that the test has the segment too."""

    WORDS = {"pid": 0, "attached": 1, "served": 2, "observed": 3, "methods": 4, "stop": 5, "idle": 6}

    def __init__(self, name, seed):
        self.name, self.seed = name, seed
        self.segment = Segment(cells=256, shards=2)
        self.served = self.segment.counter("orders_served_total")
        self.load = self.segment.gauge("orders_load", EACH)
        self.took = self.segment.histogram("orders_seconds", BOUNDS)
        self.family = self.segment.family(COUNTER, "orders_methods_total", labels=("method",))
        self.base = self.segment.next_cell
        self.board = memoryview(mmap.mmap(-1, 4096)).cast("Q")

    def get(self, word):
        return self.board[self.WORDS[word]]

    def put(self, word, value):
        self.board[self.WORDS[word]] = value

    def truth(self, into):
        """Adds what its segment says: {(name, labels, bucket): value}."""
        def add(key, value):
            into[key] = into.get(key, 0) + value

        app = f'app="{APP}"'
        shards = range(self.segment.shards)
        add(("orders_served_total", app, None), sum(self.served.get(0, s) for s in shards))
        for bucket in range(len(BOUNDS) + 1):
            add(("orders_seconds", app, bucket), sum(self.took.get(bucket, s) for s in shards))
        for number in range(self.get("methods")):
            at = [self.segment.cells_at // 8 + s * self.segment.cells + self.base + number for s in shards]
            add(("orders_methods_total", f'{app},method="m{number}"', None), sum(self.segment.words[i] for i in at))

    def check_words(self):
        """The segment and the words besides differ by the one count that SIGKILL came into."""
        counted = sum(self.served.get(0, s) for s in range(self.segment.shards))
        assert counted - self.get("served") in (0, 1), (counted, self.get("served"))

    # -- in its own process

    def run(self, path):
        self.put("pid", os.getpid())
        rng = random.Random(self.seed)
        methods = []
        while True:
            try:
                with Client(path) as c:
                    c.hello(APP, self.name)
                    self.segment.attach(c)
                    self.put("attached", c.welcome["pid"])
                    self.count(c, rng, methods)
            except (OSError, Closed, Refused, TimeoutError):
                self.burst(rng, methods)
                select.select([], [], [], 0.002)

    def count(self, client, rng, methods):
        while rng.random() > 0.002:
            self.burst(rng, methods)
            if select.select([client.socket], [], [], rng.choice((0, 0, 0.001)))[0]:
                if not client.socket.recv(65536):
                    return

    def burst(self, rng, methods):
        if self.get("stop"):
            self.put("idle", 1)
            select.select([], [], [], 0.002)
            return
        for _ in range(rng.randrange(20)):
            self.served.add(1, rng.randrange(2))
            self.put("served", self.get("served") + 1)
        self.took.observe(rng.choice((0.5, 2, 9)), rng.randrange(2))
        self.load.set(rng.randrange(100))
        if len(methods) < METHODS and rng.random() < 0.05:
            methods.append(self.segment.series(self.family, (f"m{len(methods)}",)))
            self.put("methods", len(methods))
        if methods:
            rng.choice(methods).add(1, rng.randrange(2))


def fork(function, *args):
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)   # nobody is left as a zombie
        function(*args)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def master(workers, path):
    for worker in workers:
        fork(worker.run, path)
    while True:
        signal.pause()


# ---- a seed

class World:
    def __init__(self, daemon, seed, sabotage=False):
        self.d, self.rng, self.sabotage = daemon, random.Random(seed), sabotage
        self.history = History()
        self.all, self.living = [], []
        self.master = None

    def new_worker(self):
        worker = Worker(f"w{len(self.all)}", self.rng.random())
        self.all.append(worker)
        self.living.append(worker)
        return worker

    def start_master(self):
        workers = [self.new_worker() for _ in range(4)]
        self.master = fork(master, workers, self.d.app_socket)
        wait_until("all have started", lambda: all(w.get("pid") for w in workers), DEADLINE)

    def truth(self):
        total = {}
        for worker in self.all:
            worker.truth(total)
        return total

    def ask(self):
        answer = self.rows()
        values = counters_of(answer)
        self.history.saw(values)
        most = self.truth()
        for key, value in values.items():
            if value > most[key]:
                raise Violation(f"{key} is {value}, and only {most[key]} were counted")
        return answer

    def rows(self):
        """Once more when this program stood still for so long that prodd waited for its hello no longer."""
        try:
            return rows(self.d, APP)
        except Closed:
            assert self.d.counters()["sessions_no_hello"] > 0
            return rows(self.d, APP)

    def gauges(self, answer):
        return {r["labels"].rpartition('instance="')[2].rstrip('"') for r in answer if r["name"] == "orders_load"}

    def wait_attached(self):
        pid = self.d.pid
        wait_until("all have shared their segments", lambda: all(w.get("attached") == pid for w in self.living), DEADLINE)

    # -- what may happen

    def kill_worker(self):
        self.wait_attached()
        if not self.living:
            return
        worker = self.living.pop(self.rng.randrange(len(self.living)))
        os.kill(worker.get("pid"), signal.SIGKILL)
        wait_until("it has ended", lambda: ended(worker.get("pid")), DEADLINE)
        gauges = self.gauges(self.ask())
        if worker.name in gauges:
            raise Violation(f"the gauge of {worker.name} is shown after its death")
        worker.check_words()

    def spawn_worker(self):
        fork(self.new_worker().run, self.d.app_socket)

    def kill_master(self):
        if self.master:
            os.kill(self.master, signal.SIGKILL)
            os.waitpid(self.master, 0)
        self.master = None
        if self.rng.random() < 0.5 and len(self.living) < 8:
            self.start_master()

    def kill_prodd(self):
        if self.rng.random() < 0.5:
            with contextlib.suppress(OSError):
                with self.d.operator() as c:
                    c.request("metrics", {"app": APP})
                    select.select([], [], [], self.rng.random() * 0.003)
                    self.d.kill()
        if self.d.process:
            self.d.kill()
        if self.sabotage:
            for path in glob.glob(self.d.path("state", "metric", "*")):
                os.unlink(path)
        self.d.start()

    def step(self):
        what = self.rng.choices((self.ask, self.kill_worker, self.spawn_worker, self.kill_prodd, self.d.restart,
                                 self.kill_master, self.pause), (8, 4, 3, 3, 1, 1, 4))[0]
        what()

    def pause(self):
        select.select([], [], [], self.rng.random() * 0.02)

    # -- the end

    def check_total(self, when):
        told, true = counters_of(self.ask()), self.truth()
        if told != true:
            wrong = {k: (told.get(k), v) for k, v in true.items() if told.get(k) != v}
            raise Violation(f"{when}: told and true differ: {wrong}")

    def settle(self):
        for worker in self.living:
            worker.put("stop", 1)
        wait_until("all stand still", lambda: all(w.get("idle") for w in self.living), DEADLINE)
        self.wait_attached()
        wait_until("all series are read", lambda: set(self.truth()) == set(counters_of(self.ask())), DEADLINE)
        self.check_total("at rest")
        self.d.restart()
        self.wait_attached()
        self.check_total("after a restart of prodd")
        while self.living:
            self.kill_worker()
        self.check_total("after the death of all")
        self.kill_prodd()
        self.check_total("after a crash of prodd")

    def end(self):
        for worker in self.living:
            if worker.get("pid"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.get("pid"), signal.SIGKILL)
        if self.master:
            os.kill(self.master, signal.SIGKILL)
        for worker in self.all:
            os.close(worker.segment.fd)


def ended(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def run(seed, sabotage=False):
    with Daemon() as d:
        world = World(d, seed, sabotage)
        try:
            world.start_master()
            for _ in range(STEPS):
                world.step()
            wait_until("all have started", lambda: all(w.get("pid") for w in world.living), DEADLINE)
            world.settle()
        finally:
            world.end()
        return len(world.all)


# ---- controls

def check_the_checker():
    history = History()
    history.saw({("a_total", "", None): 3})
    history.saw({("a_total", "", None): 3, ("b_total", "", None): 1})
    for worse in ({("a_total", "", None): 2, ("b_total", "", None): 1}, {("a_total", "", None): 4}):
        try:
            history.saw(worse)
        except Violation:
            continue
        raise AssertionError(f"not missed: {worse}")


def without_ledgers_it_must_fail():
    """The same world, but what prodd has kept is lost with each of its crashes."""
    for seed in range(FIRST, FIRST + 20):
        try:
            with open(os.devnull, "w") as quiet, contextlib.redirect_stderr(quiet):
                run(seed, sabotage=True)
        except Violation as what:
            print(f"control: seed {seed}: {what}")
            return
    raise AssertionError("ledgers were removed, and nobody noticed")


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    check_the_checker()
    without_ledgers_it_must_fail()
    started, processes = time.monotonic(), 0
    for seed in range(FIRST, FIRST + SEEDS):
        try:
            processes += run(seed)
        except BaseException:
            print(f"seed {seed}: PRODD_TEST_SEED={seed} PRODD_COUNT_SEEDS=1", flush=True)
            raise
    print(f"{SEEDS} seeds from {FIRST}: {processes} processes counted, {time.monotonic() - started:.1f} s")


main()
