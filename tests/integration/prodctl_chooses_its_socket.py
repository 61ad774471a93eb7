#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which daemon is asked, by which socket, and what is said when none may or can be."""
import os
import socket
import stat
import subprocess
import tempfile
import unittest

from fake_prodd import Error, FakeProdd, TestCase, main, report, reports, run

STATUS = {"status": {"version": "0.1.0", "place": "/run/prodd", "pid": 712}}
AWAY = "  systemctl status prodd      or, for a private daemon: prodctl --socket PATH\n"
NOBODY = ("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups")


class Choice(TestCase):
    def test_option_over_variable(self):
        with FakeProdd(STATUS) as one, FakeProdd(STATUS) as other:
            self.assertRun(run("status", "--socket", one.directory, env={"PRODD_CTL": other.directory}), 0)
            self.assertEqual((len(one.requests), len(other.requests)), (1, 0))
            self.assertRun(run("status", env={"PRODD_CTL": other.path("ctl.sock")}), 0)
            self.assertEqual((len(one.requests), len(other.requests)), (1, 1))

    def test_either_socket_by_its_path(self):
        with FakeProdd(STATUS, sockets=("ctl.sock", "app.sock")) as fake:
            for name in ("ctl.sock", "app.sock"):
                self.assertRun(run("status", "--socket", fake.path(name)), 0)
            self.assertEqual([r[0] for r in fake.requests], ["ctl.sock", "app.sock"])

    def test_users_own_daemon_when_it_runs(self):
        with FakeProdd(STATUS) as fake, tempfile.TemporaryDirectory() as runtime:
            os.symlink(fake.directory, os.path.join(runtime, "prodd"))
            self.assertRun(run("status", env={"XDG_RUNTIME_DIR": runtime}), 0)
            self.assertEqual(len(fake.requests), 1)

    @unittest.skipIf(os.path.exists("/run/prodd"), "the system's own daemon is here")
    def test_the_systems_daemon_else(self):
        with tempfile.TemporaryDirectory() as runtime:
            for env in ({}, {"XDG_RUNTIME_DIR": runtime}, {"PRODD_CTL": ""}):
                self.assertRun(run("status", env=env), 7, "",
                               "prodctl: no prodd at /run/prodd/ctl.sock: No such file or directory\n" + AWAY)


class Away(TestCase):
    def test_nobody_listens(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "ctl.sock")
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(path)
            for chosen in (directory, path):
                self.assertRun(run("status", "--socket", chosen), 7, "",
                               f"prodctl: no prodd at {path}: Connection refused\n" + AWAY)

    def test_no_such_file(self):
        self.assertRun(run("status", "--socket", "/nowhere/x"), 7, "",
                       "prodctl: no prodd at /nowhere/x: No such file or directory\n" + AWAY)

    def test_full_backlog(self):
        with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listener:
            path = os.path.join(directory, "ctl.sock")
            listener.bind(path)
            listener.listen(0)
            with socket.socket(socket.AF_UNIX) as first:
                first.connect(path)
                self.assertRun(run("status", "--socket", path), 7, "",
                               f"prodctl: no prodd at {path}: it does not accept within 2000 ms\n" + AWAY)

    def test_path_over_107_bytes(self):
        result = run("status", "--socket", "/" + "x" * 107)
        self.assertRun(result, 2, "")
        self.assertIn("the path of the socket has 108 bytes, at most 107 are possible", result.stderr)

    def test_json_too(self):
        self.assertIn('"code":"unreachable"', run("status", "--json", "--socket", "/nowhere/x").stdout)


@unittest.skipUnless(os.geteuid() == 0, "needs root, to become somebody else")
class Rights(TestCase):
    """As the user 65533, who is no operator of a daemon of root."""

    def fake(self, answers, sockets, ctl_mode=0o660, app_mode=0o666):
        fake = FakeProdd(answers, sockets)
        os.chmod(fake.directory, 0o755)
        for name, mode in (("ctl.sock", ctl_mode), ("app.sock", app_mode)):
            if name in sockets:
                os.chmod(fake.path(name), mode)
        return fake

    def refused(self, fake):
        group = subprocess.run(["stat", "-c", "%G", fake.path("ctl.sock")], capture_output=True, text=True).stdout.strip()
        return (f"prodctl: {fake.path('ctl.sock')}: Permission denied: you are uid 65533; operators are root and the "
                f"group {group}\n")

    def test_app_socket_when_ctl_refuses(self):
        with self.fake({"reload": reports(report("unchanged", to=17))}, ("ctl.sock", "app.sock")) as fake:
            self.assertRun(run("--socket", fake.directory, "reload", "orders", prefix=NOBODY), 0,
                           "orders  generation 17, files unchanged\n")
            self.assertEqual(fake.requests[0][0], "app.sock")

    def test_both_refuse(self):
        with self.fake(STATUS, ("ctl.sock", "app.sock"), app_mode=0o600) as fake:
            self.assertRun(run("--socket", fake.directory, "status", prefix=NOBODY), 8, "", self.refused(fake))
        with self.fake(STATUS, ("ctl.sock",)) as fake:
            self.assertRun(run("--socket", fake.directory, "status", prefix=NOBODY), 8, "", self.refused(fake))

    def test_app_socket_may_not_do_this(self):
        answer = Error("not_permitted", "config.set is for operators")
        with self.fake({"config.set": answer}, ("ctl.sock", "app.sock")) as fake:
            self.assertRun(run("--socket", fake.directory, "config", "set", "a", "k", "v", prefix=NOBODY), 8, "",
                           self.refused(fake) + "  config.set is for operators\n")

    def test_refused_by_a_daemon_that_is_away(self):
        with self.fake(STATUS, ("ctl.sock", "app.sock")) as fake:
            fake.listeners[1].close()
            fake.listeners[1] = socket.socket(socket.AF_UNIX)
            os.unlink(fake.path("app.sock"))
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(fake.path("app.sock"))
            os.chmod(fake.path("app.sock"), 0o666)
            self.assertRun(run("--socket", fake.directory, "status", prefix=NOBODY), 7, "",
                           f"prodctl: no prodd at {fake.path('app.sock')}: Connection refused\n" + AWAY)

    def test_no_group_of_operators(self):
        with self.fake(STATUS, ("ctl.sock",), ctl_mode=0o600) as fake:
            self.assertRun(run("--socket", fake.directory, "status", prefix=NOBODY), 8, "",
                           f"prodctl: {fake.path('ctl.sock')}: Permission denied: you are uid 65533; operators are root\n")

    def test_set_user_id_ignores_the_environment(self):
        """secure_getenv: a set-uid copy must not be led to another daemon."""
        with FakeProdd(STATUS) as fake, tempfile.TemporaryDirectory() as directory:
            os.chmod(fake.directory, 0o755)
            os.chmod(fake.path("ctl.sock"), 0o666)
            os.chmod(directory, 0o755)
            copy = os.path.join(directory, "prodctl")
            subprocess.run(["cp", os.environ.get("PRODCTL", "./prodctl"), copy], check=True)
            os.chmod(copy, 0o4755 | stat.S_ISUID)
            result = subprocess.run([*NOBODY, copy, "status"], env={"PRODD_CTL": fake.directory, "PATH": os.environ["PATH"]},
                                    capture_output=True, text=True, timeout=20)
            self.assertEqual(fake.requests, [], result.stderr)


if __name__ == "__main__":
    main()
