"""A server that answers before the message is whole, and a client that does not wait."""

from __future__ import annotations

from tests.conversation.running import in_process
from tests.net.rogue import Connection, serve

REFUSED = b"552 5.3.4 Message size exceeds fixed limit\r\n"
ENVELOPE = ("EHLO client.example", "MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA")

LONG = [f"line {number} " + "x" * 70 for number in range(2_000)]
"""Enough of a message for a reply to come while it is being sent."""


class Impatient:
    """A server that refuses a message at its second line, and closes or reads on."""

    def __init__(self, *, closes: bool, last: bytes = b"552 5.3.4 As said\r\n") -> None:
        self.closes = closes
        self.last = last

    def __call__(self, connection: Connection) -> None:
        """Serve one connection."""
        connection.sendall(b"220 mx.example ESMTP\r\n")
        in_message, seen = False, 0
        for octets in connection.inner.makefile("rb"):
            word = octets.split()[0].upper() if octets.split() else b""
            if in_message:
                seen += 1
                if seen == 2:
                    connection.sendall(REFUSED)
                    if self.closes:
                        return
                if octets == b".\r\n":
                    in_message = False
                    connection.sendall(self.last)
                continue
            in_message = word == b"DATA"
            connection.sendall({b"DATA": b"354 Go on\r\n", b"QUIT": b"221 Bye\r\n"}.get(word, OK))


OK = b"250 2.0.0 Ok\r\n"


def test_an_early_refusal_is_flawed_and_explained() -> None:
    """The refusal inside the message is unasked and early; /why names it and reads it as of it."""
    with serve(Impatient(closes=False)) as server:
        run = in_process(f"127.0.0.1:{server.port}", *ENVELOPE, *LONG, ".", "QUIT", json=True)
    early = [reply for reply in run.events("reply") if "early" in reply["flaws"]]
    assert [(reply["code"], reply["unasked"], reply["command"]) for reply in early] == [
        (552, True, None)
    ]
    assert "larger" in early[0]["note"]["meaning"]
    assert run.status == 26


def test_an_early_refusal_decides_when_the_server_hangs_up() -> None:
    """A server that refuses inside the message and closes has refused it: status 26, not 6."""
    with serve(Impatient(closes=True)) as server:
        run = in_process(f"127.0.0.1:{server.port}", *ENVELOPE, *LONG, ".")
    assert run.status == 26
    assert "# Unasked: the message was not finished yet." in run.lines


def test_send_tells_each_recipient_of_an_early_refusal(tmp_path) -> None:
    """`send` reports the refusal that came before the dot as the fate of the recipients."""
    from tests.conversation.running import smtpshell

    message = tmp_path / "big.eml"
    message.write_bytes(b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 400_000)
    with serve(Impatient(closes=True)) as server:
        run = smtpshell(
            *("send", f"127.0.0.1:{server.port}", "--from", "a@b.example", "--to", "c@d.example"),
            *("--data", str(message), "--json"),
        )
    assert run.status == 26
    (fates,) = run.events("recipients")
    assert fates["recipients"][0]["accepted"] is False
    assert fates["recipients"][0]["stage"] == "message"


def test_a_later_word_replaces_an_early_refusal() -> None:
    """Where the server takes the message after all, its last word counts."""
    with serve(Impatient(closes=False, last=OK)) as server:
        run = in_process(f"127.0.0.1:{server.port}", *ENVELOPE, *LONG, ".", "QUIT")
    assert run.status == 0


def test_why_names_the_client_that_did_not_wait() -> None:
    """A refusal of commands sent without waiting has that for its first cause."""

    def strict(connection: Connection) -> None:
        connection.sendall(b"220 mx.example ESMTP Exim 4.96\r\n")
        connection.recv(1000)
        connection.sendall(b"554 SMTP synchronization error\r\n" * 2)
        connection.recv(1000)

    with serve(strict) as server:
        run = in_process(
            f"127.0.0.1:{server.port}", "/pipeline EHLO me.example | NOOP", "/why", timeout="1"
        )
        again = in_process(
            f"127.0.0.1:{server.port}", "/pipeline EHLO me.example", "/why", timeout="1"
        )
    assert "Commands were sent without waiting" in run.out
    assert "Commands were sent without waiting" not in again.out
