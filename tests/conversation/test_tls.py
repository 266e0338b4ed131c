"""TLS as a user meets it: the verdict, and plain words for everything that goes wrong."""

from __future__ import annotations

import os
import ssl

import pytest

from tests.conversation.running import in_process, smtpshell
from tests.conversation.test_script import at
from tests.net.authority import Authority
from tests.net.helpers import authority
from tests.net.rogue import Smtp, after_hello, banner, reset, serve, silent

UPGRADE = ("EHLO client.example", "STARTTLS", "EHLO client.example")


def issued(*names: str, **bent):
    """Return a server's context with a certificate bent in some way."""
    return authority().issue(*(names or ("127.0.0.1",)), **bent).context()


def upgraded(behaviour, *lines: str, **options):
    """Run a script that upgrades; the server is the given one."""
    with serve(behaviour) as server:
        return in_process(at(server), *UPGRADE, *lines, **options)


@pytest.mark.parametrize(
    ("bent", "said"),
    [
        ({"first_day": -30, "last_day": -3}, "expired"),
        ({"first_day": 3}, "valid only from"),
        ({"self_signed": True}, "self-signed"),
        ({}, "nobody trusted here has issued"),
    ],
)
def test_a_bad_certificate_is_told_and_the_session_goes_on(bent, said) -> None:
    """The handshake goes through for diagnosis; the verdict names the fault."""
    run = upgraded(Smtp(issued(**bent)), json=True)
    (verdict,) = run.events("tls")
    assert verdict["verified"] is False
    assert any(said in problem for problem in verdict["problems"])
    assert run.events("reply")[-1]["code"] == 221
    assert run.status == 0


def test_all_faults_are_listed_and_not_the_first_alone(tmp_path) -> None:
    """A name that does not fit, a date that has passed and an old version are three faults."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority().pem)
    bad = authority().issue("elsewhere.example", first_day=-30, last_day=-3)
    old = bad.context(maximum=ssl.TLSVersion.TLSv1)
    run = upgraded(Smtp(old), "/cert", ca=str(ca))
    said = "\n".join(run.lines)
    assert "certificate is not for 127.0.0.1, but for elsewhere.example" in said
    assert "expired" in said
    assert "TLSv1.0 is out of use" in said


def test_a_good_certificate_is_told_too(tmp_path) -> None:
    """Trusted and fitting: verified, and /cert says so with version, cipher and group."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority().pem)
    run = upgraded(Smtp(issued()), "/cert", "/cert pem", ca=str(ca))
    assert any("certificate good" in line for line in run.lines)
    assert any(line.startswith("# Good:") for line in run.lines)
    assert any("TLSv1.3" in line and "key exchange" in line for line in run.lines)
    assert any("days left" in line for line in run.lines)
    assert run.lines.count("# -----BEGIN CERTIFICATE-----") == 2
    for label in ("subject", "names", "issuer", "SHA-256", "SPKI"):
        assert any(line.split()[1:2] == [label] for line in run.lines), label


@pytest.mark.parametrize(
    ("behaviour", "status", "said"),
    [
        (Smtp(issued(), cut_at="handshake"), 29, "closed the connection"),
        (Smtp(issued(), cut_at="hello"), 29, "closed the connection"),
        (Smtp(issued(), cut_at="hello-reset"), 29, "cut the connection"),
        (Smtp(issued(), instead=b"500 what?\r\n"), 29, "plain text"),
        (Smtp(issued(), instead=b"HTTP/1.1 400 no\r\n"), 29, "HTTP"),
        (Smtp(issued(), instead=b"\x15\x03\x01\x00\x02\x02\x46"), 29, "version"),
        (Smtp(issued(), instead=b"\x16\x03\x03\x00\x05rubbi"), 29, "TLS"),
    ],
)
def test_a_handshake_that_fails_has_its_reason(behaviour, status, said) -> None:
    """Status 29, one line of plain words, and what to try."""
    run = upgraded(behaviour, json=True)
    assert run.status == status
    assert said in run.err
    assert len(run.err.splitlines()) == 1
    (failed,) = run.events("failed")
    assert (failed["stage"], failed["status"]) == ("tls", status)
    assert failed["next"]


@pytest.mark.parametrize("scheme", ["", "smtps://"])
def test_a_handshake_that_takes_too_long_is_a_time_out(scheme) -> None:
    """The handshake is bounded by the time-out: status 6, and told as what it is."""
    behaviour = silent() if scheme else Smtp(issued(), instead=b"")
    with serve(behaviour) as server:
        run = in_process(scheme + at(server), *UPGRADE, timeout="0.5", json=True)
    assert run.status == 6
    assert "handshake" in run.err
    (failed,) = run.events("failed")
    assert failed["stage"] == "tls"


def test_octets_before_the_handshake_are_thrown_away_and_told() -> None:
    """A reply injected behind the 220 is never read as the answer to anything (RFC 3207 6)."""
    run = upgraded(Smtp(issued(), injected=b"250-x\r\n250 AUTH PLAIN\r\n"), json=True)
    notes = [event["text"] for event in run.events("note")]
    assert any("plain text arrived before the TLS handshake" in text for text in notes)
    assert all("AUTH PLAIN" not in "".join(reply["lines"]) for reply in run.events("reply"))
    assert run.status == 0


def test_starttls_that_is_not_offered_or_refused_is_told() -> None:
    """The refusal is status 29, and the advice sends nothing secret."""
    refusing = Smtp(None, answers={"STARTTLS": b"502 5.5.1 no\r\n"})
    with serve(refusing) as server:
        run = in_process(at(server), "/starttls")
    assert run.status == 29
    assert any("does not offer STARTTLS" in line for line in run.lines)
    assert "Nothing secret" in run.err


def test_what_changed_between_the_two_ehlo_replies_is_shown() -> None:
    """/starttls upgrades, greets again and compares; with --json as one object."""

    class Changing(Smtp):
        def _answer(self, verb: str) -> bytes:
            return super()._answer(verb)

        def __call__(self, connection) -> None:
            self.answers["EHLO"] = b"250-x\r\n250-STARTTLS\r\n250 SIZE 10\r\n"
            super().__call__(connection)

        def _start_tls(self, connection) -> bool:
            self.answers["EHLO"] = b"250-x\r\n250-AUTH PLAIN\r\n250 SIZE 20\r\n"
            return super()._start_tls(connection)

    for as_json in (False, True):
        with serve(Changing(issued())) as server:
            run = in_process(at(server), "/starttls", json=as_json)
        if as_json:
            (changes,) = (item for item in run.objects if "changed" in item)
            assert changes["new"] == ["AUTH PLAIN"]
            assert changes["gone"] == ["STARTTLS"]
            assert changes["changed"] == [["SIZE 10", "SIZE 20"]]
        else:
            assert any("new with TLS" in line and "AUTH PLAIN" in line for line in run.lines)
            assert any("gone with TLS" in line and "STARTTLS" in line for line in run.lines)


@pytest.mark.parametrize(
    ("behaviour", "scheme", "status", "said"),
    [
        (Smtp(None), "smtps://", 29, "plain text"),
        (Smtp(issued(), at_once=True), "", 6, "TLS at once"),
        (banner(b"* OK IMAP4rev1 ready\r\n"), "", 21, "IMAP"),
        (banner(b"+OK POP3 ready\r\n"), "", 21, "POP3"),
        (banner(b"SSH-2.0-OpenSSH_9.2\r\n"), "", 21, "SSH"),
        (banner(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "", 21, "HTTP"),
        (banner(b"\x15\x03\x01\x00\x02\x02\x0a\n"), "", 21, "TLS from the first octet"),
        (after_hello(banner(b"HTTP/1.1 400 Bad Request\r\n\r\n")), "smtps://", 29, "HTTP"),
        (banner(b"* OK IMAP4rev1 ready\r\n"), "smtps://", 29, "IMAP"),
    ],
)
def test_wrong_doors_are_named(behaviour, scheme, status, said) -> None:
    """TLS to a plain port, plain to a TLS port, and servers of other protocols."""
    with serve(behaviour) as server:
        run = in_process(scheme + at(server), "EHLO client.example", timeout="1")
    assert run.status == status, run.err
    assert said in run.err
    assert len(run.err.splitlines()) == 1


def test_a_reset_before_the_greeting_is_named() -> None:
    """It meets a connection that is made, or one that is just being made: both may be told."""
    with serve(reset()) as server:
        run = in_process(at(server), "EHLO client.example", timeout="1")
    assert run.status in (2, 6), run.err
    assert "connection" in run.err
    assert len(run.err.splitlines()) == 1


def test_a_cut_inside_tls_is_a_lost_connection() -> None:
    """No close_notify and no reply: the connection was lost."""
    run = upgraded(Smtp(issued(), cut_at="rset"), "RSET")
    assert run.status == 6


def test_the_shutdown_of_tls_takes_a_second_at_most() -> None:
    """A server that never answers the close_notify does not hold the script up."""
    import time

    with serve(Smtp(issued(), close_notify=False)) as server:
        began = time.monotonic()
        run = in_process(at(server), *UPGRADE, timeout="30")
    assert run.status == 0
    assert time.monotonic() - began < 5


def test_a_client_certificate_is_presented(tmp_path) -> None:
    """--cert with its key is what a server that demands one gets to see."""
    own = Authority("Own")
    pem = tmp_path / "client.pem"
    pem.write_bytes(own.issue("client.example", purposes=()).pem())
    ca = tmp_path / "ca.pem"
    ca.write_bytes(own.pem)
    context = issued()
    context.load_verify_locations(str(ca))
    context.verify_mode = ssl.CERT_REQUIRED
    for more, status in ((("--cert", str(pem)), 0), ((), 29)):
        with serve(Smtp(context)) as server:
            words = ("--tls", "required", "--tls-max", "1.2", "-c", "NOOP", *more)
            assert smtpshell(at(server), *words).status == status


def test_verification_by_the_ssl_module_loads_nothing_heavy(tmp_path) -> None:
    """With --tls verify and PLAIN neither cryptography nor OpenSSL's wrapper is imported."""
    import subprocess
    import sys

    program = (
        "import sys; from smtpshell.cli import guarded; guarded(sys.argv[1:]); "
        "print([name for name in sys.modules if name in ('cryptography', 'OpenSSL')])"
    )
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority().pem)
    answers = {"EHLO": b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 ok\r\n"}
    words = ("--from", "a@client.example", "--to", "b@rogue.example", "--user", "ann")
    more = ("--ca", str(ca), "--quit-after", "mail")
    with serve(Smtp(issued(), answers=answers)) as server:
        done = subprocess.run(
            [sys.executable, "-c", program, "send", at(server), *words, *more],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            env={**os.environ, "SMTPSHELL_PASSWORD": "x"},
        )
    assert "S: 235 ok" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
