"""The ways in which one stream of octets may arrive, for tests that must not depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from hypothesis import strategies as st


def one_by_one(octets: bytes) -> Iterator[bytes]:
    """Yield each octet by itself."""
    return (octets[index : index + 1] for index in range(len(octets)))


def cut(octets: bytes, places: Iterable[int]) -> list[bytes]:
    """Cut octets at the places given, wherever these lie."""
    bounds = sorted({0, len(octets), *(place for place in places if place <= len(octets))})
    return [octets[start:end] for start, end in pairwise(bounds)]


places = st.lists(st.integers(0, 200), max_size=6)
"""Where to cut."""
