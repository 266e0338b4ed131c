"""Numbers that look random and are the same everywhere; the order that a seed gives to things."""

from __future__ import annotations

_MASK = (1 << 64) - 1


def mix(*numbers: int) -> int:
    """Return 64 bits that depend on all the numbers (the finaliser of SplitMix64, in a chain).

    It only has to look random and be the same everywhere; it protects nothing.
    """
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = (state + number * 0xD1342543DE82EF95 + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def shuffled(count: int, seed: int) -> list[int]:
    """Return the numbers below `count` in the order that a seed gives them."""
    return sorted(range(count), key=lambda place: mix(seed, place))
