# SPDX-License-Identifier: Apache-2.0
"""Kinds of apps whose files change: each brings forth interleavings, generators of pauses in seconds. Each file of an app
holds a = N and b = N, or, where files are swapped together, one holds a and the other b. For integration tests."""
import os
import re
import shutil

import saving

ENV = "development"


def text_of(name, number, keys="ab"):
    """A file of its own length: what is left of a longer one would be seen."""
    lines = [f"{key} = {number};\n# {'x' * (number * 37 % 200)}\n" for key in keys]
    return f"{re.sub('[^a-z]', '', name)} = {number};\n" + "".join(lines)


class Plain:
    """default.conf, development.conf, conf.d/*.conf, saved in all ways, deleted, brought back."""
    names = ["default.conf", f"{ENV}.conf", "conf.d/10-a.conf", "conf.d/20-b.conf"]

    def __init__(self, top, dice):
        self.directory, self.dice, self.log = top, dice, []
        os.makedirs(top)
        saving._put(os.path.join(top, "default.conf"), text_of("default.conf", 0))

    def path(self, name):
        return os.path.join(self.directory, name)

    def save(self, name, number):
        way = self.dice.choice(saving.WAYS)
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            way = self.dice.choice([saving.truncate_and_write, saving.rename, saving.overwrite, saving.rename_too_early])
        self.log.append(f"{way.__name__} {name} {number}")
        yield from way(self.dice, path, text_of(name, number))

    def remove(self, name):
        if name != "default.conf" and os.path.exists(self.path(name)):
            self.log.append(f"remove {name}")
            os.unlink(self.path(name))
        yield saving.pause(self.dice, 0.15)

    def remove_all_local(self):
        self.log.append("remove conf.d")
        shutil.rmtree(self.path("conf.d"), ignore_errors=True)
        yield saving.pause(self.dice, 0.15)

    def noise(self):
        """What matters to nobody."""
        self.log.append("noise")
        for name in ("notes.txt", ".hidden.conf", "conf"):
            saving._put(self.path(name), "a = 1; b = 2;")
        os.utime(self.path("default.conf"))
        yield saving.pause(self.dice, 0.15)

    def interleaving(self, number):
        for _ in range(self.dice.randrange(4)):
            what = self.dice.random()
            if what < 0.2:
                yield from self.remove(self.dice.choice(self.names))
            elif what < 0.25:
                yield from self.remove_all_local()
            elif what < 0.4:
                yield from self.noise()
            else:
                yield from self.save(self.dice.choice(self.names), number)
                yield saving.pause(self.dice, 0.15)
        yield from self.save(self.dice.choice(self.names), number)


class Mounted:
    """A ConfigMap: a stands in one file, b in another, and the two change by one swap."""
    def __init__(self, top, dice):
        self.directory, self.dice, self.log = top, dice, []
        self.volume = saving.Volume(top)
        for _ in self.swap(0):
            pass

    def swap(self, number):
        files = {"default.conf": text_of("default.conf", number, "a"), f"{ENV}.conf": text_of(f"{ENV}.conf", number, "b")}
        if self.dice.random() < 0.3:
            files["schema.conf"] = "strict = false; keys = ();"
        self.log.append(f"swap {number} {len(files)}")
        yield from self.volume.swap(self.dice, files)

    def interleaving(self, number):
        for _ in range(self.dice.randrange(3)):
            yield from self.swap(number * 10)
            yield saving.pause(self.dice, 0.15)
        yield from self.swap(number)


class Released(Plain):
    """The directory is a link to a release; the files of a release are never changed, but some are links out of it."""
    names = ["default.conf", f"{ENV}.conf"]

    def __init__(self, top, dice):
        self.top, self.dice, self.log, self.count = top, dice, [], 0
        self.directory = os.path.join(top, "current")
        os.makedirs(os.path.join(top, "releases"))
        os.makedirs(os.path.join(top, "deep", "er"))
        os.symlink("deep", os.path.join(top, "way"))
        for name in ("left", "right"):
            saving._put(os.path.join(top, "deep", "er", name), text_of("out", 0))
        os.symlink(os.path.join("way", "er", "left"), os.path.join(top, "turn"))
        os.symlink(self.release(0), self.directory)

    def release(self, number):
        """A new release, complete: the name that the link is to get, relative or absolute."""
        self.count += 1
        name = os.path.join("releases", str(self.count))
        path = os.path.join(self.top, name)
        os.makedirs(os.path.join(path, "conf.d"))
        saving._put(os.path.join(path, "default.conf"), text_of("default.conf", number, "a"))
        saving._put(os.path.join(path, f"{ENV}.conf"), text_of(f"{ENV}.conf", number, "b"))
        target = self.dice.choice(["../../../turn", os.path.join(self.top, "turn"), "../../../way/../way/er/left"])
        os.symlink(target, os.path.join(path, "conf.d", "90-out.conf"))
        return self.dice.choice([name, path])

    def interleaving(self, number):
        for _ in range(self.dice.randrange(3)):
            yield from self.step(number)
            yield saving.pause(self.dice, 0.15)
        yield from self.step(number)

    def step(self, number):
        what = self.dice.random()
        if what < 0.4:
            self.log.append(f"release {number}")
            target = self.release(number)
            yield from saving.retarget(self.dice, self.directory, target)
        elif what < 0.6:
            side = self.dice.choice(["left", "right"])
            self.log.append(f"turn {side}")
            yield from saving.retarget(self.dice, os.path.join(self.top, "turn"), os.path.join("way", "er", side))
        elif what < 0.7:
            self.log.append("another way")
            self.count += 1
            new = f"deep{self.count}"
            shutil.copytree(os.path.join(self.top, "deep"), os.path.join(self.top, new))
            saving._put(os.path.join(self.top, new, "er", "left"), text_of("out", number))
            yield from saving.retarget(self.dice, os.path.join(self.top, "way"), new)
        else:
            side = self.dice.choice(["left", "right"])
            way = self.dice.choice([saving.truncate_and_write, saving.rename, saving.overwrite, saving.cp, saving.vim])
            self.log.append(f"{way.__name__} out, {side} {number}")
            yield from way(self.dice, os.path.join(self.top, "way", "er", side), text_of("out", number))


class Late(Plain):
    """Directories that go and come back: the app's, its parent, its conf.d."""

    def __init__(self, top, dice):
        self.top, self.dice, self.log = top, dice, []
        self.directory = os.path.join(top, "parent", "app")
        self.other = os.path.join(top, "aside")
        os.makedirs(top)

    def interleaving(self, number):
        gone = os.path.join(self.top, self.dice.choice(["parent", "parent/app", "parent/app/conf.d"]))
        if self.dice.random() < 0.5:
            self.log.append(f"rmtree {gone}")
            shutil.rmtree(gone, ignore_errors=True)
        elif os.path.exists(gone):
            self.log.append(f"move away {gone}")
            shutil.rmtree(self.other, ignore_errors=True)
            os.rename(gone, self.other)
        yield saving.pause(self.dice, 0.25)
        if self.dice.random() < 0.4 and not os.path.exists(self.directory):
            self.log.append(f"prepared, moved in {number}")
            prepared = os.path.join(self.top, "prepared")
            os.makedirs(os.path.join(prepared, "app", "conf.d"))
            saving._put(os.path.join(prepared, "app", "default.conf"), text_of("default.conf", number))
            yield saving.pause(self.dice, 0.15)
            shutil.rmtree(os.path.join(self.top, "parent"), ignore_errors=True)
            os.rename(prepared, os.path.join(self.top, "parent"))
            return
        self.log.append(f"made again {number}")
        os.makedirs(self.directory, exist_ok=True)
        yield saving.pause(self.dice, 0.15)
        if not os.path.exists(self.path("default.conf")):
            saving._put(self.path("default.conf"), text_of("default.conf", number))
            yield saving.pause(self.dice, 0.15)
        yield from self.save(self.dice.choice(self.names), number)


class Flat(Plain):
    """Without directories that come and go."""
    names = ["default.conf", f"{ENV}.conf"]


def on_disk(directory):
    """The settings as the files say them, read naively."""
    names = ["default.conf", f"{ENV}.conf"]
    local = os.path.join(directory, "conf.d")
    if os.path.isdir(local):
        names += sorted(f"conf.d/{n}" for n in os.listdir(local) if n.endswith(".conf") and n[0] not in ".#~")
    settings = {}
    for name in names:
        if os.path.exists(os.path.join(directory, name)):
            with open(os.path.join(directory, name)) as f:
                settings.update({k: int(v) for k, v in re.findall(r"^(\w+) = (\d+);$", f.read(), re.M)})
    return settings
