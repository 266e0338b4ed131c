"""Bounces of real servers, and those that people paste from their mailboxes."""

from __future__ import annotations

import base64
import quopri

import pytest

from smtpshell.transcript.intake.found import explained
from tests.transcript.intake.finding import SAMPLES, classes, find, find_in, refusals

BOUNCES = sorted(SAMPLES.glob("*/*.eml"))
CLASS_OF_CASE = {
    "unknown-user": {"user_unknown"},
    "relay-denied": {"relay_denied", "network"},
    "no-such-domain": {"dns_host", "network"},
    "null-mx": {"dns_host", "network"},
    "no-connection": {"network"},
    "mailbox-full": {"mailbox_full"},
    "over-quota": {"mailbox_full"},
}
"""What the cases come to on every server; the relay that loops is told as a loop."""


def test_there_are_bounces_of_six_kinds_of_server() -> None:
    """The samples were written by at least six different programs."""
    assert len({path.parent.name for path in BOUNCES}) >= 6


@pytest.mark.parametrize("path", BOUNCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_bounce_comes_down_to_one_reply(path) -> None:
    """Words, status and the returned message of one bounce make one find, which is explained."""
    found = find_in(path)
    assert len(found) == 1
    explanation = explained(found[0])
    assert explanation.class_ not in ("ok", "unknown")
    assert explanation.next
    assert explanation.class_ in CLASS_OF_CASE.get(path.stem, {explanation.class_})


@pytest.mark.parametrize("program", ["postfix", "exim"])
def test_words_complete_the_status(program: str) -> None:
    """The command stands in the words only, recipient and server in the status."""
    found = find_in(SAMPLES / program / "unknown-user.eml")[0]
    assert found.facts["verb"] == "RCPT"
    assert (
        found.facts["host"] == {"postfix": "mx.exim.example", "exim": "mx.postfix.example"}[program]
    )
    assert found.facts["refused"] == (
        {"postfix": "nobody@exim.example", "exim": "nobody@postfix.example"}[program],
    )


STATUS = """\
Reporting-MTA: dns;mail.contoso.example

Final-Recipient: rfc822;bob@b.example
Action: failed
Status: 5.7.1
Diagnostic-Code: smtp;550 5.7.1 Unable
 to relay
Remote-MTA: dns;mx.b.example

Final-Recipient: rfc822;zoe@b.example
Action: delayed
Status: 4.4.7

Final-Recipient: rfc822;ann@b.example
Action: delivered
Status: 2.0.0
"""


def test_a_status_alone_gives_one_find_for_each_recipient() -> None:
    """A pasted delivery status needs no mail around it; folded fields are joined."""
    found = find(STATUS)
    assert [one.facts.get("refused", one.facts.get("recipients")) for one in found] == [
        ("bob@b.example",),
        ("zoe@b.example",),
        ("ann@b.example",),
    ]
    assert found[0].words == "550 5.7.1 Unable to relay"
    assert classes(found) == ["relay_denied", "network", "ok"]


def mime(words: str, encoding: str) -> str:
    """Return a bounce with encoded words and no reply in its status."""
    return (
        "From: Mail Delivery <mailer-daemon@a.example>\n"
        'Content-Type: multipart/report; boundary="=_b1"\n\n'
        "--=_b1\nContent-Type: text/plain; charset=utf-8\n"
        f"Content-Transfer-Encoding: {encoding}\n\n{words}\n"
        "--=_b1\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; a.example\n\n"
        "Final-Recipient: rfc822; bob@b.example\nAction: failed\nStatus: 5.0.0\n\n"
        "--=_b1\nContent-Type: message/rfc822\n\n"
        "Subject: 554 5.7.1 not a reply\n\n550 5.1.1 nor this\n--=_b1--\n"
    )


WORDS = "<bob@b.example>: host mx.b.example[192.0.2.1] said: 552 5.2.2 Mailbox full, über quota"


@pytest.mark.parametrize("encoding", ["7bit", "base64", "quoted-printable"])
def test_encoded_words_are_read(encoding: str) -> None:
    """Base64 and quoted-printable words say what the status leaves out."""
    words = WORDS
    if encoding == "base64":
        words = base64.encodebytes(WORDS.encode()).decode()
    elif encoding == "quoted-printable":
        words = quopri.encodestring(WORDS.encode()).decode()
    found = find(mime(words, encoding))
    assert [one.words for one in found] == ["552 5.2.2 Mailbox full, über quota"]
    assert classes(found) == ["mailbox_full"]


PASTED = {
    "gmail": (
        (
            "Your message wasn't delivered to nobody@gmail.com: it couldn't be found.\n\n"
            "The response was:\n\n"
            "550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
            "550-5.1.1 double-checking the recipient's email address.\n"
            "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser - gsmtp\n"
        ),
        "user_unknown",
    ),
    "exchange-online": (
        (
            "Delivery has failed to these recipients or groups:\n\nbob@contoso.example\n\n"
            "Generating server: AM6PR0502MB.eurprd05.prod.outlook.com\n\nbob@contoso.example\n"
            "Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found'\n\n"
            "Original message headers:\n\nReceived: by x; 550 5.7.1 not this\n"
        ),
        "user_unknown",
    ),
    "exchange": (
        (
            "Diagnostic information for administrators:\n\n"
            "Generating server: mail.contoso.example\n\n"
            "zoe@elsewhere.example\nmx.elsewhere.example #550 5.7.1 Unable to relay ##\n"
        ),
        "relay_denied",
    ),
    "qmail": (
        (
            "Hi. This is the qmail-send program at mail.example.com.\n\n<bob@b.example>:\n"
            "192.0.2.25 does not like recipient.\n"
            "Remote host said: 550 5.1.1 No such user here\nGiving up on 192.0.2.25.\n\n"
            "--- Below this line is a copy of the message.\n\nReturn-Path: <a@a.example>\n"
            "550 5.7.1 not this\n"
        ),
        "user_unknown",
    ),
    "yahoo": (
        (
            "Sorry, we were unable to deliver your message to the following address.\n\n"
            "<bob@b.example>:\n554: 5.7.1 <bob@b.example>: Relay access denied\n"
        ),
        "relay_denied",
    ),
    "outlook": (
        (
            "mx.b.example gave this error:\n550 5.7.23 The message was rejected because of Sender "
            "Policy Framework violation\n"
        ),
        "sender_auth",
    ),
}


@pytest.mark.parametrize("name", PASTED)
def test_the_words_of_a_bounce_are_enough(name: str) -> None:
    """Pasted words of providers give their one reply, and the returned message none."""
    text, class_ = PASTED[name]
    found = refusals(find(text))
    assert classes(found) == [class_]
    assert found[0].reply is not None
    assert not found[0].words.endswith(("'", "#", "]"))


def test_a_long_bounce_keeps_little() -> None:
    """Ten thousand recipients give as many finds as are kept, and no more."""
    groups = "\n".join(
        f"Final-Recipient: rfc822; u{n}@b.example\nAction: failed\nStatus: 5.1.1\n"
        for n in range(3000)
    )
    assert len(find("Reporting-MTA: dns; a.example\n\n" + groups)) == 1_000


@pytest.mark.parametrize("between", ["", "From MAILER-DAEMON Sun Nov 22 07:07:07 2026\n"])
def test_many_bounces_in_one_file(between: str) -> None:
    """Bounces behind each other, as in an mbox or as cat writes them, are told apart."""
    paths = [path for path in BOUNCES if between or "boundary=" in path.read_text()]
    text = "\n".join(between + path.read_text() + "\n" for path in paths)
    assert len(find(text)) == len(paths)


def test_an_enhanced_code_before_an_address_is_no_host() -> None:
    """In "554: 5.7.1 [192.0.2.5]" a reason stands before a client, and no name of a host."""
    text = (
        "Sorry, we were unable to deliver your message to the following address.\n\n"
        "<carl@example.net>:\n{} Messages with unauthenticated sender not accepted.\n"
    )
    (one,) = find(text.format("554: 5.7.1 [192.0.2.5]"))
    assert "host" not in one.facts
    (other,) = find(text.format("host mx.example.net [192.0.2.5] said: 554 5.7.1"))
    assert other.facts["host"] == "mx.example.net"
