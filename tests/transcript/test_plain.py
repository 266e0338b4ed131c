"""Plain text: the notation, and that nothing from the wire escapes it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.events import Closed, Connected, Failed, Received, Sent
from smtpshell.protocol.replies import ReplyReader
from smtpshell.protocol.session import Snapshot
from smtpshell.transcript.jsonl import as_json, object_of
from smtpshell.transcript.plain import plain_lines, told

NOW = {"at": 0.0, "after": Snapshot()}


def received(octets: bytes, **more) -> Received:
    """Make the event of the first reply in octets."""
    reader = ReplyReader()
    reply = (reader.feed(octets) + reader.close())[0]
    facts = {"reply": reply, "command": "NOOP", "ms": 2.0, "before": Snapshot(), **NOW, **more}
    return Received(**facts)


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["off", "short", "long"]))
def test_whatever_came_is_printable_and_marked(octets, notes) -> None:
    """Every line begins with S: or #, and holds no control character."""
    for line in plain_lines(received(octets), notes, ascii_only=True):
        assert line.startswith(("S: ", "# "))
        assert line.isascii()
        assert line.isprintable()


@given(st.binary(min_size=1, max_size=300))
def test_json_is_one_ascii_line_whatever_came(octets) -> None:
    """Each event is one line of ASCII, and reads back."""
    import json

    line = as_json(object_of(received(octets)))
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["event"] == "reply"


def test_the_wire_lines_keep_their_separators() -> None:
    """Hyphens and codes of multi-line replies are shown as they came."""
    lines = list(plain_lines(received(b"250-a\r\n250-\r\n250 b\r\n"), "off"))
    assert lines == ["S: 250-a", "S: 250-", "S: 250 b"]


def test_notes_off_leaves_the_wire_alone() -> None:
    """With notes off only C: and S: lines remain."""
    events = [
        Connected(target="x", address="192.0.2.1", port=25, tls=False, **NOW),
        Sent(line="NOOP", verb="NOOP", kind="command", ending="\n", **NOW),
        received(b"250 ok\n"),
        Closed(by="server", clean=False, **NOW),
        Failed(stage="wait", status=6, what="gone", next="", **NOW),
    ]
    lines = [line for event in events for line in plain_lines(event, "off")]
    assert lines == ["C: NOOP", "S: 250 ok"]


def test_flaws_and_line_ends_are_told() -> None:
    """A flaw is told with its section; a line end that is not CRLF is told too."""
    assert any("RFC 5321 2.3.8" in line for line in plain_lines(received(b"250 ok\n")))
    sent = Sent(line="NOOP", verb="NOOP", kind="command", ending="\n", **NOW)
    assert list(plain_lines(sent))[1:] == ["# [ended by LF alone]"]


def test_durations_are_told_in_the_unit_that_fits() -> None:
    """Milliseconds up to a second, then seconds."""
    assert [told(ms) for ms in (0.2, 1.0, 999.0, 61_000.0)] == ["<1 ms", "1 ms", "999 ms", "61.0 s"]


def test_the_form_of_a_command_is_remarked_on() -> None:
    """What departs from the grammar is told, and was sent as typed."""
    odd = ("no space belongs behind FROM:",)
    sent = Sent(line="MAIL FROM: <a@b>", verb="MAIL", kind="command", oddities=odd, **NOW)
    assert list(plain_lines(sent))[1:] == [f"# Form: {odd[0]}. It was sent as typed."]
