"""Rows to tables: bench/results/README.md.

A ratio is made within a round, of two measurements minutes apart on the same machine, and then the
median of the rounds' ratios is taken; so is what a subject adds over direct. Each scenario is shown
from the newest full run that has it, and says which that was.
"""
import dataclasses
import json
import statistics

from . import scenarios
from .bars import BARS
from .rounds import RESULTS


@dataclasses.dataclass
class Run:
    """One run's rows: `samples[scenario][subject]` by round, `facts[subject]`."""
    head: dict
    samples: dict
    facts: dict

    def title(self):
        quick = ", quick: not a measurement" if self.head["quick"] else ""
        note = f", {self.head['note']}" if self.head.get("note") else ""
        return f"{self.head['date']} at `{self.head['commit']}`{quick}{note}"


def read(files):
    """Every run in the files, oldest first."""
    runs = {}
    for file in files:
        for text in file.read_text().splitlines():
            row = json.loads(text)
            if row["kind"] == "run":
                runs[row["run"]] = Run(row, {}, {})
            elif row["kind"] == "facts":
                runs[row["run"]].facts[row["subject"]] = row
            elif row["last"]:
                runs[row["run"]].samples.setdefault(row["scenario"], {}).setdefault(row["subject"], {})[row["round"]] = row
    return [runs[name] for name in sorted(runs)]


def pairs(samples, subject, base):
    """(row, base's row) of the rounds that have both; disturbed ones only when there are no others."""
    mine, theirs = samples.get(subject, {}), samples.get(base, {})
    both = [(mine[n], theirs[n]) for n in sorted(mine) if n in theirs]
    calm = [pair for pair in both if not pair[0]["disturbed"] and not pair[1]["disturbed"]]
    return calm or both


def beside(run, scenario, subject):
    """A scenario's samples; of a translated one also the subject's own with nothing translated, as `same protocol`."""
    samples = run.samples[scenario.name]
    if not scenario.against:
        return samples
    return samples | {"same protocol": run.samples.get(scenario.against, {}).get(subject, {})}


def spread(values):
    """(median, least, most), or None of nothing."""
    values = list(values)
    return (statistics.median(values), min(values), max(values)) if values else None


def ratio(key, base="nginx"):
    """How many times the base's CPU, by round. (What nginx puts off is nothing: its path is all of it.)"""
    return lambda s, name: spread(a[key] / b[key] for a, b in pairs(s, name, base) if b[key])


def added(kind, percentile):
    """Milliseconds over direct, by round."""
    return lambda s, name: spread(a[kind][percentile] - b[kind][percentile] for a, b in pairs(s, name, "direct"))


def own(read_row):
    """Of a subject's own rows."""
    return lambda s, name: spread(read_row(a) for a, _ in pairs(s, name, name))


FIGURES = {
    "cpu_us": own(lambda r: r["cpu_us"]), "drained_us": own(lambda r: r["drained_us"]), "path_us": own(lambda r: r["path_us"]),
    "drained_ratio": ratio("drained_us"), "path_ratio": ratio("path_us"),
    "drained_same": ratio("drained_us", "same protocol"), "path_same": ratio("path_us", "same protocol"),
    "per_sec": own(lambda r: r["per_sec"]), "use": own(lambda r: r["gateway_use"]),
    "first_p50": own(lambda r: r["first_ms"]["p50"]), "first_p99": own(lambda r: r["first_ms"]["p99"]),
    "total_p50": own(lambda r: r["total_ms"]["p50"]), "total_p99": own(lambda r: r["total_ms"]["p99"]),
    "added_first_p50": added("first_ms", "p50"), "added_first_p99": added("first_ms", "p99"),
    "added_total_p50": added("total_ms", "p50"), "added_total_p99": added("total_ms", "p99"),
    "kb_per_stream": own(lambda r: (r["rss_peak"] - r["rss_before"]) / 1e3 / max(r["peak_live"], 1)),
    "rss": own(lambda r: r["rss_peak"] / 2**20), "peak_live": own(lambda r: r["peak_live"]),
    "errors": own(lambda r: r["errors"]), "drain_s": own(lambda r: r["drain_s"]),
}
CPU = [("CPU µs to the end of the load", "cpu_us", 1), ("until drained", "drained_us", 1), ("× nginx", "drained_ratio", 2),
       ("path only", "path_us", 1), ("× nginx", "path_ratio", 2), ("a second", "per_sec", 0), ("of its core", "use", 2),
       ("p99 ms", "total_p99", 1), ("peak MiB", "rss", 1), ("errors", "errors", 0)]
SAME = {"drained_ratio": ("× same protocol", "drained_same", 2), "path_ratio": ("× same protocol", "path_same", 2)}
TRANSLATED = [SAME.get(column[1], column) for column in CPU]
LATENCY = [("first p50 ms", "first_p50", 2), ("added", "added_first_p50", 2), ("first p99 ms", "first_p99", 2), ("added", "added_first_p99", 2),
           ("whole p50 added", "added_total_p50", 2), ("whole p99 added", "added_total_p99", 2), ("CPU µs", "drained_us", 1), ("errors", "errors", 0)]
HOLD = [("at once", "peak_live", 0), ("errors", "errors", 0), ("first p99 ms", "first_p99", 1), ("added", "added_first_p99", 1),
        ("KB a stream", "kb_per_stream", 1), ("peak MiB", "rss", 1), ("CPU µs a stream", "drained_us", 0), ("× nginx", "drained_ratio", 2)]
NOT_OF_DIRECT = {"cpu_us", "drained_us", "path_us", "drained_ratio", "path_ratio", "use", "rss", "kb_per_stream"}


def cell(figure, digits):
    """A figure as text, with its spread where the rounds differ."""
    if figure is None:
        return "–"
    middle, least, most = (f"{value:.{digits}f}" for value in figure)
    return middle if least == most else f"{middle} ({least}–{most})"


def table(scenario, run):
    """One scenario's table."""
    samples = run.samples[scenario.name]
    columns = HOLD if scenario.fresh else LATENCY if scenario.latency else TRANSLATED if scenario.against else CPU
    rounds = max(len(rows) for rows in samples.values())
    held = max(row["peak_live"] for rows in samples.values() for row in rows.values())
    out = [f"### {scenario.name}: {scenario.says.format(hold=held)}", "", f"{run.title()}; {rounds} round{'s' if rounds > 1 else ''}", "",
           "| | " + " | ".join(title for title, _, _ in columns) + " |", "|---" + "|---:" * len(columns) + "|"]
    for name in run.head["subjects"]:
        if name in samples:
            rows = beside(run, scenario, name)
            figures = [None if name == "direct" and key in NOT_OF_DIRECT else FIGURES[key](rows, name) for _, key, _ in columns]
            out.append(f"| {name} | " + " | ".join(cell(f, digits) for f, (_, _, digits) in zip(figures, columns)) + " |")
    return out + remarks(samples) + [""]


def remarks(samples):
    """What a reader must know beside the figures: disturbance, losses, and where the CPU went."""
    out = []
    for name, rows in samples.items():
        threads = {t: statistics.median(r["threads_us"].get(t, 0) for r in rows.values()) for r in rows.values() for t in r["threads_us"]}
        if len(threads) > 1:
            parts = sorted(threads.items(), key=lambda item: -item[1])
            out.append(f"- {name}, CPU µs by thread: " + ", ".join(f"{t} {us:.1f}" for t, us in parts if us >= 0.05))
        if name not in ("direct", "nginx", "lintel") and "lintel" in samples:
            against = ", ".join(f"{key[:-3]} × {cell(ratio(key, 'lintel')(samples, name), 3)}" for key in ("cpu_us", "drained_us", "path_us"))
            out.append(f"- {name} against lintel: {against}")
        for number, row in sorted(rows.items()):
            if row["disturbed"]:
                out.append(f"- {name}, round {number}: disturbed, others used {row['foreign']:.2f} of a core")
            if row["errors"]:
                out.append(f"- {name}, round {number}: **errors** {row['error_kinds']}")
            if row["unaccounted"]:
                out.append(f"- {name}, round {number}: **answered but not written down** {row['unaccounted']}")
            if not row["drained"]:
                out.append(f"- {name}, round {number}: had not fallen quiet after {row['drain_s']:.0f} s: more CPU was to come")
    return ["", *out] if out else []


def bars(latest, builds):
    """The bars, by Lintel build: met or not, or not measured."""
    subject = "lintel"
    out = ["## Bars", "", "| | bar | measured | |", "|---|---:|---:|---|"]
    for bar in BARS:
        if bar.scenario is None:
            value = builds.facts.get(subject, {}).get(bar.figure) if builds else None
            figure = None if value is None else (value, value, value)
        else:
            run = latest.get(bar.scenario)
            figure = FIGURES[bar.figure](beside(run, scenarios.BY_NAME[bar.scenario], subject), subject) if run else None
        verdict = "not measured" if figure is None else "met" if figure[0] <= bar.limit else "**missed**"
        out.append(f"| {bar.says} | {bar.limit:g} {bar.unit} | {cell(figure, 2)} | {verdict} |")
    return out + [""]


def build_facts(run):
    """Size, start and idle memory of each build."""
    out = ["## Builds", "", run.title(), "", "| | cold start ms, median | idle MiB | binary MiB | SHA-256 |", "|---|---:|---:|---:|---|"]
    for name, facts in run.facts.items():
        if "sha256" in facts:
            out.append(f"| {name} | {facts['cold_start_ms']} | {facts['idle_mib']} | {facts['binary_mib']} | `{facts['sha256']}` |")
    return out + [""]


def newest(runs, has):
    """The newest full run for which `has` holds; failing that, the newest quick one."""
    fit = [run for run in runs if has(run)]
    full = [run for run in fit if not run.head["quick"]]
    return (full or fit or [None])[-1]


def render(runs):
    """The whole page."""
    latest = {s.name: run for s in scenarios.SCENARIOS if (run := newest(runs, lambda r, n=s.name: n in r.samples))}
    builds = newest(runs, lambda run: any("sha256" in facts for facts in run.facts.values()))
    out = ["# Results", "", "Written by `bench.py report` from the `.jsonl` files here; what the figures mean is in [../README.md](../README.md).",
           "Medians of interleaved rounds (least–most). Figures of different runs or machines do not compare; the ratios nearly do.", ""]
    for of in {id(run): run for run in latest.values()}.values():
        m = of.head["machine"]
        out.append(f"- {of.title()}: {m['cpu']}, Linux {m['kernel']}, {m['memory_mib']} MiB, {m['open_files']} open files, nginx {m['nginx']}, {m['rustc']}")
    out += ["", *bars(latest, builds), *(build_facts(builds) if builds else []), "## Scenarios", ""]
    for scenario in scenarios.SCENARIOS:
        if scenario.name in latest:
            out += table(scenario, latest[scenario.name])
    return "\n".join(out).rstrip() + "\n"


def write():
    """Writes the page and returns it."""
    text = render(read(sorted(RESULTS.glob("*.jsonl"))))
    (RESULTS / "README.md").write_text(text)
    return text
