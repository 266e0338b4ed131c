"""Mail logs: those that real servers wrote, and the prefixes that they come with."""

from __future__ import annotations

import pytest

from smtpshell.transcript.intake.logs import read_log
from tests.transcript.intake.finding import SAMPLES, classes, find, find_in, refusals

EXPECTED = {
    "postfix": {
        "user_unknown",
        "dns_host",
        "mailbox_full",
        "network",
        "ip_blocked",
        "rdns_helo",
        "tls",
    },
    "exim": {
        "user_unknown",
        "dns_host",
        "mailbox_full",
        "network",
        "relay_denied",
        "ip_blocked",
        "tls",
    },
    "sendmail": {"user_unknown", "relay_denied", "ip_blocked", "network", "message_too_big", "tls"},
    "opensmtpd": {"user_unknown", "relay_denied", "dns_host", "ip_blocked", "message_too_big"},
    "dma": {"user_unknown", "relay_denied", "network", "ip_blocked", "tls"},
    "nullmailer": {"user_unknown", "relay_denied", "ip_blocked", "spam_content"},
    "dovecot": {"mailbox_full"},
}
"""Classes that each program's log must show, among others."""


@pytest.mark.parametrize("program", EXPECTED)
def test_the_log_of_a_real_server_is_read(program: str) -> None:
    """Each program's own log gives the refusals that its bounces tell of; none stays unknown."""
    found = refusals(find_in(SAMPLES / program / "mail.log"))
    told = classes(found)
    assert set(told) >= EXPECTED[program]
    assert "unknown" not in told
    assert [one.line for one in found] == sorted(one.line for one in found)


def test_each_line_of_a_log_with_a_status_is_found() -> None:
    """No bounced or deferred delivery of Postfix's log is overlooked, and none is found twice."""
    path = SAMPLES / "postfix" / "mail.log"
    lines = path.read_text().splitlines()
    wanted = [
        number
        for number, line in enumerate(lines, 1)
        if "status=bounced" in line or "status=deferred" in line or "NOQUEUE: reject" in line
    ]
    assert [one.line for one in refusals(find_in(path))] == wanted


DELIVERY = (
    "9A8E: to=<bob@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=0.2, dsn=5.1.1, "
    "status=bounced (host mx.b.example[192.0.2.1] said: 550 5.1.1 User unknown "
    "(in reply to RCPT TO command))"
)


@pytest.mark.parametrize(
    "prefix",
    [
        "Nov 22 07:07:06 mx postfix/smtp[253]: ",
        "Nov  2 07:07:06 mx postfix/smtp[253]: ",
        "2026-11-22T07:07:06+0000 mx postfix/smtp[253]: ",
        "2026-11-22T07:07:06.123456+00:00 mx postfix-out/smtp[253]: ",
        "<22>Nov 22 07:07:06 mx postfix/smtp[253]: ",
        "<22>1 2026-11-22T07:07:06.123Z mx postfix/smtp 253 - - ",
        "Nov 22 07:07:06.789 mx postfix/relay/smtp[253]: ",
    ],
)
def test_prefixes_vary(prefix: str) -> None:
    """Syslog, RFC 5424, journalctl and several instances of Postfix all read alike."""
    is_log, found = read_log(prefix + DELIVERY, 7)
    assert is_log
    assert found is not None
    assert found.line == 7
    assert found.words == "550 5.1.1 User unknown"
    assert found.facts == {
        "host": "mx.b.example",
        "port": 25,
        "refused": ("bob@b.example",),
        "verb": "RCPT",
    }


LINES: dict[str, tuple[str, dict[str, object]]] = {
    "Nov 22 07:07:06 mx postfix/smtp[1]: 9A: to=<a@b.example>, relay=none, delay=30, dsn=4.4.1, "
    "status=deferred (connect to mx.b.example[2001:db8::26]:25: Connection timed out)": (
        "network",
        {"host": "mx.b.example", "port": 25},
    ),
    "Nov 22 07:07:06 mx postfix/smtp[1]: 9A: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, "
    "dsn=4.7.0, status=deferred (host mx.b.example[192.0.2.1] refused to talk to me: 421 4.7.0 Too "
    "many connections)": ("rate_limited", {"verb": "CONNECT"}),
    "Nov 22 07:07:06 mx postfix/smtp[1]: 9A: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, "
    "dsn=4.4.2, status=deferred (lost connection with mx.b.example[192.0.2.1] while sending RCPT "
    "TO)": ("network", {"host": "mx.b.example"}),
    "Nov 22 07:07:06 mx postfix/smtpd[9]: warning: unknown[192.0.2.5]: SASL LOGIN authentication "
    "failed: authentication failure": (
        "auth_required",
        {"verb": "AUTH", "client_address": "192.0.2.5", "mechanism": "LOGIN"},
    ),
    "Nov 22 07:07:06 mx postfix/postscreen[9]: NOQUEUE: reject: RCPT from [192.0.2.5]:5000: 550 "
    "5.7.1 Service unavailable; client [192.0.2.5] blocked using dnsbl.example; from=<a@b.example>"
    ", to=<c@d.example>, proto=ESMTP, helo=<h>": ("ip_blocked", {"verb": "RCPT"}),
    "Nov 22 07:07:06 mx sm-mta[12]: x: to=<a@b.example>, delay=00:00:01, mailer=esmtp, "
    "relay=mx.b.example. [192.0.2.1], dsn=5.1.1, stat=User unknown": (
        "user_unknown",
        {"host": "mx.b.example"},
    ),
    "Nov 22 07:07:06 mx sendmail[12]: x: ruleset=check_rcpt, arg1=<a@b.example>, "
    "relay=h.example [192.0.2.9], reject=550 5.7.1 <a@b.example>... Relaying denied": (
        "relay_denied",
        {"verb": "RCPT", "client_address": "192.0.2.9"},
    ),
    "Nov 22 07:07:06 mx exim[1]: 2026-11-22 07:07:06 1xV1fG-00004k-2P ** a@b.example R=dnslookup "
    "T=remote_smtp H=mx.b.example [192.0.2.1]: SMTP error from remote mail server after MAIL "
    "FROM:<x@y.example> SIZE=1000: 552 5.3.4 too big": ("message_too_big", {"verb": "MAIL"}),
    "2026-11-22 07:07:06 login authenticator failed for H=(me) [192.0.2.5]: 535 Incorrect "
    "authentication data (set_id=ann)": ("auth_required", {"verb": "AUTH", "user": "ann"}),
    "@40000000637c7a1b0a1b2c3d delivery 5: failure: 192.0.2.25_does_not_like_recipient./"
    "Remote_host_said:_550_5.1.1_No_such_user/Giving_up_on_192.0.2.25./": (
        "user_unknown",
        {"verb": "RCPT"},
    ),
    "2026-11-22T07:07:06.123Z,Outbound,08D9,12,192.0.2.1:5000,192.0.2.2:25,<,550 5.7.1 Unable to "
    "relay,": ("relay_denied", {}),
}


@pytest.mark.parametrize("line", LINES)
def test_single_lines(line: str) -> None:
    """Lines of other events and programs: the class, and the facts beside it."""
    class_, facts = LINES[line]
    found = find([line])
    assert classes(found) == [class_]
    assert facts.items() <= found[0].facts.items()


def test_delivered_mail_is_a_reply_too() -> None:
    """The 250 that a server gave is found with its server; a local delivery has none."""
    sent = DELIVERY.partition("status=")[0] + "status=sent (250 2.0.0 Ok: queued as 1A)"
    local = "9A: to=<a@b.example>, relay=virtual, dsn=2.0.0, status=sent (delivered to maildir)"
    prefix = "Nov 22 07:07:06 mx postfix/smtp[253]: "
    found = find([prefix + sent, prefix + local])
    assert [one.words for one in found] == ["250 2.0.0 Ok: queued as 1A"]
    assert classes(found) == ["ok"]


def test_a_code_that_a_log_leaves_out_is_marked() -> None:
    """Exim logs no code of its own rejections; the usual one is filled in, and marked so."""
    line = "2026-11-22 07:07:06 H=(h) [192.0.2.5] F=<a@b.example> rejected RCPT <c@d.example>: no"
    later = line.replace("rejected", "temporarily rejected")
    assert [(one.reply and one.reply.code, one.inferred) for one in find([line, later])] == [
        (550, True),
        (451, True),
    ]
