"""The runner is judged too: what must fail does, and the document says what the cells say.

    python3 -m unittest discover tests/matrix
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import document
import run

LISTED = {"why": "the upstream is late", "seen": "timed out"}


def cell(ok, why="", client="sdk", upstream="aimock"):
    return run.Cell(client, "an SDK", "1.0", "chat", "create", upstream, ok, 0.1, why)


class Verdicts(unittest.TestCase):
    def test_a_cell_fails_unless_its_failure_is_the_listed_one(self):
        self.assertIsNone(run.verdict(cell(True), None))
        self.assertEqual(run.verdict(cell(False, "no answer"), None), "no answer")
        self.assertIsNone(run.verdict(cell(False, "it timed out"), LISTED))
        self.assertIn("something else", run.verdict(cell(False, "404"), LISTED))
        self.assertIn("remove it", run.verdict(cell(True), LISTED))

    def test_every_listed_reason_is_whole(self):
        _, idle = run.known_cells([])
        self.assertTrue(idle)
        self.assertEqual(len(idle), len(set(idle)), "a cell is listed twice")

    def test_a_client_that_crashes_or_has_no_cell_is_a_problem(self):
        with self.subTest("crash"):
            cells, problem = run.run_client("no_such_client.py", sys.executable, {}, None)
            self.assertEqual(cells, [])
            self.assertIn("ended with 2", problem)


class Document(unittest.TestCase):
    def test_cells_are_marked_by_their_outcome(self):
        cells = [cell(True), cell(False, "x", upstream="sandbox"), cell(False, "timed out", upstream="llama.cpp")]
        text = document.render(cells, {"sdk/chat/create/llama.cpp": LISTED})
        rows = [line for line in text.splitlines() if line.startswith("| an SDK")]
        self.assertEqual(rows, [f"| an SDK | 1.0 | chat completions | {mark} |" for mark in ("✗", "✓", "(1)")])
        self.assertIn("- (1) the upstream is late", text)

    def test_a_changed_outcome_is_a_difference(self):
        before, after = document.render([cell(True)], {}), document.render([cell(False)], {})
        self.assertNotEqual(before, after)
        self.assertEqual(document.render([cell(True)], {}), before)


if __name__ == "__main__":
    unittest.main()
