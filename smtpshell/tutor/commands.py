"""/lesson: list the lessons, or play one in the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.report import Report, Row
from smtpshell.protocol.errors import UsageError

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.conversation.guest import Guest

LEAVE = "leave"
SYNTAX = "write /lesson NAME [--seed N] [--quiz] [--lang CODE]"


def names() -> dict[str, str]:
    """Return the names of the shipped lessons with their titles, for the completer."""
    from smtpshell.tutor.library import in_language, lesson_paths, name_of, title_of

    return {name_of(path): title_of(in_language(path)) for path in lesson_paths()}


def numbers() -> list[int]:
    """Return the numbers of the shipped lessons, in order."""
    from smtpshell.tutor.library import lesson_paths

    return [int(path.stem.partition("-")[0]) for path in lesson_paths()]


def progress_of(name: str) -> str:
    """Return how far the learner is in a shipped lesson, in brackets; "" where it was not begun."""
    from smtpshell.tutor.library import find, front_value
    from smtpshell.tutor.progress import how_far
    from smtpshell.tutor.reader import read_file

    path = find(name)
    far = how_far(front_value(path, "id"), lambda: len(read_file(path).steps))
    return f" ({far})" if far else ""


def languages(name: str) -> dict[str, str]:
    """Return the languages in which a lesson can be had, each with its title in it."""
    from smtpshell.protocol.errors import SmtpshellError
    from smtpshell.tutor.library import find, title_of, translations

    try:
        path = find(name)
    except SmtpshellError:
        return {}
    return {"en": title_of(path), **{key: title_of(at) for key, at in translations(path).items()}}


async def lesson(desk: Desk, argument: str) -> None:
    """List the lessons; with a name, play that one; with `leave`, end the one that is played."""
    if not argument:
        rows: Report = [
            Row(title + progress_of(name), label=f"{number:>2}  {name}")
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
        if getattr(desk, "guest", None) is None:
            raise UsageError("no lesson is being played", "/lesson leave", "/lesson lists them.")
        await desk.dismiss()  # type: ignore[attr-defined] # who invites can dismiss
        desk.say("You left the lesson. /lesson NAME goes on where you were.")
        return
    await invite(guest_of(desk, argument))


def guest_of(desk: Desk, argument: str) -> Guest:
    """Return who plays what `NAME [--seed N] [--quiz] [--lang CODE]` says; raises `UsageError`."""
    from smtpshell.tutor.guest import LessonGuest
    from smtpshell.tutor.lessons import chosen
    from smtpshell.tutor.progress import Progress
    from smtpshell.tutor.quiz import QuizGuest

    words = argument.split()
    if not {"-h", "--help"}.isdisjoint(words):  # no page may be printed over the prompt
        raise UsageError(SYNTAX, "/lesson")
    lesson, seed, options = chosen(words, desk.settings)
    if options.quiz:
        return QuizGuest(lesson, seed)
    return LessonGuest(lesson, Progress.of(lesson.id), seed=seed)
