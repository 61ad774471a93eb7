# SPDX-License-Identifier: Apache-2.0
"""The ways in which people, editors and orchestrators put a text into a file: generators that do one step at a time and
yield the seconds to pause before the next. For integration tests.

A way is *whole* when a reader that follows the rules (never a file that is open for writing, nothing within 100 ms of
an event) cannot see anything but the old text, the new one, or no file. All ways here are.
"""
import os
import shutil
import subprocess

PAUSE_MOST = 0.02    # between steps that leave a file closed but unfinished, or missing: well below the quiet time


def pause(dice, most=PAUSE_MOST):
    return dice.random() * most if dice.random() < 0.7 else 0.0


def pieces(dice, text):
    """The text, cut in one to four."""
    cuts = sorted(dice.randrange(len(text) + 1) for _ in range(dice.randrange(4)))
    return [text[a:b] for a, b in zip([0] + cuts, cuts + [len(text)])]


def _write(dice, f, text, most):
    for piece in pieces(dice, text):
        os.write(f, piece.encode())
        yield pause(dice, most)


def _put(path, text):
    with open(path, "w") as f:
        f.write(text)


def _run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


# ---- in place

def truncate_and_write(dice, path, text):
    """As a shell's `>`: empty from the open on, then in pieces, however long that takes."""
    f = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    yield pause(dice, 0.15)
    yield from _write(dice, f, text, 0.15)
    os.close(f)


def overwrite(dice, path, text):
    """Over the old bytes, without a truncation before: old and new are mixed until the end."""
    f = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    yield from _write(dice, f, text, 0.15)
    os.ftruncate(f, len(text))
    os.close(f)


def reopen(dice, path, text):
    """Written, closed, appended to: a pause that is shorter than the quiet time ends nothing."""
    first, *rest = pieces(dice, text)
    _put(path, first)
    for piece in rest:
        yield pause(dice)
        with open(path, "a") as f:
            f.write(piece)


def cp(dice, path, text):
    _put(path + ".new", text)
    yield pause(dice)
    _run("cp", path + ".new", path)
    os.unlink(path + ".new")


def synced(dice, path, text):
    with open(path, "w") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
        yield pause(dice)


# ---- by another file

def rename(dice, path, text):
    _put(path + ".tmp", text)
    yield pause(dice, 0.15)
    os.rename(path + ".tmp", path)


def rename_too_early(dice, path, text):
    """Renamed while it is still open, the rest written afterwards: buffered, as by many a program."""
    temporary = os.path.join(os.path.dirname(path), ".early.tmp")
    f = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    middle = dice.randrange(1, len(text))
    os.write(f, text[:middle].encode())
    os.rename(temporary, path)
    yield pause(dice, 0.25)
    os.write(f, text[middle:].encode())
    os.close(f)


def mv(dice, path, text):
    _put(path + ".orig", text)
    yield pause(dice)
    _run("mv", path + ".orig", path)


def install(dice, path, text):
    source = os.path.join(os.path.dirname(path), ".source")
    _put(source, text)
    yield pause(dice)
    _run("install", "-m", "0644", source, path)
    os.unlink(source)


def hard_link(dice, path, text):
    _put(path + ".one", text)
    os.link(path + ".one", path + ".two")
    yield pause(dice)
    os.rename(path + ".two", path)
    os.unlink(path + ".one")


def delete_and_create(dice, path, text):
    os.unlink(path)
    yield pause(dice)
    _put(path, text)


# ---- editors

def sed_i(dice, path, text):
    """The old text is replaced by the new one with sed -i: a file sedXXXXXX, then a rename."""
    yield pause(dice)
    script = "1{i\\\n" + text.rstrip("\n").replace("\n", "\\\n") + "\n};d"
    _run("sed", "-i", script, path)


def vim(dice, path, text):
    """backupcopy=no: 4913 to see whether files can be made here, the old file becomes the backup, a new one is written."""
    directory, name = os.path.split(path)
    swap = os.path.join(directory, f".{name}.swp")
    _put(swap, "swap")
    probe = os.path.join(directory, "4913")
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    os.unlink(probe)
    os.rename(path, path + "~")
    yield pause(dice)
    f = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    yield from _write(dice, f, text, 0.15)
    os.fsync(f)
    os.close(f)
    os.chmod(path, 0o644)
    yield pause(dice)
    os.unlink(path + "~")
    os.unlink(swap)


def vim_backup_copy(dice, path, text):
    """backupcopy=yes: the old text is copied to the backup, the file is written in place."""
    shutil.copyfile(path, path + "~")
    yield pause(dice)
    f = os.open(path, os.O_WRONLY | os.O_TRUNC)
    yield from _write(dice, f, text, 0.05)
    os.fsync(f)
    os.close(f)
    os.unlink(path + "~")


def emacs(dice, path, text):
    """A lock that is a link to nowhere, an autosave file, a backup by renaming, then the new file."""
    directory, name = os.path.split(path)
    lock, autosave = os.path.join(directory, ".#" + name), os.path.join(directory, f"#{name}#")
    os.symlink("user@host.4711:1700000000", lock)
    _put(autosave, text[:len(text) // 2])
    yield pause(dice)
    os.rename(path, path + "~")
    f = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    yield from _write(dice, f, text, 0.05)
    os.close(f)
    os.unlink(autosave)
    os.unlink(lock)


def kate(dice, path, text):
    """QSaveFile: a temporary file beside it, synced, renamed over."""
    temporary = f"{path}.{dice.randrange(10**6):06}"
    with open(temporary, "w") as f:
        f.write(text)
        f.flush()
        os.fdatasync(f.fileno())
    yield pause(dice)
    os.rename(temporary, path)


WAYS = [truncate_and_write, overwrite, reopen, cp, synced, rename, rename_too_early, mv, install, hard_link,
        delete_and_create, sed_i, vim, vim_backup_copy, emacs, kate]


# ---- directories and links

def retarget(dice, link, target):
    """A link is pointed elsewhere: at once by rename, or as `ln -sfn` (gone for a moment)."""
    if dice.random() < 0.5:
        os.symlink(target, link + ".next")
        yield pause(dice)
        os.rename(link + ".next", link)
    else:
        os.unlink(link)
        yield pause(dice)
        os.symlink(target, link)


class Volume:
    """A directory as Kubernetes mounts a ConfigMap (pkg/volume/util/atomic_writer.go): files are links to ..data/NAME,
    ..data is a link to a directory with a time in its name, and is swapped by rename."""

    def __init__(self, directory):
        self.directory, self.count = directory, 0
        os.makedirs(directory, exist_ok=True)

    def _path(self, name):
        return os.path.join(self.directory, name)

    def swap(self, dice, files):
        """files: {name: text}; what is not among them goes."""
        self.count += 1
        new = f"..2026_01_02_15_04_05.{self.count:09}"
        old = os.readlink(self._path("..data")) if self.count > 1 else None
        os.mkdir(self._path(new))
        for name, text in files.items():
            _put(self._path(os.path.join(new, name)), text)
            yield pause(dice, 0.01)
        os.symlink(new, self._path("..data_tmp"))
        yield pause(dice, 0.12)
        os.rename(self._path("..data_tmp"), self._path("..data"))
        yield pause(dice)
        for name in files:
            if not os.path.lexists(self._path(name)):
                os.symlink(os.path.join("..data", name), self._path(name))
        for name in os.listdir(self.directory):
            if not name.startswith("..") and name not in files:
                os.unlink(self._path(name))
        if old:
            shutil.rmtree(self._path(old))
