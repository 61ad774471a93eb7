#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No call of the library that does not wait makes a system call that could block.

Runs tests/unit/client_calls under strace and looks at what its thread did between the marks around each call."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(os.environ.get("builddir", "."))

# None of these waits for anybody; on files they are as quick as the disk's cache.
NEVER = set("""getpid gettid geteuid getuid clock_gettime mmap munmap mprotect brk madvise epoll_create1 eventfd2
timerfd_create timerfd_settime epoll_ctl close socket fcntl dup3 fstat newfstatat stat lstat access faccessat
faccessat2 rt_sigprocmask clone clone3 set_robust_list rseq getrlimit prlimit64 sched_yield open openat rename
mkdir unlink memfd_create ftruncate prctl getdents64 getppid set_tid_address sigaltstack rt_sigaction""".split())

LINE = re.compile(r"(\d+) +(\w+)\((.*)")
RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)")
UNFINISHED = "<unfinished ...>"


class Calls:
    """The system calls of one trace, thread by thread."""

    def __init__(self):
        self.open = {}          # thread: the library's call that it is in
        self.kinds = {}         # descriptor: what was opened without blocking
        self.seen = {}          # the library's call: system calls in it
        self.wrong = []
        self.unfinished = {}    # thread: the beginning of its line

    def created(self, name, rest):
        match = re.search(r"= (\d+)$", rest)
        if not match:
            return
        fd = int(match.group(1))
        if name in ("socket", "eventfd2", "timerfd_create", "accept4"):
            self.kinds[fd] = "nonblocking" if "NONBLOCK" in rest else "blocking"
        elif name in ("open", "openat"):
            self.kinds[fd] = "file" if ".config" in rest else "other"

    def is_harmless(self, name, rest):
        fd = re.match(r"(\d+)", rest)
        kind = self.kinds.get(int(fd.group(1))) if fd else None
        if name in NEVER:
            return True
        if name in ("epoll_wait", "poll"):
            return re.search(r", 0(\)|, NULL)", rest)
        if name == "epoll_pwait":
            return ", 0, NULL" in rest
        if name in ("recvfrom", "sendto", "recvmsg", "sendmsg"):
            return "MSG_DONTWAIT" in rest and (name.startswith("recv") or "MSG_NOSIGNAL" in rest)
        if name in ("read", "write"):
            return kind in ("nonblocking", "file")
        if name == "connect":
            return kind == "nonblocking"
        if name == "getrandom":
            return "GRND_NONBLOCK" in rest
        if name == "futex":
            return "FUTEX_WAKE" in rest
        return False

    def take(self, line):
        """A line of strace's. One of a call that another thread interrupted is kept until its end comes."""
        resumed = RESUMED.match(line)
        if line.endswith(UNFINISHED):
            self.unfinished[line.split()[0]] = line[:-len(UNFINISHED)]
            return
        if resumed:
            line = self.unfinished.pop(resumed.group(1)) + resumed.group(2)
        match = LINE.match(line)
        if not match:
            return
        thread, name, rest = match.groups()
        rest = rest.strip()
        mark = re.match(r'-1, "(begin|end) (.*?)"', rest) if name == "write" else None
        if mark and mark.group(1) == "begin":
            self.open[thread] = mark.group(2)
            self.seen.setdefault(mark.group(2), 0)
        elif mark:
            self.open.pop(thread)
        elif thread in self.open:
            self.seen[self.open[thread]] += 1
            if not self.is_harmless(name, rest) and "tests/unit/client_app.c" not in rest:    # check's own notes
                self.wrong.append(f"{self.open[thread]}: {name}({rest}")
        self.created(name, rest)


def trace(program):
    with tempfile.TemporaryDirectory() as directory:
        out = directory + "/trace"
        env = dict(os.environ, CK_FORK="no")
        result = subprocess.run(["strace", "-f", "-s", "100", "-o", out, program], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        if "ptrace" in result.stdout and "not permitted" in result.stdout:
            print("skipped: strace may not trace here")
            sys.exit(77)
        assert result.returncode == 0, result.stdout
        with open(out, errors="replace") as f:
            return f.read().splitlines()


def control():
    """Calls that do block are found."""
    calls = Calls()
    for line in ['1 write(-1, "begin x", 7) = -1 EBADF', "1 socket(AF_UNIX, SOCK_STREAM, 0) = 5",
                 "1 connect(5, {sa_family=AF_UNIX}, 110) = 0", '1 recvfrom(5, "", 1, 0, NULL, NULL) = 0',
                 "1 epoll_wait(4, [], 4, 1000) = 0", "1 futex(0x7f, FUTEX_WAIT_PRIVATE, 1, NULL) = 0",
                 "1 nanosleep({tv_sec=1}, NULL) = 0"]:
        calls.take(line)
    assert len(calls.wrong) == 5, calls.wrong


if os.environ.get("PRODD_SANITIZER", "no") != "no":
    print("skipped: a sanitizer makes system calls of its own")
    sys.exit(77)
if not shutil.which("strace"):
    print("skipped: strace is missing; install: apt-get install strace")
    sys.exit(77)
control()
calls = Calls()
program = f"{BUILD}/tests/unit/client_calls"
for line in trace(program):
    calls.take(line)
assert len(calls.seen) >= 12, sorted(calls.seen)
assert calls.seen["prodd_dispatch(app.p, &e)"] > 20, "dispatching does nothing: the marks do not work"
assert not calls.wrong, "these may block:\n" + "\n".join(sorted(set(calls.wrong)))
print(f"{len(calls.seen)} calls, {sum(calls.seen.values())} system calls in them, none that could block")
