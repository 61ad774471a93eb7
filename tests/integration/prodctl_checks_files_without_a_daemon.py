#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""config check DIR hands over to prodd-parse: its output and status are the command's, and no daemon is asked."""
import os
import tempfile
import unittest

from fake_prodd import FakeProdd, TestCase, main, report, reports, run

SCRIPT = """#!/bin/sh
printf '%s|' "$@"
printf 'wrong\\n' >&2
exit 4
"""


class Check(TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.libexec = directory.name

    def install(self):
        path = os.path.join(self.libexec, "prodd-parse")
        with open(path, "w", encoding="utf-8") as script:
            script.write(SCRIPT)
        os.chmod(path, 0o755)

    def check(self, *words):
        return run("config", "check", *words, "--socket", "/nowhere", env={"PRODD_LIBEXEC": self.libexec})

    def test_words_are_passed_on(self):
        self.install()
        for words, passed in (((".",), "--check|.|"), (("..",), "--check|..|"),
                              (("./orders", "--env", "staging"), "--check|./orders|--env|staging|"),
                              (("/etc/orders", "--json"), "--check|/etc/orders|--json|")):
            self.assertRun(self.check(*words), 4, passed, "wrong\n")

    def test_no_helper(self):
        self.assertRun(self.check("/etc/orders"), 1, "",
                       f"prodctl: {self.libexec}/prodd-parse: No such file or directory\n")

    def test_a_name_is_an_app(self):
        self.install()
        with FakeProdd({"config.check": reports(report("unchanged", to=3))}) as fake:
            self.assertRun(run("--socket", fake.directory, "config", "check", "orders", env={"PRODD_LIBEXEC": self.libexec}),
                           0, "orders  valid, the same as generation 3\n")


if __name__ == "__main__":
    main()
