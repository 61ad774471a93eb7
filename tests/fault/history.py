# SPDX-License-Identifier: Apache-2.0
"""What was seen of a daemon that is killed again and again, and the rules that it must all keep.

A scope here is an app; values are its settings. Everything that peers and commands see is told to a History, which
raises Violation as soon as two of these things do not go together:

    one number, one content     a number, once offered or live, never stands for anything else
    never backwards             the live number is never below one that was committed, applied or reported before
    decided before used         when a commit arrives, the table on disk has decided it
    old or new, and whole       after a kill the live values are those from before, or those of the change under way
    together                    linked apps have both the new values or neither
    no means no                 what an instance rejected, and what was reported as not committed, is never live
    all converge                in the end everyone uses what is live
"""


class Violation(Exception):
    pass


class History:
    def __init__(self):
        self.content = {}       # (app, number): (hash, values)
        self.floor = {}         # app: highest number known to be decided
        self.refused = set()    # (app, number) that must never be live

    def fail(self, text):
        raise Violation(text)

    # -- what peers see

    def saw(self, app, number, digest, values):
        """A generation was offered, applied or shown with this content."""
        before = self.content.setdefault((app, number), (digest, values))
        if before != (digest, values):
            self.fail(f"{app} {number} is {values} ({digest}), and was {before[1]} ({before[0]})")

    def decided(self, app, number):
        """Somebody was told that it is live."""
        if (app, number) in self.refused:
            self.fail(f"{app} {number} is live, and was refused")
        self.floor[app] = max(self.floor.get(app, 0), number)

    def committed(self, app, number, on_disk):
        """A commit arrived while the table on disk said `on_disk`."""
        if on_disk < number:
            self.fail(f"{app} {number} was committed while {on_disk} was live on disk")
        self.decided(app, number)

    def rejected(self, app, number):
        """An instance rejects it, and stays. Or a command was told that it is not committed."""
        if number <= self.floor.get(app, 0):
            self.fail(f"{app} {number} is refused, and was decided before")
        self.refused.add((app, number))

    # -- after a restart

    def live(self, app, number, digest, values):
        """What a restarted daemon says is live."""
        self.saw(app, number, digest, values)
        if number < self.floor.get(app, 0):
            self.fail(f"{app} went back to {number} from {self.floor[app]}")
        self.decided(app, number)

    def either(self, app, before, now, wanted):
        """`before`, `now`: (number, values) that were and are live; `wanted`: the values of the change, None: unknown."""
        if now == before:
            return
        if now[0] <= before[0]:
            self.fail(f"{app} was {before} and is {now}")
        if wanted is not None and now[1] != wanted:
            self.fail(f"{app} was {before}, was to be {wanted}, and is {now[1]}")

    def together(self, changed):
        """Which of the linked apps have the new values: {app: bool}."""
        if len(set(changed.values())) > 1:
            self.fail(f"some have changed and some have not: {changed}")

    def stable(self, app, first, second):
        if first != second:
            self.fail(f"{app} was {first} after one restart and {second} after the next")

    def converged(self, app, live, used):
        """`live`: its hash; `used`: {instance: hash}."""
        for instance, digest in used.items():
            if digest != live:
                self.fail(f"{app}/{instance} uses {digest}, live is {live}")


# ---- does it notice?

def _wrong_histories():
    """Pairs of a name and a function that tells a History what must not be."""
    def told(h, *numbers):
        for n in numbers:
            h.saw("a", n, f"h{n}", {"x": n})
            h.live("a", n, f"h{n}", {"x": n})

    def reuse(h):
        told(h, 1)
        h.saw("a", 2, "h2", {"x": 2})
        h.saw("a", 2, "other", {"x": 3})

    def back(h):
        told(h, 1, 2)
        h.live("a", 1, "h1", {"x": 1})

    def back_behind_a_commit(h):
        told(h, 1)
        h.saw("a", 2, "h2", {"x": 2})
        h.committed("a", 2, 2)
        h.live("a", 1, "h1", {"x": 1})

    def early(h):
        told(h, 1)
        h.committed("a", 2, 1)

    def mixed(h):
        told(h, 1)
        h.either("a", (1, {"x": 1, "y": 1}), (2, {"x": 2, "y": 1}), {"x": 2, "y": 2})

    def changed_in_place(h):
        h.either("a", (1, {"x": 1}), (1, {"x": 2}), {"x": 2})

    def parted(h):
        h.together({"a": True, "b": False})

    def rejected(h):
        told(h, 1)
        h.rejected("a", 2)
        h.live("a", 2, "h2", {"x": 2})

    def rejected_late(h):
        told(h, 1, 2)
        h.rejected("a", 2)

    def unstable(h):
        h.stable("a", (1, "h1"), (2, "h2"))

    def lagging(h):
        h.converged("a", "h2", {"1": "h2", "2": "h1"})

    return [reuse, back, back_behind_a_commit, early, mixed, changed_in_place, parted, rejected, rejected_late, unstable,
            lagging]


def check_the_checker():
    """The control: each rule is broken once, and must be found broken. Returns how many."""
    for wrong in _wrong_histories():
        try:
            wrong(History())
        except Violation:
            continue
        raise AssertionError(f"the history \"{wrong.__name__}\" was taken for a good one")
    return len(_wrong_histories())
