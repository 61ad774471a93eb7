#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The schema that an app's code sends (config.declare) holds beside the one in files, and outlives prodd."""
import os

from harness import ANSWER, App, Daemon, case, main, wait_until
from scripted import ask, instance_status, methods, play, problems, reload, status_of

CONF = 'watch = "manual";'
FILE = "apps/orders/default.conf"


def daemon(text="x = 1;", **files):
    return Daemon(conf=CONF, apps={"orders": {"default.conf": text, **files} if text else files})


def key(name, kind="int", **more):
    return {"key": name, "type": kind, **more}


class Declaring(App):
    """An instance that declares `keys` and does not wait for the answer to its subscription."""

    def __init__(self, d, name, *keys, frames=1):
        super().__init__(d, "orders", name, subscribe=False)
        size = (len(keys) + frames - 1) // frames
        for i in range(frames):
            self.call("config.declare", {"keys": list(keys[i * size:(i + 1) * size]), "more": i + 1 < frames})
        self.asked = self.request("config.subscribe", {})

    def handle(self, message):
        if message[0] == ANSWER and message[1] == self.asked:
            assert message[2] is None, message
            self.subscribed = message[3]
        else:
            super().handle(message)

    def answer_of_prodd(self):
        self.wait(lambda: self.subscribed, "the answer to its subscription")
        return self.subscribed


def schema_of(d):
    return {k["key"]: k for k in ask(d, "config.schema", {"app": "orders"}).get("keys", [])}


@case
def it_counts_for_the_files_of_the_first_generation():
    with daemon() as d, Declaring(d, "1", key("x", max=9), key("y", **{"def": 7})) as app:
        assert app.answer_of_prodd()["state"] == "follows" and app.settings() == {"x": 1, "y": 7}
        assert schema_of(d)["x"]["origin"] == "code of orders" and status_of(d)["schema"]
        d.write(FILE, "x = 10;")
        row = reload(d, app)
        assert row["outcome"] == "invalid" and row["problems"][0]["key"] == "x", row


@case
def it_comes_in_several_frames():
    keys = [key(f"k{i:04}", **{"def": i}) for i in range(3000)]
    with daemon() as d, Declaring(d, "1", key("x"), *keys, frames=8) as app:
        assert app.answer_of_prodd()["state"] == "follows"
        settings = app.settings()
        assert len(settings) == 3001 and settings["k2999"] == 2999


@case
def it_is_an_error_after_the_subscription():
    with daemon() as d, App(d, "orders", "1") as app:
        assert app.refusal("config.declare", {"keys": [key("x")]}).code == "usage"


@case
def it_outlives_its_sender_and_prodd():
    with daemon() as d:
        with Declaring(d, "1", key("x", max=9)) as app:
            app.settings()
            wait_until("it is stored", lambda: os.path.exists(d.path("state/config/orders/declared")))
        d.kill()
        d.start()
        assert "x" in schema_of(d)
        with App(d, "orders", "1") as app:
            app.settings()
            d.write(FILE, "x = 10;")
            assert reload(d, app)["outcome"] == "invalid"


@case
def the_last_one_sent_replaces_it():
    with daemon() as d:
        with Declaring(d, "1", key("x", max=9), key("y", **{"def": 1})) as app:
            assert app.settings() == {"x": 1, "y": 1}
        with Declaring(d, "2", key("x", max=99)) as app:
            assert app.settings() == {"x": 1}
            assert set(schema_of(d)) == {"x"}
            d.write(FILE, "x = 10;")
            assert reload(d, app)["outcome"] == "committed"


@case
def it_changes_what_others_use_only_with_their_votes():
    with daemon() as d, App(d, "orders", "old") as old:
        old.settings()
        old.verdict = ("reject", "no y for me")
        with Declaring(d, "new", key("x"), key("y", **{"def": 1})) as new:
            play([old, new], lambda: new.live, "the new one is served")
            assert new.settings() == old.settings() == {"x": 1}
            assert "schema" not in status_of(d), "the schema was rejected with what it brought"
        old.verdict = "accept"
        with Declaring(d, "new", key("x"), key("y", **{"def": 1})) as new:
            play([old, new], lambda: new.live and "y" in new.settings(), "both have it")
            assert old.settings() == new.settings() == {"x": 1, "y": 1}


@case
def one_that_contradicts_the_files_makes_its_sender_diverged():
    with daemon("x = 50;") as d, App(d, "orders", "old") as old:
        old.settings()
        with Declaring(d, "new", key("x", max=9)) as new:
            answer = new.answer_of_prodd()
            assert answer["state"] == "invalid" and answer["problems"][0]["key"] == "x", answer
            assert answer["problems"][0]["line"] == 1
            seen = instance_status(d, "new")
            assert seen["state"] == "diverged" and "9" in seen["reason"], seen
            reload(d, old, new)
            assert set(problems(d)) == {"instance_diverged"}, problems(d)
            assert methods(old) == ["config.apply"] and not new.live
            d.write(FILE, "x = 5;")
            assert reload(d, old, new)["outcome"] == "committed"
            play([old, new], lambda: schema_of(d), "it counts, now that it can")
            assert old.settings() == new.settings() == {"x": 5} and not problems(d)


@case
def one_that_contradicts_a_file_schema_names_both_places():
    with daemon(**{"schema.conf": 'keys = ( { key = "x"; type = "int"; } );'}) as d:
        reload(d)
        with Declaring(d, "new", key("x", "string")) as new:
            answer = new.answer_of_prodd()
            text = str(answer["problems"])
            assert answer["state"] == "invalid" and "schema.conf" in text and "code of orders" in text, answer
            assert instance_status(d, "new")["state"] == "diverged"
        with App(d, "orders", "1") as other:
            assert other.settings() == {"x": 1}


@case
def broken_files_are_not_its_senders_fault():
    with daemon() as d:
        with App(d, "orders", "1") as first:
            first.settings()
        d.write(FILE, "x = ;")
        with Declaring(d, "new", key("x", max=9)) as new:
            assert new.answer_of_prodd()["state"] == "follows" and new.settings() == {"x": 1}
            reload(d, new)
            assert set(problems(d)) == {"config_differs"}, problems(d)
            d.write(FILE, "x = 2;")
            assert reload(d, new)["outcome"] == "committed"
            play([new], lambda: schema_of(d), "it is tried when the files are mended")
            assert new.settings() == {"x": 2} and not problems(d)


@case
def a_sender_that_leaves_before_it_is_tried_changes_nothing():
    with daemon("x = 50;") as d, App(d, "orders", "1") as app:
        app.settings()
        reload(d, app)
        for _ in range(5):
            Declaring(d, "new", key("x", max=9)).close()
        row = reload(d, app)
        assert row["outcome"] == "unchanged", row
        assert methods(app) == ["config.apply"] and not problems(d), (app.seen, problems(d))
        assert not schema_of(d)


@case
def several_that_differ_are_tried_one_after_another():
    with daemon() as d:
        reload(d)
        apps = [Declaring(d, str(i), key("x", max=9 + i)) for i in range(4)]
        play(apps, lambda: all(a.live for a in apps), "all are served")
        wait_until("the last one counts", lambda: schema_of(d).get("x", {}).get("max") == 12)
        assert all(instance_status(d, str(i))["state"] == "applied" for i in range(4))


main()
