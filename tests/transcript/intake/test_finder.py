"""The finder as a whole: whatever the text, it neither raises nor slows down nor grows."""

from __future__ import annotations

import io
from itertools import product
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.transcript.intake.finder import Finder
from smtpshell.transcript.intake.found import explained
from smtpshell.transcript.intake.lines import LINE_KEPT, capped_lines, text_lines
from tests.transcript.intake.finding import SAMPLES, find

PIECES = st.sampled_from(
    [
        *(
            "550 5.1.1 no",
            "550-5.1.1 no",
            "250 ok",
            "354 go",
            "220 hi",
            "S: ",
            "C: ",
            "<** ",
            " -> ",
        ),
        *(
            "RCPT TO:<a@b.example>",
            "DATA",
            ".",
            "MAIL FROM:<>",
            "BDAT 5 LAST",
            "AUTH PLAIN x",
            "QUIT",
        ),
        *("Nov 22 07:07:06 mx postfix/smtp[1]: ", "status=bounced (", " said: ", " to=<", ">, "),
        *("2026-11-22 07:07:06 1xV1fG-00004k-2P ", " ** a@b.example ", " H=mx.b.example [", "]: "),
        *("sendmail[1]: x: to=a, stat=", "smtpd[2]: mta delivery ", ' result="PermFail" stat="'),
        *(
            "Content-Type: multipart/report; boundary=x",
            "--x",
            "--x--",
            "Reporting-MTA: dns; a",
            "",
        ),
        *("Final-Recipient: rfc822; a@b.example", "Diagnostic-Code: smtp; 550 ", "Action: failed"),
        *("Content-Transfer-Encoding: base64", "Content-Type: message/delivery-status", "From: a"),
        *(
            "SMTPRecipientsRefused: {'a': (550, b'",
            "')}",
            "Error: ",
            "response: '",
            "Connection refused",
        ),
        *(
            "Trying ",
            "Connected to ",
            '{"event": "reply", "code": ',
            '"lines": [',
            "}",
            "server response was: ",
        ),
        *("\x1b[31m", "\udcff", "\0", "\u202e", "=3D=", "((((", "5.1.1", "\\n", "'", '"', " ", "-"),
    ]
)
LINE = st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=60)


@settings(max_examples=300)
@given(st.lists(LINE, max_size=30))
def test_no_text_raises(lines: list[str]) -> None:
    """Any mixture of fragments is read, in order, and each find can be explained."""
    found = find(lines)
    assert [one.line for one in found] == sorted(one.line for one in found)
    for one in found:
        assert 0 < one.line <= len(lines)
        assert explained(one).to_json()["class"]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.eml"))[::7], ids=lambda path: path.stem)
def test_a_cut_text_is_read(path) -> None:
    """A bounce cut off anywhere is read as far as it goes."""
    lines = path.read_text().splitlines()
    for end in range(len(lines)):
        for one in find(lines[:end]):
            explained(one)


HOSTILE = [
    "550 " * 4_000,
    "5" * 16_000,
    "550-" + "5.1.1" * 3_000,
    "(550, b'" + "\\" * 15_000,
    "(550, b'x" * 2_000,
    "'a': " * 3_000,
    " said: " * 2_000,
    "Nov 22 07:07:06 mx postfix/smtp[1]: status=bounced (" + "(in reply to " * 1_200,
    "Nov 22 07:07:06 mx x: " + "a.b-" * 4_000 + ":25",
    "Connection refused " + "a." * 8_000,
    "Connection refused " + "a" * 16_000,
    "host " * 3_000 + "Connection refused",
    "2026-11-22 07:07:06 " + "rejected " * 1_500,
    "Content-Type: multipart/report; boundary=" + '"' * 16_000,
    "Final-Recipient: " + ";" * 16_000,
    "[" * 16_000,
    "Net::SMTP" * 1_800,
    "{" * 16_000,
    '{"event"' + "[" * 16_000,
    "<" * 16_000 + ">",
    "RCPT TO:<" * 1_800,
    "AUTH " + "A" * 16_000,
    "X-" + "a" * 16_000 + ":",
    "x" * 60 + " [" + "a.b" * 5_000,
]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: line[:12])
def test_no_line_is_slow(line: str) -> None:
    """Lines made to lead patterns astray take no longer than others of their length."""
    start = perf_counter()
    for prefix in ("", "From: a\n\n", "S: ", "Reporting-MTA: dns; a\n", "RCPT TO:<a@b>\n"):
        find(prefix + line)
        find(prefix + line + "\n" + line)
    assert perf_counter() - start < 2.0


def test_what_could_not_be_read_is_counted() -> None:
    """Lines without a reply are counted; those that speak of trouble are shown."""
    finder = Finder()
    for line in (
        "550 5.1.1 no such user",
        "hello",
        "",
        "it was rejected by the gods",
        "  at x.y(z)",
    ):
        finder.feed(line)
    finder.close()
    assert finder.unread == 3
    assert finder.samples == [(4, "it was rejected by the gods")]


def test_words_alone_are_tried_last() -> None:
    """A server's words without code are known by a rule; prose is not."""
    assert [one.source for one in find("Relay access denied")] == ["words"]
    assert find("The quick brown fox jumps over the lazy dog") == []
    assert find("") == []


def test_lines_are_capped() -> None:
    """A line of any length takes bounded memory, and its length is still known."""
    stream = io.BytesIO(b"550 " + b"x" * 100_000 + b"\r\n451 y\n" + b"z" * 50_000)
    lines = list(capped_lines(stream))
    assert [len(line) for line, _ in lines] == [LINE_KEPT, 5, LINE_KEPT]
    assert [length for _, length in lines] == [100_006, 6, 50_000]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_files(encoding: str) -> None:
    """What PowerShell and Notepad write is read: UTF-16 and marks at the beginning."""
    octets = "550 5.1.1 no such user\r\n451 4.7.1 later\r\n".encode(encoding)
    found = find(line for line, _ in text_lines(io.BytesIO(octets)))
    assert [one.words for one in found] == ["550 5.1.1 no such user", "451 4.7.1 later"]


@pytest.mark.parametrize(
    ("encoding", "end"),
    [*product(("utf-16-le", "utf-16-be", "utf-8"), ("\n", "\r\n")), ("utf-8", "\r")],
)
def test_text_is_read_in_any_encoding_with_any_line_end(encoding: str, end: str) -> None:
    """Lines come out the same, letters beyond ASCII and those that hold the octet of LF too."""
    lines = ["550 5.1.1 Empfänger ungültig", "ਊ 452 Ċ", "", "421 Später"]
    octets = ("\ufeff" + end.join(lines)).encode(encoding)
    found = [line for line, _ in text_lines(io.BytesIO(octets))]
    assert found == lines
    assert sum(length for _, length in text_lines(io.BytesIO(octets))) == len(octets)
