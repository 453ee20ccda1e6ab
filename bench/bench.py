#!/usr/bin/env python3
"""Lintel beside nginx and beside nothing, on one machine, in one run. See bench/README.md.

  bench.py run [-s call1k,big200k,...] [-k 3] [--quick] [--binary name=path]   measure, append to results/
  bench.py check                                                              does each answer, byte for byte
  bench.py report                                                             results/*.jsonl -> results/README.md
  bench.py during -s call1k [--subject lintel] -- COMMAND {pids}               run COMMAND while the load runs
"""
import argparse
import signal
import subprocess
import sys
import threading

from harness import machine, measure, proc, report, rounds, scenarios, subjects


def main():
    """Reads the command line and does what it says."""
    # A terminated run must still stop what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse()
    try:
        return {"run": run, "check": check, "report": write_report, "during": during}[options.verb](options)
    except subjects.Failed as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 1


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=["run", "check", "report", "during"])
    parser.add_argument("-s", "--scenarios", default=",".join(s.name for s in scenarios.SCENARIOS), help="comma-separated")
    parser.add_argument("-k", "--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="short loads: shows that it works, not how fast it is")
    parser.add_argument("--lintel", default=str(machine.PRODUCT_TARGET / "release/lintel"), help="the build to measure")
    parser.add_argument("--binary", action="append", default=[], metavar="NAME=PATH", help="another build, beside it")
    parser.add_argument("--subjects", help="comma-separated; default: all")
    parser.add_argument("--subject", default="lintel", help="during: which one")
    parser.add_argument("--wrap", default="", help="during: a command to start Lintel under")
    parser.add_argument("--load", default="", help="during: load client arguments instead of the scenario's")
    parser.add_argument("--note", default="", help="a remark that is kept with the run")
    own, command = sys.argv[1:], []
    if "--" in own:
        at = own.index("--")
        own, command = own[:at], own[at + 1:]
    options = parser.parse_args(own)
    options.command = command
    options.binaries = {"lintel": options.lintel}
    for pair in options.binary:
        name, _, path = pair.partition("=")
        if not path or not name.replace("-", "").isalnum():
            parser.error(f"--binary {pair}: expected NAME=PATH")
        options.binaries[name] = path
    unknown = [name for name in options.scenarios.split(",") if name not in scenarios.BY_NAME]
    if unknown:
        parser.error(f"no such scenario: {', '.join(unknown)}; there are {', '.join(scenarios.BY_NAME)}")
    options.chosen = scenarios.groups(options.scenarios.split(","))
    options.names = options.subjects.split(",") if options.subjects else ["direct", "nginx", *options.binaries]
    return options


def run(options):
    count = 1 if options.quick else options.rounds
    bad = rounds.run(options.names, options.binaries, options.chosen, count, options.quick, options.note)
    if bad:
        print(f"bench: {bad} measurements had errors: their figures mean nothing", file=sys.stderr)
    return 1 if bad else 0


def check(options):
    """One plain and one streamed call through each subject: the bytes must be those of the direct call."""
    wrong, wanted = 0, {}
    with rounds.alone(), rounds.stage(options.names, options.binaries) as (_, cast, _, _):
        direct = subjects.Subject()
        for kind, model in (("small", "mock-d0-b1024"), ("big", "mock-d0-b1024"), ("stream", scenarios.STREAM)):
            wanted[kind] = direct.send(scenarios.body(kind, model))
            for subject in cast:
                status, content_type, body = subject.send(scenarios.body(kind, subject.model(model)))
                same = (status, body) == (wanted[kind][0], wanted[kind][2])
                wrong += not same
                print(f"{subject.name:<10}{kind:<8}{status} {content_type}, {len(body)} bytes: {'same as direct' if same else 'NOT AS DIRECT'}")
                if not same:
                    print(f"  {body[:400]!r}")
        for subject in cast:
            subject.speak(True)
            status, _, body = subject.send(scenarios.body("small", subject.model("mock-d0-b1024")))
            same = (status, body) == (wanted["small"][0], wanted["small"][2])
            wrong += not same
            print(f"{subject.name:<10}{'tls':<8}{status}, {len(body)} bytes: {'same as direct without TLS' if same else 'NOT AS DIRECT'}")
    return 1 if wrong else 0


def write_report(_options):
    print(report.write())
    return 0


def during(options):
    """Starts one subject and a load, runs a command meanwhile, prints what the load saw. For profilers."""
    scenario = scenarios.BY_NAME[options.scenarios.split(",")[0]]
    with rounds.alone(), rounds.stage([options.subject], options.binaries, options.wrap.split()) as (_, cast, work, files):
        subject = cast[0]
        subject.speak(scenario.tls)
        argv = measure.load_argv(subject, scenario, work, scenario.seconds, scenarios.streams_to_hold(files, options.quick))
        argv += options.load.split()
        seen = []
        load = threading.Thread(target=lambda: seen.append(proc.run_pinned(argv, proc.LOAD_CORE, work / "load.err", 900)))
        load.start()
        pids = ",".join(str(pid) for pid in proc.tree(subject.pid)) if subject.pid else ""
        done = subprocess.run([part.replace("{pids}", pids) for part in options.command]) if options.command else None
        load.join()
        print(f"load: {seen[0][0].strip()}")
    return done.returncode if done else 0


if __name__ == "__main__":
    sys.exit(main())
