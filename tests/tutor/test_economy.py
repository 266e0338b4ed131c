"""The clinic's score: what it counts, and that the learner and the grader count alike."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smtpshell.tutor.classroom.grade import grade_folder
from smtpshell.tutor.classroom.points import Terms
from smtpshell.tutor.classroom.submission import SUFFIX, Submission, Transcript, seed_of, to_json
from smtpshell.tutor.economy import at_try, enough, items_of, share, worth
from smtpshell.tutor.lesson import Lesson
from smtpshell.tutor.library import load
from smtpshell.tutor.mutants import Learner
from smtpshell.tutor.performance import on_stage, perform
from smtpshell.tutor.progress import Progress, read_records
from smtpshell.tutor.reader import LessonError
from tests.tutor.making import made, played, wire

STUDENT = "017"
REPORT = "in words of my own"


async def clinic(log: Path, *, seed: int, wasteful: bool = False, shows: bool = False) -> list[str]:
    """Play the clinic to its end and return what was said."""
    lesson = load("clinic")
    canonical = await perform(lesson, seed=seed)
    async with on_stage(lesson, seed) as stage:
        learner = Learner(lesson, stage, canonical, seed)
        player = learner.player
        player.progress = Progress(log)
        await player.begin()
        if wasteful:
            await learner.type_all(["HELP", "NOOP", "/undo", "NOOP", "/play", "NOOP", "/back"])
        if shows:
            await learner.type("/show")
        while not await learner.solve() and player.asking is not None:
            await learner.type("4" if wasteful and not player.asking.words else REPORT)
        assert player.finished
        return learner.heard


def graded(log: Path, folder: Path) -> float:
    """Hand a log in and return the points that the grader gives."""
    folder.mkdir()
    transcript = Transcript("clinic", tuple(read_records(log)))
    text = to_json(Submission(STUDENT, (transcript,)))
    (folder / f"{STUDENT}{SUFFIX}").write_text(text)
    (grade,) = grade_folder(folder, Terms({"clinic": load("clinic")}))
    assert not grade.problems
    return grade.points


def test_the_shares_of_a_point() -> None:
    """As few as needed earn all of it, twice as many half; the second try half, the third less."""
    assert [share(4, used) for used in (3, 4, 8, 40)] == [1, 1, 0.5, 0.1]
    assert [at_try(tries) for tries in (0, 1, 2, 3)] == [1, 1, 0.5, 0.33]


def test_the_doctor_needs_what_the_texts_say() -> None:
    """The numbers in the prose of the wards are those that the score goes by."""
    lesson = load("clinic")
    values = lesson.values(0)
    assert [enough(step, values) for step in lesson.steps] == [3, 2, 4, 3, 5, 5, 5, 2, 1]
    words = dict(zip(["two", "three", "four", "five"], (2, 3, 4, 5), strict=True))
    for step in lesson.steps[:-1]:
        said = " ".join(line for block in step.blocks for line in getattr(block, "lines", ()))
        number = said.partition("doctor needs ")[2].split()[0]
        assert words[number] == enough(step, values), step.id


def test_only_a_lesson_that_scores_counts_commands() -> None:
    """Elsewhere a step gives its point however it was done."""
    lesson = made(wire("S: 220 *", "C: QUIT", "S: 221 *"))
    assert worth(lesson, "one", {}, used=40, tries=9) == 1
    assert items_of(lesson.steps[0]) == ["one"]


def test_the_best_play_earns_all_and_says_so(tmp_path: Path) -> None:
    """Twenty points, in the player's words and by the grader's own play."""
    heard = asyncio.run(clinic(tmp_path / "log", seed=seed_of(STUDENT)))
    assert "Score: 20 of 20 points; you used 30 commands, and 30 are enough." in heard
    assert graded(tmp_path / "log", tmp_path / "in") == 20


def test_waste_and_guesses_cost_the_same_to_player_and_grader(tmp_path: Path) -> None:
    """What was undone counts, free play does not, and a second try gives half a point."""
    heard = asyncio.run(clinic(tmp_path / "log", seed=seed_of(STUDENT), wasteful=True))
    (total,) = [line for line in heard if line.startswith("Score:") and "20 points" in line]
    assert "you used 33 commands, and 30 are enough." in total
    points = float(total.split()[1])
    assert 12 < points < 20
    assert graded(tmp_path / "log", tmp_path / "in") == pytest.approx(points, abs=0.01)


def test_what_was_shown_gives_nothing(tmp_path: Path) -> None:
    """A step whose answer was shown has no point, with the player as with the grader."""
    heard = asyncio.run(clinic(tmp_path / "log", seed=seed_of(STUDENT), shows=True))
    assert any(line.startswith("Score: 19 of 20 points") for line in heard)
    assert graded(tmp_path / "log", tmp_path / "in") == 19


def test_each_seed_has_its_own_form_of_the_clinic(tmp_path: Path) -> None:
    """The wards come in another order, each patient lies where the text looks for it."""
    lesson = load("clinic")
    orders = {tuple(step.id for step in lesson.form(seed).steps) for seed in range(1, 12)}
    assert len(orders) == 11
    form = lesson.form(7)
    assert form.form(7) == form
    values = lesson.values(7)
    assert [values[step.id] for step in form.steps[:-1]] == list("12345678")
    assert form.steps[-1].id == "home"
    assert lesson.form(0) is lesson
    assert not asyncio.run(perform(lesson, seed=7)).problems


def test_the_transcript_of_one_form_does_not_fit_another(tmp_path: Path) -> None:
    """Who hands in a neighbour's work has few points, and the teacher is told why."""
    asyncio.run(clinic(tmp_path / "log", seed=seed_of("018")))
    assert graded_loosely(tmp_path / "log", tmp_path / "in") < 10


def graded_loosely(log: Path, folder: Path) -> float:
    """Hand in somebody else's log."""
    folder.mkdir()
    transcript = Transcript("clinic", tuple(read_records(log)))
    text = to_json(Submission(STUDENT, (transcript,)))
    (folder / f"{STUDENT}{SUFFIX}").write_text(text)
    (grade,) = grade_folder(folder, Terms({"clinic": load("clinic")}))
    assert any("the seed of somebody else" in note for note in grade.notes)
    return grade.points


def test_what_cannot_be_dealt_is_told_with_its_line() -> None:
    """A deal of steps that are not there, or of a name that is a variable too."""
    with pytest.raises(LessonError) as error:
        made(wire("C: QUIT", "S: 221 *"), deal="one, two", var_one="x")
    assert len(error.value.complaints) == 2
    assert "no step has that id" in error.value.complaints[1]


def test_a_lesson_without_a_deal_stays_as_it_is() -> None:
    """Where a lesson varies in nothing, all learners share one world."""
    lesson: Lesson = made(wire("S: 220 *", "C: QUIT", "S: 221 *"))
    assert lesson.form(9) is lesson
    assert lesson.world_seed(9) is None
    assert load("clinic").world_seed(9) == 9
    assert load("clinic").as_written().values(9)["relay"] == "1"


def test_what_was_used_on_another_day_counts(tmp_path: Path) -> None:
    """The account is rebuilt from the log, once, however often the log is read."""
    log = tmp_path / "log"
    first = played("clinic", "HELP", "NOOP", "EHLO client.example", progress=Progress(log))
    assert not first.finished
    again = Progress(log)
    again.state()
    second = played("clinic", "/where", progress=again)
    assert "3 commands used in this step, and 3 are enough" in second.out
