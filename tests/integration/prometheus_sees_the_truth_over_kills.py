#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes while workers and the daemon are killed: each sample is what was counted at its time, none goes
back, and rate() is what the program did."""
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from harness import PLAIN, Daemon, case, main, wait_until
from segments import value
from truth import Counting, Truth

if not shutil.which("prometheus"):
    print("prometheus is missing; install: apt-get install prometheus")
    sys.exit(77)

SEED = int(os.environ.get("PRODD_TEST_SEED", random.randrange(1 << 32)))
SERIES, WORKERS = 2, 4
RATE = 2000        # increments a second of each worker
ROUNDS = 14        # a second each: a worker is killed, in some the daemon too
LAG_S = 2.0        # for a new worker, or one whose daemon was away, to be seen
WINDOW_S = 10      # of rate()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Prometheus:
    """On loopback, in a directory of its own; ended with the context."""

    def __init__(self, target):
        self.dir = tempfile.mkdtemp(prefix="prometheus-")
        self.port = free_port()
        with open(os.path.join(self.dir, "prometheus.yml"), "w", encoding="utf-8") as f:
            json.dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                       "scrape_configs": [{"job_name": "prodd", "static_configs": [{"targets": [target]}]}]}, f)
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.dir}/prometheus.yml", f"--storage.tsdb.path={self.dir}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if kind:
            with open(os.path.join(self.dir, "log"), encoding="utf-8") as f:
                print(f.read()[-3000:], file=sys.stderr)
        shutil.rmtree(self.dir)

    def query(self, text, at=None):
        """[(labels, value or values)]; [] while it does not answer."""
        words = {"query": text, **({"time": f"{at:.3f}"} if at else {})}
        url = f"http://127.0.0.1:{self.port}/api/v1/query?{urllib.parse.urlencode(words)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                rows = json.load(answer)["data"]["result"]
        except OSError:
            return []
        return [(r["metric"], r.get("values") or float(r["value"][1])) for r in rows]

    def value(self, text, at=None):
        rows = self.query(text, at)
        return rows[0][1] if rows else None


class Recorder(threading.Thread):
    """What was true when."""

    def __init__(self, truth):
        super().__init__(daemon=True)
        self.truth, self.rows, self.ended = truth, [], threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            self.rows.append((time.time(), *self.truth.all()))

    def stop(self):
        self.ended.set()
        self.join()

    def low(self, at):
        """Certainly done by then."""
        return max((low for when, low, _ in self.rows if when <= at), default=0)

    def high(self, at):
        """Certainly not more was begun by then."""
        return min((high for when, _, high in self.rows if when >= at), default=self.truth.all()[1])


def await_all_shared(d):
    """A worker whose segment prodd does not have, again, after prodd's death, would take it along when it is killed."""
    wait_until("all are attached", lambda: value(d, "counting", "truth_threads") == WORKERS)


def torment(d, c, dice):
    """Workers are killed, and the daemon; never both at once."""
    for n in range(ROUNDS):
        time.sleep(1)  # not for something to happen: this is how long it goes on
        await_all_shared(d)
        if n % 5 == 3:
            d.kill()
            d.start()
        else:
            c.kill_worker(dice.choice(c.workers))
            c.await_workers(WORKERS)


def check_samples(prometheus, recorder, killed):
    """Of each moment, all series together."""
    at = {}
    for _, values in prometheus.query("truth_total[2m]"):
        for when, told in values:
            at.setdefault(float(when), []).append(float(told))
        numbers = [float(told) for _, told in values]
        assert numbers == sorted(numbers), f"it went back: {numbers}"
    moments = sorted(when for when, values in at.items() if len(values) == SERIES)
    assert len(moments) >= ROUNDS // 2, at
    for when in moments:
        low, high = recorder.low(when - LAG_S), recorder.high(when + 1)
        assert low - killed <= sum(at[when]) <= high, f"{low} <= {sum(at[when])} <= {high} at {when}"
    assert all(resets == 0 for _, resets in prometheus.query("resets(truth_total[2m])"))


def check_rate(prometheus, recorder, end):
    done = recorder.low(end) - recorder.low(end - WINDOW_S)
    told = prometheus.value(f"sum(rate(truth_total[{WINDOW_S}s]))", end)
    print(f"      rate() {told:.0f}/s, in truth {done / WINDOW_S:.0f}/s")
    assert abs(told * WINDOW_S - done) < 0.15 * done, (told, done / WINDOW_S)


@case
def kills_and_restarts_take_nothing_away():
    dice = random.Random(SEED)
    print(f"      PRODD_TEST_SEED={SEED}")
    target = f"127.0.0.1:{free_port()}"
    with Daemon(conf=f'metrics: {{ listen = "{target}"; }};') as d, Prometheus(target) as prometheus:
        truth = Truth(d.path("truth"), series=SERIES)
        recorder = Recorder(truth)
        with Counting(d, truth, "--workers", str(WORKERS), "--rate", str(RATE)) as c:
            c.await_workers(WORKERS)
            recorder.start()
            wait_until("the first scrape", lambda: prometheus.value("sum(truth_total)"), 30)  # comes after 5 s at the earliest
            torment(d, c, dice)
            await_all_shared(d)
            end = time.time()
        recorder.stop()
        low, high = truth.all()
        assert low > ROUNDS * RATE, low
        assert low <= sum(value(d, "counting", "truth_total", labels=f'n="{n}"') for n in range(SERIES)) <= high
        wait_until("all is scraped", lambda: low <= (prometheus.value("sum(truth_total)") or 0) <= high, 15)
        check_samples(prometheus, recorder, ROUNDS)
        if PLAIN:
            check_rate(prometheus, recorder, end)


main()
