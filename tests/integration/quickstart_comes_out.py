#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/quickstart comes out, leaves nothing behind, and ends non-zero when what it shows is not so."""
import os
import re
import stat
import subprocess
import tempfile

from harness import case, main

SRCDIR = os.path.abspath(os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("builddir", "."))


def quickstart(*options, build=BUILD):
    return subprocess.run([SRCDIR + "/tools/quickstart", "--build", build, *options], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def of_quickstart():
    return {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("prodd-quickstart")}


@case
def every_step_comes_out():
    result = quickstart()
    assert result.returncode == 0, result.stdout
    for words in ("700 is not in 1..500", "REJECTED, rolled back", "All of it came out"):
        assert words in result.stdout, result.stdout
    assert not of_quickstart()


@case
def what_is_kept_runs_until_the_command_that_it_prints():
    result = quickstart("--keep")
    assert result.returncode == 0, result.stdout
    go_on = re.search(r"^cd .*\nexport .*\nprodctl status$", result.stdout, re.M)
    end = re.search(r"^kill .*; rm -r .*$", result.stdout, re.M)
    assert go_on and end, result.stdout
    try:
        status = subprocess.run(go_on[0], shell=True, stdout=subprocess.PIPE, text=True)
        assert status.returncode == 0 and re.search(r"^hello +2 ", status.stdout, re.M), status
    finally:
        subprocess.run(end[0], shell=True, check=True)
    assert not of_quickstart()


@case
def what_does_not_come_out_is_seen():
    """With a prodctl that says what the real one says, but never that a reload was rejected."""
    with tempfile.TemporaryDirectory() as build:
        for name in os.listdir(BUILD):
            if name != "prodctl":
                os.symlink(os.path.join(BUILD, name), os.path.join(build, name))
        with open(build + "/prodctl", "w") as f:
            f.write(f'#!/bin/sh\n{BUILD}/prodctl "$@"\nstatus=$?\n[ $status != 5 ] || exit 0\nexit $status\n')
        os.chmod(build + "/prodctl", stat.S_IRWXU)
        result = quickstart(build=build)
        assert result.returncode == 1, result.stdout
        assert "did not come out as it should: exit status 0 instead of 5" in result.stdout, result.stdout
    assert not of_quickstart()


main()
