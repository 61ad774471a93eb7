#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The same verbs with the real daemon and two instances of the example: what the scripted tests take for granted."""
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from fake_prodd import PATIENCE_S, TestCase, environment, main, run, start

HELLO = os.path.abspath("examples/hello/hello")
SCHEMA = """keys = (
  { key = "server.port";  type = "int";  default = 8080;  reload = "restart"; },
  { key = "database.max_connections";  type = "int";  default = 10;  max = 500; },
  { key = "upstream.timeout";  type = "duration";  default = "2s"; },
  { key = "greeting";  type = "string";  default = "hello"; } );
"""


class WithProdd(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="prodctl-")
        cls.processes = []
        os.makedirs(os.path.join(cls.directory, "apps/hello"))
        cls.write("schema.conf", SCHEMA)
        cls.write("default.conf", "database: { max_connections = 20; };\n")
        env = environment(PRODD_LIBEXEC=os.getcwd())
        prodd = cls.launch(["./prodd", "--dir", cls.directory], env=env, stderr=subprocess.PIPE)
        cls.await_line(prodd, prodd.stderr, "serves at")
        for name, env in (("1", {}), ("2", {"APP_GREETING": "hi"})):
            hello = cls.launch([HELLO, "--socket", os.path.join(cls.directory, "run/app.sock"), "--instance", name,
                                "--reject-over", "150"], env=environment(**env), stdout=subprocess.PIPE)
            cls.await_line(hello, hello.stdout, "generation 1")
        cls.await_confirmed()

    @classmethod
    def await_confirmed(cls):
        """hello prints what it uses before its answer is on the way."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            status = json.loads(run("--socket", os.path.join(cls.directory, "run"), "status", "--json").stdout)
            if {i["state"] for app in status["apps"] for i in app["instances"]} == {"applied"}:
                return
        raise AssertionError("an instance has not confirmed what it uses")

    @classmethod
    def launch(cls, words, **more):
        cls.processes.append(subprocess.Popen(words, text=True, bufsize=1, **more))
        return cls.processes[-1]

    @staticmethod
    def await_line(process, stream, text):
        """Reads lines until one has `text`; a process that does not print it is killed."""
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        try:
            if not any(text in line for line in stream):
                raise AssertionError(f"ended without {text!r}")
        finally:
            watchdog.cancel()

    @classmethod
    def tearDownClass(cls):
        for process in reversed(cls.processes):
            process.terminate()
            process.wait(20)
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
        shutil.rmtree(cls.directory)

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.directory, "apps/hello", name)
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def prodctl(self, *words, status=0):
        result = run("--socket", os.path.join(self.directory, "run"), *words)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout + result.stderr

    def test_a_day(self):
        self.assertRegex(self.prodctl("status"), r"\nhello  2          1           ok +0 +0 +\d+\n")
        self.assertEqual(self.prodctl("config", "get", "hello", "database.max_connections"), "20\n")
        self.assertEqual(self.prodctl("config", "get", "hello/2", "greeting"), "hi\n")
        self.assertIn("* env APP_GREETING", self.prodctl("config", "explain", "hello/2", "greeting"))
        self.assertNotIn("* env", self.prodctl("config", "explain", "hello/1", "greeting"))

        self.write("default.conf", "database: { max_connections = 100; };\n")
        self.assertRegex(self.prodctl("reload", "hello"), r"^hello  generation (1 -> 2  \(1 key|2, files unchanged)")
        self.write("default.conf", "database: { max_connections = 700; };\n")
        self.assertIn("default.conf:1: database.max_connections: 700 is", self.prodctl("reload", "hello", status=4))
        self.assertIn("database.max_connections: 700 is", self.prodctl("config", "check", "hello", status=4))
        self.write("default.conf", "database: { max_connections = 400; };\n")
        self.assertIn("hello/1  rejected: database.max_connections: the database allows 150",
                      self.prodctl("reload", "hello", status=5))
        self.assertIn("100 -> 400", self.prodctl("config", "diff", "hello"))
        self.assertIn("prodctl config diff hello", self.prodctl("status"))
        self.write("default.conf", "database: { max_connections = 100; };\n")
        self.assertIn("generation 2, files unchanged", self.prodctl("reload", "hello"))

        self.assertIn("RESTART NEEDED for server.port", self.prodctl("config", "set", "hello", "server.port", "9090", status=3))
        self.assertIn("keeps server.port 8080 until restarted", self.prodctl("status", "hello"))
        self.prodctl("config", "unset", "hello", "server.port", "--restart-ok")
        self.prodctl("config", "set", "hello", "upstream.timeout", "5s", "--for", "10m")
        self.assertIn("* override by root", self.prodctl("config", "explain", "hello", "upstream.timeout"))
        self.assertIn("5s -> 2s", self.prodctl("config", "rollback", "hello"))
        self.prodctl("config", "set", "hello", "upstream.timeout", "soon", status=4)
        self.prodctl("config", "rollback", "hello", "99", status=1)
        self.prodctl("confirm", "hello", status=1)

        history = json.loads(self.prodctl("config", "history", "hello", "--json"))
        self.assertEqual([g["generation"] for g in history["generations"] if g["live"]], [history["generations"][0]["generation"]])
        self.assertIn("server.port", self.prodctl("config", "schema", "hello"))
        self.assertIn("rejected", self.prodctl("events", "--app", "hello"))
        self.assertEqual(self.complete("config", "get", "hello", "s"), ["server.port"])
        self.assertEqual(self.complete("config", "show", "hello/"), ["hello/1", "hello/2"])

    def complete(self, *words):
        text = run("--complete", "--socket", os.path.join(self.directory, "run"), *words).stdout
        return sorted(line.split("\t")[0] for line in text.splitlines())

    def test_events_as_they_happen(self):
        process = start("--socket", os.path.join(self.directory, "run"), "events", "-f", "--app", "hello")
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.await_line(process, process.stdout, "hello/2")
        self.prodctl("config", "set", "hello", "upstream.timeout", "3s")
        self.await_line(process, process.stdout, "upstream.timeout set by")
        process.terminate()
        process.wait(20)

    def test_files_alone(self):
        path = os.path.join(self.directory, "apps/hello")
        result = run("config", "check", path, "--env", "staging", env={"PRODD_LIBEXEC": os.getcwd()})
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        bad = os.path.join(self.directory, "bad")
        os.mkdir(bad)
        with open(os.path.join(bad, "default.conf"), "w", encoding="utf-8") as f:
            f.write("a = \n")
        result = run("config", "check", bad, env={"PRODD_LIBEXEC": os.getcwd()})
        self.assertEqual(result.returncode, 4)
        self.assertIn("default.conf:", result.stderr)


if __name__ == "__main__":
    main()
