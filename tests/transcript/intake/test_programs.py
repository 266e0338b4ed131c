"""Error texts of mail programs: those in the samples, those raised here, and pasted ones."""

from __future__ import annotations

import asyncio
import shutil
import smtplib
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smtpshell.practice.library import load_scenario
from smtpshell.practice.server import PracticeServer
from smtpshell.transcript.intake.found import explained
from tests.knowledge.samples.programs import SCRIPTS
from tests.transcript.intake.finding import SAMPLES, classes, find, find_in, refusals

CASES = {
    "login-failed": {"auth_required"},
    "unknown-user": {"user_unknown"},
    "relay-denied": {"relay_denied"},
    "not-owner": {"sender_rejected"},
    "too-big": {"message_too_big"},
    "encryption-required": {"tls", "auth_required"},
    "starttls-not-offered": {"tls", "protocol"},
    "auth-not-offered": {"auth_required", "protocol"},
    "refused": {"network"},
    "no-such-host": {"dns_host", "network"},
    "no-greeting": {"network"},
    "tls-to-plain-port": {"tls", "network"},
    "plain-to-tls-port": {"network"},
    "wrong-name": {"tls"},
}
"""What each case comes to, in whatever words a program tells it."""

SILENT = {
    ("curl", "not-owner"): "it shows the code alone",
    ("curl", "relay-denied"): "it shows the code alone",
    ("phpmailer", "too-big"): "it hides code and text",
    ("net-smtp", "wrong-name"): "it goes on without a word",
    ("swaks", "wrong-name"): "it looks at no certificate",
}
"""Programs that do not tell what happened."""

TEXTS = sorted((SAMPLES / "programs").glob("*/*.txt"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_error_of_a_program_is_understood(path) -> None:
    """Eight programs tell fourteen troubles in their own words, each is found once."""
    found = refusals(find_in(path))
    if (path.parent.name, path.stem) in SILENT:
        assert len(found) <= 1
        return
    assert set(classes(found)) <= CASES[path.stem]
    tries = 4 if (path.parent.name, path.stem) == ("swaks", "login-failed") else 1
    assert len(found) == tries
    assert all(explained(one).next for one in found)


# --- smtplib, made to fail here -------------------------------------------------------------------


@pytest.fixture
def port() -> Iterator[int]:
    """Run the practice server in a thread; yield its port."""
    loop = asyncio.new_event_loop()
    server = PracticeServer(load_scenario("plain"))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    yield server.port
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def send(recipient: str, size: int = 1) -> Callable[[smtplib.SMTP], object]:
    """Return what sends a message of so many octets."""
    text = "Subject: test\r\n\r\n" + ("x" * 70 + "\r\n") * (size // 72 + 1)
    return lambda client: client.sendmail("ann@client.example", [recipient], text)


TROUBLES: dict[str, tuple[Callable[[smtplib.SMTP], object], str, str]] = {
    "relay": (send("zoe@elsewhere.example"), "relay_denied", "RCPT"),
    "unknown": (send("nobody@practice.example"), "user_unknown", "RCPT"),
    "big": (send("bob@practice.example", 4_000_000), "message_too_big", "MAIL"),
    "auth": (lambda client: client.login("ann", "wrong"), "auth_required", "AUTH"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_smtplib_raises_what_is_understood(name: str, port: int) -> None:
    """The traceback of a real smtplib against the practice server is read and explained."""
    act, class_, verb = TROUBLES[name]
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        try:
            act(client)
        except smtplib.SMTPException:
            text = traceback.format_exc()
        else:
            pytest.fail("nothing was refused")
    found = refusals(find(text))
    assert classes(found) == [class_]
    if found[0].reply is not None:
        assert found[0].facts["verb"] == verb


def test_swaks_is_understood(port: int) -> None:
    """A session of the installed swaks gives each reply, and the refusal its command."""
    if shutil.which("swaks") is None:
        pytest.skip("swaks is not installed")
    done = subprocess.run(
        [
            *("swaks", "--server", "127.0.0.1", "--port", str(port), "--helo", "client.example"),
            *("--from", "ann@client.example", "--to", "zoe@elsewhere.example"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    found = find(done.stdout + done.stderr)
    assert [one.facts.get("verb") for one in found] == ["CONNECT", "EHLO", "MAIL", "RCPT", "QUIT"]
    assert classes(refusals(found)) == ["relay_denied"]


@pytest.mark.parametrize("name", ["nodemailer", "javamail", "net-smtp"])
def test_installed_libraries_are_understood(name: str, port: int, tmp_path: Path) -> None:
    """nodemailer, Java Mail and Net::SMTP as installed: one reply, with the command it answers."""
    file, program, command = SCRIPTS[name]
    (tmp_path / file).write_text(program)
    (tmp_path / "authority.pem").write_text("")
    case = ("127.0.0.1", str(port), "plain", "", "", "ann@client.example", "zoe@elsewhere.example")
    try:
        done = subprocess.run(
            [*command, *case, "10"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
        )
    except FileNotFoundError:
        pytest.skip(f"{command[0]} is not installed")
    said = done.stdout + done.stderr
    if any(words in said for words in ("Cannot find module", "javax.mail", "Can't locate")) and (
        "554" not in said
    ):
        pytest.skip(f"the library of {name} is not installed")
    found = refusals(find(said))
    assert classes(found) == ["relay_denied"]
    assert found[0].facts["verb"] == "RCPT"


# --- others ---------------------------------------------------------------------------------------

PASTED = {
    "net-login": (
        (
            "System.Net.Mail.SmtpException: The SMTP server requires a secure connection or the "
            "client "
            "was not authenticated. The server response was: 5.7.57 Client not authenticated to "
            "send "
            "mail.\n   at System.Net.Mail.MailCommand.CheckResponse(SmtpStatusCode statusCode)\n"
        ),
        "auth_required",
        530,
    ),
    "net-relay": (
        (
            "Unhandled exception. System.Net.Mail.SmtpFailedRecipientException: Mailbox "
            "unavailable. "
            "The server response was: 5.7.1 Unable to relay\n"
        ),
        "relay_denied",
        550,
    ),
    "net-refused": (
        (
            "System.Net.Mail.SmtpException: Failure sending mail.\n ---> System.Net.Sockets."
            "SocketException: No connection could be made because the target machine actively "
            "refused "
            "it 192.0.2.1:25\n"
        ),
        "network",
        None,
    ),
    "mailkit": (
        "MailKit.Security.AuthenticationException: 535: 5.7.8 Login failed",
        "auth_required",
        535,
    ),
    "java": (
        (
            "javax.mail.AuthenticationFailedException: 535-5.7.8 Username and Password not "
            "accepted. "
            "For more information, go to\n535 5.7.8  https://support.example/ - gsmtp\n\n"
            "\tat com.sun.mail.smtp.SMTPTransport.authenticate(SMTPTransport.java:947)\n"
        ),
        "auth_required",
        535,
    ),
    "php": (
        (
            "2026-11-22 07:28:19 SERVER -> CLIENT: 250 2.1.0 Ok\n"
            "2026-11-22 07:28:19 CLIENT -> SERVER: RCPT TO:<nobody@b.example>\n"
            "2026-11-22 07:28:19 SERVER -> CLIENT: 550 5.1.1 User unknown\n"
            "2026-11-22 07:28:19 SMTP ERROR: RCPT TO command failed: 550 5.1.1 User unknown\n"
        ),
        "user_unknown",
        550,
    ),
    "go": (
        "2026/11/22 07:00:00 535 5.7.8 Username and Password not accepted",
        "auth_required",
        535,
    ),
    "go-tls": (
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "tls",
        None,
    ),
    "ruby": ("Net::SMTPFatalError (550 5.1.1 <bob@b.example>: User unknown)", "user_unknown", 550),
    "json": ('{"level":50,"err":{"response":"550 5.1.1 User unknown"}}', "user_unknown", 550),
}


@pytest.mark.parametrize("name", PASTED)
def test_other_programs_are_understood(name: str) -> None:
    """.NET, MailKit, Java Mail, PHPMailer, Go, Ruby: one find, with the code where one is told."""
    text, class_, code = PASTED[name]
    found = refusals(find(text))
    assert classes(found) == [class_]
    assert (found[0].reply.code if found[0].reply else None) == code


def test_several_recipients_are_several_finds() -> None:
    """Each recipient in smtplib's dictionary has a reply of its own."""
    text = (
        "smtplib.SMTPRecipientsRefused: {'a@x.example': (550, b'5.1.1 User unknown'), "
        "'b@x.example': (452, b\"4.2.2 It's full\\nsorry\")}"
    )
    found = find(text)
    assert [one.facts["refused"] for one in found] == [("a@x.example",), ("b@x.example",)]
    assert found[1].reply is not None
    assert found[1].reply.lines == ("4.2.2 It's full", "sorry")


WINDOWS = {
    "The message could not be sent because the connection to Outgoing server (SMTP) "
    "mail.example.com timed out. Try again.": "network",
    "The message could not be sent because connecting to Outgoing server (SMTP) mail.example.com "
    "failed. The server may be unavailable or is refusing SMTP connections.": "network",
    "Login to server mail.example.com with username ann failed.": "auth_required",
    "Unable to establish a secure link with Outgoing server (SMTP) mail.example.com using STARTTLS "
    "since it doesn't advertise that feature.": "tls",
    "Your server does not support the connection encryption type you have specified.": "tls",
    "The server does not support encryption": "tls",
    "Cannot connect to your outgoing (SMTP) e-mail server (0x80042109)": "network",
}


@pytest.mark.parametrize("text", WINDOWS)
def test_the_dialogs_of_mail_programs_are_understood(text: str) -> None:
    """What Thunderbird and Outlook show leads to the class, and to the host that they name."""
    (found,) = find(text)
    assert classes([found]) == [WINDOWS[text]]
    assert found.facts.get("host") == ("mail.example.com" if ".com" in text else None)


def test_phrases_are_found_by_their_hints() -> None:
    """Every phrase of the table leads to its kind: none is hidden by an earlier row or a hint."""
    from smtpshell.transcript.intake.phrases import PHRASES, failure_in

    assert {phrase: failure_in(f"xx {phrase} yy") for phrase, _ in PHRASES} == dict(PHRASES)
