#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A scrape of 100,000 series, in each format and compressed, is made in slices: the loop is never held over 5 ms."""
import time

from harness import PLAIN, App, Daemon, case, main
from scraping import Scraper, Server
from segments import rows

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


def turns(d):
    """[(upper bound in us, turns that took up to it)] of prodd's loop."""
    [row] = rows(d, pattern="prodd_loop_turn_seconds")
    return list(zip([b * 1e6 for b in row["bounds"]] + [float("inf")], row["counts"]))


@case
def prodd_itself_with_as_many():
    bare = gap_us()
    with Daemon(conf=f"metrics: {{ series = {SERIES}; }};") as d, App(d, "orders", subscribe=False) as app:
        for first in range(0, SERIES, 400):
            app.call("metric.push", {"families": [{
                "name": "requests_total", "type": "counter", "labels": ["shard"],
                "series": [{"labels": [f"{n:06}"], "value": n} for n in range(first, first + 400)]}]})
        before = turns(d)
        for headers in ({}, {"Accept": "application/openmetrics-text"}, {"Accept_Encoding": "gzip"}) * 2:
            with Scraper(d.path("run", "http.sock")) as s:
                text = s.get(**headers).text
            assert text.count("\nrequests_total{") == SERIES
        after = turns(d)
    bare = max(bare, gap_us())
    added = [(bound, now - then) for (bound, now), (_, then) in zip(after, before)]
    print(f"      turns up to so many us: {added}; a busy process lost its processor for {bare:.0f} us")
    if PLAIN:
        lowest = [below for below, _ in [(0, 0)] + added]  # a turn of a bucket took longer than the bound before
        assert not [n for low, (_, n) in zip(lowest, added) if n and low >= max(HELD_US, 5 * bare)], added


main()
