#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of prodd at random points while an app writes 100,000 records into a ring of 64 MiB: none is lost, none comes
twice, and they come in order. prodd-ship dies with prodd, and goes on from its file.

PRODD_RECORD_SEEDS: how many seeds (5; `make check-fault`: 200). PRODD_SEED: that one alone.
The control: a daemon that forgets what it has in its spool must be found out."""
import os
import random
import re
import shutil
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from harness import Daemon, case, main  # noqa: E402
from rings import Logger, Ring, count_lines, file_of, record  # noqa: E402
from waiting import wait_until  # noqa: E402

RECORDS = 100000
SEEDS = int(os.environ.get("PRODD_RECORD_SEEDS", "5"))
POLICIES = ["interval", "interval", "never", "always"]


def numbers(d):
    with open(file_of(d, "orders"), "rb") as f:
        data = f.read()
    assert data.endswith(b"\n"), "a torn line"
    return [int(n) for n in re.findall(rb'"number":(\d+)', data)], [int(n) for n in re.findall(rb'"seq":(\d+)', data)]


def produce(ring):
    """Each with a time of its own, by which a spool that began anew is told from the one before."""
    began = 1 << 40  # \xcf and eight bytes
    head = record("n", when=began, number=70000)[:-4]  # 70000 is \xce and four bytes
    assert head[2:10] == began.to_bytes(8, "big")
    for number in range(RECORDS):
        ring.wait_write(head[:2] + (began + number).to_bytes(8, "big") + head[10:] + number.to_bytes(4, "big"), deadline=60)


def run(seed, between=None):
    """One seed; returns the numbers in the file, and what the lines' seq are."""
    dice = random.Random(seed)
    ring = Ring(64 << 20)
    with Daemon(conf=f'log: {{ sync = "{dice.choice(POLICIES)}"; }};') as d:
        producer = threading.Thread(target=produce, args=(ring,))
        producer.start()
        producer.join(dice.choice([0, 0.3]) * dice.random())  # so much is there at once
        app = Logger(d, "orders", ring=ring)
        try:
            for _ in range(dice.randrange(1, 5)):
                producer.join(dice.choice([0.01, 0.05, 0.2]) * dice.random())
                d.kill()
                app.close()
                if between:
                    between(d)
                d.start()
                app = Logger(d, "orders", ring=ring)
            producer.join()
            # what is lost never comes, so the end is what was written last
            app.sync(timeout=60)
            end = app.call("log.push", {"records": record("end", number=RECORDS)}, timeout=60)
            assert end == {"taken": 1}, end
            wait_until("the last line", lambda: b'"msg":"end"' in open(file_of(d, "orders"), "rb").read()[-1000:], 60)
        finally:
            producer.join()
            app.close()
        d.stop()
        d.killed = True
        result = numbers(d)
    ring.close()
    return result


@case
def no_record_is_lost_and_none_comes_twice():
    first = int(os.environ.get("PRODD_SEED", "0"))
    seeds = range(first, first + (1 if "PRODD_SEED" in os.environ else SEEDS))
    for seed in seeds:
        got, seq = run(seed)
        assert got == list(range(RECORDS + 1)), f"PRODD_SEED={seed}: {len(got)} lines, first difference at " \
            f"{next((i for i, n in enumerate(got) if n != i), len(got))}"
        assert seq == sorted(set(seq)), f"PRODD_SEED={seed}: seq"
    print(f"  {len(seeds)} seeds of {RECORDS} records")


@case
def a_daemon_that_forgets_its_spool_is_found_out():
    """The control."""
    def forget(d):
        shutil.rmtree(d.path("state", "spool"), ignore_errors=True)

    for seed in range(1000, 1005):
        got, _ = run(seed, between=forget)
        if got != list(range(RECORDS + 1)):
            return
    raise AssertionError("the spool was removed, and nothing was missed")


main()
