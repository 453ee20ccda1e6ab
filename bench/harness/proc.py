"""Processes, pinned to a core, and what /proc says of them.

CPU time comes from each thread's schedstat (nanoseconds, by the thread's name) and from each
process's stat (hundredths of a second, but threads that have ended included). It is the process's
own, so it does not depend on who else ran.
"""
import os
import pathlib
import resource
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
GATEWAY_CORE, LOAD_CORE = "0", "1"


def raise_file_limit():
    """Lifts the soft open-file limit to the hard one, for the children too; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Proc:
    """A child process in a session of its own, pinned to `core`, its output in a file."""

    def __init__(self, argv, core, log, env=None, cwd=None):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                ["taskset", "-c", core, *map(str, argv)], env={**os.environ, **(env or {})}, cwd=cwd,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.pid = self.child.pid

    def alive(self):
        return self.child.poll() is None

    def stop(self, patience=10):
        """Asks the process to end, then insists. Only this process and its children are touched."""
        pids = tree(self.pid)
        for sig in (signal.SIGTERM, signal.SIGKILL):
            for pid in pids:
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
            try:
                self.child.wait(patience)
                return
            except subprocess.TimeoutExpired:
                pass


def run_pinned(argv, core, log, timeout):
    """Runs a command to its end; returns (its standard output, its own CPU seconds)."""
    with open(log, "wb") as err:
        child = subprocess.Popen(["taskset", "-c", core, *map(str, argv)], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=err, start_new_session=True)
    killer = _after(timeout, child)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    killer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    return out.decode(), child.returncode, usage.ru_utime + usage.ru_stime


def _after(seconds, child):
    import threading
    timer = threading.Timer(seconds, child.kill)
    timer.daemon = True
    timer.start()
    return timer


def tree(root):
    """The pids of `root` and everything below it."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(f"/proc/{name}/stat")
            if fields:
                children.setdefault(int(fields[1]), []).append(int(name))
    pids, todo = [], [root]
    while todo:
        pid = todo.pop()
        pids.append(pid)
        todo += children.get(pid, [])
    return pids


def _stat(path):
    """The fields of a stat file behind the name in parentheses, or None when it is gone."""
    try:
        with open(path) as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def _thread(pid, tid):
    """(name, CPU seconds) of one thread, or None when it is gone."""
    base = f"/proc/{pid}/task/{tid}"
    try:
        with open(f"{base}/comm") as f:
            name = f.read().strip()
        with open(f"{base}/schedstat") as f:
            return name, int(f.read().split()[0]) / 1e9
    except (OSError, IndexError):
        fields = _stat(f"{base}/stat")
        return (name, (int(fields[11]) + int(fields[12])) / TICK) if fields else None


class Cpu:
    """CPU seconds of a process tree at one moment: in all, and by thread name."""

    def __init__(self, root=None):
        self.total, self.threads = 0.0, {}
        for pid in tree(root) if root else []:
            fields = _stat(f"/proc/{pid}/stat")
            if fields is None:
                continue
            process = (int(fields[11]) + int(fields[12])) / TICK
            living = 0.0
            try:
                tids = os.listdir(f"/proc/{pid}/task")
            except OSError:
                continue
            for tid in tids:
                thread = _thread(pid, tid)
                if thread:
                    name, seconds = thread
                    self.threads[name] = self.threads.get(name, 0.0) + seconds
                    living += seconds
            # Threads that have ended are in the process's figure only, which is rounded to ticks.
            ended = process - living
            if ended > 2 / TICK:
                self.threads["(ended)"] = self.threads.get("(ended)", 0.0) + ended
                living += ended
            self.total += living

    def since(self, earlier):
        """(CPU seconds, the same by thread name) between `earlier` and now."""
        names = sorted(set(self.threads) | set(earlier.threads))
        split = {n: self.threads.get(n, 0.0) - earlier.threads.get(n, 0.0) for n in names}
        return self.total - earlier.total, split


def resident(root):
    """Resident bytes of a process tree."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/statm") as f:
                total += int(f.read().split()[1]) * PAGE
        except OSError:
            pass
    return total


def machine_busy():
    """CPU seconds that the whole machine has spent, idle, waiting and stolen time left out."""
    with open("/proc/stat") as f:
        fields = [int(x) for x in f.readline().split()[1:9]]
    idle, waiting, stolen = fields[3], fields[4], fields[7]
    return (sum(fields) - idle - waiting - stolen) / TICK


def wait_until_machine_idle(limit):
    """Waits until nobody uses more than an eighth of a core; False when the limit came first."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        busy, began = machine_busy(), time.monotonic()
        time.sleep(0.6)
        if machine_busy() - busy < 0.125 * (time.monotonic() - began):
            return True
    return False
