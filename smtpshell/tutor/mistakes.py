"""What is said of a line that is not accepted: the author's words first, then the program's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.report import Row
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import replace
from smtpshell.tutor import judging
from smtpshell.tutor.standing import differences

if TYPE_CHECKING:
    from smtpshell.tutor.hearing import Turn
    from smtpshell.tutor.player import Player


def rows(player: Player, judgement: judging.Judgement, turn: Turn, missing: str = "") -> list[Row]:
    """Return what to say of a turn that was not accepted, or came before its turn."""
    if missing:
        words = f"Correct. The order is yours; {missing} is still missing."
        return [Row(words, "good")]
    says = judging.author_says(player.step.rules, turn, player.values)
    if not says and (explained := judging.program_says(turn)):
        says = REFUSED if player.explained() else explained
    problem = f"{judgement.problem[:1].upper()}{judgement.problem[1:]}."
    words = says or (problem if judgement.problem else "That is not what is asked for.")
    return [Row(f"Not yet. {words}", "bad"), *_changes(player)]


def beside(player: Player, turn: Turn) -> list[Row]:
    """Return what to say of a line to the server where a command of the program is wanted."""
    words = judging.author_says(player.step.rules, turn, player.values) or player.following()
    return [Row(f"Not yet. {words}", "bad"), *_changes(player)]


def _changes(player: Player) -> list[Row]:
    """Say that the session is no longer what the step needs, and whose line that was."""
    if not differences(player.stood, player.standing):
        return []
    changed = differences(player.before, player.standing)
    whose = "Your line" if changed else "An earlier line of yours"
    return [Row(f"Note: {whose} changed the session. /undo takes it back.", "dim")]


REFUSED = "The server refused this line; why stands below its reply."
"""What is said where the explanation of a refusal has been shown already."""


def still_missing(player: Player, turn: Turn) -> str:
    """Return who is missing where a recipient that this step wants was only named too early."""
    if judging.author_says(player.step.rules, turn, player.values):
        return ""
    action, found, marks = player.action, player.standing, player.canonical.marks
    if turn.received is None or turn.received.reply.is_refusal:
        return ""
    if action is None or action.line not in marks:
        return ""
    if len(found.recipients) <= len(player.before.recipients):
        return ""  # nobody was named by this line
    for each in player.step.actions:
        end = marks[each.line].standing if each.line in marks else None
        if end is None or not set(found.recipients) <= set(end.recipients):
            continue
        if not differences(end, replace(found, recipients=end.recipients)):
            wanted = marks[action.line].standing.recipients
            return visible(", ".join(each for each in wanted if each not in found.recipients))
    return ""
