# SPDX-License-Identifier: Apache-2.0
"""Segments of metrics as a program in any language would make them (proto/shm/segment.h), and what prodd says of them.

    with Client(d.app_socket) as c:
        c.hello("orders", "1")
        s = Segment()
        served = s.counter("orders_served_total")
        s.attach(c)
        served.add(3)
        assert value(d, "orders", "orders_served_total") == 3
"""
import fcntl
import mmap
import os
import struct
import time

HEAD = 4096
MAGIC = 0x47455344444f5250
COUNTER, GAUGE, HISTOGRAM = 1, 2, 3
LAST, SUM, MIN, MAX, EACH = range(5)
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
USED, REFUSED, NOT_A_NUMBER, CLOSED = 128, 136, 144, 152     # offsets in the head


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<H", len(data)) + data


def padded(data):
    return data + bytes(-len(data) % 8)


class Cell:
    """The cells of one series."""

    def __init__(self, segment, cell, family):
        self.segment, self.cell, self.family = segment, cell, family

    def at(self, word=0, shard=0):
        s = self.segment
        return s.cells_at + 8 * (shard * s.cells + self.cell + word)

    def get(self, word=0, shard=0):
        return self.segment.words[self.at(word, shard) // 8]

    def put(self, value, word=0, shard=0):
        self.segment.words[self.at(word, shard) // 8] = value

    def put_double(self, value, word=0, shard=0):
        self.segment.doubles[self.at(word, shard) // 8] = value

    def add(self, n=1, shard=0):
        self.put(self.get(0, shard) + n, 0, shard)

    def set(self, value, at_ns=None):
        self.put_double(value)
        self.put(time.monotonic_ns() if at_ns is None else at_ns, 1)

    def observe(self, value, shard=0):
        bounds = self.family["buckets"]
        bucket = next((i for i, bound in enumerate(bounds) if value <= bound), len(bounds))
        self.put(self.get(bucket, shard) + 1, bucket, shard)
        total = self.segment.doubles[self.at(len(bounds) + 1, shard) // 8]
        self.put_double(total + value, len(bounds) + 1, shard)


class Segment:
    def __init__(self, directory=65536, cells=4096, shards=2, pid=None, uuid=None, made_ns=None, seals=SEALS):
        self.directory, self.cells, self.shards = directory, cells, shards
        self.cells_at = HEAD + (directory + HEAD - 1) // HEAD * HEAD
        self.size = self.cells_at + cells * shards * 8
        self.uuid = uuid or os.urandom(16)
        self.fd = os.memfd_create("prodd-segment", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, self.size)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, seals)
        self.memory = mmap.mmap(self.fd, self.size)
        # One load, one store each; struct.pack_into() clears the word first.
        self.words, self.doubles = memoryview(self.memory).cast("Q"), memoryview(self.memory).cast("d")
        struct.pack_into("<QIIQQQII16sQQ", self.memory, 0, MAGIC, 1, HEAD, HEAD, directory, self.cells_at, cells, shards,
                         self.uuid, pid or os.getpid(), time.time_ns() if made_ns is None else made_ns)
        self.used = self.next_cell = 0
        self.families = []

    def publish(self, body):
        """Any bytes as an entry, published."""
        self.memory[HEAD + self.used:HEAD + self.used + len(body)] = body
        self.used += len(body)
        self.words[USED // 8] = self.used

    def entry(self, kind, type, mode, labels, family, cell, count, rest):
        body = padded(rest)
        self.publish(struct.pack("<IBBBBIIII", 24 + len(body), kind, type, mode, labels, family, cell, count, 0) + body)

    def family(self, type, name, help="Help.", unit="", mode=0, labels=(), buckets=()):
        rest = text(name) + text(unit) + text(help) + b"".join(map(text, labels))
        if buckets:
            rest = padded(rest) + struct.pack(f"<{len(buckets)}d", *buckets)
        number = len(self.families)
        self.families.append({"type": type, "mode": mode, "labels": labels, "buckets": buckets})
        self.entry(1, type, mode, len(labels), number, 0, len(buckets), rest)
        return number

    def series(self, family, values=()):
        """`values` () of a family that has labels: its overflow series."""
        f = self.families[family]
        count = {COUNTER: 1, GAUGE: 2}.get(f["type"], len(f["buckets"]) + 2)
        cell, self.next_cell = self.next_cell, self.next_cell + count
        ret = Cell(self, cell, f)
        for shard in range(self.shards if f["type"] != GAUGE else 1):
            for word in range(count):
                ret.put(0, word, shard)
        self.entry(2, f["type"], f["mode"], len(values), family, cell, count, b"".join(map(text, values)))
        return ret

    def counter(self, name, **more):
        return self.series(self.family(COUNTER, name, **more))

    def gauge(self, name, mode=LAST, **more):
        return self.series(self.family(GAUGE, name, mode=mode, **more))

    def histogram(self, name, buckets, **more):
        return self.series(self.family(HISTOGRAM, name, buckets=buckets, **more))

    def close_in_order(self):
        struct.pack_into("I", self.memory, CLOSED, 1)

    def attach(self, client, fd=None, size=None, uuid=None):
        """segment.attach on a session; returns the answer or raises Refused."""
        number, client.next_id = client.next_id, client.next_id + 1
        frame = client.frame([0, number, "segment.attach", {"segment": uuid or self.uuid, "size": size or self.size}])
        import socket
        socket.send_fds(client.socket, [frame], [self.fd if fd is None else fd])
        return client.result(number)


def rows(daemon, app=None, pattern=None, client=None):
    """All rows of the method `metrics`, page by page."""
    found, after = [], None
    while True:
        params = {k: v for k, v in (("app", app), ("pattern", pattern), ("after", after)) if v}
        page = client.call("metrics", params) if client else daemon.call("metrics", params)
        found += page.get("rows", [])
        after = page.get("next")
        if not after:
            return found


def shown(daemon, app=None, pattern=None, client=None):
    """{(name, labels): value}; of a histogram (sum, [counts])."""
    return {(r["name"], r.get("labels", "")): (r["value"], r["counts"]) if r["type"] == "histogram" else r["value"]
            for r in rows(daemon, app, pattern, client)}


def value(daemon, app, name, labels=None, client=None):
    """The value of one row; None when there is none."""
    want = f'app="{app}"' + (f",{labels}" if labels else "")
    return shown(daemon, app, client=client).get((name, want))
