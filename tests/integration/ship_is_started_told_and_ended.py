#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How prodd-ship is spoken to, what it tells, what it gives up at its start, and how it ends; and the sink stdout."""
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import time

from harness import PLAIN, case, main
from shipping import SHIP, Room, Ship, check_history, wait_until


def status_of(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(line.split(":")[1].strip() for line in f if line.startswith(name + ":"))


@case
def settings_that_cannot_be_are_refused_by_name():
    with Room() as room:
        for settings, text in (({"type": "fax"}, 'sink local: unknown type "fax"'),
                               ({"format": "xml"}, 'sink local: unknown format "xml"'),
                               ({"level": "loud"}, 'sink local: unknown level "loud"'),
                               ({"compress": "lzma"}, 'sink local: unknown compress "lzma"'),
                               ({"directory": "log"}, 'sink local: directory "log" is not an absolute path')):
            ship = Ship(room.spool, {"directory": room.log, **settings}, start=False)
            assert ship.start() == {"code": "invalid", "text": text}
            ship.settings = {"sink": "local", "type": "file", "directory": room.log}
            assert ship.start() is None  # it may be told again
            assert ship.start()["code"] == "usage"
            assert ship.call("reload", {})["code"] == "unsupported"
            assert ship.finish() is None


@case
def nonsense_ends_it():
    with Room() as room:
        for data in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\5\xdd\4\0\0\0", b"\0\0\0\5\x94\1\1\xc0\x80"):
            ship = Ship(room.spool, {"directory": room.log}, start=False, err=subprocess.PIPE)
            ship.socket.sendall(data)
            ship.socket.shutdown(socket.SHUT_WR)
            _, err = ship.process.communicate(timeout=30)
            assert ship.process.returncode == 1 and b"prodd-ship: " in err, (data, err)
            ship.socket.close()


@case
def names_that_would_be_paths_are_refused():
    with Room() as room:
        ship = room.ship()
        ship.send(2, "ship.more", {"cursors": [{"app": name, "last": 5} for name in ("../x", ".x", "a/b", "")]})
        room.spool.add("orders", 5)
        ship.more()
        ship.drain("orders")
        assert ship.finish() is None
        assert os.listdir(room.log) == ["orders.jsonl"] and not os.path.exists(os.path.join(room.path, "x.jsonl"))


@case
def it_gives_up_what_it_does_not_need():
    with Room() as room:
        ship = room.ship()
        pid = ship.process.pid
        assert status_of(pid, "NoNewPrivs") == "1"
        assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
        assert {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")} == {0, 1, 2, 3, 4}
        # A terminal, or systemd that stops a service, signals all its processes: the rest is shipped first.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, number)
        room.spool.add("orders", 5)
        ship.more()
        ship.drain()
        assert ship.finish() is None


@case
def descriptors_of_others_are_closed():
    with Room() as room:
        reader, writer = os.pipe()
        ship = Ship(room.spool, {"directory": room.log}, before=lambda: os.dup2(writer, 100))
        os.close(writer)
        assert os.read(reader, 1) == b""  # nobody else has it
        os.close(reader)
        assert ship.finish() is None


@case
def it_dies_with_prodd():
    with Room() as room:
        ours, theirs = socket.socketpair()
        parent = os.fork()
        if parent == 0:
            ours.close()
            spool = os.open(room.spool.path, os.O_RDONLY)
            a, b = (fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (theirs.fileno(), spool))
            os.dup2(a, 3)
            os.dup2(b, 4)
            child = os.fork()
            if child == 0:
                os.execv(SHIP, [SHIP])
            while status_of(child, "NoNewPrivs") != "1":
                pass
            os.kill(os.getpid(), signal.SIGKILL)
        theirs.close()
        os.waitpid(parent, 0)
        ours.settimeout(30)
        assert ours.recv(1) == b""
        ours.close()


@case
def it_ends_when_prodd_hangs_up():
    with Room() as room:
        room.spool.add("orders", 100)
        ship = room.ship()
        ship.socket.close()
        assert ship.process.wait(30) == 0


@case
def the_end_comes_when_all_is_shipped_or_time_is_up():
    with Room() as room:
        room.spool.add("orders", 30000)
        ship = room.ship()
        ship.sent += 1
        ship.send(0, ship.sent, "ship.finish", {"within_ms": 60000})
        ship.socket.shutdown(socket.SHUT_WR)  # as prodd does when it has said all
        while ship.receive(60)[:2] != [1, ship.sent]:
            pass
        assert ship.process.wait(30) == 0
        ship.socket.close()
        assert ship.numbers == {"orders": 30000}
        check_history(room.records("orders"), 30000)
        # With a file that cannot be written it ends in time.
        os.mkdir(os.path.join(room.log, "billing.jsonl"))
        room.spool.add("billing", 10)
        ship = room.ship(ship.numbers)
        start = time.monotonic()
        assert ship.finish(300) is None
        assert 0.25 < time.monotonic() - start < 5 or not PLAIN
        assert ship.numbers.get("billing", 0) == 0


@case
def it_tells_how_far_it_is_four_times_a_second():
    with Room() as room:
        room.spool.add("orders", 1)
        ship = room.ship()
        ship.drain()
        start, before = time.monotonic(), len(ship.notes)
        while time.monotonic() < start + 1:
            room.spool.add("orders", 20)
            ship.more()
            ship.receive(0.005)
        took, told = time.monotonic() - start, len(ship.notes) - before
        assert 1 <= told <= 5 * took + 2, told
        ship.drain()
        assert "time_ns" not in ship.row("orders") and "behind" not in ship.row("orders")
        assert ship.finish() is None


@case
def at_rest_it_sleeps():
    with Room() as room:
        room.spool.add("orders", 10)
        ship = room.ship()
        ship.drain()

        def switches():
            return int(status_of(ship.process.pid, "voluntary_ctxt_switches"))
        before = switches()
        assert ship.receive(1.5) is None
        assert switches() - before <= 2, switches() - before
        assert ship.finish() is None


# ---- stdout

def lines_of(data):
    assert data.endswith(b"\n")
    return [int(json.loads(line)["msg"].split()[1]) for line in data.splitlines()]


@case
def stdout_gets_every_line_at_least_once_and_whole():
    with Room() as room:
        room.spool.add("orders", 500)
        reader, writer = os.pipe()
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        ship = Ship(room.spool, {"type": "stdout"}, out=writer)
        os.close(writer)
        # Nobody reads: it waits, and tells so.
        ship.wait(lambda: ship.state == "retry", "nobody reads it")
        assert "nobody reads it" in ship.notes[-1][1]["reason"]
        data, done = b"", False
        os.set_blocking(reader, False)
        end = time.monotonic() + 30
        while not done and time.monotonic() < end:
            try:
                data += os.read(reader, 65536)
            except BlockingIOError:
                ship.receive(0.01)
            done = ship.numbers.get("orders", 0) >= 500 and data.count(b'"record 500 of') > 0
        assert ship.finish() is None
        found = lines_of(data)
        assert found == [*range(1, 501)], "in one life no line is doubled either"
        os.close(reader)


@case
def stdout_begins_again_where_prodd_knows_it_to_be():
    with Room() as room:
        room.spool.add("orders", 100)
        path = os.path.join(room.path, "out")
        for cursors in ({}, {"orders": 60}):
            with open(path, "ab") as out:
                ship = Ship(room.spool, {"type": "stdout"}, cursors, out=out)
                ship.drain()
                ship.kill()
        with open(path, "rb") as f:
            assert lines_of(f.read()) == [*range(1, 101), *range(61, 101)]


@case
def stdout_without_a_reader_is_waited_for():
    with Room() as room:
        room.spool.add("orders", 10)
        reader, writer = os.pipe()
        os.close(reader)
        ship = Ship(room.spool, {"type": "stdout"}, out=writer)
        ship.wait(lambda: ship.state == "retry", "retry")
        assert "Broken pipe" in ship.notes[-1][1]["reason"]
        os.close(writer)
        assert ship.finish(200) is None


main()
