#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The exit table of prodctl(1): rows of reports, errors of the daemon, and every status there is."""
import os
import re
import unittest

from fake_prodd import SRCDIR, Error, FakeProdd, TestCase, main, report, reports, run


class Rows(TestCase):
    def status(self, *exits, words=("reload",)):
        rows = [report("committed" if e in (0, 3, 10) else "failed", e) for e in exits]
        with FakeProdd({"reload": reports(*rows)}) as fake:
            return fake.run(*words).returncode

    def test_each_alone(self):
        for status in (0, 1, 3, 4, 5, 6, 9, 10):
            with self.subTest(status):
                self.assertEqual(self.status(status), status)

    def test_worst_of_all(self):
        order = [4, 5, 6, 9, 1, 10, 3, 0]
        for i, worst in enumerate(order[:-1]):
            with self.subTest(worst):
                self.assertEqual(self.status(*reversed(order[i:])), worst)

    def test_restart_ok_forgives_nothing_else(self):
        self.assertEqual(self.status(3, 0, words=("reload", "--restart-ok")), 0)
        self.assertEqual(self.status(3, 10, words=("reload", "--restart-ok")), 10)
        self.assertEqual(self.status(3, 4, words=("reload", "--restart-ok")), 4)

    def test_the_outcome_counts_when_the_row_has_no_status(self):
        for outcome, status in (("invalid", 4), ("rejected", 5), ("no_answer", 6), ("busy", 9), ("failed", 1),
                                ("committed", 0), ("unchanged", 0)):
            with self.subTest(outcome), FakeProdd({"reload": reports(report(outcome))}) as fake:
                self.assertEqual(fake.run("reload").returncode, status)

    def test_a_status_that_is_not_in_the_table(self):
        self.assertEqual(self.status(77), 1)
        self.assertEqual(self.status(256), 1)


class Errors(TestCase):
    def test_every_code_of_the_list(self):
        with open(os.path.join(SRCDIR, "proto/include/prodd/error.h"), encoding="utf-8") as header:
            rows = re.findall(r'X\(\w+, +\d+, "(\w+)", +\d, +(\d+),', header.read())
        self.assertGreater(len(rows), 15)
        for word, status in rows:
            with self.subTest(word), FakeProdd({"status": Error(word, "what happened")}) as fake:
                result = fake.run("status")
                self.assertRun(result, int(status), "")
                self.assertTrue(result.stderr.startswith("prodctl: what happened\n"), result.stderr)

    def test_a_code_of_a_later_version(self):
        with FakeProdd({"status": Error("too_modern", "what happened")}) as fake:
            self.assertRun(fake.run("status"), 1, "", "prodctl: what happened\n")

    def test_json_carries_the_error(self):
        with FakeProdd({"config.show": Error("not_found", 'no app "x"')}) as fake:
            self.assertRun(fake.run("--json", "config", "show", "x"), 1, '{"schema":1,"error":{"code":"not_found",'
                           '"text":"no app \\"x\\"","exit":1}}\n', 'prodctl: no app "x"\n')

    def test_full_disk(self):
        with FakeProdd({"status": {"version": "1", "place": "/x", "pid": 1}}) as fake:
            result = run("--socket", fake.directory, "status", prefix=("/bin/sh", "-c", 'exec "$0" "$@" > /dev/full'))
            self.assertRun(result, 1, "", "prodctl: cannot write the output: No space left on device\n")


if __name__ == "__main__":
    main()
