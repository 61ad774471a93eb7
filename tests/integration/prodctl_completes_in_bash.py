#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The completion in a real bash: words of the grammar, names that the daemon knows, paths; and silence without a daemon."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from fake_prodd import PRODCTL, SRCDIR, FakeProdd, SILENCE, TestCase, environment, main

SCRIPT = os.path.join(SRCDIR, "packaging/completion/prodctl.bash")
ANSWERS = {
    "status": {"version": "1", "place": "/x", "pid": 1, "apps": [
        {"app": "billing"}, {"app": "orders", "environment": "a", "instances": [{"instance": "8080"}, {"instance": "8081"}]},
        {"app": "orders", "environment": "b"}]},
    "config.show": {"app": "orders", "entries": [{"key": "log.level", "type": "enum"}, {"key": "log.file", "type": "string"},
                                                 {"key": "server.port", "type": "int"}]},
    "spool.show": {"sinks": [{"sink": "local", "type": "file", "state": "ok"}]},
    "config.history": {"app": "orders", "generations": [{"generation": 17, "created_ms": 1}, {"generation": 16, "created_ms": 1}]},
}
# The words are split as readline does it with its default COMP_WORDBREAKS.
DRIVER = r"""
source "$1"; shift
COMP_WORDS=(prodctl "$@"); COMP_CWORD=$#
compopt() { :; }
_prodctl prodctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


class Bash(TestCase):
    def complete(self, *words, answers=ANSWERS, cwd=None):
        with FakeProdd(answers) as fake, tempfile.TemporaryDirectory() as bin_directory:
            os.symlink(PRODCTL, os.path.join(bin_directory, "prodctl"))
            env = environment(PRODD_CTL=fake.directory, PATH=bin_directory + ":" + os.environ["PATH"])
            result = subprocess.run(["bash", "--norc", "-c", DRIVER, "bash", SCRIPT, *words], env=env, cwd=cwd,
                                    capture_output=True, text=True, timeout=20)
            self.asked = fake.requests
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout.split()

    def test_verbs(self):
        self.assertEqual(self.complete(""), "reload confirm config status events log spool metrics version help".split())
        self.assertEqual(self.complete("co"), ["confirm", "config"])
        self.assertEqual(self.complete("config", "s"), ["show", "set", "schema"])
        self.assertEqual(self.complete("help", "config", "h"), ["history"])
        self.assertEqual(self.complete("log", ""), ["tail", "level"])
        self.assertEqual(self.complete("nonsense", ""), [])
        self.assertEqual(self.asked, [], "the grammar needs no daemon")

    def test_options(self):
        self.assertEqual(self.complete("reload", "--f"), ["--force"])
        self.assertEqual(self.complete("reload", "--"), ["--socket", "--json", "--help", "--version", "--dry-run",
                                                         "--confirm", "--force", "--timeout", "--restart-ok"])
        self.assertEqual(self.complete("--json", "config", "set", "--e"), ["--env"])
        self.assertEqual(self.complete("--v"), ["--version"])

    def test_levels(self):
        self.assertEqual(self.complete("log", "level", "orders", ""), "trace debug info warn error off own".split())
        self.assertEqual(self.complete("log", "tail", "--level", "w"), ["warn"])

    def test_spools_and_sinks(self):
        self.assertEqual(self.complete("spool", "show", ""), ["billing", "orders", "local"])

    def test_apps(self):
        self.assertEqual(self.complete("reload", ""), ["billing", "orders"])
        self.assertEqual(self.complete("reload", "--force", "o"), ["orders"])
        self.assertEqual(self.complete("events", "--app", "b"), ["billing"])
        self.assertEqual(self.complete("reload", "orders", ""), [])

    def test_instances(self):
        self.assertEqual(self.complete("config", "show", "orders/"), ["orders/8080", "orders/8081"])

    def test_keys(self):
        self.assertEqual(self.complete("config", "set", "orders", "log."), ["log.level", "log.file"])
        self.assertEqual(self.complete("config", "get", "orders/8080", "s"), ["server.port"])
        self.assertEqual(self.complete("--env", "staging", "config", "get", "orders", "s"), ["server.port"])
        self.assertEqual(self.asked[0][2], {"app": "orders", "environment": "staging"})
        self.assertEqual(self.complete("--env", "=", "staging", "config", "get", "orders", "s"), ["server.port"])
        self.assertEqual(self.asked[0][2], {"app": "orders", "environment": "staging"})

    def test_generations(self):
        self.assertEqual(self.complete("config", "rollback", "orders", ""), ["17", "16"])
        self.assertEqual(self.complete("config", "diff", "orders", "16", "1"), ["17", "16"])

    def test_paths(self):
        with tempfile.TemporaryDirectory() as directory:
            os.mkdir(os.path.join(directory, "with space"))
            open(os.path.join(directory, "file"), "w").close()
            self.assertEqual(self.complete("config", "check", "./f", cwd=directory), ["./file"])
            self.assertEqual(self.complete("--socket", "fi", cwd=directory), ["file"])
            self.assertEqual(self.complete("--socket", "=", "fi", cwd=directory), ["file"])

    def test_a_daemon_that_does_not_answer_is_not_waited_for(self):
        self.assertEqual(self.complete("reload", "", answers={"status": SILENCE}), [])
        self.assertEqual(self.complete("reload", "", answers={"hello": SILENCE}), [])

    def test_names_that_would_act_on_a_terminal(self):
        answers = {"status": {"version": "1", "place": "/x", "pid": 1, "apps": [{"app": "a\033[31m"}, {"app": "b\nc"}]}}
        self.assertEqual(self.complete("reload", "", answers=answers), ["a\\x1b[31m", "b\\nc"])


if __name__ == "__main__":
    if not shutil.which("bash"):
        print("bash is missing")
        sys.exit(77)
    main()
