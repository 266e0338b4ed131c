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


def rows(player: Player, judgement: judging.Judgement, turn: Turn) -> list[Row]:
    """Return what to say of a turn that was not accepted."""
    says = judging.author_says(player.step.rules, turn, player.values)
    missing = "" if says else _still_missing(player, turn)
    if missing:
        return [Row(f"Not yet. The server took it. {missing} is still missing.", "bad")]
    says = says or judging.program_says(turn)
    problem = f"{judgement.problem[:1].upper()}{judgement.problem[1:]}."
    words = says or (problem if judgement.problem else "That is not what is asked for.")
    said = [Row(f"Not yet. {words}", "bad")]
    if differences(player.stood, player.standing):
        said.append(Row("Note: Your line changed the session. /undo takes it back.", "dim"))
    return said


def _still_missing(player: Player, turn: Turn) -> str:
    """Return who is missing where a recipient that this step wants was only named too early."""
    action, found, marks = player.action, player.standing, player.canonical.marks
    if turn.received is None or turn.received.reply.is_refusal:
        return ""
    if action is None or action.line not in marks:
        return ""
    for each in player.step.actions:
        end = marks[each.line].standing if each.line in marks else None
        if end is None or not set(found.recipients) <= set(end.recipients):
            continue
        if not differences(end, replace(found, recipients=end.recipients)):
            wanted = marks[action.line].standing.recipients
            return visible(", ".join(each for each in wanted if each not in found.recipients))
    return ""
