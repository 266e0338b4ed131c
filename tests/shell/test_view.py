"""How events look: layout, width, and that nothing a server sends gets out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.events import Closed, Connected, Failed, Received, Sent, TlsStarted
from smtpshell.protocol.replies import Reply, ReplyReader
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.text import visible
from smtpshell.shell.fragments import Line, width_of
from smtpshell.shell.theme import THEME
from smtpshell.shell.view import Look, event_lines
from tests.shell.stage import HELLO, MAIL, after


def received(reply: Reply, command: str | None = "NOOP", **more: object) -> Received:
    """Return the event of a reply."""
    facts = {"line": command or "", "before": after(HELLO), "after": after(HELLO), **more}
    return Received(at=1.0, reply=reply, command=command, ms=12.3, **facts)  # type: ignore[arg-type] # its fields


def shown(event: object, **look: object) -> list[str]:
    """Return an event's lines as text."""
    lines = event_lines(event, Look(**look))  # type: ignore[arg-type] # its fields
    return ["".join(text for _, text in line) for line in lines]


def whole(text: str) -> Reply:
    """Return a reply with its octets."""
    (reply,) = ReplyReader().feed(text.encode("utf-8", "surrogateescape"))
    return reply


def test_timing_stands_at_the_right() -> None:
    """The time of a reply ends at the right edge of its line, the note is indented below."""
    first, second = shown(received(whole("250 2.0.0 Ok\r\n")), width=60)
    assert first == "S: 250 2.0.0 Ok".ljust(55) + "12 ms"
    assert second.startswith("   ")
    assert shown(received(whole("250 2.0.0 Ok\r\n")), timing=False)[0] == "S: 250 2.0.0 Ok"


def test_glosses_stand_in_a_column() -> None:
    """Each keyword of an EHLO reply has its meaning beside it, all in one column."""
    lines = shown(received(whole(HELLO[1] + "\r\n"), "EHLO"), width=100)
    assert lines[1].index("messages up to") == lines[2].index("the connection can")
    assert lines[4].endswith("12 ms")


@pytest.mark.parametrize("width", [24, 40, 60, 79, 99])
def test_nothing_of_ours_passes_the_edge(width: int) -> None:
    """Notes and glosses are broken within the window, however narrow."""
    event = received(whole(HELLO[1] + "\r\n"), "EHLO")
    for line in event_lines(event, Look("long", width=width)):
        if not line or line[0][1] != "S: ":
            assert width_of(line) <= max(width, 26)


def test_refusals_lead_to_why() -> None:
    """A refusal's note ends with /why, below it where there is no room; others have none."""
    refused = received(whole("550 5.1.1 No such user\r\n"), "RCPT")
    assert shown(refused, width=90)[-1].endswith("   /why")
    assert "/why" in "\n".join(shown(refused, width=30))
    assert "/why" not in "\n".join(shown(received(whole("250 Ok\r\n"))))


def test_unasked_is_marked() -> None:
    """A reply that nothing asked for is told apart in words before it."""
    lines = shown(received(whole("421 4.3.2 Bye\r\n"), None, unasked=True))
    assert lines[0].startswith("Unasked: ")
    assert lines[1] == "S: 421 4.3.2 Bye"


def test_notes_off_leaves_the_wire() -> None:
    """With notes off only wire lines are left."""
    assert shown(received(whole("550 no\r\n")), notes="off", timing=False) == ["S: 550 no"]


def test_typed_lines_are_not_repeated() -> None:
    """A typed line stands at the prompt; others are shown as C:, and both tell what was changed."""
    sent = Sent(at=0.0, after=Snapshot(), line="..x", verb="", kind="data", stuffed=True)
    assert shown(sent)[0] == "C: ..x"
    (only,) = shown(sent, typed=True)
    assert "leading dot doubled" in only
    early = Sent(
        at=0.0, after=after(HELLO), line="DATA", verb="DATA", kind="command", out_of_order=True
    )
    assert "Out of order" in shown(early, typed=True)[0]


@pytest.mark.parametrize(
    ("target", "address", "told"),
    [
        ("mx.example", "192.0.2.1", "mx.example, 192.0.2.1 port 25."),
        ("192.0.2.1:25", "192.0.2.1", "192.0.2.1 port 25."),
        ("smtp://192.0.2.1", "192.0.2.1", "192.0.2.1 port 25."),
        ("[2001:db8::1]", "2001:db8::1", "2001:db8::1 port 25."),
    ],
)
def test_an_address_is_told_once(target: str, address: str, told: str) -> None:
    """Whoever connects to an address reads it once; a name is followed by its address."""
    event = Connected(at=0.0, after=Snapshot(), target=target, address=address, port=25, tls=False)
    assert shown(event) == [f"Connected to {told}"]


def test_failures_say_what_to_do() -> None:
    """A failure tells what happened and what to try, on any width."""
    failed = Failed(
        at=0.0, after=Snapshot(), stage="connect", status=2, what="mx: refused", next="Try."
    )
    assert shown(failed) == ["Failed: mx: refused.", "   Try.   /why"]


def test_bad_certificates_are_told_in_words() -> None:
    """The verdict on a certificate is words, and each problem has a line."""
    event = TlsStarted(
        at=0.0,
        after=Snapshot(),
        version="TLSv1.3",
        cipher="X",
        verified=False,
        problems=("expired",),
    )
    assert "certificate NOT good" in shown(event)[0]
    assert shown(event)[1] == "   expired."
    assert shown(Closed(at=0.0, after=Snapshot(), by="server", clean=False)) == [
        "Connection closed by the server, without QUIT."
    ]


@given(st.binary(min_size=1, max_size=200), st.sampled_from(["EHLO", "AUTH", "VRFY", None]))
def test_hostile_octets(octets: bytes, command: str | None) -> None:
    """Whatever a server sends, each line is printable once it has passed the screen's door."""
    reader = ReplyReader()
    for reply in [*reader.feed(b"250-x\r\n250 " + octets + b"\r\n"), *reader.close()]:
        for text in shown(received(reply, command), notes="long"):
            assert visible(text).isprintable()


def test_styles_are_in_the_theme() -> None:
    """Every style that the view uses has a row in the theme."""
    events = [
        received(whole(f"{code} 2.0.0 x\r\n"), verb)
        for code in (220, 334, 451, 550, 999)
        for verb in ("EHLO", "AUTH", None)
    ]
    lines: list[Line] = [line for event in events for line in event_lines(event, Look("long"))]
    styles = {style for line in lines for style, _ in line if style}
    assert styles <= set(THEME)
    assert {"code.2", "code.5", "note", "hint"} <= styles
    assert after(HELLO, MAIL).sender
