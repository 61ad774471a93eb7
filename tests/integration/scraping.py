# SPDX-License-Identifier: Apache-2.0
"""The HTTP server alone, with made-up metrics (tests/unit/http_server.c), and a client that knows little of HTTP."""
import os
import resource
import signal
import socket
import subprocess
import tempfile
import zlib

from waiting import DEADLINE

SERVER = os.path.join(os.environ.get("builddir", "."), "tests/unit/http_server")


class Server:
    """Serves as long as the `with` lasts; then `said` has its figures."""

    def __init__(self, series, kind="integers", listen="", limits=()):
        self.directory = tempfile.mkdtemp(prefix="prodd-")
        self.path = os.path.join(self.directory, "http.sock")
        self.words = [SERVER, self.path, listen, str(series), kind]
        self.limits = limits
        self.said = {}

    def __enter__(self):
        def prepare():
            for name, value in self.limits:
                resource.setrlimit(name, (value, value))

        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=prepare if self.limits else None)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            out, _ = self.process.communicate(timeout=DEADLINE * 2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.said = {name: int(value) for name, value in (line.split() for line in out.splitlines())}
        os.rmdir(self.directory)  # it took its socket's name away
        if kind is None:
            assert self.process.returncode == 0, self.process.returncode
            assert self.said["walks"] == 0 and self.said["http_accepted"] == self.said["http_closed"], self.said

    def get(self, path="/metrics", **headers):
        with Scraper(self.path) as s:
            return s.get(path, **headers)

    def sockets(self):
        """How many it has open."""
        names = (os.path.join(f"/proc/{self.process.pid}/fd", n) for n in os.listdir(f"/proc/{self.process.pid}/fd"))
        return sum(1 for n in names if os.path.islink(n) and os.readlink(n).startswith("socket:"))

    def rss(self):
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        body = zlib.decompress(self.body, 31) if self.headers.get("content-encoding") == "gzip" else self.body
        return body.decode()


class Scraper:
    """A connection: to a Unix socket, or to (host, port)."""

    def __init__(self, where, timeout=None):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
        self.socket.settimeout(timeout or DEADLINE)
        self.socket.connect(where)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, path="/metrics", method="GET", version="1.1", **headers):
        lines = [f"{method} {path} HTTP/{version}", "Host: test"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n")

    def more(self):
        part = self.socket.recv(1 << 20)
        if not part:
            raise EOFError
        self.buffer += part

    def reply(self, method="GET"):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        size = 0 if method == "HEAD" else int(headers["content-length"])
        parts, have = [self.buffer], len(self.buffer)
        while have < size:
            parts.append(self.socket.recv(1 << 20))
            if not parts[-1]:
                raise EOFError
            have += len(parts[-1])
        data = b"".join(parts)
        self.buffer = data[size:]
        return Reply(int(first.split()[1]), headers, data[:size])

    def get(self, path="/metrics", method="GET", **headers):
        self.ask(path, method, **headers)
        return self.reply(method)

    def ended(self):
        """Has the server closed it, with nothing more said?"""
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
