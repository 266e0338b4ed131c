"""Receipts: what the teacher's server saw of a student, signed with a key that never leaves it.

A transcript from a student's machine is evidence because it is done again; that it was done in the
exam, and not at home, it cannot say. The server can: it was there. Each time a student has done a
step it signs, with HMAC-SHA256 (RFC 2104), who, which lesson, which steps, and when. Only the key's
owner can sign, and only the key's owner can verify; `grade --receipts` does.

What a receipt proves: this server, or whoever else holds its key, saw somebody who said this
student's domain, or came to this student's port, do these steps at that time. It does not prove who
sat there.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from smtpshell.conversation.settings import state_folder
from smtpshell.protocol.errors import FileError, SmtpshellError
from smtpshell.protocol.values import dataclass, field
from smtpshell.tutor.classroom.intake import Refused, files_in, octets_of

FORMAT = "smtpshell-receipt/1"
KEY_OCTETS = 32
ENVIRONMENT = 3
ENDINGS = (".jsonl", ".json", ".txt")

_MARK = FORMAT.encode("ascii")

LONGEST_LINE = 8_000
MOST_OCTETS = 32 << 20
MOST_RECEIPTS = 200_000
MOST_STEPS = 200
LATEST = 1 << 40


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was seen: the steps of a lesson that a student had done by a time, since 1970.

    `digest` is that of the lesson, as in transcripts.
    """

    student: str
    lesson: str
    digest: str
    steps: tuple[str, ...]
    at: int


def sign(receipt: Receipt, key: bytes) -> str:
    """Return a receipt as one line of JSON, signed."""
    facts = _facts(receipt)
    return json.dumps({**facts, "mac": _mac(facts, key)}, separators=(",", ":"))


def read_receipt(line: str | bytes, key: bytes) -> Receipt | None:
    """Return the receipt in a line, None when it is none or was not signed with this key.

    What stands before the brace may be what a session has there: `S: 214 2.0.0 {...}`.
    """
    octets = line.encode("utf-8", "replace") if isinstance(line, str) else line
    try:
        facts = json.loads(octets[max(0, octets.find(b"{")) :])
    except (ValueError, RecursionError):
        return None
    receipt = _receipt(facts)
    mac = facts.get("mac") if receipt is not None else None
    if receipt is None or not isinstance(mac, str):
        return None
    expected = _mac(_facts(receipt), key).encode()
    return receipt if hmac.compare_digest(expected, mac.encode("utf-8", "replace")) else None


def _facts(receipt: Receipt) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "student": receipt.student,
        "lesson": receipt.lesson,
        "digest": receipt.digest,
        "steps": list(receipt.steps),
        "at": receipt.at,
    }


def _mac(facts: dict[str, Any], key: bytes) -> str:
    return hmac.new(key, json.dumps(facts, separators=(",", ":")).encode(), sha256).hexdigest()


def _receipt(facts: object) -> Receipt | None:
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        return None
    names = [facts.get(name) for name in ("student", "lesson", "digest")]
    steps, at = facts.get("steps"), facts.get("at")
    if not isinstance(steps, list) or len(steps) > MOST_STEPS:
        return None
    if not all(isinstance(each, str) and len(each) <= 100 for each in (*names, *steps)):
        return None
    if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < LATEST:
        return None
    student, lesson, digest = map(str, names)
    return Receipt(student, lesson, digest, tuple(steps), at)


# --- the key ------------------------------------------------------------------------------------


def key_path() -> Path:
    """Return where this user's key lies."""
    return state_folder() / "classroom.key"


def load_key(*, create: bool = False) -> bytes:
    """Return the key of this user's classroom; with `create` it is made where there is none.

    Raises `SmtpshellError` where there is no key, or others could have read it, `FileError` where
    it cannot be read or written.
    """
    path = key_path()
    try:
        if create and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(KEY_OCTETS) + "\n")
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise SmtpshellError(
                "others can read the key of the receipts, so it proves nothing",
                str(path),
                "chmod 600 it if nobody did; or delete it, and old receipts count no more.",
                status=ENVIRONMENT,
            )
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise SmtpshellError(
            "there is no key to verify receipts with",
            str(path),
            "Grade as the user, and on the machine, that ran classroom serve --receipts.",
            status=ENVIRONMENT,
        ) from None
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    except ValueError:
        key = b""
    if len(key) != KEY_OCTETS:
        advice = "Delete it, or put it back."
        raise SmtpshellError("this is no key", str(path), advice, status=ENVIRONMENT)
    return key


# --- many of them -------------------------------------------------------------------------------


@dataclass(slots=True)
class Seen:
    """What a heap of receipts comes to.

    `bad` counts, by file, what looks like a receipt and was not signed with the key; `refused` says
    of a file why nothing in it counts.
    """

    steps: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    bad: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, receipt: Receipt) -> None:
        """Take in a receipt; what was done once is done."""
        key = receipt.student.casefold(), receipt.lesson, receipt.digest
        self.steps.setdefault(key, set()).update(receipt.steps)

    def of(self, student: str, lesson: str, digest: str) -> set[str]:
        """Return the steps of a lesson, as it is now, that a student was seen to do."""
        return self.steps.get((student.casefold(), lesson, digest), set())

    @property
    def students(self) -> set[str]:
        """Whoever was seen, in folded case."""
        return {student for student, _, _ in self.steps}


def receipts_in(place: Path, key: bytes, since: float = 0.0) -> Seen:
    """Read a file of receipts, or all in a folder; nothing but the place itself is believed.

    Receipts from before `since`, in seconds since 1970, are passed over. Raises `FileError` when
    there is no such place.
    """
    seen = Seen()
    try:
        place.stat()
    except OSError as error:
        raise FileError.from_os(error, place, "read") from error
    left = MOST_RECEIPTS
    for path in _files(place):
        name = path.name
        try:
            lines = octets_of(path, MOST_OCTETS).splitlines()
        except Refused as reason:
            seen.refused[name] = str(reason)
            continue
        claims = [line for line in lines if _MARK in line[:LONGEST_LINE]]
        if not claims:
            seen.refused[name] = "it holds no receipt"
        for line in claims:
            left -= 1
            receipt = read_receipt(line, key) if len(line) <= LONGEST_LINE and left >= 0 else None
            if receipt is None:
                seen.bad[name] = seen.bad.get(name, 0) + 1
            elif receipt.at >= since:
                seen.add(receipt)
    return seen


def _files(place: Path) -> Iterator[Path]:
    """Yield the files that may hold receipts; submissions may lie beside them."""
    if not place.is_dir():
        return iter((place,))
    return (path for path in files_in(place, ENDINGS) if ".smtpshell" not in path.name)


class Witness:
    """Signs what a room sees, and appends it to a file that the teacher alone can read."""

    def __init__(self, path: Path, key: bytes, lesson: str, digest: str) -> None:
        self._path, self._key, self._lesson, self._digest = path, key, lesson, digest
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._file = os.fdopen(os.open(path, flags, 0o600), "a", encoding="ascii")
        except OSError as error:
            raise FileError.from_os(error, path, "write") from error

    def __call__(self, student: str, steps: Iterable[str], at: float) -> str:
        """Sign that a student has done these steps, and return the receipt."""
        line = sign(Receipt(student, self._lesson, self._digest, tuple(steps), int(at)), self._key)
        self._file.write(f"{line}\n")
        self._file.flush()
        return line

    def close(self) -> None:
        """Close the file; what could not be written has been told."""
        with suppress(OSError):
            self._file.close()
