#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that send bytes which are no frames, too long, cut short, or one at a time."""
import os
import struct

import msgpack
from harness import FRAME_MAX, Client, Daemon, case, main
from hostile import Attack, forever, greeted, hello, reach, read_answer

BOMBS = [
    b"\xdd\x04\x00\x00\x00", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x00", b"\x91" * 200 + b"\xc0", b"\x91" * (FRAME_MAX - 1) + b"\xc0",
    b"\xdc\xff\xff" + b"\x90" * 65535, b"\x94\x00\x02\xa4ping\xdf\x00\x10\x00\x00", b"\xc1", b"\x90", b"\x80",
    b"GET / HTTP/1.1\r\n\r\n", b"\x94\x00\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa4ping\x80",
    b"\x94\x03\x01\xa4ping\x80", b"\x94\x00\x02\xa4\xff\xfe\xfd\xfc\x80", b"\x94\x00\x02\xa4ping\x80\x80",
    os.urandom(100), os.urandom(FRAME_MAX),
]


def frame(body):
    return struct.pack(">I", len(body)) + body


def send(s, data):
    s.settimeout(5)
    try:
        s.sendall(data)
    except OSError:
        pass        # it was ended in the middle


def throw_bombs(out, path):
    told = 0
    while True:
        for bomb in BOMBS:
            for begin in (reach, greeted):
                with begin(path) as s:
                    send(s, frame(bomb))
                    told += len(read_answer(s)) > 4
        out.write(b"%d\n" % told)


@case
def bombs_get_a_clear_error():
    with Daemon() as d:
        with Attack(d, throw_bombs) as attack:
            assert int(attack.lines[0]) == 2 * len(BOMBS), attack.lines
            ended = attack.counted("sessions_ended_protocol") + attack.counted("sessions_ended_too_large")
            assert ended >= 2 * len(BOMBS), ended


def lengths(out, path):
    """0, the most, one more, and those that a signed or 32-bit sum would get wrong."""
    text = b"x" * (FRAME_MAX - 16)
    ping = msgpack.packb([0, 2, "ping", {"x": text}])
    ping = msgpack.packb([0, 2, "ping", {"x": text + b"x" * (FRAME_MAX - len(ping))}])
    assert len(ping) == FRAME_MAX, len(ping)
    while True:
        with greeted(path) as s:
            send(s, frame(ping))
            assert msgpack.unpackb(read_answer(s)[4:])[2] is None
            send(s, frame(ping))
            assert msgpack.unpackb(read_answer(s)[4:])[2] is None
        for length in (0, FRAME_MAX + 1, 0x7fffffff, 0x80000000, 0xfffffffb, 0xfffffffc, 0xffffffff):
            with greeted(path) as s:
                send(s, struct.pack(">I", length) + b"x" * 1000)
                error = msgpack.unpackb(read_answer(s)[4:])[2]
                assert error["code"] == ("too_large" if length else "protocol"), error
        out.write(b"done\n")


@case
def lengths_0_and_over_the_most_are_refused():
    with Daemon() as d:
        with Attack(d, lengths) as attack:
            assert attack.counted("sessions_ended_too_large") >= 6
            assert attack.counted("sessions_ended_protocol") >= 1


def cut(out, path):
    whole = hello() + Client.frame([0, 2, "config.check", {"app": "orders"}])
    while True:
        for size in range(1, len(whole)):
            with reach(path) as s:
                send(s, whole[:size])
        out.write(b"done\n")


@case
def frames_cut_at_every_byte_leave_nothing():
    with Daemon() as d:
        with Attack(d, cut):
            pass


def trickle(out, path):
    """Long frames in each of many sessions, a byte at a time, never finished."""
    sockets = [greeted(path) for _ in range(300)]
    for s in sockets:
        s.sendall(struct.pack(">I", FRAME_MAX) + b"\x94\x00\x02\xa4ping\x81\xa1x\xdb\x00\x03\xff\x00")
    out.write(b"begun\n")
    while True:
        for s in sockets:
            try:
                s.send(b"x")
            except OSError:
                pass


@case
def a_byte_at_a_time_starves_nobody():
    with Daemon() as d:
        with Attack(d, trickle) as attack:
            assert attack.counted("bytes_received") > 300


def pile_up(out, path):
    """Almost whole frames in as many sessions as there may be."""
    sockets = []
    for _ in range(1024):
        try:
            s = greeted(path)
            s.settimeout(5)
            s.sendall(struct.pack(">I", FRAME_MAX) + b"\x94" + b"x" * (FRAME_MAX - 2))
            sockets.append(s)
        except OSError:
            pass
    out.write(b"done\n")
    forever(sockets)


@case
def frames_that_are_never_finished_stay_within_the_account():
    with Daemon() as d:
        with Attack(d, pile_up) as attack:
            assert attack.counted("sessions_ended_memory") + attack.counted("connections_refused_uid") > 0
            assert d.account(attack.uid)["refused"] > 0


main()
