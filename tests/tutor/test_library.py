"""Finding lessons, and the one in the learner's language."""

from __future__ import annotations

import pytest

from smtpshell.tutor.library import (
    NoLesson,
    front_value,
    in_language,
    languages,
    lesson_paths,
    title_of,
    translations,
)
from tests.tutor.making import GREETING, lesson_text

ENVIRONMENTS = (
    ({}, []),
    ({"LANG": "de_DE.UTF-8"}, ["de_DE"]),
    ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, []),
    ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, []),
    ({"LANG": "en_GB", "LANGUAGE": "fr:de"}, ["fr", "de"]),
    ({"LC_MESSAGES": "pt_BR@x", "LANG": "de"}, ["pt_BR"]),
)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a lesson and two translations of it."""
    for name in ("01-made", "01-made.de", "01-made.pt-br"):
        _, _, language = name.partition(".")
        text = lesson_text(GREETING, title=f"In {language or 'en'}", lang=language)
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("environment", "wanted"), ENVIRONMENTS)
def test_the_environment_is_read_as_gettext_reads_it(environment, wanted) -> None:
    """LC_ALL before LC_MESSAGES before LANG; LANGUAGE refines, and counts for nothing under C."""
    assert languages(environment) == wanted


def test_a_translation_is_no_lesson_of_the_course(folder) -> None:
    """The list has each lesson once."""
    assert [path.name for path in lesson_paths(folder)] == ["01-made.md"]
    assert set(translations(folder / "01-made.md")) == {"de", "pt-br"}


def test_a_language_is_chosen_by_name(folder) -> None:
    """A country may be too much or missing; English is the original; what is not there is told."""
    path = folder / "01-made.md"
    assert title_of(in_language(path, "de")) == "In de"
    assert title_of(in_language(path, "de_AT")) == "In de"
    assert title_of(in_language(path, "pt_BR")) == "In pt-br"
    assert in_language(path, "en") == path
    with pytest.raises(NoLesson, match="no translation into 'fr'") as caught:
        in_language(path, "fr")
    assert "en, de, pt-br" in str(caught.value)


def test_the_environment_falls_back_to_the_original(folder, monkeypatch) -> None:
    """The first language that is there is taken; none is no error."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    path = folder / "01-made.md"
    for told, wanted in (("de_DE.UTF-8", "In de"), ("fr_FR", "In en"), ("C", "In en")):
        monkeypatch.setenv("LANG", told)
        assert title_of(in_language(path)) == wanted
    monkeypatch.setenv("LANGUAGE", "fr:en:de")
    monkeypatch.setenv("LANG", "fr_FR")
    assert in_language(path) == path


def test_a_value_of_the_front_matter_ends_with_it(folder) -> None:
    """What looks like a key further down is none."""
    path = folder / "other.md"
    path.write_text("---\nid: x\n---\ntitle: no\n", encoding="utf-8")
    assert (front_value(path, "id"), front_value(path, "title")) == ("x", "")
