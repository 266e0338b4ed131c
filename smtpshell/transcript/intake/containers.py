"""Log lines in the wrapping of what collects logs: JSON of journald or of containers, a prefix.

`journalctl -o json` gives one object for each entry, with the program's name beside its words;
container engines put what was written to standard output into a field, or behind the name of the
service. What is inside is then read as if it had been found in a file.
"""

from __future__ import annotations

import json
import re
from functools import cache

_FIELDS = ("MESSAGE", "log", "message", "msg")
"""Fields that hold what a program said, in the order in which they are looked for."""

_NAMES = ("SYSLOG_IDENTIFIER", "_COMM", "program", "ident")
"""Fields that hold the program's name."""


@cache
def _prefix() -> re.Pattern[str]:
    log = r"[A-Z][a-z]{2} [ 0-3]?[0-9] |[0-9]{4}-[0-9]{2}-|<[0-9]|postfix/"
    return re.compile(rf"[\w.-]{{1,60}} +\| (?={log})")


def unwrapped(line: str) -> str:
    r"""Return the log line inside a line; the line itself where nothing is wrapped.

    >>> unwrapped('{"SYSLOG_IDENTIFIER": "postfix/smtp", "MESSAGE": "connect to x: refused"}')
    'Jan  1 00:00:00 - postfix/smtp[0]: connect to x: refused'
    >>> unwrapped("mail-1  | Nov 22 10:00:00 mx exim[7]: x")
    'Nov 22 10:00:00 mx exim[7]: x'
    """
    if line[:1] == "{" and any(f'"{name}"' in line for name in _FIELDS):
        return _of_json(line)
    if " | " in line[:64]:
        match = _prefix().match(line)
        return line[match.end() :] if match is not None else line
    return line


def _of_json(line: str) -> str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(record, dict) or "event" in record:
        return line
    said = next((text for name in _FIELDS if isinstance(text := record.get(name), str)), None)
    if said is None:
        return line
    said = said.rstrip("\r\n")
    name = next((text for key in _NAMES if isinstance(text := record.get(key), str)), "")
    return f"Jan  1 00:00:00 - {name}[0]: {said}" if name and name not in said[:80] else said
