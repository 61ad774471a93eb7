#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""events -f prints what happens until it is told to stop or the daemon goes; Ctrl-C in a reload says what goes on."""
import json
import signal
import unittest

from fake_prodd import FakeProdd, SILENCE, TestCase, main, ms_of, start

AT = ms_of("2026-11-25 14:03:20")


def event(number, **more):
    return {"number": number, "time_ms": AT, "kind": "connected", "app": "orders", "instance": "8080", "text": "", **more}


class Follow(TestCase):
    def follow(self, fake, *words):
        process = start("--socket", fake.directory, "events", "-f", *words)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        fake.await_request("events")
        return process

    def test_lines_up_with_the_past_and_ends_by_a_signal(self):
        with FakeProdd({"events": {"events": [event(1, kind="restart_needed", text="a")]}}) as fake:
            process = self.follow(fake)
            self.assertEqual(process.stdout.readline(), "2026-11-25 14:03:20  restart_needed  orders/8080  a\n")
            fake.note("event", event(2, text="b"))
            self.assertEqual(process.stdout.readline(), "2026-11-25 14:03:20  connected       orders/8080  b\n")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(20), -signal.SIGINT)
            self.assertEqual(process.stderr.read(), "")
            self.assertEqual(fake.requests[0][2], {"follow": True})

    def test_json_lines(self):
        with FakeProdd({"events": {"events": [event(1)]}}) as fake:
            process = self.follow(fake, "--json", "--app", "orders")
            fake_lines = [json.loads(process.stdout.readline())]
            fake.note("event", event(2))
            fake_lines.append(json.loads(process.stdout.readline()))
            self.assertEqual([(e["schema"], e["number"]) for e in fake_lines], [(1, 1), (1, 2)])
            process.terminate()
            self.assertEqual(process.wait(20), -signal.SIGTERM)

    def test_the_daemon_goes(self):
        with FakeProdd({"events": {}}) as fake:
            process = self.follow(fake)
            fake.note("going_away", {"reason": "upgrade"})
            fake.connections[0].shutdown(2)
            self.assertEqual(process.wait(20), 7)
            self.assertEqual(process.stderr.read(), f"prodctl: prodd at {fake.path('ctl.sock')} has gone: upgrade\n")

    def test_nobody_reads_any_more(self):
        with FakeProdd({"events": {}}) as fake:
            process = self.follow(fake)
            process.stdout.close()
            fake.note("event", event(1))
            self.assertEqual(process.wait(20), -signal.SIGPIPE)

    def test_garbage_ends_it(self):
        with FakeProdd({"events": {}}) as fake:
            process = self.follow(fake)
            fake.note("event", {"number": "x"})
            self.assertEqual(process.wait(20), 1)
            self.assertIn("does not speak prodd's protocol: event.number", process.stderr.read())


class Interrupt(TestCase):
    def test_reload_goes_on(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number), FakeProdd({"reload": SILENCE}) as fake:
                process = start("--socket", fake.directory, "reload", "orders")
                fake.await_request("reload")
                process.send_signal(number)
                _, text = process.communicate(timeout=20)
                self.assertEqual(text, "prodctl: interrupted; the transaction goes on: prodctl status orders\n")
                self.assertEqual(process.returncode, -number)

    def test_status_just_ends(self):
        with FakeProdd({"status": SILENCE}) as fake:
            process = start("--socket", fake.directory, "status")
            fake.await_request("status")
            process.send_signal(signal.SIGINT)
            self.assertEqual((process.communicate(timeout=20), process.returncode), (("", ""), -signal.SIGINT))


if __name__ == "__main__":
    main()
