#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""metrics: values, averages and rates, quantiles, pages, and a daemon that says nonsense."""
import json
import re
import signal
import time
import unittest

from fake_prodd import Error, FakeProdd, TestCase, main, now_ms, start


def row(name, kind, value, labels="", **more):
    return {"app": "orders", "name": name, "type": kind, "help": "H.", "labels": labels, "value": value, **more}


def histogram(counts, bounds=(0.1, 0.5, 1.0), **more):
    return row("request_seconds", "histogram", 12.5, 'app="orders"', bounds=list(bounds), counts=list(counts), **more)


def cells(stdout):
    return [re.split(r"  +", line.rstrip()) for line in stdout.splitlines()]


class Metrics(TestCase):
    def show(self, rows, *words):
        with FakeProdd({"metrics": {"rows": rows}}) as fake:
            result = fake.run("metrics", *words)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            return result.stdout, fake.requests[0][2]

    def test_values_and_averages(self):
        since = now_ms() - 100_000
        out, asked = self.show([row("orders_total", "counter", 2**64 - 1, 'app="orders",code="200"'),
                                row("served_total", "counter", 500, 'app="orders"', created_ms=since),
                                row("queue", "gauge", 0.1), row("depth", "gauge", -3.0),
                                row("cpu_seconds_total", "counter", 1e-7, created_ms=now_ms() + 99_999)], "orders")
        self.assertEqual(asked, {"app": "orders"})
        head, *rows = cells(out)
        self.assertEqual(head, ["NAME", "LABELS", "VALUE", "RATE"])
        self.assertEqual(rows[0], ["orders_total", 'app="orders",code="200"', "18446744073709551615"])
        self.assertEqual(rows[1][2], "500")
        self.assertAlmostEqual(float(rows[1][3].removesuffix("/s")), 5, delta=0.5)
        self.assertEqual([r[-1] for r in rows[2:]], ["0.1", "-3", "1e-07"])

    def test_quantiles_are_those_of_prometheus(self):
        # histogram_quantile: 0.5 of 10 is the 5th: in (0.1, 0.5], the 3rd of 4 there
        out, _ = self.show([histogram([2, 4, 3, 1])])
        self.assertEqual(cells(out)[0][-3:], ["P50", "P90", "P99"])
        self.assertEqual(cells(out)[1][2:], ["10", "0.4", "1", "1"])
        out, _ = self.show([histogram([0, 0, 0, 0])])
        self.assertEqual(cells(out)[1][2:], ["0", "-", "-", "-"])
        out, _ = self.show([histogram([4, 0, 0], bounds=(-5.0, 0.0))])
        self.assertEqual(cells(out)[1][2:], ["4", "-5", "-5", "-5"])
        out, _ = self.show([histogram([3], bounds=())])
        self.assertEqual(cells(out)[1][2:], ["3", "inf", "inf", "inf"])

    def test_words(self):
        for words, asked in (((), {}), (("orders",), {"app": "orders"}), (("orders", "http_*"), {"app": "orders", "pattern": "http_*"}),
                             (("*", "open"), {"pattern": "open"})):
            self.assertEqual(self.show([], *words), ("no metrics\n", asked))

    def test_pages(self):
        def page(params):
            number = int(params.get("after", "0"))
            return {"rows": [row(f"n{number}", "gauge", 1.0)], "next": str(number + 1) if number < 4 else ""}

        with FakeProdd({"metrics": page}) as fake:
            result = fake.run("metrics")
            self.assertEqual([c[0] for c in cells(result.stdout)], ["NAME", "n0", "n1", "n2", "n3", "n4"])
            whole = json.loads(fake.run("metrics", "--json").stdout)
            self.assertEqual([r["name"] for r in whole["rows"]], ["n0", "n1", "n2", "n3", "n4"])
            self.assertEqual(whole["next"], "")

    def watch(self, *words):
        """The daemon counts 100 and observes 0.3 in each second."""
        began = time.monotonic()

        def answer(_):
            n = int(time.monotonic() - began)
            return {"rows": [row("served_total", "counter", 1000 + int(100 * (time.monotonic() - began)), created_ms=now_ms() - 10_000_000),
                             histogram([1000, 10 * n, 0, 0])]}

        with FakeProdd({"metrics": answer}) as fake:
            process = start("--socket", fake.directory, "metrics", "--watch", *words)
            lines = [process.stdout.readline() for _ in range(2 if words else 7)]
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(20), -signal.SIGINT)
            rest = process.stdout.read(), process.stderr.read()
            process.stdout.close()
            process.stderr.close()
            self.assertEqual(rest[1], "")
            return lines

    def test_watch_has_the_rates_between(self):
        head, counter, observed, empty, again, *_ = self.watch()
        self.assertEqual(head.split(), again.split())
        self.assertEqual(empty, "\n")
        rate = re.search(r" ([0-9.]+)/s", counter)[1]
        self.assertAlmostEqual(float(rate), 100, delta=10)
        # of all observations the median would be under 0.1; of those since the reading before it is 0.3
        self.assertEqual(observed.split()[-3:], ["0.3", "0.46", "0.496"])

    def test_watch_json_is_a_line_each(self):
        for line in self.watch("--json"):
            self.assertEqual([r["name"] for r in json.loads(line)["rows"]], ["served_total", "request_seconds"])

    def test_nonsense(self):
        out, _ = self.show([row("a", "counter", "text"), row("b", "gauge", None), row("c", "histogram", 1, bounds=[1], counts=[1]),
                            row("d", "histogram", 1, bounds=["x"], counts=[1, 2]), row("e", "histogram", 1),
                            row("f", "new", 5), row("g", "gauge", float("nan")), row("h\x1b[31m", "gauge", 1.0, "\n\x07")])
        for line, value in zip(cells(out)[1:], ("?", "?", "?", "?", "?", "5", "nan")):
            self.assertIn(value, line)
        self.assertNotIn("\x1b", out)
        self.assertNotIn("\x07", out)

    def test_the_daemons_error(self):
        with FakeProdd({"metrics": Error("not_permitted", "operators only")}) as fake:
            self.assertRun(fake.run("metrics"), 8, "", "prodctl: operators only\n")

    def test_a_next_without_rows_ends(self):
        with FakeProdd({"metrics": {"rows": [], "next": "again"}}) as fake:
            self.assertRun(fake.run("metrics"), 0, "no metrics\n", "")


if __name__ == "__main__":
    main()
