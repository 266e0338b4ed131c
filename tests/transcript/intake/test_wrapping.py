"""A reply means the same however it is wrapped: in a log, a bounce, a session, an exception."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest

from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.protocol.replies import Reply
from smtpshell.transcript.intake.found import explained
from tests.conftest import shared_data
from tests.transcript.intake.finding import find, refusals


def smtplib(reply: str) -> str:
    """Wrap as smtplib prints its exception."""
    refused = {"bob@b.example": (int(reply[:3]), reply[4:].encode())}
    return f"smtplib.SMTPRecipientsRefused: {refused!r}"


WRAPPINGS: dict[str, str | Callable[[str], str]] = {
    "alone": "{}",
    "postfix": "Nov 22 07:07:06 mx postfix/smtp[1]: 9A: to=<bob@b.example>, "
    "relay=mx.b.example[192.0.2.1]:25, dsn=5.0.0, status=bounced (host mx.b.example[192.0.2.1] "
    "said: {} (in reply to RCPT TO command))",
    "exim": "2026-11-22 07:07:06 1xV1fG-00004k-2P ** bob@b.example R=dnslookup T=smtp "
    "H=mx.b.example [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<bob@b.example>: "
    "{}",
    "sendmail": "Nov 22 07:07:06 mx sendmail[1]: 6AM: to=bob@b.example, relay=mx.b.example. "
    "[192.0.2.1], dsn=5.0.0, reply={}, stat=Service unavailable",
    "opensmtpd": "Nov 22 07:07:06 h smtpd[2]: 1f mta delivery evpid=1 to=<bob@b.example> rcpt=<-> "
    'relay="192.0.2.1 (mx.b.example)" delay=0s result="PermFail" stat="{}"',
    "another log": "Nov 22 07:07:06 host myapp[3]: sending to bob@b.example failed: {}",
    "status": "Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; bob@b.example\nAction: failed\n"
    "Status: 5.0.0\nDiagnostic-Code: smtp; {}\n",
    "words": "From: mailer-daemon@a.example\nSubject: failure\n\nYour message was not delivered "
    "to bob@b.example:\n\n  {}\n\n--- Below this line is a copy of the message.\n\nSubject: x\n",
    "nodemailer": "Error: Recipient command failed: {}\n    at SMTPConnection._x (x.js:1)",
    "java": "com.sun.mail.smtp.SMTPAddressFailedException: {}\n\n\tat com.sun.mail.X.y(X.java:1)",
    "swaks": "<-  220 b ESMTP\n -> EHLO h\n<-  250 b\n -> MAIL FROM:<a@a.example>\n<-  250 ok\n"
    " -> RCPT TO:<bob@b.example>\n<** {}",
    "smtplib": smtplib,
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_reply_means_the_same_in_every_wrapping(name: str) -> None:
    """Each labelled refusal is found once, with its code, and explained as it would be bare."""
    wrap = WRAPPINGS[name]
    checked = 0
    with shared_data("replies/labelled.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            reply = Reply.parse(row["reply"])
            if reply.code is None or not reply.is_refusal:
                continue
            text = f"{reply.code} {' '.join(reply.lines)}"
            found = refusals(find(wrap.format(text) if isinstance(wrap, str) else wrap(text)))
            assert len(found) == 1, text
            bare = explain(Reply(reply.code, (text[4:],)), Context(verb="RCPT"))
            wrapped = explained(found[0], {"verb": "RCPT"})
            assert (wrapped.code, wrapped.class_) == (bare.code, bare.class_), text
            checked += 1
    assert checked > 200
