"""How fast the protocol room is: `python -m tests.benchmarks.bench_protocol`.

Each figure stands beside a floor measured on the same octets at the same time, so that the ratio
means something on any machine: for replies, splitting the octets into lines; for messages, one
`bytes.translate` over them, which touches every octet once and does nothing else useful.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from smtpshell.protocol.commands import Command
from smtpshell.protocol.extensions import gloss, parse_ehlo
from smtpshell.protocol.message import (
    BLOCK,
    LENIENT,
    STRICT,
    DataDecoder,
    MessageEncoder,
    bdat_chunks,
)
from smtpshell.protocol.replies import ReplyReader
from smtpshell.protocol.session import Session

ROUNDS = 3
MEGABYTES = 100
TABLE = bytes(range(256))

EHLO = (
    b"250-mx.example.com at your service\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n250-STARTTLS\r\n"
    b"250-AUTH PLAIN LOGIN XOAUTH2\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8\r\n"
)
REPLIES = (
    b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n"
    b"550-5.1.1 The email account that you tried to reach does not exist.\r\n550 5.1.1 No.\r\n"
)
LINES = (
    "EHLO client.example",
    "MAIL FROM:<ann@client.example> SIZE=1000 BODY=8BITMIME",
    "RCPT TO:<bob@example.com> NOTIFY=NEVER",
    "DATA",
    "QUIT",
)
TEXT = b"The quick brown fox jumps over the lazy dog, and then it does so once again.\r\n"
MESSAGES = {
    "text, a dot every 14 lines": (TEXT * 13 + b".dotted\r\n"),
    "text with bare LF": (TEXT * 13 + b".dotted\r\n").replace(b"\r\n", b"\n"),
    "base64": b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n",
}


def seconds(work: Callable[[], object]) -> float:
    """Return the best time of a few rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def print_rate(what: str, count: int, unit: str, took: float, floor: float | None = None) -> None:
    """Print one line: a rate, and the ratio to its floor."""
    ratio = f"{took / floor:8.1f} x its floor" if floor else ""
    print(f"{what:44} {count / took:12,.0f} {unit:10} {ratio}".rstrip())


def read_replies(octets: bytes, piece: int) -> None:
    """Read a stream of replies that arrives in pieces of a size."""
    reader = ReplyReader()
    for start in range(0, len(octets), piece):
        reader.feed(octets[start : start + piece])


def bench_replies() -> None:
    """Read replies, long ones, and a line that never ends."""
    for name, octets, replies in (("replies read", REPLIES, 4), ("EHLO replies read", EHLO, 1)):
        stream = octets * 2_000
        took = seconds(partial(read_replies, stream, 1460))
        floor = seconds(partial(stream.split, b"\r\n"))
        print_rate(name, replies * 2_000, "replies/s", took, floor)
    flood = b"x" * (MEGABYTES * 1_000_000)
    took = seconds(partial(read_replies, flood, BLOCK))
    floor = seconds(partial(flood.translate, TABLE))
    print_rate("a line without end", MEGABYTES, "MB/s", took, floor)


def bench_commands() -> None:
    """Read commands, EHLO announcements and whole sessions."""
    took = seconds(lambda: [Command.parse(line) for _ in range(2_000) for line in LINES])
    print_rate("commands read", 2_000 * len(LINES), "lines/s", took)
    (reply,) = ReplyReader().feed(EHLO)
    took = seconds(lambda: [[gloss(e) for e in parse_ehlo(reply).items] for _ in range(2_000)])
    print_rate("EHLO replies read and glossed", 2_000, "replies/s", took)
    answers = ReplyReader().feed(b"250 hi\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n")

    def transactions() -> None:
        session = Session()
        session.opened("mx.example.com")
        session.receive(answers[0])
        for _ in range(500):
            for line, answer in zip((*LINES[:4], "."), answers, strict=True):
                session.send(f"{line}\r\n".encode())
                session.receive(answer)

    print_rate("sessions followed", 500, "messages/s", seconds(transactions))


def flow(step: Callable[[bytes], bytes], block: bytes, count: int) -> None:
    """Pass a block through a step so many times."""
    for _ in range(count):
        step(block)


def bench_messages() -> None:
    """Encode, decode and cut large messages, block by block."""
    count = MEGABYTES * 1_000_000 // BLOCK
    for name, piece in MESSAGES.items():
        block = (piece * (BLOCK // len(piece) + 1))[:BLOCK]
        wire = MessageEncoder().feed(block)
        floor = seconds(partial(flow, lambda octets: octets.translate(TABLE), block, count))
        for what, step, octets in (
            ("encode", MessageEncoder().feed, block),
            ("decode", DataDecoder(STRICT).feed, wire),
            ("decode, lenient", DataDecoder(LENIENT).feed, wire),
        ):
            took = seconds(partial(flow, step, octets, count))
            print_rate(f"{what}: {name}", MEGABYTES, "MB/s", took, floor)
    took = seconds(lambda: [0 for _ in bdat_chunks((block for _ in range(count)), 1 << 20)])
    print_rate("BDAT chunks of 1 MiB", MEGABYTES, "MB/s", took, floor)


def main() -> None:
    """Print all figures."""
    bench_replies()
    bench_commands()
    bench_messages()


if __name__ == "__main__":
    main()
