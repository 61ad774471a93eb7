#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whoever sends a request or reads a reply too slowly is cut off, whoever has no descriptor left waits for one; the others are served."""
import resource
import select
import time

from harness import case, main, wait_until
from scraping import Scraper, Server

HEAD_S, SEND_S = 10, 15  # daemon/metric/connection.c


def end_of(s, deadline):
    """Seconds until the server has closed the connection, which is fed byte by byte meanwhile."""
    began = time.monotonic()
    while time.monotonic() < began + deadline:
        if select.select([s.socket], [], [], 0.5)[0]:
            try:
                if not s.socket.recv(1):
                    return time.monotonic() - began
            except ConnectionResetError:
                return time.monotonic() - began
        try:
            s.send(b"x")
        except (BrokenPipeError, ConnectionResetError):
            return time.monotonic() - began
    raise AssertionError(f"not cut within {deadline} s")


def cut(server, reader, asker, idle):
    reader.ask()  # and reads nothing
    asker.send(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
    asked = end_of(asker, HEAD_S * 2)
    assert HEAD_S - 1 < asked, asked
    assert server.get("/healthz").status == 200
    wait_until("the reply is given up", lambda: server.sockets() == idle, SEND_S * 2)
    got = 0
    try:
        while part := reader.socket.recv(1 << 16):
            got += len(part)
    except ConnectionResetError:
        pass
    assert 0 < got < 2_000_000, got


@case
def slow_ones_are_cut():
    with Server(50000) as server:
        idle = server.sockets()
        with Scraper(server.path) as reader, Scraper(server.path) as asker:
            wait_until("both are accepted", lambda: server.sockets() == idle + 2)
            cut(server, reader, asker, idle)
    assert server.said["http_readers_cut"] == 2, server.said


@case
def without_descriptors_it_rests_and_comes_back():
    server = Server(10, limits=[(resource.RLIMIT_NOFILE, 24)])
    with server:
        many = [Scraper(server.path) for _ in range(40)]
        time.sleep(0.3)  # it must not spin meanwhile; there is nothing to wait for
        for c in many:
            c.socket.close()
        assert server.get().status == 200
    assert 0 < server.said["accept_no_descriptor"] < 40, server.said


main()
