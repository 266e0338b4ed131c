"""Globs of `*` and `?`, the only patterns in a scenario."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache


@lru_cache(maxsize=512)
def _compiled(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob.casefold().replace("[", "[[]")))


def matches_glob(glob: str, text: str) -> bool:
    """Tell whether a text fits a glob of `*` and `?`, without regard to case.

    >>> matches_glob("*@practice.example", "Bob@Practice.example")
    True
    """
    return _compiled(glob).match(text.casefold()) is not None
