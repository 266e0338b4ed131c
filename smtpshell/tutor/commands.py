"""/lesson: list the lessons, or play one in the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.report import Report, Row
from smtpshell.protocol.errors import UsageError

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk


def names() -> dict[str, str]:
    """Return the names of the shipped lessons with their titles, for the completer."""
    from smtpshell.tutor.library import lesson_paths, name_of, title_of

    return {name_of(path): title_of(path) for path in lesson_paths()}


async def lesson(desk: Desk, argument: str) -> None:
    """List the lessons; with a name, play that one; with `leave`, end the one that is played."""
    if not argument:
        rows: Report = [Row(title, label=name) for name, title in names().items()]
        rows.append(Row("/lesson NAME plays one.", "dim"))
        desk.show(rows, {"lessons": list(names())})
        return
    invite = getattr(desk, "invite", None)
    if invite is None:
        raise UsageError(
            "a script cannot play a lesson", "/lesson", "Run smtpshell lesson NAME for that."
        )
    if argument == "leave":
        await desk.dismiss()  # type: ignore[attr-defined] # who invites can dismiss
        desk.say("You left the lesson. /lesson NAME goes on where you were.")
        return
    from smtpshell.tutor.guest import LessonGuest
    from smtpshell.tutor.library import load
    from smtpshell.tutor.progress import Progress

    chosen = load(argument)
    await invite(LessonGuest(chosen, Progress.of(chosen.id)))
