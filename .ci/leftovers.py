"""Run a command and insist that it leaves no process behind.

A daemon detaches from its parent, so neither a process group nor a wait() sees it. As the
"subreaper" (prctl(2), Linux) this program inherits every orphan below it instead of init: what is
still its child after the command's end, the command forgot. Those are named and ended, and the
status is then 1.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE = 5.0  # seconds a server may need for ending by itself


def children() -> dict[int, str]:
    """Return the living children of this process: their ids and command lines."""
    alive: dict[int, str] = {}
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    for pid in map(int, listed.split()):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            if words:  # a zombie has none
                alive[pid] = words.decode(errors="replace").strip()
    return alive


def reap() -> None:
    """Collect the status of every child that has ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def run(command: list[str]) -> int:
    """Run a command and return its status, as init does: every orphan that ends is reaped.

    A server's stop script that waits for its master to vanish would wait for ever for a zombie.
    """
    process = subprocess.Popen(command)
    while True:
        pid, status = os.wait()
        if pid == process.pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode


def main(command: list[str]) -> int:
    """Run `command`; return its status, or 1 if it succeeded but left a process."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        print("leftovers: this system knows no subreaper; processes are not watched")
        return subprocess.call(command)
    status = run(command)
    deadline = time.monotonic() + GRACE
    while (left := children()) and time.monotonic() < deadline:
        reap()
        time.sleep(0.1)
    status = status or (1 if left else 0)
    while left:
        for pid, words in left.items():
            print(f"leftovers: process {pid} was left running: {words}", file=sys.stderr)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
        reap()
        left = children()  # the orphans of those just ended
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
