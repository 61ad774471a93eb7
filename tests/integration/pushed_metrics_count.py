#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""metric.push: for programs that have no segment. What was answered is counted, whatever becomes of prodd; what is wrong is
told by name and changes nothing else."""
import math

from harness import Client, Daemon, case, main, wait_until
from segments import Segment, shown, value


def family(name, type, *series, **more):
    return {"name": name, "type": type, "series": list(series), **more}


def push(client, *families):
    return client.call("metric.push", {"families": list(families)})


def problems(answer):
    return [p["text"] for p in answer.get("problems", [])]


@case
def what_was_answered_outlives_prodd():
    with Daemon() as d:
        for round_ in range(1, 6):
            with Client(d.app_socket).hello("orders", "1") as c:
                answer = push(c, family("served_total", "counter", {"value": 2}),
                              family("methods_total", "counter", {"labels": ["GET"], "value": 1}, labels=["method"]),
                              family("took_seconds", "histogram", {"value": [0.5, 3, 0.25]}, buckets=[1.0], unit="seconds"))
                assert answer == {"taken": 3}, answer
                d.kill()        # at once
            d.start()
            assert value(d, "orders", "served_total") == 2 * round_
            assert value(d, "orders", "methods_total", 'method="GET"') == round_
            assert value(d, "orders", "took_seconds") == (3.75 * round_, [2 * round_, round_])


@case
def counts_of_segments_and_pushes_are_one():
    with Daemon() as d, Client(d.app_socket).hello("orders", "1") as c, Client(d.app_socket).hello("orders", "2") as other:
        s = Segment()
        served = s.counter("served_total")
        s.attach(c)
        served.add(5)
        push(other, family("served_total", "counter", {"value": 2}))
        push(c, family("served_total", "counter", {"value": 3}))
        wait_until("both are told", lambda: value(d, "orders", "served_total") == 10)


@case
def a_gauge_lives_as_long_as_its_session():
    with Daemon() as d, Client(d.app_socket).hello("orders", "1") as one:
        with Client(d.app_socket).hello("orders", "2") as two:
            for client, number in ((one, 3), (two, 4)):
                push(client, family("open", "gauge", {"value": number}, mode="sum"),
                     family("load", "gauge", {"value": number / 2}, mode="each"))
            assert value(d, "orders", "open") == 7
            assert value(d, "orders", "load", 'instance="1"') == 1.5
            assert value(d, "orders", "load", 'instance="2"') == 2
            push(two, family("open", "gauge", {"value": 10}, mode="sum"))
            assert value(d, "orders", "open") == 13
        wait_until("its gauges are gone", lambda: value(d, "orders", "open") == 3)
        assert value(d, "orders", "load", 'instance="2"') is None


REFUSED = [
    (family("served", "counter", {"value": 1}), "served: the name of a counter must end with _total"),
    (family("1st_total", "counter", {"value": 1}), "1st_total"),
    (family("a_total", "timer", {"value": 1}), "type: expected counter, gauge or histogram"),
    (family("a", "gauge", {"value": 1}, mode="mean"), "mode: expected"),
    (family("a_total", "counter", {"value": -1}), "expected a whole number"),
    (family("a_total", "counter", {"value": 1.5}), "expected a whole number"),
    (family("a_total", "counter", {"value": "1"}), "expected a whole number"),
    (family("b", "gauge", {"value": math.nan}), "expected a number"),
    (family("h", "histogram", {"value": [1.0]}), "buckets: expected of a histogram"),
    (family("h", "histogram", {"value": [1.0, math.inf]}, buckets=[1.0]), "expected finite numbers"),
    (family("h", "histogram", {"value": [1.0]}, buckets=[2.0, 1.0]), "h:"),
    (family("h", "histogram", {"value": 1.0}, buckets=[1.0]), "expected an array"),
    (family("l_total", "counter", {"labels": ["x"], "value": 1}), "expected 0 values, not 1"),
    (family("l_total", "counter", {"value": 1}, labels=["le"]), "le"),
    (family("prodd_x_total", "counter", {"value": 1}), "prodd's own"),
]


@case
def what_is_wrong_is_told_and_changes_nothing_else():
    with Daemon() as d, Client(d.app_socket).hello("orders", "1") as c:
        for number, (wrong, text) in enumerate(REFUSED, 1):
            answer = push(c, wrong, family("good_total", "counter", {"value": 1}))
            assert answer["taken"] == 1 and len(answer["problems"]) == 1, answer
            assert text in problems(answer)[0], (text, answer)
            assert value(d, "orders", "good_total") == number
        assert set(name for name, _ in shown(d, "orders")) == {"good_total"}
        assert d.counters()["metric_pushes_refused"] == len(REFUSED)


@case
def a_contradiction_names_both_places():
    with Daemon() as d, Client(d.app_socket).hello("orders", "8080") as one, \
            Client(d.app_socket).hello("orders", "8081") as two:
        s = Segment()
        s.counter("jobs_total", labels=()).add(1)
        s.attach(one)
        wait_until("it is read", lambda: value(d, "orders", "jobs_total") == 1)
        text = problems(push(two, family("jobs_total", "counter", {"labels": ["x"], "value": 1}, labels=["kind"])))[0]
        assert "instance 8080 declared it first, instance 8081 otherwise: other labels" in text, text
        assert value(d, "orders", "jobs_total") == 1


@case
def over_the_limit_sums_stay_right():
    with Daemon(conf="metrics: { series = 10; };") as d, Client(d.app_socket).hello("orders", "1") as c:
        series = [{"labels": [str(i)], "value": i} for i in range(40)]
        answer = push(c, family("users_total", "counter", *series, labels=["user"]))
        assert answer["taken"] == 40 and answer["overflow"] == 30, answer
        told = shown(d, "orders")
        assert len(told) == 11 and sum(told.values()) == sum(range(40)), told
        assert told["users_total", 'app="orders",overflow="true"'] == sum(range(10, 40))
        assert [p["id"] for p in d.status()["problems"]] == ["metric_overflow"]
        assert d.counters()["metric_series_overflowed"] == 30


main()
