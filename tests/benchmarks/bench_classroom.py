"""Many learners at one classroom server: `python -m tests.benchmarks.bench_classroom [LEARNERS]`.

Every learner connects, makes a mistake, sends a letter to two people and says goodbye, all at the
same time as everybody else; the server follows each through lesson 1. Beside it stands the floor:
the same learners, at a server that knows the right replies by heart and does nothing else. Both run
as processes of their own, so that their memory is theirs, and the learners as a third.
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

DIALOGUE: tuple[tuple[str, str], ...] = (
    ("", "220 "),
    ("HELO client.example\r\n", "250 "),
    ("MAIL TO:<bob@practice.example>\r\n", "501 "),
    ("MAIL FROM:<ann@client.example>\r\n", "250 "),
    ("RCPT TO:<bob@practice.example>\r\n", "250 "),
    ("RCPT TO:<carol@practice.example>\r\n", "250 "),
    ("DATA\r\n", "354 "),
    ("Subject: hello\r\n\r\nHello Bob, hello Carol.\r\n.\r\n", "250 "),
    ("QUIT\r\n", "221 "),
)
"""What a learner sends, and how the reply begins."""

SERVER = (
    *(sys.executable, "-m", "smtpshell", "classroom", "serve", "--lesson", "1", "--json"),
    *("--port", str(BASE)),
)


async def learn(port: int, gate: asyncio.Event) -> float:
    """Do the dialogue once and return the longest wait for a reply, in seconds."""
    await gate.wait()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    longest = 0.0
    for line, wanted in DIALOGUE:
        begun = time.perf_counter()
        if line:
            writer.write(line.encode())
        reply = await asyncio.wait_for(reader.readline(), 60)
        longest = max(longest, time.perf_counter() - begun)
        if not reply.startswith(wanted.encode()):
            raise AssertionError(f"{line!r} got {reply!r}")
    writer.close()
    await writer.wait_closed()
    return longest


async def lesson(ports: list[int]) -> tuple[float, float, list[BaseException]]:
    """Let all learn at once; return the seconds it took, the longest wait, and what failed."""
    gate = asyncio.Event()
    tasks = [asyncio.create_task(learn(port, gate)) for port in ports]
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
    title: str, command: tuple[str, ...], last: str, learners: int, rounds: int
) -> tuple[float, int]:
    """Print how a class fares; return the median of the seconds, and the number of failures."""
    begun = time.perf_counter()
    with server(command, last) as pid:
        started = time.perf_counter() - begun
        ports = [BASE + number for number in range(1, learners + 1)]
        results = [asyncio.run(lesson(ports)) for _ in range(rounds)]
        memory = memory_of(pid)
    failures = [each for _, _, several in results for each in several]
    seconds, wait = sorted((seconds, wait) for seconds, wait, _ in results)[rounds // 2]
    print(f"{title}")
    print(f"  ready after {started * 1000:.0f} ms, {memory:.0f} MiB at peak")
    print(f"  {learners} learners at once: {seconds * 1000:.0f} ms, no reply later than")
    print(f"  {wait * 1000:.0f} ms, {learners * len(DIALOGUE) / seconds:.0f} replies/s")
    print(f"  {len(failures)} failures{f', the first: {failures[0]!r}' if failures else ''}")
    return seconds, len(failures)


def main(learners: int, rounds: int = ROUNDS) -> int:
    """Measure the classroom and the floor; return 1 when a learner of the classroom failed."""
    from smtpshell.tutor.classroom.room import make_room_for, students_of

    make_room_for(4 * learners + 64)
    program = (
        f"import asyncio; from {__spec__.name} import *; asyncio.run(recite_at({BASE}, {learners}))"
    )
    floor, _ = measure("The floor", (sys.executable, "-c", program), "ready", learners, rounds)
    command = (*SERVER, "--students", str(learners))
    ours, failures = measure(
        "The classroom server", command, f'"{students_of(learners)[-1]}"', learners, rounds
    )
    print(f"{ours / floor:.1f} x the floor")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LEARNERS))
