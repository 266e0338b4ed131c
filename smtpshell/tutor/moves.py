"""What a learner can do in a lesson beside answering it: /hint, /show, /skip, /undo and the rest.

One table of commands; each is a function of the player. They exist while a lesson is played and
stand before the ordinary local commands of the same name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from smtpshell.conversation.local import is_local, split
from smtpshell.conversation.report import Row
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.state import Mode
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.functions import TemplateError
from smtpshell.tutor.lesson import Exchange, Tool
from smtpshell.tutor.meaning import shown
from smtpshell.tutor.plainly import filled
from smtpshell.tutor.questions import solution
from smtpshell.tutor.standing import differences

if TYPE_CHECKING:
    from smtpshell.tutor.player import Player

Move = Callable[["Player"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class MoveCommand:
    """One command of a lesson."""

    name: str
    summary: str
    move: Move


async def run(player: Player, line: str) -> bool:
    """Run a line that is one of the lesson's commands; False when it is none."""
    if not is_local(line):
        return False
    name, argument = split(line)
    row = MOVES.get(name)
    if row is None or (argument and row.move is _help):
        return False
    await row.move(player)
    return True


def is_one(line: str) -> bool:
    """Tell whether a line is one of the lesson's commands, as a learner writes it."""
    return is_local(line) and split(line)[0] in MOVES and line.strip() != "?"


def not_here(line: str) -> str:
    """Return what to say of a command that was typed where all lines are for the server."""
    return f"Here {line.strip()} is sent like any line. Ctrl-] first makes a command of it."


async def _help(player: Player) -> None:
    rows = [Row("Note: In a lesson there are these commands:", "title")]
    rows += [Row(row.summary, label=f"/{row.name}") for row in MOVES.values()]
    rows.append(Row("Note: All others work too: /help commands lists them.", "dim"))
    player.tell(rows)


ABOUT_LINES = (
    "The hints are about the lines of this step, and those are done. "
    "A wrong answer tells more, /show gives the right one."
)


async def _hint(player: Player) -> None:
    hints = player.step.hints
    if player.finished:
        player.say("Note: The lesson is over already.", "dim")
        return
    if not hints:
        player.say("Note: This step has no hints. /show gives the answer.", "dim")
        return
    if player.asking is not None and player.step.wants_typing and not player.left():
        player.say(f"Note: {ABOUT_LINES}", "dim")
        return
    if player.hints >= len(hints):
        player.say(f"Note: Those were all {len(hints)} hints. /show gives the answer.", "dim")
        return
    player.hints += 1
    text = filled(hints[player.hints - 1], player.values)
    player.progress.record("hint", player.step.id, number=player.hints)
    player.say(f"Hint {player.hints} of {len(hints)}: {text}")


def answer_lines(player: Player) -> list[str]:
    """Return what the canonical learner would type now, line by line."""
    if player.asking is not None:
        return [solution(player.asking, player.values)]
    action = player.action
    if isinstance(action, Tool):
        command = filled(action.command, player.values)
        return [command if command.startswith("/") else f"/{command}"]
    if not isinstance(action, Exchange) or player.attempt is None:
        return []
    units = player.attempt.ways[0].units[player.attempt.done :]
    lines: list[str] = []
    for client in (client for unit in units for client in unit.clients):
        try:
            lines.append(shown(client, player.values))
        except TemplateError:
            break  # it depends on a reply that is still to come
    return lines


UNDO_FIRST = "Your lines have changed the session since. Type /undo before you send this."


async def _show(player: Player) -> None:
    lines = answer_lines(player)
    if not lines:
        player.say("Note: There is nothing to type here.", "dim")
        return
    drifted = player.asking is None and differences(player.stood, player.standing)
    first = [Row(f"Note: {UNDO_FIRST}", "dim")] if drifted and not player.idle else []
    asked = {"ask": player.asking.id} if player.asking is not None else {}
    player.progress.record("shown", player.step.id, **asked)
    if len(lines) == 1 and player.insert is not None:
        player.insert(lines[0])
        player.tell([Row("Note: The answer stands on the prompt. Enter sends it.", "dim"), *first])
        return
    player.tell([*first, *(Row(f"Answer: {visible(line)}", "code") for line in lines)])


async def _skip(player: Player) -> None:
    if player.finished:
        player.say("Note: The lesson is over already.", "dim")
        return
    step = player.step
    player.progress.record("skip", step.id)
    player.say(f"Skipped. Step {player.at.step + 1} is done for you.", "warn")
    lines = [
        mark_line
        for each in player.lesson.steps[: player.at.step + 1]
        for mark_line in (action.line for action in each.actions)
        if mark_line in player.canonical.marks
    ]
    mark = player.canonical.marks[lines[-1]] if lines else None
    journal = mark.journal if mark is not None else ()
    values = {**player.values, **(mark.values if mark is not None else {})}
    await player.jump(player.at.step + 1, journal, values)


async def _undo(player: Player) -> None:
    """Take back what was sent since the last checkpoint, or else go to the one before."""
    if not player.trail:
        player.say("Note: There is nothing to take back.", "dim")
        return
    last = player.trail[-1]
    sent = player.free or len(player.stage.journal) > len(last.journal)
    if not sent and len(player.trail) > 1:
        player.trail.pop()
    while len(player.trail) > 1 and player.trail[-1].inside:
        player.trail.pop()  # inside a message nobody could take anything back
    last = player.trail[-1]
    player.progress.record("undo", player.step.id)
    await player.return_to(last)
    await _go_on(player, f"Taken back. {session_words(player.stage.conversation.snapshot)}")


async def _reset(player: Player) -> None:
    step = player.at.step
    first = next((each for each in player.trail if each.step == step), None)
    if first is None:
        player.say("Note: There is nothing to reset.", "dim")
        return
    del player.trail[player.trail.index(first) + 1 :]
    player.progress.record("reset", player.step.id)
    await player.return_to(first)
    player.hints = 0
    await _go_on(player, f"Step {step + 1} begins again.")


async def _play(player: Player) -> None:
    if player.finished:
        player.say("Note: The lesson is over already. /undo goes back into it.", "dim")
        return
    if player.free:
        player.say("Note: You are playing freely already. /back returns to the lesson.", "dim")
        return
    player.free = True
    player.say("Note: Free play. Nothing counts. /back returns to the lesson.", "dim")


async def _back(player: Player) -> None:
    if not player.free:
        player.say("Note: You are in the lesson. /play leaves it for a while.", "dim")
        return
    await player.return_to(player.checkpoint)
    await _go_on(player, "Back in the lesson, and everything is as you left it.")


async def _go_on(player: Player, where: str) -> None:
    """Tell where the learner is again, and what is wanted there."""
    player.tell([Row(f"Note: {where}", "dim"), *player.task()])
    await player.advance()


async def _again(player: Player) -> None:
    player.repeat()


async def _where(player: Player) -> None:
    total = len(player.lesson.steps)
    words = [f"step {player.at.step + 1} of {total}, {player.title}"]
    if player.finished:
        words = ["the end of the lesson"]
    if player.free:
        words.append(
            "you are outside the lesson" if player.stage.away else "you are playing freely"
        )
    elif player.asking is not None:
        words.append("a question is open")
    if player.account is not None and not player.finished:
        words.append(player.account.used_so_far(player.step, player.values))
    state = session_words(player.stage.conversation.snapshot)
    words.append(state[:1].lower() + state[1:])
    player.tell([Row(f"Place: {'; '.join(words)}")])


def session_words(snapshot: Snapshot) -> str:
    """Return what is known of a session, in one sentence."""
    if not snapshot.connected:
        return "There is no connection."
    words = ["You are connected"]
    if snapshot.tls:
        words.append("encrypted")
    if snapshot.helo:
        words.append(f"greeted as {visible(snapshot.helo)}")
    if snapshot.user is not None:
        words.append(f"logged in{f' as {visible(snapshot.user)}' if snapshot.user else ''}")
    if snapshot.sender is not None:
        words.append(f"the envelope is from <{visible(snapshot.sender)}>")
        to = visible(", ".join(snapshot.recipients)) or "nobody yet"
        words.append(f"to {to}")
    if snapshot.mode is Mode.DATA:
        words.append("inside the message")
    return f"{', '.join(words)}."


MOVES: dict[str, MoveCommand] = {
    row.name: row
    for row in (
        MoveCommand("hint", "the next hint for this step", _hint),
        MoveCommand("show", "the answer; on the prompt, unsent, where there is one", _show),
        MoveCommand("skip", "have this step done for you", _skip),
        MoveCommand("undo", "take your last lines back", _undo),
        MoveCommand("reset", "begin this step again", _reset),
        MoveCommand("play", "try things out; nothing counts", _play),
        MoveCommand("back", "return from free play", _back),
        MoveCommand("again", "repeat what was said since your last line", _again),
        MoveCommand("where", "where you are, in the lesson and in the session", _where),
        MoveCommand("help", "these commands; with a word, help on that", _help),
    )
}
"""Every command of a lesson, by name without its slash."""
