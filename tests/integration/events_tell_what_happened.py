#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Events: what operators did, what ended by itself, and a start from the last good generation."""
from harness import App, Daemon, Served, case, main, wait_until

FILES = {"orders": {"schema.conf": 'keys = ( { key = "x"; type = "int"; default = 1; } );', "default.conf": "x = 2;"}}


def kinds(daemon):
    return [event["kind"] for event in daemon.call("events")["events"] if event.get("app") == "orders"]


@case
def operators_leave_a_trace():
    with Daemon(apps=FILES) as d, App(d, "orders") as app, Served(app):
        d.call("config.set", {"app": "orders", "key": "x", "value": "3"})
        assert kinds(d)[-2:] == ["committed", "override_set"], kinds(d)
        d.call("config.unset", {"app": "orders", "key": "x"})
        assert kinds(d)[-2:] == ["committed", "override_ended"], kinds(d)
        d.call("config.rollback", {"app": "orders"})
        assert kinds(d)[-2:] == ["committed", "rolled_back"], kinds(d)


@case
def what_expires_leaves_a_trace():
    with Daemon(apps=FILES) as d:
        d.call("reload", {"app": "orders"})
        d.call("config.set", {"app": "orders", "key": "x", "value": "3", "for_ms": 100})
        wait_until("the override ends", lambda: kinds(d)[-1] == "override_ended")
        assert kinds(d)[-4:] == ["committed", "override_set", "committed", "override_ended"], kinds(d)


@case
def a_start_with_broken_files_says_what_serves():
    with Daemon(apps=FILES) as d:
        d.call("reload", {"app": "orders"})
        d.stop()
        d.write("apps/orders/default.conf", "x = ;")
        d.start()
        wait_until("the files are looked at", lambda: "last_good" in kinds(d))
        text = [e["text"] for e in d.call("events")["events"] if e["kind"] == "last_good"][0]
        assert text.startswith("started from last good generation 1: ") and "default.conf:1" in text, text


main()
