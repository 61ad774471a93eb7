#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The screens of the manual with the real daemon and real files: what prodctl prints of a change, from the file to the
history, and where each value comes from."""
import os
import re
import signal
import subprocess
import time

from harness import App, Daemon, Served, case, main, wait_until

PRODCTL = os.path.abspath(os.environ.get("PRODCTL", "./prodctl"))
SCHEMA = """strict = true;
keys =
(
  { key = "server.port";  type = "int";  default = 8080;  min = 1;  max = 65535;  reload = "restart"; },
  { key = "database.host";  type = "string";  required = true;  min_length = 1; },
  { key = "database.max_connections";  type = "int";  default = 10;  min = 1;  max = 500; },
  { key = "upstream.timeout";  type = "duration";  default = "2s";  max = "30s"; },
  { key = "log.level";  type = "string";  default = "info";  one_of = [ "debug", "info", "warn", "error" ]; }
);
"""
DEFAULT = 'server:   { port = 8080; };\ndatabase: { host = "db.internal"; max_connections = 20; };\n' \
          'upstream: { timeout = "2s"; };\n'
CONF = 'environment = "production"; watch = "manual"; answer_timeout = "1s";'


def daemon(**files):
    return Daemon(CONF, apps={"orders": {"schema.conf": SCHEMA, "default.conf": DEFAULT, **files}})


class Shop:
    """A daemon with two instances of orders, as in the manual."""

    def __init__(self, **files):
        self.d = daemon(**files)

    def __enter__(self):
        self.d.__enter__()
        self.one, self.two = (App(self.d, "orders", name) for name in ("8080", "8081"))
        assert self.one.settings() and self.two.settings()
        self.run("reload", "orders")        # the looks of the start are over
        return self

    def __exit__(self, *why):
        self.one.close()
        self.two.close()
        self.d.__exit__(*why)

    def write(self, name, text):
        self.d.write(f"apps/orders/{name}", text)

    def run(self, *words):
        """prodctl, while the instances answer: (exit status, output and errors, times and pids masked)."""
        with Served(self.one, self.two):
            run = subprocess.run([PRODCTL, "--socket", self.d.path("run"), *words], capture_output=True, text=True,
                                 stdin=subprocess.DEVNULL, timeout=60)
        text = (run.stdout + run.stderr).replace(self.d.dir, "DIR")
        text = re.sub(r"\d+\.\d\d s", "0.04 s", re.sub(r"pid \d+", "pid 4711", text))
        return run.returncode, text

    def prints(self, words, status, text):
        assert self.run(*words.split()) == (status, text), (words, *self.run(*words.split()))


@case
def a_change_goes_live():
    with Shop(**{"production.conf": "\ndatabase: { max_connections = 20; };\n"}) as shop:
        shop.write("production.conf", "\ndatabase: { max_connections = 100; };\n")
        shop.write("default.conf", DEFAULT.replace('"2s"', '"1.5s"'))
        status, text = shop.run("reload", "orders")
        assert (status, text) == (0, """orders  generation 1 -> 2  (2 keys, 0.04 s)
  database.max_connections  20 -> 100     production.conf:2
  upstream.timeout          2s -> 1.5s    default.conf:3
  orders/8080  applied
  orders/8081  applied
"""), text
        shop.prints("reload orders", 0, "orders  generation 2, files unchanged\n")


@case
def a_change_that_needs_a_restart_says_who_keeps_what():
    with Shop() as shop:
        for app, kept in ((shop.one, "8080"), (shop.two, "8080")):
            app.applied = {"state": "applied", "kept": [{"key": "server.port", "value": kept}]}
        shop.write("default.conf", DEFAULT.replace("8080", "9090"))
        status, text = shop.run("reload", "orders")
        assert (status, text) == (3, """orders  generation 1 -> 2  RESTART NEEDED for server.port
  server.port  8080 -> 9090    default.conf:1
  orders/8080  applied, keeps server.port 8080 until restarted
  orders/8081  applied, keeps server.port 8080 until restarted
"""), text
        status, text = shop.run("status", "orders")
        assert status == 0 and "keeps server.port 8080 until restarted" in text, text


@case
def all_errors_of_all_files_come_in_one_report():
    with Shop(**{"production.conf": "", "conf.d/10-local.conf": ""}) as shop:
        shop.write("production.conf", "\ndatabase: { max_connections = 700; };\n")
        shop.write("default.conf", DEFAULT.replace("timeout", "timout"))
        shop.write("conf.d/10-local.conf", 'log: { level = "loud"; };\nserver: { port = 1 }\nx\n')
        status, text = shop.run("reload", "orders")
        assert status == 4 and text.startswith("orders  INVALID, generation 1 stays live; no app was asked\n"), text
        for line in ("DIR/apps/orders/production.conf:2: database.max_connections: 700 is not in 1..500",
                     'DIR/apps/orders/default.conf:3: upstream.timout: unknown key; did you mean "upstream.timeout"?',
                     "DIR/apps/orders/conf.d/10-local.conf:"):
            assert line in text, (line, text)
        status, text = shop.run("config", "check", "orders")
        assert status == 4 and "700 is not in 1..500" in text, text


@case
def a_rejected_change_is_rolled_back_in_all():
    with Shop() as shop:
        shop.two.verdict = ("reject", "database.max_connections: the database allows 100")
        shop.write("default.conf", DEFAULT.replace("20", "400"))
        status, text = shop.run("reload", "orders")
        assert (status, text) == (5, """orders  REJECTED, rolled back, generation 1 stays live
  orders/8080  accepted (rolled back)
  orders/8081  rejected: database.max_connections: the database allows 100
"""), text
        status, text = shop.run("status")
        assert "1 PROBLEM" in text and "rejected by orders/8081" in text and "prodctl config diff orders" in text, text
        status, text = shop.run("config", "diff", "orders")
        assert status == 0 and "20 -> 400" in text and "default.conf:2" in text, text


@case
def no_answer_names_who_was_silent_and_what_it_does():
    with Shop() as shop:
        shop.two.verdict = None
        shop.write("default.conf", DEFAULT.replace("20", "30"))
        status, text = shop.run("reload", "orders")
        assert status == 6 and text.startswith("orders  NO ANSWER in 1 s, rolled back, generation 1 stays live\n"), text
        assert "  orders/8080  accepted (rolled back)\n" in text and "orders/8081  no answer (pid 4711" in text, text
        assert text.endswith("To commit without it: prodctl reload orders --force\n"), text


@case
def explain_shows_every_place_and_the_winner():
    with Shop(**{"production.conf": "\ndatabase: { max_connections = 100; };\n"}) as shop:
        shop.prints("config explain orders database.max_connections", 0,
                    """database.max_connections = 100   (int 1..500, hot, generation 1)
  * production.conf:2          100
    default.conf:2             20
    schema.conf:6              10     default
  env APP_DATABASE_MAX_CONNECTIONS   not set in any instance
""")


@case
def layers_count_from_the_default_to_the_override():
    files = {"production.conf": "database: { max_connections = 30; };", "staging.conf": "database: { max_connections = 99; };",
             "conf.d/10-a.conf": "database: { max_connections = 40; };", "conf.d/9-b.conf": "database: { max_connections = 50; };",
             "conf.d/ignored.txt": "database: { max_connections = 1; };"}
    with Shop(**files) as shop, App(shop.d, "orders", "8082", variables={"APP_DATABASE_MAX_CONNECTIONS": "60"}) as third:
        third.settings()
        places = [c["file"] for c in shop.d.call("config.explain", {"app": "orders", "key": "database.max_connections"})
                  ["entries"][0]["candidates"]]
        assert places == ["conf.d/9-b.conf", "conf.d/10-a.conf", "production.conf", "default.conf", "schema.conf"], places
        assert shop.run("config", "get", "orders", "database.max_connections") == (0, "50\n")
        assert shop.run("config", "get", "orders/8082", "database.max_connections") == (0, "60\n")
        with Served(third):
            assert shop.run("config", "set", "orders", "database.max_connections", "70", "--for", "10m")[0] == 0
        assert shop.run("config", "get", "orders/8082", "database.max_connections") == (0, "70\n")
        status, text = shop.run("config", "explain", "orders", "database.max_connections")
        assert re.search(r"^  \* override by root", text, re.M) and "60" in text, text
        assert shop.run("config", "get", "orders", "server.port") == (0, "8080\n")


@case
def an_override_ends_by_itself_and_says_so():
    with Shop() as shop:
        assert shop.run("config", "set", "orders", "upstream.timeout", "5s", "--for", "1s")[0] == 0
        assert shop.one.settings()["upstream.timeout"] == 5 * 10**9
        shop.one.wait_setting("upstream.timeout", 2 * 10**9)
        shop.two.pump(0.1)
        status, text = shop.run("events", "--app", "orders")
        assert "an override expired" in text or "expired" in text, text
        assert shop.d.counters()["overrides_expired"] == 1
        status, text = shop.run("config", "history", "orders")
        assert status == 0 and len(text.splitlines()) >= 4 and "upstream.timeout set by root" in text, text


@case
def history_diff_and_rollback_tell_of_the_same_generations():
    with Shop() as shop:
        for number in (2, 3, 4):
            shop.write("default.conf", DEFAULT.replace("20", f"{number}0"))
            assert shop.run("reload", "orders")[0] == 0 or number == 2
        status, text = shop.run("config", "history", "orders")
        rows = [line.split()[:2] for line in text.splitlines()]
        assert status == 0 and any("*" in line or "live" in line for line in text.splitlines()), text
        status, text = shop.run("config", "diff", "orders", "1", "3")
        assert status == 0 and "20 -> 40" in text, (text, rows)
        status, text = shop.run("config", "rollback", "orders", "1")
        assert status == 0 and "40 -> 20" in text and "generation 3 -> 4" in text, text
        assert shop.one.settings()["database.max_connections"] == 20
        assert shop.run("reload", "orders")[0] == 0, "asked for by name, the files come back"
        assert shop.run("config", "get", "orders", "database.max_connections") == (0, "40\n")


@case
def a_reload_that_must_be_confirmed_says_until_when():
    with Shop() as shop:
        shop.write("default.conf", DEFAULT.replace("20", "30"))
        status, text = shop.run("reload", "orders", "--confirm", "60s")
        assert status == 0 and re.search(
            r"^orders  generation 1 -> 2, rolls back at \d\d:\d\d:\d\d unless: prodctl confirm orders$", text, re.M), text
        assert shop.run("confirm", "orders")[0] == 0
        assert not shop.d.status().get("problems")


@case
def a_daemon_that_is_away_is_told_with_what_to_do():
    with Shop() as shop:
        os.kill(shop.d.pid, signal.SIGTERM)
        assert shop.d.process.wait(20) == 0
        shop.d.process = None
        run = subprocess.run([PRODCTL, "--socket", shop.d.path("run"), "status"], capture_output=True, text=True)
        assert run.returncode == 7 and run.stderr.startswith(f"prodctl: no prodd at {shop.d.ctl_socket}"), run
        started = time.monotonic()
        shop.d.start()
        wait_until("it serves again", lambda: shop.run("status")[0] == 0)
        assert time.monotonic() - started < 10


main()
