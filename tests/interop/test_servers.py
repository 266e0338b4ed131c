"""The harness itself, proven with the standard library's client: what the other tests stand on."""

from __future__ import annotations

import base64
import smtplib
import ssl
import subprocess

import pytest

from .servers import MailServer, Sink, token
from .servers.dovecot import MECHANISMS

SENDER = "visitor@client.example"


def message(word: str) -> bytes:
    """Return a small message with a word to find it by."""
    return f"From: {SENDER}\r\nSubject: {word}\r\n\r\nThe word is {word}.\r\n".encode()


def secure(server: MailServer, service: str) -> smtplib.SMTP:
    """Connect, upgrade with STARTTLS under a verified certificate, and greet again."""
    client = smtplib.SMTP(server.host, server.ports[service])
    client.starttls(context=server.context())
    client.ehlo()
    return client


def refusal(server: MailServer, service: str, recipient: str) -> tuple[int, str]:
    """Return the reply to RCPT for `recipient`."""
    with smtplib.SMTP(server.host, server.ports[service]) as client:
        client.ehlo("client.example")
        client.mail(SENDER)
        code, text = client.rcpt(recipient)
        return code, text.decode()


class TestPostfix:
    """Postfix takes, refuses, encrypts and logs in as its services promise."""

    def test_delivers(self, postfix_server: MailServer) -> None:
        """A message for a mailbox can be read back from it."""
        with smtplib.SMTP(postfix_server.host, postfix_server.ports["smtp"]) as client:
            client.sendmail(SENDER, [postfix_server.user], message("quince"))
        assert b"The word is quince." in postfix_server.wait_for("quince")

    def test_refuses(self, postfix_server: MailServer) -> None:
        """An unknown user is 550 5.1.1, a foreign domain 554 5.7.1, with Postfix's words."""
        code, text = refusal(postfix_server, "smtp", f"nobody@{postfix_server.domain}")
        assert (code, text[:5]) == (550, "5.1.1")
        code, text = refusal(postfix_server, "smtp", "zoe@elsewhere.example")
        assert (code, text) == (554, "5.7.1 <zoe@elsewhere.example>: Relay access denied")

    def test_submission(self, postfix_server: MailServer, sink_server: Sink) -> None:
        """Submission wants TLS, then a login; then it relays."""
        with smtplib.SMTP(postfix_server.host, postfix_server.ports["submission"]) as client:
            client.ehlo()
            assert client.mail(SENDER)[0] == 530
        with secure(postfix_server, "submission") as client:
            client.login(postfix_server.user, postfix_server.password)
            assert client.mail(SENDER)[0] == 250
            code, text = client.rcpt("far@sink.example")
            assert (code, text[:5]) == (553, b"5.7.1")
            client.rset()
            client.sendmail(postfix_server.user, ["far@sink.example"], message("medlar"))

    @pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"])
    def test_mechanisms(self, postfix_server: MailServer, mechanism: str) -> None:
        """The service without TLS offers every mechanism of Cyrus SASL's."""
        with smtplib.SMTP(postfix_server.host, postfix_server.ports["plain"]) as client:
            client.ehlo()
            assert mechanism in client.esmtp_features["auth"].split()

    def test_wrapped(self, postfix_server: MailServer) -> None:
        """The smtps service encrypts at once, under the instance's authority."""
        context = postfix_server.context()
        port = postfix_server.ports["smtps"]
        with smtplib.SMTP_SSL(postfix_server.host, port, context=context) as client:
            assert client.login(postfix_server.user, postfix_server.password)[0] == 235

    def test_limit(self, postfix_server: MailServer) -> None:
        """The small service refuses a declared size above its limit."""
        with smtplib.SMTP(postfix_server.host, postfix_server.ports["small"]) as client:
            client.ehlo()
            assert client.mail(SENDER, ["SIZE=10001"])[0] == 552

    def test_xclient(self, postfix_server: MailServer) -> None:
        """Loopback may claim another client address on the xclient service."""
        with smtplib.SMTP(postfix_server.host, postfix_server.ports["xclient"]) as client:
            client.ehlo()
            assert client.docmd("XCLIENT", "ADDR=192.0.2.7 NAME=far.example")[0] == 220


class TestDovecot:
    """Dovecot's submission and LMTP services do what theirs promise."""

    def test_offers_all(self, dovecot_server: MailServer) -> None:
        """Every mechanism is offered behind TLS."""
        with secure(dovecot_server, "submission") as client:
            assert set(MECHANISMS) == set(client.esmtp_features["auth"].split())

    def test_submits(self, dovecot_server: MailServer, sink_server: Sink) -> None:
        """A logged-in user's message reaches the next server."""
        with secure(dovecot_server, "submission") as client:
            client.login(dovecot_server.user, dovecot_server.password)
            client.sendmail(dovecot_server.address, ["far@sink.example"], message("damson"))
        assert any(b"damson" in (taken.content or b"") for taken in sink_server.taken)

    def test_bearer(self, dovecot_server: MailServer) -> None:
        """A signed token logs in through OAUTHBEARER (RFC 7628)."""
        bearer = f"n,a={dovecot_server.user},\1auth=Bearer {token(dovecot_server)}\1\1"
        with secure(dovecot_server, "submission") as client:
            answer = client.docmd(
                "AUTH", "OAUTHBEARER " + base64.b64encode(bearer.encode()).decode()
            )
        assert answer[0] == 235

    def test_external(self, dovecot_server: MailServer) -> None:
        """A client certificate logs in through EXTERNAL."""
        context = dovecot_server.context()
        context.load_cert_chain(dovecot_server.folder / "client.pem")
        port = dovecot_server.ports["submissions"]
        with smtplib.SMTP_SSL(dovecot_server.host, port, context=context) as client:
            client.ehlo()
            assert client.docmd("AUTH", "EXTERNAL =")[0] == 235

    @pytest.mark.parametrize("transport", ["tcp", "unix"])
    def test_lmtp(self, dovecot_server: MailServer, transport: str) -> None:
        """LMTP delivers over TCP and over a UNIX socket, and knows its users."""
        where = (
            (dovecot_server.host, dovecot_server.ports["lmtp"])
            if transport == "tcp"
            else (str(dovecot_server.sockets["lmtp"]), 0)
        )
        word = f"sloe-{transport}"
        with smtplib.LMTP(*where) as client:
            refused = client.sendmail(
                SENDER, [dovecot_server.address, f"nobody@{dovecot_server.domain}"], message(word)
            )
        assert [code for code, _ in refused.values()] == [550]
        assert dovecot_server.wait_for(word)


class TestExim:
    """Exim answers as a daemon and behind a pipe."""

    def test_delivers(self, exim_server: MailServer) -> None:
        """A message for a mailbox can be read back from it."""
        with smtplib.SMTP(exim_server.host, exim_server.ports["smtp"]) as client:
            client.sendmail(SENDER, [exim_server.address], message("bullace"))
        assert exim_server.wait_for("bullace")

    def test_refuses(self, exim_server: MailServer) -> None:
        """An unknown user and a foreign domain are refused without enhanced codes."""
        assert refusal(exim_server, "smtp", f"nobody@{exim_server.domain}") == (550, "Unknown user")
        assert refusal(exim_server, "smtp", "z@elsewhere.example") == (550, "relay not permitted")

    def test_bounces(self, exim_server: MailServer) -> None:
        """What the next server refuses comes back to the sender as a report."""
        with secure(exim_server, "submission") as client:
            client.login(exim_server.user, exim_server.password)
            client.sendmail(exim_server.address, ["gone@sink.example"], message("serviceberry"))
        assert b"Diagnostic-Code: smtp; 550 5.1.1" in exim_server.wait_for("serviceberry")

    def test_pipe(self, exim_server: MailServer) -> None:
        """`exim -bs` speaks on its standard input and output."""
        script = b"EHLO client.example\r\nQUIT\r\n"
        spoken = subprocess.run(
            exim_server.command, input=script, capture_output=True, check=True, timeout=30
        ).stdout
        assert spoken.startswith(b"220 mx.exim.example ESMTP Exim")
        assert spoken.rstrip().splitlines()[-1].startswith(b"221 ")


class TestOpenSMTPD:
    """OpenSMTPD delivers, refuses, and breaks its handshake."""

    def test_delivers(self, opensmtpd_server: MailServer) -> None:
        """A message for a mailbox can be read back from it."""
        with smtplib.SMTP(opensmtpd_server.host, opensmtpd_server.ports["smtp"]) as client:
            client.sendmail(SENDER, [opensmtpd_server.address], message("whitebeam"))
        assert opensmtpd_server.wait_for("whitebeam")

    def test_refuses(self, opensmtpd_server: MailServer) -> None:
        """A foreign domain is refused with OpenSMTPD's words."""
        code, text = refusal(opensmtpd_server, "smtp", "zoe@elsewhere.example")
        assert (code, text) == (550, "Invalid recipient: <zoe@elsewhere.example>")

    def test_relays(self, opensmtpd_server: MailServer) -> None:
        """What the next server refuses comes back to the sender as a report."""
        with smtplib.SMTP(opensmtpd_server.host, opensmtpd_server.ports["relay"]) as client:
            client.sendmail(opensmtpd_server.address, ["gone@sink.example"], message("rowan"))
        assert b"550 5.1.1" in opensmtpd_server.wait_for("rowan")


def test_foreign_authority(postfix_server: MailServer) -> None:
    """No authority of the system vouches for these servers: a default context refuses them."""
    with (
        smtplib.SMTP(postfix_server.host, postfix_server.ports["smtp"]) as client,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        client.starttls(context=ssl.create_default_context())
