#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Apps whose layers are one real file form one transaction when that file changes; all others are their own."""
import os

from harness import App, Daemon, case, main, wait_until
from scripted import EXIT_INVALID, EXIT_REJECTED, Asked, exit_of, methods, play, problems, reload, status_of

MANUAL = 'watch = "manual"; answer_timeout = "1s";'
NAMES = ("orders", "billing")


class Linked(Daemon):
    """orders and billing: each has files of its own, and conf.d/shared.conf, which is one real file."""

    def __init__(self, conf=MANUAL, shared="s = 1;", more=(), link=True):
        super().__init__(conf=conf, apps={name: {"default.conf": "x = 1;"} for name in NAMES + tuple(more)}, start=False)
        self.write("shared/real.conf", shared)
        for name in NAMES if link else ():
            os.makedirs(self.path("apps", name, "conf.d"))
            os.symlink("../../../shared/real.conf", self.path("apps", name, "conf.d", "shared.conf"))

    def __enter__(self):
        super().__enter__()
        self.start()
        return self

    def share(self, text):
        self.write("shared/real.conf", text)

    def instances(self, *names):
        apps = [App(self, name, "1") for name in names or NAMES]
        play(apps, lambda: all(a.live for a in apps), "all are served")
        Asked(self, "reload", {}).rows(*apps)    # the looks of the start are over
        return apps


def by_app(rows):
    assert len({r["app"] for r in rows}) == len(rows), rows
    return {r["app"]: r for r in rows}


@case
def both_accept_and_both_change():
    with Linked() as d:
        a, b = d.instances()
        d.share("s = 2;")
        rows = by_app(Asked(d, "reload", {"app": "orders"}).rows(a, b))
        assert {n: (r["outcome"], exit_of(r)) for n, r in rows.items()} == {n: ("committed", 0) for n in NAMES}, rows
        assert rows["orders"]["linked"] == ["billing"] and rows["billing"]["linked"] == ["orders"]
        assert a.settings() == b.settings() == {"s": 2, "x": 1}
        assert a.seen[-2][1]["txn"] == b.seen[-2][1]["txn"], "one transaction"


@case
def one_rejects_and_neither_changes():
    with Linked() as d:
        a, b = d.instances()
        b.verdict = ("reject", "no")
        d.share("s = 2;")
        rows = by_app(Asked(d, "reload", {"app": "orders"}).rows(a, b))
        assert all((r["outcome"], exit_of(r)) == ("rejected", EXIT_REJECTED) for r in rows.values()), rows
        play([a, b], lambda: not a.offered and not b.offered, "the aborts")
        assert a.settings() == b.settings() == {"s": 1, "x": 1}
        for name in NAMES:
            assert "rejected by billing/1: no" in problems(d, name)["config_differs"]
            assert status_of(d, name)["generation"] == 1
        b.verdict = "accept"
        rows = by_app(Asked(d, "reload", {"app": "billing"}).rows(a, b))
        assert len(rows) == 2 and a.settings() == b.settings() == {"s": 2, "x": 1}


@case
def one_is_invalid_and_neither_changes():
    with Linked() as d:
        a, b = d.instances()
        d.write("apps/billing/schema.conf", 'keys = ( { key = "s"; type = "int"; max = 1; }, { key = "x"; type = "int"; } );')
        assert reload(d, a, b, app="billing")["outcome"] == "unchanged"
        d.share("s = 2;")
        rows = by_app(Asked(d, "reload", {"app": "orders"}).rows(a, b))
        assert all((r["outcome"], exit_of(r)) == ("invalid", EXIT_INVALID) for r in rows.values()), rows
        assert rows["billing"]["problems"] and "problems" not in rows["orders"], rows
        assert "billing" in problems(d, "orders")["config_differs"], problems(d, "orders")
        assert "real" not in methods(a) and a.settings() == {"s": 1, "x": 1}
        d.share("s = 1;")
        rows = Asked(d, "reload", {}).rows(a, b)
        assert not problems(d, "orders") and not problems(d, "billing")


@case
def unlinked_apps_are_each_their_own():
    with Linked(link=False) as d:
        a, b = d.instances()
        b.verdict = ("reject", "no")
        for name in NAMES:
            d.write(f"apps/{name}/default.conf", "x = 2;")
        rows = by_app(Asked(d, "reload", {}).rows(a, b))
        assert rows["orders"]["outcome"] == "committed" and rows["billing"]["outcome"] == "rejected", rows
        assert a.settings() == {"x": 2} and b.settings() == {"x": 1}


@case
def a_change_of_its_own_file_does_not_ask_the_other():
    with Linked() as d:
        a, b = d.instances()
        b.verdict = ("reject", "no")
        d.write("apps/orders/default.conf", "x = 2;")
        assert reload(d, a, b)["outcome"] == "committed" and methods(b) == ["config.apply"]


@case
def the_watch_sees_it_for_both_at_once_and_nothing_locks():
    with Linked(conf='answer_timeout = "2s";') as d:
        a, b = d.instances()
        for s in range(2, 8):
            d.share(f"s = {s};")
            play([a, b], lambda: a.settings()["s"] == b.settings()["s"] == s, f"both have {s}")
        assert d.counters()["transactions_failed"] == 0


@case
def commands_for_both_at_once_get_one_report_each():
    with Linked() as d:
        a, b = d.instances()
        d.share("s = 2;")
        first, second = Asked(d, "reload", {"app": "orders"}), Asked(d, "reload", {"app": "billing"})
        one, two = by_app(first.rows(a, b)), by_app(second.rows(a, b))
        assert one["orders"]["outcome"] == "committed", one
        assert set(two) in ({"billing"}, {"orders", "billing"}), two
        assert methods(a).count("config.offer") == methods(b).count("config.offer") == 1


@case
def a_reload_of_all_reports_linked_ones_once():
    with Linked(more=("cellar",)) as d:
        a, b = d.instances()
        d.share("s = 2;")
        rows = by_app(Asked(d, "reload", {}).rows(a, b))
        assert {n: r["outcome"] for n, r in rows.items()} == {
            "orders": "committed", "billing": "committed", "cellar": "unchanged"}, rows


@case
def one_that_is_busy_is_waited_for():
    with Linked() as d:
        a, b = d.instances()
        d.write("apps/billing/default.conf", "x = 2;")
        busy = Asked(d, "reload", {"app": "billing"})
        number, _, offer = b.expect_call("config.offer")
        d.share("s = 2;")
        both = Asked(d, "reload", {"app": "orders"})
        wait_until("orders waits", lambda: status_of(d, "orders").get("transaction") == "waiting for a linked app")
        assert "config.offer" not in methods(a)
        b.offered[offer["txn"]] = offer
        b.answer(number, {"verdict": "accept"})
        assert busy.row(a, b)["outcome"] == "committed"
        rows = by_app(both.rows(a, b))
        assert len(rows) == 2 and a.settings() == {"s": 2, "x": 1} and b.settings() == {"s": 2, "x": 2}


@case
def three_in_a_chain_change_together():
    with Linked(more=("cellar",)) as d:
        d.write("shared/second.conf", "t = 1;")
        for name in ("billing", "cellar"):
            os.makedirs(d.path("apps", name, "conf.d"), exist_ok=True)
            os.symlink(d.path("shared/second.conf"), d.path("apps", name, "conf.d", "second.conf"))
        a, b, c = d.instances("orders", "billing", "cellar")
        c.verdict = ("reject", "no")
        d.share("s = 2;")
        d.write("shared/second.conf", "t = 2;")
        rows = by_app(Asked(d, "reload", {"app": "orders"}).rows(a, b, c))
        assert len(rows) == 3 and all(r["outcome"] == "rejected" for r in rows.values()), rows
        assert [app.settings().get("s") for app in (a, b)] == [1, 1]


@case
def both_are_live_or_none_after_a_restart():
    with Linked() as d:
        a, b = d.instances()
        d.share("s = 2;")
        Asked(d, "reload", {"app": "orders"}).rows(a, b)
        d.kill()
        d.start()
        assert [status_of(d, name)["generation"] for name in NAMES] == [2, 2]


main()
