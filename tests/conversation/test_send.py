"""`smtpshell send` and /send: one transaction, every recipient's fate, every way to stop."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys

import pytest

from smtpshell.conversation.driver import Conversation
from smtpshell.conversation.local import run as run_local
from smtpshell.conversation.operations import open_target, options_from, resolve_target
from smtpshell.conversation.progressbar import progress_bar
from smtpshell.conversation.script import ScriptDesk
from smtpshell.conversation.settings import Settings
from smtpshell.conversation.transaction import STAGES
from tests.conversation.running import in_process, smtpshell
from tests.conversation.test_script import Mailish, _lines, at
from tests.net.helpers import authority
from tests.net.rogue import Smtp, serve, silent

FROM, TO = "ann@client.example", "bob@rogue.example"
SEND = ("--from", FROM, "--to", TO)
BIG = 3_000_000


class Lmtp(Mailish):
    """A server that speaks LMTP: one reply per recipient after the dot, the second a refusal."""

    def __call__(self, connection) -> None:
        """Serve one connection."""
        connection.sendall(b"220 lmtp.example\r\n")
        lines = iter(_lines(connection))
        for line in lines:
            verb = line.split()[0].upper()
            connection.sendall(b"354 go\r\n" if verb == b"DATA" else b"250 ok\r\n")
            if verb == b"DATA":
                for text in lines:
                    if text == b".\r\n":
                        break
                connection.sendall(b"250 2.1.5 taken\r\n552 5.2.2 full\r\n")


def wire_verbs(received: bytes) -> list[str]:
    """Return the first words of the lines before a message."""
    return [line.split(b" ")[0].decode() for line in received.split(b"\r\n") if line]


def fates(run) -> list[tuple]:
    """Return what `--json` says became of each recipient."""
    rows = run.events("recipients")[0]["recipients"]
    return [(row["address"], row["accepted"], row["code"], row["stage"]) for row in rows]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("how", ["--quit-after", "--drop-after"])
def test_a_transaction_can_end_at_every_stage(stage, how) -> None:
    """Nothing of a later stage is sent; QUIT is said where it can be, or never."""
    answers = {"EHLO": b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 ok\r\n"}
    context = authority().issue("127.0.0.1").context()

    class Server(Smtp):
        def __call__(self, connection) -> None:
            super().__call__(connection)

    last = {"connect": "", "banner": "", "ehlo": "EHLO", "tls": "EHLO", "auth": "AUTH"}
    last |= {"mail": "MAIL", "rcpt": "RCPT", "data": "DATA", "message": "."}
    server_kind = Mailish(answers=answers) if stage != "tls" else Server(context, answers=answers)
    tls = "never" if stage != "tls" else "optional"
    with serve(server_kind) as server:
        run = smtpshell(
            *("send", at(server), *SEND, how, stage, "--tls", tls, "--user", "ann", "--json"),
            *("--auth", "PLAIN", "--allow-cleartext-auth", "--no-verify"),
            env={"SMTPSHELL_PASSWORD": "hunter2"},
        )
    sent = [event["line"] for event in run.events("sent")]
    assert run.status == 0, run.err
    said_quit = bool(sent) and sent[-1] == "QUIT"
    assert said_quit is (how == "--quit-after" and stage != "data")
    sent = sent[:-1] if said_quit else sent
    assert (sent[-1].split(" ")[0] if sent else "") == last[stage]
    if stage == "tls":
        assert run.events("tls")


def test_dropping_after_the_connect_waits_for_no_greeting() -> None:
    """A server that never greets does not hold it up."""
    with serve(silent()) as server:
        run = smtpshell("send", at(server), *SEND, "--drop-after", "connect", "--timeout", "20")
    assert run.status == 0
    assert "Connected" in run.out


def test_a_message_that_is_refused_is_refused_for_every_recipient() -> None:
    """The word after the dot is the fate of all whom RCPT had accepted."""
    with serve(Mailish(answers={".": b"552 5.3.4 too big\r\n"})) as server:
        run = smtpshell("send", at(server), *SEND, "--to", "carol@rogue.example", "--json")
    assert run.status == 26
    assert fates(run) == [
        (TO, False, 552, "message"),
        ("carol@rogue.example", False, 552, "message"),
    ]


def test_a_refused_recipient_does_not_stop_the_others() -> None:
    """The status says so, and each fate is told; 251 and 252 are acceptance."""

    class Choosy(Mailish):
        def _answer(self, verb: str) -> bytes:
            return super()._answer(verb)

        def __call__(self, connection) -> None:
            connection.sendall(self.greeting)
            lines = iter(_lines(connection))
            for line in lines:
                codes = {b"bob": b"251 ", b"carol": b"252 ", b"dan": b"550 5.1.1 "}
                code = next((codes[name] for name in codes if name in line), b"250 ")
                verb = line.split()[0]
                connection.sendall((b"354 " if verb == b"DATA" else code) + b"x\r\n")
                if verb == b"DATA":
                    for text in lines:
                        if text == b".\r\n":
                            break
                    connection.sendall(b"250 2.0.0 taken\r\n")

    names = "bob@a.example,carol@a.example,dan@a.example"
    with serve(Choosy()) as server:
        run = smtpshell("send", at(server), "--from", FROM, "--to", names, "--json")
        plain = smtpshell("send", at(server), "--from", FROM, "--to", names)
    assert run.status == plain.status == 24
    assert [fate[1:] for fate in fates(run)] == [
        (True, 250, "message"),
        (True, 250, "message"),
        (False, 550, "rcpt"),
    ]
    assert sum("REFUSED" in line for line in plain.lines) == 1


def test_without_a_reply_no_fate_is_made_up() -> None:
    """A sender that is refused leaves the recipients without a word."""
    with serve(Mailish(answers={"MAIL": b"550 5.7.1 no\r\n"})) as server:
        run = smtpshell("send", at(server), *SEND, "--json")
    assert run.status == 23
    assert fates(run) == [(TO, None, None, None)]


def test_lmtp_tells_each_fate_after_the_dot() -> None:
    """One reply per recipient; the refused one makes the status 26."""
    to = "bob@a.example,carol@a.example"
    with serve(Lmtp()) as server:
        run = smtpshell("send", at(server), "--lmtp", "--from", FROM, "--to", to, "--json")
        assert wire_verbs(bytes(server.received))[0] == "LHLO"
    assert run.status == 26
    assert [fate[1:] for fate in fates(run)] == [(True, 250, "message"), (False, 552, "message")]


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "RCPT", "DATA", "."])
def test_after_a_time_out_nothing_more_is_written(verb) -> None:
    """A reply that does not come leaves the connection out of step: it is closed, not used."""

    class Dumb(Mailish):
        def __call__(self, connection) -> None:
            connection.sendall(self.greeting)
            lines = iter(_lines(connection))
            for line in lines:
                name = line.split()[0].decode()
                if name == verb:
                    list(lines)
                    return
                connection.sendall(b"354 go\r\n" if name == "DATA" else b"250 ok\r\n")
                if name == "DATA":
                    for text in lines:
                        if text == b".\r\n":
                            list(lines)
                            return

    with serve(Dumb()) as server:
        run = smtpshell("send", at(server), *SEND, "--timeout", "0.4", "--json")
        received = bytes(server.received)
    assert run.status == 6
    assert len(run.err.splitlines()) == 1
    assert b"QUIT" not in received
    assert received.rstrip().rpartition(b"\r\n")[2].split(b" ")[0].decode() == verb
    assert [event["status"] for event in run.events("failed")] == [6]


def test_blind_recipients_stand_in_the_envelope_alone() -> None:
    """--bcc is nowhere in the message; --to and --cc are."""
    with serve(Mailish()) as server:
        smtpshell(
            *("send", at(server), *SEND, "--cc", "carol@rogue.example"),
            *("--bcc", "eve@rogue.example", "--h-X-Test", "yes", "--header", "X-Two: 2"),
        )
        received = bytes(server.received)
    envelope, message = received.split(b"DATA\r\n")
    assert b"RCPT TO:<eve@rogue.example>" in envelope
    assert b"eve" not in message
    assert b"Cc: carol@rogue.example\r\n" in message
    assert b"X-Test: yes\r\n" in message
    assert b"X-Two: 2\r\n" in message


def test_html_and_attachments_become_mime(tmp_path) -> None:
    """Text, HTML and a file are the parts of the message, and come out as they went in."""
    from email import message_from_bytes, policy

    blob = tmp_path / "blob.bin"
    blob.write_bytes(bytes(range(256)))
    text = tmp_path / "text.txt"
    text.write_text("Grüße\n.dot\n")
    with serve(Mailish()) as server:
        run = smtpshell(
            *("send", at(server), *SEND, "--subject", "Grüße", "--body", f"@{text}"),
            *("--html", "<p>Grüße</p>", "--attach", str(blob)),
        )
        data = bytes(server.received).split(b"DATA\r\n")[1].split(b"\r\n.\r\n")[0]
    assert run.status == 0, run.err
    message = message_from_bytes(data.replace(b"\r\n..", b"\r\n."), policy=policy.SMTP)
    assert message["Subject"] == "Grüße"
    assert message.get_body(("plain",)).get_content().split() == ["Grüße", ".dot"]
    assert "<p>Grüße</p>" in message.get_body(("html",)).get_content()
    (attachment,) = message.iter_attachments()
    assert attachment.get_content() == bytes(range(256))
    assert attachment.get_filename() == "blob.bin"


@pytest.mark.parametrize("size", [20, BIG])
def test_a_message_from_standard_input_is_sent_as_it_is(size) -> None:
    """Small or large, dots doubled and lines ended with CRLF, and its size goes along."""
    octets = b"Subject: x\n\n.dot\n" + b"y" * 70 + b"\n" + (b"z" * 70 + b"\n") * (size // 71)
    sized = Mailish(answers={"EHLO": b"250-x\r\n250 SIZE\r\n"})
    with serve(sized) as server:
        run = smtpshell("send", at(server), *SEND, "--data", "-", stdin=octets)
        received = bytes(server.received)
    assert run.status == 0, run.err
    assert f"SIZE={len(octets)}".encode() in received
    data = received.split(b"DATA\r\n")[1]
    wanted = octets.replace(b"\n", b"\r\n").replace(b"\r\n.dot", b"\r\n..dot")
    assert data.startswith(wanted + b".\r\n")


def test_delivery_reports_are_asked_for() -> None:
    """RET, ENVID (as xtext) and NOTIFY go along; NEVER stands alone."""
    options = ("--dsn-notify", "success,failure", "--dsn-ret", "hdrs", "--dsn-envid", "a+b")
    with serve(Mailish()) as server:
        smtpshell("send", at(server), *SEND, *options)
        received = bytes(server.received)
    assert b"RET=HDRS ENVID=a+2Bb\r\n" in received
    assert b"NOTIFY=SUCCESS,FAILURE\r\n" in received
    assert smtpshell("send", "x.example", *SEND, "--dsn-notify", "never,delay").status == 1


def test_spellings_of_swaks_are_understood() -> None:
    """Short options, other names of stages, the target by --server and --port."""
    with serve(Mailish()) as server:
        run = smtpshell(
            *("send", "-s", server.host, "-p", str(server.port), "-f", FROM, "-t", TO),
            *("--ehlo", "me.example", "--quit-after", "FIRST-EHLO", "-tlso", "--pipeline"),
        )
        assert bytes(server.received) == b"EHLO me.example\r\nQUIT\r\n"
    assert run.status == 0, run.err


@pytest.mark.parametrize(
    "words",
    [
        ("h.example", "--to", TO),
        ("h.example", "--from", FROM),
        (*SEND,),
        ("h.example", "-s", "i.example", *SEND),
        ("h.example", *SEND, "--quit-after", "lunch"),
        ("h.example", *SEND, "--quit-after", "mail", "--drop-after", "mail"),
        ("h.example", *SEND, "--header", "no header"),
        ("h.example", *SEND, "--tls", "perhaps"),
        ("smtp://h.example", "-p", "25", *SEND),
    ],
)
def test_a_command_line_that_makes_no_sense_is_one_line_and_status_1(words) -> None:
    """Usage errors are told before anything is connected."""
    run = smtpshell("send", *words)
    assert run.status == 1
    assert len(run.err.splitlines()) == 1
    assert not run.out


@pytest.mark.parametrize("option", ["--data", "--attach", "--ca", "--password-file", "--cert"])
def test_a_file_that_cannot_be_read_is_status_10(option, tmp_path) -> None:
    """Whatever it is for; one line, and no message goes out."""
    missing = str(tmp_path / "missing")
    more = ("--user", "ann", "--no-verify") if option == "--password-file" else ()
    context = authority().issue("127.0.0.1").context()
    answers = {"EHLO": b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"}
    with serve(Smtp(context, answers=answers)) as server:
        run = smtpshell("send", at(server), *SEND, option, missing, *more, "--tls", "required")
        assert b"MAIL" not in bytes(server.received)
    assert run.status == 10, run.err
    assert len(run.err.splitlines()) == 1


def test_a_progress_bar_is_for_terminals() -> None:
    """On a terminal a large message shows how far it is; in a file nothing is drawn."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for screen, drawn in ((Terminal(), True), (io.StringIO(), False)):
        with progress_bar("message", 100, screen) as step:
            import time

            time.sleep(0.12)
            step(50)
        assert ("50%" in screen.getvalue()) is drawn


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_is_flat_in_the_size_of_the_message(tmp_path) -> None:
    """A message thirty times as large takes hardly more memory."""
    program = (
        "import sys; from smtpshell.cli import guarded; guarded(sys.argv[1:]); "
        "lines = open('/proc/self/status').read().split('VmHWM:')[1].split()[0]; "
        "print(lines, file=sys.stderr)"
    )
    peaks = []
    for lines in (10_000, 300_000):
        file = tmp_path / f"{lines}.eml"
        file.write_bytes(b"Subject: x\n\n" + (b"y" * 75 + b"\n") * lines)
        with serve(Mailish()) as server:
            done = subprocess.run(
                [sys.executable, "-c", program, "send", at(server), *SEND, "--data", str(file)],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
        peaks.append(int(done.stderr.split()[-1]))
    assert peaks[1] < peaks[0] * 1.2


# --- /send ----------------------------------------------------------------------------------------


class Person(ScriptDesk):
    """A desk with a person who answers questions from a list."""

    interactive = True

    def __init__(self, answers: list[str], out: io.StringIO) -> None:
        settings = Settings()
        super().__init__(Conversation(options_from(settings)), settings, out, out)
        self.answers = answers
        self.asked: list[str] = []

    async def ask_text(self, prompt: str, default: str = "") -> str | None:
        """Answer the next question; an empty answer is the default."""
        self.asked.append(prompt)
        return (self.answers.pop(0) or default) if self.answers else None

    async def ask(self, question: str, *, flag: str) -> bool:
        """Say no."""
        self.asked.append(question)
        return False


def composed(where: str, answers: list[str]) -> tuple[Person, str]:
    """Run /send as a person who gives these answers; return the desk and what was shown."""
    out = io.StringIO()

    async def work() -> Person:
        desk = Person(answers, out)
        try:
            await open_target(desk, await resolve_target(desk, where))
            await run_local(desk, "/send")
        finally:
            await desk.conversation.close()
            await desk.stop_practice()
        return desk

    return asyncio.run(work()), out.getvalue()


def test_a_person_is_asked_for_what_is_not_given() -> None:
    """From, to, subject and text, then every line of the transaction is seen."""
    desk, shown = composed("practice", ["", "bob@practice.example", "hi", "one", ".two", "."])
    assert [question.partition(":")[0] for question in desk.asked][:3] == ["from", "to", "subject"]
    for line in ("RCPT TO:<bob@practice.example>", "DATA", "Subject: hi", "one", "..two", "."):
        assert f"C: {line}\n" in shown
    assert desk.status == 0


def test_real_mail_is_asked_about() -> None:
    """Where the message would really leave, a no keeps it from being sent."""
    from unittest.mock import patch

    with (
        serve(Mailish()) as server,
        patch("smtpshell.conversation.caution.is_loopback", return_value=False),
    ):
        desk, shown = composed(at(server), ["", "someone@real.org", "hi", "."])
        assert b"MAIL" not in bytes(server.received)
    assert "real mail" in desk.asked[-1]
    assert "Not sent." in shown


def test_a_question_given_up_sends_nothing() -> None:
    """No answer is no consent, and a usage error tells it."""
    from smtpshell.protocol.errors import UsageError

    with pytest.raises(UsageError, match="given up"):
        composed("practice", [])


def test_a_script_gives_everything_as_options() -> None:
    """Nobody is asked; what is missing is told by the name of its option."""
    good = "/send --from a@client.example --to bob@practice.example --body 'one two'"
    run = in_process("practice", good, "/send --from a@b.example", good)
    assert run.wire.count("C: one two") == 2
    assert "--to" in run.err
    assert run.status == 1


def test_a_transaction_under_way_is_reset_first() -> None:
    """/send begins a transaction of its own."""
    send = "/send --from a@client.example --to bob@practice.example"
    run = in_process("practice", "EHLO x", "MAIL FROM:<old@client.example>", send, "/mailbox bob")
    assert "C: RSET" in run.wire
    assert run.status == 0, run.err


@pytest.mark.parametrize(("tls", "status"), [("optional", 0), ("required", 29)])
def test_optional_encryption_that_is_refused_fails_nothing(tls, status) -> None:
    """Where TLS is welcome but not demanded, the message goes in the clear and all went through."""
    answers = {
        "EHLO": b"250-x\r\n250 STARTTLS\r\n",
        "STARTTLS": b"454 4.7.0 TLS not available\r\n",
    }
    with serve(Mailish(answers=answers)) as server:
        run = smtpshell("send", at(server), *SEND, "--tls", tls, "--json")
        by_hand = in_process(at(server), "EHLO x", "STARTTLS")
    assert run.status == status
    assert [event["code"] for event in run.events("reply") if event["command"] == "STARTTLS"] == [
        454
    ]
    assert by_hand.status == 29
