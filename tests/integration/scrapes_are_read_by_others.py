#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is scraped is what promtool and the strict OpenMetrics parser of python3-prometheus-client take, and prodd-metrics(7)
names what prodd says of itself, no more and no less."""
import os
import re
import shutil
import subprocess
import sys

from harness import App, Client, Daemon, Refused, Skip, case, main, wait_until
from rings import Logger, lines
from scraping import Scraper, Server
from segments import COUNTER, SUM, Segment, value

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
    from prometheus_client.parser import text_string_to_metric_families as plain
except ImportError:
    print("python3-prometheus-client is missing; install: apt-get install python3-prometheus-client")
    sys.exit(77)

SRCDIR = os.environ.get("srcdir", ".")
EXPOSITION = os.path.join(SRCDIR, "tests/unit/exposition")
PAGE = os.path.join(os.environ.get("builddir", "."), "doc/metrics-page")
APPS = {"orders": {"default.conf": "x = 1;"}, "billing": {}}


def scrape(d, **headers):
    with Scraper(d.path("run", "http.sock")) as s:
        return s.get(**headers).text


def openmetrics(text):
    families = list(strict(text))
    assert families
    return {f.name: f for f in families}


def promtool(text):
    """Its findings."""
    if not shutil.which("promtool"):
        raise Skip("promtool is missing; install: apt-get install prometheus")
    assert text.strip(), "promtool would have nothing to find"
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


@case
def the_files_of_the_unit_test_are_what_the_strict_parser_takes():
    with open(os.path.join(EXPOSITION, "openmetrics.txt"), encoding="utf-8") as f:
        text = f.read()
    families = openmetrics(text)
    assert families["sent_bytes"].unit == "bytes" and families["request_seconds"].type == "histogram"
    assert families["temperature"].samples[0].labels == {"app": "orders", "room": 'a"b\\c\nd'}
    assert families["sent_bytes"].documentation == 'A "quoted" word, a back\\slash,\na second line.'
    for damage in (text.replace("# EOF\n", ""), text.replace('le="2.5e+06"', 'le="0.5"'), text + "\n"):
        try:
            openmetrics(damage)
        except ValueError:
            continue
        raise AssertionError("the parser is not strict")


@case
def the_plain_file_is_what_promtool_and_the_parser_take():
    with open(os.path.join(EXPOSITION, "prometheus.txt"), encoding="utf-8") as f:
        text = f.read()
    families = {f.name: f for f in plain(text)}
    assert families["temperature"].samples[0].labels["room"] == 'a"b\\c\nd'
    status, said = promtool(text)
    assert not [line for line in said.splitlines() if "error while linting" in line], said
    assert status in (0, 3), said  # 3: it would like more helps, and other names
    assert promtool(text.replace("bare 1", "bare one"))[0] not in (0, 3)


@case
def prodds_own_are_clean():
    with Daemon(apps=APPS) as d, App(d, "orders") as app:
        app.settings()
        text = scrape(d)
        status, said = promtool(text)
        assert status == 0, said
        families = openmetrics(scrape(d, Accept="application/openmetrics-text"))
        names = {f.name: f for f in plain(text)}
        assert set(names) == set(families)
        [instances] = [s.value for s in families["prodd_app_instances"].samples if s.labels["app"] == "orders"]
        assert instances == 1
        generation = {s.labels["app"]: s.value for s in families["prodd_app_generation"].samples}
        assert generation["orders"] == 1, generation
        scrapes = [s.value for s in families["prodd_scrapes"].samples if s.name == "prodd_scrapes_total"]
        assert scrapes == [1.0], scrapes
        assert families["process_resident_memory_bytes"].samples[0].value > 1 << 20
        open_fds = families["process_open_fds"].samples[0].value
        assert abs(open_fds - d.descriptors()) <= 2, (open_fds, d.descriptors())


@case
def apps_metrics_are_clean_whatever_their_names():
    names = ("a_total", "b_seconds_total", "process_resident_memory_bytes_total", "prodd_scrapes_total")
    gauges = ("a", "a_created", "h_count", "h_sum", "h_bucket", "process_cpu_seconds", "process_cpu_seconds_created",
              "process_open_fds", "process_max_fds", "prodd_sessions", "prodd_anything")
    with Daemon(apps=APPS) as d:
        for app in ("orders", "billing"):
            with Client(d.app_socket) as c:
                c.hello(app, "1")
                s = Segment()
                first = [s.histogram("h", (0.1, 1.0)), *(s.counter(n, help='A "help"\\\n.') for n in names)]
                second = [s.gauge(n, mode=SUM) for n in gauges]
                s.series(s.family(COUNTER, "labelled_total", labels=("path",)), ('a"b\\c\nd',)).add(2)
                s.attach(c)
                for cell in first[1:]:
                    cell.add(3)
                for cell in second:
                    cell.set(5)
                first[0].observe(0.5)
                wait_until("they count", lambda: value(d, app, "b_seconds_total") == 3)
                text = scrape(d, Accept="application/openmetrics-text")
        families = openmetrics(text)
        assert {s.labels["app"] for s in families["a"].samples} == {"orders", "billing"}  # one of the two, of both
        assert [s.value for s in families["process_open_fds"].samples if s.labels == {"app": "billing"}] == [5]
        assert families["process_cpu_seconds"].type == "counter" and families["process_resident_memory_bytes"].type == "gauge"
        assert all("app" not in s.labels for s in families["prodd_sessions"].samples)
        assert "prodd_anything" not in families and families["labelled"].samples[0].labels["path"] == 'a"b\\c\nd'
        status, said = promtool(scrape(d))
        assert status in (0, 3), said


@case
def many_made_up_ones_are_clean():
    for kind in ("integers", "doubles"):
        with Server(2000, kind) as server:
            families = openmetrics(server.get(Accept="application/openmetrics-text").text)
            assert len(families["requests"].samples) == 2000


def names_of_page():
    done = subprocess.run([PAGE], capture_output=True, text=True, timeout=10, check=True)
    return set(re.findall(r"^\*((?:prodd|process)_[a-z0-9_]+)\*", done.stdout, re.M))


@case
def the_manual_names_what_is_scraped_no_more_and_no_less():
    page = names_of_page()
    assert len(page) > 100
    with Daemon(apps=APPS) as d, Logger(d, "billing") as app, App(d, "orders") as other:
        other.settings()
        app.log("hello")
        app.sync()
        Segment().attach(app)
        scraped = set(re.findall(r"^# TYPE ([a-z0-9_]+) ", scrape(d), re.M))
    assert scraped == page, (scraped - page, page - scraped)


def sample(d, name, **labels):
    found = [s.value for s in openmetrics(scrape(d, Accept="application/openmetrics-text"))[name].samples
             if not s.name.endswith("_created") and s.labels == labels]
    assert len(found) == 1, (name, labels, found)
    return found[0]


@case
def records_are_counted_on_their_way():
    with Daemon() as d, Logger(d, "orders") as app:
        for n in range(10):
            app.log(f"record {n}")
        app.sync()
        lines(d, "orders", 10)
        assert sample(d, "prodd_log_records", app="orders") == 10
        wait_until("they are shipped", lambda: sample(d, "prodd_sink_shipped", sink="local", app="orders") == 10)
        assert sample(d, "prodd_sink_behind_records", sink="local", app="orders") == 0
        assert sample(d, "prodd_sink_up", sink="local") == 1
        assert sample(d, "prodd_log_rings", app="orders") == 1
        assert sample(d, "prodd_log_ring_fill_ratio", app="orders") == 0
        assert sample(d, "prodd_log_dropped", app="orders", reason="ring_full") == 0
        app.call("log.push", {"records": b"nonsense", "dropped": 7})
        assert sample(d, "prodd_log_dropped", app="orders", reason="sender") == 7


@case
def problems_are_counted_and_not_being_able_to_serve_is_told():
    with Daemon(apps=APPS) as d, App(d, "orders") as app:
        app.settings()
        assert sample(d, "prodd_problems", problem="config_differs") == 0
        d.write("apps/orders/default.conf", "x = ;")
        wait_until("the mistake is seen", lambda: sample(d, "prodd_problems", problem="config_differs") == 1)
        assert sample(d, "prodd_app_files_differ", app="orders", environment="development") == 1
        with Scraper(d.path("run", "http.sock")) as s:
            assert s.get("/readyz").text == "ready\n"
            d.write("state/spool/billing", "no directory")
            try:
                Logger(d, "billing")
            except Refused:
                pass
            wait_until("it cannot serve", lambda: s.get("/readyz").status == 503)
            assert "the spool: " in s.get("/readyz").text
            assert s.get("/healthz").status == 200
            d.remove("state/spool/billing")
            with Logger(d, "billing") as other:
                other.log("somewhere to go")
            wait_until("it can serve again", lambda: s.get("/readyz").status == 200)


main()
