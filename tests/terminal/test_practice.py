"""The shell on its own practice server, in a real terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal.tty import Tty

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def greeted(tty: Tty) -> None:
    """Wait for the greeting, and say EHLO."""
    tty.wait_prompt("practice> $")
    tty.line("EHLO client.example", r"S: 250 \S+.*ms$")
    tty.wait_prompt("practice> $")


def test_hello_to_quit(tmp_path: Path) -> None:
    """A message typed by hand from EHLO to QUIT is delivered, and the prompt tells each state."""
    with Tty(home=tmp_path) as tty:
        tty.wait_for("S: 220 mail.practice.example")
        greeted(tty)
        assert "messages up to 1 MiB" in tty.text
        tty.line("MAIL FROM:<ann@client.example>")
        tty.wait_prompt("practice  from ann> $")
        tty.line("RCPT TO:<bob@practice.example>")
        tty.wait_prompt("practice  from ann to bob> $")
        tty.line("RCPT TO:<carol@practice.example>")
        tty.wait_prompt("practice  from ann to bob, carol> $")
        tty.line("DATA")
        tty.wait_prompt("message> $")
        tty.wait_for("a dot alone on a line ends it")
        for line in ("Subject: By hand", "", ".hidden", "Hello."):
            tty.line(line)
        tty.wait_for("Sent as \\.\\.hidden with its leading dot doubled")
        tty.line(".", "S: 250 2.0.0")
        tty.wait_prompt("practice> $")
        tty.line("/mailbox carol", "Subject: By hand")
        tty.wait_for("^\\.hidden$")
        tty.line("QUIT", "S: 221")
        tty.wait_prompt("not connected> $")
        tty.press("ctrl-d")
        assert tty.wait_end() == 0


def test_refusal_is_explained(tmp_path: Path) -> None:
    """A refusal is followed by why, and by the command that tells more."""
    with Tty(home=tmp_path) as tty:
        greeted(tty)
        tty.line("RCPT TO:<bob@practice.example>", "Out of order: RCPT")
        tty.wait_for("S: 503")
        tty.line("MAIL FROM:<ann@client.example>", "S: 250 2.1.0")
        tty.line("RCPT TO:<zoe@elsewhere.example>", "Relay access denied")
        tty.wait_for("Refused for good: .*/why$")
        tty.wait_prompt("practice  from ann> $")


def test_completion_menu(tmp_path: Path) -> None:
    """Legal verbs come first with their meaning; Enter takes a selected item without sending."""
    with Tty(home=tmp_path) as tty:
        greeted(tty)
        tty.type("ma")
        tty.wait_for("MAIL +begin a message")
        tty.press("tab")
        tty.wait_prompt("> MAIL FROM:<")
        tty.press("enter")
        assert "S: 500" not in tty.text
        tty.type("ann@client.example> SI")
        tty.wait_for("SIZE= +how large the message is")
        tty.press("ctrl-c")
        tty.wait_prompt("practice> $")
        tty.line("MAIL FROM:<ann@client.example>")
        tty.wait_prompt("from ann> $")
        tty.type("RCPT TO:<b")
        tty.wait_for("bob@practice.example +mailbox of this practice server")
        tty.press("enter")
        tty.wait_for("S: 501", times=1)
        assert "to bob" not in tty.text


def test_message_has_no_completion_nor_commands(tmp_path: Path) -> None:
    """In a message every line is the user's own; Ctrl-] opens a command and comes back."""
    with Tty(home=tmp_path) as tty:
        greeted(tty)
        tty.line("MAIL FROM:<ann@client.example>")
        tty.wait_prompt("from ann> $")
        tty.line("RCPT TO:<bob@practice.example>")
        tty.wait_prompt("to bob> $")
        tty.line("DATA")
        tty.wait_prompt("message> $")
        tty.line("/status")
        tty.line("?")
        tty.type("half a li")
        tty.wait_prompt("message> half a li$")
        tty.press("ctrl-]")
        tty.wait_prompt(r"message  /command> /$")
        tty.line("status", "state +message data")
        tty.wait_prompt("message> half a li$")
        tty.press("ctrl-]")
        tty.wait_prompt(r"message  /command> /$")
        tty.line("/notes", "notes short")  # behind the slash that stands there
        tty.wait_prompt("message> half a li$")
        tty.line("ne")
        tty.wait_prompt("message> $")
        tty.line(".", "S: 250 2.0.0")
        tty.line("/mailbox bob", "^/status$")
        tty.wait_for("^half a line$")
        assert "MAIL" not in tty.history[-1]
        assert not any("half" in line for line in tty.history)


def test_paste_of_a_session(tmp_path: Path) -> None:
    """A pasted session is sent line by line as if typed, each line shown, and nothing is lost."""
    text = (
        "EHLO client.example\nMAIL FROM:<ann@client.example>\nRCPT TO:<bob@practice.example>\n"
        "DATA\nSubject: Pasted\n\n.dot\nlast line\n.\nNOOP"
    )
    with Tty(home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.paste(text)
        tty.wait_for("S: 250 2.0.0 Ok: queued")
        tty.wait_prompt("practice> NOOP$")
        for shown in ("practice> EHLO client.example", "from ann> RCPT", "message> last line"):
            assert shown in tty.text
        tty.press("enter")
        tty.line("/mailbox bob", "^\\.dot$")


def test_paste_with_data_refused(tmp_path: Path) -> None:
    """Where DATA is refused, the pasted message is not sent as commands."""
    with Tty(home=tmp_path) as tty:
        greeted(tty)
        tty.paste("DATA\nSubject: x\n\nRSET\n.\nNOOP\n")
        tty.wait_for("DATA was refused: 4 pasted lines")
        tty.wait_for("practice> NOOP")
        assert "> RSET" not in tty.text


def test_starttls_by_hand(tmp_path: Path) -> None:
    """STARTTLS upgrades after its 220, is judged, and what EHLO announced is forgotten."""
    with Tty(home=tmp_path) as tty:
        greeted(tty)
        tty.line("STARTTLS", "TLS: TLSv1.*certificate good")
        tty.wait_for("greeted, no HELO yet   TLS")
        tty.line("EHLO client.example", "S: 250-AUTH")
        tty.type("AUTH SCRAM-SHA-256")
        tty.wait_for("SCRAM-SHA-256-PLUS +offered")


def test_login_by_hand(tmp_path: Path) -> None:
    """Answers to a challenge are masked, whatever their length, and never reach the history."""
    with Tty(home=tmp_path) as tty:
        greeted(tty)
        tty.line("STARTTLS", "TLS: TLSv1")
        tty.line("EHLO client.example", "S: 250-AUTH")
        tty.wait_prompt("practice> $")
        tty.line("AUTH LOGIN", 'challenge is "Username:"')
        tty.wait_prompt("answer> $")
        tty.type("Ym9")
        tty.wait_prompt(r"answer> \[hidden\]$")
        tty.type("i")
        tty.wait_for("base64, hidden")
        tty.press("enter")
        tty.wait_for('challenge is "Password:"')
        tty.wait_prompt("answer> $")
        tty.line("c2VjcmV0LXNlY3JldA==", "none of the practice passwords")
        tty.line("y", "S: 535")
        tty.wait_prompt("practice> $")
        tty.line("/b64 secret-secret", "c2VjcmV0LXNlY3JldA==")
        tty.line("AUTH PLAIN AGJvYgBzZWNyZXQ=", "S: 535")
        tty.press("ctrl-d")
        assert tty.wait_end() == 0
        kept = "\n".join(tty.history)
        assert "AUTH LOGIN" in kept
        assert "/b64" in kept
        assert "AUTH PLAIN" in kept
        assert not any(secret in kept for secret in ("Ym9i", "c2Vj", "secret", "AGJv"))
        path = tmp_path / "state" / "smtpshell" / "history"
        assert path.stat().st_mode & 0o777 == 0o600


def test_ctrl_d_says_quit(tmp_path: Path) -> None:
    """Ctrl-D on an empty line sends QUIT, shows the 221 and leaves with status 0."""
    with Tty(home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.press("ctrl-d")
        assert tty.wait_end() == 0
        assert "C: QUIT" in tty.text
        assert "S: 221" in tty.text


def test_ctrl_d_inside_a_message(tmp_path: Path) -> None:
    """Ctrl-D inside a message offers to drop the connection; a no goes on with the message."""
    with Tty(home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.paste(
            "EHLO client.example\nMAIL FROM:<ann@client.example>\n"
            "RCPT TO:<bob@practice.example>\nDATA\n"
        )
        tty.wait_prompt("message> $")
        tty.press("ctrl-d")
        tty.wait_prompt(r"\[y/N\] $")
        tty.line("n")
        tty.wait_prompt("message> $")
        tty.press("ctrl-d")
        tty.wait_prompt(r"\[y/N\] $")
        tty.line("y", "Connection closed by the client")
        tty.wait_prompt("not connected> $")
        tty.line("/mailbox", "bob@practice.example +0 messages")


def test_history_by_prefix_and_suggestion(tmp_path: Path) -> None:
    """Up walks through earlier lines that begin alike, also those of the last session."""
    with Tty(home=tmp_path) as tty:
        greeted(tty)
        tty.line("NOOP one", "S: 250 2.0.0")
        tty.wait_prompt("practice> $")
        tty.press("ctrl-d")
        tty.wait_end()
    with Tty(home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.type("EH")
        tty.wait_prompt("> EHLO client.example$")
        tty.press("up")
        tty.wait_prompt("practice> EHLO client.example$")
        tty.press("enter")
        tty.wait_for("S: 250-SIZE")
        tty.wait_prompt("practice> $")
        tty.press("ctrl-r")
        tty.type("one")
        tty.wait_for("reverse-i-search.*one")
        tty.press("enter")
        tty.wait_prompt("practice> NOOP one")


def test_function_keys(tmp_path: Path) -> None:
    """F1 helps on the verb being typed, F2 and F3 toggle what the bar says, F4 the keys."""
    with Tty(home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.press("f2")
        tty.wait_for("F2 notes long")
        tty.press("f3")
        tty.wait_for("F3 timing off")
        tty.press("f4")
        tty.wait_for("F4 keys vi")
        tty.type("RCPT")
        tty.press("f1")
        tty.wait_for("ORCPT=rfc822;xtext")
        tty.wait_prompt("practice> RCPT")
        tty.press("escape")
        tty.type("0dwi")
        tty.wait_prompt("practice> $")
        tty.line("NOOP", "S: 250")
        tty.wait_for("read: RFC 5321")


def test_local_commands_and_errors(tmp_path: Path) -> None:
    """A mistyped command is told with what is near, and the shell goes on."""
    with Tty(home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.line("/sttus", "Failed: there is no /sttus")
        tty.wait_for("/status")
        tty.line("?", "What you type goes to the server")
        tty.line("//status", "S: 500")
        tty.line("", "An empty line is not sent")
        tty.line("/close", "Connection closed by the client, without QUIT")
        tty.wait_prompt("not connected> $")
        tty.line("NOOP", "Failed: not connected")
        tty.line("/connect practice", "S: 220")
        tty.wait_prompt("practice> $")


def test_a_lesson_as_guest(tmp_path: Path) -> None:
    """A lesson asks at the prompt; Ctrl-C only clears the answer; leaving it keeps the shell."""
    with Tty(home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.type("/lesson he")
        tty.wait_for("helo-to-quit +")
        tty.press("ctrl-c")
        tty.line("/lesson helo-to-quit")
        tty.wait_prompt("step 1 of 5  answer> $")
        tty.type("22")
        tty.press("ctrl-c")
        tty.wait_prompt("step 1 of 5  answer> $")
        tty.line("220")
        tty.wait_prompt("step 2 of 5  practice> $")
        tty.line("EHLO client.example")
        tty.wait_prompt("step 3 of 5  practice> $")
        tty.line("/lesson leave", "You left the lesson")
        tty.wait_prompt("^practice> $")
