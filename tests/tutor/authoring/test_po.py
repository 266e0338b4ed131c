"""PO files: what is written is read again, gettext's own tools take it, and errors have a place."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.tutor.authoring.i18n import extracted
from smtpshell.tutor.authoring.po import Catalogue, Entry, PoError, parse_po, po_text
from smtpshell.tutor.library import find
from smtpshell.tutor.reader import read_file

TEXTS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from('\n\t"\\'), max_size=200
)
ENTRIES = st.builds(Entry, source=TEXTS.filter(bool), translation=TEXTS, context=TEXTS)


def plain(text: str) -> str:
    """Return a text with line ends of one kind, as a file has them."""
    return text.replace("\x85", "").replace("\u2028", "").replace("\u2029", "")


@given(st.lists(ENTRIES, max_size=4, unique_by=lambda entry: (entry.context, entry.source)))
def test_what_is_written_is_read_again(entries: list[Entry]) -> None:
    """Quotes, backslashes, line ends and long texts survive."""
    text = po_text(Catalogue(tuple(entries), {"Language": "de"}))
    again = parse_po(text, "x.po")
    assert again.language == "de"
    assert [(e.source, e.translation, e.context) for e in again.entries] == [
        (e.source, e.translation, e.context) for e in entries
    ]


def test_comments_flags_and_old_entries_are_borne() -> None:
    """What gettext's tools add is understood, or passed over."""
    text = (
        '# by hand\nmsgid ""\nmsgstr "Language: pt_BR\\n"\n\n'
        '#. text\n#: a.md:1\n#, fuzzy, no-wrap\n#| msgid "Old"\nmsgctxt "c"\nmsgid "New"\n'
        'msgstr ""\n"one "\n"two"\n\n#~ msgid "gone"\n#~ msgstr "weg"\n'
    )
    found = parse_po(text.replace("\n", "\r\n"), "x.po")
    assert found.language == "pt_BR"
    (entry,) = found.entries
    assert (entry.source, entry.translation, entry.context) == ("New", "one two", "c")
    assert entry.flags == ("fuzzy", "no-wrap")
    assert entry.line == 10


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('msgid "a"\nmsgstr "b"\n\nnonsense\n', "x.po:4"),
        ('msgid "a"\nmsgid_plural "b"\nmsgstr "c"\n', "x.po:2"),
        ('\nmsgid "a"\n', "x.po:2"),
        ('msgid "a"\nmsgstr ""\n\nmsgid "a"\nmsgstr ""\n', "x.po:4"),
    ],
)
def test_mistakes_have_a_place(text: str, where: str) -> None:
    """Every complaint names file and line."""
    with pytest.raises(PoError) as caught:
        parse_po(text, "x.po")
    assert caught.value.where == where


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext's tools are not installed")
def test_gettext_takes_what_is_written(tmp_path) -> None:
    """Msgfmt finds nothing to complain about in the extract of a lesson."""
    path = find("helo-to-quit")
    catalogue = extracted(read_file(path), path.read_text(encoding="utf-8"), "de")
    file = tmp_path / "x.po"
    file.write_text(po_text(catalogue), encoding="utf-8")
    done = subprocess.run(
        ["msgfmt", "--check-format", "-o", str(tmp_path / "x.mo"), str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
