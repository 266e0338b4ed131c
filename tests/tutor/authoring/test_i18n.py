"""Lessons in other languages: out as PO, back in, played, and still the same lesson."""

from __future__ import annotations

import json

import pytest

from smtpshell.tutor.authoring.i18n import extracted, merged
from smtpshell.tutor.authoring.po import Catalogue, parse_po, po_text
from smtpshell.tutor.library import lesson_paths, name_of
from smtpshell.tutor.reader import read_file, read_lesson
from tests.conversation.running import Run, smtpshell
from tests.tutor.making import lesson_text, wire

BODY = wire(
    *("S: 220 *", "C: HELO client.example", "S: 250 *"),
    more="You are {{me}}.\n\n```hint\n1. Four letters.\n```\n\n```ask q\nWhich?\n= 220\n```\n"
    "\n```teacher\nA note.\n```\n",
)
GERMAN = {
    "Made for a test": "Für einen Test",
    "You are {{me}}.": "Du bist {{me}}.",
    "Four letters.": "Vier Buchstaben.",
    "Which?": "Welche?",
}


@pytest.fixture
def lesson(tmp_path):
    """Return the file of a lesson."""
    path = tmp_path / "01-made.md"
    path.write_text(lesson_text(BODY, var_me="ann@client.example"), encoding="utf-8")
    return path


def i18n(*words: object) -> Run:
    """Run `lesson i18n`."""
    return smtpshell("lesson", "i18n", *map(str, words))


def translate(lesson, translations: dict[str, str], **more: str) -> Run:
    """Extract a lesson's texts, translate some, and merge them."""
    po = lesson.with_name("made.po")
    text = i18n("extract", lesson, "--lang", "de").out
    for source, translation in translations.items():
        text = text.replace(
            f'msgid "{source}"\nmsgstr ""', f'msgid "{source}"\nmsgstr "{translation}"'
        )
    po.write_text(text + more.get("tail", ""), encoding="utf-8")
    return i18n("merge", lesson, po, "--json")


@pytest.mark.parametrize("path", lesson_paths(), ids=name_of)
def test_without_translations_nothing_but_the_language_changes(path) -> None:
    """Out and back in, every shipped lesson is what it was, beside the line that names it."""
    text = path.read_bytes().decode()
    lesson = read_lesson(text, path.name)
    catalogue = parse_po(po_text(extracted(lesson, text, "de")), "x.po")
    result = merged(text, catalogue, "de")
    assert result.text.replace("lang: de\n", "", 1) == text
    assert result.missing == result.texts == len(catalogue.entries) > 30
    assert read_lesson(result.text, path.name).language == "de"


def test_a_translation_is_played_and_proven(lesson) -> None:
    """The learner reads German where there is German; `lesson check` proves the rest equal."""
    run = translate(lesson, GERMAN)
    (told,) = run.objects
    other = lesson.with_name("01-made.de.md")
    assert (run.status, told["file"]) == (0, str(other))
    assert (told["translated"], told["missing"]) == (4, told["texts"] - 4)
    assert (told["texts"], told["fuzzy"], told["unknown"]) == (6, 0, 0)
    played = smtpshell("lesson", str(lesson), "--lang", "de", stdin="HELO client.example\n220\n")
    assert played.status == 0, played.err
    assert "Lesson: Für einen Test" in played.out
    assert "Text: Du bist ann@client.example." in played.out
    assert smtpshell("lesson", "check", str(lesson)).out == "made: good\n"
    assert read_file(other).digest == read_file(lesson).digest


def test_a_learner_changes_the_language_in_the_middle(lesson, tmp_path) -> None:
    """Progress belongs to the lesson, not to a language."""
    translate(lesson, GERMAN)
    env = {"XDG_STATE_HOME": str(tmp_path)}
    smtpshell("lesson", str(lesson), stdin="HELO client.example\n", env=env)
    run = smtpshell("lesson", str(lesson), "--lang", "de", stdin="220\n", env=env)
    assert "Lesson: Für einen Test. You go on where you left it." in run.lines
    assert run.status == 0


def test_a_guess_is_not_used_and_the_gone_is_counted(lesson) -> None:
    """Fuzzy translations and those of texts that the lesson has no more change nothing."""
    tail = '\n#, fuzzy\nmsgctxt "one teacher"\nmsgid "A note."\nmsgstr "Ein Ton."\n'
    tail += '\nmsgctxt "one text"\nmsgid "Gone."\nmsgstr "Weg."\n'
    text = i18n("extract", lesson, "--lang", "de").out
    before, _, after = text.partition("#. teacher\n")
    po = lesson.with_name("made.po")
    po.write_text(before + after.partition("\n\n")[2] + tail, encoding="utf-8")
    (told,) = i18n("merge", lesson, po, "--json").objects
    assert (told["translated"], told["fuzzy"], told["unknown"]) == (0, 1, 1)
    assert "Ein Ton." not in lesson.with_name("01-made.de.md").read_text(encoding="utf-8")


def test_a_translation_must_have_the_same_names_in_braces(lesson) -> None:
    """What the lesson fills in has to be filled in there too; the place in the PO file is told."""
    run = translate(lesson, {"You are {{me}}.": "Du bist {{wer}}."})
    assert run.status == 1
    assert "made.po:" in run.err
    assert "the translation lacks {{me}}" in run.err
    assert not lesson.with_name("01-made.de.md").exists()


@pytest.mark.parametrize("mark", ["## {{me}}", "## {{me}} {#two}", "```smtp {{me}}", "``` {{me}}"])
def test_a_translation_cannot_change_the_lesson(lesson, mark: str) -> None:
    """A text that would open a fence or a step is refused before anything is written."""
    run = translate(lesson, {"You are {{me}}.": mark})
    assert run.status in (1, 2)
    assert "01-made.de.md:" in run.err
    assert not lesson.with_name("01-made.de.md").exists()


def test_languages_and_files_are_checked(lesson) -> None:
    """What is no language, what is not said and what is there already ends with 2 or 3."""
    assert i18n("extract", lesson, "--lang", "../x").status == 2
    po = lesson.with_name("none.po")
    assert i18n("extract", lesson, "--out", po).status == 0
    assert i18n("extract", lesson, "--out", po).status == 3
    run = i18n("merge", lesson, po)
    assert (run.status, "does not say its language" in run.err) == (2, True)
    assert i18n("merge", lesson, po, "--lang", "pt_BR").status == 0
    assert lesson.with_name("01-made.pt-br.md").exists()
    assert smtpshell("lesson", str(lesson), "--lang", "fr").status == 2
    assert i18n().status == 2


def test_the_same_text_in_a_step_stands_once() -> None:
    """A translator says it once; it is used wherever it stands."""
    body = BODY.replace("1. Four letters.\n", "1. Again.\n2. Again.\n")
    text = lesson_text(body, var_me="a@client.example")
    catalogue = extracted(read_lesson(text, "made.md"), text)
    (entry,) = [each for each in catalogue.entries if each.source == "Again."]
    assert entry.places == ("made.md:22", "made.md:23")
    done = Catalogue(
        tuple(
            type(each)(each.source, "Noch mal.", each.context) if each is entry else each
            for each in catalogue.entries
        )
    )
    assert merged(text, done, "de").text.count("Noch mal.") == 2
    assert json.dumps(entry.context) == '"one hint"'
