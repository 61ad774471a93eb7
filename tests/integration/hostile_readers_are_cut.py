#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that ask and do not read; or read, and ask without end."""
from harness import Client, Daemon, as_uid, case, main, wait_until
from hostile import ATTACKER, Attack, forever, greeted, reach, read_answer

PINGS = b"".join(Client.frame([0, i, "ping", {}]) for i in range(10000))
MANY = PINGS * 20
REFUSED = b"".join(Client.frame([0, i, "config.show", {"app": "someone-elses"}]) for i in range(20000))


def push(s, data):
    """Sends until it is taken, or nothing is taken any more."""
    at = 0
    s.settimeout(0.05)
    try:
        while at < len(data):
            at += s.send(data[at:])
    except OSError:
        pass
    return at


def ask_without_reading(out, path, requests):
    sockets = [greeted(path) for _ in range(120)]
    taken = [push(s, requests) for s in sockets[:20]]
    out.write(b"%d\n" % min(taken))
    for s in sockets[20:]:
        push(s, requests[:50000])
    forever(sockets)


@case
def ten_thousand_requests_whose_replies_are_not_read():
    for requests in (MANY, REFUSED):
        with Daemon() as d:
            with Attack(d, ask_without_reading, requests, seconds=2, stay=30) as attack:
                assert int(attack.lines[0]) < len(requests)        # they were not read for ever
                wait_until("reads are paused", lambda: attack.counted("reads_paused") >= 1)


def ask_and_read(out, path):
    """The control: who reads gets all that was asked for."""
    with greeted(path) as s:
        s.settimeout(10)
        got = b""
        for start in range(0, len(PINGS), 5000):
            s.sendall(PINGS[start:start + 5000])
            s.setblocking(False)
            try:
                got += s.recv(65536)
            except BlockingIOError:
                pass
            s.settimeout(10)
        while got.count(b"\x94\x01") < 10000:
            got += s.recv(65536)
    out.write(b"all\n")
    forever()


@case
def ten_thousand_requests_whose_replies_are_read():
    with Daemon() as d:
        with Attack(d, ask_and_read) as attack:
            assert attack.counted("reads_paused") == 0
            assert attack.counted("calls_received") >= 10000


def ask_without_end(out, path):
    """As much as it can from many sessions, reading all answers."""
    sockets = [greeted(path) for _ in range(200)]
    sent = [0] * len(sockets)
    rounds = 0
    while True:
        for i, s in enumerate(sockets):
            try:
                sent[i] = (sent[i] + s.send(PINGS[sent[i]:sent[i] + 4000])) % len(PINGS)
                s.recv(65536)
            except BlockingIOError:
                pass
        rounds += 1
        if rounds == 10:
            out.write(b"busy\n")


@case
def requests_without_end_from_many_sessions():
    with Daemon() as d:
        with Attack(d, ask_without_end, seconds=2) as attack:
            assert attack.counted("calls_received") > 100000


CONF = 'answer_timeout = "300ms"; app: {{ victim: {{ user = "{}"; }}; }};'


def never_read(out, path):
    """Instances that subscribe and never read what they are served."""
    sockets = []
    for i in range(200):
        s = reach(path)
        s.sendall(Client.frame([0, 1, "hello", {"protocol": 1, "client": "hostile", "app": "victim",
                                                "instance": str(i)}]))
        read_answer(s)
        s.sendall(Client.frame([0, 2, "config.subscribe", {}]))
        sockets.append(s)
    out.write(b"done\n")
    forever(sockets)


@case
def served_configuration_that_is_never_read():
    big = "".join(f'key{i} = "{"x" * 200}";\n' for i in range(3000))
    with Daemon(conf=CONF.format(ATTACKER), apps={"victim": {"default.conf": big}}) as d:
        for turn in range(3):       # the daemon's own memory for such a configuration is not the attacker's
            d.write("apps/victim/default.conf", big + f"before = {turn};\n")
            d.call("reload", {"app": "victim"}, timeout=60)
        with Attack(d, never_read, seconds=2):
            for turn in range(3):
                d.write("apps/victim/default.conf", big + f"turn = {turn};\n")
                d.call("reload", {"app": "victim", "force": True}, timeout=60)


@case
def a_follower_that_does_not_read_is_cut():
    with Daemon(apps={"orders": {"default.conf": "x = 1;"}}) as d:
        follower = Client(d.ctl_socket).hello()
        follower.call("events", {"follow": True})
        before = d.counters()["sessions_ended_output"]

        def noise():
            for i in range(100):
                with as_uid(0), Client(d.app_socket) as c:
                    c.hello("orders", instance=f"{i}-" + "x" * 50)
            return d.counters()["sessions_ended_output"] > before

        wait_until("the follower is cut", noise, 60)
        follower.close()


main()
