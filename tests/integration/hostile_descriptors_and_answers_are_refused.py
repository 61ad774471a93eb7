#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that pass file descriptors, and peers that answer what was not asked, too late, or again."""
import array
import os
import socket

from harness import App, Client, Daemon, Served, case, main, wait_until
from hostile import ATTACKER, Attack, greeted, reach, read_answer


def flood_descriptors(out, path, count):
    null = os.open("/dev/null", os.O_RDONLY)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null] * count))]
    done = 0
    while True:
        for begin in (reach, greeted):
            with begin(path) as s:
                s.settimeout(5)
                try:
                    for _ in range(20):
                        s.sendmsg([b"\x00"], rights)
                except OSError:
                    pass
                assert b"descriptors" in read_answer(s)
        done += 1
        if done == 200:
            out.write(b"done\n")


def descriptors_at_rest(d):
    """Of the daemon, when its sink has begun."""
    d.wait_log("sink local: ok")
    return d.descriptors()


@case
def descriptors_end_the_session_and_are_closed():
    for count in (1, 253):
        with Daemon() as d:
            before = descriptors_at_rest(d)
            with Attack(d, flood_descriptors, count) as attack:
                assert attack.counted("sessions_ended_descriptors") >= 400
                assert d.descriptors() <= before + count + 20      # those of one message, while it is looked at
            wait_until("all are closed", lambda: d.descriptors() <= before)


ATTACH = Client.frame([0, 2, "ring.attach", {"ring": b"0123456789abcdef", "capacity": 65536}])
PING = Client.frame([0, 3, "ping", {}])
STORIES = {     # what an app sends, piece by piece: bytes, and whether a descriptor goes with them
    "with another frame": [(PING, 1)],
    "with a frame that turns out to be another": [(PING[:5], 1), (PING[5:] + ATTACH, 0)],
    "two with one frame": [(ATTACH, 2)],
    "another before the frame of the first is whole": [(ATTACH[:5], 1), (ATTACH[5:], 1)],
    "with garbage": [(b"\0\0\0\4abcd", 1)],
    "left while its frame is under way": [(ATTACH[:5], 1)],
    "one too many": [(ATTACH, 1)] * 5,
}


def flood_apps(out, path):
    """Descriptors of an app in all the wrong places, and in the right one, again and again; who is left waits for its end."""
    null = os.open("/dev/null", os.O_RDONLY)
    done = 0
    while True:
        for name, pieces in STORIES.items():
            with reach(path) as s:
                s.setblocking(True)
                s.settimeout(5)
                s.sendall(Client.frame([0, 1, "hello", {"protocol": 1, "client": "hostile", "app": "victim"}]))
                assert b"epoch" in read_answer(s), name
                try:
                    for data, count in pieces:
                        if count:
                            socket.send_fds(s, [data], [null] * count)
                        else:
                            s.sendall(data)
                    if not name.startswith("left"):
                        while s.recv(65536):
                            pass
                except ConnectionError:
                    pass
        done += 1
        if done == 25:
            out.write(b"done\n")


CONF = f'app: {{ victim: {{ user = "{ATTACKER}"; }}; }};'
APPS = {"victim": {"default.conf": "x = 1;"}}


def flood_answers(out, path, ids):
    """As an instance of an app: answers to calls of every kind of number, without end."""
    done = 0
    answers = b"".join(Client.frame([1, i, None, {"state": "applied"}]) for i in ids)
    while True:
        with reach(path) as s:
            s.settimeout(5)
            s.sendall(Client.frame([0, 1, "hello", {"protocol": 1, "client": "hostile", "app": "victim"}]))
            read_answer(s)
            s.sendall(Client.frame([0, 2, "config.subscribe", {}]))
            read_answer(s)
            try:
                s.sendall(answers)
                while s.recv(65536):
                    pass
            except OSError:
                pass
        done += 1
        if done == 30:
            out.write(b"done\n")


@case
def descriptors_of_an_app_are_taken_with_their_frame_alone():
    with Daemon(conf=CONF, apps=APPS) as d:
        before = descriptors_at_rest(d)
        with Attack(d, flood_apps) as attack:
            assert attack.counted("sessions_ended_descriptors") >= 25 * (len(STORIES) - 2)
            assert d.descriptors() <= before + 20
        wait_until("all are closed", lambda: d.descriptors() <= before)


@case
def forged_answers_end_the_session():
    with Daemon(conf=CONF, apps=APPS) as d:
        with Attack(d, flood_answers, [7000, 0, 2**63 - 1]) as attack:
            assert attack.counted("answers_forged") >= 30


@case
def answers_again_and_again_are_counted_and_end_the_session():
    with Daemon(conf=CONF, apps=APPS) as d:
        with Attack(d, flood_answers, [1] * 3000) as attack:
            assert attack.counted("answers_late") >= 30 * 1000
            assert attack.counted("sessions_ended_protocol") >= 30


@case
def a_late_answer_changes_nothing():
    with Daemon(conf="answer_timeout = \"300ms\";", apps=APPS) as d:
        with App(d, "victim", "1") as quick, App(d, "victim", "2") as late:
            assert quick.settings() == late.settings() == {"x": 1}
            late.verdict = None
            d.write("apps/victim/default.conf", "x = 2;")
            with Served(quick):
                report = d.call("reload", {"app": "victim"})["reports"][0]
            assert report["outcome"] == "no_answer", report
            number, _, _ = late.expect_call("config.offer")
            before = d.counters()["answers_late"]
            late.answer(number, {"verdict": "accept"})
            wait_until("it is counted", lambda: d.counters()["answers_late"] == before + 1)
            late.pump()
            assert late.live["generation"] == quick.live["generation"] == 1


main()
