"""Canonical solutions, sent for real: exchanges, groups, events, directives, tools, logins."""

from __future__ import annotations

from smtpshell.tutor.library import load
from tests.tutor.making import FIRST, made, performed, wire

HELLO = ("S: 220 *", "C: EHLO client.example", "S: 250-mail.practice.example", "S: ...")
ENVELOPE = (
    "C: MAIL FROM:<ann@client.example>",
    "S: 250 2.1.0*",
    "C: RCPT TO:<bob@practice.example>",
    "S: 250 2.1.5*",
)


def test_the_first_lesson_is_a_whole_transaction() -> None:
    """The canonical lesson sends a message with full headers to two people and says goodbye."""
    performance = performed(load(FIRST))
    assert not performance.problems
    wire_lines = performance.transcript
    assert wire_lines[0].startswith("S: 220 ")
    assert wire_lines[-2:] == ("C: QUIT", "S: 221 2.0.0 Bye")
    assert sum(line.startswith("C: RCPT TO:") for line in wire_lines) == 2
    for header in ("From", "To", "Subject", "Date", "Message-ID"):
        assert any(line.startswith(f"C: {header}: ") for line in wire_lines)


def test_the_same_lesson_gives_the_same_transcript() -> None:
    """A seeded world and a clock that stands still leave nothing to chance."""
    lesson = load(FIRST)
    assert performed(lesson).transcript == performed(lesson).transcript


def test_a_reply_that_does_not_come_as_written_is_told_with_its_line() -> None:
    """A wrong pattern, a wrong code and a missing event are problems at their lines."""
    for line, words in (
        ("S: 250 nothing", "the text is"),
        ("S: 550 *", "the code is 250"),
        ("S: <closed>", "still open"),
    ):
        problem = performed(made(wire(*HELLO, "C: NOOP", line))).problems[0]
        assert words in problem.text
        assert problem.line == 18


def test_captures_are_used_in_later_lines_and_patterns() -> None:
    """What a server said can be said back, and is expected again."""
    lesson = made(
        wire(
            "S: 220 {{host}} *",
            "C: EHLO client.example",
            "S: 250-{{host}}",
            "S: ...",
            "C: NOOP {{host}}",
            "S: 250 *",
        )
    )
    performance = performed(lesson)
    assert not performance.problems
    assert performance.values["host"] == "mail.practice.example"
    assert "C: NOOP mail.practice.example" in performance.transcript


def test_a_group_is_pipelined_and_every_line_has_its_reply() -> None:
    """Several lines before the replies go out together, and the replies are compared in order."""
    group = (
        "C: MAIL FROM:<ann@client.example>",
        "C: RCPT TO:<nobody@practice.example>",
        "C: RCPT TO:<bob@practice.example>",
        "C: DATA",
        "S: 250 2.1.0*",
        "S: 550 5.1.1*",
        "S: 250 2.1.5*",
        "S: 354 *",
        "C~ Subject: x",
        "C~",
        "C~ text",
        "C: .",
        "S: 250 *",
    )
    check = "```check\ndelivered bob count == 1\nsession.verbs contains RCPT RCPT DATA\n```"
    performance = performed(made(wire(*HELLO, *group, more=check)))
    assert not performance.problems
    sent = [line for line in performance.transcript if line.startswith(("C: MAIL", "C: DATA"))]
    place = performance.transcript.index(sent[1])
    assert performance.transcript[place + 1].startswith("S: 250 2.1.0")


def test_octets_of_a_chunk_belong_to_their_command() -> None:
    """BDAT and its octets are one unit with one reply; the world holds just these octets."""
    chunk = (
        "C: BDAT 6",
        r"C= a: b\r\n",
        "C: BDAT 7 LAST",
        r"C= \r\ntext.",
        "S: 250 *",
        "S: 250 *",
    )
    check = "```check\nraw == a: b\\r\\n\\r\\ntext.\n```"
    performance = performed(made(wire(*HELLO, *ENVELOPE, *chunk, more=check)))
    assert not performance.problems


def test_directives_are_done_by_the_lesson() -> None:
    """Closing, connecting again, TLS and the clock happen without the learner."""
    lesson = made(
        wire(
            "S: 220 *",
            "@close",
            "@connect mail.practice.example",
            "S: 220 *",
            "@starttls",
            "C: EHLO client.example",
            "S: 250-*",
            "S: ...",
            "@clock +4m",
            "C: NOOP",
            "S: 250 *",
            more="```check\nsession.tls exists\nelapsed == 4m\n```",
        )
    )
    assert not performed(lesson).problems


def test_a_reply_drips_once_and_its_octets_take_time() -> None:
    """@drip slows the next reply alone, on the practice clock: one octet in each duration."""
    octets = len("250 2.0.0 Ok\r\n")
    lines = ("S: 220 *", "C: HELO client.example", "S: 250 *", "@drip 1s")
    noops = ("C: NOOP", "S: 250 2.0.0 Ok", "C: NOOP", "S: 250 2.0.0 Ok")
    check = f"```check\nelapsed == {octets}s\n```"
    assert not performed(made(wire(*lines, *noops, more=check))).problems


def test_a_step_that_needs_a_keyword_is_skipped_where_it_is_not_offered() -> None:
    """Nothing behind @needs is sent or checked then; the next step is played."""
    body = wire("S: 220 *", *("C: EHLO client.example", "S: 250-*", "S: ..."))
    more = "```check\nsession.helo == nobody.example\n```"
    body += wire("@needs x-magic", "C: XMAGIC", "S: 250 *", step="magic", more=more)
    body += wire("@needs pipelining", "C: QUIT", "S: 221 *", step="end")
    performance = performed(made(body))
    assert not performance.problems
    sent = [line for line in performance.transcript if line.startswith("C:")]
    assert sent == ["C: EHLO client.example", "C: QUIT"]


def test_a_lesson_that_begins_with_connect_finds_no_connection() -> None:
    """Doors that refuse, stay silent or do not exist can be taught."""
    lesson = made(wire("@connect refused.practice.example:25", "S: <refused>"), scenario="ports")
    problems = performed(lesson).problems
    assert not problems or "no door" in problems[0].text


def test_tools_are_run_and_their_output_compared() -> None:
    """A look-up is asked in the world's own DNS, and its output can be captured."""
    lesson = made(
        wire("S: 220 *", "$ explain 5.7.1", "> *5.7.1*", more="```check\nvar x is empty\n```")
    )
    assert not performed(lesson).problems
    wrong = made(wire("S: 220 *", "$ explain 5.7.1", "> no such line"))
    assert "no line of its output" in performed(wrong).problems[0].text


LOGIN = ("@starttls", "C: EHLO client.example", "S: 250-*", "S: ...")


def test_logins_are_computed_from_what_the_server_says() -> None:
    """PLAIN, CRAM-MD5 and SCRAM are typed by hand, with the functions of templates."""
    mechanisms = {
        "PLAIN": ("C: AUTH PLAIN {{plain(user, word)}}", "S: 235 *"),
        "CRAM-MD5": (
            "C: AUTH CRAM-MD5",
            "S: 334 {{challenge}}",
            "C= {{cram_md5(user, word, challenge)}}",
            "S: 235 *",
        ),
        "SCRAM-SHA-256": (
            "C: AUTH SCRAM-SHA-256 {{scram_first(user, nonce)}}",
            "S: 334 {{first}}",
            "C= {{scram_final(user, word, nonce, first)}}",
            "S: 334 {{final}}",
            "C=",
            "S: 235 *",
        ),
    }
    for name, lines in mechanisms.items():
        lesson = made(
            wire("S: 220 *", *LOGIN, *lines, more="```check\nsession.auth == alice\n```"),
            var_user="alice",
            var_word="correct horse",
            var_nonce="abcdef",
        )
        assert not performed(lesson).problems, name


def test_an_unknown_name_in_a_line_is_a_problem_of_that_line() -> None:
    """A template that cannot be filled in does not stop the checker."""
    problem = performed(made(wire("S: 220 *", "C: NOOP {{nobody}}", "S: 250 *"))).problems[0]
    assert (problem.line, "nobody" in problem.text) == (14, True)
