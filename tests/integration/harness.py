# SPDX-License-Identifier: Apache-2.0
"""What integration tests share: a prodd in a private directory, peers that speak its wire, and a runner.

    from harness import App, Client, Daemon, case, main, wait_until

    @case
    def a_broken_file_changes_nothing():
        with Daemon(apps={"orders": {"default.conf": "x = 1;"}}) as d:
            with App(d, "orders") as app:
                assert app.settings() == {"x": 1}
                d.write("apps/orders/default.conf", "x = ;")
                ...

    main()

Environment: PRODD_BIN (default ./prodd), PRODD_LIBEXEC (default: the directory of PRODD_BIN),
PRODD_WRAPPER (words put before prodd, as "valgrind --error-exitcode=9"), PRODD_PLAIN=1 (an optimised build without
sanitizers: figures count), PRODD_TEST_DEADLINE (seconds for anything that must happen; default 10).
"""
import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

from peers import ANSWER, CALL, FRAME_MAX, NOTE, App, Client, Closed, Refused, Served, entries, percentile
from waiting import DEADLINE, PLAIN, Child, as_uid, wait_until

__all__ = ["ANSWER", "CALL", "DEADLINE", "FRAME_MAX", "NOBODY", "NOTE", "PLAIN", "PRODD",
           "App", "Child", "Client", "Closed", "Daemon", "Refused", "Served", "Skip",
           "as_uid", "case", "entries", "main", "need_root", "percentile", "wait_until"]

PRODD = os.path.abspath(os.environ.get("PRODD_BIN", "./prodd"))
NOBODY = 65534


# ---- running cases

_cases = []


class Skip(Exception):
    """Raised by a case that cannot run here; its text says why."""


def case(function):
    """Marks a function as a test; its name is the sentence that is printed."""
    _cases.append(function)
    return function


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root, to be several users")


def main():
    """Runs all cases, or those whose names contain one of the arguments. Ends the program: 0, 1, or 77 when all were
    skipped."""
    wanted = sys.argv[1:]
    passed = failed = skipped = 0
    for function in _cases:
        name = function.__name__.replace("_", " ")
        if wanted and not any(word in function.__name__ for word in wanted):
            continue
        started = time.monotonic()
        try:
            function()
        except Skip as why:
            skipped += 1
            print(f"skip  {name}: {why}", flush=True)
        except BaseException:
            failed += 1
            print(f"FAIL  {name}\n{traceback.format_exc()}", flush=True)
        else:
            passed += 1
            print(f"ok    {name} ({time.monotonic() - started:.2f} s)", flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    sys.exit(1 if failed else 77 if skipped and not passed else 0)


# ---- the daemon

class Daemon:
    """A prodd --dir in a directory of its own, for the length of a `with`. Its end must be clean: exit status 0 after
    SIGTERM, nothing of a sanitizer in its log; unless kill() ended it.

    conf     text of prodd.conf (None: no such file)
    apps     {app: {file name: text}}
    options  more words of the command line
    limits   [(resource.RLIMIT_X, value)] of the process
    uid      runs as this user (root only)
    wrapper  words put before prodd, as of strace(1), beside those of PRODD_WRAPPER
    """

    def __init__(self, conf=None, apps=None, options=(), env=None, limits=(), uid=None, start=True, wrapper=()):
        self.dir = tempfile.mkdtemp(prefix="prodd-")
        os.chmod(self.dir, 0o755)
        self.options, self.env, self.limits, self.uid = list(options), dict(env or {}), list(limits), uid
        self.wrapper = list(wrapper) + shlex.split(os.environ.get("PRODD_WRAPPER", ""))
        self.process = None
        self.killed = False
        self.log_path = self.path("prodd.log")
        if conf is not None:
            self.write("prodd.conf", conf)
        os.makedirs(self.path("apps"), exist_ok=True)
        for app, files in (apps or {}).items():
            os.makedirs(self.path("apps", app), exist_ok=True)
            for name, text in files.items():
                self.write(f"apps/{app}/{name}", text)
        if uid is not None:
            for top, _, files in os.walk(self.dir):
                for name in [top] + [os.path.join(top, f) for f in files]:
                    os.chown(name, uid, uid)
        self.start_at_entry = start

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    @property
    def app_socket(self):
        return self.path("run", "app.sock")

    @property
    def ctl_socket(self):
        return self.path("run", "ctl.sock")

    def __enter__(self):
        try:
            if self.start_at_entry:
                self.start()
        except BaseException:
            self._clean()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            status = self.stop() if self.process else 0
            text = self.log()
            if kind is None:
                assert status == 0 or self.killed, f"prodd ended with {status}:\n{text}"
            for word in ("Sanitizer", "runtime error:"):
                assert word not in text, text
        except BaseException:
            print(self.log(), file=sys.stderr)
            raise
        finally:
            if kind is not None:
                print(f"---- prodd's log:\n{self.log()[-8000:]}----", file=sys.stderr)
            self._clean()

    def _clean(self):
        if self.process:
            self.signal(signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    # -- its life

    def start(self, wait=True):
        """Starts it and returns when both sockets accept."""
        env = dict(os.environ, **self.env)
        env.setdefault("PRODD_LIBEXEC", os.path.dirname(PRODD))
        if self.wrapper:  # LeakSanitizer does not work under ptrace
            env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        words = self.wrapper + [PRODD, "--dir", self.dir] + self.options

        def prepare():
            import resource
            for name, value in self.limits:
                resource.setrlimit(name, (value, value))
            if self.uid is not None:
                os.setgroups([])
                os.setresgid(self.uid, self.uid, self.uid)
                os.setresuid(self.uid, self.uid, self.uid)

        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=prepare if self.limits or self.uid is not None else None)
        if wait:
            wait_until("prodd accepts", self._accepts)
        return self

    def _accepts(self):
        assert self.process.poll() is None, f"prodd ended with {self.process.returncode}:\n{self.log()}"
        for path in (self.app_socket, self.ctl_socket):
            with socket.socket(socket.AF_UNIX) as s:
                try:
                    s.connect(path)
                except OSError:
                    return False
        return True

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.process is None:
            return None
        self.signal(signal.SIGTERM)
        try:
            status = self.process.wait(DEADLINE * 2)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.kill()
            raise AssertionError("prodd did not end after SIGTERM") from None
        self.process = None
        return status

    def kill(self):
        """SIGKILL, as a crash would be."""
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.process = None
        self.killed = True

    def signal(self, number):
        """To prodd itself, also under a wrapper that would not hand it on."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._wrapped() if self.wrapper else self.process.pid, number)

    def _wrapped(self):
        """The pid of prodd as a child of its wrapper; the wrapper's own when it has become prodd, or has not started it."""
        with contextlib.suppress(OSError):
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
                children = f.read().split()
            for pid in children:
                with open(f"/proc/{pid}/cmdline") as f:
                    if f.read().split("\0")[0] == PRODD:
                        return int(pid)
        return self.process.pid

    def restart(self):
        self.stop()
        self.start()

    @property
    def pid(self):
        """Of prodd itself, also under a wrapper."""
        with open(self.path("run", "prodd.lock")) as f:
            return int(f.read())

    # -- what can be seen of it

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, text, deadline=None):
        wait_until(f"{text!r} in the log", lambda: text in self.log(), deadline)

    def rss(self):
        """Resident bytes, without what apps share with it: that is theirs."""
        with open(f"/proc/{self.pid}/status") as f:
            sizes = {line.split()[0]: int(line.split()[1]) for line in f if line.startswith(("RssAnon", "RssFile"))}
        return (sizes["RssAnon:"] + sizes["RssFile:"]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def operator(self):
        """A new operator's client."""
        return Client(self.ctl_socket).hello()

    def call(self, method, params=None, **more):
        """One operator's call; returns the result or raises Refused."""
        with self.operator() as c:
            return c.call(method, params, **more)

    def status(self):
        return self.call("status", {})

    def counters(self):
        return {c["name"]: c.get("value", 0) for c in self.status().get("counters", [])}

    def account(self, uid):
        """What status says of a uid; zeros when nothing."""
        none = {"sessions": 0, "bytes": 0, "bytes_max": 0, "refused": 0, "bytes_in": 0, "bytes_out": 0}
        for row in self.status().get("accounts", []):
            if row["uid"] == uid:
                return {**none, **row}
        return none

    # -- its files

    def write(self, name, text):
        """Puts a file in place whole, by rename. `name` is relative to the directory."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".harness~", "w") as f:
            f.write(text)
        os.rename(path + ".harness~", path)

    def write_in_place(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    def remove(self, name):
        os.unlink(self.path(name))
