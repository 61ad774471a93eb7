# SPDX-License-Identifier: Apache-2.0
"""A scripted daemon to drive prodctl with, and the ways to run prodctl against it.

Answers are given by method: a dict is the result, an Error is the error, a function of the params gives one of
these, and Raw, SILENCE and CLOSE misbehave.
"""
import os
import pty
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

try:
    import msgpack
except ImportError:
    print("python3-msgpack is missing; install: apt-get install python3-msgpack")
    sys.exit(77)

PRODCTL = os.path.abspath(os.environ.get("PRODCTL", "./prodctl"))
SRCDIR = os.path.abspath(os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
PATIENCE_S = 20  # after which a run of prodctl counts as hung


class Error:
    def __init__(self, code, text):
        self.code, self.text = code, text


class Raw:
    """Bytes sent as they are in place of an answer; then the connection stays open, or is closed."""

    def __init__(self, data, close=False):
        self.data, self.close = data, close


SILENCE, CLOSE = object(), object()
WELCOME = {"protocol": 1, "daemon": "0.1.0", "pid": 712, "epoch": "e1"}


def frame(message):
    body = message if isinstance(message, bytes) else msgpack.packb(message)
    return struct.pack(">I", len(body)) + body


class FakeProdd:
    """Listens in a directory of its own as long as the `with` lasts."""

    def __init__(self, answers=None, sockets=("ctl.sock",), welcome=WELCOME):
        self.answers = {"ping": {}, "hello": welcome, **(answers or {})}
        self.directory = tempfile.mkdtemp(prefix="prodctl-")
        self.requests = []  # (socket, method, params), hello and ping left out
        self.answered = set()  # methods
        self.pings = 0
        self.changed = threading.Condition()
        self.connections = []
        self.listeners = [self._listen(name) for name in sockets]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.listeners + self.connections:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()
        shutil.rmtree(self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def _listen(self, name):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path(name))
        listener.listen(16)
        threading.Thread(target=self._accept, args=(listener, name), daemon=True).start()
        return listener

    def _accept(self, listener, name):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection, name), daemon=True).start()

    def _serve(self, connection, name):
        try:
            while True:
                head = self._read(connection, 4)
                message = msgpack.unpackb(self._read(connection, struct.unpack(">I", head)[0]))
                self._answer(connection, name, message)
        except (OSError, EOFError):
            connection.close()

    @staticmethod
    def _read(connection, size):
        data = b""
        while len(data) < size:
            part = connection.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def _answer(self, connection, name, message):
        kind, number, method, params = message
        assert kind == 0, message
        if method == "ping":
            self.pings += 1
        elif method != "hello":
            self.requests.append((name, method, params))
        answer = self.answers.get(method, Error("unsupported", f"no method {method}"))
        if callable(answer):
            answer = answer(params)
        if isinstance(answer, Error):
            connection.sendall(frame([1, number, {"code": answer.code, "text": answer.text}, None]))
        elif isinstance(answer, Raw):
            connection.sendall(answer.data)
            if answer.close:
                raise EOFError
        elif answer is CLOSE:
            raise EOFError
        elif answer is not SILENCE:
            connection.sendall(frame([1, number, None, answer]))
        with self.changed:
            self.answered.add(method)
            self.changed.notify_all()

    def note(self, method, params):
        for connection in self.connections:
            connection.sendall(frame([2, method, params]))

    def await_request(self, method):
        """Waits until somebody asked for `method`, and was answered as the script has it."""
        with self.changed:
            if not self.changed.wait_for(lambda: method in self.answered, PATIENCE_S):
                raise AssertionError(f"nobody asked for {method}")

    def run(self, *words, **more):
        return run("--socket", self.directory, *words, **more)


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if k not in ("PRODD_CTL", "XDG_RUNTIME_DIR", "NO_COLOR", "PRODD_LIBEXEC")}
    return {**kept, "TZ": "UTC", "TERM": "xterm", **more}


def run(*words, env=None, prefix=()):
    """Runs prodctl, by way of the command `prefix`, to its end; the result has returncode, stdout, stderr."""
    return subprocess.run([*prefix, PRODCTL, *words], env=environment(**(env or {})), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="surrogateescape", timeout=PATIENCE_S)


def start(*words, env=None):
    return subprocess.Popen([PRODCTL, *words], env=environment(**(env or {})), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_on_terminal(*words, env=None):
    """Runs prodctl with a terminal as its output. Returns (exit status, what it wrote)."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([PRODCTL, *words], env=environment(**(env or {})), stdin=theirs, stdout=theirs,
                               stderr=theirs)
    os.close(theirs)
    data = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        data += part
    os.close(ours)
    return process.wait(PATIENCE_S), data.decode(errors="surrogateescape")


def now_ms():
    return int(time.time() * 1000)


def ms_of(text):
    """Milliseconds since 1970 of "2026-11-25 14:03:20" UTC."""
    return int(time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S")) - time.timezone) * 1000


def report(outcome, exit=0, **more):
    """A row of the records `reports`, app orders."""
    return {"app": "orders", "outcome": outcome, "exit": exit, **more}


def reports(*rows, **more):
    return {"reports": list(rows), **more}


class TestCase(unittest.TestCase):
    maxDiff = None

    def assertRun(self, result, status, stdout=None, stderr=None):
        self.assertEqual(result.returncode, status, result.stderr)
        if stdout is not None:
            self.assertEqual(result.stdout, stdout)
        if stderr is not None:
            self.assertEqual(result.stderr, stderr)


def main():
    os.environ["TZ"] = "UTC"
    time.tzset()
    unittest.main(verbosity=1)
