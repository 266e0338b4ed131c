"""Replies: every oddity has its name, and how the octets are cut changes nothing."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.replies import (
    FLAWS,
    LINE_ALLOWED,
    LINE_STORED,
    REPLY_STORED,
    Reply,
    ReplyReader,
)
from tests.protocol.feeding import cut, one_by_one, places

WIRE = {
    "one line": (b"250 2.1.0 Ok\r\n", 250, ("2.1.0 Ok",), ()),
    "many lines": (
        b"250-mx.example.com\r\n250-SIZE 1000\r\n250 HELP\r\n",
        250,
        ("mx.example.com", "SIZE 1000", "HELP"),
        (),
    ),
    "empty text": (b"250 \r\n", 250, ("",), ()),
    "mismatched-code": (
        b"250-one\r\n251 two\r\n",
        251,
        ("one", "two"),
        ("mismatched-code",),
    ),
    "bare-lf": (b"250 ok\n", 250, ("ok",), ("bare-lf",)),
    "bare-cr": (b"250 one\rtwo\r\n", 250, ("one\rtwo",), ("bare-cr",)),
    "bare-cr before the end": (b"250 one\r\r\n", 250, ("one\r",), ("bare-cr",)),
    "bare-code": (b"250\r\n", 250, ("",), ("bare-code",)),
    "missing-space": (b"250ok\r\n", 250, ("ok",), ("missing-space",)),
    "tab for a space": (b"250\tok\r\n", 250, ("\tok",), ("missing-space",)),
    "code below the range": (b"199 low\r\n", 199, ("low",), ("code-out-of-range",)),
    "code above the range": (b"600 high\r\n", 600, ("high",), ("code-out-of-range",)),
    "no-code": (b"hello\r\n", None, ("hello",), ("no-code",)),
    "an empty line": (b"\r\n", None, ("",), ("no-code",)),
    "two digits": (b"25 ok\r\n", None, ("25 ok",), ("no-code",)),
    "no code inside a reply": (
        b"550-no\r\nhelp at example.com\r\n550 here\r\n",
        550,
        ("no", "help at example.com", "here"),
        ("no-code",),
    ),
    "nul": (b"250 a\0b\r\n", 250, ("a\0b",), ("nul",)),
    "control": (b"250 \x1b[31mred\r\n", 250, ("\x1b[31mred",), ("control",)),
    "C1 control": (b"250 \xc2\x9b31m\r\n", 250, ("\x9b31m",), ("control", "not-ascii")),
    "not-utf8": (b"550 caf\xe9\r\n", 550, ("caf\udce9",), ("not-utf8",)),
    "not-ascii": ("550 café\r\n".encode(), 550, ("café",), ("not-ascii",)),
    "long-line": (
        b"250 " + b"x" * 507 + b"\r\n",
        250,
        ("x" * 507,),
        ("long-line",),
    ),
}


def read(pieces, **limits) -> list[Reply]:
    """Read everything, to the end of the connection."""
    reader = ReplyReader(**limits)
    replies = [reply for piece in pieces for reply in reader.feed(piece)]
    return replies + reader.close()


@pytest.mark.parametrize("case", WIRE)
@pytest.mark.parametrize("by", [lambda octets: [octets], one_by_one], ids=["whole", "octets"])
def test_each_form_is_read_and_its_flaws_are_named(case, by):
    """A reply gives its code, lines and flaws, fed whole or octet by octet."""
    octets, code, lines, flaws = WIRE[case]
    assert read(by(octets)) == [Reply(code, lines, flaws, octets, len(octets))]


def test_a_line_of_exactly_512_octets_has_no_flaw():
    """The limit of RFC 5321 section 4.5.3.1.5 is itself allowed."""
    octets = b"250 " + b"x" * (LINE_ALLOWED - 6) + b"\r\n"
    assert read([octets])[0].flaws == ()


@pytest.mark.parametrize("octets", [b"250 ok", b"250-ok\r\n", b"250-ok\r\n250", b"2"])
@pytest.mark.parametrize("by", [lambda octets: [octets], one_by_one], ids=["whole", "octets"])
def test_a_reply_that_the_end_cuts_off_is_kept_and_flagged(octets, by):
    """What was held when the connection ended comes out as one reply."""
    (reply,) = read(by(octets))
    assert "cut-off" in reply.flaws
    assert reply.raw == octets


def test_every_flaw_can_occur_except_those_that_the_reader_cannot_see():
    """The table of flaws holds none that nothing sets; `injected` and `early` are the session's."""
    seen = {flaw for *_, flaws in WIRE.values() for flaw in flaws}
    assert set(FLAWS) - seen == {"cut-off", "too-long", "injected", "early"}


def test_several_replies_in_one_piece_come_out_in_order():
    """Pipelined replies are told apart, and what is unfinished waits."""
    reader = ReplyReader()
    replies = reader.feed(b"250 one\r\n354-two\r\n354 go\r\n42")
    assert [reply.text for reply in replies] == ["one", "two\ngo"]
    assert reader.pending
    assert reader.feed(b"1 bye\r\n")[0].code == 421
    assert not reader.pending


def test_discard_gives_back_what_was_held():
    """Octets that arrived before a handshake are handed over and forgotten."""
    reader = ReplyReader()
    reader.feed(b"250-half\r\n250-and a ha")
    assert reader.discard() == b"250-half\r\n250-and a ha"
    assert not reader.pending
    assert reader.feed(b"220 new\r\n")[0].text == "new"


def test_a_line_beyond_the_limit_is_cut_counted_and_flagged():
    """Octets beyond the storage limit are dropped, and their number is known."""
    octets = b"250 " + b"x" * 3 * LINE_STORED + b"\r\n250 next\r\n"
    long, following = read([octets])
    assert len(long.raw) == LINE_STORED
    assert long.octets == 3 * LINE_STORED + 6
    assert long.flaws == ("long-line", "too-long")
    assert following == Reply(250, ("next",), (), b"250 next\r\n", 10)


def test_a_reply_beyond_the_limit_is_cut_counted_and_still_ends():
    """A flood of continuation lines is bounded, and the last line still ends the reply."""
    line = b"250-" + b"x" * 94 + b"\r\n"
    octets = line * (2 * REPLY_STORED // len(line)) + b"250 end\r\n220 next\r\n"
    long, following = read([octets])
    assert len(long.raw) <= REPLY_STORED
    assert long.octets == len(octets) - len(b"220 next\r\n")
    assert "too-long" in long.flaws
    assert following.text == "next"


def test_a_line_of_100_megabytes_needs_little_memory():
    """Memory stays bounded whatever a server sends without a line end."""
    piece = b"x" * 65_536
    reader = ReplyReader()
    tracemalloc.start()
    try:
        for _ in range(1600):
            reader.feed(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (reply,) = reader.close()
    assert reply.octets == 1600 * len(piece)
    assert peak < 1 << 20


def test_an_endless_reply_needs_little_memory():
    """Memory stays bounded for continuation lines without end, even empty ones."""
    piece = b"250-\r\n" * 10_000
    reader = ReplyReader()
    tracemalloc.start()
    try:
        for _ in range(8):
            reader.feed(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reader.pending
    assert peak < 4 << 20


reply_like = st.lists(
    st.sampled_from(
        [b"250", b"-", b" ", b"ok", b"\r\n", b"\n", b"\r", b"550", b"\0", b"\xff", b"\xc3", b"\xa9"]
    )
    | st.binary(max_size=4),
    max_size=30,
).map(b"".join)


@given(reply_like, places)
def test_any_octets_are_read_and_cuts_do_not_matter(octets, where):
    """No octets raise, none are lost from the count, and any cutting gives the same replies."""
    whole = read([octets])
    assert read(cut(octets, where)) == whole
    assert read(one_by_one(octets)) == whole
    assert sum(reply.octets for reply in whole) == len(octets)
    assert b"".join(reply.raw for reply in whole) == octets
    assert all(flaw in FLAWS for reply in whole for flaw in reply.flaws)


@given(reply_like, places)
def test_small_limits_hold_however_octets_are_cut(octets, where):
    """Storage limits bound what is kept, and the result still does not depend on the cuts."""
    limits = {"line_stored": 8, "reply_stored": 20}
    whole = read([octets], **limits)
    assert read(cut(octets, where), **limits) == whole
    assert all(len(reply.raw) <= 20 for reply in whole)


@given(st.integers(200, 599), st.lists(st.text("abc é.-", max_size=20), min_size=1, max_size=5))
def test_a_well_formed_reply_is_read_back(code, lines):
    """What a server writes by the grammar is what the reader gives."""
    separators = ["-"] * (len(lines) - 1) + [" "]
    wire = "".join(
        f"{code}{separator}{line}\r\n" for separator, line in zip(separators, lines, strict=True)
    )
    (reply,) = read([wire.encode()])
    assert (reply.code, reply.lines) == (code, tuple(lines))
    assert set(reply.flaws) <= {"not-ascii"}


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("5.1.1 unknown", "5.1.1"),
        ("4.7.999: wait", "4.7.999"),
        ("2.0.0", "2.0.0"),
        ("3.1.1 no such class", None),
        ("5.1 short", None),
        ("5.1.1.1 an address", None),
        ("5.1.1000 long", None),
        ("see 5.1.1", None),
        ("", None),
    ],
)
def test_the_enhanced_code_stands_at_the_head_of_the_text(text, enhanced):
    """Only a well-formed code of class 2, 4 or 5 at the head counts (RFC 2034 section 4)."""
    assert Reply(550, (text,)).enhanced == enhanced


def test_the_family_decides_what_a_reply_is():
    """The first digit alone tells done, go on, not now and no."""
    assert [Reply(code, ()).family for code in (250, 354, 421, 550, None)] == [2, 3, 4, 5, None]
    assert [Reply(code, ()).is_positive for code in (250, 354, 421)] == [True, True, False]
    assert [Reply(code, ()).is_refusal for code in (250, 421, 550, None)] == [
        False,
        True,
        True,
        False,
    ]


def test_parse_finds_the_first_reply_in_pasted_text():
    """Words around a reply are passed over, and pasted line ends are no flaw."""
    reply = Reply.parse("it said:\n550-5.1.1 no such user\n550 5.1.1 ask someone\nand hung up")
    assert reply.lines == ("5.1.1 no such user", "5.1.1 ask someone")
    assert (reply.code, reply.enhanced, reply.flaws) == (550, "5.1.1", ())


def test_parse_keeps_text_without_a_code():
    """Text that holds no reply becomes a reply without code that holds the text."""
    reply = Reply.parse("connection timed out")
    assert (reply.code, reply.text, reply.flaws) == (None, "connection timed out", ("no-code",))


@given(st.text(max_size=60) | st.binary(max_size=60))
def test_parse_takes_anything(text):
    """No text and no octets make it raise."""
    assert isinstance(Reply.parse(text), Reply)
