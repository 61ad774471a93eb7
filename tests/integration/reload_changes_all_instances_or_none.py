#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One app, one transaction: what the instances' answers do to it, and what the command that asked is told."""
import shutil

from harness import App, Daemon, Skip, case, entries, main
from scripted import (EXIT_DIVERGED, EXIT_INVALID, EXIT_REJECTED, EXIT_RESTART, Asked, exit_of, instance_status, methods, of,
                      play, problems, refusal, reload, status_of, stored)

CONF = 'watch = "manual"; answer_timeout = "1500ms";'
FILE = "apps/orders/default.conf"


def daemon(text="x = 1;", wrapper=(), **files):
    return Daemon(conf=CONF, apps={"orders": {"default.conf": text, **files}}, wrapper=wrapper)


def strace(*options):
    """Words that start prodd under strace; its trace is the file `trace` in the daemon's directory."""
    if not shutil.which("strace"):
        raise Skip("needs strace")
    return ["sh", "-c", 'for last; do dir=$last; done; exec strace -f -qq -o "$dir/trace" "$@"', "strace", *options]


def two(d, **more):
    a, b = App(d, "orders", "1", **more), App(d, "orders", "2", **more)
    play([a, b], lambda: a.live and b.live, "both have their first configuration")
    reload(d, a, b)     # the looks of the start are over
    return a, b


@case
def both_accept_and_both_switch():
    with daemon() as d:
        a, b = two(d)
        d.write(FILE, "x = 2;")
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row), row["from"], row["to"]) == ("committed", 0, 1, 2), row
        assert [of(row, i)["state"] for i in "12"] == ["applied", "applied"], row
        assert [of(row, i)["answer"] for i in "12"] == ["accepted", "accepted"], row
        assert row["changes"] == [{"key": "x", "old": "1", "now": "2", "file": "default.conf", "line": 1}]
        assert a.settings() == b.settings() == {"x": 2}
        assert methods(a) == ["config.apply", "config.offer", "config.commit"]
        assert status_of(d)["generation"] == 2


@case
def nobody_commits_before_the_last_vote_and_the_decision_is_on_disk():
    with daemon() as d:
        a, b = two(d)
        d.write(FILE, "x = 2;")
        asked = Asked(d, "reload", {"app": "orders"})
        play([a], lambda: a.offered, "the offer to 1")
        number, _, offer = b.expect_call("config.offer")
        assert (offer["generation"], offer["deadline_ms"]) == (2, 1500)
        d.call("ping")
        a.pump(0.02)
        assert a.generation == 1 and methods(a)[-1] == "config.offer"
        assert (stored(d)["generation"], stored(d)["next"]) == (1, 3), "its number is burnt, nothing is decided"
        b.answer(number, {"verdict": "accept"})
        _, _, commit = b.expect_call("config.commit")
        assert commit["generation"] == 2 and stored(d)["generation"] == 2, "decided before the first commit"
        b.close()
        asked.row(a)


@case
def the_decision_is_synced_step_by_step_before_the_first_commit_is_sent():
    with daemon(wrapper=strace("-s", "300", "-e", "trace=openat,renameat,fsync,sendmsg,writev")) as d:
        a, b = two(d)
        d.write(FILE, "x = 2;")
        with open(d.path("trace")) as f:
            f.seek(0, 2)
            assert reload(d, a, b)["outcome"] == "committed"
            d.stop()
            steps = [word for line in f for word in (step(line),) if word]
        decided = steps.index("rename live.new", steps.index("send config.offer"))
        assert steps[decided - 1:decided + 2] == ["sync", "rename live.new", "sync"], steps
        generation = steps.index("rename .2.gen.new")
        assert steps[generation - 1:generation + 2] == ["sync", "rename .2.gen.new", "sync"] and generation < decided, steps
        assert steps.index("send config.commit") > decided + 1, steps
        burnt = steps.index("rename live.new")
        assert steps[burnt + 1] == "sync" and burnt + 1 < steps.index("send config.offer"), steps


def step(line):
    """What a line of the trace does, as far as it matters here."""
    if "renameat(" in line:
        return "rename " + line.split('"')[1]
    if "fsync(" in line and "unfinished" not in line or "fsync resumed" in line:
        return "sync"
    for method in ("config.offer", "config.commit"):
        if ("sendmsg(" in line or "writev(" in line) and method in line:
            return "send " + method
    return None


@case
def one_rejects_and_neither_changes():
    with daemon() as d:
        a, b = two(d)
        b.verdict = ("reject", "x: at most 1")
        d.write(FILE, "x = 2;")
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row), row["from"]) == ("rejected", EXIT_REJECTED, 1), row
        assert (of(row, "1")["answer"], of(row, "1")["state"]) == ("accepted", "rolled_back"), row
        assert (of(row, "2")["answer"], of(row, "2")["reason"]) == ("rejected", "x: at most 1"), row
        play([a, b], lambda: not a.offered and not b.offered, "the abort")
        assert a.settings() == b.settings() == {"x": 1} and a.generation == b.generation == 1
        assert "x: at most 1" in a.seen[-1][1]["reason"] and a.seen[-1][0] == "config.abort"
        assert "rejected by orders/2: x: at most 1" in problems(d)["config_differs"]
        assert status_of(d)["generation"] == 1


@case
def a_burnt_number_is_not_used_again():
    with daemon() as d:
        a, b = two(d)
        b.verdict = ("reject", "no")
        d.write(FILE, "x = 2;")
        assert reload(d, a, b)["to"] == 2
        d.write(FILE, "x = 3;")
        b.verdict = "accept"
        row = reload(d, a, b)
        assert (row["from"], row["to"]) == (1, 3), row
        d.restart()
        with App(d, "orders", "3") as c:
            assert c.settings() == {"x": 3} and c.generation == 3


@case
def an_unknown_verdict_and_an_error_are_rejections():
    for answer in (lambda app, number: app.answer(number, {"verdict": "perhaps"}),
                   lambda app, number: app.answer(number, {}),
                   lambda app, number: app.answer_error(number, "failed", "out of cheese")):
        with daemon() as d:
            a, b = two(d)
            d.write(FILE, "x = 2;")
            asked = Asked(d, "reload", {"app": "orders"})
            number, _, _ = b.expect_call("config.offer")
            answer(b, number)
            row = asked.row(a, b)
            assert row["outcome"] == "rejected" and of(row, "2")["reason"], row
            a.pump(0.01)
            assert a.settings() == {"x": 1}


@case
def an_instance_that_needs_a_restart_stays_whole_on_its_old_generation():
    with daemon() as d:
        a, b = two(d)
        b.verdict = b.applied = ("restart", "x: needs a restart")
        d.write(FILE, "x = 2;")
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row)) == ("committed", EXIT_RESTART), row
        assert (of(row, "2")["answer"], of(row, "2")["state"]) == ("restart", "restart"), row
        assert a.settings() == {"x": 2} and b.settings() == {"x": 1}
        seen = instance_status(d, "2")
        assert (seen["state"], seen["generation"]) == ("restart", 1), seen
        assert "instance_restart" in problems(d)
        b.close()
        with App(d, "orders", "2") as again:
            assert again.settings() == {"x": 2}
            d.call("ping")
            play([again], lambda: instance_status(d, "2")["state"] == "applied", "applied")
            assert "instance_restart" not in problems(d)


@case
def a_key_that_waits_for_a_restart_is_told_and_the_hot_ones_go_live():
    schema = 'keys = ( { key = "port"; type = "int"; reload = "restart"; }, { key = "x"; type = "int"; } );'
    with daemon("port = 1; x = 1;", **{"schema.conf": schema}) as d:
        a, b = two(d)
        a.applied = {"state": "applied", "kept": [{"key": "port", "value": "1"}]}
        d.write(FILE, "port = 2; x = 2;")
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row)) == ("committed", EXIT_RESTART), row
        assert of(row, "1")["kept"] == [{"key": "port", "value": "1"}] and of(row, "1")["state"] == "applied"
        assert [c.get("restart", False) for c in row["changes"]] == [True, False], row["changes"]
        marked = {e["key"]: e.get("restart", False) for e in a.live["snapshot"]}
        assert marked == {"port": True, "x": False}
        assert instance_status(d, "1")["kept"] == [{"key": "port", "value": "1"}]
        assert "instance_restart" in problems(d)


@case
def an_instance_that_leaves_during_the_offer_is_no_veto():
    with daemon() as d:
        a, b = two(d)
        d.write(FILE, "x = 2;")
        asked = Asked(d, "reload", {"app": "orders"})
        b.expect_call("config.offer")
        b.close()
        row = asked.row(a)
        assert (row["outcome"], exit_of(row)) == ("committed", 0), row
        assert of(row, "2")["answer"] == "gone" and of(row, "1")["state"] == "applied", row
        with App(d, "orders", "2") as again:
            assert again.settings() == {"x": 2}


@case
def an_instance_that_dies_after_its_vote_is_gone_and_converges_when_it_is_back():
    with daemon() as d:
        a, b = two(d)
        d.write(FILE, "x = 2;")
        asked = Asked(d, "reload", {"app": "orders"})
        number, _, _ = b.expect_call("config.offer")
        b.answer(number, {"verdict": "accept"})
        b.close()
        row = asked.row(a)
        assert (row["outcome"], exit_of(row)) == ("committed", 0), row
        assert (of(row, "2")["answer"], of(row, "2")["state"]) == ("accepted", "gone"), row
        with App(d, "orders", "2", has={"epoch": a.live["epoch"], "generation": 1, "hash": "0"}) as again:
            assert again.subscribed["state"] == "follows" and again.settings() == {"x": 2}


@case
def a_reject_counts_although_its_sender_has_left():
    with daemon() as d:
        a, b = two(d)
        d.write(FILE, "x = 2;")
        asked = Asked(d, "reload", {"app": "orders"})
        number, _, _ = b.expect_call("config.offer")
        b.answer(number, {"verdict": "reject", "reason": "no"})
        b.close()
        assert asked.row(a)["outcome"] == "rejected"
        a.pump(0.01)
        assert a.settings() == {"x": 1}


@case
def without_instances_it_commits():
    with daemon() as d:
        d.write(FILE, "x = 2;")
        row = reload(d)
        assert row["outcome"] == "committed" and "instances" not in row, row
        with App(d, "orders") as app:
            assert app.settings() == {"x": 2}


@case
def one_that_has_not_subscribed_is_not_asked():
    with daemon() as d, App(d, "orders", "1", subscribe=False) as a:
        d.write(FILE, "x = 2;")
        assert reload(d, a)["outcome"] == "committed" and not a.seen


@case
def one_that_cannot_apply_what_is_decided_is_named_diverged():
    with daemon() as d:
        a, b = two(d)
        b.applied = ("diverged", "x: cannot be 2")
        d.write(FILE, "x = 2;")
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row)) == ("committed", EXIT_DIVERGED), row
        assert (of(row, "2")["state"], of(row, "2")["reason"]) == ("diverged", "x: cannot be 2"), row
        assert "x: cannot be 2" in problems(d)["instance_diverged"]
        assert a.settings() == {"x": 2}
        b.applied = "applied"
        d.write(FILE, "x = 3;")
        assert exit_of(reload(d, a, b)) == 0 and b.settings() == {"x": 3}
        assert "instance_diverged" not in problems(d)


@case
def one_that_does_not_confirm_is_unconfirmed_and_is_told_again():
    with daemon() as d:
        a, b = two(d)
        b.applied = lambda params: None if "txn" in params else "applied"   # its answer to the commit is lost
        d.write(FILE, "x = 2;")
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row), of(row, "2")["state"]) == ("committed", EXIT_DIVERGED, "unconfirmed"), row
        play([a, b], lambda: instance_status(d, "2")["state"] == "applied", "it is told again, and applies")
        assert b.settings() == {"x": 2} and methods(b)[-1] == "config.apply"


@case
def one_that_confirms_nothing_is_a_problem():
    with daemon() as d:
        a, b = two(d)
        b.applied = None
        d.write(FILE, "x = 2;")
        assert exit_of(reload(d, a, b)) == EXIT_DIVERGED
        assert "instance_unconfirmed" in problems(d)
        assert instance_status(d, "2")["generation"] == 1, "what it uses is only ever what it said"


@case
def invalid_files_are_told_whole_and_nobody_is_asked():
    schema = 'keys = ( { key = "x"; type = "int"; max = 9; }, { key = "yes"; type = "bool"; } );'
    with daemon("x = 1;\nyes = true;", **{"schema.conf": schema}) as d:
        a, b = two(d)
        d.write(FILE, "yes = 3;\nx = 10;\nxx = 1;")
        d.write("apps/orders/conf.d/1.conf", "y = ;")
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row), row["from"]) == ("invalid", EXIT_INVALID, 1), row
        places = {(p["file"].rpartition("/")[2], p["line"], p.get("key", "")) for p in row["problems"]}
        assert {("default.conf", 1, "yes"), ("default.conf", 2, "x"), ("default.conf", 3, "xx")} <= places, places
        assert ("1.conf", 1) in {p[:2] for p in places}, places
        assert methods(a) == ["config.apply"]
        assert "default.conf:1" in problems(d)["config_differs"]
        d.remove("apps/orders/conf.d/1.conf")
        d.write(FILE, "x = 9;\nyes = true;")
        assert reload(d, a, b)["outcome"] == "committed"
        assert "config_differs" not in problems(d)


@case
def nothing_changed_is_said_and_nobody_is_asked():
    with daemon() as d:
        a, b = two(d)
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row), row["from"]) == ("unchanged", 0, 1), row
        d.write(FILE, "\n\nx = 1;  # other bytes, same settings")
        assert reload(d, a, b)["outcome"] == "unchanged"
        assert methods(a) == ["config.apply"]
        shown = d.call("config.explain", {"app": "orders", "key": "x"})["entries"][0]
        assert shown["candidates"][0]["line"] == 3, "explain knows the new line"
        d.restart()
        shown = d.call("config.explain", {"app": "orders", "key": "x"})
        assert shown["generation"] == 1 and shown["entries"][0]["candidates"][0]["line"] == 3


@case
def a_dry_run_asks_and_aborts():
    with daemon() as d:
        a, b = two(d)
        d.write(FILE, "x = 2;")
        row = reload(d, a, b, dry_run=True)
        assert (row["outcome"], exit_of(row)) == ("would_commit", 0), row
        assert [of(row, i)["answer"] for i in "12"] == ["accepted", "accepted"] and row["changes"], row
        play([a, b], lambda: not a.offered and not b.offered, "the abort")
        assert a.settings() == b.settings() == {"x": 1} and status_of(d)["generation"] == 1
        b.verdict = ("reject", "no")
        assert reload(d, a, b, dry_run=True)["outcome"] == "rejected"
        assert not problems(d), "a dry run leaves no trace"
        b.verdict = "accept"
        row = reload(d, a, b)
        assert row["outcome"] == "committed" and row["to"] > 2, row


@case
def a_dry_run_of_the_same_settings_writes_nothing():
    with daemon() as d:
        reload(d)
        before = stored(d)
        d.write(FILE, "\nx = 1;")
        assert reload(d, dry_run=True)["outcome"] == "unchanged"
        shown = d.call("config.explain", {"app": "orders", "key": "x"})["entries"][0]
        assert shown["candidates"][0]["line"] == 1 and stored(d) == before
        d.write(FILE, "x = 2;")
        reload(d)
        reload(d, dry_run=True, confirm_ms=60000)
        assert not stored(d).get("fallback"), "nothing waits for a confirmation"


@case
def an_unknown_app_is_named():
    with daemon() as d:
        error = refusal(d, "reload", {"app": "order"})
        assert error.code == "not_found" and "order" in error.text


@case
def a_reload_without_app_reports_each_once():
    apps = {name: {"default.conf": "x = 1;"} for name in ("orders", "billing", "cellar")}
    with Daemon(conf=CONF, apps=apps) as d:
        with App(d, "orders", "1") as a, App(d, "billing", "1") as b:
            play([a, b], lambda: a.live and b.live, "both are served")
            b.verdict = ("reject", "no")
            for name in ("orders", "billing"):
                d.write(f"apps/{name}/default.conf", "x = 2;")
            rows = Asked(d, "reload", {}).rows(a, b)
            assert {r["app"]: (r["outcome"], exit_of(r)) for r in rows} == {
                "orders": ("committed", 0), "billing": ("rejected", EXIT_REJECTED), "cellar": ("unchanged", 0)}, rows
            assert len(rows) == 3
            assert a.settings() == {"x": 2} and b.settings() == {"x": 1}
            d.write("apps/new/default.conf", "y = 1;")
            assert "new" in [r["app"] for r in Asked(d, "reload", {}).rows(a, b)]


main()
