#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several environments of one app are one transaction; variables are laid over for the one instance that has them."""
from harness import App, Daemon, case, entries, main
from scripted import (EXIT_DIVERGED, EXIT_INVALID, Asked, ask, exit_of, instance_status, methods, of, play, problems, reload,
                      status_of)

CONF = 'watch = "manual"; answer_timeout = "2s";'
FILE = "apps/orders/default.conf"
SCHEMA = '''keys = ( { key = "x"; type = "int"; max = 9; }, { key = "e"; type = "string"; default = "none"; },
                     { key = "pool.max_size"; type = "int"; default = 1; } );'''


def daemon(text="x = 1;", conf=CONF, **files):
    return Daemon(conf=conf, apps={"orders": {"default.conf": text, **files}})


def colours(d):
    a = App(d, "orders", "1", environment="blue")
    b = App(d, "orders", "2", environment="green")
    play([a, b], lambda: a.live and b.live, "both are served")
    Asked(d, "reload", {"app": "orders"}).rows(a, b)
    return a, b


FILES = {"blue.conf": 'e = "blue";', "green.conf": 'e = "green";'}


@case
def each_environment_has_its_files_and_numbers():
    with daemon(**FILES) as d:
        a, b = colours(d)
        assert a.settings() == {"x": 1, "e": "blue"} and b.settings() == {"x": 1, "e": "green"}
        assert a.welcome["environment"] == a.live["environment"] == "blue"
        d.write("apps/orders/blue.conf", 'e = "navy";')
        rows = {r["environment"]: r for r in Asked(d, "reload", {"app": "orders"}).rows(a, b)}
        assert rows["blue"]["outcome"] == "committed" and rows["green"]["outcome"] == "unchanged", rows
        assert (a.generation, b.generation) == (2, 1) and methods(b) == ["config.apply"]


@case
def a_change_for_several_is_one_transaction():
    with daemon(**FILES) as d:
        a, b = colours(d)
        b.verdict = ("reject", "no")
        d.write(FILE, "x = 2;")
        rows = Asked(d, "reload", {"app": "orders"}).rows(a, b)
        assert {r["outcome"] for r in rows} == {"rejected"} and len(rows) == 3, rows
        play([a, b], lambda: not a.offered, "the abort")
        assert a.settings()["x"] == b.settings()["x"] == 1
        b.verdict = "accept"
        rows = Asked(d, "reload", {"app": "orders"}).rows(a, b)
        assert {r["outcome"] for r in rows} == {"committed"} and a.settings()["x"] == b.settings()["x"] == 2


@case
def one_environment_is_invalid_and_none_changes():
    with daemon(**FILES) as d:
        a, b = colours(d)
        d.write(FILE, "x = 2;")
        d.write("apps/orders/green.conf", "e = ;")
        rows = {r["environment"]: r for r in Asked(d, "reload", {"app": "orders"}).rows(a, b)}
        assert {(r["outcome"], exit_of(r)) for r in rows.values()} == {("invalid", EXIT_INVALID)}
        assert "green.conf" in str(rows["green"]["problems"]) and "problems" not in rows["blue"], rows
        assert methods(a) == ["config.apply"]


@case
def the_app_block_decides_over_the_instance():
    with daemon(conf=CONF + 'app: { orders: { environment = "blue"; }; };', **FILES) as d:
        with App(d, "orders", "1", environment="green") as app:
            assert app.welcome["environment"] == "blue" and app.settings()["e"] == "blue"


@case
def an_instances_variables_are_its_own():
    with daemon(**{"schema.conf": SCHEMA}) as d:
        a = App(d, "orders", "1", variables={"APP_X": "5", "APP_POOL_MAX_SIZE": "3", "APP_E": "own"})
        b = App(d, "orders", "2")
        play([a, b], lambda: a.live and b.live, "both are served")
        assert a.live["snapshot"] == b.live["snapshot"] and "overlay" not in b.live
        assert b.settings() == {"x": 1, "e": "none", "pool.max_size": 1}
        assert a.settings() == {"x": 5, "e": "own", "pool.max_size": 3}
        with App(d, "orders", "3", variables={"APP_POOL__MAX_SIZE": "4"}) as c:
            assert c.settings()["pool.max_size"] == 4
        with App(d, "orders", "4", variables={"APP_POOL_MAX_SIZE": "3", "APP_POOL__MAX_SIZE": "4"}) as c:
            assert c.subscribed["state"] == "invalid" and "APP_POOL__MAX_SIZE" in str(c.subscribed), c.subscribed


@case
def offers_and_applies_carry_the_overlay():
    with daemon(**{"schema.conf": SCHEMA}) as d:
        a = App(d, "orders", "1", variables={"APP_X": "5"})
        a.settings()
        reload(d, a)
        seen = []
        a.verdict = lambda params: seen.append(entries(params)) or "accept"
        d.write(FILE, 'x = 2; e = "new";')
        reload(d, a)
        assert seen == [{"x": 5, "e": "new", "pool.max_size": 1}] and a.settings()["x"] == 5


@case
def overrides_beat_variables():
    with daemon() as d:
        a, b = App(d, "orders", "1", variables={"APP_X": "5"}), App(d, "orders", "2")
        play([a, b], lambda: a.live and b.live, "both are served")
        Asked(d, "reload", {"app": "orders"}).rows(a, b)
        Asked(d, "config.set", {"app": "orders", "key": "x", "value": "8"}).row(a, b)
        assert a.settings() == b.settings() == {"x": 8}
        Asked(d, "config.unset", {"app": "orders", "key": "x"}).row(a, b)
        assert a.settings() == {"x": 5} and b.settings() == {"x": 1}


@case
def an_instance_whose_own_variables_are_invalid_is_refused_alone():
    with daemon(**{"schema.conf": SCHEMA}) as d:
        a, b = App(d, "orders", "1"), App(d, "orders", "2", variables={"APP_X": "50"})
        play([a], lambda: a.live, "1 is served")
        assert b.subscribed["state"] == "invalid", b.subscribed
        problem = b.subscribed["problems"][0]
        assert problem["key"] == "x" and "APP_X" in str(problem) and "9" in problem["text"], problem
        Asked(d, "reload", {"app": "orders"}).rows(a, b)
        assert instance_status(d, "2")["state"] == "refused" and "APP_X" in problems(d)["instance_refused"]
        d.write(FILE, "x = 2;")
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row), of(row, "2")["state"]) == ("committed", EXIT_DIVERGED, "refused"), row
        assert a.settings()["x"] == 2 and "config.offer" not in methods(b)
        assert methods(b)[-1] == "config.refused" and methods(b).count("config.refused") == 1, methods(b)


@case
def one_whose_variables_break_only_the_candidate_keeps_what_it_has():
    with daemon(**{"schema.conf": SCHEMA}) as d:
        a, b = App(d, "orders", "1"), App(d, "orders", "2", variables={"APP_X": "5"})
        play([a, b], lambda: a.live and b.live, "both are served")
        Asked(d, "reload", {"app": "orders"}).rows(a, b)
        d.write("apps/orders/schema.conf", SCHEMA.replace("max = 9", "max = 4"))
        d.write(FILE, "x = 2;")
        row = reload(d, a, b)
        assert (row["outcome"], exit_of(row), of(row, "2")["state"]) == ("committed", EXIT_DIVERGED, "refused"), row
        assert a.settings()["x"] == 2 and b.settings()["x"] == 5 and methods(b)[-1] == "config.refused"
        assert methods(b).count("config.refused") == 1
        d.write("apps/orders/schema.conf", SCHEMA)
        d.write(FILE, "x = 3;")
        row = reload(d, a, b)
        assert exit_of(row) == 0, row
        assert a.settings()["x"] == 3 and b.settings()["x"] == 5 and instance_status(d, "2")["state"] == "applied"


@case
def the_command_shows_what_an_instance_sees():
    with daemon() as d, App(d, "orders", "1", variables={"APP_X": "5"}) as a:
        a.settings()
        shown = ask(d, "config.show", {"app": "orders", "instance": "1"})["entries"][0]
        assert shown["value"] == 5 and shown["candidates"][0]["layer"] == "variable", shown
        explained = ask(d, "config.explain", {"app": "orders", "key": "x"})
        assert explained["variables"] == [{"instance": "1", "value": "5"}], explained
        assert status_of(d)["instances"][0]["state"] == "applied"


main()
