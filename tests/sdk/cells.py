"""Runs cells: one check each, named `route/sdk.case`, some of which an upstream is known to fail.

A cell in known_upstream.json passes when it fails, and fails when it passes: the list can only shrink by
being edited.
"""

import json
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))


class Cells:
    def __init__(self, language):
        self.language, self.passed, self.failed, self.seen = language, 0, 0, set()
        with open(os.path.join(HERE, "known_upstream.json"), encoding="utf-8") as file:
            self.known = json.load(file)

    def run(self, name, check):
        """Runs `check`; it raises to fail."""
        self.seen.add(name)
        problem = None
        try:
            check()
        except Exception as error:  # a check fails by raising anything
            lines = traceback.format_exception_only(type(error), error)
            frame = traceback.extract_tb(error.__traceback__)[-1]
            problem = f"{''.join(lines).strip()[:600]} (line {frame.lineno} of {os.path.basename(frame.filename)}: {frame.line})"
        if name in self.known:
            if problem is None:
                self._fail(name, "passes, but known_upstream.json says that the upstream fails it: remove the entry")
            else:
                self._pass(f"{name} (known: {self.known[name]})")
        elif problem is None:
            self._pass(name)
        else:
            self._fail(name, problem)

    def _pass(self, text):
        self.passed += 1
        print(f"ok   {self.language} {text}", flush=True)

    def _fail(self, name, why):
        self.failed += 1
        print(f"FAIL {self.language} {name}: {why}", flush=True)

    def finish(self):
        for name in sorted(set(self.known) - self.seen):
            self._fail(name, "is in known_upstream.json but is no cell")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)
