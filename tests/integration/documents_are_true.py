#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What README.md, prodd(8) and prodd.conf(5) show is so: their examples are files that are valid, programs that compile, and
commands that say what stands below them.

A mark on the line before a block says what it is: `<!-- MARK -->` in README.md, `; MARK` in a page:

    file NAME    a file, for the marks below it
    prodd.conf   a valid prodd.conf
    conf         a valid file of settings
    c            a program that compiles without a warning
    run          commands ($) and what they print; times, process ids and the directory's name may differ
"""
import os
import re
import shlex
import subprocess
import tempfile

from harness import App, Daemon, Served, case, main, wait_until

SRCDIR = os.path.abspath(os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("builddir", "."))
BLOCK = re.compile(r"^(?:<!-- (?P<md>.+) -->|; (?P<scd>.+))\n```\w*\n(?P<text>(?:(?!```).*\n)*)```$", re.M)
# The last: the daemon may have seen the edit before the command came.
VARIABLE = [(re.compile(r"\d+\.\d+ s\b"), "N s"), (re.compile(r"\bpid \d+"), "pid N"),
            (re.compile(r"^\(joined a reload that ran already\)\n", re.M), "")]


def blocks(name):
    """[(mark, text)] of a document. A mark that is misspelt or stands alone would check nothing."""
    with open(os.path.join(SRCDIR, name), encoding="utf-8") as f:
        text = f.read()
    found = [(m["md"] or m["scd"], m["text"]) for m in BLOCK.finditer(text)]
    marks = re.findall(r"^(?:<!-- (?!SPDX).+ -->|; (?!SPDX).+)$", text, re.M)
    assert len(found) == len(marks), f"{name}: {len(marks)} marks, {len(found)} blocks with one"
    for mark, _ in found:
        assert mark.split()[0] in ("file", "prodd.conf", "conf", "c", "run"), f"{name}: what is {mark!r}?"
    return found


def marked(name, kind):
    found = [text for mark, text in blocks(name) if mark == kind]
    assert found, f"{name}: no block marked {kind!r}"
    return found


def put_files(name, directory):
    for mark, text in blocks(name):
        if mark.startswith("file "):
            path = os.path.join(directory, mark.split()[1])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(text)


def environment(directory):
    libexec = os.environ.get("PRODD_LIBEXEC", BUILD)
    programs = {os.path.dirname(os.path.abspath(os.environ.get(v, "./x"))) for v in ("PRODD_BIN", "PRODCTL")}
    return dict(os.environ, PATH=":".join([*programs, os.environ["PATH"]]), PRODD_LIBEXEC=libexec,
                PRODD_CTL=os.path.join(directory, "run"))


def alike(text, directory):
    for pattern, same in VARIABLE:
        text = pattern.sub(same, text)
    return re.sub(r" +\n", "\n", text.replace(directory + "/", "").strip() + "\n")


def background(command, directory):
    with open(os.path.join(directory, "log"), "w") as log:
        return subprocess.Popen(shlex.split(command), cwd=directory, env=environment(directory),
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def say(command, directory):
    result = subprocess.run(command, shell=True, cwd=directory, env=environment(directory), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return alike(result.stdout, directory)


def transcript(text, directory):
    """Runs the commands of a block and compares what they say. What comes behind a daemon in the background is repeated
    until it is so, since that needs a moment to start."""
    started = []
    try:
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, _, expected = part.partition("\n")
            expected = alike(expected, directory)
            if command.endswith("&"):
                started.append(background(command[:-1], directory))
            elif started:
                wait_until(f"$ {command}\n{expected}", lambda: say(command, directory) == expected)
            else:
                said = say(command, directory)
                assert said == expected, f"$ {command}\n{said}---- but the document has\n{expected}"
    finally:
        for process in started:
            process.terminate()
            process.wait()


def check_prodd_conf(text):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "prodd.conf")
        with open(path, "w") as f:
            f.write(text)
        result = subprocess.run([environment(directory)["PRODD_LIBEXEC"] + "/prodd-parse", "--check-prodd-conf", path],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert result.returncode == 0, result.stdout


@case
def the_first_screen_of_the_readme():
    with Daemon() as d:
        d.write("prodd.conf", f'app: {{ orders: {{ config = "{d.dir}/orders"; }}; }};\n')
        put_files("README.md", d.dir)
        d.restart()
        reason = "database.max_connections: the database allows 100"

        def judge(offer):
            values = {e["key"]: e.get("value") for e in offer["entries"]} if "entries" in offer else {}
            return ("reject", reason) if values.get("database.max_connections", 400) > 100 else "accept"

        with App(d, "orders", instance="1") as one, App(d, "orders", instance="2") as two:
            one.settings(), two.settings()
            one.verdict = judge
            with Served(one, two):
                transcript(marked("README.md", "run")[0], d.dir)


@case
def the_files_of_the_readme():
    with tempfile.TemporaryDirectory() as directory:
        put_files("README.md", directory)
        for name in ("production", "development"):
            result = subprocess.run(["prodctl", "config", "check", "./orders", "--env", name], cwd=directory,
                                    env=environment(directory), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            assert result.returncode == 0, result.stdout
    for text in marked("README.md", "prodd.conf"):
        check_prodd_conf(text)


@case
def the_program_of_the_readme():
    program = marked("README.md", "c")[0]
    with tempfile.TemporaryDirectory() as directory:
        with open(directory + "/orders.c", "w") as f:
            f.write(program)
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", f"-I{SRCDIR}/client/include", f"-I{SRCDIR}/proto/include",
                        "-o", "orders", "orders.c", f"-L{BUILD}/.libs", "-lprodd-client", *sanitizer()],
                       cwd=directory, check=True)
        env = dict(os.environ, LD_LIBRARY_PATH=BUILD + "/.libs", XDG_CACHE_HOME=directory)
        socket = directory + "/run/app.sock"
        result = subprocess.run(["./orders"], cwd=directory, env=dict(env, PRODD_SOCKET=socket), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        assert result.returncode == 78, result
        assert result.stderr == f"orders: no daemon at {socket} and no cached configuration\n", result.stderr
        with Daemon() as d:
            put_files("README.md", d.path("apps"))
            d.restart()
            with subprocess.Popen(["./orders"], cwd=directory, env=dict(env, PRODD_SOCKET=d.app_socket),
                                  stdout=subprocess.PIPE, text=True) as orders:
                try:
                    assert orders.stdout.readline() == "port 8080\n"
                finally:
                    orders.terminate()


def sanitizer():
    name = os.environ.get("PRODD_SANITIZER", "no")
    return [] if name == "no" else ["-fsanitize=" + name]


@case
def the_commands_of_prodd_8():
    for text in marked("doc/man/prodd.8.scd", "run"):
        with tempfile.TemporaryDirectory() as directory:
            transcript(text, directory)


@case
def the_files_of_prodd_conf_5():
    page = "doc/man/prodd.conf.5.scd.in"
    for text in marked(page, "prodd.conf"):
        check_prodd_conf(text)
    with tempfile.TemporaryDirectory() as top:
        orders = os.path.join(top, "orders")
        os.mkdir(orders)
        put_files(page, orders)
        for text in marked(page, "run"):
            transcript(text, orders)
    for text in marked(page, "conf"):
        with tempfile.TemporaryDirectory() as directory:
            with open(directory + "/default.conf", "w") as f:
                f.write(text)
            subprocess.run(["prodctl", "config", "check", directory + "/"], env=environment(directory), check=True)


@case
def a_document_that_is_wrong_is_noticed():
    with tempfile.TemporaryDirectory() as directory:
        for text in ("$ echo one\ntwo\n", "$ echo one\n", "$ :\none\n"):
            try:
                transcript(text, directory)
            except AssertionError:
                continue
            raise AssertionError(f"not noticed: {text!r}")
        transcript("$ echo it took 0.03 s\nit took 17.20 s\n", directory)


main()
