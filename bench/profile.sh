#!/bin/sh
# Prints the 40 functions that a Lintel under load spends its CPU in.
#
#   bench/profile.sh [SCENARIO [BINARY]]    start a build under the scenario's load (default: call1k, target/release/lintel)
#   bench/profile.sh --pid PID [SECONDS]    a process that is already under load
#
# Samples with perf (CPU clock: works without hardware counters, in virtual machines). Where perf may not
# sample, counts instructions with callgrind over a bounded number of calls; that needs valgrind, and no --pid.
set -eu
here=$PWD
cd "$(dirname "$0")"
out=target/profile
mkdir -p "$out"

perf_works() {
    command -v perf >/dev/null && perf record -q -e cpu-clock -o "$out/probe.data" true >/dev/null 2>&1
}

sample() { # PIDS SECONDS, as one command that can be run while a load runs
    echo "perf record -q -e cpu-clock -F 1997 -o $out/perf.data -p $1 -- sleep $2"
}

show() {
    echo "== by thread"
    perf report -i "$out/perf.data" --stdio --no-children -F overhead,comm 2>/dev/null | grep -v '^#' | grep . | head -20
    echo "== by function"
    perf report -i "$out/perf.data" --stdio --no-children -F overhead,comm,sym 2>/dev/null | grep -v '^#' | grep . | head -40
}

if [ "${1:-}" = --pid ]; then
    perf_works || { echo "profile: perf can't sample here, and callgrind can't join a running process; see perf_event_paranoid" >&2; exit 1; }
    $(sample "${2:?a process id}" "${3:-8}")
    show
    exit 0
fi

scenario=${1:-call1k}
binary=${CARGO_TARGET_DIR:-$PWD/../target}/release/lintel
[ -z "${2:-}" ] || binary=$(cd "$here" && realpath "$2")
if perf_works; then
    # The load lasts longer than the sampling: two seconds in, it is in full swing.
    python3 bench.py during -s "$scenario" --lintel "$binary" --load "--secs 12" -- sh -c "sleep 2; $(sample '{pids}' 8)"
    show
elif command -v valgrind >/dev/null; then
    case $scenario in
    call1k | big200k | stream500 | chat-to-messages | messages-to-chat) ;;
    *) echo "profile: callgrind needs a closed loop: call1k, big200k, stream500 or a translated stream" >&2; exit 2 ;;
    esac
    file=$out/callgrind.out
    rm -f "$file"
    python3 bench.py during -s "$scenario" --lintel "$binary" --wrap "valgrind --tool=callgrind --callgrind-out-file=$(pwd)/$file" \
        --load "--connections 8 --calls ${CALLS:-2000} --ramp 0 --timeout 120 --secs 600"
    callgrind_annotate "$file" | grep -E '^ *[0-9,]+ \(' | head -41
else
    echo "profile: neither perf nor valgrind is usable: apt-get install linux-perf (or valgrind)" >&2
    exit 1
fi
