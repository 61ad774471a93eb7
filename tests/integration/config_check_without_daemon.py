#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""prodd-parse --check reads an app's directory itself and says all that is wrong; no daemon runs. $PRODD_PARSE or
./prodd-parse of the build directory is tested."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.path.abspath(os.environ.get("PRODD_PARSE", "prodd-parse"))

SCHEMA = """
keys = (
  { key = "database.host"; type = "string"; required = true; },
  { key = "database.max_connections"; type = "int"; default = 10; min = 1; max = 500; },
  { key = "upstream.timeout"; type = "duration"; default = "2s"; max = "30s"; }
);
"""
DEFAULT = 'database: { host = "db.internal"; max_connections = 20; };\n'


class Check(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="prodd-check-")
        self.addCleanup(shutil.rmtree, self.top)
        self.app = os.path.join(self.top, "orders")
        os.makedirs(os.path.join(self.app, "conf.d"))
        self.put("schema.conf", SCHEMA)
        self.put("default.conf", DEFAULT)

    def put(self, name, text):
        with open(os.path.join(self.app, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run_it(self, *words, **more):
        env = {key: value for key, value in os.environ.items() if key != "RUN_ENV"}
        env.update(more.pop("env", {}))
        return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=30, check=False, env=env,
                              stdin=subprocess.DEVNULL, **more)

    def check(self, *words, **more):
        return self.run_it("--check", self.app, *words, **more)

    def assertResult(self, done, status, out, err):
        self.assertEqual((done.returncode, done.stdout, done.stderr), (status, out, err))

    def test_valid(self):
        self.assertResult(self.check("--env", "production"), 0,
                          "orders  ok, 3 settings, environment production, schema 3 keys\n", "")

    def test_environment_is_that_of_the_word_then_of_run_env(self):
        for words, env, name in (((), {}, "development"), ((), {"RUN_ENV": "staging"}, "staging"),
                                 (("--env", "production"), {"RUN_ENV": "staging"}, "production")):
            self.assertIn(f"environment {name},", self.check(*words, env=env).stdout)

    def test_no_schema(self):
        os.unlink(os.path.join(self.app, "schema.conf"))
        self.assertResult(self.check(), 0, "orders  ok, 2 settings, environment development, no schema\n", "")

    def test_all_errors_of_all_files(self):
        self.put("default.conf", '\n\n\nupstream: { timout = "2s"; };\n')
        self.put("production.conf", "\ndatabase: { max_connections = 700; };\n")
        self.put("conf.d/10-local.conf", "\n" * 8 + "database: { host = 80 80; };\n")
        self.assertResult(self.check("--env", "production"), 4, "", f"""orders  INVALID
  {self.app}/default.conf:4: upstream.timout: unknown key; did you mean "upstream.timeout"?
  {self.app}/production.conf:2: database.max_connections: 700 is not in 1..500
  {self.app}/conf.d/10-local.conf:9: syntax error, expected ";" after the value
  {self.app}/conf.d/10-local.conf:9: database.host: expected a string, got the int 80
""")

    def test_only_the_asked_environment(self):
        self.put("production.conf", "nonsense")
        self.assertEqual(self.check("--env", "staging").returncode, 0)
        self.assertEqual(self.check("--env", "production").returncode, 4)

    def test_numbers_that_libconfig_would_wrap(self):
        self.put("default.conf", DEFAULT + "\nlimit = 3000000000;\n")
        self.assertResult(self.check(), 4, "", f"orders  INVALID\n  {self.app}/default.conf:3: 3000000000 does not fit "
                          "in 32 bits: write 3000000000L, or a size or duration as a string\n")

    def test_include_is_refused_and_not_read(self):
        self.put("default.conf", f'@include "{self.app}/secret"\n' + DEFAULT)
        self.put("secret", "stolen = 1;\n")
        self.assertResult(self.check(), 4, "", f"orders  INVALID\n  {self.app}/default.conf:1: @include is not "
                          "supported; the files in conf.d are read by themselves\n")

    def test_fifo_is_a_problem_and_no_wait(self):
        os.mkfifo(os.path.join(self.app, "conf.d/pipe.conf"))
        self.assertResult(self.check(), 4, "",
                          f"orders  INVALID\n  {self.app}/conf.d/pipe.conf: is a FIFO, not a file\n")

    def test_json(self):
        self.put("production.conf", 'database: { max_connections = "\\"many\\n"; };\n')
        done = self.check("--env", "production", "--json")
        self.assertEqual((done.returncode, done.stderr), (4, ""))
        self.assertEqual(json.loads(done.stdout), {
            "schema": 1, "app": "orders", "environment": "production", "valid": False, "settings": 0, "schema_keys": 0,
            "problems": [{"file": f"{self.app}/production.conf", "line": 1, "key": "database.max_connections",
                          "text": 'expected an int, got the string ""many "'}]})
        done = self.check("--env", "staging", "--json", "--app", "billing")
        self.assertEqual(json.loads(done.stdout), {
            "schema": 1, "app": "billing", "environment": "staging", "valid": True, "settings": 3, "schema_keys": 3,
            "problems": []})

    def test_what_cannot_be_read(self):
        nothing = os.path.join(self.top, "nothing")
        os.makedirs(os.path.join(self.top, "empty"))
        for words, status, err in (
                (("--check", nothing, "--env", "x"), 1, f"{nothing}: no such directory"),
                (("--check", os.path.join(self.top, "empty"), "--env", "x"), 1,
                 f"{self.top}/empty: no schema.conf, default.conf, x.conf or conf.d/*.conf"),
                (("--check", self.app, "--env", "a/b"), 2, '"a/b" cannot be the name of an environment'),
                (("--check", self.app, "--app", "Orders"), 2, '"Orders" cannot be the name of an app'),
                (("--check-prodd-conf", nothing), 1, f"{nothing}: no such file")):
            self.assertResult(self.run_it(*words), status, "", f"prodd-parse: {err}\n")

    def test_prodd_conf(self):
        conf = os.path.join(self.top, "prodd.conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(self.run_it("--print-prodd-conf").stdout)
        shipped = self.run_it("--check-prodd-conf", conf)
        self.assertEqual((shipped.returncode, shipped.stderr), (0, ""))
        self.assertRegex(shipped.stdout, r"\Aprodd.conf  ok, [1-9][0-9]* settings\n\Z")
        with open(os.path.join(self.app, "conf.d/x.conf"), "w", encoding="utf-8") as file:
            file.write('\nwatch = "sometimes";\n')
        self.assertResult(self.run_it("--check-prodd-conf", conf, os.path.join(self.app, "conf.d")), 4, "",
                          f'prodd.conf  INVALID\n  {self.app}/conf.d/x.conf:2: watch: "sometimes" is not one of auto, '
                          "manual\n")

    def test_usage(self):
        for words in (("--check", self.app, "more"), ("--nonsense",), ("--json",),
                      ("--check", self.app, "--check-prodd-conf", "x"), ("--check",)):
            done = self.run_it(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn("prodd-parse: ", done.stderr)
        self.assertTrue(self.run_it("--help").stdout.startswith("Usage: prodd-parse "))
        self.assertRegex(self.run_it("--version").stdout, r"\Aprodd-parse \d+\.\d+\.\d+\ncommit \S+, built \S+\nfeatures ")
        self.assertIn("*limits.bytes\\_per\\_uid* (size, 1MiB..4GiB, default 16MiB)",
                      self.run_it("--print-settings-scd").stdout)

    def test_by_hand_without_words_is_explained(self):
        done = self.run_it()
        self.assertEqual(done.returncode, 2)
        self.assertIn("by hand use --check", done.stderr)


if __name__ == "__main__":
    unittest.main()
