# SPDX-License-Identifier: Apache-2.0
"""Peers that play their part while an operator's command runs, all in one thread, so that the order of things is the
test's."""
import contextlib
import os
import select
import time

import msgpack

from harness import ANSWER, DEADLINE, Closed, Refused

EXIT_RESTART, EXIT_INVALID, EXIT_REJECTED, EXIT_NO_ANSWER, EXIT_BUSY, EXIT_DIVERGED = 3, 4, 5, 6, 9, 10


def play(apps, until, what, timeout=None):
    """The apps handle what comes until until() is true. One whose session ends has .ended set."""
    end = time.monotonic() + (timeout or DEADLINE)
    while not until():
        assert time.monotonic() < end, f"not in time: {what}"
        open_ones = [app for app in apps if not getattr(app, "ended", False)]
        select.select([app.socket for app in open_ones], [], [], 0.002)
        for app in open_ones:
            try:
                app.pump()
            except Closed:
                app.ended = True


class Asked:
    """A command under way."""

    def __init__(self, daemon, method, params, **more):
        self.method = method
        self.client = daemon.operator()
        self.number = self.client.request(method, {**params, **more})

    def is_answered(self):
        with contextlib.suppress(TimeoutError):
            while True:
                self.client.queue.append(self.client._read_frame(time.monotonic() + 0.0005))
        return any(m[0] == ANSWER and m[1] == self.number for m in self.client.queue)

    def result(self, *apps, timeout=None):
        """Its result, while the apps play; raises Refused."""
        play(apps, self.is_answered, f"the answer to {self.method}", timeout)
        try:
            return self.client.result(self.number)
        finally:
            self.client.close()

    def rows(self, *apps, timeout=None):
        return self.result(*apps, timeout=timeout)["reports"]

    def row(self, *apps, timeout=None):
        rows = self.rows(*apps, timeout=timeout)
        assert len(rows) == 1, rows
        return rows[0]


def ask(daemon, method, params, *apps):
    """The result of a command; the apps play meanwhile."""
    return Asked(daemon, method, params).result(*apps)


def reload(daemon, *apps, app="orders", **options):
    """The one row of `prodctl reload APP`."""
    return Asked(daemon, "reload", {"app": app, **options}).row(*apps)


def refusal(daemon, method, params, *apps):
    try:
        result = ask(daemon, method, params, *apps)
    except Refused as error:
        return error
    raise AssertionError(f"{method} succeeded: {result}")


def exit_of(row):
    return row.get("exit", 0)


def of(row, instance):
    """An instance's row in a report."""
    for one in row.get("instances", []):
        if one["instance"] == instance:
            return one
    return None


def methods(app):
    """What prodd said to it, in order."""
    return [method for method, _ in app.seen]


def status_of(daemon, app="orders", environment=None):
    for row in daemon.call("status", {"app": app}).get("apps", []):
        if environment in (None, row["environment"]):
            return row
    raise AssertionError(f"no {app} in status")


def instance_status(daemon, instance, app="orders"):
    for row in daemon.call("status", {"app": app})["apps"]:
        for one in row.get("instances", []):
            if one["instance"] == instance:
                return one
    return None


def problems(daemon, app="orders"):
    """{id: lines as one text}"""
    return {p["id"]: "\n".join(p.get("lines", [])) for p in daemon.call("status", {"app": app}).get("problems", [])}


def stored(daemon, app="orders", environment="development"):
    """The row of the table of live generations on disk."""
    with open(os.path.join(daemon.dir, "state", "config", "live"), "rb") as f:
        table = msgpack.unpackb(f.read()[48:])
    for row in table.get("rows", []):
        if (row["app"], row["environment"]) == (app, environment):
            return row
    return None


def events(daemon, kind, app="orders"):
    return [e for e in daemon.call("events", {"app": app}).get("events", []) if e["kind"] == kind]
