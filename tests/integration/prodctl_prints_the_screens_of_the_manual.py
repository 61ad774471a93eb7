#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every screen that prodctl(1) shows, letter by letter."""
import time
import unittest

from fake_prodd import Error, FakeProdd, TestCase, main, ms_of, now_ms, report, reports, run_on_terminal

APPLIED = [{"instance": "8080", "answer": "accepted", "state": "applied"},
           {"instance": "8081", "answer": "accepted", "state": "applied"}]
CONNECTIONS = {"key": "database.max_connections", "old": "20", "now": "100", "file": "production.conf", "line": 2}
PORT = {"key": "server.port", "old": "8080", "now": "9090", "restart": True, "file": "default.conf", "line": 2}


def clock(ms):
    return time.strftime("%H:%M:%S", time.gmtime(ms / 1000))


def later_today():
    """A time some minutes from now, or before, but of today."""
    now = now_ms()
    return now + 60000 if time.gmtime(now / 1000 + 61)[7] == time.gmtime(now / 1000)[7] else now - 60000


class Reload(TestCase):
    def reload(self, answer, *words):
        with FakeProdd({"reload": answer}) as fake:
            return fake.run("reload", "orders", *words)

    def test_success(self):
        row = report("committed", **{"from": 16}, to=17, elapsed_ms=40, changes=[
            CONNECTIONS, {"key": "upstream.timeout", "old": "2s", "now": "1.5s", "file": "default.conf", "line": 4}],
            instances=APPLIED)
        self.assertRun(self.reload(reports(row)), 0, """\
orders  generation 16 -> 17  (2 keys, 0.04 s)
  database.max_connections  20 -> 100     production.conf:2
  upstream.timeout          2s -> 1.5s    default.conf:4
  orders/8080  applied
  orders/8081  applied
""", "")

    def test_unchanged(self):
        self.assertRun(self.reload(reports(report("unchanged", **{"from": 17}, to=17))), 0,
                       "orders  generation 17, files unchanged\n", "")

    def test_restart_needed(self):
        kept = [{"key": "server.port", "value": "8080"}]
        row = report("committed", 3, **{"from": 17}, to=18, changes=[PORT], instances=[
            {"instance": "8080", "answer": "accepted", "state": "applied", "kept": kept},
            {"instance": "8081", "answer": "accepted", "state": "applied", "kept": kept}])
        self.assertRun(self.reload(reports(row)), 3, """\
orders  generation 17 -> 18  RESTART NEEDED for server.port
  server.port  8080 -> 9090    default.conf:2
  orders/8080  applied, keeps server.port 8080 until restarted
  orders/8081  applied, keeps server.port 8080 until restarted
""", "")
        self.assertRun(self.reload(reports(row), "--restart-ok"), 0)

    def test_restart_needed_by_an_instance(self):
        row = report("committed", 3, **{"from": 17}, to=18, changes=[CONNECTIONS], instances=[
            {"instance": "8080", "answer": "restart", "state": "restart", "reason": "pool is fixed"}])
        self.assertRun(self.reload(reports(row)), 3, """\
orders  generation 17 -> 18  RESTART NEEDED by orders/8080
  database.max_connections  20 -> 100    production.conf:2
  orders/8080  restart needed, stays on generation 17 until then: pool is fixed
""")

    def test_restart_still_needed(self):
        row = report("committed", 3, **{"from": 18}, to=19, changes=[CONNECTIONS], instances=[
            {"instance": "8080", "answer": "accepted", "state": "applied", "kept": [{"key": "server.port", "value": "1"}]}])
        self.assertRun(self.reload(reports(row)), 3, """\
orders  generation 18 -> 19  RESTART NEEDED still for server.port
  database.max_connections  20 -> 100    production.conf:2
  orders/8080  applied, keeps server.port 1 until restarted
""")

    def test_invalid_on_stderr(self):
        row = report("invalid", 4, **{"from": 17}, problems=[
            {"file": "/etc/orders/production.conf", "line": 2, "key": "database.max_connections",
             "text": "700 is not in 1..500"},
            {"file": "/etc/orders/default.conf", "line": 4, "key": "upstream.timout",
             "text": "unknown key; did you mean \"upstream.timeout\"?"},
            {"file": "/etc/orders/conf.d/10-local.conf", "line": 9,
             "text": "syntax error, expected \";\" after the value"}])
        self.assertRun(self.reload(reports(row)), 4, "", """\
orders  INVALID, generation 17 stays live; no app was asked
  /etc/orders/production.conf:2: database.max_connections: 700 is not in 1..500
  /etc/orders/default.conf:4: upstream.timout: unknown key; did you mean "upstream.timeout"?
  /etc/orders/conf.d/10-local.conf:9: syntax error, expected ";" after the value
""")

    def test_rejected(self):
        row = report("rejected", 5, **{"from": 17}, to=18, changes=[CONNECTIONS], instances=[
            {"instance": "8080", "answer": "accepted", "state": "rolled_back"},
            {"instance": "8081", "answer": "rejected", "state": "rolled_back",
             "reason": "database.max_connections: the database allows 100"}])
        self.assertRun(self.reload(reports(row)), 5, """\
orders  REJECTED, rolled back, generation 17 stays live
  orders/8080  accepted (rolled back)
  orders/8081  rejected: database.max_connections: the database allows 100
""", "")

    def test_no_answer(self):
        row = report("no_answer", 6, **{"from": 17}, to=18, timeout_ms=5000, instances=[
            {"instance": "8080", "answer": "accepted", "state": "rolled_back"},
            {"instance": "8081", "answer": "silent", "state": "rolled_back", "pid": 4711, "heard_ms": 125000,
             "process": "stopped"}])
        self.assertRun(self.reload(reports(row)), 6, """\
orders  NO ANSWER in 5 s, rolled back, generation 17 stays live
  orders/8080  accepted (rolled back)
  orders/8081  no answer (pid 4711, last heard 2 min ago, process is stopped)
To commit without it: prodctl reload orders --force
""", "")

    def test_diverged(self):
        row = report("committed", 10, **{"from": 17}, to=18, changes=[CONNECTIONS], instances=[
            {"instance": "8080", "answer": "accepted", "state": "diverged", "reason": "no such pool"},
            {"instance": "8081", "answer": "accepted", "state": "unconfirmed", "pid": 4711},
            {"instance": "8082", "answer": "accepted", "state": "applied"},
            {"instance": "8083", "answer": "accepted", "state": "gone"},
            {"instance": "8084", "state": "refused", "reason": "APP_X: not an int"}])
        self.assertRun(self.reload(reports(row)), 10, """\
orders  generation 17 -> 18  NOT IN USE by orders/8080, orders/8081, orders/8084
  database.max_connections  20 -> 100    production.conf:2
  orders/8080  diverged: no such pool
  orders/8081  unconfirmed (pid 4711)
  orders/8082  applied
  orders/8083  gone, gets it when it comes back
  orders/8084  refused, its own environment is invalid: APP_X: not an int
""")

    def test_confirm_within(self):
        at = later_today()
        row = report("committed", **{"from": 17}, to=18, confirm_at=at, instances=APPLIED)
        self.assertRun(self.reload(reports(row), "--confirm", "60s"), 0, f"""\
orders  generation 17 -> 18, rolls back at {clock(at)} unless: prodctl confirm orders
  orders/8080  applied
  orders/8081  applied
""")

    def test_dry_run(self):
        row = report("would_commit", **{"from": 17}, to=18, elapsed_ms=40, changes=[CONNECTIONS], instances=[
            {"instance": "8080", "answer": "accepted", "state": "rolled_back"}])
        self.assertRun(self.reload(reports(row), "--dry-run"), 0, """\
orders  would commit generation 17 -> 18  (1 key, 0.04 s)
  database.max_connections  20 -> 100    production.conf:2
  orders/8080  accepted
""")

    def test_several_apps_and_environments(self):
        rows = [report("committed", environment="staging", to=1, elapsed_ms=12345, changes=[
                    {"key": "a", "now": "1", "added": True, "file": "default.conf", "line": 1},
                    {"key": "b", "old": "1", "removed": True}], linked=["billing", "mail"], note="a note"),
                {"app": "billing", "outcome": "busy", "exit": 9, "from": 3, "note": "a reload by root runs"},
                {"app": "mail", "outcome": "no_files"}]
        with FakeProdd({"reload": reports(*rows, joined=True)}) as fake:
            self.assertRun(fake.run("reload"), 9, """\
orders (staging)  generation 1, the first  (2 keys, 12 s)
  a  (not set) -> 1    default.conf:1
  b  1 -> (not set)
  one transaction, by a shared file that changed, with billing, mail
  a note
mail  no configuration files
(joined a reload that ran already)
""", """\
billing  BUSY, generation 3 stays live
  a reload by root runs
""")

    def test_nothing_to_do(self):
        with FakeProdd({"reload": reports()}) as fake:
            self.assertRun(fake.run("reload"), 0, "nothing differs from what is live\n", "")

    def test_thousands_of_changes_are_summed_up(self):
        changes = [{"key": f"k{i}", "old": "1", "now": "2", "file": "default.conf", "line": i + 1} for i in range(5000)]
        result = self.reload(reports(report("committed", **{"from": 1}, to=2, changes=changes)))
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), 102)
        self.assertEqual(lines[-1], "  and 4900 more: prodctl config diff orders 1 2")

    def test_what_is_asked(self):
        with FakeProdd({"reload": reports()}) as fake:
            fake.run("reload", "orders", "--dry-run", "--confirm", "1m", "--force", "--timeout=1.5s")
            fake.run("reload")
            self.assertEqual(fake.requests, [
                ("ctl.sock", "reload", {"app": "orders", "dry_run": True, "force": True, "confirm_ms": 60000,
                                        "timeout_ms": 1500}),
                ("ctl.sock", "reload", {})])


class Confirm(TestCase):
    def test_confirmed(self):
        with FakeProdd({"confirm": reports(report("committed", **{"from": 18}, to=18))}) as fake:
            self.assertRun(fake.run("confirm", "orders"), 0, "orders  generation 18 confirmed\n")

    def test_nothing_to_confirm(self):
        with FakeProdd({"confirm": Error("not_found", "orders: nothing waits to be confirmed")}) as fake:
            self.assertRun(fake.run("confirm", "orders"), 1, "", "prodctl: orders: nothing waits to be confirmed\n")


ENTRY = {"key": "database.max_connections", "type": "int", "value": 100, "candidates": [
    {"layer": "file", "file": "production.conf", "line": 2, "text": "100"},
    {"layer": "file", "file": "default.conf", "line": 3, "text": "20"},
    {"layer": "default", "file": "schema.conf", "line": 9, "text": "10"}]}
EXPLAINED = {"app": "orders", "generation": 17, "entries": [ENTRY],
             "rules": [{"key": "database.max_connections", "type": "int", "min": 1, "max": 500}],
             "variable": "APP_DATABASE_MAX_CONNECTIONS"}
SHOWN = {"app": "orders", "generation": 17, "schema": True, "entries": [
    ENTRY,
    {"key": "log.level", "type": "enum", "value": "info", "candidates": [
        {"layer": "default", "file": "schema.conf", "line": 21, "text": "info"}]},
    {"key": "motd", "type": "string", "value": "two words", "candidates": [
        {"layer": "override", "file": "root", "text": "two words"}]},
    {"key": "ratio", "type": "float", "value": 0.1, "candidates": [
        {"layer": "variable", "file": "APP_RATIO", "text": "0.1"}]},
    {"key": "tags", "type": "list", "value": ["a", "b c", 3], "candidates": [
        {"layer": "file", "file": "default.conf", "line": 7}]},
    {"key": "upload.max", "type": "size", "value": 67108864, "candidates": [
        {"layer": "file", "file": "default.conf", "line": 8}]},
    {"key": "upstream.timeout", "type": "duration", "value": 1500000000, "candidates": [
        {"layer": "file", "file": "conf.d/10-local.conf", "line": 1}]},
    {"key": "verbose", "type": "bool"}]}


class Config(TestCase):
    def test_show(self):
        with FakeProdd({"config.show": SHOWN}) as fake:
            self.assertRun(fake.run("config", "show", "orders"), 0, """\
database.max_connections = 100             (int)        production.conf:2
log.level                = info            (enum)       schema.conf:21
motd                     = "two words"     (string)     override by root
ratio                    = 0.1             (float)      env APP_RATIO
tags                     = [a, "b c", 3]   (list)       default.conf:7
upload.max               = 64MiB           (size)       default.conf:8
upstream.timeout         = 1.5s            (duration)   conf.d/10-local.conf:1
verbose                  (not set)         (bool)
""", "")

    def test_get(self):
        for key, text in (("database.max_connections", "100"), ("motd", "two words"), ("tags", '[a, "b c", 3]'),
                          ("upload.max", "64MiB"), ("upstream.timeout", "1.5s"), ("ratio", "0.1")):
            with self.subTest(key), FakeProdd({"config.show": SHOWN}) as fake:
                self.assertRun(fake.run("config", "get", "orders", key), 0, text + "\n", "")

    def test_get_what_is_not_there(self):
        for key, text in (("verbose", "orders: verbose is not set"), ("nothing", "orders: nothing is a group; see "
                          "prodctl config show orders nothing")):
            with self.subTest(key), FakeProdd({"config.show": SHOWN}) as fake:
                self.assertRun(fake.run("config", "get", "orders", key), 1, "", f"prodctl: {text}\n")
        with FakeProdd({"config.show": {"app": "orders"}}) as fake:
            self.assertRun(fake.run("config", "get", "orders", "x"), 1, "", "prodctl: orders: no key x\n")

    def test_explain(self):
        with FakeProdd({"config.explain": EXPLAINED}) as fake:
            self.assertRun(fake.run("config", "explain", "orders", "database.max_connections"), 0, """\
database.max_connections = 100   (int 1..500, hot, generation 17)
  * production.conf:2          100
    default.conf:3             20
    schema.conf:9              10     default
  env APP_DATABASE_MAX_CONNECTIONS   not set in any instance
""")

    def test_explain_variables(self):
        seen = [{"instance": "8080", "value": "50"}, {"instance": "8081", "value": "x", "problem": "not an int"}]
        with FakeProdd({"config.explain": {**EXPLAINED, "variables": seen}}) as fake:
            result = fake.run("config", "explain", "orders/8080", "database.max_connections", "-e", "staging")
            self.assertTrue(result.stdout.endswith("""\
  env APP_DATABASE_MAX_CONNECTIONS   orders/8080   50
                                     orders/8081   x   refused: not an int
"""), result.stdout)
            self.assertEqual(fake.requests[0][2], {"app": "orders", "instance": "8080", "environment": "staging",
                                                   "key": "database.max_connections"})

    def test_diff(self):
        row = report("would_commit", **{"from": 17}, to=18, changes=[CONNECTIONS])
        with FakeProdd({"config.diff": reports(row)}) as fake:
            self.assertRun(fake.run("config", "diff", "orders"), 0, """\
orders  generation 17 -> files  (1 key)
  database.max_connections  20 -> 100    production.conf:2
""")
        with FakeProdd({"config.diff": reports({**row, "from": 15, "to": 17})}) as fake:
            self.assertRun(fake.run("config", "diff", "orders", "15", "17"), 0, """\
orders  generation 15 -> 17  (1 key)
  database.max_connections  20 -> 100    production.conf:2
""")
            self.assertEqual(fake.requests[0][2], {"app": "orders", "from": 15, "to": 17})
        with FakeProdd({"config.diff": reports(report("unchanged", **{"from": 17}))}) as fake:
            self.assertRun(fake.run("config", "diff", "orders"), 0, "orders  generation 17, files unchanged\n")
        with FakeProdd({"config.diff": reports(report("unchanged", **{"from": 16}, to=17))}) as fake:
            self.assertRun(fake.run("config", "diff", "orders", "16", "17"), 0,
                           "orders  generations 16 and 17 are the same\n")

    def test_check(self):
        row = report("would_commit", **{"from": 17}, to=18, changes=[CONNECTIONS])
        with FakeProdd({"config.check": reports(row)}) as fake:
            self.assertRun(fake.run("config", "check", "orders"), 0, """\
orders  valid, generation 17 -> 18  (1 key)
  database.max_connections  20 -> 100    production.conf:2
""")
        with FakeProdd({"config.check": reports(report("unchanged", **{"from": 17}, to=17))}) as fake:
            self.assertRun(fake.run("config", "check", "orders"), 0, "orders  valid, the same as generation 17\n")

    def test_set_unset_rollback(self):
        row = report("committed", **{"from": 17}, to=18, elapsed_ms=10, note="a note", changes=[
            {"key": "log.level", "old": "info", "now": "debug", "file": "override"}])
        cases = {
            "config.set": (["config", "set", "orders", "log.level", "debug", "--for", "10m"],
                           {"app": "orders", "key": "log.level", "value": "debug", "for_ms": 600000}),
            "config.unset": (["config", "unset", "orders", "log.level", "--env=staging"],
                             {"app": "orders", "key": "log.level", "environment": "staging"}),
            "config.rollback": (["config", "rollback", "orders", "16"], {"app": "orders", "generation": 16}),
        }
        for method, (words, params) in cases.items():
            with self.subTest(method), FakeProdd({method: reports(row)}) as fake:
                self.assertRun(fake.run(*words), 0, """\
orders  generation 17 -> 18  (1 key, 0.01 s)
  log.level  info -> debug    override
  a note
""")
                self.assertEqual(fake.requests, [("ctl.sock", method, params)])

    def test_values_that_look_like_options(self):
        with FakeProdd({"config.set": reports(report("unchanged"))}) as fake:
            fake.run("config", "set", "orders", "k", "-5")
            fake.run("config", "set", "orders", "k", "--", "--x")
            fake.run("config", "set", "orders", "k", "")
            self.assertEqual([r[2].get("value") for r in fake.requests], ["-5", "--x", None])

    def test_history(self):
        rows = [{"generation": 17, "created_ms": ms_of("2026-11-25 14:03:20"), "cause": "files changed", "changes": 2,
                 "live": True},
                {"generation": 16, "created_ms": ms_of("2026-11-24 09:00:00"), "cause": "rollback to 14 by root"}]
        with FakeProdd({"config.history": {"app": "orders", "generations": rows}}) as fake:
            self.assertRun(fake.run("config", "history", "orders"), 0, """\
GENERATION  WHEN                 KEYS  STATE  CAUSE
17          2026-11-25 14:03:20  2     live   files changed
16          2026-11-24 09:00:00  0            rollback to 14 by root
""")

    def test_schema(self):
        keys = [{"key": "log.level", "type": "enum", "def": "info", "one_of": ["debug", "info"], "origin": "schema.conf:21"},
                {"key": "server.port", "type": "int", "def": 8080, "min": 1, "max": 65535, "restart": True,
                 "origin": "code of orders/8080", "help": "TCP port to listen on."},
                {"key": "upstream.timeout", "type": "duration", "required": True, "max": 30000000000,
                 "origin": "schema.conf:19"}]
        with FakeProdd({"config.schema": {"app": "orders", "strict": True, "keys": keys}}) as fake:
            self.assertRun(fake.run("config", "schema", "orders"), 0, """\
KEY               TYPE      DEFAULT  ALLOWED           RELOAD   DECLARED             HELP
log.level         enum      info     debug|info        hot      schema.conf:21
server.port       int       8080     >= 1, <= 65535    restart  code of orders/8080  TCP port to listen on.
upstream.timeout  duration           required, <= 30s  hot      schema.conf:19
""")
        with FakeProdd({"config.schema": {"app": "orders"}}) as fake:
            self.assertRun(fake.run("config", "schema", "orders"), 0,
                           "orders has no schema: values are served as they are written\n")


STATUS = {"version": "0.1.0", "place": "/run/prodd", "pid": 712, "up_ms": 12 * 86400000 + 5000,
          "environment": "production", "apps": [
              {"app": "billing", "environment": "production", "generation": 3, "schema": True, "instances": [
                  {"instance": "1", "state": "applied", "generation": 3}]},
              {"app": "orders", "environment": "production", "generation": 17, "schema": True,
               "directory": "/etc/orders", "instances": [
                   {"instance": "8080", "pid": 4710, "uid": 998, "unit": "orders@8080.service", "generation": 17,
                    "state": "applied", "up_ms": 3600000, "heard_ms": 250,
                    "kept": [{"key": "server.port", "value": "8080"}]},
                   {"instance": "8081", "pid": 4711, "uid": 998, "generation": 16, "state": "diverged",
                    "reason": "no such pool", "up_ms": 60000, "heard_ms": 125000}]}]}


class Status(TestCase):
    def test_good_day(self):
        apps = [{**STATUS["apps"][0], "records_rate": 3200, "series": 41},
                {**STATUS["apps"][1], "instances": [{"instance": "8080", "state": "applied"}] * 2, "records_rate": 212999,
                 "dropped": 17, "series": 118}]
        sinks = [{"sink": "local", "type": "file", "state": "ok"},
                 {"sink": "audit", "type": "stdout", "state": "retry", "lag_ms": 41 * 60000, "behind": 12345, "rejected": 2}]
        with FakeProdd({"status": {**STATUS, "apps": apps, "sinks": sinks}}) as fake:
            self.assertRun(fake.run("status"), 0, """\
prodd 0.1.0 at /run/prodd  pid 712  up 12 d  environment production  OK

APP      INSTANCES  GENERATION  STATE  RECORDS/S  DROPPED  SERIES
billing  1          3           ok           3.2        0      41
orders   2          17          ok           212       17     118

SINK   TYPE    STATE     LAG  SPOOLED  REJECTED
local  file    ok        0 s        0         0
audit  stdout  retry  41 min   12 KiB         2
""")

    def test_problems_first(self):
        since = now_ms() - 41 * 60000 - 5000
        problems = [{"id": "config_differs", "subject": "config orders", "since_ms": since, "lines": [
                        "files differ from live: rejected by orders/8081:",
                        "database.max_connections: the database allows 100; generation 17 stays live"],
                     "command": "prodctl config diff orders"},
                    {"id": "app_claim", "subject": "app legacy~alice", "lines": ["claims \"legacy\" but runs as alice"]}]
        with FakeProdd({"status": {**STATUS, "problems": problems}}) as fake:
            result = fake.run("status")
            at = time.strftime("%H:%M" if time.gmtime(since / 1000)[7] == time.gmtime()[7] else "%Y-%m-%d %H:%M",
                               time.gmtime(since / 1000))
            self.assertRun(result, 0, f"""\
prodd 0.1.0 at /run/prodd  pid 712  up 12 d  environment production  2 PROBLEMS

PROBLEMS
  config orders      since {at} (41 min): files differ from live: rejected by orders/8081:
                     database.max_connections: the database allows 100; generation 17 stays live
                     prodctl config diff orders
  app legacy~alice   claims "legacy" but runs as alice

APP      INSTANCES  GENERATION  STATE                         RECORDS/S  DROPPED  SERIES
billing  1          3           ok                                    0        0       0
orders   2          17          1 diverged, 1 restart needed          0        0       0
""")

    def test_environments(self):
        apps = [{"app": "orders", "environment": e, "generation": g, "schema": True, "transaction": t}
                for e, g, t in (("production", 17, "offer"), ("staging", 0, ""))]
        with FakeProdd({"status": {**STATUS, "apps": apps}}) as fake:
            self.assertRun(fake.run("status"), 0, """\
prodd 0.1.0 at /run/prodd  pid 712  up 12 d  environment production  OK

APP     ENVIRONMENT  INSTANCES  GENERATION  STATE             RECORDS/S  DROPPED  SERIES
orders  production   0          17          reload: offer             0        0       0
orders  staging      0          -           no configuration          0        0       0
""")

    def test_app(self):
        at, ends = later_today(), now_ms() + 600000 + 5000
        app = {**STATUS["apps"][1], "confirm_at": at, "overrides": [
            {"key": "log.level", "text": "debug", "who": "root"},
            {"key": "upstream.timeout", "text": "5s", "expires_ms": ends, "who": "alice"}]}
        with FakeProdd({"status": {**STATUS, "apps": [app]}}) as fake:
            result = fake.run("status", "orders")
            self.assertEqual(fake.requests, [("ctl.sock", "status", {"app": "orders"})])
        end = time.strftime("%H:%M:%S" if time.gmtime(ends / 1000)[7] == time.gmtime()[7] else "%Y-%m-%d %H:%M:%S",
                            time.gmtime(ends / 1000))
        self.assertRun(result, 0, f"""\
prodd 0.1.0 at /run/prodd  pid 712  up 12 d  environment production  OK

orders  environment production  generation 17  schema  directory /etc/orders
  rolls back at {clock(at)} unless: prodctl confirm orders

INSTANCE     PID   UID  UNIT                 GENERATION  STATE     UP      HEARD       REASON
orders/8080  4710  998  orders@8080.service  17          applied   60 min  0.25 s ago  keeps server.port 8080 until restarted
orders/8081  4711  998  -                    16          diverged  60 s    2 min ago   no such pool

OVERRIDE          VALUE  ENDS{' ' * (len(end) + 10)}BY
log.level         debug  when unset{' ' * (len(end) + 4)}root
upstream.timeout  5s     {end} (in 10 min)  alice
""")

    def test_app_with_figures(self):
        app = {"app": "orders", "generation": 17, "schema": True, "records": 70000, "records_rate": 1500, "series": 12,
               "dropped": 9, "drops": [{"reason": "ring_full", "count": 4}, {"reason": "rate", "count": 5}]}
        with FakeProdd({"status": {**STATUS, "apps": [app]}}) as fake:
            self.assertIn("""
orders  generation 17  schema
  1.5 records/s, 70000 since the start of prodd; 12 series
  dropped: 4 (ring_full)
  dropped: 5 (rate)

no instance is connected
""", fake.run("status", "orders").stdout)

    def test_unknown_app(self):
        with FakeProdd({"status": {**STATUS, "apps": []}}) as fake:
            result = fake.run("status", "ordres")
            self.assertEqual((result.returncode, result.stderr),
                             (1, "prodctl: prodd at /run/prodd knows no app ordres\n"))

    def test_colours_are_for_terminals(self):
        with FakeProdd({"status": STATUS}) as fake:
            words = ("--socket", fake.directory, "status")
            self.assertIn("\033[32mOK\033[0m", run_on_terminal(*words)[1])
            for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
                self.assertNotIn("\033", run_on_terminal(*words, env=env)[1])


class Events(TestCase):
    def test_list(self):
        events = [{"number": 1, "time_ms": ms_of("2026-11-25 14:03:20"), "kind": "committed", "app": "orders",
                   "text": "generation 16 -> 17"},
                  {"number": 2, "time_ms": ms_of("2026-11-25 14:03:21"), "kind": "connected", "app": "orders",
                   "instance": "8080", "text": "pid 4711"}]
        with FakeProdd({"events": {"events": events, "dropped": 3}}) as fake:
            self.assertRun(fake.run("events", "--app", "orders"), 0, """\
(3 older events are no longer kept)
2026-11-25 14:03:20  committed  orders       generation 16 -> 17
2026-11-25 14:03:21  connected  orders/8080  pid 4711
""")
            self.assertEqual(fake.requests[0][2], {"app": "orders"})


if __name__ == "__main__":
    main()
