"""Completions: what is offered where, in which order, and with what meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.conversation.local import LOCAL
from smtpshell.shell.completer import offers
from smtpshell.shell.local_offers import SOURCES
from tests.shell.stage import HELLO, MAIL, rcpt, scene


def texts(text: str, *exchanges: tuple[str, str], **more: object) -> list[str]:
    """Return the texts offered."""
    place = scene(*exchanges, **more)  # type: ignore[arg-type] # its fields
    return [offer.text for offer in offers(text, place)]


def test_legal_verbs_first() -> None:
    """Verbs that the state and the server allow come before those that they do not."""
    start = texts("")
    assert start[0] == "EHLO "
    assert start.index("QUIT") < start.index("MAIL FROM:<")
    ready = texts("", HELLO)
    assert ready.index("MAIL FROM:<") < ready.index("RCPT TO:<")
    assert ready.index("STARTTLS") < ready.index("ETRN ")
    assert texts("", HELLO, MAIL).index("RCPT TO:<") < texts("", HELLO, MAIL).index("MAIL FROM:<")


def test_meanings_tell_what_is_wrong() -> None:
    """A verb out of order or not announced is offered, and says so."""
    found = {offer.shown: offer.meaning for offer in offers("", scene(HELLO))}
    assert found["RCPT"].startswith("out of order now: ")
    assert found["BDAT"].startswith("out of order now: ")
    assert found["ETRN"].startswith("not announced: ")
    assert found["MAIL"].startswith("begin a message")


def test_nothing_unasked_on_an_empty_line() -> None:
    """An empty line opens no menu by itself, and obsolete verbs must be begun."""
    assert not list(offers("", scene(HELLO), asked=False))
    assert "SOML FROM:<" not in texts("", HELLO)
    assert texts("som", HELLO) == ["SOML FROM:<"]


@pytest.mark.parametrize("kind", ["data", "octets", "answer", "question"])
def test_silence_in_other_modes(kind: str) -> None:
    """In data, octets, answers and questions nothing is offered."""
    for text in ("", "MAIL", "/st", "RCPT TO:<b"):
        assert texts(text, HELLO, kind=kind) == []


def test_addresses() -> None:
    """Inside < the addresses used before and the practice mailboxes are offered, closed with >."""
    history = ("RCPT TO:<zoe@old.example>", "MAIL FROM:<ann@client.example> SIZE=1")
    boxes = ("bob@practice.example",)
    found = texts("RCPT TO:<", HELLO, MAIL, history=history, mailboxes=boxes)
    assert found == ["bob@practice.example>", "zoe@old.example>", "ann@client.example>"]
    assert texts("rcpt to:<Z", HELLO, MAIL, history=history) == ["zoe@old.example>"]
    assert texts("MAIL FROM:<a", HELLO, history=history) == ["ann@client.example>"]
    assert texts("MAIL FROM:<", HELLO)[-1] == ">"
    given_already = texts(
        "RCPT TO:<", HELLO, MAIL, rcpt(boxes[0]), history=history, mailboxes=boxes
    )
    assert given_already[-1] == "bob@practice.example>"


def test_parameters_that_the_server_supports() -> None:
    """Behind the path only announced parameters are offered, each once, then their values."""
    found = texts("MAIL FROM:<a@b.example> ", HELLO)
    assert found[0] == "SIZE="
    assert "RET=" in found
    assert "SMTPUTF8" not in found
    assert "SIZE=" not in texts("MAIL FROM:<a@b.example> size=10 ", HELLO)
    assert texts("MAIL FROM:<a@b.example> RET=", HELLO) == ["FULL", "HDRS"]
    assert texts("RCPT TO:<a@b.example> NOTIFY=NE", HELLO, MAIL) == ["NEVER"]
    assert texts("MAIL FROM:<a@b.example> ") == []


def test_mechanisms() -> None:
    """AUTH offers what the server offers, and all that is known where it has not said."""
    assert texts("AUTH ", HELLO) == ["PLAIN", "CRAM-MD5"]
    assert "SCRAM-SHA-256" in texts("AUTH SCR")
    assert texts("AUTH PLAIN ", HELLO) == []


def test_hosts() -> None:
    """EHLO offers names greeted with before."""
    assert "old.example" in texts("EHLO o", history=("EHLO old.example",))


def test_local_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slash commands are offered by name, then by the kind of their argument."""
    assert set(texts("/sta")) == {"/status", "/starttls"}
    assert texts("/notes ") == ["off", "short", "long"]
    assert texts("/set not") == ["notes"]
    assert texts("/set keys v") == ["vi"]
    assert texts("/connect pra")[0] == "practice"
    assert texts("/connect mx", history=("/connect mx1.example.net",)) == ["mx1.example.net"]
    assert texts("/help mai") == ["MAIL"]
    assert texts("/mailbox b", mailboxes=("bob@practice.example",)) == ["bob@practice.example"]
    (tmp_path / "letter.eml").touch()
    (tmp_path / "letters").mkdir()
    monkeypatch.chdir(tmp_path)
    assert texts("/data le") == ["letter.eml", "letters/"]
    assert texts(f"/data {tmp_path}/letter.") == ["letter.eml"]
    assert texts("//sta") == []
    assert texts("//stat", kind="local") == ["/status"]


def test_words_of_the_field_are_offered_whole() -> None:
    """/explain offers the glossary, also words with spaces; /help offers its pages and keys."""
    assert "greylisting" in texts("/explain grey")
    assert texts("/explain enhanced stat") == ["enhanced status code"]
    assert texts("/help ctrl-r") == ["Ctrl-R"]
    assert texts("/help comm") == ["commands"]


def test_not_connected_offers_local_commands() -> None:
    """Without a connection an empty line offers local commands."""
    assert "/connect" in texts("", kind="closed")


def test_every_kind_of_argument_has_a_source() -> None:
    """Each kind that the table of local commands names is completed by something."""
    kinds = {kind for row in LOCAL.values() for kind in row.arguments}
    known = {*SOURCES, "file"}
    assert {kind for kind in kinds if not kind.startswith("choice:")} <= known


@given(st.text(max_size=40), st.sampled_from(["command", "closed", "local"]))
def test_any_text(text: str, kind: str) -> None:
    """Whatever is on the line, completing it raises nothing and replaces no more than is there."""
    for offer in offers(text, scene(HELLO, MAIL, kind=kind)):
        assert 0 <= offer.replaces <= len(text)


def test_a_lessons_options_are_offered_behind_its_name() -> None:
    """The options of the command line, and behind --lang the languages that there are."""
    assert texts("/lesson 1 --", HELLO) == ["--quiz", "--seed", "--lang"]
    assert texts("/lesson 1 --seed ", HELLO) == []
    assert "en" in texts("/lesson 1 --lang ", HELLO)
    assert texts("/lesson nonsense --lang ", HELLO) == []


def test_options_of_local_commands_are_offered(tmp_path: Path) -> None:
    """Behind a hyphen the options of the command's row are offered, and files behind them."""
    (tmp_path / "a.txt").touch()
    assert texts("/save --f") == ["--force"]
    assert texts("/auth --") == ["--show"]
    assert texts(f"/save --force {tmp_path}/") == ["a.txt"]
