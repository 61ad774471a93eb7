#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whoever mistypes is told which word is wrong, and what was probably meant; nothing is sent."""
import unittest

from fake_prodd import FakeProdd, TestCase, main, run

WRONG = [
    ("", "a verb is missing"),
    ("cofnig show orders", 'unknown word "cofnig"; did you mean "config"?'),
    ("relaod", 'unknown word "relaod"; did you mean "reload"?'),
    ("frobnicate", 'unknown word "frobnicate"'),
    ("show orders", 'unknown word "show"; did you mean "config show"?'),
    ("config", "config needs a verb: show, get, explain, diff, check, set, unset, history, rollback, schema"),
    ("config shwo orders", 'config has no verb "shwo"; did you mean "show"?'),
    ("config reload orders", 'config has no verb "reload"'),
    ("config set orders", "config set needs KEY"),
    ("config set orders key", "config set needs VALUE"),
    ("config get", "config get needs APP[/INSTANCE]"),
    ("config check", "config check needs APP|DIR"),
    ("reload orders billing", 'reload: one word too many: "billing"'),
    ("status a b c d e f g h", 'status: one word too many: "b"'),
    ("reload orders/8080", 'reload takes an app, not an instance: "orders/8080"'),
    ("config show /8080", 'config show: "/8080" is not the name of an app'),
    ("config show orders/", 'config show: "orders/" is not the name of an app'),
    ("config show " + "x" * 129, 'config show: "' + "x" * 129 + '" is not the name of an app'),
    ("reload --dry-rum", 'unknown option "--dry-rum"; did you mean "--dry-run"?'),
    ("reload --dry-rum=1", 'unknown option "--dry-rum"; did you mean "--dry-run"?'),
    ("reload -x", 'unknown option "-x"'),
    ("status --force", "status takes no --force"),
    ("reload --env e", "reload takes no --env"),
    ("reload --force=yes", "--force=yes: --force takes no value"),
    ("reload --timeout", "--timeout needs a value: --timeout DUR"),
    ("reload --timeout=", "--timeout: an empty DUR"),
    ("reload --timeout 10", '--timeout: "10" is not a duration of 1ms or more, such as 30s, 5m or 1h30m'),
    ("reload --confirm 1us", '--confirm: "1us" is not a duration of 1ms or more, such as 30s, 5m or 1h30m'),
    ("reload --confirm -1s", '--confirm: "-1s" is not a duration of 1ms or more, such as 30s, 5m or 1h30m'),
    ("config show orders --generation 0", '--generation: "0" is not a number from 1'),
    ("config show orders --generation 99999999999999999999",
     '--generation: "99999999999999999999" is not a number from 1'),
    ("config rollback orders last", '"last" is not the number of a generation'),
    ("config diff orders 1 2 3", 'config diff: one word too many: "3"'),
    ("help reload now", 'help: one word too many: "now"'),
    ("help nonsense", 'there is no verb "nonsense"'),
]


class Wrong(TestCase):
    def test_every_mistake(self):
        with FakeProdd() as fake:
            for words, text in WRONG:
                with self.subTest(words):
                    result = fake.run(*words.split(" ") if words else ())
                    self.assertRun(result, 2, "")
                    self.assertEqual(result.stderr.splitlines()[0], "prodctl: " + text)
            self.assertEqual(fake.requests, [])

    def test_the_next_line_says_how(self):
        self.assertEqual(run("config", "set", "orders").stderr.splitlines()[1],
                         "  usage: prodctl config set APP KEY VALUE [--env E] [--restart-ok] [--for DUR]")
        self.assertEqual(run("cofnig").stderr.splitlines()[1], "  prodctl --help")

    def test_control_characters_are_not_echoed(self):
        result = run("\033[31mred")
        self.assertRun(result, 2)
        self.assertIn('unknown word " [31mred"', result.stderr)


class Right(TestCase):
    def test_options_anywhere(self):
        with FakeProdd({"reload": {"reports": []}}) as fake:
            for words in (("--force", "reload", "orders"), ("reload", "--force", "orders"), ("reload", "orders", "--force")):
                self.assertRun(fake.run(*words), 0)
            self.assertEqual([r[2] for r in fake.requests], [{"app": "orders", "force": True}] * 3)

    def test_help_on_stdout(self):
        for words in (("--help",), ("-h",), ("help",), ("help", "config"), ("config", "--help"), ("help", "config", "set"),
                      ("config", "set", "--help"), ("reload", "a", "b", "--help")):
            with self.subTest(words):
                result = run(*words)
                self.assertRun(result, 0, stderr="")
                self.assertTrue(result.stdout.startswith("Usage: prodctl "))

    def test_version_needs_no_daemon(self):
        for words in (("--version",), ("-V",), ("reload", "--version")):
            result = run(*words)
            self.assertRun(result, 0, stderr="")
            self.assertRegex(result.stdout, r"^prodctl \(prodd\) [\d.]+\ncommit \w+, built [\d-]{10}, features: .*\n$")

    def test_version_of_the_daemon(self):
        with FakeProdd() as fake:
            result = fake.run("version")
            self.assertRun(result, 0)
            self.assertEqual(result.stdout.splitlines()[2], f"prodd 0.1.0 at {fake.path('ctl.sock')}, pid 712")
        self.assertIn("no prodd at /nowhere/ctl.sock: No such file", run("version", "--socket", "/nowhere/ctl.sock").stdout)


if __name__ == "__main__":
    main()
