"""What the benchmark must never get wrong: a bad answer is an error, a ratio is made within a round.

Run: cargo build && python3 -m unittest -v test_bench (in bench/).
"""
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import machine, proc, report, scenarios, subjects

# What is judged here is what it counts, not how fast: the debug build serves as well.
DEBUG = machine.BENCH / "target/debug"
CLIENT = DEBUG / "load-client"
OK = b"HTTP/1.1 200 OK\r\n"


class Scripted:
    """A server that answers every connection's first request with the same bytes, then closes."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self.answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def load(answer, *args):
    """What the load client says of one call that is answered so."""
    with Scripted(answer) as server, tempfile.NamedTemporaryFile() as body:
        body.write(b"{}")
        body.flush()
        done = subprocess.run([CLIENT, "once", "--url", f"http://127.0.0.1:{server.port}/", "--body", body.name, *args],
                              capture_output=True, check=True, timeout=20)
    return json.loads(done.stdout)


class Tls(unittest.TestCase):
    def called(self, directory, trust):
        """What the load client says of one call to the mock by TLS, when it trusts `trust`."""
        # The mock takes an address, not port 0's choice: one that was free a moment ago serves.
        with socket.create_server(("127.0.0.1", 0)) as plain, socket.create_server(("127.0.0.1", 0)) as secure:
            ports = [s.getsockname()[1] for s in (plain, secure)]
        mock = subprocess.Popen([DEBUG / "mock-upstream", *(f"127.0.0.1:{port}" for port in ports), directory])
        try:
            end = time.monotonic() + 10
            while time.monotonic() < end:
                try:
                    subjects.get(ports[0], "/health")
                    break
                except OSError:
                    time.sleep(0.01)
            body = directory / "body"
            body.write_bytes(scenarios.body("small", "mock-d0-b1024"))
            done = subprocess.run([CLIENT, "once", "--url", f"https://127.0.0.1:{ports[1]}/v1/chat/completions", "--body", body,
                                   "--ca", trust / "ca.pem", "--expect-bytes", "1024"], capture_output=True, check=True, timeout=20)
            return json.loads(done.stdout)
        finally:
            mock.terminate()
            mock.wait(10)

    def test_speaks_with_whom_it_trusts_and_nobody_else(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            one, other = pathlib.Path(one), pathlib.Path(other)
            for directory in (one, other):
                subprocess.run([DEBUG / "certificates", directory], check=True, timeout=20)
            self.assertEqual(self.called(one, one)["ok"], 1)
            said = self.called(one, other)
            self.assertEqual((said["ok"], said["errors"]), (0, 1))


class AnswersAreJudged(unittest.TestCase):
    def judged(self, answer, *args, errors=None):
        said = load(answer, *args)
        self.assertEqual(said["error_kinds"], errors or {})
        self.assertEqual(said["ok"], 0 if errors else 1)

    def test_a_good_plain_answer(self):
        self.judged(OK + b"content-length: 3\r\n\r\nabc", "--expect-bytes", "3")

    def test_a_wrong_status(self):
        self.judged(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", errors={"status 503": 1})

    def test_a_body_shorter_than_its_length(self):
        self.judged(OK + b"content-length: 9\r\n\r\nabc", errors={"short body": 1})

    def test_a_body_shorter_than_expected(self):
        self.judged(OK + b"content-length: 3\r\n\r\nabc", "--expect-bytes", "4", errors={"short body": 1})

    def test_a_stream_without_its_terminator(self):
        self.judged(OK + b"transfer-encoding: chunked\r\n\r\n9\r\ndata: {}\n\r\n0\r\n\r\n", "--stream",
                    errors={"stream without its terminator": 1})

    def test_a_stream_that_lost_an_event(self):
        self.judged(OK + b"transfer-encoding: chunked\r\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n", "--stream", "--expect-events", "2",
                    errors={"events missing": 1})

    def test_a_silent_server(self):
        self.judged(b"", errors={"closed before an answer": 1})


class Ratios(unittest.TestCase):
    def test_are_made_within_a_round(self):
        def row(cpu, disturbed=False):
            return {"drained_us": cpu, "disturbed": disturbed}
        samples = {"nginx": {0: row(10), 1: row(20), 2: row(30)}, "lintel": {0: row(20), 1: row(20), 2: row(90)}}
        self.assertEqual(report.FIGURES["drained_ratio"](samples, "lintel"), (2.0, 1.0, 3.0))
        samples["nginx"][2]["disturbed"] = True
        self.assertEqual(report.FIGURES["drained_ratio"](samples, "lintel"), (1.5, 1.0, 2.0))

    def test_another_build_is_compared_with_lintel(self):
        def rows(*figures):
            return {n: {"cpu_us": f, "drained_us": f, "path_us": f, "threads_us": {}, "disturbed": False, "errors": 0, "unaccounted": {},
                        "drained": True} for n, f in enumerate(figures)}
        said = report.remarks({"lintel": rows(10, 20), "b": rows(9, 19)})
        self.assertEqual(said, ["", "- b against lintel: cpu × 0.925 (0.900–0.950), drained × 0.925 (0.900–0.950), path × 0.925 (0.900–0.950)"])

    def test_a_translated_call_is_compared_with_an_untranslated_one_of_its_round(self):
        def rows(*figures):
            return {n: {"drained_us": f, "disturbed": False} for n, f in enumerate(figures)}
        run = report.Run({}, {"stream500": {"lintel": rows(10, 20)}, "chat-to-messages": {"lintel": rows(12, 30)}}, {})
        scenario = scenarios.BY_NAME["chat-to-messages"]
        figure = report.FIGURES["drained_same"]
        self.assertEqual(figure(report.beside(run, scenario, "lintel"), "lintel"), (1.35, 1.2, 1.5))
        self.assertIsNone(figure(report.beside(report.Run({}, {"chat-to-messages": {}}, {}), scenario, "lintel"), "lintel"))

    def test_nothing_measured_is_not_met(self):
        text = "\n".join(report.bars({}, None))
        self.assertNotIn("| met |", text)
        self.assertIn("not measured", text)


class Accounts(unittest.TestCase):
    def test_requests_are_summed_whatever_wraps_them(self):
        self.assertEqual(subjects.requests_in([{"requests": 2}, {"requests": 3}]), 5)
        self.assertEqual(subjects.requests_in({"rows": [{"tenant": "bench", "requests": 7}]}), 7)
        self.assertEqual(subjects.requests_in({"rows": []}), 0)


class Cpu(unittest.TestCase):
    def test_is_split_by_thread_and_sums_up(self):
        before = proc.Cpu(os.getpid())
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass
        total, threads = proc.Cpu(os.getpid()).since(before)
        self.assertGreater(total, 0.08)
        self.assertAlmostEqual(total, sum(threads.values()), places=6)


class Bodies(unittest.TestCase):
    def test_have_their_sizes(self):
        self.assertAlmostEqual(len(scenarios.body("small", "m")), 1000, delta=100)
        self.assertAlmostEqual(len(scenarios.body("big", "m")), 204_000, delta=5_000)
        self.assertTrue(json.loads(scenarios.body("stream", "m"))["stream"])

    def test_a_translated_scenario_brings_what_it_is_compared_with(self):
        names = [[s.name for s in group] for group in scenarios.groups(["call1k", "messages-to-chat"])]
        self.assertEqual(names, [["call1k"], ["stream500", "messages-to-chat"]])
        everything = [s.name for group in scenarios.groups(scenarios.BY_NAME) for s in group]
        self.assertEqual(everything, list(scenarios.BY_NAME))

    def test_the_same_in_anthropics_words(self):
        request = json.loads(scenarios.body("messages", "m"))
        self.assertEqual((request["system"][:3], [m["role"] for m in request["messages"]], request["stream"]), ("You", ["user"], True))

    def test_a_machine_with_few_files_holds_fewer_streams(self):
        self.assertEqual(scenarios.streams_to_hold(20_000, False), 9900)
        self.assertEqual(scenarios.streams_to_hold(1024, False), 412)


if __name__ == "__main__":
    unittest.main()
