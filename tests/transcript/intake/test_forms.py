"""Forms in which refusals are pasted: HTML bounces, wrapped log lines, words beside replies."""

from __future__ import annotations

import base64
import json
import quopri

import pytest

from smtpshell.transcript.intake.containers import unwrapped
from smtpshell.transcript.intake.markup import text_of_html
from tests.transcript.intake.finding import classes, find

REJECT = (
    "Nov 22 10:00:01 mx postfix/smtpd[99]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: "
    "554 5.7.1 <zoe@elsewhere.example>: Relay access denied; from=<a@b.example> "
    "to=<zoe@elsewhere.example> proto=ESMTP helo=<x>"
)
MESSAGE = REJECT.partition("]: ")[2]
HTML = (
    "<html><head><style>p { color: red } /* 550 5.1.1 not this */</style></head><body>"
    "<p><b>Delivery has failed to these recipients or groups:</b></p>"
    '<p><a href="mailto:zoe@example.com">zoe@example.com</a><br>The address is not known.</p>'
    "<p>Diagnostic information for administrators:</p><p>zoe@example.com<br>"
    "Remote Server returned &#39;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found&#39;</p>"
    "<p>Original message headers:</p><pre>Subject: 554 5.7.1 Relay access denied</pre></body>"
)
HEAD = "From: postmaster@example.com\nTo: ann@client.example\nSubject: Undeliverable: hello\n"


def encoded(text: str, encoding: str) -> str:
    """Return a body in a transfer encoding."""
    if encoding == "base64":
        return base64.encodebytes(text.encode()).decode()
    if encoding == "quoted-printable":
        return quopri.encodestring(text.encode()).decode()
    return text


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_a_bounce_in_html_alone_is_read(encoding: str) -> None:
    """Exchange's bounce without a report and without plain text gives its one reply."""
    kind = f"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n"
    (found,) = find(HEAD + kind + encoded(HTML, encoding))
    assert found.reply is not None
    assert found.words.startswith("550 5.1.10 RESOLVER.ADR.RecipientNotFound")
    assert found.facts["refused"] == ("zoe@example.com",)


def test_html_beside_plain_text_says_nothing_twice() -> None:
    """Where the words stand in plain text too, the part in HTML is left alone."""
    plain = "Remote Server returned '554 5.2.2 mailbox full; QuotaExceeded'\n"
    text = (
        f'{HEAD}Content-Type: multipart/alternative; boundary="b1"\n\n--b1\n'
        f"Content-Type: text/plain\n\n{plain}\n--b1\nContent-Type: text/html\n\n{HTML}\n--b1--\n"
    )
    assert [one.words[:9] for one in find(text)] == ["554 5.2.2"]


def test_html_becomes_lines() -> None:
    """Tags are gone, entities are characters, blocks are lines, styles are nothing."""
    assert text_of_html("<div>a&amp;b<br/>c  d</div><script>x</script>") == ["a&b", "c d"]
    assert text_of_html("<<<>&#xZ; no <b html") != []
    assert text_of_html("") == []


@pytest.mark.parametrize(
    "line",
    [
        REJECT,
        json.dumps({"SYSLOG_IDENTIFIER": "postfix/smtpd", "MESSAGE": MESSAGE, "PRIORITY": "6"}),
        json.dumps({"_COMM": "postfix/smtpd", "MESSAGE": MESSAGE}),
        json.dumps({"log": REJECT + "\n", "stream": "stdout", "time": "2026-11-22T10:00:01Z"}),
        f"mail-1  | {REJECT}",
        f"mail-1 | 2026-11-22T10:00:01.123Z {REJECT[19:]}",
        f"2026-11-22T10:00:01.123456+00:00 mx {REJECT[19:]}",
        f"<22>1 2026-11-22T10:00:01Z mx postfix/smtpd 99 - - {MESSAGE}",
        REJECT[19:],
    ],
)
def test_a_log_line_means_the_same_in_every_container(line: str) -> None:
    """What journald, containers and collectors put around a line changes nothing of it."""
    (found,) = find(line)
    assert (found.source, classes([found])) == ("postfix log", ["relay_denied"])
    assert found.facts["refused"] == ("zoe@elsewhere.example",)
    assert found.facts["client_address"] == "203.0.113.9"


@pytest.mark.parametrize(
    "line", ['{"event": "reply"}', '{"log": 1}', '{"log"', "[1, 2]", '{"MESSAGE": [1]}', "a | b"]
)
def test_what_wraps_nothing_stays_as_it_is(line: str) -> None:
    """A line that is no container's is returned untouched."""
    assert unwrapped(line) == line


@pytest.mark.parametrize(
    ("line", "class_", "verb"),
    [
        (
            (
                "Nov 22 10:00:05 mx postfix/cleanup[8]: ABC: milter-reject: END-OF-MESSAGE from "
                "x[203.0.113.9]: 5.7.1 Spam message rejected; from=<a@b.example> to=<c@d.example>"
            ),
            "spam_content",
            "MESSAGE",
        ),
        (
            (
                "2026-11-22 10:00:00 SMTP protocol synchronization error (input sent without "
                'waiting for greeting): rejected connection from H=[203.0.113.9] input="EHLO x"'
            ),
            "protocol",
            "CONNECT",
        ),
        (
            (
                "2026-11-22 10:00:00 203.0.113.9 OutboundConnectionResponse SMTPSVC1 WIN - 25 - - "
                "550+5.1.1+User+unknown 0 0 29 0 0 SMTP - - - -"
            ),
            "user_unknown",
            None,
        ),
    ],
)
def test_further_log_lines(line: str, class_: str, verb: str | None) -> None:
    """A filter's refusal without a code, Exim's early talkers, and the log of IIS are read."""
    found = find(line)
    assert classes(found) == [class_]
    assert found[0].facts.get("verb") == verb


def test_recipients_without_a_reply_stand_beside_those_with_one() -> None:
    """In one bounce each recipient has a find, be it a reply, a failure or the server's words."""
    found = find(
        "This is the mail system at host mail.example.org.\n\n"
        "<zoe@example.com>: host mx.example.com[192.0.2.5] said: 550 5.1.1\n"
        "    <zoe@example.com>: Recipient address rejected: User unknown in virtual\n"
        "    mailbox table (in reply to RCPT TO command)\n\n"
        "<carol@down.example>: connect to down.example[192.0.2.9]:25: Connection timed out\n\n"
        "<dave@nowhere.example>: Host or domain name not found. Name service error for\n"
        "    name=nowhere.example type=A: Host not found\n"
    )
    assert [one.facts["refused"] for one in found] == [
        ("zoe@example.com",),
        ("carol@down.example",),
        ("dave@nowhere.example",),
    ]
    assert found[0].facts["verb"] == "RCPT"
    assert found[0].words.endswith("mailbox table")
    assert found[1].failure == "filtered"
    assert classes(found) == ["user_unknown", "network", "dns_host"]


def test_a_session_of_mdaemon_is_played() -> None:
    """The transcript inside MDaemon's bounce gives the command that was refused."""
    stamp = " Sun 2026-11-22 10:00:01: [123:1]"
    found = find(
        f"{stamp} <-- 220 mx.example.com ESMTP\n{stamp} --> EHLO mail.example.org\n"
        f"{stamp} <-- 250 mx.example.com\n{stamp} --> MAIL From:<ann@example.org>\n"
        f"{stamp} <-- 250 Ok\n{stamp} --> RCPT To:<zoe@example.com>\n"
        f"{stamp} <-- 550 5.1.1 User unknown\n"
    )
    assert found[-1].facts["verb"] == "RCPT"
    assert classes(found)[-1] == "user_unknown"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("aiosmtplib.errors.SMTPConnectError: [Errno 111] Connect call failed", "refused"),
        ("SMTP connect() failed. https://github.com/PHPMailer/PHPMailer/wiki", "failed"),
        ("Net::OpenTimeout: execution expired", "filtered"),
        ("EOFError: end of file reached", "closed"),
        ("curl: (52) Empty reply from server", "closed"),
        ("curl: (8) Weird server reply", "not-smtp"),
        ("curl: (64) Requested SSL level failed", "no-starttls"),
        ("Error: queryA ETIMEOUT mx.example.com", "no-dns"),
        ("smtplib.SMTPException: No suitable authentication method found.", "no-auth"),
        ("ssl.SSLError: [SSL: UNSUPPORTED_PROTOCOL] unsupported protocol", "tls-failed"),
        ("System.Net.Mail.SmtpException: The operation has timed out.", "timeout"),
    ],
)
def test_further_programs_that_got_no_reply(line: str, kind: str) -> None:
    """The words of more libraries for a connection that failed come to the right kind."""
    assert [one.failure for one in find(line)] == [kind]


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<!--", "</", "&", "<head", "<header>", "<a b='", "<script>", "<p", "x<"]
)
def test_hostile_html_takes_no_longer_than_its_length(piece: str) -> None:
    """Whatever is repeated, a long text is read in a moment."""
    from time import perf_counter

    def seconds(octets: int) -> float:
        text = piece * (octets // len(piece)) + "</head></script>"
        began = perf_counter()
        text_of_html(text)
        return perf_counter() - began

    seconds(1_000)
    assert seconds(400_000) < 1


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            (
                "** Message blocked **\n\nYour message to zoe@example.com has been blocked.\n\n"
                "The response from the remote server was:\n\n550 5.7.1 Service unavailable\n"
            ),
            {"refused": ("zoe@example.com",)},
        ),
        (
            (
                "Your message to nobody@example.com couldn't be delivered.\n\n"
                "Original Message Details\nError Details\n"
                "Reported error: 550 5.1.10 RecipientNotFound; none\n"
            ),
            {"refused": ("nobody@example.com",)},
        ),
        (
            (
                "A message that you sent has not yet been delivered to one or more of its\n"
                "recipients after more than 24 hours on the queue on mx.example.org.\n\n"
                "  zoe@slow.example\n    host mx.slow.example [192.0.2.1]\n"
                "    SMTP error from remote mail server after RCPT TO:<zoe@slow.example>:\n"
                "    451 4.7.1 Greylisted, please try again in 300 seconds\n"
            ),
            {"refused": ("zoe@slow.example",), "verb": "RCPT", "host": "mx.slow.example"},
        ),
        (
            "host mx.example.com[192.0.2.5] said: 550 5.7.1 no (in reply to MAIL FROM command)",
            {"host": "mx.example.com", "verb": "MAIL"},
        ),
    ],
)
def test_the_words_around_a_reply_tell_whom_it_is_about(text: str, facts: dict) -> None:
    """Recipient, server and command are taken from the sentences of providers too."""
    (found,) = find(text)
    assert {name: found.facts.get(name) for name in facts} == facts
