# SPDX-License-Identifier: Apache-2.0
"""Peers that speak prodd's wire, for the harness; tests take all of it from there."""
import contextlib
import os
import select
import socket
import struct
import sys
import threading
import time

from waiting import DEADLINE, as_uid

try:
    import msgpack
except ImportError:
    print("python3-msgpack is missing; install: apt-get install python3-msgpack")
    sys.exit(77)

CALL, ANSWER, NOTE = 0, 1, 2
FRAME_MAX = 256 * 1024


class Refused(Exception):
    """An answer with an error."""

    def __init__(self, error):
        super().__init__(f"{error.get('code')}: {error.get('text')}")
        self.code, self.text = error.get("code"), error.get("text")


class Closed(Exception):
    """The other side has closed the connection."""


class Client:
    """A peer that speaks the wire and nothing more. Not for several threads.

    uid: the connection carries this user's credentials."""

    def __init__(self, path, uid=None, connect=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.buffer = b""
        self.queue = []        # messages received while something else was waited for
        self.descriptors = []  # that came with answers; whoever takes one closes it
        self.next_id = 1
        self.welcome = None
        if connect:
            with as_uid(uid):
                self.socket.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()
        while self.descriptors:
            os.close(self.descriptors.pop())

    # -- frames

    @staticmethod
    def frame(message):
        body = message if isinstance(message, bytes) else msgpack.packb(message)
        return struct.pack(">I", len(body)) + body

    def send(self, message, fd=None):
        """Sends a message, or bytes as the body of a frame; the descriptor `fd` goes with its first byte."""
        self.socket.settimeout(DEADLINE)
        frame = self.frame(message)
        if fd is not None:
            frame = frame[socket.send_fds(self.socket, [frame], [fd]):]
        if frame:
            self.socket.sendall(frame)

    def send_bytes(self, data):
        self.socket.settimeout(DEADLINE)
        self.socket.sendall(data)

    def _read_frame(self, end):
        while True:
            if len(self.buffer) >= 4:
                size = struct.unpack(">I", self.buffer[:4])[0]
                if len(self.buffer) >= 4 + size:
                    body, self.buffer = self.buffer[4:4 + size], self.buffer[4 + size:]
                    return msgpack.unpackb(body, raw=False, strict_map_key=False)
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no message in time")
            self.socket.settimeout(left)
            try:
                data, fds, _, _ = socket.recv_fds(self.socket, 262144, 16)
                self.descriptors += fds
            except (ConnectionResetError, BrokenPipeError):
                data = b""
            if not data:
                raise Closed()
            self.buffer += data

    def recv(self, timeout=None):
        """The next message, [type, ...]. TimeoutError, Closed."""
        if self.queue:
            return self.queue.pop(0)
        return self._read_frame(time.monotonic() + (DEADLINE if timeout is None else timeout))

    def _find(self, wanted, timeout):
        for i, message in enumerate(self.queue):
            if wanted(message):
                return self.queue.pop(i)
        end = time.monotonic() + (DEADLINE if timeout is None else timeout)
        while True:
            message = self._read_frame(end)
            if wanted(message):
                return message
            self.queue.append(message)

    # -- our calls

    def request(self, method, params=None, fd=None):
        """Sends a call, with the descriptor `fd`, and returns its id."""
        number, self.next_id = self.next_id, self.next_id + 1
        self.send([CALL, number, method, params or {}], fd)
        return number

    def result(self, number, timeout=None):
        """The result of the call with that id; raises Refused."""
        message = self._find(lambda m: m[0] == ANSWER and m[1] == number, timeout)
        if message[2] is not None:
            raise Refused(message[2])
        return message[3]

    def call(self, method, params=None, timeout=None, fd=None):
        return self.result(self.request(method, params, fd), timeout)

    def refusal(self, method, params=None, timeout=None):
        """The error of a call that must fail."""
        try:
            result = self.call(method, params, timeout)
        except Refused as error:
            return error
        raise AssertionError(f"{method} succeeded: {result}")

    def note(self, method, params=None):
        self.send([NOTE, method, params or {}])

    def ping(self):
        """The seconds of a round trip."""
        started = time.perf_counter()
        self.call("ping")
        return time.perf_counter() - started

    def hello(self, app=None, instance=None, environment=None, variables=None, **more):
        params = {"protocol": 1, "client": "harness 1", **more}
        if app is not None:
            params["app"] = app
        if instance is not None:
            params["instance"] = instance
        if environment is not None:
            params["environment"] = environment
        if variables:
            params["variables"] = [{"name": k, "value": v} for k, v in variables.items()]
        self.welcome = self.call("hello", params)
        return self

    # -- prodd's calls and notes

    def expect_call(self, method=None, timeout=None):
        """The next call of prodd's (of that method): (id, method, params)."""
        message = self._find(lambda m: m[0] == CALL and method in (None, m[2]), timeout)
        return message[1], message[2], message[3]

    def expect_note(self, method=None, timeout=None):
        message = self._find(lambda m: m[0] == NOTE and method in (None, m[1]), timeout)
        return message[2]

    def answer(self, number, result):
        self.send([ANSWER, number, None, result])

    def answer_error(self, number, code, text):
        self.send([ANSWER, number, {"code": code, "text": text}, None])

    def expect_end(self, timeout=None):
        """Reads until the connection ends; returns the messages that came before."""
        end = time.monotonic() + (DEADLINE if timeout is None else timeout)
        messages, self.queue = self.queue, []
        while True:
            try:
                messages.append(self._read_frame(end))
            except Closed:
                return messages


def entries(params):
    """The settings of an apply or offer, as an app sees them: {key: value}."""
    values = {e["key"]: e.get("value") for e in params.get("snapshot", [])}
    values.update({e["key"]: e.get("value") for e in params.get("overlay", [])})
    return values


class App(Client):
    """An instance of an app: says hello, subscribes, and takes what it is given.

    Its vote is `verdict`: "accept", "restart", ("reject", reason), a function of the offer's params that gives one of
    these, or None for silence. Nothing is answered in the background: pump() and the waiting calls below do it."""

    def __init__(self, daemon, app, instance=None, uid=None, environment=None, variables=None, subscribe=True,
                 has=None, path=None):
        super().__init__(path or daemon.app_socket, uid=uid)
        self.verdict = "accept"
        self.applied = "applied"    # what it says to commit and apply: a state, (state, reason), the whole answer as a
                                    # dict, a function of the params that gives one of these, or None for silence
        self.live = None            # the snapshot in use: params of apply, or of the committed offer
        self.offered = {}           # txn: params
        self.seen = []              # (method, params) of all that prodd said
        self.subscribed = None
        self.hello(app, instance, environment, variables)
        if subscribe:
            self.subscribe(has)

    def subscribe(self, has=None):
        number = self.request("config.subscribe", has or {})
        self.subscribed = self.result(number)
        return self.subscribed

    @property
    def generation(self):
        return self.live["generation"] if self.live else 0

    def settings(self, timeout=None):
        """The settings in use; waits for the first ones."""
        self.wait(lambda: self.live is not None, "a configuration", timeout)
        return entries(self.live)

    def wait_setting(self, key, value, timeout=None):
        self.wait(lambda: self.live and entries(self.live).get(key) == value, f"{key} = {value!r}", timeout)

    def wait_generation(self, number, timeout=None):
        self.wait(lambda: self.generation >= number, f"generation {number}", timeout)

    def wait(self, condition, what, timeout=None):
        """Handles messages until the condition holds."""
        end = time.monotonic() + (DEADLINE if timeout is None else timeout)
        while not condition():
            try:
                self.handle(self.recv(max(0.0, end - time.monotonic())))
            except TimeoutError:
                raise AssertionError(f"not in time: {what}; seen {[m for m, _ in self.seen]}") from None

    def pump(self, timeout=0.0):
        """Handles what is there, and what comes within `timeout`."""
        end = time.monotonic() + timeout
        with contextlib.suppress(TimeoutError):
            while True:
                self.handle(self.recv(max(0.0005, end - time.monotonic())))

    def handle(self, message):
        if message[0] == NOTE:
            _, method, params = message
            self.seen.append((method, params))
            if method == "config.abort":
                self.offered.pop(params["txn"], None)
            return
        assert message[0] == CALL, message
        _, number, method, params = message
        self.seen.append((method, params))
        if method == "config.offer":
            self.offered[params["txn"]] = params
            self.vote(number, params)
        elif method == "config.commit":
            self.switch(number, params, self.offered.pop(params["txn"], self.live))
        elif method == "config.apply":
            self.switch(number, params, params)
        elif method == "ping":
            self.answer(number, {})
        else:
            self.answer_error(number, "unsupported", f"no method {method}")

    def vote(self, number, params):
        verdict = self.verdict(params) if callable(self.verdict) else self.verdict
        if verdict is None:
            return
        reason = ""
        if isinstance(verdict, tuple):
            verdict, reason = verdict
        self.answer(number, {"verdict": verdict, **({"reason": reason} if reason else {})})

    def switch(self, number, params, live):
        """Uses `live` when that is what it says, and says it."""
        applied = self.applied(params) if callable(self.applied) else self.applied
        if applied is None:
            self.live = live
            return
        if isinstance(applied, tuple):
            applied = {"state": applied[0], "reason": applied[1]}
        if isinstance(applied, str):
            applied = {"state": applied}
        if applied["state"] == "applied":
            self.live = live
        self.answer(number, applied)


class Served(threading.Thread):
    """Runs App.pump() in a thread while a test does other things: with Served(app): d.call("reload", ...)."""

    def __init__(self, *apps):
        super().__init__(daemon=True)
        self.apps = apps
        self.ending = threading.Event()
        self.error = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.ending.set()
        self.join()
        if kind is None and self.error:
            raise self.error

    def run(self):
        try:
            while not self.ending.is_set():
                ready, _, _ = select.select([a.socket for a in self.apps], [], [], 0.02)
                for app in self.apps:
                    if app.socket in ready or app.queue or len(app.buffer) > 4:
                        app.pump()
        except Closed:
            pass
        except BaseException as error:
            self.error = error


def percentile(values, part):
    """Of a list: percentile(times, 0.99)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
