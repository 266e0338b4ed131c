"""Message bodies: what goes in comes out, however the octets are cut."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.message import (
    LENIENT,
    STRICT,
    Counts,
    DataDecoder,
    MessageEncoder,
    bdat_chunks,
    bdat_line,
    encoded,
    stuff_line,
)
from tests.protocol.feeding import cut, one_by_one, places

texts = st.lists(
    st.sampled_from(
        [b".", b"..", b"\r\n", b"\n", b"\r", b"a", b"bc", b"\r\n.\r\n", b"\n.\n", b"\0"]
    )
    | st.binary(max_size=3),
    max_size=20,
).map(b"".join)


def encode(pieces, **options) -> tuple[bytes, Counts]:
    """Encode a whole message."""
    encoder = MessageEncoder(**options)
    result = b"".join(encoder.feed(piece) for piece in pieces) + encoder.close()
    return result, encoder.counts


def decode(pieces, endings=STRICT) -> tuple[bytes, bytes, Counts]:
    """Decode up to the end of data; return the message, what follows, and the counts."""
    decoder = DataDecoder(endings)
    message, rest = b"", b""
    for piece in pieces:
        if decoder.ended:
            rest += piece
        else:
            message += decoder.feed(piece)
    if not decoder.ended:
        message += decoder.close()
    return message, decoder.rest + rest, decoder.counts


def with_crlf(text: bytes) -> bytes:
    """Return a message as it should arrive: each LF after a CR, and the last line ended."""
    text = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return text if not text or text.endswith(b"\r\n") else text + b"\r\n"


@given(texts, places)
def test_a_message_survives_the_way_over_the_wire(text, where):
    """Encoded and decoded again, a message is itself with its line ends made CRLF."""
    wire, sent = encode(cut(text, where))
    message, rest, received = decode(cut(wire + b"QUIT\r\n", where))
    assert message == with_crlf(text)
    assert rest == b"QUIT\r\n"
    assert (sent.octets, sent.lines, sent.longest_line, sent.stuffed) == (
        received.octets,
        received.lines,
        received.longest_line,
        received.stuffed,
    )


@given(texts, places, st.booleans(), st.booleans())
def test_cuts_do_not_matter_to_the_encoder(text, where, normalise, dots):
    """Whole, cut anywhere or octet by octet: the same octets and the same counts."""
    options = {"normalise": normalise, "dots": dots}
    whole = encode([text], **options)
    assert encode(cut(text, where), **options) == whole
    assert encode(one_by_one(text), **options) == whole


@given(texts, places, st.sampled_from([STRICT, LENIENT, (*LENIENT, b"\r.\r")]))
def test_cuts_do_not_matter_to_the_decoder(text, where, endings):
    """Any octets, valid or not, are decoded alike however they are cut."""
    whole = decode([text], endings)
    assert decode(cut(text, where), endings) == whole
    assert decode(one_by_one(text), endings) == whole


@given(texts)
def test_the_end_of_data_occurs_only_at_the_end(text):
    """No message can make the encoder write an end of data inside it."""
    wire, _ = encode([text])
    assert (b"\r\n" + wire).index(b"\r\n.\r\n") == len(wire) - 3


@given(texts)
def test_counts_are_those_of_a_slow_count(text):
    """Each count equals what a plain loop over the finished message finds."""
    wire, counts = encode([text])
    message = with_crlf(text)
    lines = message.split(b"\r\n")[:-1]
    assert counts.octets == len(message)
    assert counts.lines == len(lines)
    assert counts.longest_line == max(map(len, lines), default=0)
    assert counts.stuffed == sum(line.startswith(b".") for line in lines)
    assert counts.stuffed == len(wire) - len(message) - 3
    assert counts.bare_lf == text.count(b"\n") - text.count(b"\r\n")
    assert counts.bare_cr == text.count(b"\r") - text.count(b"\r\n")
    assert counts.nul == (b"\0" in text)
    assert counts.eight_bit == any(octet > 127 for octet in text)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        (b"", b".\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"end", b"end\r\n.\r\n"),
        (b"a\n.b\n", b"a\r\n..b\r\n.\r\n"),
        (b"a\r.b\r\n", b"a\r.b\r\n.\r\n"),
        (b"a\r", b"a\r\r\n.\r\n"),
        (b"a\r\r\nb", b"a\r\r\nb\r\n.\r\n"),
    ],
)
def test_edges_of_messages_are_encoded_as_the_rules_say(text, wire):
    """Empty, dotted and unfinished messages come out by RFC 5321 section 4.5.2."""
    assert encode([text])[0] == wire
    assert b"".join(encoded(one_by_one(text))) == wire


def test_untouched_lines_stay_untouched():
    """Without normalising a bare LF goes out as it is, and no dot behind it is doubled."""
    assert encode([b"a\n.b\r\n.c"], normalise=False)[0] == b"a\n.b\r\n..c\r\n.\r\n"
    assert encode([b"a\n.b\r\n.c\r"], normalise=False, dots=False)[0] == b"a\n.b\r\n.c\r"


SMUGGLED = b"first\n.\r\nMAIL FROM:<x@attacker.example>\r\n.\r\n"


def test_a_lenient_server_sees_two_messages_where_a_strict_one_sees_one():
    """LF . CRLF ends the data only for those who forgive a bare LF."""
    message, rest, _ = decode([SMUGGLED])
    assert message == b"first\n.\r\nMAIL FROM:<x@attacker.example>\r\n"
    assert rest == b""
    message, rest, _ = decode([SMUGGLED], LENIENT)
    assert message == b"first\n"
    assert rest == b"MAIL FROM:<x@attacker.example>\r\n.\r\n"


@pytest.mark.parametrize("ending", LENIENT)
def test_each_lenient_ending_is_found_and_named(ending):
    """The decoder tells which octets ended the data."""
    decoder = DataDecoder(LENIENT)
    message = decoder.feed(b"text" + ending)
    assert message == b"text" + ending.partition(b".")[0]
    assert (decoder.ended, decoder.rest) == (True, b"")
    assert ending.endswith(decoder.ending)


def test_an_ended_message_takes_no_more():
    """Feeding a decoder behind the end is a mistake of the caller and said so."""
    decoder = DataDecoder()
    decoder.feed(b".\r\n")
    with pytest.raises(ValueError, match="ended"):
        decoder.feed(b"more")


def test_an_unfinished_message_gives_what_it_has():
    """A connection that ends inside a message leaves the message so far."""
    decoder = DataDecoder()
    assert decoder.feed(b"text\r\n.") + decoder.close() == b"text\r\n"
    assert not decoder.ended


@given(texts, st.integers(1, 20), places)
def test_chunks_hold_the_message_in_the_sizes_asked_for(text, size, where):
    """Every chunk but the last has the size, exactly one is last, and together they are all."""
    chunks = list(bdat_chunks(cut(text, where), size))
    assert b"".join(chunk for chunk, _ in chunks) == text
    assert [last for _, last in chunks] == [False] * (len(chunks) - 1) + [True]
    assert all(len(chunk) == size for chunk, _ in chunks[:-1])
    assert len(chunks[-1][0]) <= size


def test_an_empty_message_is_one_empty_chunk():
    """BDAT 0 LAST is how nothing is sent."""
    assert list(bdat_chunks([], 10)) == [(b"", True)]
    assert bdat_line(b"", last=True) == "BDAT 0 LAST"
    assert bdat_line(b"abc", last=False) == "BDAT 3"


def test_a_chunk_has_a_size():
    """A size below one is refused."""
    with pytest.raises(ValueError, match="octet"):
        next(bdat_chunks([b"x"], 0))


def test_a_large_message_needs_little_memory():
    """Encoding, chunking and decoding hold a few blocks, whatever the message's size."""
    block = (b"x" * 70 + b"\r\n.dotted\r\n") * 800
    decoder = DataDecoder()
    octets = 0
    tracemalloc.start()
    try:
        for piece in encoded(block for _ in range(300)):
            octets += len(decoder.feed(piece))
        for chunk, _ in bdat_chunks((block for _ in range(300)), 100_000):
            octets += len(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert octets == 600 * len(block)
    assert peak < 20 * len(block)


def test_a_single_line_is_stuffed_only_at_its_start():
    """A dot anywhere else is left alone."""
    assert [stuff_line(line) for line in (".", "a.", "..x", "")] == ["..", "a.", "...x", ""]


def test_problems_are_what_a_strict_server_objects_to():
    """Bare line ends, NULs and overlong lines are told; a clean message has none."""
    assert encode([b"fine\r\n"])[1].problems == ()
    counts = encode([b"a\nb\rc\0" + b"x" * 1000])[1]
    assert len(counts.problems) == 4


@given(texts, places, st.booleans(), st.booleans())
def test_without_counting_the_octets_are_the_same(text, where, normalise, dots):
    """Who asks for no counts gets the same message."""
    pieces = cut(text, where)
    options = {"normalise": normalise, "dots": dots}
    assert encode(pieces, counted=False, **options)[0] == encode(pieces, **options)[0]
