"""Rosters as spreadsheets and course systems save them."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtpshell.protocol.errors import FileError, UsageError
from smtpshell.tutor.classroom.roster import MOST_STUDENTS, Person, read_roster

JOERG = Person("017", "Müller, Jörg", "j@school.example")


def read(folder: Path, octets: bytes) -> dict[str, Person]:
    """Read a roster that holds these octets."""
    path = folder / "roster.csv"
    path.write_bytes(octets)
    return read_roster(str(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_form_of_a_table_is_read(
    tmp_path: Path, encoding: str, separator: str, end: str
) -> None:
    """Commas, semicolons or tabs, with a mark or without, and the columns in any order."""
    lines = (("E-Mail", " Student ", "Name"), ("j@school.example", " 017 ", '"Müller, Jörg"'))
    text = "".join(separator.join(line) + end for line in lines)
    assert read(tmp_path, text.encode(encoding)) == {"017": JOERG}


def test_a_student_may_stand_twice_but_two_may_not_share_an_id(tmp_path: Path) -> None:
    """Course systems repeat a student for each group; another name is another person."""
    assert len(read(tmp_path, b"id,name,group\n017,Ann,1\n017,Ann,2\n")) == 1
    with pytest.raises(UsageError, match="two students are called 017"):
        read(tmp_path, b"id,name\n017,Ann\n017,Bob\n")


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "It is empty"),
        (b"Matrikelnummer;Name\n1;Ann\n", "first line is Matrikelnummer;Name"),
        (b"student\n\n", "no student"),
        ("student,name\n017,Jörg\n".encode("latin-1"), "CSV UTF-8"),
        (b"student\n" + b"x" * 200_000, "no CSV file"),
        (b"\x1b[31mstudents\n", "first line is \\x1b[31mstudents"),
        (b"id\n" + b"".join(b"u%d\n" % n for n in range(MOST_STUDENTS + 1)), "more than"),
    ],
)
def test_what_is_no_roster_is_told_with_advice(tmp_path: Path, octets: bytes, words: str) -> None:
    """A teacher learns what the program saw, and what to do."""
    with pytest.raises(UsageError) as caught:
        read(tmp_path, octets)
    assert words in str(caught.value)


def test_a_roster_that_cannot_be_read_is_a_trouble_with_files(tmp_path: Path) -> None:
    """A folder, or nothing at all."""
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(FileError):
            read_roster(str(path))
