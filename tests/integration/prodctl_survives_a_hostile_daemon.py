#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever the daemon answers or does not: prodctl ends soon, says what was wrong, and sends nothing raw to a terminal."""
import re
import struct
import threading
import time
import unittest

import msgpack
from fake_prodd import (CLOSE, SILENCE, WELCOME, Error, FakeProdd, Raw, TestCase, frame, main, reports,
                        run_on_terminal)

STATUS = {"version": "0.1.0", "place": "/run/prodd", "pid": 712}
NASTY = "a\033]0;owned\007b\r\nc\x9b31m\x7f\u202eevil\u2066\ufeff\x00"
NASTY_TEXT = NASTY.replace("\x00", "")
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class Answers(TestCase):
    def refuse(self, answer, status, text, method="status", words=("status",)):
        with FakeProdd({method: answer}) as fake:
            result = fake.run(*words)
            self.assertRun(result, status, "")
            self.assertIn(text, result.stderr)
            self.assertLess(len(result.stderr), 2000)

    def test_garbage(self):
        for name, data in (("zeros", bytes(64)), ("text", b"HTTP/1.1 400 Bad Request\r\n\r\n"), ("bomb", frame(b"\xdd\x04\0\0\0")),
                           ("ext", frame(b"\xd4\x00\x00")), ("half", frame(b"\x94\x01\x02")),
                           ("scalar", frame(5)), ("call shape", frame([1, 2, 3])), ("type 7", frame([7, 1, None, {}])),
                           ("deep", frame(b"\x91" * 5000 + b"\xc0")), ("huge", struct.pack(">I", 2**32 - 1))):
            with self.subTest(name):
                self.refuse(Raw(data), 1, "does not speak prodd's protocol: ")

    def test_garbage_for_a_welcome(self):
        with FakeProdd({"hello": Raw(b"\0\0\0\x01\xc1")}) as fake:
            self.assertRun(fake.run("status"), 1, "")

    def test_wrong_types(self):
        for name, answer in (("text for a map", "x"), ("list for a map", []), ("missing", {}), ("pid", {**STATUS, "pid": "x"}),
                             ("negative", {**STATUS, "pid": -1}), ("apps", {**STATUS, "apps": 5}),
                             ("an app", {**STATUS, "apps": ["x"]}), ("deep", {**STATUS, "apps": [{"app": "a", "instances": [{}]}]}),
                             ("deeper", {**STATUS, "apps": [{"app": "a", "instances": [{"instance": "1", "kept": [3]}]}]}),
                             ("lines", {**STATUS, "problems": [{"id": "x", "subject": "y", "lines": [1]}]})):
            with self.subTest(name):
                self.refuse(answer, 1, "does not speak prodd's protocol: ")

    def test_invalid_utf8(self):
        body = msgpack.packb([1, 2, None, {**STATUS, "version": "XX"}]).replace(b"XX", b"\xff\xfe")
        self.refuse(Raw(frame(body)), 1, "not text")
        body = msgpack.packb([1, 2, {"code": "failed", "text": "XX"}, None]).replace(b"XX", b"\xff\xfe")
        with FakeProdd({"status": Raw(frame(body))}) as fake:
            self.assertRun(fake.run("status"), 1, "")

    def test_lists_over_their_limit(self):
        self.refuse({**STATUS, "problems": [{"id": "x", "subject": "y"}] * 257}, 1, "257 elements, at most 256")

    def test_an_answer_to_something_else(self):
        late = frame([1, 99, None, STATUS]) + frame([1, 1, None, WELCOME]) + frame([2, "event", {}]) + frame([2, "what", {}])
        with FakeProdd({"status": Raw(late + frame([1, 2, None, STATUS]))}) as fake:
            self.assertRun(fake.run("status"), 0, stderr="")

    def test_closed_in_the_middle(self):
        whole = frame([1, 2, None, STATUS])
        for size in (0, 1, 3, 4, 5, len(whole) - 1):
            with self.subTest(size):
                self.refuse(Raw(whole[:size], close=True), 1, "closed the connection")
        self.refuse(CLOSE, 1, "what came of it is not known here: prodctl status orders", "reload", ("reload", "orders"))

    def test_it_says_why_it_goes(self):
        self.refuse(Raw(frame([2, "going_away", {"reason": "upgrade"}]), close=True), 1, "closed the connection: upgrade")

    def test_closed_at_once(self):
        with FakeProdd({"hello": CLOSE}) as fake:
            result = fake.run("status")
            self.assertRun(result, 7, "")
            self.assertIn(f"no prodd at {fake.path('ctl.sock')}: it closed the connection at once", result.stderr)

    def test_a_protocol_of_the_future(self):
        with FakeProdd({"hello": Error("unsupported", "protocol 2 to 3 is spoken here")}) as fake:
            self.assertRun(fake.run("status"), 1, "", "prodctl: protocol 2 to 3 is spoken here\n")

    def test_a_byte_at_a_time(self):
        whole = frame([1, 2, None, STATUS])
        with FakeProdd({"status": SILENCE}) as fake:
            thread = threading.Thread(target=self.dribble, args=(fake, whole))
            thread.start()
            self.assertRun(fake.run("status"), 0)
            thread.join()

    @staticmethod
    def dribble(fake, data):
        fake.await_request("status")
        for i in range(len(data)):
            fake.connections[0].sendall(data[i:i + 1])

    def test_eight_megabytes(self):
        entries = [{"key": f"k{i}", "type": "string", "value": "x" * 900} for i in range(8192)]
        with FakeProdd({"config.show": {"app": "a", "entries": entries}}) as fake:
            result = fake.run("config", "show", "a")
            self.assertRun(result, 0)
            self.assertEqual(result.stdout.count("\n"), 8192)
            self.assertEqual(fake.run("config", "show", "a", "--json").stdout.count("\n"), 1)

    def test_one_wide_cell_does_not_widen_all(self):
        entries = [{"key": f"k{i}", "type": "string", "value": "x" * (65000 if i == 0 else 1)} for i in range(8000)]
        with FakeProdd({"config.show": {"app": "a", "entries": entries}}) as fake:
            result = fake.run("config", "show", "a")
            self.assertRun(result, 0)
            self.assertLess(len(result.stdout), 2000000)


class Terminal(TestCase):
    def assertClean(self, text):
        self.assertFalse(RAW.search(text.replace("\r\n", "\n").replace("\033[1m", "").replace("\033[0m", "")
                                    .replace("\033[32m", "").replace("\033[33m", "").replace("\033[1;31m", "")), repr(text))

    def test_nothing_acts(self):
        n = NASTY_TEXT
        candidate = {"layer": n[:9], "file": n, "line": 1, "text": n}
        entry = {"key": n, "type": n[:9], "value": n, "candidates": [candidate]}
        cases = {
            ("status",): ("status", {**STATUS, "version": n, "place": n, "environment": n,
                                     "problems": [{"id": n[:9], "subject": n, "lines": [n, n], "command": n, "since_ms": 2**63}],
                                     "apps": [{"app": n, "instances": [{"instance": n, "state": n[:9]}], "transaction": n}]}),
            ("reload",): ("reload", reports(
                {"app": n, "environment": n, "outcome": "committed", "exit": 3, "note": n, "linked": [n],
                 "changes": [{"key": n, "old": n, "now": n, "file": n, "restart": True}],
                 "instances": [{"instance": n, "answer": n[:9], "state": "applied", "kept": [{"key": n, "value": n}]},
                               {"instance": n, "state": "diverged", "reason": n},
                               {"instance": n, "answer": "silent", "process": n}]},
                {"app": n, "outcome": "invalid", "problems": [{"file": n, "key": n, "text": n}]})),
            ("config", "show", "a"): ("config.show", {"app": n, "entries": [entry]}),
            ("config", "get", "a", n): ("config.show", {"app": n, "entries": [entry]}),
            ("config", "explain", "a", "k"): ("config.explain", {
                "app": n, "entries": [entry], "variable": n, "variables": [{"instance": n, "value": n, "problem": n}],
                "rules": [{"key": n, "type": n[:9], "min": n, "max": n}]}),
            ("config", "history", "a"): ("config.history", {"app": n, "generations": [
                {"generation": 1, "created_ms": 2**64 - 1, "cause": n}]}),
            ("config", "schema", "a"): ("config.schema", {"app": n, "keys": [
                {"key": n, "type": n[:9], "def": n, "pattern": n, "one_of": [n], "help": n, "origin": n}]}),
            ("events",): ("events", {"events": [{"number": 1, "time_ms": 1, "kind": n[:9], "app": n, "instance": n, "text": n}]}),
            ("confirm", "a"): ("confirm", Error("failed", n)),
        }
        for words, (method, answer) in cases.items():
            with self.subTest(words), FakeProdd({method: answer}) as fake:
                status, text = run_on_terminal("--socket", fake.directory, *words)
                self.assertClean(text)
                self.assertIn(status, (0, 1, 3, 4))
                self.assertTrue("\\x1b]0;owned" in text or " ]0;owned" in text, repr(text))
                self.assertClean(run_on_terminal("--socket", fake.directory, "--json", *words)[1]
                                 .replace("\u202e", "").replace("\u2066", "").replace("\ufeff", ""))

    def test_a_value_for_a_program_is_as_it_is(self):
        entry = {"key": "k", "type": "string", "value": "a\tb\033c"}
        with FakeProdd({"config.show": {"app": "a", "entries": [entry]}}) as fake:
            self.assertRun(fake.run("config", "get", "a", "k"), 0, "a\tb\033c\n")


class Time(TestCase):
    """Each of these waits for a deadline of prodctl: they run side by side."""

    def test_silences(self):
        results = {}

        def timed(name, answers, *words):
            with FakeProdd(answers) as fake:
                start = time.monotonic()
                result = fake.run(*words)
                results[name] = (result.returncode, result.stderr.replace(fake.path("ctl.sock"), "SOCKET"),
                                 time.monotonic() - start, fake.pings)

        def flood(_params):
            return Raw(frame([2, "event", {}]) * 20000)

        cases = [
            ("welcome", {"hello": SILENCE}, "status"),
            ("answer", {"status": SILENCE, "ping": SILENCE}, "status"),
            ("pinged", {"status": SILENCE}, "status"),
            ("reload", {"reload": SILENCE, "ping": SILENCE}, "reload", "orders"),
            ("flood", {"status": flood}, "status"),
        ]
        threads = [threading.Thread(target=timed, args=case) for case in cases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results["welcome"][:2], (7, "prodctl: no prodd at SOCKET: no welcome within 2000 ms\n"
                         "  systemctl status prodd      or, for a private daemon: prodctl --socket PATH\n"))
        for name in ("answer", "pinged", "flood"):
            self.assertEqual(results[name][:2], (1, "prodctl: prodd at SOCKET does not answer\n"), name)
        self.assertEqual(results["reload"][:2], (1, "prodctl: prodd at SOCKET does not answer\n"
                         "  what came of it is not known here: prodctl status orders\n"))
        self.assertEqual(results["reload"][3], 1, "it was asked whether it lives")
        for name, least, most in (("welcome", 2, 4), ("answer", 5, 8), ("pinged", 5, 8), ("flood", 5, 8), ("reload", 6, 9)):
            self.assertTrue(least <= results[name][2] + 0.1 <= most, (name, results[name][2]))


if __name__ == "__main__":
    main()
