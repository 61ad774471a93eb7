#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""log and spool: records for people and as JSON lines, followed and missed; levels; spools and sinks; hostile answers."""
import json
import signal
import time
import unittest

import msgpack

from fake_prodd import Error, FakeProdd, TestCase, main, ms_of, now_ms, start

AT_MS = ms_of("2026-11-22 03:02:11")
INFO, WARN, ERROR = 2, 3, 4


def record(message, number=1, app="orders", level=INFO, target="main", instance="8080", crash=None, ms=AT_MS + 123, lost=0,
           fields=(), **more):
    """A log.record of the wire."""
    body = [ms * 1000000, level, target, message, "worker-3", "orders.c:88", None, None]
    for key, value in fields:
        body += [key, value]
    return {"app": app, "number": number, "lost": lost, "origin": msgpack.packb([instance, 4711, 998, b"", 0, crash]),
            "record": msgpack.packb(body), **more}


RECORDS = [
    record("order served", 10421, fields=[("order_id", 42), ("paid", True), ("ratio", 0.1), ("note", "two words"),
                                          ("empty", ""), ("none", None), ("key", b"\x00\x01")]),
    record("the pool is nearly full", 10422, level=WARN, target="db.pool"),
    record("cannot write", 10423, app="billing", level=ERROR, instance="billing", crash="SIGKILL"),
]


class Tail(TestCase):
    def tail(self, answer, *words):
        with FakeProdd({"log.tail": answer}) as fake:
            result = fake.run("log", "tail", *words)
            return result, fake.requests[0][2] if fake.requests else None

    def test_for_people(self):
        result, asked = self.tail({"records": RECORDS}, "orders")
        self.assertRun(result, 0, """\
2026-11-22 03:02:11.123  info   orders/8080  main  order served  order_id=42 paid=true ratio=0.1 note="two words" \
empty="" none=(nothing) key=(4 bytes)
2026-11-22 03:02:11.123  warn   orders/8080  db.pool  the pool is nearly full
2026-11-22 03:02:11.123  error  billing/billing  main  cannot write  crashed=SIGKILL
""", "")
        self.assertEqual(asked, {"app": "orders", "last": 10})

    def test_of_today_without_the_date(self):
        now = now_ms()
        result, _ = self.tail({"records": [record("x", ms=now)]})
        at = time.strftime("%H:%M:%S", time.gmtime(now / 1000))
        self.assertRun(result, 0, f"{at}.{now % 1000:03d}  info   orders/8080  main  x\n")

    def test_json_is_the_line_of_the_sinks(self):
        result, _ = self.tail({"records": RECORDS}, "--json")
        first, second, third = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual(list(first)[:7], ["time", "level", "app", "instance", "seq", "target", "msg"])
        self.assertEqual((first["time"], first["seq"], first["order_id"], first["note"]),
                         ("2026-11-22T03:02:11.123000000Z", 10421, 42, "two words"))
        self.assertEqual((second["level"], second["target"]), ("warn", "db.pool"))
        self.assertEqual((third["app"], third["crashed"]), ("billing", "SIGKILL"))

    def test_what_is_asked(self):
        for words, asked in (((), {"last": 10}), (("--app", "orders"), {"app": "orders", "last": 10}),
                             (("-n", "3", "--level", "warn", "--match", "a b"), {"last": 3, "level": "warn", "match": "a b"})):
            self.assertEqual(self.tail({}, *words)[1], asked)
        for words, text in ((("orders", "--app", "orders"), "log tail: the app is named twice"),
                            (("--last", "1001"), "--last: at most 1000"),
                            (("orders/8080",), 'log tail takes an app, not an instance: "orders/8080"')):
            result, asked = self.tail({}, *words)
            self.assertEqual((result.returncode, asked), (2, None))
            self.assertIn(text, result.stderr)

    def test_control_characters_stay_off_the_terminal(self):
        evil = "\x1b[2J\nforged line\u202e"
        result, _ = self.tail({"records": [record(evil, target=evil, instance="8080", fields=[(evil, evil)])]})
        self.assertEqual(result.stdout.count("\n"), 1)
        self.assertNotIn("\x1b", result.stdout)
        self.assertNotIn("\u202e", result.stdout)

    def test_nonsense_is_no_record(self):
        for part in ({"record": b""}, {"record": b"\xc0"}, {"record": RECORDS[0]["record"][:-1]}, {"origin": b"\x90"},
                     {"origin": RECORDS[0]["origin"] + b"\xc0"}):
            for words in ((), ("--json",)):
                result, _ = self.tail({"records": [{**RECORDS[0], **part}]}, *words)
                self.assertEqual(result.returncode, 1)
                self.assertEqual(result.stderr, "prodctl: prodd sent something that is no record\n")


class Follow(TestCase):
    def follow(self, fake, *words):
        process = start("--socket", fake.directory, "log", "tail", "-f", *words)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        fake.await_request("log.tail")
        return process

    def test_what_comes_and_what_was_missed(self):
        with FakeProdd({"log.tail": {"records": [record("past", 1)]}}) as fake:
            process = self.follow(fake)
            self.assertIn("past", process.stdout.readline())
            fake.note("log.record", record("now", 2))
            self.assertIn("now", process.stdout.readline())
            fake.note("log.record", record("later", 9, lost=6))
            self.assertIn("later", process.stdout.readline())
            self.assertEqual(process.stderr.readline(), "prodctl: 6 records missed here: read too slowly\n")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(20), -signal.SIGINT)
            self.assertEqual(fake.requests[0][2], {"last": 10, "follow": True})

    def test_json_lines(self):
        with FakeProdd({"log.tail": {}}) as fake:
            process = self.follow(fake, "--json", "orders")
            fake.note("log.record", record("a", 1))
            self.assertEqual(json.loads(process.stdout.readline())["msg"], "a")
            process.terminate()
            self.assertEqual(process.wait(20), -signal.SIGTERM)

    def test_the_daemon_goes(self):
        with FakeProdd({"log.tail": {}}) as fake:
            process = self.follow(fake)
            fake.connections[0].shutdown(2)
            self.assertEqual(process.wait(20), 7)
            self.assertEqual(process.stderr.read(), f"prodctl: prodd at {fake.path('ctl.sock')} has gone\n")


class Level(TestCase):
    def level(self, answer, *words):
        with FakeProdd({"log.level": answer}) as fake:
            result = fake.run("log", "level", *words)
            return result, fake.requests[0][2] if fake.requests else None

    def test_set(self):
        rows = [{"level": "debug"}, {"target": "db.pool", "level": "trace", "left_ms": 600000}]
        result, asked = self.level({"app": "orders", "levels": rows, "instances": 2}, "orders/db.pool", "trace", "--for", "10m")
        self.assertEqual(asked, {"app": "orders", "target": "db.pool", "level": "trace", "for_ms": 600000})
        self.assertRun(result, 0, """\
orders: 2 instances told
TARGET   LEVEL  ENDS
(all)    debug  with prodd
db.pool  trace  in 10 min
""", "")

    def test_show_and_own(self):
        result, asked = self.level({"app": "orders"}, "orders")
        self.assertRun(result, 0, "orders: its own levels count\n")
        self.assertEqual(asked, {"app": "orders"})
        result, asked = self.level({"app": "orders"}, "orders", "own")
        self.assertRun(result, 0, "orders: no instance that logs is connected; those that come are told\n"
                                  "orders: its own levels count\n")
        self.assertEqual(asked, {"app": "orders", "level": "own"})

    def test_refused(self):
        result, _ = self.level(Error("usage", "no level \"loud\": trace, debug ..."), "orders", "loud")
        self.assertEqual((result.returncode, result.stderr), (2, "prodctl: no level \"loud\": trace, debug ...\n"))
        for words in (("orders", "--for", "1m"), ("orders", "own", "--for", "1m")):
            result, asked = self.level({}, *words)
            self.assertEqual((result.returncode, asked), (2, None))


SPOOLS = {"policy": "interval", "full": "drop_oldest", "bytes": 3 * 2**20 + 600000, "limit": 4 * 2**30, "spools": [
    {"app": "billing", "bytes": 2**20, "limit": 2**30, "segments": 1, "oldest": 1, "next": 1, "records": 0,
     "sinks": [{"sink": "local", "number": 0}]},
    {"app": "orders", "bytes": 2 * 2**20 + 600000, "limit": 2**30, "segments": 3, "oldest": 9000, "next": 10424, "synced": 10400,
     "records": 1423, "quarantined": 96, "dropped": [{"reason": "ring_full", "count": 4}, {"reason": "oldest", "count": 8999}],
     "sinks": [{"sink": "local", "number": 10423}, {"sink": "audit", "number": 10000, "behind": 423, "missing": 7}]}],
    "sinks": [{"sink": "local", "type": "file", "state": "ok", "pid": 4242, "shipped": 1423},
              {"sink": "audit", "type": "stdout", "state": "retry", "reason": "Broken pipe", "again_ms": 48000, "lag_ms": 2460000,
               "behind": 12345, "shipped": 1000, "rejected": 2}]}


class Spool(TestCase):
    def spool(self, *words, answer=SPOOLS):
        with FakeProdd({"spool.show": answer}) as fake:
            result = fake.run("spool", *words)
            self.asked = [r[2] for r in fake.requests]
            return result

    def test_list(self):
        self.assertRun(self.spool("list"), 0, """\
3.5 MiB kept of 4.0 GiB  sync interval  full drop_oldest

APP      RECORDS   NEXT  SPOOLED  SEGMENTS  DROPPED
billing        0      1  1.0 MiB         1        0
orders      1423  10424  2.5 MiB         3     9003

SINK   TYPE    STATE     LAG  SPOOLED  REJECTED
local  file    ok        0 s        0         0
audit  stdout  retry  41 min   12 KiB         2
""", "")

    def test_none(self):
        self.assertRun(self.spool("list", answer={"policy": "never", "full": "block"}), 0,
                       "0 kept  sync never  full block\n\nno spools yet\n")

    def test_an_app(self):
        self.assertRun(self.spool("show", "orders"), 0, """\
orders  2.5 MiB of 1.0 GiB in 3 segments
  numbers 9000 to 10423, durable up to 10400; 1423 records since the start of prodd
  dropped: 4 (ring_full)
  dropped: 8999 (oldest)
  damage passed over: 96
  SINK   HAS UP TO  BEHIND  MISSING
  local      10423       0        0
  audit      10000     423        7
""", "")

    def test_a_sink(self):
        self.assertRun(self.spool("show", "audit"), 0, """\
audit  type stdout  retry
  Broken pipe; next try in 48 s
  1000 shipped, 2 rejected; 12 KiB still to read, the oldest 41 min old
""", "")

    def test_all_and_unknown_and_json(self):
        self.assertEqual(self.spool("show").stdout.count("\n\n"), 4)
        result = self.spool("show", "ordres")
        self.assertEqual((result.returncode, result.stderr), (1, "prodctl: there is no spool and no sink of the name ordres\n"))
        self.assertEqual(json.loads(self.spool("show", "orders", "--json").stdout)["limit"], 4 * 2**30)
        self.assertEqual(self.asked, [{}, {"app": "orders"}])
        self.spool("show", "audit", "--json")
        self.assertEqual(self.asked, [{}, {"sink": "audit"}])
        self.assertEqual(len(json.loads(self.spool("list", "--json").stdout)["spools"]), 2)


if __name__ == "__main__":
    main()
