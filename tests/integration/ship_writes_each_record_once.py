#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""prodd-ship's file sink, driven as prodd drives it: each record in the file once, whatever happens to the process, its
files and its spool. Killing it at random: tests/fault/ship_killed_anywhere.py."""
import json
import os
import resource
import shutil
import subprocess

from harness import Skip, case, main, need_root
from shipping import Room, Ship, Spool, check_control, check_history, wait_until


@case
def records_come_out_in_order_and_once():
    with Room() as room:
        room.spool.add("orders", 1000)
        before = os.umask(0o77)
        ship = room.ship()
        os.umask(before)
        ship.drain()
        room.spool.add("orders", 500)
        room.spool.add("legacy~alice", 10)
        ship.more()
        ship.drain()
        found = room.records("orders")
        check_history(found, 1500)
        check_control(found, 1500)
        check_history(room.records("legacy~alice"), 10)
        assert os.stat(os.path.join(room.log, "orders.jsonl")).st_mode & 0o7777 == 0o640
        assert os.stat(room.log).st_mode & 0o7777 == 0o750
        assert ship.row("orders")["shipped"] == 1500
        assert ship.finish() is None


@case
def records_of_a_megabyte_pass():
    with Room() as room:
        room.spool.add("orders", 5, (1 << 20) - 500)
        ship = room.ship()
        ship.drain()
        assert ship.finish() is None
        check_history(room.records("orders"), 5)


@case
def only_the_levels_and_apps_that_it_wants():
    with Room() as room:
        for level in range(5):
            room.spool.add("orders", 10, 20, level)
        room.spool.add("billing", 10)
        ship = room.ship(level="warn", apps=["orders"])
        ship.drain()  # of the others too it has all that it will have
        assert ship.finish() is None
        assert [json.loads(line)["level"] for line in room.text("orders").splitlines()] == ["warn"] * 10 + ["error"] * 10
        assert not room.files("billing")


@case
def logfmt_goes_on_where_it_was():
    with Room() as room:
        room.spool.add("orders", 100)
        ship = room.ship(format="logfmt")
        ship.drain()
        ship.kill()
        room.spool.add("orders", 100)
        ship = room.ship({}, format="logfmt")
        ship.drain()
        assert ship.finish() is None
        lines = room.text("orders", ".log").decode().splitlines()
        assert [f'msg="record {n} of orders"' in line for n, line in enumerate(lines, 1)] == [True] * 200


@case
def a_damaged_record_is_counted_and_passed_over():
    with Room() as room:
        room.spool.add("orders", 10)
        room.spool.tell("damaged", "orders")
        room.spool.add("orders", 10)
        ship = room.ship()
        ship.drain()
        assert ship.finish() is None
        assert ship.row("orders")["rejected"] == 1
        check_history(room.records("orders"), 20)


@case
def a_damaged_spool_costs_only_what_is_damaged():
    with Room() as room:
        room.spool.add("orders", 2000, 100)
        room.spool.tell("close", "orders")
        segment = min(os.scandir(os.path.join(room.spool.path, "orders")), key=lambda f: (not f.name.endswith(".seg"), f.name))
        with open(segment.path, "r+b") as f:
            f.seek(100000)
            f.write(bytes(3000))
        ship = room.ship()
        ship.drain()
        assert ship.finish() is None
        found = [n for _, n in room.records("orders")]
        assert found == sorted(set(found)) and 1900 < len(found) < 2000, len(found)
        row = ship.row("orders")
        assert row["quarantined"] >= 3000 and row["missing"] == 2000 - len(found), row


@case
def what_prodd_gives_up_is_passed_over():
    with Room() as room:
        room.spool.add("orders", 100)
        ship = room.ship()
        ship.drain()
        room.spool.add("orders", 900)
        ship.send(2, "ship.skip", {"app": "orders", "number": 951})
        ship.more()
        ship.drain()
        assert ship.finish() is None
        assert [n for _, n in room.records("orders")] == [*range(1, 101), *range(951, 1001)]
        assert ship.row("orders")["missing"] == 850


# ---- whose numbers these are

@case
def without_a_cursor_nothing_is_repeated():
    with Room() as room:
        room.spool.add("orders", 1000)
        ship = room.ship()
        ship.drain()
        assert ship.finish() is None
        room.spool.add("orders", 10)
        ship = room.ship({})  # as for a sink of another name
        ship.drain()
        assert ship.finish() is None
        check_history(room.records("orders"), 1010)


@case
def a_new_spool_is_shipped_whole_behind_an_old_file():
    with Room() as room:
        room.spool.add("orders", 1000)
        ship = room.ship()
        ship.drain()
        assert ship.finish() is None
        for start, more in ((5000, 50), (7000, 2000)):
            room.spool.close()
            shutil.rmtree(room.spool.path)
            room.spool = Spool(room.spool.path)
            room.spool.tell("from", "orders", start)
            room.spool.add("orders", more)
            before = len(room.records("orders"))
            ship = room.ship({})
            ship.drain()
            assert ship.finish() is None
            found = room.records("orders")[before:]
            assert [n for _, n in found] == [*range(start, start + more)]


@case
def a_torn_line_is_cut_and_lines_of_others_stay():
    with Room() as room:
        room.spool.add("orders", 10)
        ship = room.ship()
        ship.drain()
        assert ship.finish() is None
        with open(os.path.join(room.log, "orders.jsonl"), "ab") as f:
            f.write(b"a note of the administrator\n" + b'{"time":"2026-')
        room.spool.add("orders", 10)
        ship = room.ship(ship.numbers)
        ship.drain()
        assert ship.finish() is None
        lines = room.text("orders").splitlines()
        assert len(lines) == 21 and lines[10] == b"a note of the administrator", lines[9:12]


@case
def two_of_them_do_not_share_a_file():
    with Room() as room:
        room.spool.add("orders", 10)
        first = room.ship()
        first.drain()
        second = room.ship()
        room.spool.add("orders", 10)
        second.more()
        second.wait(lambda: second.state == "retry", "the second waits")
        assert "another process writes it" in second.notes[-1][1]["reason"]
        first.more()
        first.drain()
        assert first.finish() is None
        second.drain()
        assert second.state == "ok"
        assert second.finish() is None
        check_history(room.records("orders"), 20)


# ---- the disk

@case
def a_file_that_is_moved_away_or_deleted_is_made_anew():
    with Room() as room:
        room.spool.add("orders", 100)
        ship = room.ship()
        ship.drain()
        path = os.path.join(room.log, "orders.jsonl")
        os.rename(path, os.path.join(room.log, "mine"))
        room.spool.add("orders", 100)
        ship.more()
        ship.drain()
        assert [n for _, n in room.records("orders")] == [*range(101, 201)]
        os.unlink(path)
        room.spool.add("orders", 100)
        ship.more()
        ship.drain()
        assert [n for _, n in room.records("orders")] == [*range(201, 301)]
        os.truncate(path, 0)
        room.spool.add("orders", 100)
        ship.more()
        ship.drain()
        assert [n for _, n in room.records("orders")] == [*range(301, 401)]
        shutil.rmtree(room.log)
        room.spool.add("orders", 100)
        ship.more()
        ship.drain()
        assert [n for _, n in room.records("orders")] == [*range(401, 501)]
        assert ship.finish() is None


@case
def what_is_no_file_is_waited_for():
    with Room() as room:
        path = os.path.join(room.log, "orders.jsonl")
        os.makedirs(path)
        room.spool.add("orders", 100)
        room.spool.add("billing", 100)
        ship = room.ship()
        ship.drain("billing")  # the other app goes on
        ship.wait(lambda: ship.state == "retry", "retry")
        assert "orders.jsonl" in ship.notes[-1][1]["reason"]
        os.rmdir(path)
        ship.drain()
        assert ship.state == "ok"
        assert ship.finish() is None
        check_history(room.records("orders"), 100)


@case
def a_full_disk_loses_and_doubles_nothing():
    need_root()
    with Room() as room:
        os.mkdir(room.log)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", room.log], stderr=subprocess.DEVNULL).returncode:
            raise Skip("no tmpfs can be mounted")
        try:
            room.spool.add("orders", 3000, 100)
            ship = room.ship(rotate_size=50000)
            ship.wait(lambda: ship.state == "retry", "the disk is full")
            assert "No space left" in ship.notes[-1][1]["reason"], ship.notes[-1]
            ship.kill()
            ship = room.ship(ship.numbers, rotate_size=50000)
            ship.wait(lambda: ship.state == "retry", "the disk is full still")
            assert ship.notes[-1][1]["again_ms"] <= 30000
            room.spool.add("orders", 100)
            ship.more()
            subprocess.run(["mount", "-o", "remount,size=16m", room.log], check=True)
            ship.drain()
            assert ship.state == "ok"
            assert ship.finish() is None
            found = room.records("orders")
            check_history(found, 3100)
            check_control(found, 3100)
        finally:
            subprocess.run(["umount", room.log], check=True)


@case
def few_descriptors_are_enough_for_many_apps():
    with Room() as room:
        apps = [f"app{n}" for n in range(150)]
        for app in apps:
            room.spool.add(app, 5)
        ship = Ship(room.spool, {"directory": room.log},
                    before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (110, 110)))
        ship.drain()
        for app in apps:
            room.spool.add(app, 5)
        ship.more()
        ship.drain()
        assert len(os.listdir(f"/proc/{ship.process.pid}/fd")) < 110
        assert ship.finish() is None
        for app in apps:
            check_history(room.records(app), 10)


main()
