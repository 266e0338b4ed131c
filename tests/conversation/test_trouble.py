"""What `/why` explains: the last trouble, or the refusal that it followed from."""

from __future__ import annotations

import pytest

from tests.conversation.running import in_process
from tests.conversation.test_confirming import talk
from tests.conversation.test_script import Mailish, at
from tests.net.rogue import Connection, serve

EHLO, MAIL, RCPT = "EHLO me.example", "MAIL FROM:<ann@shop.example>", "RCPT TO:<zoe@else.example>"
NOT_OWNED = b"553 5.7.1 <ann@shop.example>: Sender address rejected: not owned by user\r\n"
UNKNOWN = b"550 5.1.1 <zoe@else.example>: User unknown\r\n"


@pytest.mark.parametrize(
    ("answers", "lines", "class_"),
    [
        (
            {"MAIL": NOT_OWNED, "RCPT": b"503 5.5.1 need MAIL\r\n"},
            (EHLO, MAIL, RCPT),
            "sender_rejected",
        ),
        (
            {"RCPT": UNKNOWN, "DATA": b"554 5.5.1 Error: no valid recipients\r\n"},
            (EHLO, MAIL, RCPT, "DATA"),
            "user_unknown",
        ),
        (
            {
                "MAIL": NOT_OWNED,
                "RCPT": b"503 5.5.1 need MAIL\r\n",
                "DATA": b"503 5.5.1 need RCPT\r\n",
            },
            (EHLO, MAIL, RCPT, "DATA"),
            "sender_rejected",
        ),
    ],
)
def test_what_followed_from_a_refusal_leads_back_to_it(answers, lines, class_) -> None:
    """A 503 behind a refused MAIL, and a DATA without recipients, are no causes of their own."""
    with serve(Mailish(answers=answers)) as server:
        run = in_process(at(server), *lines, ".", "/why")
    assert f"#   class           {class_}" in run.lines
    assert "# What came after this refusal followed from it." in run.lines


@pytest.mark.parametrize(
    ("answers", "lines"),
    [
        ({"RCPT": b"503 5.5.1 need MAIL\r\n"}, (EHLO, RCPT)),
        ({"RCPT": b"503 5.5.1 what\r\n"}, (EHLO, MAIL, RCPT)),
        ({"VRFY": UNKNOWN, "NOOP": b"503 5.5.1 no\r\n"}, (EHLO, "VRFY zoe", "NOOP")),
    ],
)
def test_a_refusal_of_its_own_is_explained_itself(answers, lines) -> None:
    """Where nothing before it was refused, or another kind of command, a 503 stands for itself."""
    with serve(Mailish(answers=answers)) as server:
        run = in_process(at(server), *lines, "/why")
    assert "#   class           protocol" in run.lines
    assert "followed from it" not in run.out


def test_a_reason_before_hanging_up_is_the_reason() -> None:
    """A server that refuses and hangs up is explained by its words; a mute one has none."""

    def strict(connection: Connection) -> None:
        connection.sendall(b"220 mx.example ESMTP Exim 4.96\r\n")
        connection.recv(1000)
        connection.sendall(b"554 SMTP synchronization error\r\n")

    with serve(strict) as server:
        lines = talk(f"/connect {at(server)}", "/pipeline EHLO me.example | NOOP", "/why")
    said = "\n".join(lines)
    assert "Commands were sent without waiting" in said
    assert "followed from it" in said

    def mute(connection: Connection) -> None:
        connection.sendall(b"220 mx.example ESMTP\r\n")
        connection.recv(1000)

    with serve(mute) as server:
        lines = talk(f"/connect {at(server)}", "EHLO me.example", "/why")
    assert "closed the connection instead of answering" in "\n".join(lines)


def test_trouble_with_another_server_stays_its_own() -> None:
    """After a connection elsewhere the older refusal keeps its facts, and a check goes back."""
    first = Mailish(answers={"RCPT": b"450 4.2.0 Greylisted\r\n"})
    with serve(first) as one, serve(Mailish()) as other:
        lines = talk(
            *(f"/connect {at(one)}", EHLO, MAIL, RCPT, f"/connect {at(other)}", "EHLO else"),
            *("/why", "/why 1"),
        )
        assert bytes(other.received) == b"EHLO else\r\n"
    assert f"# Running: /connect {at(one)}, then {EHLO}, then {MAIL}, then {RCPT}" in lines
    assert f"port {one.port}" in next(line for line in lines if "sure  " in line)


def test_a_failed_connection_is_told_of_where_it_failed() -> None:
    """A refused port stays the one that is explained when another connection stands."""
    with serve(Mailish()) as server:
        port = server.port
    with serve(Mailish()) as other:
        lines = talk(f"/connect 127.0.0.1:{port}", f"/connect {at(other)}", "/why")
    assert any(f"nothing listens on port {port}" in line for line in lines)
