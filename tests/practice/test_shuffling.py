"""Orders by seed: the same everywhere, and the same for a world and for the lesson on it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpshell.practice.library import load_scenario
from smtpshell.practice.shuffling import mix, shuffled


@given(st.integers(0, 40), st.integers(0, 1 << 60))
def test_all_places_are_filled_once(count: int, seed: int) -> None:
    """An order holds each number once, and the same seed gives it again."""
    order = shuffled(count, seed)
    assert sorted(order) == list(range(count))
    assert order == shuffled(count, seed)


def test_the_numbers_are_these() -> None:
    """Transcripts depend on them, so they may never change."""
    assert [mix(1), mix(1, 2), mix(0)] == NUMBERS
    assert shuffled(8, 522205) == [3, 5, 0, 7, 6, 2, 1, 4]


def test_a_world_moves_its_hosts_in_that_order() -> None:
    """The host that was at a place of the order lies at its index now."""
    clinic = load_scenario("clinic")
    form = clinic.form(7)
    names = [host.name for host in clinic.hosts]
    moved = [host.name for host in form.hosts]
    assert [names[new] for new in range(8)] == [moved[old] for old in shuffled(8, 7)]
    assert not form.shuffled


NUMBERS = [
    13810761654074628661,
    16218170206052808152,
    7960286522194355700,
]
