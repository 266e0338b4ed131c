"""The course as it ships: who does it all has all the points."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smtpshell.tutor.classroom.grade import grade_folder
from smtpshell.tutor.classroom.points import Terms
from smtpshell.tutor.classroom.submission import SUFFIX, Submission, Transcript, seed_of, to_json
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.library import lesson_paths
from smtpshell.tutor.mutants import Learner
from smtpshell.tutor.performance import on_stage, perform
from smtpshell.tutor.progress import Progress, read_records
from smtpshell.tutor.reader import read_file

STUDENT = "017"


async def do_all(lesson: Lesson, log: Path, seed: int) -> bool:
    """Do all that a lesson asks for, as its author would, and keep the log."""
    canonical = await perform(lesson, seed=seed)
    async with on_stage(lesson, seed) as stage:
        learner = Learner(lesson, stage, canonical, seed)
        player = learner.player
        player.progress = Progress(log)
        await player.begin()
        while await learner.solve() is False and player.asking is not None and player.asking.words:
            await learner.type("an answer in words of my own")
        return player.finished


@pytest.mark.parametrize("path", lesson_paths(), ids=lambda path: path.stem)
def test_a_lesson_done_as_its_author_would_earns_every_point(tmp_path: Path, path: Path) -> None:
    """Played, handed in and graded: TLS, logins, chunks, the clock and look-ups included."""
    lesson = read_file(path)
    assert asyncio.run(do_all(lesson, tmp_path / "log", seed_of(STUDENT)))
    records = tuple(read_records(tmp_path / "log"))
    (tmp_path / "in").mkdir()
    submission = Submission(STUDENT, (Transcript(lesson.id, records),))
    (tmp_path / "in" / f"{STUDENT}{SUFFIX}").write_text(to_json(submission))
    (grade,) = grade_folder(tmp_path / "in", Terms({lesson.id: lesson}))
    assert not grade.problems
    assert [row.item for row in grade.rows if row.points != 1] == []
