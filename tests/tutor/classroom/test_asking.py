"""What answers at the socket may be anything: no server, an old one, or one that hangs."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smtpshell.protocol.errors import SmtpshellError
from smtpshell.tutor.classroom import asking
from smtpshell.tutor.classroom.control import Control
from smtpshell.tutor.classroom.room import Room


@contextmanager
def answering(path: Path, answer: bytes | None) -> Iterator[None]:
    """Answer one client so, or let it wait."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1_000)
            if answer is None:
                connection.recv(1_000)
            else:
                connection.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(10)


async def listened(path: Path) -> list[str]:
    """Return all that a server tells a watcher."""
    return [line async for line in asking.overhear(path)]


@pytest.mark.parametrize("watch", [True, False])
@pytest.mark.parametrize("answer", [None, b"[]\n", b"garbage\n", b'"x"\n', b"\xff\n"])
def test_what_makes_no_sense_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes | None, watch: bool
) -> None:
    """Silence too: a server that hangs is not waited for."""
    monkeypatch.setattr(asking, "SECONDS", 0.3)
    path = tmp_path / "s"
    unanswered = pytest.raises(SmtpshellError, match="no classroom server answers")
    with answering(path, answer), unanswered as caught:
        asyncio.run(listened(path) if watch else asking.ask(["ports"], path))
    assert caught.value.status == asking.ENVIRONMENT


def test_a_class_goes_on_where_no_socket_can_be_made(tmp_path: Path) -> None:
    """A state folder that is none costs the teacher the words, and nothing else."""
    (tmp_path / "file").write_text("")

    async def work() -> bool:
        from smtpshell.practice.library import load_scenario

        room = Room(load_scenario("plain"), ["001"], lambda _record: None)
        return await Control(room, tmp_path / "file" / "smtpshell" / "s").open()

    assert asyncio.run(work()) is False
