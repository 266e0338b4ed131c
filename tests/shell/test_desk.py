"""The desk without a terminal: what is asked before, what guests see, what the history is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import contextmanager
from pathlib import Path

import pytest

from smtpshell.conversation import caution
from smtpshell.conversation.guest import GuestCommand
from smtpshell.conversation.operations import open_target, resolve_target
from smtpshell.conversation.report import Row
from smtpshell.conversation.settings import Settings
from smtpshell.protocol.events import Event, Received
from smtpshell.shell.desk import ShellDesk
from smtpshell.shell.view import Look, event_lines
from tests.net.rogue import Smtp, serve


class Page:
    """A console that writes to a list and answers questions from another."""

    width = 80

    def __init__(self, *answers: str | None) -> None:
        self.lines: list[str] = []
        self.asked: list[str] = []
        self.kept: list[tuple[str, str | None]] = []
        self._answers = list(answers)

    def event(self, event: Event, *, typed: bool) -> None:
        """Write an event."""
        for line in event_lines(event, Look(typed=typed)):
            self.lines.append("".join(text for _, text in line))

    def report(self, rows: Iterable[Row]) -> None:
        """Write a report."""
        self.lines += [row.text for row in rows]

    def trouble(self, what: str, advice: str) -> None:
        """Write what went wrong."""
        self.lines.append(f"Failed: {what}. {advice}")

    async def ask(self, question: str, default: str = "", *, secret: bool = False) -> str | None:
        """Answer as the test says."""
        self.asked.append(question)
        return self._answers.pop(0)

    async def wait(self, work: Awaitable[None], waiting: Callable[[], str]) -> bool:
        """Wait."""
        await work
        return True

    @contextmanager
    def progress(self, label: str, total: int | None):
        """Count nothing."""
        yield lambda _done: None

    def remember(self, line: str, shown: str | None = None) -> None:
        """Note what was to be kept."""
        self.kept.append((line, shown))

    def refresh(self) -> None:
        """Draw nothing."""

    def earlier(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()


class Visitor:
    """A guest that keeps lines with a question mark, and writes down what it sees."""

    prompt_prefix = "visit"
    asking = ""
    silent = False

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.commands = {"hint": GuestCommand("hint", "", "a hint", self.hint)}

    async def hint(self, argument: str) -> None:
        """Note that it was asked for."""
        self.seen.append(f"hint {argument}")

    async def start(self, host: object) -> None:
        """Begin."""
        self.seen.append("start")

    async def before_line(self, line: str) -> bool:
        """Keep what asks."""
        self.seen.append(f"before {line}")
        return line.endswith("?")

    async def after_line(self, line: str) -> None:
        """Note."""
        self.seen.append(f"after {line}")

    def on_event(self, event: Event) -> None:
        """Note replies."""
        if isinstance(event, Received):
            self.seen.append(f"reply {event.reply.code}")

    async def end(self) -> None:
        """Go."""
        self.seen.append("end")


def at_desk(page: Page, *lines: str, guest: Visitor | None = None) -> bytes:
    """Type lines at a desk that is connected to a small server; return what the server received."""

    async def run(port: int) -> None:
        desk = ShellDesk(Settings(), page)  # type: ignore[arg-type] # all of a console that is used
        await open_target(desk, await resolve_target(desk, f"127.0.0.1:{port}"))
        if guest is not None:
            await desk.invite(guest)
        for line in lines:
            await desk.take(line)
        await desk.dismiss()
        await desk.conversation.close()

    with serve(Smtp()) as server:
        asyncio.run(run(server.port))
        return bytes(server.received)


LETTER = ("EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<real@person.org>", "DATA", "Hi", ".")


@pytest.mark.parametrize(("answer", "sent"), [("y", True), ("", False), (None, False)])
def test_real_mail_is_asked_about(
    answer: str | None, sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dot of a message that would really leave goes out after a yes only."""
    monkeypatch.setattr(caution, "is_loopback", lambda _address: False)
    page = Page(answer)
    received = at_desk(page, *LETTER)
    assert len([line for line in page.lines if "person.org" in line and "real mail" in line]) == 1
    assert received.endswith(b"Hi\r\n.\r\n") is sent
    assert ("Not sent." in page.lines) is not sent


def test_mail_on_this_machine_is_not_asked_about() -> None:
    """On loopback, and for reserved domains anywhere, nothing is asked."""
    page = Page()
    assert at_desk(page, *LETTER).endswith(b"\r\n.\r\n")
    assert not page.asked


def test_history_is_told_what_a_line_was() -> None:
    """Commands go to the history as the session understood them; message lines never do."""
    page = Page()
    at_desk(page, *LETTER, "AUTH PLAIN =", "//slash", "/notes off")
    kept = [line for line, _ in page.kept]
    assert kept == [*LETTER[:4], "AUTH PLAIN =", "//slash", "/notes off"]


def test_dots_and_literal_slashes() -> None:
    """A leading dot of a message is doubled and told; // sends one slash; nothing else changes."""
    page = Page()
    received = at_desk(page, *LETTER[:4], ".x", "/y", "?", ".", "//z", "noop  a ")
    assert b"..x\r\n/y\r\n?\r\n.\r\n/z\r\nnoop  a \r\n" in received
    assert any("leading dot doubled" in line for line in page.lines)


def test_guest_sees_lines_and_may_keep_them() -> None:
    """A guest sees each line before and after, keeps what it will, and brings commands.

    A local command is not its to keep, but it sees it done; its own it has done itself.
    """
    guest, page = Visitor(), Page()
    received = at_desk(page, "NOOP", "why?", "/status", "/hint now", guest=guest)
    assert received == b"NOOP\r\n"
    assert guest.seen == [
        "start", "before NOOP", "reply 250", "after NOOP", "before why?", "after /status",
        "hint now", "end",
    ]  # fmt: skip


def test_full_chunk_is_told() -> None:
    """Octets typed behind the end of a chunk go out, and that they were a command is told."""
    page = Page()
    received = at_desk(page, *LETTER[:3], "BDAT 4 LAST", "abcdef")
    assert received.endswith(b"BDAT 4 LAST\r\nabcdef\r\n")
    assert any("The chunk was full" in line for line in page.lines)


@pytest.mark.parametrize(("answer", "replaced"), [("y", True), ("", False), (None, False)])
def test_a_file_is_replaced_after_a_yes(answer: str | None, replaced: bool, tmp_path: Path) -> None:
    """/save asks before it replaces a file, and not at all where there is none or it is forced."""
    kept = tmp_path / "session.txt"
    kept.write_text("mine")
    page = Page(answer)
    at_desk(page, f"/save {kept}", f"/save {tmp_path / 'new.txt'}")
    assert (kept.read_text() != "mine") is replaced
    assert len(page.asked) == 1
    page = Page()
    at_desk(page, f"/save --force {kept}")
    assert kept.read_text() != "mine"


def test_lines_without_a_connection_are_never_swallowed() -> None:
    """Each of them is answered, also behind a connection that could not be made."""
    page = Page()
    at_desk(page, "/connect 127.0.0.1:1", "EHLO x", "", "NOOP")
    assert len([line for line in page.lines if "not connected" in line]) == 2
