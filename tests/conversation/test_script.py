"""Scripts: what goes over the wire, what is written, and the exit status."""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import time

import pytest

from tests.conversation.running import in_process, smtpshell
from tests.net.rogue import Smtp, banner, drip, flood, serve, silent

TRANSACTION = (
    "EHLO client.example",
    "MAIL FROM:<ann@client.example>",
    "RCPT TO:<bob@practice.example>",
    "DATA",
    "Subject: hello",
    "",
    "text",
    ".",
)


def at(server) -> str:
    """Name a test server as a target."""
    return f"{server.host}:{server.port}"


class Mailish(Smtp):
    """The small server, able to take message data up to the dot."""

    def __call__(self, connection) -> None:
        """Serve one connection; message data is read up to the dot."""
        connection.sendall(self.greeting)
        lines = iter(_lines(connection))
        for line in lines:
            verb = line.split(b" ")[0].upper().decode("latin-1").strip()
            answer = self.answers.get(verb) or self._answer(verb)
            connection.sendall(answer)
            if verb == "DATA" and answer.startswith(b"354"):
                for text in lines:
                    if text == b".\r\n":
                        break
                connection.sendall(self.answers.get(".", b"250 2.0.0 Ok: queued\r\n"))
            if verb == "QUIT":
                return


def _lines(connection):
    buffer = b""
    while True:
        while b"\n" not in buffer:
            more = connection.recv(65536)
            if not more:
                return
            buffer += more
        line, _, buffer = buffer.partition(b"\n")
        yield line + b"\n"


def test_a_transaction_goes_over_the_wire_as_written_and_ends_with_quit() -> None:
    """The server receives the very lines, and QUIT is added at the end of the input."""
    with serve(Mailish()) as server:
        run = in_process(at(server), *TRANSACTION)
        received = bytes(server.received)
    assert run.status == 0
    assert received == "".join(line + "\r\n" for line in (*TRANSACTION, "QUIT")).encode()
    assert [line for line in run.wire if line.startswith("C: ")] == [
        f"C: {line}" for line in (*TRANSACTION, "QUIT")
    ]


def test_every_line_of_ours_begins_with_a_hash() -> None:
    """Plain output holds C:, S: and # lines and nothing else."""
    with serve(Mailish()) as server:
        run = in_process(at(server), *TRANSACTION, "/status", "/help", "/set")
    assert all(line.startswith(("C: ", "S: ", "#")) for line in run.lines)


def test_a_leading_dot_is_doubled_and_the_note_shows_it() -> None:
    """Dot-stuffing happens in message data alone, and is told."""
    with serve(Mailish()) as server:
        run = in_process(at(server), *TRANSACTION[:4], ".hidden", ".", "QUIT")
        received = bytes(server.received)
    assert b"\r\n..hidden\r\n.\r\n" in received
    place = run.lines.index("C: ..hidden")
    assert "doubled" in run.lines[place + 1]


def test_stuffing_off_sends_lines_untouched() -> None:
    """With stuffing off a leading dot goes out alone."""
    with serve(Mailish()) as server:
        in_process(at(server), "/set stuffing off", *TRANSACTION[:4], ".bare", ".")
        assert b"\r\n.bare\r\n" in bytes(server.received)


def test_message_lines_hold_nothing_local() -> None:
    """In message data `/`, `//` and `?` go out as typed."""
    with serve(Mailish()) as server:
        in_process(at(server), *TRANSACTION[:4], "/quit", "//x", "?", ".")
        assert b"\r\n/quit\r\n//x\r\n?\r\n.\r\n" in bytes(server.received)


def test_a_double_slash_sends_a_slash_line() -> None:
    """Where a command is expected `//x` sends `/x`."""
    with serve(Mailish()) as server:
        in_process(at(server), "//x")
        assert bytes(server.received).startswith(b"/x\r\n")


def test_a_refused_data_skips_the_message() -> None:
    """Lines up to the dot are not sent when DATA was refused, and a note says so."""
    refusing = Mailish(answers={"DATA": b"503 5.5.1 no recipients\r\n"})
    with serve(refusing) as server:
        run = in_process(at(server), *TRANSACTION, "NOOP")
        received = bytes(server.received)
    assert b"Subject" not in received
    assert received.endswith(b"DATA\r\nNOOP\r\nQUIT\r\n")
    assert any("skipped" in line for line in run.lines if line.startswith("# "))
    assert run.status == 25


def test_input_that_ends_inside_a_message_drops_the_connection() -> None:
    """Half a message is never ended for the user."""
    with serve(Mailish()) as server:
        run = in_process(at(server), *TRANSACTION[:-1])
        received = bytes(server.received)
    assert not received.endswith(b".\r\n")
    assert b"QUIT" not in received
    assert run.lines[-1] == "# Connection closed by the client, without QUIT."


@pytest.mark.parametrize(
    ("verb", "reply", "status"),
    [
        ("EHLO", b"554 5.3.2 no\r\n", 22),
        ("MAIL", b"550 5.7.1 no\r\n", 23),
        ("RCPT", b"550 5.1.1 no\r\n", 24),
        ("DATA", b"451 4.3.0 later\r\n", 25),
        (".", b"552 5.3.4 too big\r\n", 26),
        ("QUIT", b"500 5.5.1 what\r\n", 27),
    ],
)
def test_the_status_names_the_stage_that_was_refused(verb, reply, status) -> None:
    """Each refused stage has its exit status."""
    with serve(Mailish(answers={verb: reply})) as server:
        assert in_process(at(server), *TRANSACTION).status == status


def test_other_verbs_and_greetings_have_their_status() -> None:
    """A refused NOOP is 20, a refused greeting 21."""
    with serve(Mailish(answers={"NOOP": b"502 5.5.1 no\r\n"})) as server:
        assert in_process(at(server), "NOOP").status == 20
    with serve(Mailish(greeting=b"554 5.3.2 go away\r\n")) as server:
        assert in_process(at(server)).status == 21


def test_the_last_attempt_counts_and_the_first_stage_wins() -> None:
    """A refused and then accepted recipient is no refusal; MAIL comes before RCPT."""

    class Fickle(Mailish):
        seen = 0

        def _answer(self, verb: str) -> bytes:
            if verb == "RCPT":
                Fickle.seen += 1
                return b"451 4.7.1 later\r\n" if Fickle.seen == 1 else b"250 2.1.5 Ok\r\n"
            return super()._answer(verb)

    lines = (*TRANSACTION[:3], TRANSACTION[2])
    with serve(Fickle()) as server:
        assert in_process(at(server), *lines).status == 0
    both = {"MAIL": b"550 5.7.1 no\r\n", "RCPT": b"503 5.5.1 no\r\n"}
    with serve(Mailish(answers=both)) as server:
        assert in_process(at(server), *TRANSACTION[:3]).status == 23


def test_a_refused_recipient_counts_even_when_another_was_accepted() -> None:
    """Any refused recipient makes the status 24."""

    class Choosy(Mailish):
        def __call__(self, connection) -> None:
            connection.sendall(self.greeting)
            for line in _lines(connection):
                bad = b"bob" in line
                connection.sendall(b"550 5.1.1 no\r\n" if bad else b"250 2.1.5 Ok\r\n")

    with serve(Choosy()) as server:
        run = in_process(
            at(server), "MAIL FROM:<>", "RCPT TO:<bob@a.example>", "RCPT TO:<carol@a.example>"
        )
    assert run.status == 24


def test_a_server_that_hangs_up_is_a_lost_connection() -> None:
    """Status 6 and one line on standard error."""
    with serve(banner(b"220 hello\r\n", then_close=True)) as server:
        run = in_process(at(server), "EHLO x")
    assert run.status == 6
    assert len(run.err.splitlines()) == 1
    assert "closed the connection" in run.err or "cut the connection" in run.err


def test_a_silent_server_is_a_time_out() -> None:
    """No greeting within the time-out: status 6, and the script ends."""
    with serve(silent()) as server:
        began = time.monotonic()
        run = in_process(at(server), "EHLO x", timeout="0.3")
    assert run.status == 6
    assert time.monotonic() - began < 5
    assert "0.3 s" in run.err


def test_a_reply_that_drips_is_bounded_as_a_whole() -> None:
    """The time-out counts for the whole reply, however steadily octets come."""
    endless = drip(b"220-more\r\n" * 2000, pause=0.02)
    with serve(endless) as server:
        run = in_process(at(server), "EHLO x", timeout="0.5")
    assert run.status == 6


def test_a_flood_of_lines_ends() -> None:
    """A server that never stops talking neither hangs the script nor fills memory."""
    with serve(flood(b"250 x\r\n", megabytes=5)) as server:
        run = in_process(at(server), "EHLO x", timeout="3")
    assert run.status in (0, 6)
    assert "lines that nothing asked for" in run.out


@pytest.mark.parametrize(
    ("reply", "flaws"),
    [
        (b"250 ok\n", ["bare-lf"]),
        (b"250\r\n", ["bare-code"]),
        (b"250 \xff\xfe\r\n", ["not-utf8"]),
        (b"250-a\r\n251 b\r\n", ["mismatched-code"]),
    ],
)
def test_flawed_replies_are_told_in_json(reply, flaws) -> None:
    """Each flaw is named, and octets that are not UTF-8 are kept whole in base64."""
    with serve(Mailish(answers={"NOOP": reply})) as server:
        run = in_process(at(server), "NOOP", json=True)
    answer = run.events("reply")[1]
    assert answer["flaws"] == flaws
    assert answer["command"] == "NOOP"
    if "not-utf8" in flaws:
        assert base64.b64decode(answer["octets"]) == reply
        assert "�" in answer["lines"][0]
    assert run.out.isascii()


def test_json_has_the_fields_that_scripts_count_on() -> None:
    """Every event has the fields of the contract, also with notes off."""
    with serve(Mailish()) as server:
        run = in_process(at(server), *TRANSACTION, json=True, notes="off")
    connected = run.events("connected")[0]
    assert connected.keys() >= {"target", "address", "port", "tls"}
    for reply in run.events("reply"):
        expected = {"code", "enhanced", "lines", "flaws", "ms", "unasked", "command", "note"}
        assert reply.keys() >= expected
        assert reply["note"]["meaning"]
    assert [sent["line"] for sent in run.events("sent")][:2] == list(TRANSACTION[:2])
    assert run.events("closed") == [{"event": "closed", "by": "client", "clean": True}]


def test_secrets_of_auth_are_hidden_everywhere() -> None:
    """AUTH arguments and answers to a 334 never reach standard output or error."""
    secret = base64.b64encode(b"\0ann\0correct horse").decode()

    class Challenging(Smtp):
        def __call__(self, connection) -> None:
            connection.sendall(self.greeting)
            for number, _ in enumerate(_lines(connection)):
                connection.sendall(b"334 VXNlcm5hbWU6\r\n" if number in (1, 2) else b"250 ok\r\n")

    for as_json in (False, True):
        with serve(Challenging()) as server:
            run = in_process(
                at(server), f"auth plain {secret}", "AUTH LOGIN", secret, secret, json=as_json
            )
            assert secret.encode() in bytes(server.received)
        assert secret not in run.out + run.err
        assert "[hidden]" in run.out


def test_an_unasked_reply_is_marked() -> None:
    """A 421 that nothing asked for is told as such."""

    class Impatient(Smtp):
        def __call__(self, connection) -> None:
            connection.sendall(b"220 hi\r\n")
            for _ in _lines(connection):
                connection.sendall(b"250 ok\r\n421 4.4.2 idle\r\n")

    with serve(Impatient()) as server:
        run = in_process(at(server), "NOOP", json=True)
    unasked = [reply for reply in run.events("reply") if reply["unasked"]]
    assert [reply["code"] for reply in unasked][:1] == [421]
    assert unasked[0]["command"] is None


def test_nothing_to_connect_to_is_told_in_one_line() -> None:
    """A refused port and a name that does not exist end with status 2 and one line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for target in (f"127.0.0.1:{port}", "does-not-exist.invalid"):
        run = smtpshell(target, "-c", "EHLO x", "--timeout", "5")
        assert run.status == 2
        assert len(run.err.splitlines()) == 1
        assert run.err.startswith("smtpshell: ")
        assert "Traceback" not in run.err + run.out


@pytest.mark.parametrize(
    "arguments",
    [["a b"], ["host:99999"], ["--nonsense"], ["gopher://x"], ["one", "two"], ["--timeout", "x"]],
)
def test_a_command_line_that_makes_no_sense_is_status_1(arguments) -> None:
    """Usage errors are one line and status 1."""
    run = smtpshell(*arguments, "-c", "NOOP")
    assert run.status == 1
    assert len(run.err.splitlines()) == 1


def test_a_script_file_that_cannot_be_read_is_status_10(tmp_path) -> None:
    """A missing -f FILE is told before anything is connected."""
    with serve(Mailish()) as server:
        run = smtpshell(at(server), "-f", str(tmp_path / "missing"))
        assert server.connections == 0
    assert run.status == 10


def test_lines_come_from_arguments_files_and_standard_input(tmp_path) -> None:
    """-c and -f are taken in the order in which they stand; otherwise standard input is read."""
    script = tmp_path / "script"
    script.write_bytes(b"NOOP two\r\nNOOP three\n")
    with serve(Mailish()) as server:
        first = smtpshell(at(server), "-c", "NOOP one", "-f", str(script), "-c", "NOOP four")
        second = smtpshell(at(server), stdin="NOOP piped\n")
    sent = [line for line in first.wire if line.startswith("C: NOOP")]
    assert sent == ["C: NOOP one", "C: NOOP two", "C: NOOP three", "C: NOOP four"]
    assert "C: NOOP piped" in second.wire


def test_a_script_that_leaves_does_not_wait_for_its_input() -> None:
    """/quit ends the program with its own status while standard input is still open."""
    with serve(Mailish()) as server:
        command = [sys.executable, "-m", "smtpshell", at(server)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            process.stdin.write(b"/quit\n")
            process.stdin.flush()
            assert process.wait(timeout=30) == 0


def test_octets_that_are_no_text_pass_from_standard_input_to_the_wire() -> None:
    """Binary input reaches the server as it is, and the screen made printable."""
    with serve(Mailish()) as server:
        run = smtpshell(at(server), stdin=b"NOOP \xff\x1b[31m\0\n")
        assert b"NOOP \xff\x1b[31m\0\r\n" in bytes(server.received)
    assert "\x1b" not in run.out
    assert r"C: NOOP \xff\x1b[31m\0" in run.wire


def test_exact_octets_can_be_sent() -> None:
    """/raw adds nothing, and an unknown escape is told."""
    with serve(Mailish()) as server:
        run = in_process(at(server), r"/raw NOOP\x20a\r\nNOOP b\n", r"/raw \q")
        assert bytes(server.received).startswith(b"NOOP a\r\nNOOP b\n")
    assert run.status == 1
    assert "is no escape" in run.err


def test_a_saved_conversation_is_private_and_complete(tmp_path) -> None:
    """/save writes text and JSON lines, mode 0600, and refuses other endings and bad folders."""
    text, lines, bad = tmp_path / "a.txt", tmp_path / "a.jsonl", tmp_path / "no" / "a.txt"
    with serve(Mailish()) as server:
        run = in_process(
            at(server), "NOOP", f"/save {text}", f"/save {lines}", f"/save {bad}", "/save x.exe"
        )
    assert text.stat().st_mode & 0o777 == 0o600
    assert "C: NOOP" in text.read_text().splitlines()
    assert '"event": "sent"' in lines.read_text()
    assert "cannot write" in run.err
    assert "cannot save" in run.err
    assert run.status == 10


def test_a_file_that_is_there_is_replaced_by_force_alone(tmp_path) -> None:
    """Without a terminal /save refuses to replace a file and names the flag that does."""
    kept = tmp_path / "a.txt"
    kept.write_text("mine")
    with serve(Mailish()) as server:
        run = in_process(at(server), "NOOP", f"/save {kept}")
        assert kept.read_text() == "mine"
        assert "--force" in run.err
        assert run.status == 10
        run = in_process(at(server), "NOOP", f"/save --force {kept}")
    assert run.status == 0
    assert "C: NOOP" in kept.read_text()


def test_plain_output_is_ascii() -> None:
    """With --plain what is not ASCII is written out."""
    with serve(Mailish(answers={"NOOP": "250 café\r\n".encode()})) as server:
        run = in_process(at(server), "NOOP", plain=True)
    assert run.out.isascii()
    assert r"S: 250 caf\u{e9}" in run.lines or r"S: 250 caf\xe9" in run.lines


def test_a_closed_pipe_ends_quietly() -> None:
    """`smtpshell ... | head -1` leaves no traceback."""
    import subprocess
    import sys

    with serve(Mailish()) as server:
        done = subprocess.run(
            f"{sys.executable} -m smtpshell {at(server)} -c NOOP -c NOOP | head -1",
            shell=True,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.stderr == ""


def test_an_empty_line_that_is_refused_is_no_refused_greeting() -> None:
    """What has no verb counts as another verb."""
    with serve(Mailish(answers={"": b"500 5.5.2 what\r\n"})) as server:
        run = in_process(at(server), r"/raw \r\n")
    assert run.status == 20
