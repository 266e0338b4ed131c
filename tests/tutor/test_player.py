"""The player: what a learner may do, what is said to it, and how the way back is found."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator

import pytest

from smtpshell.conversation.embedded import start
from smtpshell.conversation.settings import Settings
from smtpshell.tutor.library import load
from smtpshell.tutor.progress import Progress
from smtpshell.tutor.unattended import play_lines
from tests.tutor.making import FIRST, Played, made, played, wire

HELLO = ("220", "HELO client.example")
ENVELOPE = (
    "MAIL FROM:<ann@client.example>",
    "RCPT TO:<bob@practice.example>",
    "RCPT TO:<carol@practice.example>",
)
LETTER = ("DATA", "Subject: x", "", "text", ".")
END = ("2", "QUIT", "2")
RIGHT = (*HELLO, *ENVELOPE, *LETTER, *END)


def test_the_first_lesson_can_be_played_to_its_end() -> None:
    """Nine right answers, and nothing else, bring a learner through."""
    run = played(FIRST, *RIGHT)
    assert run.finished
    assert set(run.verdicts) == {"Correct"}
    assert run.said("Done.")
    assert not run.errors


def test_every_line_begins_with_its_role() -> None:
    """Nothing has to be seen to be understood: no escape, no lone return, a role on each line."""
    from smtpshell.tutor.plainly import ROLES

    run = played(FIRST, "/hint", "/show", "/where", "/again", "250", *HELLO, "NONSENSE", "/undo")
    assert run.lines
    assert all(line.startswith(ROLES) for line in run.lines)
    assert "\x1b" not in run.out
    assert "\r" not in run.out


def test_code_in_the_prose_keeps_its_form() -> None:
    """Code of a fence can be copied: its lines, its indentation and no more than that."""
    from smtpshell.tutor.plainly import prose_rows

    code = ["if ready:", "    go()"]
    rows = prose_rows(["See", "here:", "```python", *code, "```", "", "    run it"], {})
    assert [(row.indent, row.text) for row in rows if row.text] == [
        (0, "See here:"),
        *((0, line) for line in code),
        (1, "run it"),
    ]


def test_mistakes_meet_the_authors_words() -> None:
    """A foreseen line, a foreseen reply and a foreseen answer each get their own words."""
    run = played(FIRST, "250", "220", "HELLO client.example", "HELO client.example", "RCPT TO:<x>")
    said = run.said("Not yet.")
    assert "250 answers a command" in said[0]
    assert "no double L" in said[1]
    assert "MAIL comes first" in said[2]


def test_an_unforeseen_mistake_gets_the_programs_own_words() -> None:
    """A refusal is explained, and what was taken but is not asked for is named."""
    run = played(FIRST, *HELLO, "XYZZY", "MAIL FROM:<dan@client.example>")
    refused, taken = run.said("Not yet.")
    assert refused == "Not yet. The server refused this line; why stands below its reply."
    assert any("does not know" in line for line in run.said("#"))
    assert "dan@client.example" in taken
    assert "ann@client.example" in taken
    assert any("/undo" in line for line in run.said("Note:"))


def test_right_but_different_is_accepted_with_a_note() -> None:
    """What leads to the same session counts, however it was written."""
    run = played(FIRST, "220", "EHLO elsewhere.example", "HELO CLIENT.example")
    assert run.verdicts == ["Correct", "Not yet", "Correct"]
    lesson = made(
        wire("S: 220 *", "C: HELO client.example", "S: 250 *", "C: RSET", "S: 250 2.0.0*")
    )
    assert any(
        "Different from mine" in line for line in played(lesson, "HELO a.example").lines
    ) is (False)
    different = played(lesson, "HELO client.example", "HELO client.example")
    assert not different.finished
    assert played(lesson, "HELO client.example", "NOOP").said("Correct. Different")


def test_recipients_may_be_named_in_any_order() -> None:
    """Who names Carol first is told that Bob is missing, and is not asked for her again."""
    run = played(FIRST, *HELLO, ENVELOPE[0], ENVELOPE[2], ENVELOPE[1], *LETTER, *END)
    assert run.finished
    assert "Correct. The order is yours; bob@practice.example is still missing." in run.lines
    assert not run.said("Not yet.")


def test_a_lenient_server_is_remarked_on() -> None:
    """A space that the grammar forbids is accepted and named."""
    run = played(FIRST, *HELLO, "mail from: <ann@client.example>")
    assert run.verdicts[-1] == "Correct"
    assert "no space belongs" in run.said("Note:")[-1]


def test_hints_come_one_by_one_and_then_the_answer() -> None:
    """The ladder has as many rungs as the author wrote; the answer is shown, not sent."""
    run = played(FIRST, "220", "/hint", "/hint", "/hint", "/hint", "/show")
    hints = run.said("Hint ")
    assert [hint.partition(":")[0] for hint in hints] == [f"Hint {n} of 3" for n in (1, 2, 3)]
    assert run.said("Answer:") == ["Answer: HELO client.example"]
    assert not run.said("C:")


def test_skip_always_ends_the_step() -> None:
    """Every step can be skipped, and the session then stands where it should."""
    run = played(FIRST, "/skip", "/skip", "/skip", "/where", "/skip", "/skip")
    assert run.finished
    assert len(run.said("Skipped.")) == 5
    place = run.said("Place:")[0]
    assert "carol@practice.example" in place
    assert not run.said("C:")


def test_undo_takes_back_what_was_sent() -> None:
    """A wrong envelope is gone from the session after undo, and the right one passes."""
    wrong = ("MAIL FROM:<dan@client.example>", "RCPT TO:<bob@practice.example>")
    run = played(FIRST, *HELLO, *wrong, "/undo", *ENVELOPE, *LETTER, *END)
    assert run.finished
    again = played(FIRST, *HELLO, *ENVELOPE, "/undo", "/undo", "/where")
    assert "bob" not in again.said("Place:")[0]
    assert "ann@client.example" in again.said("Place:")[0]


def test_undo_takes_back_a_delivery() -> None:
    """A letter without a Subject is not in the mailbox any more when the next one arrives."""
    bad = ("DATA", "Hello", "", "text", ".")
    run = played(FIRST, *HELLO, *ENVELOPE, *bad, "/undo", *LETTER, "/mailbox bob", *END)
    assert run.finished
    assert "no Subject" in run.said("Not yet.")[0]
    assert sum("Subject: x" in line for line in run.lines if line.startswith("#")) == 1


def test_a_failed_check_can_also_be_mended_without_undo() -> None:
    """A second letter counts when it makes all conditions hold; here there would be two."""
    bad = ("DATA", "Hello", "", "text", ".")
    run = played(FIRST, *HELLO, *ENVELOPE, *bad, *ENVELOPE, *LETTER)
    assert "Bob should have one letter." in run.said("Not yet.")[-2]
    assert not run.finished


def test_undo_finds_back_after_goodbye() -> None:
    """Who leaves too early gets the connection back."""
    run = played(FIRST, "220", "QUIT", "/undo", "HELO client.example")
    assert run.verdicts == ["Correct", "Not yet", "Correct"]
    assert any("Leaving already" in line for line in run.lines)


def test_reset_begins_the_step_again() -> None:
    """All lines of the step are taken back, those of the steps before are not."""
    run = played(FIRST, *HELLO, *ENVELOPE[:2], "/reset", "/where", *ENVELOPE, *LETTER, *END)
    assert run.finished
    assert "the envelope is from" not in run.said("Place:")[0]
    assert "greeted as client.example" in run.said("Place:")[0]


def test_free_play_spoils_nothing() -> None:
    """What is done between /play and /back is neither judged nor kept."""
    free = ("/play", "RSET", "MAIL FROM:<x@client.example>", "QUIT", "/back")
    run = played(FIRST, *HELLO, ENVELOPE[0], *free, "/where", *ENVELOPE[1:], *LETTER, *END)
    assert run.finished
    assert "from <ann@client.example>" in run.said("Place:")[0]
    assert set(run.verdicts) == {"Correct"}


def test_local_commands_work_as_ever() -> None:
    """The mailbox can be read in the middle of a question, and that is no answer to it."""
    run = played(FIRST, *HELLO, *ENVELOPE, *LETTER, "/mailbox bob", "/explain 250", "2", *END[1:])
    assert run.finished
    assert any("Return-Path" in line for line in run.lines)


def test_a_lesson_goes_on_inside_a_step(tmp_path) -> None:
    """Whoever comes back another day stands where they left, with the same world."""
    log = tmp_path / "lesson.jsonl"
    first = played(FIRST, *HELLO, *ENVELOPE[:2], progress=Progress(log))
    assert not first.finished
    assert log.stat().st_mode & 0o777 == 0o600
    second = played(FIRST, "/where", ENVELOPE[2], *LETTER, *END, progress=Progress(log))
    assert second.finished
    assert "bob@practice.example" in second.said("Place:")[0]
    assert not second.said("C: HELO")
    third = played(FIRST, "220", progress=Progress(log))
    assert third.said("Step ")[0].startswith("Step 1 of 5")


def test_undo_reaches_back_behind_the_pause(tmp_path) -> None:
    """What was done before the break can be taken back after it."""
    log = tmp_path / "lesson.jsonl"
    played(FIRST, *HELLO, *ENVELOPE[:2], progress=Progress(log))
    run = played(FIRST, "/undo", "/undo", "/where", progress=Progress(log))
    assert "the envelope is from" not in run.said("Place:")[0]


def test_a_changed_lesson_begins_again(tmp_path) -> None:
    """Progress of another version of the file is not mixed with this one."""
    log = tmp_path / "lesson.jsonl"
    one = made(wire("S: 220 *", "C: HELO a.example", "S: 250 *", "C: NOOP", "S: 250 *"))
    two = made(wire("S: 220 *", "C: HELO b.example", "S: 250 *", "C: NOOP", "S: 250 *"))
    played(one, "HELO a.example", progress=Progress(log))
    run = played(two, "HELO b.example", "NOOP", progress=Progress(log))
    assert run.finished


def test_secrets_of_ones_own_do_not_reach_the_log(tmp_path) -> None:
    """A login that is not one of the published ones is hidden before it is written."""
    log = tmp_path / "lesson.jsonl"
    lesson = made(
        wire("S: 220 *", "C: HELO a.example", "S: 250 *", "C: NOOP", "S: 250 *"), scenario="plain"
    )
    played(lesson, "HELO a.example", "AUTH PLAIN AGRhbgBzZWNyZXQ=", progress=Progress(log))
    text = log.read_text()
    assert "AGRhbgBzZWNyZXQ" not in text
    assert all(isinstance(json.loads(line), dict) for line in text.splitlines())


def test_pipelined_lines_may_come_one_by_one() -> None:
    """A group typed line by line is accepted; each line that fits is said to."""
    lesson = made(
        wire(
            "S: 220 *",
            "C: HELO a.example",
            "S: 250 *",
            "C: MAIL FROM:<ann@client.example>",
            "C: RCPT TO:<bob@practice.example>",
            "S: 250 *",
            "S: 250 *",
        )
    )
    one_by_one = played(
        lesson, "HELO a.example", "MAIL FROM:<ann@client.example>", "RCPT TO:<bob@practice.example>"
    )
    assert one_by_one.finished
    assert one_by_one.said("Correct. Go on.")
    group = "/pipeline MAIL FROM:<ann@client.example> | RCPT TO:<bob@practice.example>"
    assert played(lesson, "HELO a.example", group).finished


def test_commands_of_the_program_are_asked_for_by_name() -> None:
    """A `$` line is done by typing the command with its slash."""
    lesson = made(wire("S: 220 *", "$ explain 5.7.1", "> *5.7.1*"))
    assert not played(lesson, "/explain 5.1.1").finished
    assert played(lesson, "/explain 5.1.1", "/explain 5.7.1").finished


def test_a_lost_connection_is_no_end() -> None:
    """A learner who closes the connection is told, and undo opens it again."""
    run = played(FIRST, *HELLO, "/close", ENVELOPE[0], "/undo", *ENVELOPE, *LETTER, *END)
    assert run.finished


def test_a_line_that_has_nobody_to_go_to_is_answered() -> None:
    """Where the connection is gone, whatever took it, a line says so and how to go on."""
    for gone in ("/close", "/connect nobody.invalid", "/connect 127.0.0.1:1"):
        run = played(FIRST, *HELLO, gone, *ENVELOPE[:2], "/undo", *ENVELOPE, *LETTER, *END)
        told = run.said("Not yet. There is no connection, so this was not sent.")
        assert len(told) == 2, gone
        assert run.finished, gone


def test_a_connection_lost_over_a_question_stands_again() -> None:
    """Whoever answers rightly goes on where the lesson needs to be, not at a dead prompt."""
    lesson = made(
        wire("S: 220 *", "C: HELO client.example", "S: 250 *", more="```ask q\nA?\n= b\n```")
        + wire("C: NOOP", "S: 250 *", step="two")
    )
    run = played(lesson, "HELO client.example", "/close", "a", "b", "NOOP")
    assert run.said("Note: The connection was gone.")
    assert run.finished, run.out


def test_one_command_of_the_program_gets_one_verdict() -> None:
    """However many lines it sends, and however many of them are not what is wanted."""
    lesson = made(
        wire("S: 220 *", "C: EHLO client.example", "S: 250-*", "S: ...", "C: NOOP", "S: 250 *")
    )
    run = played(lesson, "/starttls", "/undo", "EHLO client.example", "NOOP")
    assert len(run.said("Not yet.")) == 1
    assert run.finished, run.out


def test_the_answer_is_not_shown_for_another_session() -> None:
    """Where lines of the learner's own have changed it, /show says to undo first."""
    run = played(FIRST, *HELLO, "/show", ENVELOPE[0], "RSET", "/show")
    assert len(run.said("Note: Your lines have changed the session since.")) == 1


def test_no_lines_are_announced_in_front_of_a_question() -> None:
    """What is left to type is counted where the learner's turn is to type."""
    lesson = made(
        wire("S: 220 *", "C: HELO client.example", "S: 250 *", more="```ask q\nA?\n= b\n```")
        + wire("C: NOOP", "S: 250 *", step="two")
    )
    run = played(lesson, "HELO client.example", "/reset", "HELO client.example", "x", "/undo")
    assert run.lines[-2:][0].startswith(("Question:", "Note: 1 more")), run.lines[-4:]
    asked = [at for at, line in enumerate(run.lines) if line.startswith("Question:")]
    assert not any("more to do" in run.lines[at - 1] for at in asked)


NEEDS = wire("S: 220 *", "C: EHLO client.example", "S: 250-*", "S: ...", "C| HELO client.example")
NEEDS += wire(
    "@needs x-magic", "C: XMAGIC", "S: 250 *", step="magic", more="```ask q\nA?\n= b\n```"
)
NEEDS += wire("@needs SIZE", "C: NOOP", "S: 250 *", step="size")


def test_a_step_without_its_keyword_is_skipped_for_everybody() -> None:
    """A learner hears why; who greets with HELO skips nothing that the server could do."""
    run = played(made(NEEDS), "HELO client.example", "NOOP")
    assert run.finished
    assert [line for line in run.lines if "does not offer" in line] == [
        "Note: This server does not offer X-MAGIC. The rest of this step is skipped."
    ]


def test_undo_drips_again(tmp_path) -> None:
    """A reply that was made to drip is part of what was done, and comes back with it."""
    lesson = made(wire("S: 220 *", "@drip 1s", "C: HELO client.example", "S: 250 *"))
    run = played(lesson, "NOOP", "/undo", "HELO client.example")
    assert run.finished
    assert "Note: The next reply comes slowly: one octet in 1s." in run.lines


def test_a_check_speaks_instead_of_the_praise_before_it() -> None:
    """Where a check finds something wrong there is one verdict, and it is not yet."""
    bad = ("DATA", "Hello", "", "text", ".")
    run = played(FIRST, *HELLO, *ENVELOPE, *bad)
    before = len(HELLO) + len(ENVELOPE) + 1
    assert run.verdicts[: before + 1] == ["Correct"] * before + ["Not yet"]
    assert run.verdicts[-1] == "Not yet"


def test_a_step_that_goes_on_says_how_much_is_left() -> None:
    """After a right line something always tells what comes: a new text, or how much is left."""
    run = played(FIRST, *HELLO, ENVELOPE[0])
    assert "Correct. 2 more to do in this step." in run.lines


def test_going_back_says_again_what_is_wanted() -> None:
    """After /undo, /reset and /back the task stands there once more, a command's too."""
    undone = played(FIRST, *HELLO, ENVELOPE[0], "XYZZY", "/undo")
    after = undone.lines[undone.lines.index("Note: Taken back. " + SESSION) :]
    assert any(line.startswith("Text:") for line in after)
    assert "Note: 2 more to do in this step." in after
    lesson = made(
        "## One {#one}\n\nLook about.\n\n```smtp\nS: 220 *\n$ status\nC: QUIT\nS: 221 *\n```\n"
    )
    run = played(lesson, "NOOP", "/undo", "/play", "NOOP", "/back")
    assert run.lines.count("Text: Look about.") == 3
    assert run.lines.count("Note: A command of this program comes next, with its slash.") == 2


SESSION = (
    "You are connected, greeted as client.example, the envelope is from <ann@client.example>, "
    "to nobody yet."
)


def test_again_repeats_all_that_was_said_since_the_last_line() -> None:
    """/again gives the verdict, the new step and its text once more; a second one the same."""
    once = played(FIRST, *HELLO, "/again", "/again").lines
    starts = [index for index, line in enumerate(once) if line == "Correct."][-3:]
    length = starts[1] - starts[0]
    assert length > 3
    assert {tuple(once[start : start + length]) for start in starts} == {
        tuple(once[starts[0] : starts[1]])
    }


def test_where_is_one_sentence() -> None:
    """Place, free play or an open question, and the state of the session; nothing else."""
    run = played(FIRST, "/where", *HELLO, "/play", "/where")
    asked, free = run.said("Place:")
    assert asked == (
        "Place: step 1 of 5, The server speaks first; a question is open; you are connected."
    )
    assert free == (
        "Place: step 3 of 5, Write the envelope; you are playing freely; "
        "you are connected, greeted as client.example."
    )


def test_a_question_may_stand_inside_a_login() -> None:
    """Between a 334 and its answer lines answer the question, and what follows goes to the wire."""
    body = wire("S: 220 *", "C: EHLO client.example", "S: 250-*", "S: ...", step="hello")
    body += wire("C: AUTH LOGIN", "S: 334 *", step="begin")
    body += "```ask word\nWhat does the server want?\n= user name\n! * : Decode it.\n```\n"
    body += wire("C: {{b64(user)}}", "S: 334 *", "C: {{b64(pass)}}", "S: 235 *", step="rest")
    lesson = made(body, scenario="submission", var_user="alice", var_pass="correct horse")
    door = "/connect smtps://mail.practice.example:465"
    answers = ("YWxpY2U=", "Y29ycmVjdCBob3JzZQ==")
    asked = ("AUTH LOGIN", "/unb64 VXNlcm5hbWU6", "password", "/where", "user name")
    run = played(lesson, door, "EHLO client.example", *asked, *answers)
    assert run.finished, run.out
    assert "Not yet. Decode it." in run.lines
    assert not any("password" in line for line in run.said("C:"))


def test_another_server_is_outside_the_lesson() -> None:
    """Nothing that is done elsewhere is judged or kept; /back returns to the lesson's own world."""

    async def run() -> Played:
        server = await start()
        elsewhere = (
            f"/connect 127.0.0.1:{server.port}",
            "EHLO x.example",
            "MAIL FROM:<x@x.example>",
        )

        async def lines() -> AsyncIterator[str]:
            for line in (*HELLO, *elsewhere, "/where", "/back", "/where", *RIGHT[2:]):
                yield line

        out = io.StringIO()
        status = await play_lines(
            load(FIRST), Settings(), lines(), out=out, errors=out, progress=Progress(None)
        )
        await server.stop()
        return Played(status, out.getvalue(), "")

    run_there = asyncio.run(run())
    assert run_there.finished, run_there.out
    assert run_there.said("Note: This server is not in the lesson's world")
    there, back = run_there.said("Place:")
    assert "you are outside the lesson" in there
    assert back.endswith("you are connected, greeted as client.example.")
    assert set(run_there.verdicts) == {"Correct"}


def test_help_in_a_lesson_is_about_the_lesson() -> None:
    """`?` lists what a learner can do; help on a word is that of the program."""
    run = played(FIRST, *HELLO, "?", "/help MAIL")
    assert "Note: /hint: the next hint for this step" in run.lines
    assert any("reverse-path" in line or "MAIL FROM" in line for line in run.said("#"))


def test_a_command_inside_a_letter_is_remarked_on() -> None:
    """It goes into the letter as all lines do, and the learner is told how to give it."""
    run = played(FIRST, *HELLO, *ENVELOPE, "DATA", "/hint", "/home is where it is", ".")
    told = [line for line in run.lines if line.startswith("Note: Here ")]
    assert told == ["Note: Here /hint is sent like any line. Ctrl-] first makes a command of it."]
    assert "C: /hint" in run.lines


def test_the_line_that_changed_the_session_is_named() -> None:
    """A line that changed nothing is not blamed for what one before it did."""
    run = played(FIRST, *HELLO, "MAIL FROM:<dan@client.example>", "XYZZY")
    notes = [line for line in run.said("Note:") if "changed the session" in line]
    assert [note.split(" changed")[0] for note in notes] == [
        "Note: Your line",
        "Note: An earlier line of yours",
    ]


def test_lines_that_come_together_get_one_verdict() -> None:
    """Whoever sends several right lines at once hears once that they are right."""
    lesson = made(
        wire(
            "S: 220 *",
            "C: EHLO client.example",
            "S: 250-*",
            "S: ...",
            "C: MAIL FROM:<ann@client.example>",
            "S: 250 *",
            "C: RCPT TO:<bob@practice.example>",
            "S: 250 *",
        )
    )
    group = f"/pipeline {ENVELOPE[0]} | {ENVELOPE[1]}"
    run = played(lesson, "EHLO client.example", group)
    assert run.finished
    assert run.said("Correct") == ["Correct. 2 more to do in this step.", "Correct."]


def test_a_line_for_the_server_is_answered_where_a_command_is_wanted() -> None:
    """Silence would leave a learner alone: what comes next is said, whatever was sent."""
    lesson = made(wire("S: 220 *", "$ status", "C: QUIT", "S: 221 *"))
    run = played(lesson, "EHLO client.example", "/status", "QUIT")
    assert "Not yet. A command of this program comes next, with its slash." in run.lines
    assert run.finished


def test_the_author_is_heard_where_a_command_is_wanted() -> None:
    """A line to the server meets the author's words there too, and what it changed is told."""
    rule = "```feedback\nC HELO* : The look-up first.\n```"
    lesson = made(wire("S: 220 *", "$ explain 5.7.1", more=rule))
    run = played(lesson, "HELO client.example", "/explain 5.7.1")
    assert run.said("Not yet.") == ["Not yet. The look-up first."]
    assert run.said("Note: Your line changed the session.")
    assert run.finished


def test_tearing_up_an_envelope_is_not_praised() -> None:
    """Only a recipient named before its turn is taken as one; RSET is not."""
    run = played(FIRST, *HELLO, ENVELOPE[0], "RSET")
    assert run.verdicts[-1] == "Not yet"


def test_hints_on_lines_are_not_given_to_a_question_behind_them() -> None:
    """Where all lines of a step are done its hints would mislead; a wrong answer tells more."""
    run = played(FIRST, *HELLO, *ENVELOPE, *LETTER, "/hint")
    assert not run.said("Hint ")
    assert "those are done" in run.said("Note:")[-1]


def test_a_lesson_that_varies_begins_anew_under_another_id(tmp_path) -> None:
    """Who forgot the student's id is told at once, and is not held in the form of nobody."""
    log = tmp_path / "log"
    first = played("clinic", "EHLO client.example", progress=Progress(log))
    assert any("set your id before" in line for line in first.said("Note:"))
    assert "You go on where you left it" in played("clinic", progress=Progress(log)).out
    other = played("clinic", progress=Progress(log), seed=522205)
    assert "You go on" not in other.out
    assert not any("set your id" in line for line in other.said("Note:"))
    assert "You go on" in played("clinic", progress=Progress(log), seed=522205).out


ASKED_FIRST = "## Ask {#ask}\n\n```ask q\nWhich?\n= a\n```\n\n" + wire(
    "S: 220 *", "C: HELO client.example", "S: 250 *", "C: QUIT", "S: 221 *", "S: <closed>"
)


@pytest.mark.parametrize(
    "before", [("a",), ("b", "/undo", "a"), ("a", "NOOP", "/undo", "/undo", "a")]
)
def test_a_greeting_is_not_forgotten_over_a_question(before: tuple[str, ...]) -> None:
    """What the server said before a question is seen behind it, after going back too."""
    run = played(made(ASKED_FIRST), *before, "HELO client.example", "QUIT")
    assert run.finished
    assert "Something else" not in run.out


def test_who_cannot_keep_progress_may_learn_all_the_same(tmp_path) -> None:
    """A folder that cannot be written to is remarked on, and the lesson is played to its end."""

    async def run() -> Played:
        async def lines() -> AsyncIterator[str]:
            for line in RIGHT:
                yield line

        out = io.StringIO()
        status = await play_lines(
            load(FIRST), Settings(), lines(), out=out, errors=out, progress=Progress(nowhere)
        )
        return Played(status, out.getvalue(), "")

    (tmp_path / "file").write_text("")
    nowhere = tmp_path / "file" / "x.jsonl"
    done = asyncio.run(run())
    assert done.finished, done.out
    assert len(done.said("Note: From here on your progress is not kept")) == 1
