"""Patterns of replies: literal text, stars, and words captured or compared."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.replies import Reply
from smtpshell.tutor.lesson import Expected
from smtpshell.tutor.patterns import match_reply, match_text, names_of

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
PLAIN = TEXTS.filter(lambda text: "*" not in text and "{{" not in text and "\\" not in text)


@given(PLAIN)
def test_text_without_marks_fits_only_itself(text: str) -> None:
    """A literal pattern fits its own text and no longer one."""
    assert match_text(text, text, {}) == {}
    assert match_text(text, text + "x", {}) is None


@given(PLAIN, TEXTS, PLAIN)
def test_a_star_takes_any_text(head: str, middle: str, tail: str) -> None:
    """Whatever stands for a star, control characters and line ends included, fits."""
    assert match_text(f"{head}*{tail}", head + middle + tail, {}) == {}


@given(st.from_regex(r"\S{1,20}", fullmatch=True))
def test_a_captured_word_is_compared_the_next_time(word: str) -> None:
    """A name takes a word once; from then on only that word fits, whatever it is made of."""
    captured = match_text("queued as {{id}}", f"queued as {word}", {})
    assert captured == {"id": word}
    assert match_text("as {{id}}", f"as {word}", captured) == {}
    assert match_text("as {{id}}", f"as {word}x", captured) is None


def test_a_name_that_stands_twice_means_one_word() -> None:
    """Within one pattern too, a name has one value."""
    assert match_text("{{a}} and {{a}}", "x and x", {}) == {"a": "x"}
    assert match_text("{{a}} and {{a}}", "x and y", {}) is None
    assert names_of("{{a}} and {{b}} and {{a}}") == ("a", "b")


def test_a_star_behind_a_backslash_is_a_star() -> None:
    r"""`\*` stands for the character itself."""
    assert match_text(r"5 \* 5", "5 * 5", {}) == {}
    assert match_text(r"5 \* 5", "5 x 5", {}) is None


def test_the_code_must_be_equal_and_the_difference_is_told() -> None:
    """A wrong code, a wrong text, a line too many and one too few are each told in words."""
    assert match_reply(Expected(250, ("2.1.0*",), 1), Reply.parse("250 2.1.0 Ok"), {})
    problems = [
        match_reply(Expected(250, ("*",), 1), Reply.parse("550 no"), {}).problem,
        match_reply(Expected(250, ("2.1.0*",), 1), Reply.parse("250 2.1.5 Ok"), {}).problem,
        match_reply(Expected(250, ("a",), 1), Reply.parse("250-a\n250 b"), {}).problem,
        match_reply(Expected(250, ("a", "b"), 1), Reply.parse("250 a"), {}).problem,
        match_reply(Expected(250, ("*",), 1), Reply(None, ()), {}).problem,
    ]
    assert ["550" in problems[0], "2.1.0" in problems[1], "'b'" in problems[2]] == [True] * 3
    assert "missing" in problems[3]
    assert "missing" in problems[4]


def test_the_keywords_of_ehlo_are_a_set() -> None:
    """Behind the first line their order does not matter, and an open reply allows more of them."""
    reply = Reply.parse("250-mail.example\n250-SIZE 100\n250-PIPELINING\n250 HELP")
    wanted = ("mail.example", "HELP", "SIZE {{size}}")
    assert match_reply(Expected(250, wanted, 1, open=True), reply, {}, "EHLO").captures == {
        "size": "100"
    }
    assert "a line more" in match_reply(Expected(250, wanted, 1), reply, {}, "EHLO").problem
    assert not match_reply(Expected(250, wanted, 1, open=True), reply, {}, "HELP")
    missing = Expected(250, ("mail.example", "CHUNKING"), 1, open=True)
    assert "CHUNKING" in match_reply(missing, reply, {}, "EHLO").problem


@given(TEXTS, st.binary(max_size=60))
def test_no_pattern_and_no_reply_raises(pattern: str, octets: bytes) -> None:
    """Comparing never fails, whatever a server says."""
    match_reply(Expected(250, (pattern,), 1), Reply.parse(octets), {}, "EHLO")
