#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random records, hostile ones among them, come out of lines of JSON and logfmt as they were put in, read by parsers that
share nothing with the writer."""
import base64
import json
import math
import os
import random
import re
import subprocess
import sys
from datetime import datetime, timezone

try:
    import msgpack
except ImportError:
    sys.exit(77)

PROGRAM = os.path.join(os.environ.get("builddir", "."), "tests/abi/lines")
SEED = int(os.environ.get("PRODD_SEED") or random.SystemRandom().randrange(1 << 32))
COUNT = 3000

LEVELS = ["trace", "debug", "info", "warn", "error"]
MEMBERS = ["time", "level", "app", "instance", "seq", "target", "msg", "pid", "thread", "src", "trace_id", "span_id", "crashed"]
NASTY = [b"\n", b"\r", b"\0", b"\x7f", b"\x1b[2J", b'"', b"\\", b"\\u0000", b"\xc2\x85", b"\xe2\x80\xa8", b"\xff", b"\xc0\x80",
         b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"=", b" ", b'{"seq":1}', b"\xf0\x9f\x98\x80", b"\xc3\xa4", b"}\n{"]


def text(dice, most=40):
    kind = dice.randrange(4)
    if kind == 0:
        return bytes(dice.choice(b"abcdefghijklmnopqrstuvwxyz0123456789_.-/") for _ in range(dice.randrange(most)))
    if kind == 1:
        return bytes(dice.randrange(256) for _ in range(dice.randrange(most)))
    if kind == 2:
        return "".join(chr(dice.choice([dice.randrange(0x20, 0x7f), dice.randrange(0xa0, 0xd800), dice.randrange(0x10000, 0x110000)]))
                       for _ in range(dice.randrange(most // 4))).encode()
    return b"".join(dice.choice(NASTY + [b"plain", b"text "]) for _ in range(dice.randrange(most // 4)))


def key(dice):
    kind = dice.randrange(6)
    if kind == 0:
        return dice.choice(MEMBERS).encode()
    if kind == 1:
        return b"fields." + dice.choice([b"", b"time", b"2.a", b"a", b"fields.", b"\xff"])
    if kind == 2:
        return dice.choice([b"a", b"b", b"a\xff", b"a\xfe", b"a b", b"a=b"])
    return text(dice, 60)[:128] or b"k"


def value(dice):
    kind = dice.randrange(9)
    if kind == 0:
        return dice.choice([None, True, False])
    if kind == 1:
        return dice.choice([0, 1, -1, 127, 128, -32, -33, (1 << 64) - 1, -(1 << 63), (1 << 63), dice.randrange(1 << 64)])
    if kind == 2:
        return dice.choice([0.0, -0.0, 0.1, 1e22, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 2.0 ** 53,
                            9007199254740993.0, 1 / 3])
    if kind == 3:
        return dice.uniform(-1, 1) * 10 ** dice.randrange(-300, 300)
    if kind == 4:
        return round(dice.uniform(-1e6, 1e6), dice.randrange(9))
    if kind == 5:
        return Bin(bytes(dice.randrange(256) for _ in range(dice.randrange(20))))
    return text(dice, 200)


class Bin(bytes):
    """Goes out as bin; bytes stand for a str, which need not be UTF-8."""


def pack(v):
    if isinstance(v, Bin):
        return msgpack.packb(bytes(v), use_bin_type=True)
    if isinstance(v, bytes):
        n = len(v)
        head = bytes([0xa0 | n]) if n < 32 else b"\xd9" + bytes([n]) if n < 256 else b"\xda" + n.to_bytes(2, "big")
        return head + v
    return msgpack.packb(v)


class Record:
    def __init__(self, dice, number):
        self.number = number
        self.app, self.instance = text(dice), text(dice)
        self.time = dice.choice([0, (1 << 64) - 1, dice.randrange(1 << 61), 951782399999999999, 951868800000000000])
        self.level = dice.randrange(5)
        self.target, self.message = text(dice), text(dice, 400)
        self.thread, self.source = (dice.choice([None, text(dice)]) for _ in range(2))
        self.trace = dice.choice([None, Bin(dice.randbytes(16))])
        self.span = dice.choice([None, Bin(dice.randbytes(8))])
        self.pid, self.crash = dice.choice([0, 4711]), dice.choice([None, None, b"SIGKILL", b"exit 1"])
        self.fields = [(key(dice), value(dice)) for _ in range(dice.choice([0, 1, 3, 6, 64]))]

    def packed(self, format):
        values = [self.time, self.level, self.target, self.message, self.thread, self.source, self.trace, self.span]
        values += [v for pair in self.fields for v in pair]
        array = b"\xdc" + len(values).to_bytes(2, "big") + b"".join(map(pack, values))
        origin = b"\x96" + b"".join(map(pack, [self.instance, self.pid, 1000, Bin(b""), 0, self.crash]))
        return b"\x95" + b"".join(map(pack, [format, self.app, self.number])) + \
            b"".join(msgpack.packb(b, use_bin_type=True) for b in (origin, array))

    def members(self, name_of):
        """[(name, value)] that the line must have, in order."""
        moment = datetime.fromtimestamp(self.time // 10 ** 9, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        yield from [("time", f"{moment}.{self.time % 10 ** 9:09}Z"), ("level", LEVELS[self.level]), ("app", shown(self.app)),
                    ("instance", shown(self.instance)), ("seq", self.number), ("target", shown(self.target) or "main"),
                    ("msg", shown(self.message))]
        seen = set()
        for position, (k, v) in enumerate(self.fields, 1):
            name = name_of(k)
            out = "fields." + name if name in MEMBERS or name.startswith("fields.") else name
            if out in seen:
                out = f"fields.{position}.{name}"
            assert out not in seen
            seen.add(out)
            yield out, shown_value(v)
        last = [("pid", self.pid), ("thread", shown(self.thread or b"")), ("src", shown(self.source or b"")),
                ("trace_id", (self.trace or b"").hex()), ("span_id", (self.span or b"").hex()), ("crashed", shown(self.crash or b""))]
        yield from ((k, v) for k, v in last if v)


def shown(raw, damage="\ufffd"):
    """Each byte that belongs to no character is one U+FFFD."""
    out, at = [], 0
    while at < len(raw):
        for size in (1, 2, 3, 4):
            try:
                out.append(raw[at:at + size].decode())
                break
            except UnicodeDecodeError:
                pass
        else:
            out.append(damage)
            size = 1
        at += size
    return "".join(out)


def shown_value(v):
    if isinstance(v, Bin):
        return base64.b64encode(v).decode()
    if isinstance(v, bytes):
        return shown(v)
    if isinstance(v, float) and not math.isfinite(v):
        return "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    return v


def is_control(c):
    return ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0 or c in "\u2028\u2029"


# ---- JSON

def same(a, b):
    return type(a) is type(b) and a == b and (not isinstance(a, float) or math.copysign(1, a) == math.copysign(1, b))


def check_json(record, line):
    pairs = json.loads(line, object_pairs_hook=list)
    wanted = list(record.members(shown))
    assert len({k for k, _ in pairs}) == len(pairs), "a name stands there twice"
    assert [k for k, _ in pairs] == [k for k, _ in wanted], "names"
    for (k, got), (_, put) in zip(pairs, wanted):
        assert same(got, put), f"{k}: {got!r} instead of {put!r}"


# ---- logfmt: what is in quotes is a JSON string

PAIR = re.compile(r'([^ ="]+)=("(?:[^"\\]|\\.)*"|[^ "=]*)( |$)')


def as_key(raw):
    """What may not stand in a key is "_", and so is a damaged byte."""
    return "".join("_" if is_control(c) or c in ' ="\\' else c for c in shown(raw, "_"))


def as_text(v):
    if v is None:
        return "null"
    if isinstance(v, bool):
        return "true" if v else "false"
    return v


def check_logfmt(record, line):
    at, pairs = 0, []
    while at < len(line):
        found = PAIR.match(line, at)
        assert found, f"no pair at {at}: {line[at:at + 40]!r}"
        at = found.end()
        pairs.append((found[1], json.loads(found[2]) if found[2].startswith('"') else found[2]))
    wanted = list(record.members(as_key))
    assert [k for k, _ in pairs] == [k for k, _ in wanted], "names"
    for (k, got), (_, put) in zip(pairs, wanted):
        put = as_text(put)
        if isinstance(put, (int, float)):
            assert same(type(put)(got), put), f"{k}: {got!r} instead of {put!r}"
        else:
            assert got == put, f"{k}: {got!r} instead of {put!r}"


# ---- all

CHECKS = {"json": check_json, "logfmt": check_logfmt}


def main():
    print(f"PRODD_SEED={SEED}", flush=True)
    dice = random.Random(SEED)
    records = [Record(dice, dice.randrange(1, 1 << 64)) for _ in range(COUNT)]
    for format, check in CHECKS.items():
        data = b"".join(r.packed(format) for r in records)
        out = subprocess.run([PROGRAM], input=data, stdout=subprocess.PIPE, check=True).stdout.decode()  # strict: all is UTF-8
        assert out.endswith("\n")
        lines = out[:-1].split("\n")
        assert len(lines) == len(records), f"{len(lines)} lines of {len(records)} records"
        for record, line in zip(records, lines):
            try:
                assert not any(map(is_control, line)), "a control character"
                check(record, line)
            except (AssertionError, ValueError) as why:
                sys.exit(f"{format}: {why}\n{line!r}\n{record.packed(format).hex()}")
    print(f"{COUNT} records as JSON and as logfmt")


main()
