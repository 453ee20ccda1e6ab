"""What a run was measured on and of: processor, kernel, commit, versions."""
import hashlib
import os
import pathlib
import platform
import subprocess

BENCH = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = BENCH.parent
PRODUCT_TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))


def _output(*argv):
    try:
        done = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip() if done.returncode == 0 else ""


def commit():
    """The repository's commit, short, with `-dirty` when a product file differs from it."""
    name = _output("git", "rev-parse", "--short=10", "HEAD")
    if not name:
        return "uncommitted"
    changed = _output("git", "status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock", "bench/load-client",
                      "bench/mock-upstream", "bench/harness", "bench/nginx.conf", "bench/lintel.yaml",
                      "bench/certificates", "bench/lintel-tls.yaml")
    return name + ("-dirty" if changed else "")


def processor():
    """The processor's name, and how many of it."""
    model = platform.machine()
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{os.cpu_count()} × {model}"


def describe(files):
    """The machine, as it stands in a run's first row."""
    return {"cpu": processor(), "kernel": platform.release(), "memory_mib": _memory(), "open_files": files,
            "nginx": _output("nginx", "-v").rpartition("/")[2], "rustc": _output("rustc", "--version")}


def _memory():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20


def digest(path):
    """The first digits of a file's SHA-256: which build was measured."""
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()[:16]
