# SPDX-License-Identifier: Apache-2.0
"""Deadlines, other users and other processes, for the harness; tests take all of it from there."""
import contextlib
import os
import select
import signal
import sys
import time
import traceback

PLAIN = os.environ.get("PRODD_PLAIN") == "1"
DEADLINE = float(os.environ.get("PRODD_TEST_DEADLINE", "10"))


def wait_until(what, condition, deadline=None, pause=0.005):
    """Waits until condition() is true and returns its value; fails with `what` after `deadline` seconds.
    For states that nothing announces; where an event can be waited for (recv, expect), wait for that."""
    end = time.monotonic() + (deadline or DEADLINE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {deadline or DEADLINE} s: {what}")
        select.select([], [], [], pause)


@contextlib.contextmanager
def as_uid(uid, gid=None):
    """The body runs with these effective ids: connections that it makes carry them. None: as we are."""
    if uid is None:
        yield
        return
    old_uid, old_gid, old_groups = os.geteuid(), os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(uid if gid is None else gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(old_uid)
        os.setegid(old_gid)
        os.setgroups(old_groups)


class Child:
    """A forked process that runs `function(*args)` as `uid`; ended with the context.

    What function writes to its first argument, a binary file, the parent reads from `.out`; `.wait()` gives its exit
    status."""

    def __init__(self, function, *args, uid=None, limits=()):
        read_end, write_end = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(read_end)
                import resource
                for name, value in limits:
                    resource.setrlimit(name, (value, value))
                if uid is not None:
                    os.setgroups([])
                    os.setresgid(uid, uid, uid)
                    os.setresuid(uid, uid, uid)
                with os.fdopen(write_end, "wb", buffering=0) as out:
                    function(out, *args)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(write_end)
        self.out = os.fdopen(read_end, "rb")
        self.status = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.out.close()

    def line(self, deadline=None):
        """The next line of what it wrote; fails after the deadline, b"" at its end."""
        ready, _, _ = select.select([self.out], [], [], deadline or DEADLINE)
        assert ready, "the child says nothing"
        return self.out.readline()

    def kill(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def wait(self):
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status
