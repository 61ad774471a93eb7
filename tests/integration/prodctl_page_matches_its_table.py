#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The manual page has every verb and option of the table and no other; its screens are those that a test has seen."""
import os
import re
import unittest

from fake_prodd import SRCDIR, TestCase, main, run

# Options that the page describes once, and not under each verb that takes them.
ONCE = {"--env", "--restart-ok", "--generation"}


def read(path):
    with open(os.path.join(SRCDIR, path), encoding="utf-8") as f:
        return f.read()


def verbs_of_help():
    lines = run("--help").stdout.split("\nVerbs\n")[1].split("\n\n")[0].splitlines()
    return [re.split(r"  +", line.strip())[0] for line in lines]


def options_of_help(*words):
    """ "--for DUR" of the verb, or of all of them without one."""
    return set(re.findall(r"^  (?:-\w, )?(--[\w-]+(?: [A-Z]+)?)  ", run("--help", *words).stdout, re.M))


class Page(TestCase):
    def setUp(self):
        self.page = read("doc/man/prodctl.1.scd")
        self.plain = re.sub(r"[*_]", "", self.page)

    def section(self, title):
        return re.search(rf"^# {title}\n(.*?)(?=^# |\Z)", self.page, re.M | re.S).group(1)

    def test_verbs(self):
        self.assertEqual(re.findall(r"^## (.*)$", self.section("VERBS"), re.M), verbs_of_help())

    def test_options_of_each_verb(self):
        common = options_of_help()
        for text in re.split(r"^## ", self.section("VERBS"), flags=re.M)[1:]:
            title, body = text.split("\n", 1)
            words = [w for w in re.split(r"[ \[]", title) if w and not w.strip("[]").isupper() and "|" not in w and "/" not in w]
            written = set(re.findall(r"^\t(?:-\w, )?(--[\w-]+(?: [A-Z]+)?)$", re.sub(r"[*_]", "", body), re.M))
            known = options_of_help(*words) - common
            with self.subTest(title):
                self.assertEqual(written - known, set(), "in the page, not in the table")
                self.assertEqual({o for o in known - written if o.split()[0] not in ONCE}, set(),
                                 "in the table, not in the page")

    def test_common_options(self):
        written = set(re.findall(r"^(?:-\w, )?(--[\w-]+(?: [A-Z]+)?)$", re.sub(r"[*_]", "", self.section("OPTIONS")), re.M))
        self.assertEqual(written, options_of_help() | {"--env E"})

    def test_every_option_is_somewhere(self):
        everything = set.union(*(options_of_help(*re.findall(r"\b[a-z]+\b", v)) for v in verbs_of_help()))
        for option in everything:
            self.assertIn(option, self.plain)

    def test_exit_table(self):
        page = re.findall(r"^\|\[? +\*(\d+)\*$", self.section("EXIT STATUS"), re.M)
        helped = re.findall(r"^  (\d+) ", run("--help").stdout.split("\nExit status\n")[1], re.M)
        header = sorted({int(n) for n in re.findall(r'X\(\w+, +\d+, "\w+", +\d, +(\d+),', read("proto/include/prodd/error.h"))})
        self.assertEqual(page, helped)
        self.assertEqual([int(n) for n in page], sorted({0, 3, *header}))

    def test_screens_were_seen(self):
        seen = read("tests/integration/prodctl_prints_the_screens_of_the_manual.py")
        screens = re.findall(r"^```\n\$ (prodctl [^\n]*)\n(.*?)```$", self.page, re.M | re.S)
        self.assertGreater(len(screens), 5)
        for command, screen in screens:
            with self.subTest(command):
                self.assertIn(screen, seen)

    def test_help_of_help(self):
        for verb in verbs_of_help():
            words = [w for w in verb.split() if w.islower()]
            self.assertTrue(run("help", *words).stdout.startswith(f"Usage: prodctl {verb}"), verb)


if __name__ == "__main__":
    main()
