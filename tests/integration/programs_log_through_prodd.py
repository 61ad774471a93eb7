#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Programs with the library log through a real prodd, end in every way, and live with it away: what they were told is
logged is in the file once, in order."""
import collections
import json
import os
import signal
import subprocess

from harness import Daemon, DEADLINE, case, main, wait_until

LOGGER = os.path.abspath(os.environ.get("LOGGER_BIN", "./tests/programs/logger"))
APPS = {"orders": {"default.conf": "x = 1;"}}


def logger(daemon, *words, **options):
    return subprocess.Popen([LOGGER, "--socket", daemon.app_socket, "--cache", daemon.path("cache"), *words],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)


def run(daemon, *words, expect=0):
    """Runs it to its end; returns how many records it says are logged."""
    program = logger(daemon, *words)
    output, _ = program.communicate(timeout=60)
    assert program.returncode == expect, (words, program.returncode, output)
    return sum(int(line.split()[1]) for line in output.splitlines())


def lines(daemon):
    try:
        with open(daemon.path("log", "orders.jsonl")) as f:
            text = f.read()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


def by_thread(records):
    found = collections.defaultdict(list)
    for r in records:
        if r["msg"] == "record":
            found[r["worker"], r["t"], r["instance"]].append(r["n"])
    return found


def arrives(daemon, count, groups=1):
    """All of them, each once, in the order of each thread."""
    wait_until(f"{count} lines", lambda: len(lines(daemon)) >= count, DEADLINE * 2)
    records = lines(daemon)
    found = by_thread(records)
    assert len(records) == count and len(found) == groups, (len(records), count, {k: len(v) for k, v in found.items()})
    for key, numbers in found.items():
        assert numbers == list(range(len(numbers))), (key, numbers[:20])
    return records


@case
def a_program_that_ends_at_once_has_said_all():
    with Daemon(apps=APPS) as d:
        for way in ([], ["--own-loop"], ["--ring", "0"], ["--ring", "0", "--own-loop"], ["--end", "exit", "--sync", "5000"]):
            before = len(lines(d))
            assert run(d, "--count", "300", *way) == 300
            wait_until("300 more", lambda: len(lines(d)) == before + 300)


@case
def threads_and_workers_keep_their_order():
    with Daemon(apps=APPS) as d:
        assert run(d, "--count", "500", "--threads", "4", "--workers", "4", "--instance", "8080") == 10000
        records = arrives(d, 10000, groups=20)
        names = {r["instance"] for r in records}
        assert "8080" in names and len(names) == 5 and all(n.startswith("8080") for n in names), names
        assert len({r["pid"] for r in records}) == 5


@case
def a_program_that_is_killed_has_said_all():
    with Daemon(apps=APPS) as d:
        run(d, "--count", "5000", "--ring", "8388608", "--connect", "5000", "--end", "kill", expect=-signal.SIGKILL)
        arrives(d, 5000)


@case
def without_the_ring_the_same_loses():
    """The control of the case before."""
    with Daemon(apps=APPS) as d:
        run(d, "--count", "5000", "--ring", "0", "--connect", "5000", "--end", "kill", expect=-signal.SIGKILL)
        run(d, "--count", "1", "--sync", "5000")
        assert len(by_thread(lines(d))) <= 2 and len(lines(d)) < 5000


@case
def nothing_is_lost_or_doubled_over_restarts_of_prodd():
    with Daemon(apps=APPS) as d:
        program = logger(d, "--count", "3000", "--pause", "500", "--connect", "5000", "--ring", "8388608", "--sync", "20000")
        for kill in (False, True, False, True):
            before = len(lines(d))
            wait_until("more lines", lambda: len(lines(d)) > before + 100)
            if kill:
                d.kill()
                d.start()
            else:
                d.restart()
        output, _ = program.communicate(timeout=60)
        assert program.returncode == 0 and output == "logged 3000 0\n", (program.returncode, output)
        arrives(d, 3000)


@case
def a_life_without_prodd_is_told_later():
    with Daemon(apps=APPS, start=False) as d:
        assert run(d, "--count", "400", "--threads", "2") == 800
        assert run(d, "--count", "400", "--own-loop") == 400
        assert len([f for f in os.listdir(d.path("cache")) if ".rest-" in f]) == 2
        d.start()
        program = logger(d, "--count", "10", "--end", "wait")
        wait_until("all of them", lambda: len(lines(d)) >= 1210)
        assert len(lines(d)) == 1210
        wait_until("no file is left", lambda: not [f for f in os.listdir(d.path("cache")) if ".rest-" in f])
        program.communicate(timeout=DEADLINE)


@case
def a_stopped_prodd_stops_nobody():
    with Daemon(apps=APPS) as d:
        d.signal(signal.SIGSTOP)
        try:
            program = logger(d, "--count", "20000", "--ring", "65536")
            output, _ = program.communicate(timeout=DEADLINE)
            logged, dropped = map(int, output.split()[1:])
            assert logged > 300 and logged + dropped == 20000, output
        finally:
            d.signal(signal.SIGCONT)


@case
def prodd_comes_when_the_program_runs_already():
    with Daemon(apps=APPS, start=False) as d:
        program = logger(d, "--count", "1000", "--end", "wait")
        assert program.stdout.readline() == "logged 1000 0\n"
        d.start()
        arrives(d, 1000)
        program.communicate(timeout=DEADLINE)
        assert program.returncode == 0
        assert len(lines(d)) == 1000


main()
