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
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

try:
    import msgpack
except ImportError:
    print("python3-msgpack is missing; install: apt-get install python3-msgpack")
    sys.exit(77)

CALL, ANSWER, NOTE = 0, 1, 2
FRAME_MAX = 256 * 1024
PLAIN = os.environ.get("PRODD_PLAIN") == "1"
DEADLINE = float(os.environ.get("PRODD_TEST_DEADLINE", "10"))
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


# ---- waiting

def wait_until(what, condition, deadline=None, pause=0.005):
    """Waits until condition() is true and returns its value; fails with `what` after `deadline` seconds.
    For states that nothing announces; where an event can be waited for (recv, expect), wait for that."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {deadline or DEADLINE} s: {what}")
        select.select([], [], [], pause)


@contextlib.contextmanager
def as_uid(uid, gid=None):
    """The body runs with these effective ids: connections that it makes carry them. None: as we are."""
    if uid is None:
        yield
        return
    old_uid, old_gid, old_groups = os.geteuid(), os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(uid if gid is None else gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(old_uid)
        os.setegid(old_gid)
        os.setgroups(old_groups)


class Child:
    """A forked process that runs `function(*args)` as `uid`; ended with the context.

    What function writes to its first argument, a binary file, the parent reads from `.out`; `.wait()` gives its exit
    status."""

    def __init__(self, function, *args, uid=None, limits=()):
        read_end, write_end = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(read_end)
                import resource
                for name, value in limits:
                    resource.setrlimit(name, (value, value))
                if uid is not None:
                    os.setgroups([])
                    os.setresgid(uid, uid, uid)
                    os.setresuid(uid, uid, uid)
                with os.fdopen(write_end, "wb", buffering=0) as out:
                    function(out, *args)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(write_end)
        self.out = os.fdopen(read_end, "rb")
        self.status = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.out.close()

    def line(self, deadline=None):
        """The next line of what it wrote; fails after the deadline, b"" at its end."""
        ready, _, _ = select.select([self.out], [], [], deadline or DEADLINE)
        assert ready, "the child says nothing"
        return self.out.readline()

    def kill(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def wait(self):
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status


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
        self.log_path = self.path("log")
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
        """Resident bytes."""
        with open(f"/proc/{self.pid}/smaps_rollup") as f:
            for line in f:
                if line.startswith("Rss:"):
                    return int(line.split()[1]) * 1024
        raise AssertionError("no Rss")

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


# ---- peers

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

    # -- frames

    @staticmethod
    def frame(message):
        body = message if isinstance(message, bytes) else msgpack.packb(message)
        return struct.pack(">I", len(body)) + body

    def send(self, message):
        """Sends a message, or bytes as the body of a frame."""
        self.socket.settimeout(DEADLINE)
        self.socket.sendall(self.frame(message))

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
                data = self.socket.recv(262144)
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

    def request(self, method, params=None):
        """Sends a call and returns its id."""
        number, self.next_id = self.next_id, self.next_id + 1
        self.send([CALL, number, method, params or {}])
        return number

    def result(self, number, timeout=None):
        """The result of the call with that id; raises Refused."""
        message = self._find(lambda m: m[0] == ANSWER and m[1] == number, timeout)
        if message[2] is not None:
            raise Refused(message[2])
        return message[3]

    def call(self, method, params=None, timeout=None):
        return self.result(self.request(method, params), timeout)

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


# ---- figures

def percentile(values, part):
    """Of a list: percentile(times, 0.99)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
