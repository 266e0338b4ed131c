"""The prompt, state by state."""

from __future__ import annotations

from smtpshell.protocol.session import Snapshot
from smtpshell.shell.prompt import local_prompt, prompt_of
from tests.shell.stage import HELLO, MAIL, after, rcpt, session_after


def test_begins_with_whom_we_talk_to() -> None:
    """Where a command is expected the prompt begins with the target's name."""
    assert prompt_of(after()).text == "mx.example> "
    assert prompt_of(Snapshot()).text == "not connected> "


def test_tells_the_envelope() -> None:
    """In a transaction the sender and the accepted recipients stand in the prompt."""
    assert prompt_of(after(HELLO, MAIL)).text == "mx.example  from ann> "
    two = after(HELLO, MAIL, rcpt("bob@a.example"), rcpt("carol@b.example"))
    assert prompt_of(two).text == "mx.example  from ann to bob, carol> "
    refused = after(HELLO, MAIL, rcpt("bob@a.example", "550 5.1.1 no"))
    assert prompt_of(refused).text == "mx.example  from ann> "


def test_abbreviates_what_is_long() -> None:
    """Many recipients are counted, in narrow windows any; long names are cut, <> is shown."""
    many = after(HELLO, MAIL, *(rcpt(f"user{n}@a.example") for n in range(5)))
    assert prompt_of(many).text == "mx.example  from ann to 5> "
    assert prompt_of(many, width=60).text == "mx.example  mail to 5> "
    null = after(HELLO, ("MAIL FROM:<>", "250 ok"))
    assert prompt_of(null).text == "mx.example  from <>> "
    long = after(HELLO, ("MAIL FROM:<a-very-long-local-part-indeed@a.example>", "250 ok"))
    assert prompt_of(long).text == "mx.example  from a-very-long-lo..> "


def test_tells_the_mode() -> None:
    """Message data, chunk octets and answers have prompts of their own; answers are secret."""
    data = after(HELLO, MAIL, rcpt("bob@a.example"), ("DATA", "354 go on"))
    assert prompt_of(data).text == "message> "
    answer = after(HELLO, ("AUTH LOGIN", "334 VXNlcm5hbWU6"))
    assert prompt_of(answer).text == "answer> "
    assert prompt_of(answer).secret
    assert not prompt_of(data).secret
    assert local_prompt(data).text == "message  /command> "


def test_counts_chunk_octets() -> None:
    """While octets of a chunk are out, the prompt counts them."""
    session = session_after(HELLO, MAIL, rcpt("bob@a.example"))
    session.send(b"BDAT 12 LAST\r\n")
    prompt = prompt_of(session.snapshot(), octets_left=session.octets_left)
    assert prompt.text == "chunk (12 octets left)> "


def test_tells_that_a_reply_is_out() -> None:
    """A reply that is still awaited is told, so that nobody takes silence for an answer."""
    session = session_after(HELLO)
    session.send(b"NOOP\r\n")
    assert prompt_of(session.snapshot()).text == "mx.example  1 reply awaited> "


def test_guest() -> None:
    """A guest's prefix stands first, and its question replaces the rest."""
    assert prompt_of(after(), prefix="step 2/5").text == "step 2/5  mx.example> "
    assert prompt_of(after(), prefix="step 2/5", asking="answer").text == "step 2/5  answer> "


def test_hostile_names() -> None:
    """Control characters of names and addresses are written out."""
    state = after(("MAIL FROM:<\x1b[31m>", "250 ok"), target="\x1b]0;x\x07")
    assert prompt_of(state).text.isprintable()


def test_a_guests_question_is_not_ours() -> None:
    """Ctrl-C gives up our own questions only; a guest's is of another kind."""
    assert prompt_of(after(), asking="answer").kind == "asking"
