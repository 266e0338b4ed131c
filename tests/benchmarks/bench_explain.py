"""How right and how fast the explainer is: `python tests/benchmarks/bench_explain.py`.

Scores explain() on the labelled replies of the shared data, in two halves: the rows whose id ends
in 0-3 were not looked at while rules were written, the others were. A class counts as right when
it stands in the row's `accept`, a person when a class accepted has that person. Then as many
different replies as it takes are explained on one core, and the first explanation is timed in
fresh interpreters.
"""

from __future__ import annotations

import csv
import gc
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from time import perf_counter

from smtpshell.knowledge.classes import CLASSES
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.protocol.replies import Reply

DATA = Path(os.environ.get("SMTPSHELL_DATA", Path(__file__).parents[2].parent / "shared"))
UNSEEN = "0123"
DIFFERENT = 80_000
SLICES = 16
Row = dict[str, str]


def read_rows() -> list[Row]:
    """Return the labelled replies."""
    with (DATA / "replies" / "labelled.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def score(title: str, rows: list[Row], *, by_class: bool = False) -> None:
    """Print the shares that are right among `rows`."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    person = unknown = 0
    mistakes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        explanation = explain(Reply.parse(row["reply"]), Context(verb=row["command"] or None))
        accepted = row["accept"].split(",")
        total[row["class"]] += 1
        right[row["class"]] += explanation.class_ in accepted
        person += explanation.who in {CLASSES[name].who for name in accepted}
        unknown += explanation.class_ == "unknown"
        if explanation.class_ not in accepted:
            mistakes[row["class"]][explanation.class_] += 1
    recall = sum(right[name] / total[name] for name in total) / max(len(total), 1)
    count = max(len(rows), 1)
    print(
        f"{title:28} {len(rows):4} rows  class {right.total() / count:6.1%}  "
        f"mean recall {recall:6.1%}  person {person / count:6.1%}  unknown {unknown / count:5.1%}"
    )
    if by_class:
        for name, made in sorted(mistakes.items()):
            taken = ", ".join(f"{other} {number}" for other, number in made.most_common())
            print(f"    {name} ({right[name]} of {total[name]} right) taken for: {taken}")


def different_replies(rows: list[Row]) -> list[Reply]:
    """Return many replies, each text different from every other."""
    replies = []
    for number in range(DIFFERENT):
        text = rows[number % len(rows)]["reply"]
        replies.append(Reply.parse(f"{text} session {number:x}"))
    return replies


def speed(rows: list[Row]) -> None:
    """Print how many different replies are explained in a second, alone and as JSON.

    Each of `SLICES` holds every text once or more; the fastest counts, because other work of the
    machine can only slow one down. The median stands beside it.
    """
    replies = different_replies(rows)
    context = Context()
    explain(replies[0], context)
    gc.freeze()
    for title, work in (
        ("explain()", lambda reply: explain(reply, context)),
        ("explain().to_json()", lambda reply: explain(reply, context).to_json()),
    ):
        rates = []
        for first in range(0, DIFFERENT, DIFFERENT // SLICES):
            part = replies[first : first + DIFFERENT // SLICES]
            start = perf_counter()
            for reply in part:
                work(reply)
            rates.append(len(part) / (perf_counter() - start))
        print(f"{title:28} {max(rates):8.0f} different replies/s, median {median(rates):.0f}")


def first_use() -> None:
    """Print what importing and the first explanation cost in a fresh interpreter."""
    program = (
        "import time\n"
        "from smtpshell.protocol.replies import Reply\n"
        "import json, pathlib, re\n"
        "a = time.perf_counter()\n"
        "from smtpshell.knowledge.notes import short\n"
        "b = time.perf_counter()\n"
        "short(Reply(220, ('mx.example.com',)))\n"
        "c = time.perf_counter()\n"
        "short(Reply(550, ('5.1.1 User unknown',)))\n"
        "d = time.perf_counter()\n"
        "print(b - a, c - b, d - c)"
    )
    runs = [
        [float(part) for part in output.split()]
        for output in (
            subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, check=True
            ).stdout
            for _ in range(5)
        )
    ]
    names = ("import of the notes", "first note of a success", "first note of a refusal")
    for name, best in zip(names, map(min, zip(*runs, strict=True)), strict=True):
        print(f"{name:28} {best * 1000:8.1f} ms")


def main() -> None:
    """Print all figures."""
    rows = read_rows()
    unseen = [row for row in rows if row["id"][-1] in UNSEEN]
    seen = [row for row in rows if row["id"][-1] not in UNSEEN]
    score("not looked at (0-3)", unseen, by_class="--mistakes" in sys.argv)
    score("  large providers of these", [row for row in unseen if row["set"] == "provider"])
    score("looked at", seen, by_class="--mistakes" in sys.argv)
    score("  large providers of these", [row for row in seen if row["set"] == "provider"])
    speed(rows)
    first_use()


if __name__ == "__main__":
    main()
