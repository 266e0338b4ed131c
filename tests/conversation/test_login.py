"""Logging in: every mechanism at the practice server, hostile servers, and secrets that stay so."""

from __future__ import annotations

import base64

import pytest

from smtpshell.practice.accounts import mechanisms_of
from smtpshell.practice.library import load_scenario
from tests.conversation.running import in_process, smtpshell
from tests.conversation.test_script import _lines, at
from tests.net.helpers import authority
from tests.net.rogue import Smtp, serve

SECRET = "hunter2 is no password"
MECHANISMS = sorted(mechanisms_of(load_scenario("plain"), 25))


def b64(text: bytes | str) -> bytes:
    """Return base64 as octets."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text)


class Login:
    """A server that offers one mechanism and answers AUTH lines from a list."""

    def __init__(self, mechanism: str, *answers: bytes) -> None:
        self.mechanism = mechanism
        self.answers = answers

    def __call__(self, connection) -> None:
        """Serve one connection."""
        connection.sendall(b"220 rogue.example\r\n")
        answers = iter(self.answers)
        inside = False
        for line in _lines(connection):
            verb = line.split()[0].upper() if line.split() else b""
            if inside or verb == b"AUTH":
                answer = next(answers, b"501 5.5.2 cancelled")
                if not answer:
                    return
                inside = answer.startswith(b"334")
                connection.sendall(answer + b"\r\n")
            elif verb == b"EHLO":
                connection.sendall(b"250-x\r\n250 AUTH " + self.mechanism.encode() + b"\r\n")
            else:
                connection.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")


def login(behaviour, *more: str, user: str = "ann"):
    """Log in at a server over plain text, as the flag allows."""
    with serve(behaviour) as server:
        run = smtpshell(
            *("send", at(server), "--from", "a@client.example", "--user", user),
            *("--auth", behaviour.mechanism, "--tls", "never", "--quit-after", "auth"),
            *("--allow-cleartext-auth", "--timeout", "5", *more),
            env={"SMTPSHELL_PASSWORD": SECRET},
        )
        return run, bytes(server.received)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_mechanism_logs_in_at_the_practice_server(mechanism) -> None:
    """Both sides of each mechanism agree, after TLS."""
    run = in_process("practice", "/starttls", f"/auth {mechanism} alice", "/status")
    assert run.status == 0, run.err
    assert any("as alice by " + mechanism in line for line in run.lines)


def test_the_best_offered_mechanism_is_the_default() -> None:
    """Inside TLS with channel binding at hand, that is SCRAM-SHA-256-PLUS."""
    run = in_process("practice", "/starttls", "/auth alice")
    assert any(line.startswith("C: AUTH SCRAM-SHA-256-PLUS ") for line in run.lines)


def test_published_passwords_are_shown_and_others_hidden() -> None:
    """At the practice server the published credentials are no secret; any other one is."""
    right = b64("\0alice\0correct horse").decode()
    wrong = b64(f"\0alice\0{SECRET}").decode()
    run = in_process("practice", "/starttls", f"AUTH PLAIN {wrong}", f"AUTH PLAIN {right}")
    assert f"C: AUTH PLAIN {right}" in run.wire
    assert "C: AUTH PLAIN [hidden]" in run.wire
    assert wrong not in run.out


def test_a_password_over_a_bad_channel_needs_the_flag() -> None:
    """Without the flag nothing is sent, and the refusal names it."""
    with serve(Login("PLAIN", b"235 ok")) as server:
        run = smtpshell(
            *("send", at(server), "--from", "a@client.example", "--user", "ann"),
            *("--auth", "PLAIN", "--tls", "never", "--quit-after", "auth"),
            env={"SMTPSHELL_PASSWORD": SECRET},
        )
        assert b"AUTH" not in bytes(server.received)
    assert run.status == 28
    assert "--allow-cleartext-auth" in run.err


@pytest.mark.parametrize(
    ("mechanism", "answers", "said"),
    [
        ("PLAIN", [b"334 !!! not base64"], "base64"),
        ("LOGIN", [b"334 " + b64("x" * 60_000)], "at most 12288"),
        ("CRAM-MD5", [b"334 "], "challenge"),
        ("CRAM-MD5", [b"334 \xff\xfe"], "base64"),
        ("DIGEST-MD5", [b"334 " + b64("nonsense")], "DIGEST-MD5"),
        ("SCRAM-SHA-256", [b"334 " + b64("r=other,s=c2FsdA==,i=4096")], "nonce"),
        ("SCRAM-SHA-256", [b"235 welcome"], "prove"),
        ("SCRAM-SHA-1", [b"334 " + b64("r=x,s=c2FsdA==,i=999999999")], "SCRAM"),
        ("OAUTHBEARER", [b"334 " + b64('{"status":"invalid_token"}'), b"535 5.7.8 no"], "535"),
    ],
)
def test_hostile_challenges_are_told_and_given_up(mechanism, answers, said) -> None:
    """A challenge that is not as it should be ends with status 28, a reason, and no secret."""
    run, _ = login(Login(mechanism, *answers))
    assert run.status == 28, run.out + run.err
    assert said in run.err
    assert "Traceback" not in run.err


def test_a_wrong_server_signature_is_reported() -> None:
    """SCRAM's server must prove that it knows the password; one that cannot is told."""

    class Impostor(Login):
        def __call__(self, connection) -> None:
            connection.sendall(b"220 rogue.example\r\n")
            for line in _lines(connection):
                words = line.split()
                if words[0] == b"EHLO":
                    connection.sendall(b"250-x\r\n250 AUTH SCRAM-SHA-256\r\n")
                elif words[0] == b"AUTH":
                    nonce = base64.b64decode(words[2]).split(b"r=")[1]
                    first = b"r=" + nonce + b"abc,s=" + b64("salt") + b",i=4096"
                    connection.sendall(b"334 " + b64(first) + b"\r\n")
                elif base64.b64decode(words[0] + b"==")[:2] == b"c=":
                    connection.sendall(b"334 " + b64(b"v=" + b64("not the signature")) + b"\r\n")
                else:
                    connection.sendall(b"501 5.5.2 cancelled\r\n")

    run, received = login(Impostor("SCRAM-SHA-256"))
    assert run.status == 28
    assert "signature" in run.err
    assert SECRET.encode() not in received


def test_a_connection_cut_in_the_middle_is_lost() -> None:
    """A server that hangs up during AUTH ends with status 6."""
    run, _ = login(Login("LOGIN", b"334 " + b64("Username:"), b""))
    assert run.status == 6


def test_no_password_ever_appears(tmp_path) -> None:
    """In clear or in base64, in no output, transcript, JSON, error or state file."""
    forms = [SECRET, b64(SECRET).decode(), b64(f"\0ann\0{SECRET}").decode()]
    state = tmp_path / "state"
    password = tmp_path / "password"
    password.write_text(SECRET + "\n")
    environment = {"XDG_STATE_HOME": str(state), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    text, lines = tmp_path / "saved.txt", tmp_path / "saved.jsonl"
    accepting = Login(
        "PLAIN LOGIN", b"235 ok", b"334 " + b64("Username:"), b"334 UGFzcw==", b"535 no"
    )
    for options in ((), ("--json",), ("--notes", "long")):
        with serve(accepting) as server:
            run = smtpshell(
                *(at(server), *options, "-c", "EHLO client.example"),
                *("-c", f"auth   PLAIN {forms[2]}", "-c", "AUTH LOGIN"),
                *("-c", b64("ann").decode(), "-c", forms[1], "-c", forms[1]),
                *("-c", "/transcript", "-c", f"/save {text}", "-c", f"/save {lines}"),
                env=environment,
            )
            assert forms[2].encode() in bytes(server.received)
        kept = [text.read_text(), lines.read_text(), run.out, run.err]
        kept += [path.read_text() for path in state.rglob("*") if path.is_file()]
        for form in forms:
            assert not any(form in content for content in kept), form
    run, received = login(Login("PLAIN", b"535 5.7.8 no"), "--password-file", str(password))
    assert forms[2].encode() in received
    assert not any(form in run.out + run.err for form in forms)


def test_secrets_come_from_a_command_a_file_or_netrc(tmp_path) -> None:
    """Each source is used; a command that fails is told."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f'machine 127.0.0.1 login ann password "{SECRET}"\n')
    netrc.chmod(0o600)
    with serve(Login("PLAIN", b"235 ok")) as server:
        run = smtpshell(
            *("send", at(server), "--from", "a@client.example", "--user", "ann"),
            *("--auth", "PLAIN", "--tls", "never", "--allow-cleartext-auth"),
            *("--quit-after", "auth"),
            env={"NETRC": str(netrc)},
        )
        assert b64(f"\0ann\0{SECRET}") in bytes(server.received), run.err
    good, received = login(
        Login("PLAIN", b"235 ok"), "--password-command", "printf 'from a command'"
    )
    assert b64("\0ann\0from a command") in received
    assert good.status == 0
    bad, _ = login(Login("PLAIN", b"235 ok"), "--password-command", "exit 3")
    assert bad.status == 28
    assert "status 3" in bad.err


@pytest.mark.parametrize("option", ["-ap", "--password", "--auth-password"])
def test_a_password_as_an_argument_is_refused_without_repeating_it(option) -> None:
    """Usage error, advice, and the secret is not echoed."""
    run = smtpshell("send", "127.0.0.1:1", "--from", "a@b.example", option, SECRET)
    assert run.status == 1
    assert SECRET not in run.err + run.out
    assert "--password-file" in run.err


def test_verification_is_the_default_with_a_login() -> None:
    """A certificate that is not trusted ends with 29 before AUTH is sent."""
    untrusted = authority().issue("127.0.0.1")
    with serve(Smtp(untrusted.context())) as server:
        run = smtpshell(
            *("send", at(server), "--from", "a@client.example", "--user", "ann"),
            *("--timeout", "5", "--quit-after", "auth"),
            env={"SMTPSHELL_PASSWORD": SECRET},
        )
        assert b"AUTH" not in bytes(server.received)
    assert run.status == 29


def test_the_anatomy_lays_out_each_token_and_hides_the_secret() -> None:
    """/auth --show: names, values and meanings, what leaks and what is kept; one JSON object."""
    plain = in_process("practice", "/starttls", "/auth --show PLAIN alice")
    assert any("user name" in line and "alice" in line for line in plain.lines)
    assert any(" password " in line and "[hidden]" in line for line in plain.lines)
    assert any("eavesdropper" in line for line in plain.lines)
    as_json = in_process("practice", "/starttls", "/auth --show SCRAM-SHA-256 alice", json=True)
    (shown,) = (item for item in as_json.objects if "tokens" in item)
    assert [token["from"] for token in shown["tokens"]] == ["client", "server"] * 2 + ["client"]
    names = [field["name"] for token in shown["tokens"] for field in token["fields"]]
    assert {"user name", "nonce", "salt", "iterations", "client's proof"} <= set(names)


def test_each_challenge_says_what_to_answer() -> None:
    """A login by hand is told step by step, in text and in the note of the JSON object."""
    lines = ("/starttls", "AUTH LOGIN", b64("alice").decode(), b64("correct horse").decode())
    text = in_process("practice", *lines, "/status")
    assert any("/b64 NAME" in line for line in text.lines)
    assert any("/b64 PASSWORD" in line for line in text.lines)
    assert any("as alice by LOGIN" in line for line in text.lines)
    notes = [
        reply["note"].get("challenge", "")
        for reply in in_process("practice", *lines, json=True).events("reply")
        if reply["code"] == 334
    ]
    assert ["user name" in notes[0], "password" in notes[1]] == [True, True]


def test_a_login_can_be_given_up_and_tried_once_only() -> None:
    """A single * ends it; /auth makes exactly one attempt, whatever the server says."""
    run = in_process("practice", "/starttls", "AUTH LOGIN", "*", "NOOP")
    assert run.wire[-4:] == ["C: NOOP", "S: 250 2.0.0 Ok", "C: QUIT", "S: 221 2.0.0 Bye"]
    for code in (b"454 4.7.0 later", b"535 5.7.8 no", b"432 4.7.12 change it", b"534 5.7.9 weak"):
        refused, received = login(Login("PLAIN", code))
        assert refused.status == 28
        assert received.count(b"AUTH ") == 1


def test_an_empty_initial_response_is_an_equals_sign() -> None:
    """EXTERNAL without a name sends "=", and the anonymous user is told (RFC 4954 section 4)."""
    run, received = login(Login("EXTERNAL", b"235 ok"), "--cert", "/dev/null", user="")
    assert b"AUTH EXTERNAL =\r\n" in received, run.err
