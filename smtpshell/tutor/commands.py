"""/lesson: list the lessons, or play one in the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.report import Report, Row
from smtpshell.protocol.errors import UsageError

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk


LEAVE = "leave"


def names() -> dict[str, str]:
    """Return the names of the shipped lessons with their titles, for the completer."""
    from smtpshell.tutor.library import in_language, lesson_paths, name_of, title_of

    return {name_of(path): title_of(in_language(path)) for path in lesson_paths()}


def numbers() -> list[int]:
    """Return the numbers of the shipped lessons, in order."""
    from smtpshell.tutor.library import lesson_paths

    return [int(path.stem.partition("-")[0]) for path in lesson_paths()]


async def lesson(desk: Desk, argument: str) -> None:
    """List the lessons; with a name, play that one; with `leave`, end the one that is played."""
    if not argument:
        rows: Report = [
            Row(title, label=f"{number:>2}  {name}")
            for number, (name, title) in zip(numbers(), names().items(), strict=True)
        ]
        rows.append(Row(f"/lesson 1 or /lesson NAME plays one, /lesson {LEAVE} ends it.", "dim"))
        desk.show(rows, {"lessons": list(names())})
        return
    invite = getattr(desk, "invite", None)
    if invite is None:
        raise UsageError(
            "a script cannot play a lesson", "/lesson", "Run smtpshell lesson NAME for that."
        )
    if argument == LEAVE:
        await desk.dismiss()  # type: ignore[attr-defined] # who invites can dismiss
        desk.say("You left the lesson. /lesson NAME goes on where you were.")
        return
    from smtpshell.tutor.classroom.submission import seed_of
    from smtpshell.tutor.guest import LessonGuest
    from smtpshell.tutor.library import load
    from smtpshell.tutor.progress import Progress

    chosen = load(argument)
    seed = seed_of(desk.settings.told("student"))
    await invite(LessonGuest(chosen, Progress.of(chosen.id), seed=seed))
