#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Formats by negotiation, compression, methods and paths; what is hostile or slow is cut, and holds up nobody."""
import os
import signal
import socket
import stat
import time

from harness import NOBODY, Child, Skip, case, main, wait_until
from scraping import Scraper, Server

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@case
def the_format_is_negotiated():
    with Server(3) as server:
        plain = server.get()
        assert plain.status == 200 and plain.headers["content-type"] == PLAIN_TEXT
        assert plain.text.splitlines()[-1] == 'requests_total{app="orders",shard="000002"} 1013904226', plain.text
        assert "Accept" in plain.headers["vary"]
        openmetrics = server.get(Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1")
        assert openmetrics.headers["content-type"] == OPENMETRICS
        assert openmetrics.text.startswith("# HELP requests Made up.\n") and openmetrics.text.endswith("\n# EOF\n")
        assert server.get(Accept="*/*").headers["content-type"] == PLAIN_TEXT
    assert server.said["syncs"] == server.said["begun"] == 3


@case
def it_is_compressed_on_request():
    with Server(2000) as server:
        plain, small = server.get(), server.get(Accept_Encoding="gzip")
        assert small.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
        assert small.text == plain.text
        assert len(small.body) * 4 < len(plain.body), (len(small.body), len(plain.body))
        assert server.get(Accept_Encoding="gzip;q=0").headers.get("content-encoding") is None


@case
def a_connection_serves_one_request_after_another():
    with Server(10) as server, Scraper(server.path) as s:
        first = s.get()
        assert s.get().text == first.text
        s.ask()
        s.ask("/healthz")
        s.ask("/metrics", version="1.0")
        assert s.reply().text == first.text
        assert s.reply().text == "alive\n"
        assert s.reply().text == first.text
        assert s.ended()


@case
def head_has_the_head_alone():
    with Server(10) as server, Scraper(server.path) as s:
        reply = s.get("/metrics", "HEAD")
        assert reply.status == 200 and reply.headers["content-type"] == PLAIN_TEXT
        assert s.get("/healthz", "HEAD").headers["content-length"] == "6"
        assert s.get("/healthz").text == "alive\n"
    assert server.said["begun"] == 0


@case
def readiness_comes_with_its_reason():
    with Server(1) as server:
        assert server.get("/readyz").status == 200
        server.process.send_signal(signal.SIGUSR1)
        wait_until("it is not ready", lambda: server.get("/readyz").status == 503)
        assert server.get("/readyz").text == "the spool: No space left on device\n"
        assert server.get("/healthz").status == 200


@case
def what_is_not_there_is_said():
    with Server(1) as server, Scraper(server.path) as s:
        assert s.get("/").status == 404 and "/metrics" in s.get("/").text
        reply = s.get("/metrics", "DELETE")
        assert reply.status == 405 and reply.headers["allow"] == "GET, HEAD"
        assert s.get("/metrics").status == 200
        s.send(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n" + b"GET /metrics HTTP/1.1\r\n" * 100)
        assert s.reply().status == 405 and s.ended()


@case
def damage_ends_its_connection_alone():
    with Server(1) as server, Scraper(server.path) as good:
        for data, status in ((b"nonsense\r\n\r\n", 400), (b"GET / HTTP/3.0\r\n\r\n", 505), (b"x" * 9000, 431),
                             (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 413)):
            with Scraper(server.path) as bad:
                bad.send(data)
                assert bad.reply().status == status, data
                assert bad.ended()
        assert good.get().status == 200
    assert server.said["http_requests_refused"] == 4


@case
def a_request_may_come_byte_by_byte():
    with Server(1) as server, Scraper(server.path) as s:
        for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n":
            s.send(bytes([byte]))
        assert s.reply().text == "alive\n"


@case
def the_socket_is_made_for_all_and_replaces_a_dead_one():
    with Server(1) as server:
        assert stat.S_IMODE(os.stat(server.path).st_mode) == 0o666
        second = Server(1)
        os.rmdir(second.directory)
        second.words[1] = server.path
        try:
            with second:
                raise SystemError("two servers at one socket")
        except AssertionError:
            assert second.process.wait() == 1
        finally:
            second.process.stdout.close()
        assert server.get("/healthz").status == 200
        server.process.kill()
        server.process.wait()
        server.process.stdout.close()
        server.__enter__()
        assert server.get("/healthz").status == 200


@case
def tcp_is_served_where_it_is_named():
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    with Server(5, listen=f"127.0.0.1:{port}") as server, Scraper(("127.0.0.1", port)) as s:
        assert s.get().text == server.get().text
    for wrong in ("127.0.0.1", "localhost:80", "::1:80", "[::1]", "127.0.0.1:99999", ":80", "127.0.0.1:0", "1.2.3.4:x"):
        refused = Server(1, listen=wrong)
        try:
            with refused:
                raise SystemError(wrong)
        except AssertionError:
            assert refused.process.wait() == 1
        finally:
            refused.process.stdout.close()


@case
def idle_connections_make_room():
    with Server(1) as server:
        idle = [Scraper(server.path) for _ in range(100)]
        with Scraper(server.path) as s:
            assert s.get().status == 200
        assert idle[0].ended()
        assert idle[-1].get().status == 200
        for c in idle:
            c.socket.close()
    assert server.said["http_refused"] == 101 - 32, server.said  # of one user; see http.h


@case
def those_who_do_not_read_hold_up_nobody_else():
    if os.geteuid() != 0:
        raise Skip("needs root, to be two users")
    with Server(50000) as server:
        os.chmod(server.directory, 0o755)
        before = server.rss()
        lazy = [Scraper(server.path) for _ in range(20)]
        for c in lazy:
            c.ask()

        def scrape(_):
            assert len(server.get().body) > 2_000_000

        started = time.monotonic()
        with Child(scrape, uid=NOBODY) as child:
            assert child.wait() == 0
        assert time.monotonic() - started < 5, "it waited for those who do not read"
        # two replies are held for one user, and they are of 8 MiB at most
        assert server.rss() - before < 40 << 20, server.rss() - before
        for c in lazy:
            c.socket.close()
        assert server.get("/healthz").status == 200


@case
def scrapes_that_must_wait_get_their_turn():
    with Server(20000) as server:
        scrapers = [Scraper(server.path) for _ in range(30)]
        for s in scrapers:
            s.ask()
        texts = {s.reply().text for s in scrapers}
        assert len(texts) == 1
        for s in scrapers:
            s.socket.close()
    assert server.said["scrapes"] == 30


main()
