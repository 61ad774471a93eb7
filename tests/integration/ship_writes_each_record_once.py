#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""prodd-ship's file sink, driven as prodd drives it: each record in the file once, whatever happens to the process and its
files."""
import os

from harness import case, main
from shipping import Room, check_control, check_history


@case
def records_come_out_in_order_and_once():
    with Room() as room:
        room.spool.add("orders", 1000)
        ship = room.ship()
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
        assert ship.row("orders")["shipped"] == 1500
        assert ship.finish() is None


main()
