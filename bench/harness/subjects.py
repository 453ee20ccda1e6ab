"""What the calls go through: nothing, nginx, or a build of Lintel. Each can be started, asked and stopped.

Ports are fixed and below the range that outgoing connections draw from: with twenty thousand
sockets open, a port picked at random may be somebody's by the time it is bound again.
"""
import http.client
import json
import os
import secrets
import shutil
import ssl
import statistics
import subprocess
import time

from . import machine, proc

MOCK_PORT, NGINX_PORT, LINTEL_PORT = 9100, 9101, 9110
MOCK_TLS_PORT, NGINX_TLS_PORT = 9102, 9103
CERTIFICATES = machine.BENCH / "target/tls"
PATH = "/v1/chat/completions"


class Failed(Exception):
    """A subject can't be started or answers wrongly: the text says which, why, and where its log is."""


def filled(name, **values):
    """The template bench/NAME with every @KEY@ replaced."""
    text = (machine.BENCH / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text


def certify():
    """Makes a new CA and a leaf for this run: ca.pem, cert.pem and key.pem in CERTIFICATES."""
    made = subprocess.run([machine.BENCH / "target/release/certificates", CERTIFICATES], capture_output=True, text=True, timeout=20)
    if made.returncode:
        raise Failed(f"no certificates were made: {made.stderr.strip()}")


class Subject:
    """Direct: no process stands between load and mock. The others build on it."""
    name = "direct"
    ports = {False: MOCK_PORT, True: MOCK_TLS_PORT}
    """Where it is called, without TLS and with it."""
    process = None
    tls = False
    key = None
    translates = False

    def start(self):
        """Starts it; returns seconds until it was ready."""
        return 0.0

    def speak(self, tls):
        """From now on it is called with TLS, and calls with TLS, or neither."""
        self.tls = tls

    @property
    def port(self):
        return self.ports[self.tls]

    patience = 15
    """Seconds to end by itself when asked to."""

    def stop(self):
        if self.process:
            self.process.stop(self.patience)
            self.process = None

    def restart(self):
        if self.process:
            self.stop()
            self.start()

    @property
    def pid(self):
        return self.process.pid if self.process else None

    def model(self, name, provider="mock"):
        return name

    def headers(self):
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    def send(self, body):
        """One call, whole: (status, content type, body bytes)."""
        if self.tls:
            trust = ssl.create_default_context(cafile=CERTIFICATES / "ca.pem")
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=trust)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", PATH, body, {"content-type": "application/json", **self.headers()})
            reply = connection.getresponse()
            return reply.status, reply.getheader("content-type", ""), reply.read()
        finally:
            connection.close()

    def facts(self):
        """What is measured of it once a run."""
        return {}

    def accounts(self):
        """What it has written down of the calls so far, or None when it writes nothing down."""
        return None

    def wait(self, answers, log, seconds=30):
        """Waits until `answers` says yes; returns how long that took."""
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            if self.process and not self.process.alive():
                break
            try:
                if answers():
                    return time.perf_counter() - began
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.002)
        self.stop()
        raise Failed(f"{self.name} is not ready: see the end of its log\n{tail(log)}")


class Nginx(Subject):
    """One worker, keepalive on both sides, no log: bench/nginx.conf."""
    name = "nginx"
    ports = {False: NGINX_PORT, True: NGINX_TLS_PORT}

    def __init__(self, work, files):
        self.work, self.files = work / "nginx", files

    def start(self):
        self.work.mkdir(exist_ok=True)
        config = self.work / "nginx.conf"
        config.write_text(filled("nginx.conf", LISTEN=f"127.0.0.1:{NGINX_PORT}", UPSTREAM=f"127.0.0.1:{MOCK_PORT}",
                                 TLS_LISTEN=f"127.0.0.1:{NGINX_TLS_PORT}", TLS_UPSTREAM=f"127.0.0.1:{MOCK_TLS_PORT}",
                                 CERTIFICATES=CERTIFICATES, FILES=self.files, CONNECTIONS=2 * self.files))
        log = self.work / "nginx.log"
        binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not binary:
            raise Failed("nginx is not installed: run bench/setup.sh")
        self.process = proc.Proc([binary, "-p", self.work, "-c", config, "-e", self.work / "nginx.err"], proc.GATEWAY_CORE, log)
        return self.wait(lambda: get(NGINX_PORT, "/health")[0] == 200, self.work / "nginx.err")


class Lintel(Subject):
    """A build of Lintel with everything on (bench/lintel.yaml), its store and its call log on disk."""
    translates = True

    def __init__(self, name, binary, work, index, wrap=()):
        self.name, self.binary, self.root, self.wrap = name, os.path.abspath(binary), work / name, list(wrap)
        port = LINTEL_PORT + 2 * index
        self.ports, self.admin_port = {False: port, True: port}, port + 1
        self.token = secrets.token_hex(32)
        self.starts = 0
        # Under a profiler everything, the end included, takes its time.
        self.patience = 120 if self.wrap else 15
        self.cold, self.idle_bytes = [], None
        if not os.access(self.binary, os.X_OK):
            raise Failed(f"{self.binary} is not there: build it with `cargo build --release -p lintel`")

    def speak(self, tls):
        """Its listener does one or the other: it is started anew, with another file, when that changes."""
        if tls != self.tls:
            self.stop()
            self.tls = tls
            self.start()

    def start(self):
        self.starts += 1
        work = self.root / str(self.starts)
        work.mkdir(parents=True)
        config, self.log = work / "lintel.yaml", work / "lintel.log"
        template = "lintel-tls.yaml" if self.tls else "lintel.yaml"
        config.write_text(filled(template, CERTIFICATES=CERTIFICATES, LISTEN=f"127.0.0.1:{self.port}", ADMIN=f"127.0.0.1:{self.admin_port}",
                                 STORE=work / "store", UPSTREAM=f"127.0.0.1:{Subject.ports[self.tls]}"))
        argv = [*self.wrap, self.binary, "serve", "--config", config]
        self.process = proc.Proc(argv, proc.GATEWAY_CORE, self.log, {"LINTEL_ADMIN_TOKEN": self.token}, work)
        took = self.wait(lambda: get(self.admin_port, "/readyz")[0] == 200, self.log, 2 * self.patience)
        time.sleep(0.5)
        if not self.tls:
            self.cold.append(took)
            self.idle_bytes = proc.resident(self.pid)
        made = json.loads(self.cli("key", "create", "--tenant", "bench", "--project", "bench", "--direct", "--json"))
        self.key = made["key"]
        # A new key takes effect within a second, not at once.
        self.wait(lambda: self.send(b"{}")[0] != 401, self.log)
        return took

    def cli(self, *args):
        """Runs a verb of the same binary against this process; returns its output."""
        env = {**os.environ, "LINTEL_ADMIN_TOKEN": self.token, "LINTEL_ADMIN_URL": f"http://127.0.0.1:{self.admin_port}"}
        done = subprocess.run([self.binary, *args], env=env, capture_output=True, text=True, timeout=60, cwd=self.root)
        if done.returncode:
            raise Failed(f"{self.name}: `lintel {' '.join(args)}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def model(self, name, provider="mock"):
        return f"{provider}/{name}"

    def facts(self):
        return {"cold_start_ms": round(statistics.median(self.cold) * 1e3, 1), "cold_starts_ms": [round(c * 1e3, 1) for c in self.cold],
                "idle_mib": round(self.idle_bytes / 2**20, 1), "binary_mib": round(os.path.getsize(self.binary) / 2**20, 1),
                "sha256": machine.digest(self.binary)}

    def accounts(self):
        with open(self.log, "rb") as lines:
            logged = sum(1 for line in lines if line.startswith(b"{") and b'"ex_' in line)
        usage = json.loads(self.cli("usage", "--by", "tenant", "--json"))
        return {"ledger": requests_in(usage), "call_log": logged}


def requests_in(value):
    """The sum of `requests` over the rows of a usage answer, however they are wrapped."""
    if isinstance(value, dict):
        if isinstance(value.get("requests"), int):
            return value["requests"]
        return sum(requests_in(v) for v in value.values() if isinstance(v, list | dict))
    return sum(requests_in(v) for v in value) if isinstance(value, list) else 0


def get(port, path):
    """A GET on loopback: (status, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def tail(path, most=1500):
    """The end of a text file."""
    try:
        return path.read_bytes()[-most:].decode(errors="replace")
    except OSError as error:
        return str(error)


class Mock(Subject):
    """The provider that everything ends at, on the load's core."""
    name = "mock"

    def __init__(self, work):
        self.work = work

    def start(self):
        log = self.work / "mock.log"
        self.process = proc.Proc([machine.BENCH / "target/release/mock-upstream", f"127.0.0.1:{MOCK_PORT}",
                                  f"127.0.0.1:{MOCK_TLS_PORT}", CERTIFICATES], proc.LOAD_CORE, log)
        return self.wait(lambda: get(MOCK_PORT, "/health")[0] == 200, log)
