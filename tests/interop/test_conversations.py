"""The program against real mail servers, run as a user runs it: in a process of its own."""

from __future__ import annotations

import base64

import pytest

from tests.conversation.running import Run, smtpshell

from .servers import MailServer, Sink, token
from .servers.dovecot import MECHANISMS

SENDER = "visitor@client.example"


def target(server: MailServer, service: str, scheme: str = "smtp") -> str:
    """Return a service of a server as a target; the certificates are for localhost."""
    return f"{scheme}://localhost:{server.ports[service]}"


def send(server: MailServer, where: str, *arguments: str, **environment: str) -> Run:
    """Play a transaction under the server's authority."""
    return smtpshell(
        "send",
        where,
        "--helo",
        "client.example",
        "--ca",
        str(server.authority),
        *arguments,
        env={"SMTPSHELL_PASSWORD": server.password, **environment},
    )


def test_a_transaction_typed_by_hand_is_delivered(postfix_server: MailServer) -> None:
    """HELO to QUIT as lines of a script; the message can be read in the mailbox."""
    run = smtpshell(
        target(postfix_server, "smtp"),
        stdin=(
            "HELO client.example\n"
            f"MAIL FROM:<{SENDER}>\n"
            f"RCPT TO:<{postfix_server.user}>\n"
            "RCPT TO:<zoe@elsewhere.example>\n"
            "DATA\nSubject: by hand\n\nquandong\n.a line with a dot\n.\nQUIT\n"
        ),
    )
    assert run.status == 24  # one recipient was refused, the other one got the message
    delivered = postfix_server.wait_for("quandong")
    assert b"\n.a line with a dot" in delivered
    assert "554 5.7.1" in run.out
    assert "does not forward mail" in run.out


def test_starttls_and_login_are_verified(postfix_server: MailServer, sink_server: Sink) -> None:
    """`send` with a login verifies the certificate, logs in and relays."""
    run = send(
        postfix_server,
        target(postfix_server, "submission"),
        *("--from", postfix_server.user, "--to", "far@sink.example"),
        *("--user", postfix_server.user, "--subject", "carambola"),
    )
    assert run.status == 0, run.out + run.err
    assert "certificate good" in run.out
    assert sink_server.wait_for("carambola").rcpt_tos == ["far@sink.example"]
    assert postfix_server.password not in run.out + run.err


def test_a_bad_certificate_ends_before_any_secret_is_sent(postfix_server: MailServer) -> None:
    """Without the authority the status is 29, and neither AUTH nor MAIL was sent."""
    run = smtpshell(
        *("send", target(postfix_server, "submission"), "--user", postfix_server.user),
        *("--from", SENDER, "--to", postfix_server.user),
        env={"SMTPSHELL_PASSWORD": postfix_server.password},
    )
    assert run.status == 29
    assert "C: AUTH" not in run.out
    assert "C: MAIL" not in run.out


def test_tls_at_once(postfix_server: MailServer) -> None:
    """smtps:// encrypts before the greeting, and the verdict is shown."""
    run = smtpshell(
        target(postfix_server, "smtps", "smtps"),
        *("-c", f"/set ca {postfix_server.authority}", "-c", "EHLO client.example", "-c", "/cert"),
        *("-c", "/close", "-c", "/connect", "-c", "/cert"),
    )
    assert "NOT good" in run.out
    assert "subject" in run.out


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"])
def test_postfix_takes_each_mechanism(postfix_server: MailServer, mechanism: str) -> None:
    """Cyrus SASL accepts our side of every mechanism that it offers."""
    run = send(
        postfix_server,
        target(postfix_server, "plain"),
        *("--from", SENDER, "--auth", mechanism, "--user", postfix_server.user),
        *("--tls", "never", "--allow-cleartext-auth", "--quit-after", "auth"),
    )
    assert run.status == 0, run.out + run.err
    assert "S: 235" in run.out


@pytest.mark.parametrize("mechanism", sorted(set(MECHANISMS) - {"EXTERNAL", "ANONYMOUS"}))
def test_dovecot_takes_each_mechanism(dovecot_server: MailServer, mechanism: str) -> None:
    """Dovecot accepts our side of every mechanism that it offers, SCRAM with its own proof."""
    bearer = mechanism in ("XOAUTH2", "OAUTHBEARER")
    run = send(
        dovecot_server,
        target(dovecot_server, "submission"),
        *("--from", SENDER, "--auth", mechanism, "--user", dovecot_server.user),
        *("--quit-after", "auth"),
        SMTPSHELL_PASSWORD=token(dovecot_server) if bearer else dovecot_server.password,
    )
    assert run.status == 0, run.out + run.err
    assert "S: 235" in run.out


def test_external_uses_the_client_certificate(dovecot_server: MailServer) -> None:
    """A client certificate and EXTERNAL log in without a password."""
    pem = str(dovecot_server.folder / "client.pem")
    run = send(
        dovecot_server,
        target(dovecot_server, "submissions", "smtps"),
        *("--from", SENDER, "--auth", "EXTERNAL", "--cert", pem, "--quit-after", "auth"),
    )
    assert run.status == 0, run.out + run.err


def test_a_wrong_password_is_one_attempt_and_status_28(dovecot_server: MailServer) -> None:
    """The refusal ends the transaction at once, and nothing of the password is shown."""
    wrong = "not the password"
    run = send(
        dovecot_server,
        target(dovecot_server, "submission"),
        *("--from", SENDER, "--to", dovecot_server.address, "--user", dovecot_server.user),
        SMTPSHELL_PASSWORD=wrong,
    )
    assert run.status == 28
    assert run.out.count("C: AUTH") == 1
    encoded = base64.b64encode(f"\0{dovecot_server.user}\0{wrong}".encode()).decode()
    assert wrong not in run.out + run.err
    assert encoded not in run.out + run.err


@pytest.mark.parametrize("transport", ["tcp", "unix"])
def test_lmtp_tells_each_recipients_fate(dovecot_server: MailServer, transport: str) -> None:
    """LMTP over TCP and over a UNIX socket; the replies after the dot name recipients."""
    where = (
        f"lmtp://localhost:{dovecot_server.ports['lmtp']}"
        if transport == "tcp"
        else f"unix:{dovecot_server.sockets['lmtp']}"
    )
    word = f"jaboticaba-{transport}"
    run = send(
        dovecot_server,
        where,
        *("--from", SENDER, "--to", f"{dovecot_server.address},bob@{dovecot_server.domain}"),
        *("--subject", word, "--json", "--lmtp"),
    )
    assert run.status == 0, run.out + run.err
    fates = run.events("recipients")[0]["recipients"]
    assert [fate["accepted"] for fate in fates] == [True, True]
    after_dot = [reply for reply in run.events("reply") if reply["command"] == "."]
    assert len(after_dot) == 2
    assert dovecot_server.wait_for(word, "bob")


def test_a_program_as_the_server(exim_server: MailServer) -> None:
    """pipe: runs Exim on its standard input and output."""
    run = smtpshell("pipe:" + " ".join(exim_server.command), "-c", "EHLO client.example")
    assert run.status == 0, run.out + run.err
    assert run.wire[0].startswith("S: 220 mx.exim.example ESMTP Exim")
    assert run.wire[-1].startswith("S: 221 ")


@pytest.mark.parametrize("option", ["--pipelining", "--bdat", "--smtputf8"])
def test_extensions_carry_the_same_message(postfix_server: MailServer, option: str) -> None:
    """Pipelined, in chunks or with SMTPUTF8, the message arrives."""
    word = f"langsat{option}"
    run = send(
        postfix_server,
        target(postfix_server, "smtp"),
        *("--from", SENDER, "--to", postfix_server.user, "--subject", word, option),
    )
    assert run.status == 0, run.out + run.err
    assert postfix_server.wait_for(word)


def test_a_message_that_is_too_big_is_refused_at_mail(postfix_server: MailServer, tmp_path) -> None:
    """SIZE= goes along where it is announced, so the refusal costs one line."""
    message = tmp_path / "big.eml"
    message.write_bytes(b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 12000)
    run = send(
        postfix_server,
        target(postfix_server, "small"),
        *("--from", SENDER, "--to", postfix_server.user, "--data", str(message)),
    )
    assert run.status == 23
    assert "552 5.3.4" in run.out


def test_xclient_claims_another_client(postfix_server: MailServer) -> None:
    """/xclient speaks xtext, and the session begins anew."""
    run = smtpshell(
        target(postfix_server, "xclient"),
        *("-c", "EHLO client.example", "-c", "/xclient ADDR=192.0.2.7 NAME=far.example"),
        *("-c", "/status"),
    )
    assert run.status == 0, run.out + run.err
    assert "greeted, no HELO yet" in run.out


def test_a_group_is_paired_with_its_replies(postfix_server: MailServer) -> None:
    """/pipeline sends lines at once and pairs the replies in order."""
    run = smtpshell(
        target(postfix_server, "smtp"),
        *("-c", "EHLO client.example"),
        *(
            "-c",
            f"/pipeline MAIL FROM:<{SENDER}> | RCPT TO:<z@elsewhere.example> | NOOP | RSET",
        ),
    )
    paired = [line for line in run.lines if line.startswith("#   ")]
    assert [line.split()[1] for line in paired[-4:]] == ["250", "554", "250", "250"]


def test_opensmtpd_refuses_with_a_cause(opensmtpd_server: MailServer) -> None:
    """/why names a cause for the words of a server without enhanced codes."""
    run = smtpshell(
        target(opensmtpd_server, "smtp"),
        *("-c", "EHLO client.example", "-c", f"MAIL FROM:<{SENDER}>"),
        *("-c", "RCPT TO:<zoe@elsewhere.example>", "-c", "/why"),
    )
    assert run.status == 24
    assert "# Likely causes" in run.out


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_proxy_header_claims_another_client(postfix_server: MailServer, version: str) -> None:
    """Postfix takes the address of the header for the client's."""
    word = f"carissa-{version}"
    run = send(
        postfix_server,
        target(postfix_server, "proxied"),
        *("--proxy-protocol", f"{version} 192.0.2.7:4000 192.0.2.9:25"),
        *("--from", SENDER, "--to", postfix_server.user, "--subject", word),
    )
    assert run.status == 0, run.out + run.err
    assert b"[192.0.2.7]" in postfix_server.wait_for(word)


def test_xforward_tells_of_the_first_client(postfix_server: MailServer) -> None:
    """/xforward is accepted where it is announced."""
    run = smtpshell(
        target(postfix_server, "xclient"),
        *("-c", "EHLO client.example", "-c", "/xforward ADDR=192.0.2.8 NAME=first.example"),
        *("-c", f"MAIL FROM:<{SENDER}>"),
    )
    assert run.status == 0, run.out + run.err


@pytest.mark.parametrize("policy", ["verify", "required", "optional"])
def test_scripts_demand_of_tls_what_they_like(postfix_server: MailServer, policy: str) -> None:
    """The script's own lines come after the upgrade."""
    run = smtpshell(
        target(postfix_server, "smtp"),
        *("--tls", policy, "--ca", str(postfix_server.authority)),
        *("-c", f"MAIL FROM:<{SENDER}>", "--json"),
    )
    assert run.status == 0, run.out + run.err
    (verdict,) = run.events("tls")
    assert verdict["verified"] is True


def test_delivery_reports_are_asked_for(postfix_server: MailServer) -> None:
    """Postfix takes RET, ENVID and NOTIFY as we write them."""
    run = send(
        postfix_server,
        target(postfix_server, "smtp"),
        *("--from", SENDER, "--to", postfix_server.user, "--quit-after", "rcpt"),
        *("--dsn-notify", "success,delay", "--dsn-ret", "full", "--dsn-envid", "a b+c"),
    )
    assert run.status == 0, run.out + run.err


def test_internationalised_addresses_are_taken(postfix_server: MailServer) -> None:
    """An address beyond ASCII brings SMTPUTF8 along by itself."""
    run = send(
        postfix_server,
        target(postfix_server, "smtp"),
        *("--from", SENDER, "--to", f"pelé@{postfix_server.domain}", "--subject", "maracujá"),
    )
    assert run.status == 0, run.out + run.err
    assert any(line.endswith("SMTPUTF8") for line in run.wire if "MAIL FROM" in line)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
def test_the_user_of_a_login_is_known(dovecot_server: MailServer, mechanism: str) -> None:
    """/auth in a script logs in, and /status tells as whom."""
    run = smtpshell(
        target(dovecot_server, "submission"),
        *("--tls", "verify", "--ca", str(dovecot_server.authority), "--user", dovecot_server.user),
        *("-c", f"/auth {mechanism}", "-c", "/status"),
        env={"SMTPSHELL_PASSWORD": dovecot_server.password},
    )
    assert run.status == 0, run.out + run.err
    assert any(f"as {dovecot_server.user} by {mechanism}" in line for line in run.lines)
    assert dovecot_server.password not in run.out + run.err


@pytest.mark.parametrize(
    ("size", "options"), [(300, ()), (3_000_000, ()), (3_000_000, ("--bdat",))]
)
def test_messages_arrive_octet_for_octet(
    postfix_server: MailServer, tmp_path, size: int, options
) -> None:
    """Small and large, with lines that begin with dots, by DATA and by BDAT."""
    word = f"pitanga-{size}{''.join(options)}"
    message = tmp_path / "message.eml"
    body = b".\n..\n.x\n" + b"0123456789" * 7 + b"\n"
    message.write_bytes(f"Subject: {word}\n\n".encode() + body * (size // len(body) + 1))
    run = send(
        postfix_server,
        target(postfix_server, "smtp"),
        *("--from", SENDER, "--to", postfix_server.user, "--data", str(message), *options),
    )
    assert run.status == 0, run.out + run.err
    assert postfix_server.wait_for(word).endswith(message.read_bytes().split(b"\n\n", 1)[1])
