#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""However files come to their content, the app ends at it, soon, and never sees a mixture on the way.

1,000 interleavings, seeded, of several apps at once in one daemon. Each file of an app holds a = N and b = N, or, where
files are swapped together, one holds a and the other b: a configuration with a != b was never on disk as a whole.
"""
import heapq
import os
import random
import re
import resource
import select
import shutil
import signal
import subprocess
import threading
import time
import traceback

import saving
from harness import PLAIN, App, Daemon, case, entries, main, wait_until

SEED = int(os.environ.get("PRODD_TEST_SEED", random.SystemRandom().randrange(10**9)))
INTERLEAVINGS = int(os.environ.get("PRODD_TEST_INTERLEAVINGS", "1000"))
SOON_S = 0.3         # from the last write to the app, debounce and all
BUSY_S = 0.015       # the bare operation takes 5 ms on a free machine
RESCAN_S = 30
PATIENCE_S = 10
ENV = "development"


def text_of(name, number, keys="ab"):
    """A file of its own length: what is left of a longer one would be seen."""
    lines = [f"{key} = {number};\n# {'x' * (number * 37 % 200)}\n" for key in keys]
    return f"{re.sub('[^a-z]', '', name)} = {number};\n" + "".join(lines)


# ---- kinds of apps: each brings forth interleavings, generators of pauses

class Plain:
    """default.conf, development.conf, conf.d/*.conf, saved in all ways, deleted, brought back."""
    names = ["default.conf", f"{ENV}.conf", "conf.d/10-a.conf", "conf.d/20-b.conf"]

    def __init__(self, top, dice):
        self.directory, self.dice, self.log = top, dice, []
        os.makedirs(top)
        saving._put(os.path.join(top, "default.conf"), text_of("default.conf", 0))

    def path(self, name):
        return os.path.join(self.directory, name)

    def save(self, name, number):
        way = self.dice.choice(saving.WAYS)
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            way = self.dice.choice([saving.truncate_and_write, saving.rename, saving.overwrite, saving.rename_too_early])
        self.log.append(f"{way.__name__} {name} {number}")
        yield from way(self.dice, path, text_of(name, number))

    def remove(self, name):
        if name != "default.conf" and os.path.exists(self.path(name)):
            self.log.append(f"remove {name}")
            os.unlink(self.path(name))
        yield saving.pause(self.dice, 0.15)

    def remove_all_local(self):
        self.log.append("remove conf.d")
        shutil.rmtree(self.path("conf.d"), ignore_errors=True)
        yield saving.pause(self.dice, 0.15)

    def noise(self):
        """What matters to nobody."""
        self.log.append("noise")
        for name in ("notes.txt", ".hidden.conf", "conf"):
            saving._put(self.path(name), "a = 1; b = 2;")
        os.utime(self.path("default.conf"))
        yield saving.pause(self.dice, 0.15)

    def interleaving(self, number):
        for _ in range(self.dice.randrange(4)):
            what = self.dice.random()
            if what < 0.2:
                yield from self.remove(self.dice.choice(self.names))
            elif what < 0.25:
                yield from self.remove_all_local()
            elif what < 0.4:
                yield from self.noise()
            else:
                yield from self.save(self.dice.choice(self.names), number)
                yield saving.pause(self.dice, 0.15)
        yield from self.save(self.dice.choice(self.names), number)


class Mounted:
    """A ConfigMap: a stands in one file, b in another, and the two change by one swap."""
    def __init__(self, top, dice):
        self.directory, self.dice, self.log = top, dice, []
        self.volume = saving.Volume(top)
        for _ in self.swap(0):
            pass

    def swap(self, number):
        files = {"default.conf": text_of("default.conf", number, "a"), f"{ENV}.conf": text_of(f"{ENV}.conf", number, "b")}
        if self.dice.random() < 0.3:
            files["schema.conf"] = "strict = false; keys = ();"
        self.log.append(f"swap {number} {len(files)}")
        yield from self.volume.swap(self.dice, files)

    def interleaving(self, number):
        for _ in range(self.dice.randrange(3)):
            yield from self.swap(number * 10)
            yield saving.pause(self.dice, 0.15)
        yield from self.swap(number)


class Released(Plain):
    """The directory is a link to a release; the files of a release are never changed, but some are links out of it."""
    names = ["default.conf", f"{ENV}.conf"]

    def __init__(self, top, dice):
        self.top, self.dice, self.log, self.count = top, dice, [], 0
        self.directory = os.path.join(top, "current")
        os.makedirs(os.path.join(top, "releases"))
        os.makedirs(os.path.join(top, "deep", "er"))
        os.symlink("deep", os.path.join(top, "way"))
        for name in ("left", "right"):
            saving._put(os.path.join(top, "deep", "er", name), text_of("out", 0))
        os.symlink(os.path.join("way", "er", "left"), os.path.join(top, "turn"))
        os.symlink(self.release(0), self.directory)

    def release(self, number):
        """A new release, complete: the name that the link is to get, relative or absolute."""
        self.count += 1
        name = os.path.join("releases", str(self.count))
        path = os.path.join(self.top, name)
        os.makedirs(os.path.join(path, "conf.d"))
        saving._put(os.path.join(path, "default.conf"), text_of("default.conf", number, "a"))
        saving._put(os.path.join(path, f"{ENV}.conf"), text_of(f"{ENV}.conf", number, "b"))
        target = self.dice.choice(["../../../turn", os.path.join(self.top, "turn"), "../../../way/../way/er/left"])
        os.symlink(target, os.path.join(path, "conf.d", "90-out.conf"))
        return self.dice.choice([name, path])

    def interleaving(self, number):
        for _ in range(self.dice.randrange(3)):
            yield from self.step(number)
            yield saving.pause(self.dice, 0.15)
        yield from self.step(number)

    def step(self, number):
        what = self.dice.random()
        if what < 0.4:
            self.log.append(f"release {number}")
            target = self.release(number)
            yield from saving.retarget(self.dice, self.directory, target)
        elif what < 0.6:
            side = self.dice.choice(["left", "right"])
            self.log.append(f"turn {side}")
            yield from saving.retarget(self.dice, os.path.join(self.top, "turn"), os.path.join("way", "er", side))
        elif what < 0.7:
            self.log.append("another way")
            self.count += 1
            new = f"deep{self.count}"
            shutil.copytree(os.path.join(self.top, "deep"), os.path.join(self.top, new))
            saving._put(os.path.join(self.top, new, "er", "left"), text_of("out", number))
            yield from saving.retarget(self.dice, os.path.join(self.top, "way"), new)
        else:
            side = self.dice.choice(["left", "right"])
            way = self.dice.choice([saving.truncate_and_write, saving.rename, saving.overwrite, saving.cp, saving.vim])
            self.log.append(f"{way.__name__} out, {side} {number}")
            yield from way(self.dice, os.path.join(self.top, "way", "er", side), text_of("out", number))


class Late(Plain):
    """Directories that go and come back: the app's, its parent, its conf.d."""

    def __init__(self, top, dice):
        self.top, self.dice, self.log = top, dice, []
        self.directory = os.path.join(top, "parent", "app")
        self.other = os.path.join(top, "aside")
        os.makedirs(top)

    def interleaving(self, number):
        gone = os.path.join(self.top, self.dice.choice(["parent", "parent/app", "parent/app/conf.d"]))
        if self.dice.random() < 0.5:
            self.log.append(f"rmtree {gone}")
            shutil.rmtree(gone, ignore_errors=True)
        elif os.path.exists(gone):
            self.log.append(f"move away {gone}")
            shutil.rmtree(self.other, ignore_errors=True)
            os.rename(gone, self.other)
        yield saving.pause(self.dice, 0.25)
        if self.dice.random() < 0.4 and not os.path.exists(self.directory):
            self.log.append(f"prepared, moved in {number}")
            prepared = os.path.join(self.top, "prepared")
            os.makedirs(os.path.join(prepared, "app", "conf.d"))
            saving._put(os.path.join(prepared, "app", "default.conf"), text_of("default.conf", number))
            yield saving.pause(self.dice, 0.15)
            shutil.rmtree(os.path.join(self.top, "parent"), ignore_errors=True)
            os.rename(prepared, os.path.join(self.top, "parent"))
            return
        self.log.append(f"made again {number}")
        os.makedirs(self.directory, exist_ok=True)
        yield saving.pause(self.dice, 0.15)
        if not os.path.exists(self.path("default.conf")):
            saving._put(self.path("default.conf"), text_of("default.conf", number))
            yield saving.pause(self.dice, 0.15)
        yield from self.save(self.dice.choice(self.names), number)


# ---- what should come of it

def on_disk(directory):
    """The settings as the files say them, read naively."""
    names = ["default.conf", f"{ENV}.conf"]
    local = os.path.join(directory, "conf.d")
    if os.path.isdir(local):
        names += sorted(f"conf.d/{n}" for n in os.listdir(local) if n.endswith(".conf") and n[0] not in ".#~")
    settings = {}
    for name in names:
        if os.path.exists(os.path.join(directory, name)):
            with open(os.path.join(directory, name)) as f:
                settings.update({k: int(v) for k, v in re.findall(r"^(\w+) = (\d+);$", f.read(), re.M)})
    return settings


class Watched(App):
    """An instance that refuses to have seen a mixture, and knows when it got what it has."""
    changed = 0.0

    def handle(self, message):
        super().handle(message)
        for method, params in self.seen:
            if method in ("config.offer", "config.apply"):
                mixed = entries(params)
                assert mixed.get("a") == mixed.get("b"), f"a mixed state came by {method}: {mixed}"
            if method in ("config.commit", "config.apply"):
                self.changed = time.monotonic()
        self.seen.clear()


class Actor:
    """An app with its files, and the interleavings that it still has to do."""

    def __init__(self, daemon, name, kind, count):
        self.name, self.count = name, count
        self.dice = random.Random(f"{SEED} {name}")
        self.kind = kind(os.path.join(daemon.dir, "files", name), self.dice)
        self.number, self.steps, self.finished = 0, None, 0.0
        self.latencies = []

    def status(self):
        status = self.daemon.call("status", {"app": self.name})
        return self.app.subscribed, status.get("problems"), status["apps"]

    def connect(self, daemon):
        self.daemon = daemon
        self.app = Watched(daemon, self.name, "1")
        self.receive()

    def step(self):
        """One step; returns when the next is due, or None: the interleaving is complete, or there is none left."""
        if self.steps is None:
            self.number += 1
            self.kind.log.clear()
            self.steps = self.kind.interleaving(self.number)
        try:
            return time.monotonic() + next(self.steps)
        except StopIteration:
            self.steps, self.finished = None, time.monotonic()
            self.wanted = on_disk(self.kind.directory)
            return None

    def receive(self):
        try:
            self.app.pump()
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.describe()}") from None

    def is_there(self):
        return self.app.live is not None and entries(self.app.live) == self.wanted

    def arrived(self):
        self.latencies.append((self.finished, max(self.app.changed, self.finished)))
        self.finished = 0.0

    def describe(self):
        have = entries(self.app.live) if self.app.live else None
        return f"{self.name} {self.number}: {self.kind.log}\n  on disk {on_disk(self.kind.directory)}\n  app has {have}"


def play(actors):
    """Runs all interleavings, the steps of all apps in the order of their times."""
    due = [(0.0, i) for i in range(len(actors))]
    waiting = set()
    while due or waiting:
        now = time.monotonic()
        left = max(0.0, due[0][0] - now) if due else 0.5
        sockets = {a.app.socket: i for i, a in enumerate(actors)}
        ready, _, _ = select.select(list(sockets), [], [], min(left, 0.5))
        for i in [sockets[s] for s in ready]:
            actors[i].receive()
        for i in list(waiting):
            actor = actors[i]
            if actor.is_there():
                actor.arrived()
                waiting.remove(i)
                if actor.number < actor.count:
                    heapq.heappush(due, (now + saving.pause(actor.dice, 0.2), i))
            else:
                assert now < actor.finished + PATIENCE_S, f"never there: {actor.describe()}\n{actor.status()}"
        while due and due[0][0] <= time.monotonic():
            _, i = heapq.heappop(due)
            next_time = actors[i].step()
            if next_time is None:
                waiting.add(i)
            else:
                heapq.heappush(due, (next_time, i))


# ---- how long the same takes without prodd

class Bare(threading.Thread):
    """Does again and again what a change costs at least: a process, three files written, synced and renamed, their
    directory synced. Its times say how slow the machine is at the moment."""

    def __init__(self, directory):
        super().__init__(daemon=True)
        self.directory, self.ending, self.samples = directory, threading.Event(), []

    def __enter__(self):
        os.makedirs(self.directory)
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()

    def once(self):
        subprocess.run(["/bin/true"], check=True)
        top = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        for name in ("one", "two", "three"):
            path = os.path.join(self.directory, name)
            with open(path + ".new", "w") as f:
                f.write("x" * 1000)
                f.flush()
                os.fsync(f.fileno())
            os.rename(path + ".new", path)
            os.fsync(top)
        os.close(top)

    def run(self):
        while not self.ending.wait(0.1):
            started = time.monotonic()
            self.once()
            self.samples.append((started, time.monotonic()))

    def slowest(self, start, end):
        return max((b - a for a, b in self.samples if b > start - 0.2 and a < end + 0.2), default=0.0)


def check_latencies(actors, bare):
    """Where the bare operation is slow, other programs have the machine, and all apps at once wait for it: such moments
    say nothing about prodd. In the others a few changes may wait for one another."""
    taken = sorted((end - start, bare.slowest(start, end), a.name) for a in actors for start, end in a.latencies)
    times = [t for t, _, _ in taken]
    print(f"  live after the last write: p50 {times[len(times) // 2] * 1e3:.0f} ms, p99 "
          f"{times[len(times) * 99 // 100] * 1e3:.0f} ms, last {times[-1] * 1e3:.0f} ms", flush=True)
    counted = [row for row in taken if row[1] < BUSY_S]
    if not PLAIN or len(counted) < len(taken) // 10:
        print(f"  not judged: {len(counted)} of {len(taken)} were measured while the machine was free", flush=True)
        return
    late = [row for row in counted if row[0] > SOON_S]
    assert len(late) <= len(counted) // 50 and all(t < 3 * SOON_S for t, _, _ in late), f"too late: {late[-10:]}"


# ---- the cases

KINDS = [Plain, Plain, Plain, Plain, Plain, Mounted, Mounted, Released, Released, Late, Late, Late]


class Slow:
    """What takes half a minute, begun before the interleavings and looked at after them: a file that is kept open, one
    that is changed through a link from a directory that nobody watches, and one through a mapping."""

    def __init__(self, top):
        self.top = top
        for app in ("kept", "linked"):
            os.makedirs(os.path.join(top, app))
            saving._put(self.path(app), "a = 1; b = 1;")
        self.elsewhere = os.path.join(top, "elsewhere")
        os.link(self.path("linked"), self.elsewhere)

    def path(self, app):
        return os.path.join(self.top, app, "default.conf")

    def begin(self, daemon):
        self.kept, self.linked = (Watched(daemon, app, "1") for app in ("kept", "linked"))
        for app in (self.kept, self.linked):
            assert app.settings()["a"] == 1
        saving._put(self.elsewhere, "a = 2; b = 2;")
        self.started = time.monotonic()
        self.writer = open(self.path("kept"), "w")
        self.writer.write("a = 2; b =")
        self.writer.flush()

    def end(self, daemon):
        self.linked.wait_setting("a", 2, max(1.0, self.started + RESCAN_S + 1 - time.monotonic()))
        row = wait_until("the open file is a problem",
                         lambda: [p for p in daemon.status().get("problems", []) if p["id"] == "config_writer"],
                         max(1.0, self.started + RESCAN_S + 1 - time.monotonic()), pause=0.2)[0]
        assert row["subject"] == "config kept" and self.path("kept") in row["lines"][0], row
        self.kept.pump()
        assert entries(self.kept.live)["a"] == 1, "a file was used while it was open for writing"
        self.writer.write(" 2;")
        self.writer.close()
        self.kept.wait_setting("a", 2)
        assert not daemon.status().get("problems"), daemon.status()["problems"]


@case
def a_thousand_interleavings_end_at_the_final_content():
    print(f"  PRODD_TEST_SEED={SEED}", flush=True)
    d = Daemon(start=False)
    slow = Slow(d.path("slow"))
    actors = [Actor(d, f"app{i}", kind, -(-INTERLEAVINGS // len(KINDS))) for i, kind in enumerate(KINDS)]
    places = {a.name: a.kind.directory for a in actors} | {n: os.path.join(slow.top, n) for n in ("kept", "linked")}
    blocks = "".join(f'{name}: {{ config = "{place}"; }};\n' for name, place in places.items())
    d.write("prodd.conf", f"app: {{ {blocks} }};")
    with d:
        d.start()
        slow.begin(d)
        for actor in actors:
            actor.connect(d)
        with Bare(d.path("bare")) as bare:
            play(actors)
        for actor in actors:
            actor.app.pump(0.0)
            assert actor.is_there(), "it did not stay: " + actor.describe()
        slow.end(d)
        check_latencies(actors, bare)


class Unwritten(threading.Thread):
    error = "it has not run"

    def run(self):
        try:
            with Daemon(apps={"orders": {"default.conf": "a = 1;"}}) as d, App(d, "orders") as app:
                app.settings()
                unlimited = resource.prlimit(d.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
                d.write("apps/orders/default.conf", "a = 2;")
                wait_until("status says so", lambda: d.status().get("problems"), pause=0.1)
                resource.prlimit(d.pid, resource.RLIMIT_FSIZE, unlimited)
                app.wait_setting("a", 2, RESCAN_S + 2)
                assert not d.status().get("problems")
            self.error = None
        except BaseException:
            self.error = traceback.format_exc()


UNWRITTEN = Unwritten()
UNWRITTEN.start()


@case
def floods_beyond_the_queue_end_at_the_final_content():
    with open("/proc/sys/fs/inotify/max_queued_events") as f:
        files = int(f.read()) // 3 + 100     # each is created, closed and deleted: three events
    with Daemon(apps={"orders": {"default.conf": "a = 0;"}}) as d, App(d, "orders") as app:
        app.settings()
        for number in range(1, 4):
            os.kill(d.pid, signal.SIGSTOP)
            try:
                for i in range(files):
                    if i == files // 2 * (number % 2):
                        d.write_in_place("apps/orders/default.conf", f"a = {number};")
                    saving._put(d.path("apps/orders/flood"), "")
                    os.unlink(d.path("apps/orders/flood"))
            finally:
                os.kill(d.pid, signal.SIGCONT)
            continued = time.monotonic()
            app.wait_setting("a", number)
            assert not PLAIN or time.monotonic() - continued < 5 * SOON_S
            assert d.counters()["watch_overflows"] == number
        d.write_in_place("apps/orders/default.conf", "a = 10;")
        app.wait_setting("a", 10)


@case
def what_could_not_be_written_is_tried_again_by_the_rescan():
    """In a thread of its own, begun first and waited for last: it takes half a minute."""
    UNWRITTEN.join()
    assert UNWRITTEN.error is None, UNWRITTEN.error


main()
