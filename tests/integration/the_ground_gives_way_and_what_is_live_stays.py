#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What prodd does when its own configuration, its state directory or its disk is not as it should be: it says so with the
place, touches nothing, and serves on."""
import hashlib
import os
import resource
import shutil
import signal
import subprocess

from harness import PRODD, App, Daemon, Served, Skip, case, main, wait_until

ONE = {"default.conf": "a = 1;"}


def refused(d, *words):
    """Starts prodd, which must not start: (exit status, what it said)."""
    run = subprocess.run([PRODD, "--dir", d.dir, *words], capture_output=True, text=True, timeout=20,
                         stdin=subprocess.DEVNULL, env={**os.environ, "PRODD_LIBEXEC":
                                                        os.environ.get("PRODD_LIBEXEC", os.path.dirname(PRODD))})
    assert run.returncode > 0 and run.stdout == "", run
    return run.returncode, run.stderr


def fingerprint(top):
    """Names, modes, times and contents of all below it."""
    found = {}
    for directory, _, files in os.walk(top):
        for name in files:
            path = os.path.join(directory, name)
            st = os.lstat(path)
            with open(path, "rb") as f:
                found[path] = (st.st_mode, st.st_mtime_ns, hashlib.sha256(f.read()).hexdigest())
    return found


# ---- its own configuration

@case
def errors_of_prodd_conf_name_file_and_line_all_at_once():
    conf = 'environment = "production";\nwatch = "sometimes";\nhistroy = 5;\napp: { orders: { user = 5; }; };\n'
    with Daemon(conf, start=False) as d:
        d.write("conf.d/10-more.conf", "\n\nanswer_timeout = \"soon\";\n")
        status, said = refused(d)
        assert status == 4, (status, said)
        for text in ("prodd.conf:2: watch: ", 'prodd.conf:3: histroy: unknown key; did you mean "history"?', "prodd.conf:4: app.orders.user",
                     "conf.d/10-more.conf:3: answer_timeout", "prodd does not start"):
            assert text in said, (text, said)
        assert not os.path.exists(d.app_socket)
        with open(d.path("prodd.conf"), "w") as f:
            f.write('environment = "production"\nwatch = "auto";\nx')
        status, said = refused(d)
        assert status == 4 and "prodd.conf:3: " in said or "prodd.conf:2: " in said, said
        status, said = refused(d, "--check")
        assert status == 4 and "prodd.conf:" in said, said


@case
def blocks_may_come_from_several_files():
    """The group `app` is added to, as by the packages of several apps."""
    with Daemon('app: { orders: { environment = "one"; }; };', apps={"orders": ONE, "billing": ONE}, start=False) as d:
        d.write("conf.d/billing.conf", 'app: { billing: { environment = "two"; }; };')
        d.start()
        wait_until("both are live", lambda: sorted(a["environment"] for a in d.status()["apps"] if a.get("generation"))
                   == ["one", "two"])


@case
def prodd_conf_that_cannot_be_read_is_an_error():
    with Daemon(start=False) as d:
        os.mkdir(d.path("prodd.conf"))
        status, said = refused(d)
        assert status == 4 and "prodd.conf: is a directory" in said, said
        os.rmdir(d.path("prodd.conf"))
        os.symlink("nowhere", d.path("prodd.conf"))
        status, said = refused(d)
        assert status == 4 and "prodd.conf: is a symbolic link that leads nowhere" in said, said


@case
def a_missing_helper_is_told_at_the_start():
    with Daemon(start=False) as d:
        old = os.environ.get("PRODD_LIBEXEC")
        os.environ["PRODD_LIBEXEC"] = d.dir
        try:
            status, said = refused(d)
        finally:
            if old is None:
                del os.environ["PRODD_LIBEXEC"]
            else:
                os.environ["PRODD_LIBEXEC"] = old
        assert status == 1 and f"{d.dir}/prodd-parse: No such file or directory" in said, (status, said)


# ---- its state

def with_state(d):
    """A daemon's directory that has a live generation; the daemon has ended."""
    with App(d, "orders") as app:
        app.settings()
    d.stop()
    return d.path("state/config/live")


@case
def a_damaged_table_is_refused_and_left_untouched():
    with Daemon(apps={"orders": ONE}) as d:
        live = with_state(d)
        with open(live, "rb") as f:
            whole = f.read()
        for damage in (whole[:-1], whole[:20], b"", whole[:-10] + b"\0" * 10, whole[:10] + b"\xff" + whole[11:], b"x" * 100):
            with open(live, "wb") as f:
                f.write(damage)
            before = fingerprint(d.path("state"))
            status, said = refused(d)
            assert "state/config/live" in said and fingerprint(d.path("state")) == before, said
        with open(live, "wb") as f:
            f.write(whole)
        d.start()
        with App(d, "orders") as app:
            assert app.settings() == {"a": 1} and app.generation == 1


@case
def a_state_of_a_newer_version_is_refused_and_left_untouched():
    with Daemon(apps={"orders": ONE}) as d:
        live = with_state(d)
        with open(live, "r+b") as f:
            head = f.read(16)
            # The version is the number behind the magic; whichever of these bytes it is, a higher one is refused.
            assert head[:3].isalpha() or head[:5] == b"prodd", head
        with open(live, "rb") as f:
            whole = f.read()
        newer = 0
        for at in range(3, 16):
            with open(live, "wb") as f:
                f.write(whole[:at] + bytes([whole[at] + 1 & 255]) + whole[at + 1:])
            before = fingerprint(d.path("state"))
            status, said = refused(d)
            assert fingerprint(d.path("state")) == before
            newer += "newer" in said
        assert newer >= 1, "no byte was taken as the version"


@case
def a_damaged_generation_is_told_and_made_anew_from_the_files():
    with Daemon(apps={"orders": ONE}) as d:
        with_state(d)
        name = os.path.join(d.path("state/config/orders/development"), "1.gen")
        with open(name, "r+b") as f:
            f.seek(30)
            f.write(b"\xff\xff")
        d.start()
        d.wait_log("generation 1 of orders")
        with App(d, "orders") as app:
            assert app.settings() == {"a": 1} and app.generation > 1, "its number is not used again"


# ---- its disk

class Faults:
    """strace fails system calls of the running daemon until the context ends."""

    def __init__(self, d, call, error, path=None):
        if not shutil.which("strace"):
            raise Skip("strace is missing; install: apt-get install strace")
        words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={call}:error={error}", "-e", f"trace={call}"]
        words += ["-P", path] if path else []
        self.words = words + ["-p", str(d.pid)]
        self.d = d

    def __enter__(self):
        self.tracer = subprocess.Popen(self.words, stderr=subprocess.PIPE, text=True)
        wait_until("strace is attached", lambda: self.tracer.poll() is not None or all(map(self._traced, self._threads())))
        if self.tracer.poll() is not None:
            raise Skip(f"strace may not attach: {self.tracer.stderr.read().strip()}")
        return self

    def _threads(self):
        return os.listdir(f"/proc/{self.d.pid}/task")

    def _traced(self, thread):
        with open(f"/proc/{self.d.pid}/task/{thread}/status") as f:
            return f"TracerPid:\t{self.tracer.pid}\n" in f.read()

    def __exit__(self, *_):
        self.tracer.send_signal(signal.SIGTERM)
        self.tracer.communicate()
        wait_until("strace has gone", lambda: "TracerPid:\t0\n" in open(f"/proc/{self.d.pid}/status").read())


def reload(d, app):
    with Served(app):
        return d.call("reload", {"app": "orders"})["reports"][0]


# strace takes prodd-parse along with its parent, and LeakSanitizer cannot run under ptrace.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"


class FullDisk:
    """No file of the running daemon may grow (RLIMIT_FSIZE 0): every write to one fails."""

    def __init__(self, d):
        self.d = d

    def __enter__(self):
        self.old = resource.prlimit(self.d.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def __exit__(self, *_):
        if self.d.process:
            resource.prlimit(self.d.pid, resource.RLIMIT_FSIZE, self.old)


@case
def a_state_that_cannot_be_written_fails_the_reload_and_nothing_else():
    faults = [lambda d: Faults(d, "fsync", "EIO"), lambda d: Faults(d, "fsync", "ENOSPC"),
              lambda d: Faults(d, "renameat", "ENOSPC"), lambda d: Faults(d, "openat", "ENOSPC", d.path("state/config")),
              lambda d: Faults(d, "openat", "EMFILE", d.path("state/config"))]
    if "thread" not in os.environ.get("PRODD_SANITIZER", ""):      # prodd-parse's own sanitizer would need the room
        faults.append(FullDisk)
    for number, fault in enumerate(faults):
        with Daemon('watch = "manual";', apps={"orders": ONE}) as d, App(d, "orders") as app:
            app.settings()
            d.write("apps/orders/default.conf", "a = 2;")
            with fault(d):
                report = reload(d, app)
            assert report["outcome"] == "failed" and report["exit"] == 1 and report["note"], (number, report)
            app.pump()
            assert app.generation == 1 and app.settings() == {"a": 1}, number
            assert d.call("config.show", {"app": "orders"})["generation"] == 1
            report = reload(d, app)
            assert report["outcome"] == "committed" and app.settings() == {"a": 2}, (number, report)
            d.restart()
            assert d.call("config.show", {"app": "orders"})["entries"][0]["value"] == 2


@case
def a_full_disk_under_the_log_ends_nothing():
    """The file that prodd's stderr is cannot grow either: messages are lost, and no more."""
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders", "1") as app:
        app.settings()
        with FullDisk(d):
            said = d.log()
            os.kill(d.pid, signal.SIGTERM)     # it says that it ends
            assert d.process.wait(20) == 0 and d.log() == said
            d.process = None


@case
def a_change_that_could_not_be_written_is_told_until_it_is_live():
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders") as app:
        app.settings()
        with Faults(d, "fsync", "EIO"):
            d.write("apps/orders/default.conf", "a = 2;")
            row = wait_until("status says so", lambda: d.status().get("problems"))[0]
            assert row["id"] == "config_differs" and "generation 1 stays live" in row["lines"][1], row
        with Served(app):
            assert d.call("reload", {"app": "orders"})["reports"][0]["outcome"] == "committed"
        assert app.settings() == {"a": 2} and not d.status().get("problems")


@case
def a_first_configuration_that_cannot_be_stored_is_not_served():
    with Daemon(apps={"orders": ONE}, start=False) as d:
        d.start()
        with Faults(d, "fsync", "EIO"):
            with App(d, "orders", environment="other") as app:
                assert app.subscribed["state"] in ("none", "invalid"), app.subscribed
                app.pump(0.1)
                assert app.live is None
        with App(d, "orders", environment="other") as app:
            assert app.settings() == {"a": 1}


# ---- its helper

@case
def a_helper_that_was_killed_says_nothing_about_the_files():
    """They are not remembered as bad: the next look tries them again."""
    with Daemon(apps={"orders": ONE}) as d, App(d, "orders") as app:
        app.settings()
        children = f"/proc/{d.pid}/task/{d.pid}/children"

        def kill_one():
            with open(children) as f:
                for pid in f.read().split():
                    with open(f"/proc/{pid}/cmdline") as words:
                        if "prodd-parse" in words.read():
                            os.kill(int(pid), signal.SIGKILL)
                            return True

        many = "".join(f"key_{i} = {i};\n" for i in range(4000))
        d.write("apps/orders/default.conf", many + "a = 2;")
        wait_until("prodd-parse is there", kill_one, pause=0.0005)
        row = wait_until("status says so", lambda: d.status().get("problems"))[0]
        assert "prodd-parse: ended by signal 9" in row["lines"][0], row
        assert d.counters()["helper_failures"] == 1
        os.utime(d.path("apps/orders/default.conf"))
        app.wait_setting("a", 2)
        assert not d.status().get("problems")


main()
