"""How fast texts are searched for replies: `python tests/benchmarks/bench_intake.py`.

Prints lines per second for logs without replies, replies found and explained per second (each
text different), JSON lines answered per second, and time and size of `smtpshell explain --summary`
over a log of a million lines, of which one in twenty holds a refusal.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter, process_time

from smtpshell.transcript.intake.finder import Finder
from smtpshell.transcript.intake.found import explained
from smtpshell.transcript.intake.lines import text_lines
from smtpshell.transcript.intake.records import answer
from smtpshell.transcript.jsonl import as_json

SAMPLES = Path(__file__).parents[1] / "knowledge" / "samples"
MILLION = int(os.environ.get("LINES", "1000000"))
REFUSAL = (
    "Nov 22 07:07:06 mx postfix/smtp[253]: {0:X}: to=<u{0}@b.example>, "
    "relay=mx.b.example[192.0.2.1]:25, delay=0.2, dsn=5.1.1, status=bounced (host "
    "mx.b.example[192.0.2.1] said: 550 5.1.1 <u{0}@b.example>: User unknown {0} (in reply to RCPT "
    "TO command))"
)
TELLING = ("status=", "reject", "stat=", "**", "==", "=>", "stat=", "failed")


def search(title: str, lines: Iterable[str], *, explain: bool = False) -> None:
    """Print how many lines a second are searched, and replies found (and explained)."""
    octets = "\n".join(lines).encode()
    finder = Finder()
    found = count = 0
    start = process_time()
    for line, _ in text_lines(io.BytesIO(octets)):
        count += 1
        for one in finder.feed(line):
            found += 1
            if explain:
                explained(one)
    took = process_time() - start
    print(f"{title:32} {count / took:10,.0f} lines/s {found / took:10,.0f} replies/s")


def records() -> None:
    """Print how many JSON lines are answered a second."""
    lines = [
        json.dumps({"reply": f"550 5.1.1 <u{number}@b.example>: User unknown", "command": "RCPT"})
        for number in range(20_000)
    ]
    start = process_time()
    for line in lines:
        as_json(answer(line.encode(), len(line), {}))
    print(f"{'JSON lines answered':32} {len(lines) / (process_time() - start):10,.0f} lines/s")


def million() -> None:
    """Print what a long log takes, as a user runs it."""
    quiet = "Nov 22 07:07:06 mx postfix/smtpd[9]: connect from h{0}.example[192.0.2.9]"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mail.log"
        with path.open("w") as file:
            for number in range(MILLION):
                file.write((REFUSAL if number % 20 == 0 else quiet).format(number) + "\n")
        program = (
            "import resource, sys; from smtpshell.cli import guarded; guarded(sys.argv[1:]); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, 'MiB')"
        )
        start = perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program, "explain", "--summary", "--file", path],
            capture_output=True,
            text=True,
            check=True,
        )
        print(f"{MILLION:,} lines: {perf_counter() - start:.1f} s, {done.stdout.splitlines()[-1]}")


def main() -> None:
    """Print all figures."""
    for program in ("postfix", "exim", "sendmail", "opensmtpd"):
        lines = (SAMPLES / program / "mail.log").read_text().splitlines()
        without = [line for line in lines if not any(word in line for word in TELLING)]
        search(f"{program} log without replies", (without * 5_000)[:100_000])
    refused = [REFUSAL.format(number) for number in range(20_000)]
    search("refusals found", refused)
    search("refusals explained", refused, explain=True)
    records()
    million()


if __name__ == "__main__":
    main()
