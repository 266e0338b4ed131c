"""Whose world is it? The names by which a student is known on the port that a class shares.

Student 017 has the domain `s017.practice.example`. Whoever says it in EHLO or HELO, in MAIL or in
RCPT, or logs in as `alice@s017.practice.example`, is in the world of student 017, from whatever
address, by whatever program. Inside that world the domain stands for `practice.example`, so mail to
`bob@s017.practice.example` is mail to Bob. A domain is a name and no password: whoever says it, is
believed. In an exam it may hold a code that nobody else is told: `s017-kmqxr.practice.example`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256

from smtpshell.practice.addresses import fold
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.values import dataclass

DOMAIN = "practice.example"
EVERYBODY = f"sID.{DOMAIN}"
"""How a student's domain is written where no student is meant."""

MOST_SHOWN = 80

LETTERS = "bcdfghjkmnpqrstvwxz"
"""The letters of codes: none that is taken for another, none that makes a word."""

CODE_LETTERS = 5

_LIKE_A_KEY = re.compile(r"s[0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Key:
    """A name that says whose world it is.

    `student` is "" when nobody in class has this `label`; `meant` is the label that comes close.
    """

    label: str
    student: str = ""
    meant: str = ""


class Keys:
    """The keys of a class, with `codes` ones that cannot be guessed.

    Raises `UsageError` where two students would have the same.
    """

    def __init__(self, students: Iterable[str], codes: Callable[[str], str] | None = None) -> None:
        self.secret = codes is not None
        self._students: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        for student in students:
            label = label_of(student) + (f"-{codes(student)}" if codes is not None else "")
            if other := self._students.get(label):
                raise UsageError(
                    f"{other} and {student} would share the domain {label}.{DOMAIN}",
                    next="Give them ids that differ in letters or digits.",
                )
            self._students[label] = student
            self._labels[student] = label
        self._numbers = {
            int(student): label
            for student, label in self._labels.items()
            if student.isdecimal() and not self.secret
        }

    @property
    def students(self) -> tuple[str, ...]:
        """The ids of the class, in order."""
        return tuple(self._labels)

    def domain_of(self, student: str) -> str:
        """Return the domain of a student of this class."""
        return f"{self._labels[student]}.{DOMAIN}"

    @property
    def domains(self) -> Mapping[str, str]:
        """Every student's domain, each standing for the one that scenarios use."""
        return {f"{label}.{DOMAIN}": DOMAIN for label in self._students}

    def student_of(self, name: str) -> str:
        """Return the student of an id, a label or a domain; the name itself where there is none."""
        if name in self._labels:
            return name
        label = name.casefold().removesuffix(f".{DOMAIN}")
        return self._students.get(label, name)

    def find(self, name: str) -> Key | None:
        """Return the key that a host name or an address holds, None when it holds none.

        A name below a student's domain is the student's too.
        """
        _, domain = fold(name if "@" in name else f"@{name}")
        inner = domain.removesuffix(f".{DOMAIN}")
        if inner == domain:
            return None
        words = inner.split(".")
        for start in range(len(words)):
            label = ".".join(words[start:])
            if label in self._students:
                return Key(label, self._students[label])
        last = words[-1]
        if not _LIKE_A_KEY.fullmatch(last):
            return None
        digits = last[1:] if last[1:].isdecimal() and len(last) < 10 else "0"
        return Key(last[:MOST_SHOWN], meant=self._numbers.get(int(digits), ""))


def code_maker(key: bytes) -> Callable[[str], str]:
    """Return what makes a student's code: five letters, the same with the same key."""

    def code(student: str) -> str:
        digest = hmac.new(key, f"code\n{student.casefold()}".encode(), sha256).digest()
        return "".join(LETTERS[octet % len(LETTERS)] for octet in digest[:CODE_LETTERS])

    return code


def label_of(student: str) -> str:
    """Return what stands before the domain for a student: letters, digits, dots and dashes.

    >>> label_of("017"), label_of("Ann_B.")
    ('s017', 'sann-b')
    """
    label = f"s{student.casefold().replace('_', '-')}"
    return re.sub(r"-*\.[-.]*", ".", label).rstrip("-.")
