"""/pipeline, /bdat, /xclient and /xforward: what takes more than one line to type by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.operations import read_blocks
from smtpshell.conversation.report import Report, Row
from smtpshell.protocol.errors import FileError, SmtpshellError, Status, UsageError
from smtpshell.protocol.grammar import encode_xtext
from smtpshell.protocol.message import MessageEncoder, bdat_chunks, bdat_line
from smtpshell.protocol.text import encode, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.conversation.desk import Desk

SEPARATOR = " | "
CHUNK = 1 << 20
"""Octets of a BDAT chunk unless another size is asked for."""


async def pipeline(desk: Desk, argument: str) -> None:
    """Send several lines in one packet and pair the replies with them (RFC 2920)."""
    lines = [line.strip() for line in argument.split(SEPARATOR) if line.strip()]
    if len(lines) < 2:
        raise UsageError(
            "a pipeline has two lines or more",
            "/pipeline",
            "Write /pipeline MAIL FROM:<a@client.example> | RCPT TO:<b@practice.example> | DATA",
        )
    conversation = desk.conversation
    extensions = conversation.snapshot.extensions
    if extensions is None or "PIPELINING" not in extensions:
        conversation.remark("The server has not announced PIPELINING; it may drop such a client.")
    mark = conversation.log.mark()
    sent = await conversation.send(b"".join(encode(line) + b"\r\n" for line in lines))
    await conversation.settle()
    answers = [event.reply for event in conversation.log.replies_since(mark)]
    rows: Report = [Row("Paired in order:", "title")]
    for line, reply in zip(sent, answers, strict=False):
        style = "good" if reply.is_positive else "bad"
        rows.append(Row(f"{reply.code or '???'}  {visible(line.shown)}", style, indent=1))
    desk.show(
        rows,
        {
            "pipeline": [
                {"line": line.shown, "code": reply.code}
                for line, reply in zip(sent, answers, strict=False)
            ]
        },
    )


def _chunks(path: Path, size: int) -> Iterator[tuple[bytes, bool]]:
    encoder = MessageEncoder(dots=False, counted=False)

    def pieces() -> Iterator[bytes]:
        for block in read_blocks(path):
            yield encoder.feed(block)
        yield encoder.close()

    return bdat_chunks(pieces(), size)


async def bdat(desk: Desk, argument: str) -> None:
    """Send a file in BDAT chunks (RFC 3030): no dots are doubled, octets are counted instead."""
    name, size = _bdat_arguments(argument)
    path = Path(name).expanduser()
    try:
        total = path.stat().st_size
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    conversation = desk.conversation
    done = 0
    with conversation.driven("bdat"), desk.progress(path.name, total) as step:
        for chunk, last in _chunks(path, size):
            mark = conversation.log.mark()
            await conversation.send(encode(bdat_line(chunk, last)) + b"\r\n")
            await conversation.send_body([chunk], f"a chunk of {path.name}")
            await conversation.settle()
            done += len(chunk)
            step(done)
            replies = conversation.log.replies_since(mark)
            if not all(event.reply.is_positive for event in replies):
                conversation.remark("A chunk was refused; RSET clears the transaction.")
                return


def _bdat_arguments(argument: str) -> tuple[str, int]:
    name, option, size = argument.partition("--chunk")
    size = size.strip().lstrip("=").strip()
    if not name.strip() or (option and not (size.isdecimal() and int(size))):
        raise UsageError("no file is named", "/bdat", "Write /bdat FILE --chunk 1000.")
    return name.strip(), int(size) if option else CHUNK


async def xclient(desk: Desk, argument: str) -> None:
    """Send XCLIENT: pretend to be another client, where the server trusts us to (Postfix)."""
    await _attributes(desk, "XCLIENT", argument)


async def xforward(desk: Desk, argument: str) -> None:
    """Send XFORWARD: tell the server who the first client was (Postfix)."""
    await _attributes(desk, "XFORWARD", argument)


async def _attributes(desk: Desk, verb: str, argument: str) -> None:
    extensions = desk.conversation.snapshot.extensions
    announced = extensions.get(verb) if extensions is not None else None
    known = announced.parameters if announced is not None else ()
    if not argument:
        words = " ".join(known) or "NAME ADDR PORT PROTO HELO LOGIN"
        raise UsageError(
            "which attributes", f"/{verb.lower()}", f"Write NAME=VALUE; there are: {words}."
        )
    if announced is None:
        desk.conversation.remark(f"The server has not announced {verb}; it trusts few clients.")
    written = []
    for word in argument.split():
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"{word!r} has no value", f"/{verb.lower()}", "Write NAME=VALUE.")
        written.append(f"{name.upper()}={encode_xtext(value)}")
    reply = await desk.conversation.command(f"{verb} {' '.join(written)}")
    if reply is not None and reply.is_refusal:
        raise SmtpshellError(
            f"{verb} was refused with {reply.code}",
            next="Postfix: smtpd_authorized_xclient_hosts lists who may.",
            status=Status.REFUSED,
        )
