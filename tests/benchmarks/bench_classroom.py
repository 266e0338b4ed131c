"""Many learners at one classroom server: `python -m tests.benchmarks.bench_classroom [LEARNERS]`.

Every learner connects, makes a mistake, sends a letter to two people and says goodbye, all at the
same time as everybody else; the server follows each through lesson 1. They come in two ways: each
at a port of their own, and all at the one port that the class shares, told apart by their domains.
Beside it stands the floor: the same learners, each at a port of a server that knows the right
replies by heart and does nothing else. Both servers run as processes of their own, so that their
memory is theirs, and the learners as a third.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BASE = 20_000
LEARNERS = 300
ROUNDS = 5
"""In both ways together, ten letters to two people: as much as the world of a learner may hold."""

DIALOGUE: tuple[tuple[str, str], ...] = (
    ("", "220 "),
    ("HELO {name}\r\n", "250 "),
    ("MAIL TO:<bob@practice.example>\r\n", "501 "),
    ("MAIL FROM:<ann@client.example>\r\n", "250 "),
    ("RCPT TO:<bob@practice.example>\r\n", "250 "),
    ("RCPT TO:<carol@practice.example>\r\n", "250 "),
    ("DATA\r\n", "354 "),
    ("Subject: hello\r\n\r\nHello Bob, hello Carol.\r\n.\r\n", "250 "),
    ("QUIT\r\n", "221 "),
)
"""What a learner of some name sends, and how the reply begins."""

Place = tuple[int, str]
"""Where a learner goes: a port, and the name to say there."""

SERVER = (
    *(sys.executable, "-m", "smtpshell", "classroom", "serve", "--lesson", "1", "--json"),
    *("--port", str(BASE)),
)


async def learn(place: Place, gate: asyncio.Event) -> float:
    """Do the dialogue once and return the longest wait for a reply, in seconds."""
    port, name = place
    await gate.wait()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    longest = 0.0
    for line, wanted in DIALOGUE:
        begun = time.perf_counter()
        if line:
            writer.write(line.format(name=name).encode())
        reply = await asyncio.wait_for(reader.readline(), 60)
        longest = max(longest, time.perf_counter() - begun)
        if not reply.startswith(wanted.encode()):
            raise AssertionError(f"{line!r} got {reply!r}")
    writer.close()
    await writer.wait_closed()
    return longest


async def lesson(places: list[Place]) -> tuple[float, float, list[BaseException]]:
    """Let all learn at once; return the seconds it took, the longest wait, and what failed."""
    gate = asyncio.Event()
    tasks = [asyncio.create_task(learn(place, gate)) for place in places]
    await asyncio.sleep(0)
    begun = time.perf_counter()
    gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    seconds = time.perf_counter() - begun
    failures = [each for each in results if isinstance(each, BaseException)]
    waits = [each for each in results if isinstance(each, float)]
    return seconds, max(waits, default=0.0), failures


# --- the floor ----------------------------------------------------------------------------------


async def recite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each line of the dialogue from memory, whatever it is."""
    for line, reply in DIALOGUE:
        for _ in range(line.count("\n")):
            await reader.readline()
        writer.write(f"{reply}ok\r\n".encode())
    await writer.drain()
    writer.close()


async def recite_at(base: int, count: int) -> None:
    """Listen at as many ports as the classroom does."""
    for number in range(1, count + 1):
        await asyncio.start_server(recite, "127.0.0.1", base + number)
    print("ready", flush=True)
    await asyncio.Event().wait()


@contextmanager
def server(command: tuple[str, ...], last: str) -> Iterator[int]:
    """Run a server until the block ends, from the line of its output on that holds `last`."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if last in line.decode():
                break
        else:
            raise SystemExit(f"{command[2]} did not start")
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        yield process.pid
        process.terminate()
        drain.wait(10)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def memory_of(pid: int) -> float:
    """Return the peak resident memory of a process in MiB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) / 1024


def measure(
    title: str,
    command: tuple[str, ...],
    last: str,
    ways: dict[str, list[Place]],
    rounds: int,
) -> tuple[list[float], int]:
    """Print how a class fares in each way; return the median seconds, and the number of failures.

    All ways are taken in turns by the same process.
    """
    begun = time.perf_counter()
    results: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    failures: list[BaseException] = []
    with server(command, last) as pid:
        print(f"{title}\n  ready after {(time.perf_counter() - begun) * 1000:.0f} ms")
        empty = memory_of(pid)
        for _ in range(rounds):
            for way, places in ways.items():
                seconds, wait, failed = asyncio.run(lesson(places))
                results[way].append((seconds, wait))
                failures += failed
        print(f"  {empty:.0f} MiB when nobody had connected, {memory_of(pid):.0f} MiB at peak")
    medians = []
    for way, several in results.items():
        seconds, wait = sorted(several)[rounds // 2]
        medians.append(seconds)
        learners = len(ways[way])
        print(f"  {learners} learners at once, {way}: {seconds * 1000:.0f} ms, no reply later than")
        print(f"  {wait * 1000:.0f} ms, {learners * len(DIALOGUE) / seconds:.0f} replies/s")
    print(f"  {len(failures)} failures{f', the first: {failures[0]!r}' if failures else ''}")
    return medians, len(failures)


def main(learners: int, rounds: int = ROUNDS) -> int:
    """Measure the classroom and the floor; return 1 when a learner of the classroom failed."""
    from smtpshell.tutor.classroom.keys import Keys
    from smtpshell.tutor.classroom.room import make_room_for, students_of

    make_room_for(4 * learners + 64)
    students = students_of(learners)
    keys = Keys(students)
    by_port = [(BASE + number, "client.example") for number in range(1, learners + 1)]
    by_domain = [(BASE, keys.domain_of(student)) for student in students]
    program = (
        f"import asyncio; from {__spec__.name} import *; asyncio.run(recite_at({BASE}, {learners}))"
    )
    floor = (sys.executable, "-c", program)
    (bare,), _ = measure("The floor", floor, "ready", {"by port": by_port}, rounds)
    (port, domain), failures = measure(
        "The classroom server",
        (*SERVER, "--students", str(learners)),
        f'"{students[-1]}"',
        {"by port": by_port, "by domain at one port": by_domain},
        rounds,
    )
    print(f"By port {port / bare:.1f} x the floor, by domain {domain / bare:.1f} x")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LEARNERS))
