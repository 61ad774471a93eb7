#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Accounting: what status says of a session's bytes and of its uid's is what went over the socket."""
import os
import socket
import struct

import msgpack

from harness import Daemon, case, main, wait_until


class Counted:
    """A socket that counts whole frames in both directions."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(20)
        self.sent = self.received = 0

    def send(self, message):
        body = msgpack.packb(message)
        self.socket.sendall(struct.pack(">I", len(body)) + body)
        self.sent += 4 + len(body)

    def take(self, size):
        data = b""
        while len(data) < size:
            data += self.socket.recv(size - len(data))
        self.received += size
        return data

    def receive(self):
        return msgpack.unpackb(self.take(struct.unpack(">I", self.take(4))[0]))


def session_of(daemon):
    for app in daemon.status()["apps"]:
        for instance in app.get("instances", []):
            return instance
    return {}


@case
def a_sessions_bytes_are_those_of_its_socket():
    with Daemon(apps={"orders": {"default.conf": "x = 1;"}}) as d:
        d.call("reload", {"app": "orders"})
        counted = Counted(d.app_socket)
        counted.send([0, 1, "hello", {"protocol": 1, "client": "test", "app": "orders", "instance": "1"}])
        counted.receive()
        counted.send([0, 2, "config.subscribe", {}])
        assert counted.receive()[1] == 2
        offer = counted.receive()
        counted.send([1, offer[1], None, {"state": "applied"}])
        wait_until("it is applied", lambda: session_of(d).get("state") == "applied")
        row = session_of(d)
        assert (row["bytes_in"], row["bytes_out"]) == (counted.sent, counted.received), (row, vars(counted))
        for number in range(3, 103):
            counted.send([0, number, "ping", {}])
            counted.receive()
        row = session_of(d)
        assert (row["bytes_in"], row["bytes_out"]) == (counted.sent, counted.received), (row, vars(counted))
        account = d.account(os.getuid())
        assert account["bytes_in"] >= counted.sent and account["bytes_out"] >= counted.received, account


main()
