"""Lessons in the ordinary shell, in a real terminal, played as a learner would with mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtpshell.tutor.plainly import ROLES
from tests.terminal.tty import Tty

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def test_the_first_lesson_from_hello_to_quit(tmp_path: Path) -> None:
    """Wrong lines, hints, undo, a shown answer and the mailbox lead to the end of the lesson."""
    with Tty("lesson", "helo-to-quit", home=tmp_path, rows=60) as tty:
        tty.wait_prompt("step 1 of 5  answer> $")
        tty.line("250", "Not yet. 250 answers a command")
        tty.line("/hint", "Hint 1 of 2:")
        tty.line("220", "Step 2 of 5: Say who you are")
        tty.wait_prompt("step 2 of 5  practice> $")
        tty.line("HELLO client.example", "no double L")
        tty.line("/show", "The answer stands on the prompt")
        tty.wait_prompt("practice> HELO client.example$")
        tty.press("enter")
        tty.wait_for("Step 3 of 5: Write the envelope")
        tty.line("MAIL FROM:<dan@client.example>", "dan@client.example, it should be")
        tty.wait_prompt("step 3 of 5  practice  from dan> $")
        tty.line("/undo", "Taken back")
        tty.wait_prompt("step 3 of 5  practice> $")
        tty.line("MAIL FROM:<ann@client.example>", "Correct")
        tty.line("RCPT TO:<bob@practice.example>")
        tty.wait_prompt("from ann to bob> $")
        tty.line("RCPT TO:<carol@practice.example>", "Step 4 of 5")
        tty.line("DATA", "A line that holds only a dot ends the letter")
        for line in ("Subject: By hand", "", "Hello.", "."):
            tty.line(line)
        tty.wait_prompt("step 4 of 5  answer> $")
        tty.line("/mailbox bob", "Subject: By hand")
        tty.line("2", "Step 5 of 5")
        tty.line("QUIT", "Question: A reply begins with 5")
        tty.line("2", "Done. That was the lesson")
        tty.wait_prompt("not connected> $")
        tty.press("ctrl-d")
        assert tty.wait_end() == 0


def test_a_lesson_goes_on_where_it_was_left(tmp_path: Path) -> None:
    """Leaving in the middle of a step and coming back finds the session as it was."""
    with Tty("lesson", "1", home=tmp_path) as tty:
        tty.wait_prompt("answer> $")
        tty.line("220")
        tty.wait_prompt("step 2 of 5  practice> $")
        tty.line("HELO client.example")
        tty.wait_prompt("step 3 of 5  practice> $")
        tty.line("MAIL FROM:<ann@client.example>")
        tty.wait_prompt("from ann> $")
        tty.press("ctrl-d")
        tty.wait_end()
    with Tty("lesson", "1", home=tmp_path) as tty:
        tty.wait_for("You go on where you left it")
        tty.wait_prompt("step 3 of 5  practice  from ann> $")
        assert "HELO client.example" not in tty.text


def test_a_lesson_can_be_begun_and_left_inside_the_shell(tmp_path: Path) -> None:
    """/lesson lists, plays and leaves; the shell is the same before and after."""
    with Tty(home=tmp_path) as tty:
        tty.wait_prompt("practice> $")
        tty.line("/lesson", "helo-to-quit  +Your first message")
        tty.line("/lesson helo-to-quit", "Step 1 of 5")
        tty.wait_prompt("step 1 of 5  answer> $")
        tty.line("/lesson leave", "You left the lesson")
        tty.wait_prompt("practice> $")


@pytest.mark.parametrize(
    ("words", "env"), [(("--plain",), {}), ((), {"TERM": "dumb"})], ids=["plain", "dumb"]
)
def test_a_plain_terminal_gets_plain_lines(
    tmp_path: Path, words: tuple[str, ...], env: dict[str, str]
) -> None:
    """Without colour or redrawing each line says by its first word what it is, wrapped or not."""
    with Tty(*words, "lesson", "1", home=tmp_path, env=env, columns=72, rows=90) as tty:
        tty.wait_for("^Text: You have just connected")
        tty.line("250", "^Not yet. 250 answers a command")
        tty.line("220", "^Correct.$")
        tty.line("/show", "^Answer: |^Note: ")
        tty.line("HELO client.example", "^Step 3 of 5")
        tty.line("/where", "^Place: step 3 of 5")
        tty.line("/read reply --spell", "^# Line 1 of 1: 2 5 0, mail.practice.example$")
        raw = bytes(tty.raw)
        assert raw.isascii()
        assert b"\x1b" not in raw
        assert b"\r" not in raw.replace(b"\r\n", b"")
        lines = [line for line in tty.text.split("\n") if line.strip()]
        assert [line for line in lines if not line.startswith((*ROLES, "step "))] == []


def test_the_lesson_on_tls(tmp_path: Path) -> None:
    """STARTTLS too early, a keyword mistaken, and a certificate read; the way back is /undo."""
    with Tty("lesson", "starttls", home=tmp_path, rows=60) as tty:
        tty.wait_prompt("step 1 of 5  mail.practice.example> $")
        tty.line("STARTTLS", "Not yet. Soon. First see what happens without")
        tty.line("/undo", "Taken back")
        tty.line("EHLO client.example", "Correct")
        tty.line("MAIL FROM:<ann@client.example>", "530 5.7.0 Must issue")
        tty.wait_prompt("step 1 of 5  answer> $")
        tty.line("TLS", "Not yet. The keyword is longer")
        tty.line("STARTTLS", "Step 2 of 5: Upgrade")
        tty.line("STARTTLS", "TLSv1.3")
        tty.line("MAIL FROM:<ann@client.example>", "It has forgotten all")
        tty.line("EHLO client.example", "Which keyword is gone")
        tty.wait_prompt("step 2 of 5  answer> $")
        tty.line("SIZE", "Not yet. SIZE is still there")
        tty.line("STARTTLS", "Step 3 of 5: Whose lock is it")
        tty.line("/cert", r"subject +CN=mail\.practice\.example")
        tty.wait_prompt("step 3 of 5  answer> $")
        tty.line("mail.practice.example", "Send a letter from ann@client.example")
        tty.line("/where", "you are connected, encrypted, greeted as client.example")
        tty.line("/skip", "Step 4 of 5: Two bad papers")
        tty.wait_prompt("step 4 of 5  expired.practice.example> $")
        tty.line("EHLO client.example")
        tty.line("STARTTLS", "certificate NOT good")
        tty.line("/cert", "What is wrong with it")


def test_the_lesson_on_logins(tmp_path: Path) -> None:
    """A name that is not encoded ends the login; published answers are shown once they are sent."""
    with Tty("lesson", "auth-plain-and-login", home=tmp_path, rows=60) as tty:
        tty.wait_prompt("step 1 of 5 .*> $")
        tty.line("/skip", "Step 2 of 5: A code is not a lock")
        tty.wait_prompt("step 2 of 5  answer> $")
        tty.line("alice", "Not yet. That is the plain name")
        tty.line("/b64 alice", "^YWxpY2U=$")
        tty.line("YWxpY2U=", "What is the password of your neighbour")
        tty.line("/unb64 c3dvcmRmaXNo", "^swordfish$")
        tty.line("swordfish", "Step 3 of 5: Question and answer")
        tty.line("AUTH LOGIN", "334 VXNlcm5hbWU6")
        tty.line("alice", "Not yet. Encode it first, by .b64 alice. Begin again with AUTH")
        tty.line("AUTH LOGIN", "Here is the first question again")
        tty.line("YWxpY2U=", "^C: YWxpY2U=$")
        tty.wait_for("334 UGFzc3dvcmQ6")
        tty.line("*", "Not yet. You gave up")
        tty.line("AUTH LOGIN")
        tty.wait_for("Here is the first question again", times=2)
        tty.line("YWxpY2U=", "And here is the second one")
        tty.line("Y29ycmVjdCBob3JzZQ==", "235 2.7.0")
        tty.wait_prompt("step 3 of 5  answer> $")
        tty.line("Password:", "Not yet. That is the second question")
        tty.line("Username:", "Step 4 of 5: All in one line")


def test_the_lesson_on_greylisting(tmp_path: Path) -> None:
    """The clock of the lesson moves six minutes, no clock of the learner's does."""
    with Tty("lesson", "greylisting", home=tmp_path, rows=60) as tty:
        tty.wait_prompt("step 1 of 4  practice> $")
        tty.line("EHLO client.example", "Correct")
        tty.line("RCPT TO:<bob@practice.example>", "Not yet. The order is: greeting, MAIL, RCPT")
        tty.line("MAIL FROM:<ann@client.example>", "250 2.1.0")
        tty.line("RCPT TO:<bob@practice.example>", "451 4.7.1")
        tty.wait_prompt("step 1 of 4  answer> $")
        tty.line("1", "Not yet. The person never sees this reply")
        tty.line("3", "Step 2 of 4: Too soon")
        tty.line("DATA", "Not yet. No recipient was accepted")
        tty.line("RCPT TO:<bob@practice.example>", "How many minutes")
        tty.line("5", "The lesson moves the practice clock .6m")
        tty.wait_prompt("step 3 of 4  practice  from ann> $")
        tty.line("RCPT TO:<bob@practice.example>", "250 2.1.5")
        tty.line("DATA", "354")
        for line in ("Subject: Second try", "", "Here I am again.", "."):
            tty.line(line)
        tty.wait_prompt("step 3 of 4  answer> $")
        tty.line("/mailbox bob", "07 Jan 2030 09:06:")
        tty.line("2", "Step 4 of 4: A new name")
        tty.line("MAIL FROM:<ann@client.example>", "Not yet. It knows that sender")
        tty.line("/undo", "Taken back")
        tty.line("MAIL FROM:<ann@elsewhere.example>")
        tty.wait_prompt("step 4 of 4  practice  from ann> $")
        tty.line("RCPT TO:<bob@practice.example>", "What is right")
        tty.line("2", "Say goodbye")
        tty.line("QUIT", "Done. That was the lesson")


def test_the_lesson_on_exchangers(tmp_path: Path) -> None:
    """Names of the practice world are looked up, one host is down, and the next one answers."""
    with Tty("lesson", "mx", home=tmp_path, rows=60) as tty:
        tty.wait_prompt("step 1 of 4  practice> $")
        tty.line("mx practice.example", "Not yet. The command is right, but it begins with a slash")
        tty.line("/mx practice", "Not yet. The command is right, what stands behind it is not")
        tty.line("/mx practice.example", "MX 20  mx2.practice.example  192.0.2.11")
        tty.wait_prompt("step 1 of 4  answer> $")
        tty.line("mx2", "Not yet. Compare the two numbers")
        tty.line("mx1", "Which preference")
        tty.line("20", "Step 2 of 4: Go there")
        tty.wait_prompt("step 2 of 4  mx1.practice.example> $")
        tty.line("/skip", "Step 3 of 4: One host is down")
        tty.line("/mx backup.example", "The lesson connects to first.backup.example")
        tty.wait_prompt("step 3 of 4  second.backup.example> $")
        tty.line("QUIT", "How do you choose")
        tty.line("2", "Step 4 of 4")
        tty.line("/mx onlyhost.example", "implicit  onlyhost.example  192.0.2.40")
        tty.line("/mx nomail.example", "null MX: the domain takes no mail")
        tty.wait_prompt("step 4 of 4  answer> $")
        tty.line("550", "Not yet. That means an unknown user")
        tty.line("556", "What does a sender do")
        tty.line("2", "Done. That was the lesson")


def test_a_lesson_is_chosen_with_its_options_inside_the_shell(tmp_path: Path) -> None:
    """A quiz, a seed and a language can be asked for; nonsense is told, and the shell goes on."""
    with Tty(home=tmp_path, rows=60) as tty:
        tty.wait_prompt("practice> $")
        tty.line("/lesson leave", "no lesson is being played")
        tty.line("/lesson 1 --nonsense", "unrecognized arguments: --nonsense")
        tty.line("/lesson 1 --lang xx", "no translation into 'xx'")
        tty.line("/lesson 2 --quiz", r"Questions only: \d")
        tty.wait_prompt("question 1 of .*answer> $")
        tty.line("/show", "Answer: ")
        tty.line("/lesson leave", "You left the lesson")
        tty.wait_prompt("practice> $")
        tty.line(
            "/lesson clinic --seed 522205", "Nobody gets|nobody at practice.example gets any mail"
        )
        tty.wait_prompt("step 1 of 9  ward1.practice.example> $")
