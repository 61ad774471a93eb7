#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""--json: one object on a line, "schema" first, every field of the wire's table under its name, values as JSON has them."""
import json
import os
import re
import unittest

from fake_prodd import SRCDIR, FakeProdd, TestCase, main, report, reports, run

VERBS = {
    "reload": ("reload", {"reports": [report("committed", changes=[{"key": "k", "now": "1"}])]}, "reports"),
    "confirm orders": ("confirm", {"reports": []}, "reports"),
    "config show orders": ("config.show", {"app": "orders"}, "shown"),
    "config get orders k": ("config.show", {"app": "orders", "entries": [{"key": "k", "type": "int", "value": 1}]}, "shown"),
    "config explain orders k": ("config.explain", {"app": "orders", "entries": [{"key": "k", "type": "int"}]}, "explained"),
    "config diff orders": ("config.diff", {"reports": []}, "reports"),
    "config check orders": ("config.check", {"reports": []}, "reports"),
    "config set orders k v": ("config.set", {"reports": []}, "reports"),
    "config unset orders k": ("config.unset", {"reports": []}, "reports"),
    "config history orders": ("config.history", {"app": "orders"}, "history"),
    "config rollback orders": ("config.rollback", {"reports": []}, "reports"),
    "config schema orders": ("config.schema", {"app": "orders"}, "schema"),
    "status": ("status", {"version": "1", "place": "/run/prodd", "pid": 1}, "status"),
    "events": ("events", {}, "events"),
    "metrics": ("metrics", {}, "metrics_page"),
}


def fields_of(record):
    headers = ""
    for name in ("schema.h", "schema_log.h", "schema_metric.h"):
        with open(os.path.join(SRCDIR, "proto", name), encoding="utf-8") as header:
            headers += header.read()
    table = re.search(rf"#define WIRE_FIELDS_{record}\(F, T\)(.*?)\n\n", headers, re.S).group(1)
    names = re.findall(r"F\(T, \w+, +(\w+),", table)
    return ["has_schema" if n == "schema" else n for n in names]


def ordered(text):
    return json.loads(text, object_pairs_hook=list)


class Json(TestCase):
    def ask(self, verb, method, answer):
        with FakeProdd({method: answer}) as fake:
            result = fake.run(*verb.split(), "--json")
            self.assertEqual(result.stderr, "")
            self.assertEqual(result.stdout.count("\n"), 1)
            return result.stdout

    def test_every_verb_has_every_field(self):
        for verb, (method, answer, record) in VERBS.items():
            with self.subTest(verb):
                members = ordered(self.ask(verb, method, answer))
                self.assertEqual(members[0], ("schema", 1))
                self.assertEqual([m[0] for m in members[1:]], fields_of(record))

    def test_nested_records_too(self):
        answer = {"reports": [report("committed", 3, changes=[{"key": "k", "old": "1", "now": "2"}], linked=["a", "b"])]}
        row = json.loads(self.ask("reload", "reload", answer))["reports"][0]
        self.assertEqual(list(row), fields_of("report"))
        self.assertEqual(list(row["changes"][0]), fields_of("change"))
        self.assertEqual((row["exit"], row["linked"], row["note"], row["changes"][0]["now"]), (3, ["a", "b"], "", "2"))

    def test_counters_and_accounts(self):
        answer = {"version": "1", "place": "/x", "pid": 1, "counters": [{"name": "frames_in", "value": 2**64 - 1}],
                  "accounts": [{"uid": 1000, "bytes_max": 5}]}
        status = json.loads(self.ask("status", "status", answer))
        self.assertEqual(status["counters"][0]["value"], 2**64 - 1)
        self.assertEqual(status["accounts"][0]["bytes_max"], 5)

    def test_values(self):
        values = [None, True, False, 0, -5, 2**63 - 1, -2**63, 2**64 - 1, 0.1, 1.0, 1e300, 5e-324, "", "ä€😀",
                  'quote " back \\ slash', "nl\n tab\t nothing\x01 del\x7f c1\x9b", "</script>\u2028", [1, "a", True, 0.5], []]
        entries = [{"key": f"k{i}", "type": "x", "value": v} for i, v in enumerate(values)]
        text = self.ask("config show orders", "config.show", {"app": "orders", "entries": entries})
        got = [e["value"] for e in json.loads(text)["entries"]]
        self.assertEqual(got, values)
        self.assertEqual([type(v) for v in got], [type(v) for v in values])
        self.assertFalse(re.search("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]", text), "control characters are escaped")

    def test_what_json_cannot_say_is_null(self):
        entries = [{"key": k, "type": "float", "value": v} for k, v in
                   (("a", float("inf")), ("b", float("-inf")), ("c", float("nan")))] + [{"key": "d", "type": "int"}]
        shown = json.loads(self.ask("config show orders", "config.show", {"app": "orders", "entries": entries}))
        self.assertEqual([e["value"] for e in shown["entries"]], [None] * 4)

    def test_bytes_are_hexadecimal(self):
        entries = [{"key": "a", "type": "x", "value": b"\x00\xffz"}]
        shown = json.loads(self.ask("config show orders", "config.show", {"app": "orders", "entries": entries}))
        self.assertEqual(shown["entries"][0]["value"], "00ff7a")

    def test_exit_status_is_the_same(self):
        with FakeProdd({"reload": reports(report("invalid", 4))}) as fake:
            result = fake.run("reload", "--json")
            self.assertRun(result, 4, stderr="")
            self.assertEqual(json.loads(result.stdout)["reports"][0]["outcome"], "invalid")

    def test_version(self):
        with FakeProdd() as fake:
            members = ordered(fake.run("version", "--json").stdout)
            self.assertEqual([m[0] for m in members],
                             ["schema", "version", "commit", "built", "features", "daemon", "socket"])
        self.assertEqual(json.loads(run("--version", "--json").stdout)["schema"], 1)

    def test_unknown_fields_are_left_out(self):
        answer = {"app": "orders", "of_a_later_version": [1, {"a": 2}]}
        self.assertNotIn("of_a_later_version", self.ask("config show orders", "config.show", answer))


if __name__ == "__main__":
    main()
