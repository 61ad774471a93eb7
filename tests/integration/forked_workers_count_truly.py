#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Workers of a program that forks count for one app: what prodd says is what the program kept in a file of its own, whoever
of them is killed."""
import os
import random

from harness import Daemon, case, main, wait_until
from segments import value
from truth import Counting, Truth

SEED = int(os.environ.get("PRODD_TEST_SEED", random.randrange(1 << 32)))


def shown(d, n):
    return value(d, "counting", "truth_total", labels=f'n="{n}"') or 0


def await_threads(d, count):
    """So many are in segments that prodd has: killed now, they have counted."""
    wait_until(f"{count} threads", lambda: value(d, "counting", "truth_threads") == count)


def agrees(d, truth, killed):
    """Each counter is as the truth is, but for increments that were under way in threads that were killed."""
    for n in range(truth.series):
        low, high = truth.bounds(n)
        assert low <= shown(d, n) <= high, f"n={n}: {low} <= {shown(d, n)} <= {high}"
        assert high - low <= killed, (low, high)


@case
def four_workers_with_threads_count_to_the_last_one():
    with Daemon() as d:
        truth = Truth(d.path("truth"), series=3)
        with Counting(d, truth, "--workers", "4", "--threads", "2", "--rate", "0", "--count", "30000") as c:
            c.await_done(4)
            assert truth.all() == (240000, 240000)
            wait_until("all is shown", lambda: sum(shown(d, n) for n in range(3)) == 240000)
            agrees(d, truth, 0)
        agrees(d, truth, 0)
        assert value(d, "counting", "truth_threads") is None


@case
def killed_workers_have_counted():
    dice = random.Random(SEED)
    with Daemon() as d:
        truth = Truth(d.path("truth"), series=2)
        with Counting(d, truth, "--workers", "3", "--threads", "2", "--rate", "20000") as c:
            c.await_workers(3)
            for _ in range(10):
                await_threads(d, 6)
                c.kill_worker(dice.choice(c.workers))
                c.await_workers(3)
            await_threads(d, 6)
        agrees(d, truth, 20)
        assert truth.all()[0] > 1000


@case
def workers_go_on_without_daemon_and_without_master():
    with Daemon() as d:
        truth = Truth(d.path("truth"), series=1)
        with Counting(d, truth, "--workers", "2", "--threads", "1", "--rate", "20000") as c:
            c.await_workers(2)
            await_threads(d, 2)
            for _ in range(3):
                d.kill()
                before = truth.all()[0]
                wait_until("they count without it", lambda: truth.all()[0] > before + 100)
                d.start()
                await_threads(d, 2)
            c.kill_master()
            before = shown(d, 0)
            wait_until("they count without their master", lambda: shown(d, 0) > before + 100)
        agrees(d, truth, 0)


@case
def a_program_that_does_not_fork_counts_over_its_runs():
    with Daemon() as d:
        truth = Truth(d.path("truth"), series=1)
        for run in range(1, 4):
            with Counting(d, truth, "--workers", "0", "--threads", "3", "--rate", "0", "--count", "1000") as c:
                c.await_done(1)
                wait_until("all is shown", lambda: shown(d, 0) == 3000 * run)
        agrees(d, truth, 0)


print(f"PRODD_TEST_SEED={SEED}")
main()
