#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client written from prodd-protocol(7) alone. Of the tree it sees that page and the socket; methods, records, limits
and error codes are read from the page (protocol_page.py), and every message of prodd's is held against it."""
import select
import socket
import struct
import sys
import time

from harness import Daemon, case, main
from protocol_page import find_page

try:
    import msgpack
except ImportError:
    sys.exit(77)

PATIENCE_S = 10
CALL, ANSWER, NOTE = 0, 1, 2
CONF = """
keys = ( { key = "database.max_connections"; type = "int"; default = 10; max = 500; },
         { key = "upstream.timeout"; type = "duration"; default = "2s"; },
         { key = "log.level"; type = "enum"; one_of = [ "info", "warn" ]; default = "info"; },
         { key = "names"; type = "list"; default = [ "a", "b" ]; },
         { key = "room"; type = "size"; default = "64KiB"; },
         { key = "nothing"; type = "string"; },
         { key = "server.port"; type = "int"; default = 8080; reload = "restart"; } );
"""


PAGE = find_page()


# ---- the client

class Ended(Exception):
    pass


class Error(Exception):
    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['text']}")
        assert set(error) == {"code", "text"} and error["code"] in PAGE.errors, error
        self.code = error["code"]


class Stranger:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(path)
        self.bytes = b""
        self.id = 0
        self.asked = {}          # id: method
        self.waiting = []        # messages that came while another one was waited for

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send_value(self, value):
        self.socket.sendall(struct.pack(">I", len(value)) + value)

    def send(self, message):
        self.send_value(msgpack.packb(message, use_bin_type=True))

    def _bytes(self, count):
        while len(self.bytes) < count:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise Ended()
            self.bytes += data
        taken, self.bytes = self.bytes[:count], self.bytes[count:]
        return taken

    def receive(self):
        """The next message, held against the page."""
        size = struct.unpack(">I", self._bytes(4))[0]
        assert 0 < size <= PAGE.limit("bytes of a frame that prodd sends")
        message = msgpack.unpackb(self._bytes(size), raw=False, strict_map_key=True)
        if message[0] == CALL:
            kind, sender, params, _ = PAGE.methods[message[2]]
            assert kind == "call" and (sender == "from prodd" or sender == "prodd" or message[2] == "ping"), message
            PAGE.check(params, message[3])
        elif message[0] == NOTE:
            kind, sender, params, _ = PAGE.methods[message[1]]
            assert kind == "note" and sender == "prodd", message
            PAGE.check(params, message[2])
        else:
            assert message[0] == ANSWER and len(message) == 4 and (message[2] is None) != (message[3] is None), message
            if message[3] is not None:
                PAGE.check(PAGE.methods[self.asked[message[1]]][3], message[3])
        return message

    def wait(self, wanted):
        for i, message in enumerate(self.waiting):
            if wanted(message):
                return self.waiting.pop(i)
        while True:
            message = self.receive()
            if wanted(message):
                return message
            self.waiting.append(message)

    def ask(self, method, params=None):
        self.id += 1
        self.asked[self.id] = method
        self.send([CALL, self.id, method, {} if params is None else params])
        return self.id

    def answer_to(self, number):
        _, _, error, result = self.wait(lambda m: m[0] == ANSWER and m[1] == number)
        if error is not None:
            raise Error(error)
        return result

    def call(self, method, params=None):
        return self.answer_to(self.ask(method, params))

    def error(self, method, params=None):
        try:
            result = self.call(method, params)
        except Error as error:
            return error.code
        raise AssertionError(f"{method} succeeded: {result}")

    def called(self, method):
        """The next call of prodd's of that method: (id, params)."""
        _, number, _, params = self.wait(lambda m: m[0] == CALL and m[2] == method)
        return number, params

    def noted(self, method):
        return self.wait(lambda m: m[0] == NOTE and m[1] == method)[2]

    def answer(self, number, result):
        self.send([ANSWER, number, None, result])

    def hello(self, **more):
        return self.call("hello", {"protocol": 1, "client": "stranger 1", **more})

    def last_words(self):
        """Reads to the end of the session: the code and the id of the error that came before it."""
        last = None
        try:
            while True:
                last = self.receive()
        except Ended:
            assert last and last[0] == ANSWER and last[2] is not None, last
            return Error(last[2]).code, last[1]


def settings(params):
    """As the page says: an overlay's entry takes the place of the snapshot's, or is added."""
    values = {e["key"]: e.get("value") for e in params.get("snapshot", [])}
    return {**values, **{e["key"]: e.get("value") for e in params.get("overlay", [])}}


def one_report(result):
    assert len(result["reports"]) == 1, result
    return result["reports"][0]


def daemon():
    return Daemon(apps={"orders": {"schema.conf": CONF, "default.conf": "database: { max_connections = 20; };"}})


class Instance(Stranger):
    """As far as an app has come when it has its first configuration."""

    def __init__(self, d, **more):
        super().__init__(d.app_socket)
        self.welcome = self.hello(app="orders", **more)
        number = self.ask("config.subscribe")
        assert self.answer_to(number)["state"] == "follows"
        number, self.live = self.called("config.apply")
        self.answer(number, {"state": "applied"})


def take_part(app, operator, asked, vote, applied):
    """Answers what prodd asks the app until the operator's call is answered. What the app saw: [(method, params)]."""
    seen = []
    while True:
        ready, _, _ = select.select([app.socket, operator.socket], [], [], PATIENCE_S)
        assert ready, f"nothing comes any more; seen: {seen}"
        if app.socket in ready:
            message = app.receive()
            seen.append(message[-2:])
            if message[0] == CALL:
                app.answer(message[1], vote if message[2] == "config.offer" else applied)
        else:
            return operator.answer_to(asked), seen


# ---- the cases

@case
def the_page_lists_what_a_client_needs():
    assert {"hello", "config.subscribe", "config.offer", "config.commit", "reload", "config.set"} <= set(PAGE.methods)
    assert {"unsupported", "usage", "protocol", "too_large", "not_permitted", "not_found"} <= PAGE.errors
    assert PAGE.limit("levels of maps") == 16 and "always there" in PAGE.records["hello"]["protocol"]


@case
def a_configuration_comes_after_hello_and_subscribe():
    with daemon() as d, Instance(d, instance="7", environment="production", variables=[
            {"name": "APP_UPSTREAM_TIMEOUT", "value": "3s"}, {"name": "APP_UNKNOWN", "value": "1"}]) as app:
        assert app.welcome["app"] == "orders" and app.welcome["served"] is True and app.welcome["instance"] == "7"
        assert app.welcome["environment"] == app.live["environment"] and app.welcome["epoch"] == app.live["epoch"]
        assert settings(app.live) == {
            "database.max_connections": 20, "upstream.timeout": 3 * 10**9, "log.level": "info", "names": ["a", "b"],
            "room": 65536, "nothing": None, "server.port": 8080}
        keys = [e["key"] for e in app.live["snapshot"]]
        assert keys == sorted(keys) and [e["key"] for e in app.live["snapshot"] if e.get("restart")] == ["server.port"]
        with Stranger(d.app_socket) as again:
            again.hello(app="orders", environment="production")
            state = again.call("config.subscribe", {k: app.live[k] for k in ("epoch", "generation", "hash")})["state"]
            assert state == "current"


@case
def an_offer_is_answered_and_committed_or_aborted():
    applied = {"state": "applied"}
    with daemon() as d, Instance(d) as app, Stranger(d.ctl_socket) as operator:
        operator.hello()
        d.write("apps/orders/default.conf", "database: { max_connections = 400; };")
        why = "database.max_connections: the database allows 100"
        reports, seen = take_part(app, operator, operator.ask("reload", {"app": "orders"}),
                                  {"verdict": "reject", "reason": why}, applied)
        report = one_report(reports)
        assert report["outcome"] == "rejected" and report["exit"] == 5 and report["instances"][0]["reason"] == why, report
        assert [method for method, _ in seen[-2:]] == ["config.offer", "config.abort"]
        offer, abort = seen[-2][1], seen[-1][1]
        assert offer["txn"] == abort["txn"] and offer["generation"] > app.live["generation"]
        assert settings(offer)["database.max_connections"] == 400

        reports, seen = take_part(app, operator, operator.ask("reload", {"app": "orders"}), {"verdict": "accept"}, applied)
        assert [method for method, _ in seen] == ["config.offer", "config.commit"]
        offer, commit = seen[0][1], seen[1][1]
        assert (commit["txn"], commit["generation"]) == (offer["txn"], offer["generation"])
        report = one_report(reports)
        assert report["outcome"] == "committed" and report["to"] == offer["generation"], report
        change = report["changes"][0]
        assert (change["key"], change["old"], change["now"]) == ("database.max_connections", "20", "400")


@case
def a_restart_setting_is_kept_and_listed():
    kept = [{"key": "server.port", "value": "8080"}]
    with daemon() as d, Instance(d) as app, Stranger(d.ctl_socket) as operator:
        operator.hello()
        d.write("apps/orders/default.conf", "server: { port = 9090; };")
        reports, _ = take_part(app, operator, operator.ask("reload", {"app": "orders"}), {"verdict": "accept"},
                               {"state": "applied", "kept": kept})
        row = [r for r in operator.call("status", {"app": "orders"})["apps"]][0]["instances"][0]
        assert row["kept"] == kept and row["generation"] == 2, row
        assert one_report(reports).get("exit", 0) in (0, 3)


@case
def an_override_comes_without_an_offer_and_is_explained():
    with daemon() as d, Instance(d, variables=[{"name": "APP_DATABASE_MAX_CONNECTIONS", "value": "30"}]) as app, \
            Stranger(d.ctl_socket) as operator:
        operator.hello()
        assert settings(app.live)["database.max_connections"] == 30
        asked = operator.ask("config.set", {"app": "orders", "key": "database.max_connections", "value": "50",
                                            "for_ms": 3600000})
        number, apply = app.called("config.apply")
        assert settings(apply)["database.max_connections"] == 50, "an override is above variables"
        app.answer(number, {"state": "applied"})
        assert one_report(operator.answer_to(asked))["outcome"] == "committed"
        explained = operator.call("config.explain", {"app": "orders", "key": "database.max_connections"})
        assert [c["layer"] for c in explained["entries"][0]["candidates"]] == ["override", "file", "default"]
        assert explained["variable"] == "APP_DATABASE_MAX_CONNECTIONS"
        asked = operator.ask("config.unset", {"app": "orders", "key": "database.max_connections"})
        number, apply = app.called("config.apply")
        app.answer(number, {"state": "applied"})
        assert settings(apply)["database.max_connections"] == 30
        operator.answer_to(asked)
        for method in ("status", "events", "config.show", "config.history", "config.schema", "config.check", "config.diff"):
            operator.call(method, {"app": "orders"} if "app" in PAGE.records[PAGE.methods[method][2]] else {})
        report = one_report(operator.call("config.set", {"app": "orders", "key": "log.level", "value": "loud"}))
        assert report["outcome"] == "invalid" and report["problems"][0]["key"] == "log.level", report


@case
def a_schema_from_code_counts():
    with daemon() as d, Stranger(d.app_socket) as app:
        app.hello(app="billing")
        assert app.call("config.declare", {"more": True, "keys": [
            {"key": "port", "type": "int", "def": 80, "min": 1}]}) == {}
        assert app.call("config.declare", {"keys": [{"key": "name", "type": "string", "def": "x", "restart": True}]}) == {}
        assert app.call("config.subscribe")["state"] == "follows"
        number, apply = app.called("config.apply")
        app.answer(number, {"state": "applied"})
        assert settings(apply) == {"port": 80, "name": "x"}


@case
def prodd_pings_and_is_pinged():
    with daemon() as d, Stranger(d.app_socket) as client:
        client.hello()
        assert client.call("ping") == {}
        client.send([NOTE, "a.note.of.a.later.version", {"x": 1}])
        client.send([CALL, 2**63 - 1, "ping", {"a_key_of_a_later_version": [1, {"a": None}]}])
        client.asked[2**63 - 1] = "ping"
        assert client.answer_to(2**63 - 1) == {}


@case
def longer_forms_of_integers_strings_and_maps_are_taken():
    with daemon() as d, Stranger(d.app_socket) as client:
        client.hello()
        client.asked[7] = "ping"
        client.send_value(b"\xdd\0\0\0\4" + b"\xd3" + bytes(8) + b"\xcf" + bytes(7) + b"\7" + b"\xdb\0\0\0\4ping" +
                          b"\xdf\0\0\0\0")
        assert client.answer_to(7) == {}


@case
def errors_of_a_call_do_not_end_the_session():
    with daemon() as d, Stranger(d.app_socket) as app, Stranger(d.ctl_socket) as operator:
        app.hello(app="orders")
        operator.hello()
        assert app.error("config.shrink") == "unsupported"
        assert app.error("config.commit", {"txn": 1, "generation": 1}) in ("unsupported", "not_permitted")
        assert app.error("config.subscribe", {"generation": "one"}) == "usage"
        assert app.error("config.subscribe", {"generation": -1}) == "usage"
        assert app.error("config.show", {}) == "usage"
        for params in (b"\x81\xa3app\xa1\xff", b"\x81\xa3app\xa1\0", b"\x82\xa3app\xa1a\xa3app\xa1a"):
            app.asked[app.id + 1] = "status"
            app.id += 1
            app.send_value(b"\x94\0" + bytes([app.id]) + b"\xa6status" + params)
            try:
                app.answer_to(app.id)
            except Error as error:
                assert error.code == "usage", (params, error)
            else:
                raise AssertionError(f"{params} was taken")
        assert app.error("hello", {"protocol": 1, "client": "again"}) in ("usage", "protocol")
        assert app.error("config.set", {"app": "orders", "key": "a", "value": "1"}) == "not_permitted"
        assert app.error("reload", {"app": "orders", "force": True}) == "not_permitted"
        assert app.error("status") == "not_permitted"
        assert operator.error("reload", {"app": "none-of-that-name"}) == "not_found"
        assert operator.error("config.explain", {"app": "orders", "key": "none.such"}) in ("not_found", "no_config")
        assert operator.error("config.set", {"app": "orders", "key": "a" * 256, "value": "1"}) in ("usage", "too_large")
        assert operator.error("config.subscribe") == "not_permitted"
        assert app.call("ping") == operator.call("ping") == {}


@case
def a_hello_that_does_not_fit_is_refused():
    for params, code in (({"protocol": 99, "protocol_min": 2, "client": "x"}, "unsupported"),
                         ({"protocol": 1}, "usage"), ({"client": "x"}, "usage"),
                         ({"protocol": "1", "client": "x"}, "usage"),
                         ({"protocol": 1, "client": "x", "app": "Orders"}, "usage"),
                         ({"protocol": 1, "client": "x", "app": "prodd"}, "usage")):
        with daemon() as d, Stranger(d.app_socket) as client:
            assert client.error("hello", params) == code, params
    with daemon() as d, Stranger(d.app_socket) as client:
        assert client.hello(protocol=7, protocol_min=1)["protocol"] == 1


@case
def a_frame_that_breaks_the_rules_ends_the_session_with_an_error():
    most = PAGE.limit("bytes of a frame that prodd takes")
    levels, values = PAGE.limit("levels of maps"), PAGE.limit("values in a frame that prodd takes")
    ping = msgpack.packb([CALL, 9, "ping", {}])
    deep = b"\x94\0\x09\xa4ping\x81\xa1k" + b"\x91" * (levels - 1) + b"\x01"
    cases = [
        ("length 0", struct.pack(">I", 0), "protocol"),
        ("too long", struct.pack(">I", most + 1), "too_large"),
        ("too deep", struct.pack(">I", len(deep)) + deep, "too_large"),
        ("too many values", None, "too_large"),
        ("an extension", None, "protocol"),
        ("the byte c1", None, "protocol"),
        ("bytes after the value", None, "protocol"),
        ("more elements than bytes", None, "protocol"),
        ("a key that is no string", None, "protocol"),
        ("no shape of a message", None, "protocol"),
    ]
    bodies = {
        "too many values": msgpack.packb([CALL, 9, "ping", {"k": [0] * values}]),
        "an extension": b"\x94\0\x09\xa4ping\x81\xa1k\xd6\xff1234",
        "the byte c1": b"\x94\0\x09\xa4ping\x81\xa1k\xc1",
        "bytes after the value": ping + b"\0",
        "more elements than bytes": b"\x94\0\x09\xa4ping\x8f",
        "a key that is no string": b"\x94\0\x09\xa4ping\x81\1\1",
        "no shape of a message": msgpack.packb({"jsonrpc": "2.0"}),
    }
    with daemon() as d:
        for name, frame, code in cases:
            with Stranger(d.app_socket) as client:
                client.hello()
                client.asked[9] = "ping"
                body = bodies.get(name)
                client.socket.sendall(frame or struct.pack(">I", len(body)) + body)
                said, number = client.last_words()
                assert said == code and number in (0, 9), f"{name}: {said} {number}"
        fits = b"\x94\0\x09\xa4ping\x81\xa1k" + b"\x91" * (levels - 2) + b"\x01"
        with Stranger(d.app_socket) as client:
            client.hello()
            client.asked[9] = "ping"
            client.send_value(fits)
            assert client.answer_to(9) == {}, "the deepest that is allowed"


@case
def what_comes_before_hello_ends_the_session():
    with daemon() as d:
        with Stranger(d.app_socket) as client:
            client.ask("ping")
            assert client.last_words()[0] in ("protocol", "usage", "not_permitted")
        with Stranger(d.app_socket) as client:
            started = time.monotonic()
            assert client.last_words()[0] in ("timeout", "protocol")
            wait = PAGE.limit("ms from the connect") / 1000
            assert wait - 0.1 < time.monotonic() - started < wait + 2


@case
def too_many_calls_at_a_time_are_refused_one_by_one():
    """64 calls that are not answered: the page says so in words."""
    with daemon() as d, Instance(d) as app, Stranger(d.ctl_socket) as operator:
        operator.hello()
        d.write("apps/orders/default.conf", "database: { max_connections = 21; };")
        numbers = [operator.ask("reload", {"app": "orders"}) for _ in range(80)]
        number, _ = app.called("config.offer")
        refused = 0
        for asked in numbers[64:]:
            try:
                operator.answer_to(asked)
            except Error as error:
                refused += error.code == "over_limit"
        assert refused == 16, refused
        app.answer(number, {"verdict": "accept"})
        number, _ = app.called("config.commit")
        app.answer(number, {"state": "applied"})
        for asked in numbers[:64]:
            operator.answer_to(asked)


main()
