"""Errors: one line that says what, where and what next, and the status it leads to."""

from __future__ import annotations

import errno

import pytest

from smtpshell.protocol.errors import FileError, SmtpshellError, Status, UsageError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SmtpshellError("it broke"), "it broke"),
        (SmtpshellError("refused", "mx.example.com:25"), "mx.example.com:25: refused"),
        (SmtpshellError("refused", "mx:25", "Try port 587."), "mx:25: refused. Try port 587."),
        (SmtpshellError("no such option", next="See --help."), "no such option. See --help."),
    ],
)
def test_an_error_is_one_line(error, line):
    """The line holds the facts that are there, in the same order."""
    assert str(error) == line


def test_the_status_can_be_given_or_inherited():
    """A class has its status, and a single error may have another."""
    assert UsageError("x").status == Status.USAGE
    assert SmtpshellError("x").status == Status.BUG
    assert SmtpshellError("x", status=Status.TLS).status == 29


@pytest.mark.parametrize(
    ("doing", "advice"),
    [("read", "Check the name and its permissions."), ("write", "Choose another file"), ("go", "")],
)
def test_a_file_error_says_which_file_and_what_to_do(doing, advice):
    """An OSError becomes a line with the path, the reason and advice, and status 10."""
    error = FileError.from_os(OSError(errno.EACCES, "Permission denied"), "x.eml", doing)
    assert str(error).startswith(f"x.eml: cannot {doing} the file: permission denied")
    assert advice in str(error)
    assert error.status == Status.FILE


def test_a_file_error_without_a_reason_still_says_something():
    """An OSError that has only a text is told by that text."""
    assert "odd" in str(FileError.from_os(OSError("odd"), "x", "read"))


def test_statuses_are_those_that_scripts_know():
    """The numbers are a contract with scripts."""
    assert [int(status) for status in Status] == [
        *(0, 1, 2, 6, 10, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 32, 70, 130)
    ]
