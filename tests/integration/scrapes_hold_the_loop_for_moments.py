#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A scrape of 100,000 series, in each format and compressed, is made in slices: the loop is never held over 5 ms."""
import time

from harness import PLAIN, case, main
from scraping import Scraper, Server

SERIES = 100_000
HELD_US = 5000  # the bound


def gap_us():
    """The longest time that this machine takes a busy process its processor away for, in a quarter of a second."""
    longest, last = 0.0, time.monotonic()
    end = last + 0.25
    while last < end:
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest * 1e6


def scrape(kind, **headers):
    bare = gap_us()
    with Server(SERIES, kind) as server:
        for _ in range(3):
            text = server.get(**headers).text
        lines = [line for line in text.splitlines() if line.startswith("requests_total{")]
        assert len(lines) == SERIES, len(lines)
        assert len(set(line.split()[0] for line in lines)) == SERIES
        if kind == "doubles":
            assert float(lines[1].split()[1]) == 2654435761 / 1234.567
    bare = max(bare, gap_us())
    held = server.said["longest_turn_us"]
    print(f"      {kind} {headers}: loop held {held} us at most; a busy process lost its processor for {bare:.0f} us")
    if PLAIN:
        assert held < max(HELD_US, 5 * bare), held


@case
def integers():
    scrape("integers")


@case
def doubles_in_openmetrics():
    scrape("doubles", Accept="application/openmetrics-text")


@case
def compressed():
    scrape("integers", Accept_Encoding="gzip")
    scrape("doubles", Accept_Encoding="gzip")


@case
def others_are_answered_meanwhile():
    with Server(SERIES) as server, Scraper(server.path) as large, Scraper(server.path) as small:
        large.ask(Accept_Encoding="gzip")
        before = 0
        while True:
            assert small.get("/healthz").text == "alive\n"
            large.socket.setblocking(False)
            try:
                large.more()
                break
            except BlockingIOError:
                before += 1
        large.socket.settimeout(10)
        assert before > 10, "the scrape was made in one go"
        assert large.reply().text.count("\n") == SERIES + 2


main()
