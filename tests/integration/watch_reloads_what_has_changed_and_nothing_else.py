#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""When the watch reloads and when it does not: touched, manual, refused, invalid, unfinished, unreadable, idle."""
import collections
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time

from harness import App, Daemon, Served, Skip, case, entries, main, need_root, wait_until

ONE = {"default.conf": "a = 1;"}
FILE = "apps/orders/default.conf"


def looked(d, action):
    """Does something to files and waits until the daemon has read them; returns the counters before and after."""
    before = d.counters()
    action()
    wait_until("the files are read", lambda: d.counters()["reads_of_sources"] > before["reads_of_sources"], pause=0.02)
    return before, wait_until("all has ended", lambda: settled(d), pause=0.02)


def settled(d):
    status = d.status()
    if any(a.get("transaction") for a in status["apps"]):
        return None
    return {c["name"]: c.get("value", 0) for c in status["counters"]}


def problems(d, kind="config_differs"):
    return [p for p in d.status().get("problems", []) if p["id"] == kind]


@contextlib.contextmanager
def traced(pid, *words):
    """The body runs while strace is attached to the process and its threads."""
    if not shutil.which("strace"):
        raise Skip("strace is missing; install: apt-get install strace")
    if "-o" not in words:
        words += ("-o", "/dev/null")
    tracer = subprocess.Popen(["strace", "-f", "-qq", *words, "-p", str(pid)], stderr=subprocess.PIPE, text=True)

    def is_attached():
        if tracer.poll() is not None:
            raise Skip(f"strace may not attach: {tracer.stderr.read().strip()}")
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/status") as f:
                if f"TracerPid:\t{tracer.pid}\n" not in f.read():
                    return False
        return True

    wait_until("strace is attached", is_attached)
    try:
        yield
    finally:
        tracer.terminate()
        tracer.communicate()


@case
def a_touch_is_no_reload():
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders") as app:
        app.settings()
        for action in (lambda: os.utime(d.path(FILE)), lambda: os.chmod(d.path(FILE), 0o640),
                       lambda: d.write(FILE, "a = 1;"), lambda: d.write_in_place(FILE, "a = 1;")):
            before, after = looked(d, action)
            assert after["helper_runs"] == before["helper_runs"], "equal bytes were parsed"
            assert after["transactions_committed"] == before["transactions_committed"]
        app.pump()
        assert app.generation == 1


@case
def other_bytes_with_the_same_settings_ask_nobody_but_explain_tells_the_new_line():
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders") as app:
        app.settings()
        before, after = looked(d, lambda: d.write(FILE, "\n\na = 1;"))
        assert after["offers_sent"] == before["offers_sent"]
        app.pump()
        assert app.generation == 1
        entry = d.call("config.explain", {"app": "orders", "key": "a"})["entries"][0]
        assert entry["candidates"][0]["line"] == 3, entry


@case
def a_watch_by_hand_reloads_nothing_by_itself():
    with Daemon('watch = "manual";', apps={"orders": ONE, "other": ONE}) as d, App(d, "orders") as app:
        app.settings()
        settled(d)
        app.pump(0.2)
        before = d.counters()
        d.write(FILE, "a = 2;")
        shutil.rmtree(d.path("apps/other"))
        app.pump(0.5)
        assert app.generation == 1 and d.counters()["reads_of_sources"] == before["reads_of_sources"]
        assert not any(os.readlink(f"/proc/{d.pid}/fd/{n}").endswith("inotify") for n in os.listdir(f"/proc/{d.pid}/fd"))
        with Served(app):
            report = d.call("reload", {"app": "orders"})["reports"][0]
        assert report["outcome"] == "committed" and app.settings() == {"a": 2}


@case
def what_was_rejected_is_not_offered_again_until_asked_for():
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders", "1") as app:
        app.settings()
        app.verdict = ("reject", "a: too much")
        d.write(FILE, "a = 2;")
        app.wait(lambda: any(m == "config.abort" for m, _ in app.seen), "the abort")
        row = wait_until("status says so", lambda: problems(d))[0]
        assert "rejected by orders/1: a: too much" in row["lines"][0] and row["since_ms"], row
        app.verdict = "accept"
        before, after = looked(d, lambda: os.utime(d.path(FILE)))
        assert after["offers_sent"] == before["offers_sent"]
        d.restart()
        with App(d, "orders", "1") as again:
            again.settings()
            before, after = looked(d, lambda: os.utime(d.path(FILE)))
            assert after["offers_sent"] == before["offers_sent"] == 0 and problems(d)
            with Served(again):
                assert d.call("reload", {"app": "orders"})["reports"][0]["outcome"] == "committed"
            assert again.settings() == {"a": 2} and not problems(d)


@case
def rejected_files_that_go_back_to_what_is_live_are_no_problem_any_more():
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders", "1") as app:
        app.settings()
        app.verdict = ("reject", "no")
        d.write(FILE, "a = 2;")
        app.wait(lambda: any(m == "config.abort" for m, _ in app.seen), "the abort")
        wait_until("status says so", lambda: problems(d))
        d.write(FILE, "a = 1;")
        wait_until("status is clean", lambda: not problems(d))


@case
def an_invalid_file_shows_in_status_until_it_is_mended():
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders") as app:
        app.settings()
        d.write(FILE, "a = 1;\nb = ;")
        row = wait_until("status says so", lambda: problems(d))[0]
        assert f"{FILE}:2" in row["lines"][0] and "generation 1 stays live" in row["lines"][1], row
        assert row["command"] == "prodctl config diff orders"
        d.write(FILE, "a = 1;\nb = 2;")
        app.wait_setting("b", 2)
        assert not problems(d)


@case
def a_file_that_is_open_for_writing_is_not_used_by_a_command_either():
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders") as app:
        app.settings()
        with open(d.path(FILE), "w") as f:
            f.write("a = 2; b")
            f.flush()
            report = d.call("reload", {"app": "orders"})["reports"][0]
            assert report["exit"] == 9 and re.search("default.conf is (open for writing|being written)", report["note"]), report
            f.write(" = 3;")
        app.wait_setting("b", 3)


@case
def a_writer_that_is_older_than_the_watch_is_waited_for():
    with Daemon(apps={"orders": ONE}, start=False) as d:
        with open(d.path(FILE), "w") as f:
            f.write("a = 2; b")
            f.flush()
            d.start()
            wait_until("the file is read again and again", lambda: d.counters()["reads_of_sources"] >= 3)
            assert not problems(d, "config_none") and not d.status()["apps"][0].get("generation")
            f.write(" = 3;")
        with App(d, "orders") as app:
            assert app.settings() == {"a": 2, "b": 3}


@case
def a_writer_that_begins_while_the_files_are_read_is_waited_for():
    """strace holds prodd up before it opens the file; prodd may not take leases on it."""
    need_root()
    with Daemon(apps={"orders": ONE}, uid=4242) as d, App(d, "orders") as app:
        app.settings()
        os.chown(d.path(FILE), 0, 0)
        wait_until("all has ended", lambda: settled(d))
        with traced(d.pid, "-P", d.path(FILE), "-e", "inject=openat:delay_enter=200000"):
            before = d.counters()["reads_of_sources"]
            os.utime(d.path(FILE))
            wait_until("it is being read", lambda: d.counters()["reads_of_sources"] > before)
            with open(d.path(FILE), "w") as f:
                f.write("a = 2;\n")
                f.flush()
                tried = d.counters()["reads_of_sources"]
                wait_until("what it has read is used, or is read again", lambda: app.pump() or app.offered or
                           d.counters()["reads_of_sources"] > tried)
                assert not app.offered, "half of a file was offered"
                f.write("b = 3;")
        app.wait_setting("b", 3)
        offers = [entries(params) for method, params in app.seen if method == "config.offer"]
        assert all(o.get("b") == 3 for o in offers), offers


@case
def all_files_gone_keeps_what_is_live():
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders") as app:
        app.settings()
        shutil.rmtree(d.path("apps/orders"))
        assert "no file is there any more" in wait_until("status says so", lambda: problems(d))[0]["lines"][0]
        app.pump()
        assert app.generation == 1
        os.makedirs(d.path("apps/orders"))
        d.write(FILE, "a = 2;")
        app.wait_setting("a", 2)
        assert not problems(d)


@case
def noise_beside_the_files_is_not_looked_at():
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders") as app:
        app.settings()
        before = d.counters()["reads_of_sources"]
        for i in range(100):
            for place in ("noise", "apps/noise", "apps/orders/noise.log", "apps/orders/default.conf.bak"):
                with open(d.path(place), "a") as f:
                    f.write("x")
            os.unlink(d.path("noise"))
        app.pump(0.3)
        assert d.counters()["reads_of_sources"] == before


@case
def files_of_others_are_watched_as_far_as_they_can_be_read():
    """A directory that the daemon may not list is told of; its files are seen by the rescan, and by a command."""
    need_root()
    with Daemon(apps={"orders": ONE}, uid=4242, start=False) as d:
        hidden = tempfile.mkdtemp(prefix="prodd-hidden-")
        try:
            os.rename(d.path("apps/orders"), os.path.join(hidden, "orders"))
            os.symlink(os.path.join(hidden, "orders"), d.path("apps/orders"))
            os.chmod(hidden, 0o711)
            d.start()
            d.wait_log("not every directory on the way")
            with App(d, "orders") as app:
                assert app.settings() == {"a": 1}
                d.write(FILE, "a = 2;")
                app.wait_setting("a", 2)
        finally:
            shutil.rmtree(hidden)


# ---- idle

def system_calls(pid, seconds):
    """What the process does in that time: {call: times}."""
    with tempfile.NamedTemporaryFile("r") as f:
        with traced(pid, "-o", f.name):
            time.sleep(seconds)
        return collections.Counter(re.findall(r"^\d+ +(\w+)\(", f.read(), re.M))


@case
def an_idle_daemon_makes_no_system_call():
    """But those that it was found waiting in: the first rescan is half a minute away."""
    if "thread" in os.environ.get("PRODD_SANITIZER", ""):
        raise Skip("ThreadSanitizer has a thread of its own")
    with Daemon(apps={name: ONE for name in ("orders", "billing")}) as d:
        with App(d, "orders") as one, App(d, "billing") as two:
            one.settings(), two.settings()
            wait_until("all has ended", lambda: settled(d))
            one.pump(0.3)
            calls = system_calls(d.pid, 5)
            assert set(calls) <= {"epoll_wait", "futex", "restart_syscall", "timerfd_settime"}, calls
            assert sum(calls.values()) <= 4, calls
            d.write(FILE, "a = 2;")
            one.wait_setting("a", 2)


main()
