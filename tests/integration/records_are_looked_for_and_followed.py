#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""log.tail, log.level and spool.show with the real daemon, and prodctl's screens of them: nothing is missed between the past and
what comes, a slow reader holds up nobody, levels reach those who log and end by themselves."""
import json
import os
import subprocess
import threading

import msgpack

from harness import Client, Daemon, Refused, case, main, need_root, wait_until
from rings import Logger, count_lines, lines, spool

PRODCTL = os.path.abspath(os.environ.get("PRODCTL", "./prodctl"))


def prodctl(d, *words):
    """What it prints; must end with 0."""
    result = subprocess.run([PRODCTL, "--socket", d.path("run"), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=60, check=False, env={**os.environ, "TZ": "UTC"})
    assert result.returncode == 0, (words, result.returncode, result.stderr)
    return result.stdout


def message(row):
    return msgpack.unpackb(row["record"])[3]


def fields(row):
    values = msgpack.unpackb(row["record"])
    return dict(zip(values[8::2], values[9::2]))


def tail(d, **params):
    return d.call("log.tail", params).get("records", [])


@case
def the_past_is_found_by_app_level_and_text_over_restarts():
    with Daemon() as d:
        with Logger(d, "orders") as orders, Logger(d, "billing") as billing:
            for number in range(30):
                orders.log(f"order {number}", level="warn" if number % 10 == 0 else "info", customer="alice" if number == 3 else "bob")
                billing.log(f"bill {number}", level="debug")
            lines(d, "orders", 30), lines(d, "billing", 30)
            assert [message(r) for r in tail(d, app="orders", last=2)] == ["order 28", "order 29"]
        d.restart()
        assert [message(r) for r in tail(d, app="orders", last=2)] == ["order 28", "order 29"]
        assert [message(r) for r in tail(d, level="warn", last=2)] == ["order 10", "order 20"]
        assert [message(r) for r in tail(d, match="alice", last=5)] == ["order 3"]
        assert [r["app"] for r in tail(d, last=4)] == ["orders", "billing"] * 2
        shown = [json.loads(line) for line in prodctl(d, "log", "tail", "orders", "-n", "3", "--json").splitlines()]
        assert shown == lines(d, "orders", 30)[-3:]
        text = prodctl(d, "log", "tail", "--level", "warn")
        assert text.count("\n") == 3 and "  warn   orders/" in text and "order 20  customer=bob" in text, text


class Busy(threading.Thread):
    """Logs numbers from 0 on, for the length of a `with`."""

    def __init__(self, app):
        super().__init__(daemon=True)
        self.app, self.over = app, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        number = 0
        while not self.over.is_set():
            self.app.log("n", number=number)
            number += 1


@case
def nothing_is_missed_or_twice_between_the_past_and_what_comes():
    for sync in ("interval", "always"):
        with Daemon(conf=f'log: {{ sync = "{sync}"; }};') as d, Logger(d, "orders") as app, Busy(app):
            lines(d, "orders", 200)
            for _ in range(10):
                with d.operator() as c:
                    past = c.call("log.tail", {"app": "orders", "last": 100, "follow": True})["records"]
                    seen = [fields(r)["number"] for r in past]
                    while len(seen) < 200:
                        seen.append(fields(c.expect_note("log.record"))["number"])
                    assert seen == list(range(seen[0], seen[0] + 200)), (sync, seen)


@case
def who_reads_too_slowly_misses_records_and_holds_up_nobody():
    with Daemon() as d, Logger(d, "orders") as app, d.operator() as slow:
        assert slow.call("log.tail", {"follow": True}) == {}
        for number in range(5000):
            app.log("n", number=number, padding="x" * 500)
        lines(d, "orders", 5000)
        assert d.rss() < 100 * 2**20
        seen, lost = [], 0
        while not seen or seen[-1] < 5000:
            if len(seen) and not slow.queue:
                app.log("n", number=5000)       # once more, until it comes with what was lost
            record = slow.expect_note("log.record")
            lost += record.get("lost", 0)
            seen.append(fields(record)["number"])
        assert lost > 0 and len(seen) >= 100
        assert sorted(set(seen)) == sorted(set(seen[:-1])) + [5000] and seen == sorted(seen)
        assert len(seen) - 1 + lost >= 5000


@case
def an_app_may_look_at_its_own():
    need_root()
    with Daemon(conf='app: { mine: { user = "65533"; }; };') as d:
        with Client(d.app_socket, uid=65533) as c:
            c.hello("mine", "1")
            c.call("log.push", {"records": b""})
            assert c.call("log.tail", {"app": "mine", "follow": True, "last": 5}) == {}
            assert c.call("log.level", {"app": "mine", "level": "debug"})["instances"] == 1
            for params in ({"app": "orders", "last": 1}, {"last": 1}):
                assert c.refusal("log.tail", params).code == "not_permitted"
            assert c.refusal("log.level", {"app": "orders"}).code == "not_permitted"
            assert c.refusal("spool.show", {}).code == "not_permitted"


@case
def levels_reach_those_who_log_and_end_by_themselves():
    with Daemon() as d, Logger(d, "orders", "1") as first, Logger(d, "billing") as other:
        assert first.expect_note("log.levels") == {} == other.expect_note("log.levels")
        assert prodctl(d, "log", "level", "orders", "debug") == "orders: 1 instance told\nTARGET  LEVEL  ENDS\n(all)   debug  with prodd\n"
        assert first.expect_note("log.levels") == {"levels": [{"level": "debug"}]}
        prodctl(d, "log", "level", "orders/db.pool", "trace", "--for", "1s")
        rows = first.expect_note("log.levels")["levels"]
        assert rows[0] == {"level": "debug"} and rows[1]["target"] == "db.pool" and 0 < rows[1]["left_ms"] <= 1000, rows
        with Logger(d, "orders", "2") as second:
            assert len(second.expect_note("log.levels")["levels"]) == 2
            for app in (first, second):
                assert app.expect_note("log.levels") == {"levels": [{"level": "debug"}]}
        assert "in 1" not in prodctl(d, "log", "level", "orders")
        prodctl(d, "log", "level", "orders", "own")
        assert first.expect_note("log.levels") == {}
        kinds = [e["kind"] for e in d.call("events", {})["events"] if e["kind"].startswith("level")]
        assert kinds == ["level_set", "level_set", "level_ended", "level_ended"], kinds
        other.pump()
        assert other.queue == [], "another app was told"


@case
def spools_and_sinks_are_shown():
    with Daemon() as d, Logger(d, "orders") as app:
        for number in range(10):
            app.log("n", number=number)
        app.sync()
        lines(d, "orders", 10)
        wait_until("the sink has all", lambda: spool(d, "orders")["sinks"][0].get("number") == 10)
        text = prodctl(d, "spool", "list")
        assert "sync interval  full drop_oldest" in text, text
        assert [line.split()[:3] for line in text.splitlines() if line.startswith(("orders", "local"))] == [
            ["orders", "10", "11"], ["local", "file", "ok"]], text
        text = prodctl(d, "spool", "show", "orders")
        assert "numbers 1 to 10, durable up to 10; 10 records" in text and "  local         10       0        0\n" in text, text
        assert prodctl(d, "spool", "show", "local").startswith("local  type file  ok"), text
        text = prodctl(d, "status")
        assert "\nSINK   TYPE  STATE" in text and "local  file  ok" in text, text
        row = next(r for r in d.status()["apps"] if r["app"] == "orders")
        assert row["records"] == 10, row
        wait_until("the rate is known", lambda: any(r.get("records_rate") for r in d.status()["apps"]))


main()
