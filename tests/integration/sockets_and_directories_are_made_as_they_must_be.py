#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Modes, owners, links, lengths, locks: what prodd makes at its start, and what it refuses to start with."""
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile

from harness import PRODD, Client, Daemon, case, main, need_root, wait_until


def refused(d, *words, env=None, directory=True):
    """Starts prodd, which must not start: (exit status, what it said)."""
    run = subprocess.run([PRODD] + (["--dir", d.dir] if directory else []) + list(words), capture_output=True, text=True,
                         timeout=20, stdin=subprocess.DEVNULL,
                         env={"PATH": os.environ["PATH"], "PRODD_LIBEXEC": os.path.dirname(PRODD), **(env or {})})
    assert run.returncode > 0 and run.stdout == "", run
    return run.returncode, run.stderr


def mode(path):
    st = os.lstat(path)
    return stat.S_IFMT(st.st_mode), stat.S_IMODE(st.st_mode)


@case
def modes_do_not_depend_on_the_umask():
    for umask in (0o000, 0o022, 0o077, 0o777):
        old = os.umask(umask)
        try:
            d = Daemon(start=False)
            os.umask(0o022)
            d.path() and os.chmod(d.dir, 0o755)
            os.umask(umask)
            with d:
                d.start()
                assert mode(d.path("run")) == (stat.S_IFDIR, 0o755)
                assert mode(d.path("state")) == (stat.S_IFDIR, 0o700)
                assert mode(d.app_socket) == (stat.S_IFSOCK, 0o666)
                kind, bits = mode(d.ctl_socket)
                assert kind == stat.S_IFSOCK and bits == (0o660 if os.geteuid() == 0 else 0o600), oct(bits)
                for top, _, files in os.walk(d.path("state")):
                    assert mode(top)[1] & 0o077 == 0, top
                    for name in files:
                        assert mode(os.path.join(top, name))[1] & 0o077 == 0, name
                os.umask(0o022)
        finally:
            os.umask(old)


@case
def the_operators_socket_of_a_user_is_closed_to_all_others():
    need_root()
    with Daemon(uid=4242) as d:
        assert mode(d.ctl_socket) == (stat.S_IFSOCK, 0o600) and os.lstat(d.ctl_socket).st_uid == 4242
        assert mode(d.app_socket) == (stat.S_IFSOCK, 0o666)
        for path, uid, opens in ((d.ctl_socket, 4243, False), (d.app_socket, 4243, True), (d.ctl_socket, 4242, True)):
            try:
                Client(path, uid=uid).close()
                assert opens, path
            except PermissionError:
                assert not opens, path


@case
def the_directories_of_a_running_daemon_are_put_right():
    d = Daemon(start=False)
    os.makedirs(d.path("run"), 0o777)
    os.makedirs(d.path("state"), 0o777)
    os.chmod(d.path("run"), 0o777)
    os.chmod(d.path("state"), 0o755)
    with d:
        d.start()
        assert mode(d.path("run"))[1] == 0o755 and mode(d.path("state"))[1] == 0o700


@case
def directories_of_others_are_refused():
    need_root()
    for name in ("run", "state"):
        with Daemon(start=False) as d:
            os.makedirs(d.path(name))
            os.chown(d.path(name), 4242, 4242)
            status, said = refused(d)
            assert f"{name} belongs to uid 4242" in said, said


@case
def links_are_not_followed():
    for name in ("run", "state"):
        with Daemon(start=False) as d:
            os.makedirs(d.path("elsewhere"))
            os.symlink("elsewhere", d.path(name))
            status, said = refused(d)
            assert d.path(name) in said and os.listdir(d.path("elsewhere")) == [], said
    for name in ("app.sock", "ctl.sock", "prodd.lock"):
        with Daemon(start=False) as d:
            os.makedirs(d.path("run"))
            os.symlink(d.path("victim"), d.path("run", name))
            status, said = refused(d)
            assert name in said and not os.path.lexists(d.path("victim")), said
            assert os.path.islink(d.path("run", name)), "the link was replaced"
    with Daemon(start=False) as d:      # a leftover that is one, at the name that a socket has before its time
        os.makedirs(d.path("run"))
        d.write("victim", "x")
        os.symlink(d.path("victim"), d.path("run", "app.temp"))
        d.start()
        assert os.stat(d.path("victim")).st_mode & 0o777 == 0o644 and stat.S_ISSOCK(os.lstat(d.app_socket).st_mode)


@case
def what_is_no_socket_is_not_replaced():
    with Daemon(start=False) as d:
        d.write("run/app.sock", "precious")
        status, said = refused(d)
        assert "app.sock exists and is no socket" in said, said
        with open(d.app_socket) as f:
            assert f.read() == "precious"


@case
def sockets_of_a_killed_daemon_are_replaced_and_those_of_a_program_that_listens_are_not():
    with Daemon() as d:
        d.kill()
        assert os.path.exists(d.app_socket)
        d.start()
        d.status()
        d.stop()
        assert not os.path.exists(d.app_socket) and not os.path.exists(d.ctl_socket), "they go with the daemon"
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(d.app_socket)
            other.listen()
            status, said = refused(d)
            assert status == 9 and f"another program listens there (pid {os.getpid()})" in said, said
        os.unlink(d.app_socket)


@case
def a_second_daemon_of_a_directory_is_refused_and_names_the_first():
    with Daemon(apps={"orders": {"default.conf": "a = 1;"}}) as d:
        status, said = refused(d)
        assert status == 9 and f"another prodd (pid {d.pid}) has this directory" in said, said
        assert d.status()["pid"] == d.pid, "the first one is still served from its sockets"


@case
def a_socket_path_that_is_too_long_is_told_with_its_length():
    top = tempfile.mkdtemp(prefix="prodd-")
    try:
        fits = top + "/" + "d" * (107 - len("/run/http.sock") - len(top) - 1)    # the longest of its sockets
        for directory, served in ((fits, True), (fits + "d", False)):
            os.mkdir(directory)
            d = Daemon(start=False)
            shutil.rmtree(d.dir)
            d.dir, d.log_path = directory, os.path.join(top, "log")
            with d:
                if served:
                    d.start()
                    d.status()
                else:
                    status, said = refused(d)
                    assert status == 2 and "at most 107 bytes, this one 108" in said, said
                    assert os.listdir(directory) == []
    finally:
        shutil.rmtree(top, ignore_errors=True)


@case
def a_users_daemon_needs_a_runtime_directory():
    need_root()
    with Daemon(start=False) as d:
        os.chmod(d.dir, 0o777)
        env = {"HOME": d.dir, "PRODD_LIBEXEC": os.path.dirname(PRODD), "PATH": os.environ["PATH"]}
        as_user = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups"]
        run = subprocess.run(as_user + [PRODD], capture_output=True, text=True, env=env, timeout=20)
        assert run.returncode == 2 and "XDG_RUNTIME_DIR is not set" in run.stderr and "--dir" in run.stderr, run
        runtime = d.path("runtime")
        os.mkdir(runtime, 0o700)
        os.chown(runtime, 4242, 4242)
        with open(d.log_path, "ab") as log:
            process = subprocess.Popen(as_user + [PRODD], env={**env, "XDG_RUNTIME_DIR": runtime}, stdout=log, stderr=log)
        try:
            wait_until("it serves", lambda: "serves at" in d.log() or process.poll() is not None)
            assert mode(os.path.join(runtime, "prodd")) == (stat.S_IFDIR, 0o700), d.log()
            assert mode(os.path.join(runtime, "prodd", "ctl.sock"))[1] == 0o600
            assert mode(d.path(".local/state/prodd"))[1] == 0o700
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


main()
