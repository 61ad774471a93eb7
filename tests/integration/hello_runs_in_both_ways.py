#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""examples/hello, with the library's thread and with its own loop, beside a real prodd that is changed, killed, stopped
and started late."""
import os
import select
import signal
import subprocess
import time

from harness import DEADLINE, Daemon, case, main, wait_until
from segments import value

HELLO = os.path.abspath(os.environ.get("HELLO_BIN", "./examples/hello/hello"))
SCHEMA = """
keys = ( { key = "greeting"; type = "string"; default = "hello"; },
         { key = "server.port"; type = "int"; default = 8080; reload = "restart"; },
         { key = "database.max_connections"; type = "int"; default = 10; max = 500; },
         { key = "upstream.timeout"; type = "duration"; default = "2s"; } );
"""
MANUAL = 'watch = "manual";'      # changes go live when the test says so
WAYS = ([], ["--own-loop"])


def settings(connections, more=""):
    return f"database: {{ max_connections = {connections}; }};\n{more}"


def daemon(**options):
    return Daemon(conf=MANUAL, apps={"hello": {"schema.conf": SCHEMA, "default.conf": settings(20)}}, **options)


class Hello:
    """The program; what it prints comes by line()."""

    def __init__(self, d, *options, env=None):
        env = {**os.environ, "CACHE_DIRECTORY": d.path("cache"), **(env or {})}
        self.process = subprocess.Popen([HELLO, "--socket", d.app_socket, *options], env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def line(self):
        end = time.monotonic() + DEADLINE
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            assert ready, f"hello says nothing; so far: {self.rest}"
            more = os.read(self.process.stdout.fileno(), 4096)
            assert more, f"hello has ended: {self.process.stderr.read()}"
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def expect(self, *words):
        line = self.line()
        for word in words:
            assert word in line, f"{word!r} is not in {line!r}"

    def expect_after_rejections(self, *words):
        """prodd may have read the rejected files twice: at its start, and when asked."""
        line = self.line()
        while ": rejects generation " in line:
            line = self.line()
        for word in words:
            assert word in line, f"{word!r} is not in {line!r}"

    def end(self):
        """SIGTERM; its status and what it said on stderr."""
        self.process.terminate()
        _, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, err.decode()


def ended(d, *options, env=None):
    """Status and stderr of a hello that is expected to end by itself."""
    with Hello(d, *options, env=env) as h:
        _, err = h.process.communicate(timeout=DEADLINE * 2)
        return h.process.returncode, err.decode()


@case
def a_change_goes_live_in_both():
    with daemon() as d, Hello(d, "--instance", "1") as one, Hello(d, "--instance", "2", "--own-loop") as two:
        for h, name in ((one, "hello/1"), (two, "hello/2")):
            h.expect(f"{name}: generation 1:", "database.max_connections=20", "upstream.timeout=2s")
        d.write("apps/hello/default.conf", settings(30))
        d.call("reload", {"app": "hello"})
        one.expect("database.max_connections=30")
        two.expect("database.max_connections=30")
        assert one.end() == (0, "")
        assert two.end() == (0, "")
        assert value(d, "hello", "hello_uses_total") == 4
        assert value(d, "hello", "hello_rejects_total") == 0


@case
def what_one_rejects_neither_uses():
    with daemon() as d, Hello(d, "--reject-over", "100") as one, Hello(d, "--own-loop") as two:
        one.expect("generation 1:")
        two.expect("generation 1:")
        d.write("apps/hello/default.conf", settings(400))
        report = d.call("reload", {"app": "hello"})["reports"][0]
        assert report["outcome"] == "rejected", report
        one.expect("rejects generation", "database.max_connections=400")
        d.write("apps/hello/default.conf", settings(50))
        d.call("reload", {"app": "hello"})
        one.expect_after_rejections("database.max_connections=50")
        two.expect("database.max_connections=50")


@case
def a_key_that_needs_a_restart_waits():
    for way in WAYS:
        with daemon() as d, Hello(d, *way) as h:
            h.expect("server.port=8080")
            d.write("apps/hello/default.conf", settings(21, "server: { port = 9090; };"))
            d.call("reload", {"app": "hello"})
            h.expect("server.port=8080", "database.max_connections=21")
            wait_until("status says what is kept", lambda: d.status()["apps"][0]["instances"][0].get("kept") ==
                       [{"key": "server.port", "value": "8080"}])
            with Hello(d, *way) as later:
                later.expect("server.port=9090")


@case
def variables_win_over_files():
    for way in WAYS:
        with daemon() as d, Hello(d, *way, env={"APP_GREETING": "good day", "APP_UPSTREAM_TIMEOUT": "1500ms"}) as h:
            h.expect('greeting="good day"', "upstream.timeout=1.5s")


@case
def without_a_daemon_it_says_so():
    with daemon(start=False) as d:
        for way in WAYS:
            status, err = ended(d, *way, "--wait", "100")
            assert status == 78
            assert err == f"hello: no daemon at {d.app_socket} and no cached configuration\n", err


@case
def broken_files_are_named():
    with daemon() as d:
        d.write("apps/hello/default.conf", settings(700))
        d.call("config.check", {"app": "hello"})
    with Daemon(apps={"hello": {"schema.conf": SCHEMA, "default.conf": settings(700)}}) as d:
        for way in WAYS:
            status, err = ended(d, *way)
            assert status == 78 and "default.conf:1: database.max_connections: 700" in err, err


@case
def a_daemon_that_is_killed_is_not_noticed():
    for way in WAYS:
        with daemon() as d, Hello(d, *way) as h:
            h.expect("generation 1:")
            d.kill()
            d.write("apps/hello/default.conf", settings(60))
            d.start()
            d.call("reload", {"app": "hello"})
            h.expect("database.max_connections=60")
            assert h.end() == (0, "")


@case
def the_cached_one_serves_a_start_without_daemon():
    for way in WAYS:
        with daemon() as d:
            with Hello(d, *way) as h:
                h.expect("generation 1:")
                h.end()
            d.kill()
            with Hello(d, *way) as h:
                h.expect("generation 1:", "database.max_connections=20")
                d.start()
                wait_until("it is connected", lambda: d.status()["apps"][0].get("instances"))
                d.write("apps/hello/default.conf", settings(70))
                d.call("reload", {"app": "hello"})
                h.expect("database.max_connections=70")


@case
def a_daemon_that_comes_later_is_found():
    for way in WAYS:
        with daemon(start=False) as d, Hello(d, *way, "--wait", "20000") as h:
            d.start()
            h.expect("generation 1:")


@case
def a_stopped_daemon_holds_nothing_up():
    for way in WAYS:
        with daemon() as d, Hello(d, *way) as h:
            h.expect("generation 1:")
            d.signal(signal.SIGSTOP)
            try:
                assert h.end() == (0, "")
                status, err = ended(d, *way, "--wait", "200", env={"CACHE_DIRECTORY": d.path("nowhere")})
                assert status == 78 and "does not answer" in err, err
            finally:
                d.signal(signal.SIGCONT)


main()
