"""One run: every scenario, in interleaved rounds through every subject, so that what drifts on the
machine drifts for all of them. Rows are appended as they come; an interrupted run loses nothing.
"""
import contextlib
import datetime
import fcntl
import json
import pathlib
import shutil
import tempfile

from . import machine, measure, proc, scenarios, subjects

RESULTS = machine.BENCH / "results"
RETRIES = 2
QUICK_SHARE = 0.3
COLD_STARTS = 5


@contextlib.contextmanager
def alone():
    """Holds a lock, so that two benchmarks on one machine wait for each other."""
    with open(pathlib.Path(tempfile.gettempdir()) / "lintel-bench.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def stage(names, binaries, wrap=()):
    """The mock and the chosen subjects, started; stopped and their directory removed at the end."""
    files = proc.raise_file_limit()
    work = pathlib.Path(tempfile.mkdtemp(prefix="lintel-bench-"))
    mock, cast = subjects.Mock(work), []
    builders = {"direct": subjects.Subject, "nginx": lambda: subjects.Nginx(work, files)}
    for index, (name, path) in enumerate(binaries.items()):
        builders[name] = lambda name=name, path=path, index=index: subjects.Lintel(name, path, work, index, wrap)
    unknown = [n for n in names if n not in builders]
    if unknown:
        raise subjects.Failed(f"no such subject: {', '.join(unknown)}; there are {', '.join(builders)}")
    kept = False
    try:
        subjects.certify()
        mock.start()
        for name in names:
            cast.append(builders[name]())
            cast[-1].start()
        yield mock, cast, work, files
    except subjects.Failed:
        kept = True
        raise
    finally:
        for subject in [*cast, mock]:
            subject.stop()
        if kept:
            print(f"logs are kept in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


class Run:
    """Where a run's rows go: bench/results/DATE-COMMIT.jsonl, each with the run's id."""

    def __init__(self, quick, note):
        now = datetime.datetime.now(datetime.UTC)
        self.id, self.quick, self.note = now.strftime("%Y%m%dT%H%M%SZ"), quick, note
        self.commit = machine.commit()
        self.date = f"{now:%Y-%m-%d}"
        self.file = RESULTS / f"{self.date}-{self.commit}.jsonl"
        RESULTS.mkdir(exist_ok=True)

    def write(self, kind, row):
        with open(self.file, "a") as f:
            f.write(json.dumps({"run": self.id, "kind": kind, **row}) + "\n")

    def begin(self, files, names, rounds):
        self.write("run", {"commit": self.commit, "date": self.date, "quick": self.quick, "note": self.note, "rounds": rounds,
                           "subjects": names, "machine": machine.describe(files)})


def run(names, binaries, chosen, rounds, quick, note):
    """Makes a run; returns the number of measurements with errors."""
    out, bad = Run(quick, note), 0
    with alone(), stage(names, binaries) as (mock, cast, work, files):
        out.begin(files, names, rounds)
        cold_starts(cast, 1 if quick else COLD_STARTS)
        hold = scenarios.streams_to_hold(files, quick)
        for group in chosen:
            turns = [(scenario, s) for scenario in group for s in cast if s.translates or not scenario.against]
            for scenario, subject in turns:
                # All of a group speak alike: nothing is begun anew within its rounds for this.
                subject.speak(scenario.tls)
                if not scenario.latency:
                    warm_up(subject, scenario, work)
            for number in range(min(rounds, group[0].rounds)):
                # Each round begins with another turn: none is always the one after the pause.
                first = number % len(turns)
                for scenario, subject in turns[first:] + turns[:first]:
                    seconds = max(2, round(scenario.seconds * (QUICK_SHARE if quick and not scenario.fresh else 1)))
                    retries = 0 if quick else RETRIES
                    bad += one(out, subject, scenario, mock, work, seconds, hold, number, retries)
        for subject in cast:
            out.write("facts", {"subject": subject.name, **subject.facts()})
    print(f"rows: {out.file.relative_to(machine.REPOSITORY)}")
    return bad


def cold_starts(cast, times):
    for subject in cast:
        for _ in range(times - 1):
            subject.restart()


def warm_up(subject, scenario, work):
    """Fills pools and caches before anything is counted."""
    proc.run_pinned(measure.load_argv(subject, scenario, work, 1, 1), proc.LOAD_CORE, work / "warm.err", 60)


def one(out, subject, scenario, mock, work, seconds, hold, number, retries):
    """One measurement, made again while others disturb it; returns whether it had errors."""
    for attempt in range(retries + 1):
        if scenario.fresh:
            subject.restart()
        before = subject.accounts()
        row = {"round": number, "attempt": attempt, **measure.measure(subject, scenario, mock, work, seconds, hold)}
        row["unaccounted"] = unaccounted(subject, before, row)
        if subject.process and not subject.process.alive():
            raise subjects.Failed(f"{subject.name} died in {scenario.name}")
        row["last"] = not row["disturbed"] or attempt == retries
        out.write("sample", row)
        print(line(row), flush=True)
        if row["last"]:
            return bool(row["errors"] or row["unaccounted"])
    return False


def unaccounted(subject, before, row):
    """Calls that were answered but are missing from the ledger or the call log; {} when all is well."""
    if before is None:
        return {}
    after = subject.accounts()
    made = {kind: after[kind] - before[kind] for kind in after}
    return {kind: row["ok"] - count for kind, count in made.items() if count < row["ok"]}


def line(row):
    """A row on the terminal."""
    parts = [f"{row['scenario']:<17}{row['subject']:<10}#{row['round']} {row['ok']:>7} calls {row['per_sec']:>8.0f}/s"]
    if row["rss_before"]:
        parts.append(f"cpu {row['cpu_us']:.1f} drained {row['drained_us']:.1f} path {row['path_us']:.1f} µs, {row['gateway_use']:.2f} of the core")
        parts.append(f"rss {row['rss_peak'] / 2**20:.1f} MiB")
    parts.append(f"first p50 {row['first_ms']['p50']} p99 {row['first_ms']['p99']} ms")
    if row["errors"]:
        parts.append(f"ERRORS {row['error_kinds']}")
    if row["unaccounted"]:
        parts.append(f"UNACCOUNTED {row['unaccounted']}")
    if row["disturbed"]:
        parts.append(f"disturbed (others used {row['foreign']:.2f} of a core)")
    return "; ".join(parts)
