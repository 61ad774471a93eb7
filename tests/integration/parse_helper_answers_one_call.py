#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""prodd-parse as prodd starts it: one call over descriptor 3, one answer, the end; confined, whatever it is sent."""
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import unittest

try:
    import msgpack
except ImportError:
    sys.exit(77)

PROGRAM = os.path.abspath(os.environ.get("PRODD_PARSE", "prodd-parse"))


def frame(value):
    data = msgpack.packb(value)
    return struct.pack(">I", len(data)) + data


def source(name, layer, content):
    return {"name": name, "path": "/etc/orders/" + name, "layer": layer, "content": content}


CALL = [0, 7, "parse", {"app": "orders", "environment": "production",
                        "files": [source("default.conf", "default", b"a: { b = 1; };\n")]}]


def sanitized():
    """A sanitizer needs all address space, and looks into /proc at the end."""
    return "sanitizer=no" not in subprocess.run([PROGRAM, "--version"], capture_output=True, text=True,
                                                check=True).stdout


class Helper:
    def __init__(self, **more):
        ours, theirs = socket.socketpair()
        self.socket = ours
        # Descriptor 3 is the one place that the helper looks at.
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$0" 3<&{theirs.fileno()} 3>&{theirs.fileno()}', PROGRAM],
            pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, **more)
        theirs.close()
        ours.settimeout(30)

    def answer(self):
        data = b""
        while True:
            piece = self.socket.recv(65536)
            if not piece:
                break
            data += piece
        if not data:
            return None
        (size,) = struct.unpack(">I", data[:4])
        assert len(data) == 4 + size
        return msgpack.unpackb(data[4:])

    def end(self):
        self.socket.close()
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


def talk(*pieces, close=False):
    helper = Helper()
    for piece in pieces:
        helper.socket.sendall(piece)
    if close:
        helper.socket.shutdown(socket.SHUT_WR)
    answer = helper.answer()
    return (answer, *helper.end())


class Test(unittest.TestCase):
    def test_one_call_one_answer(self):
        answer, status, err = talk(frame(CALL))
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(answer, [1, 7, None, {"entries": [
            {"key": "a.b", "type": "int", "value": 1,
             "candidates": [{"layer": "file", "file": "default.conf", "line": 1, "text": "1"}]}]}])

    def test_call_in_pieces(self):
        answer, status, _ = talk(*(bytes([byte]) for byte in frame(CALL)))
        self.assertEqual((status, answer[2]), (0, None))

    def test_problems_are_a_result(self):
        call = [0, 1, "parse", {"app": "orders", "files": [source("default.conf", "default", b"a = ;")]}]
        answer, status, _ = talk(frame(call))
        self.assertEqual(status, 0)
        self.assertEqual(answer[3], {"problems": [{"file": "/etc/orders/default.conf", "line": 1,
                                                   "text": 'syntax error, expected a value, got ";"'}]})

    def test_the_largest_file(self):
        call = [0, 1, "parse", {"app": "orders", "files": [source("default.conf", "default", b"#" * (1 << 20))]}]
        answer, status, _ = talk(frame(call))
        self.assertEqual((status, answer[2:]), (0, [None, {}]))

    def test_request_that_breaks_its_schema_is_an_error(self):
        answer, status, _ = talk(frame([0, 9, "parse", {"environment": "x"}]))
        self.assertEqual((status, answer[:2], answer[2]["code"]), (0, [1, 9], "usage"))

    def test_nonsense_ends_it(self):
        for pieces in ((b"\0\0\0\0",), (b"\xff\xff\xff\xff",), (frame([0, 1, "reload", {}]),), (frame([2, "ping", {}]),),
                       (frame({}),), (b"\0\0\0\5\xdd\4\0\0\0",), (frame(CALL)[:20],), ()):
            answer, status, err = talk(*pieces, close=True)
            self.assertEqual((answer, status), (None, 1), pieces)
            self.assertTrue(err.startswith("prodd-parse: "), err)

    def confined(self):
        """A helper that waits for the rest of its call. The limit of processor time is the last that matters here."""
        helper = Helper()
        self.addCleanup(helper.end)
        helper.socket.sendall(frame(CALL)[:10])
        while resource.prlimit(helper.process.pid, resource.RLIMIT_CPU)[0] == resource.RLIM_INFINITY:
            self.assertIsNone(helper.process.poll())
        return helper.process.pid

    def test_confined(self):
        pid = self.confined()
        files, seconds = (4, 2) if not sanitized() else (64, 20)
        for limit, value in ((resource.RLIMIT_NOFILE, files), (resource.RLIMIT_FSIZE, 0),
                             (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
            self.assertEqual(resource.prlimit(pid, limit), (value, value))
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            self.assertIn("NoNewPrivs:\t1", file.read())

    def test_memory_is_limited(self):
        if sanitized():
            self.skipTest("a sanitizer needs all address space")
        self.assertEqual(resource.prlimit(self.confined(), resource.RLIMIT_AS)[0], 256 << 20)

    def test_dies_with_its_parent(self):
        ours, theirs = socket.socketpair()
        parent = os.fork()
        if parent == 0:
            os.dup2(theirs.fileno(), 3)
            os.set_inheritable(3, True)
            pid = os.posix_spawn(PROGRAM, [PROGRAM], os.environ)
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                while "NoNewPrivs:\t1" not in file.read():
                    file.seek(0)
            os.kill(os.getpid(), signal.SIGKILL)
        theirs.close()
        os.waitpid(parent, 0)
        ours.settimeout(30)
        self.addCleanup(ours.close)
        self.assertEqual(ours.recv(1), b"")  # both ends of descriptor 3 are gone


if __name__ == "__main__":
    unittest.main()
