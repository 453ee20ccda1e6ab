"""The check of the control API is itself checked: a server that answers what its document does not say must fail it."""

import http.server
import json
import pathlib
import tempfile
import threading
import unittest

import check

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "one operation", "version": "1"},
    "paths": {
        "/thing": {
            "get": {
                "operationId": "getThing",
                "parameters": [{"name": "n", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 0}}],
                "responses": {
                    "200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}},
                    "400": {"description": "No.", "content": {"application/problem+json": {"schema": {"type": "object"}}}},
                },
            }
        }
    },
}


class Server(http.server.BaseHTTPRequestHandler):
    """Sound, but for the fault that a test seeds."""

    fault = None

    def log_message(self, *_):
        """Says nothing."""

    def answer(self, status, body, kind="application/json", **headers):
        """One answer."""
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, code, **headers):
        """A problem."""
        body = {"type": f"urn:lintel:problem:{code}", "status": status, "code": code, "detail": "no"}
        self.answer(status, body, "application/problem+json", **headers)

    def do_GET(self):  # noqa: N802
        """The operation."""
        query = self.path.partition("?")[2]
        sound = query.startswith("n=") and query[2:].isdigit()
        if not sound and self.fault != "takes anything":
            return self.refuse(400, "invalid_request")
        if self.fault == "refuses what is sound":
            return self.refuse(400, "invalid_request")
        if self.fault == "undocumented":
            return self.answer(202, {})
        if self.fault == "breaks":
            return self.refuse(500, "internal")
        return self.answer(200, [] if self.fault == "another shape" else {})

    def other(self):
        """A method that the path does not take."""
        if self.fault == "plain refusals":
            return self.answer(405, {}, allow="GET")
        return self.refuse(405, "method_not_allowed", allow="GET")

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_TRACE = do_QUERY = other


class Judged(unittest.TestCase):
    """Faults that must be found."""

    def run_against(self, fault):
        """Checks passed and failed."""
        handler = type("Faulty", (Server,), {"fault": fault})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with tempfile.TemporaryDirectory() as folder:
                document = pathlib.Path(folder) / "openapi.json"
                document.write_text(json.dumps(DOCUMENT))
                base = f"http://127.0.0.1:{server.server_port}"
                return check.judge(*check.drive(document, base, "t", 5, 60), fewest=5)
        finally:
            server.shutdown()
            server.server_close()

    def test_a_sound_server_passes(self):
        passed, failed, told = self.run_against(None)
        self.assertEqual(failed, 0, told)
        self.assertGreater(passed, 5)

    def test_faults_are_found(self):
        for fault in ["undocumented", "breaks", "another shape", "takes anything", "refuses what is sound", "plain refusals"]:
            with self.subTest(fault):
                self.assertGreater(self.run_against(fault)[1], 0)

    def test_a_run_that_did_not_happen_fails(self):
        self.assertEqual(check.judge(None, "no report")[:2], (0, 1))
        little = {"test_cases": {"generated": 3, "with_failures": 0, "errored": 0}, "operations": {"errored": 0, "tested": 1, "total": 1}, "complete": True, "exit_code": 0}
        self.assertEqual(check.judge(little, "", fewest=5)[1], 1)

    def test_a_fault_of_our_own_in_the_log_is_found(self):
        lines = '{"level":"info","m":"a"}\nplain text\n{"level":"error","m":"b"}\n'
        self.assertEqual(len(check.faults(lines)), 1)


if __name__ == "__main__":
    unittest.main()
