"""One scenario through one subject: starts the load, watches, waits for the work put off, makes a row.

CPU is counted three ways. `cpu_us`: to the end of the load. `drained_us`: to the moment when the
subject has fallen quiet again, so what it put off (projections, flushes) counts too. `path_us`: the
latter without the threads that only build projections.
"""
import json
import os
import re
import threading
import time

from . import machine, proc, scenarios, subjects

PROJECTION = re.compile(r"^(lintel-)?proj")
QUIET_SHARE = 0.01   # of a core: below it a subject is quiet
FOREIGN_LIMIT = 0.10  # of a core: above it a measurement is made again
DRAIN_LIMIT = 90
IDLE_LIMIT = float(os.environ.get("BENCH_IDLE_WAIT", 90))


class Memory(threading.Thread):
    """Samples a process tree's resident bytes and keeps the peak."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.peak, self.done = root, 0, threading.Event()

    def run(self):
        while self.root and not self.done.wait(0.25):
            self.peak = max(self.peak, proc.resident(self.root))

    def stop(self):
        self.done.set()
        self.join()
        return self.peak


def load_argv(subject, scenario, work, seconds, hold):
    """The load client's command line for one measurement."""
    file = work / f"body-{subject.name}-{scenario.name}.json"
    file.write_bytes(scenarios.body(scenario.body, subject.model(scenario.model, scenario.provider)))
    argv = [machine.BENCH / "target/release/load-client", *scenario.args.format(secs=seconds, hold=hold).split(),
            *scenario.expect.split(), "--body", file,
            "--url", f"{'https' if scenario.tls else 'http'}://127.0.0.1:{subject.port}{scenario.path}"]
    if scenario.tls:
        argv += ["--ca", subjects.CERTIFICATES / "ca.pem"]
    for name, value in subject.headers().items():
        argv += ["-H", f"{name}: {value}"]
    return argv


def drain(root, before):
    """Waits until the tree's CPU is quiet. Returns (CPU then, seconds it took, whether it fell quiet)."""
    began, last = time.monotonic(), before
    if not root:
        return last, 0.0, True
    quiet_since = began
    while time.monotonic() - began < DRAIN_LIMIT:
        time.sleep(0.5)
        now = proc.Cpu(root)
        spent, _ = now.since(last)
        last = now
        if spent < QUIET_SHARE * 0.5:
            # Two quiet windows: a projection may rest between batches.
            if time.monotonic() - quiet_since > 0.9:
                return last, quiet_since - began, True
        else:
            quiet_since = time.monotonic()
    return last, time.monotonic() - began, False


def measure(subject, scenario, mock, work, seconds, hold):
    """Makes one row."""
    calm = proc.wait_until_machine_idle(IDLE_LIMIT)
    rss = proc.resident(subject.pid) if subject.pid else 0
    memory = Memory(subject.pid)
    cpu0, mock0, own0 = proc.Cpu(subject.pid), proc.Cpu(mock.pid), time.process_time()
    busy0, began = proc.machine_busy(), time.monotonic()
    memory.start()
    argv = load_argv(subject, scenario, work, seconds, hold)
    out, code, load_cpu = proc.run_pinned(argv, proc.LOAD_CORE, work / "load.err", seconds + 150)
    wall = time.monotonic() - began
    cpu1, mock1, own1, busy1 = proc.Cpu(subject.pid), proc.Cpu(mock.pid), time.process_time(), proc.machine_busy()
    peak = memory.stop()
    if code != 0 or not out.strip():
        raise subjects.Failed(f"load client: exit {code}: {subjects.tail(work / 'load.err')}")
    result = json.loads(out)
    cpu2, drain_s, drained = drain(subject.pid, cpu1)
    in_load, _ = cpu1.since(cpu0)
    in_all, threads = cpu2.since(cpu0)
    path = in_all - sum(spent for name, spent in threads.items() if PROJECTION.match(name))
    calls = max(result["ok"], 1)
    foreign = (busy1 - busy0 - in_load - mock1.since(mock0)[0] - load_cpu - (own1 - own0)) / wall

    def micros(cpu_seconds):
        return round(cpu_seconds * 1e6 / calls, 2)

    return {
        "scenario": scenario.name, "subject": subject.name, "seconds": seconds,
        "cpu_us": micros(in_load), "drained_us": micros(in_all), "path_us": micros(path),
        "threads_us": {name: micros(spent) for name, spent in threads.items() if spent > 0},
        "drain_s": round(drain_s, 2), "drained": drained, "gateway_use": round(in_load / wall, 3),
        "load_use": round((mock1.since(mock0)[0] + load_cpu) / wall, 3),
        "rss_before": rss, "rss_peak": max(peak, rss),
        "foreign": round(foreign, 3), "disturbed": foreign > FOREIGN_LIMIT, "calm_before": calm,
        **{key: round(value, 3) if isinstance(value, float) else value for key, value in result.items()},
    }
