"""What the benchmarks share: run whole processes in turns, and print medians with ratios.

Programs are run in turns, round by round, so that a slow moment of the machine falls on all of
them. The first round warms caches and is not counted.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def run(*command: str | Path) -> float:
    """Run a command to its end and return the seconds it took; it must succeed."""
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()}")
    return seconds


def peak_memory(*command: str | Path) -> float:
    """Run a command and return its peak resident memory in MiB, measured by GNU time.

    The operating system counts a process's memory before exec() too, so a child of this
    interpreter would never seem smaller than the interpreter is; a child of `time` can.
    """
    with tempfile.NamedTemporaryFile("r") as report:
        subprocess.run(
            ["time", "-f", "%M", "-o", report.name, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return int(report.read()) / 1024


def in_turns(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the median of `rounds` runs of each contestant, after one that is not counted."""
    runs: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, once in contestants.items():
            seconds = once()
            if number:
                runs[name].append(seconds)
    return {name: statistics.median(several) for name, several in runs.items()}


def show(
    title: str,
    results: Mapping[str, float],
    against: str,
    memory: Mapping[str, float] | None = None,
) -> None:
    """Print one line for each contestant, with the ratio of its time to that of `against`."""
    print(f"\n{title}")
    base = results[against]
    for name, seconds in results.items():
        ratio = f"{seconds / base:6.2f} x {against}"
        peak = f"   {memory[name]:5.0f} MiB at peak" if memory else ""
        print(f"  {name:<40} {seconds * 1000:7.0f} ms {ratio}{peak}")
