# SPDX-License-Identifier: Apache-2.0
"""prodd-protocol(7) as a client's author reads it: what it lists, taken from the page itself.

    PRODD_PROTOCOL_PAGE    the page, in roff; default: doc/man/prodd-protocol.7 of the build or source directory
"""
import os
import re
import sys


class Page:
    """What the page lists: limits, errors, methods, and the fields of records."""
    types = {"text": (str,), "unsigned int": (int,), "int": (int,), "bool": (bool,), "float": (float,), "bytes": (bytes,),
             "value": (type(None), bool, int, float, str, bytes, list)}

    def __init__(self, path):
        with open(path) as f:
            text = re.sub(r"\\f[A-Z]", "", f.read().replace("\\&", "").replace("\\-", "-").replace("\\_", "_"))
        self.sections = {part.split("\n", 1)[0].strip('"'): part for part in re.split(r"^\.SH ", text, flags=re.M)[1:]}
        self.limits = dict((words, int(number)) for number, words in
                           re.findall(r"^(\d+) (\w.*)$", self.sections["LIMITS"], re.M))
        self.errors = set(re.findall(r"^(\w+)(?:, may succeed later unchanged)?\n\.RS", self.sections["ERRORS"], re.M))
        self.methods = {}
        for name, kind, sender, params, result in re.findall(
                r"^([\w.]+) \((call|note) from (.*?); params (\w+)(?:, result (\w+))?; since", self.sections["METHODS"], re.M):
            self.methods[name] = (kind, sender, params, result)
        self.records = {}
        for part in re.split(r"^\.SS ", self.sections["RECORDS"], flags=re.M)[1:]:
            name, rest = part.split("\n", 1)
            self.records[name.strip()] = dict(re.findall(r"^(\w+) \((.*)\)\n\.RS", rest, re.M))

    def limit(self, words):
        return next(number for text, number in self.limits.items() if words in text)

    def check(self, record, value):
        """Is the map a record of that kind, as the page describes it?"""
        assert isinstance(value, dict), (record, value)
        fields = self.records[record]
        for key, kind in fields.items():
            assert key in value or "always there" not in kind, f"{record}.{key} is not there: {value}"
        for key, one in value.items():
            assert key in fields, f"{record}.{key} is not on the page"
            self.check_field(f"{record}.{key}", fields[key], one)

    def check_field(self, name, kind, one):
        assert one or "always there" in kind or kind.startswith("value"), f"{name} is {one!r} and not left out"
        bound = re.search(r"at most (\d+)", kind)
        array = re.match(r"array of (maps )?(\w+)", kind)
        if array:
            assert isinstance(one, list), (name, one)
            for element in one:
                if array[1]:
                    self.check(array[2], element)
                else:
                    assert isinstance(element, str), (name, element)
        else:
            word = kind.split(",")[0]
            assert isinstance(one, self.types[word]) and (word == "bool") >= isinstance(one, bool) or word == "value", \
                f"{name} is {one!r}, not a {word}"
            assert word != "unsigned int" or one >= 0
        size = len(one.encode()) if isinstance(one, str) else len(one) if isinstance(one, (list, bytes)) else 0
        assert not bound or size <= int(bound[1]), f"{name} is longer than the page allows"


def find_page():
    here = os.path.dirname(os.path.abspath(__file__))
    for path in (os.environ.get("PRODD_PROTOCOL_PAGE"), "doc/man/prodd-protocol.7",
                 os.path.join(os.environ.get("builddir", "."), "doc/man/prodd-protocol.7"),
                 os.path.join(here, "..", "..", "doc/man/prodd-protocol.7")):
        if path and os.path.exists(path):
            return Page(path)
    print("no page: it is made by scdoc; install: apt-get install scdoc")
    sys.exit(77)
