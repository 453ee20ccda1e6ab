"""Starts a lintel binary for a test, with a configuration, a key and a way to read the ledger back.

Knows nothing about what is tested. Everything listens on loopback, on ports that the system chooses; every
process is stopped by its own id; every wait has an end.
"""

import http.client
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import urlsplit

READY = re.compile(r"listening on (http://\S+) \(admin (http://\S+?)\)")
START_SECONDS = 20
STOP_SECONDS = 10


class Failed(Exception):
    """A process that did not do what the test needs."""


class Process:
    """A child whose standard output is read line by line, so that it never blocks on a full pipe."""

    def __init__(self, command, ready, seconds, **options):
        self.errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, stdin=subprocess.PIPE, text=True, **options)
        self.lines = []
        self.found = None
        self.done = threading.Event()
        threading.Thread(target=self._read, args=(ready,), daemon=True).start()
        self.done.wait(seconds)
        if not self.found:
            self.stop()
            raise Failed(f"{command[0]} was not ready in {seconds} s:\n" + "".join(self.lines) + self.stderr())

    def _read(self, ready):
        for line in self.child.stdout:
            self.lines.append(line)
            self.found = self.found or ready.search(line)
            if self.found:
                self.done.set()
        self.done.set()

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")[-8000:]

    def stop(self):
        """Ends it, politely first. Returns its exit code."""
        if self.child.poll() is None:
            self.child.stdin.close()
            self.child.terminate()
        try:
            return self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait(STOP_SECONDS)


class Lintel:
    """A running gateway. Use as a context manager."""

    def __init__(self, binary, config, environment=None):
        self.folder = tempfile.mkdtemp(prefix="lintel-test-")
        path = os.path.join(self.folder, "lintel.yaml")
        head = f"listen: 127.0.0.1:0\nadmin: {{ listen: 127.0.0.1:0 }}\nstore: {json.dumps(os.path.join(self.folder, 'store'))}\n"
        with open(path, "w", encoding="utf-8") as file:
            file.write(head + config)
        self.binary = os.path.abspath(binary)
        self.token = secrets.token_urlsafe(32)
        self.environment = {**os.environ, **(environment or {}), "LINTEL_ADMIN_TOKEN": self.token}
        try:
            self.process = Process([self.binary, "serve", "--config", path], READY, START_SECONDS, env=self.environment, cwd=self.folder)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.url, self.admin_url = self.process.found.group(1), self.process.found.group(2)
        self.environment["LINTEL_ADMIN_URL"] = self.admin_url

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends it, and fails if it had ended by itself or doesn't end well: a crash must not look like a bad answer."""
        died = self.process.child.poll()
        code = self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if died is not None or code != 0:
            raise Failed(f"lintel ended {'by itself ' if died is not None else ''}with {code}:\n{self.process.stderr()}")

    def key(self, *options):
        """A new key, made by the command line as an operator would."""
        command = [self.binary, "key", "create", "--tenant", "acme", "--project", "search", *options, "--json"]
        made = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=30, check=False)
        if made.returncode:
            raise Failed(f"lintel key create: {made.stderr or made.stdout}")
        return json.loads(made.stdout)["key"]

    def admin(self, path):
        """The control API's answer: status and JSON."""
        address = urlsplit(self.admin_url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        try:
            connection.request("GET", path, headers={"authorization": f"Bearer {self.token}"})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        finally:
            connection.close()

    def exchange(self, identifier, seconds=5):
        """One exchange's record, waiting for it to be queryable; None if it never is."""
        end = time.monotonic() + seconds
        while True:
            status, record = self.admin(f"/api/v1/exchanges/{identifier}")
            if status == 200:
                return record
            if time.monotonic() > end:
                return None
            time.sleep(0.02)


def finish(main):
    """Runs a test program's `main`, which gives its exit code. What kept it from testing anything is one failure."""
    try:
        sys.exit(main())
    except Failed as problem:
        print(problem)
        print("0 passed, 1 failed")
        sys.exit(1)
