#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that connect and connect: beyond their own most, the daemon's, and its descriptors; or never say hello."""
import itertools
import resource
import socket
import time

from harness import Daemon, case, main, wait_until
from hostile import Attack, forever, hello, reach


def flood(out, path, keep, wanted):
    """Opens `keep` sessions, as far as there is room; then connects as fast as it can. Says its rate after `wanted`."""
    kept = []
    for _ in range(keep):
        s = reach(path)
        try:
            s.sendall(hello())
        except OSError:
            pass
        kept.append(s)
    started = time.monotonic()
    for done in itertools.count(1):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
        if done == wanted:
            out.write(b"%d\n" % (done / (time.monotonic() - started)))


def rate(attack):
    return sum(int(line) for line in attack.lines)


@case
def ten_thousand_connects_a_second():
    with Daemon() as d:
        with Attack(d, flood, 0, 20000, seconds=2) as attack:
            print(f"      {rate(attack)} connects/s")


@case
def connects_beyond_the_uids_most():
    with Daemon() as d:
        with Attack(d, flood, 1500, 20000, seconds=2, limits=[(resource.RLIMIT_NOFILE, 4096)]) as attack:
            print(f"      {rate(attack)} connects/s")
            assert attack.counted("connections_refused_uid") > 1000
            assert d.account(attack.uid)["sessions"] <= 1024
            assert d.account(attack.uid)["refused"] > 1000


@case
def connects_beyond_the_daemons_most():
    with Daemon(conf="limits: { sessions = 100; };") as d:
        with Attack(d, flood, 500, 20000, seconds=2) as attack:
            print(f"      {rate(attack)} connects/s")
            assert attack.counted("connections_refused_daemon") > 1000
            assert d.account(attack.uid)["sessions"] <= 50


@case
def connects_beyond_the_descriptors():
    with Daemon(limits=[(resource.RLIMIT_NOFILE, 256)]) as d:
        with Attack(d, flood, 500, 20000, seconds=2) as attack:
            print(f"      {rate(attack)} connects/s")
            assert attack.counted("connections_refused_daemon") > 1000
            assert d.descriptors() < 256
        assert wait_until("the descriptors come back", lambda: d.descriptors() < 40)


def wait_in_silence(out, path, said):
    """As many sessions as there may be, with the beginning of a hello at most; anew when they are cut."""
    sockets = [reach(path) for _ in range(1000)]
    for s in sockets:
        if said:
            s.sendall(b"\x00\x00\x00\x20\x94\x00")
    out.write(b"done\n")
    forever(sockets)


@case
def who_never_says_hello_is_cut_after_two_seconds():
    for said in (False, True):
        with Daemon() as d:
            with Attack(d, wait_in_silence, said, limits=[(resource.RLIMIT_NOFILE, 4096)]) as attack:
                wait_until("all are cut", lambda: attack.counted("sessions_no_hello") >= 1000)
                wait_until("no session is left", lambda: d.account(attack.uid)["sessions"] == 0)


main()
