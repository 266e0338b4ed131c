"""The practice clock: time that moves when it is told to."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.practice.clock import (
    PracticeClock,
    describe_duration,
    mail_date,
    parse_duration,
    parse_moment,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("200ms", 0.2), ("8s", 8), ("+6m", 360), ("2h", 7200), ("1d", 86400), ("1.5 s", 1.5)],
)
def test_durations(text: str, seconds: float) -> None:
    """Each unit counts for what it is."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "-5s", "5 minutes", "1e3s", "٣s", "9" * 20 + "s"])
def test_what_is_no_duration_says_so(text: str) -> None:
    """Anything else is an error with advice."""
    with pytest.raises(ValueError, match="write it as"):
        parse_duration(text)


@given(st.integers(1, 10**6))
def test_described_durations_are_read_back(seconds: int) -> None:
    """What is described can be parsed, and means the same."""
    assert parse_duration(describe_duration(seconds)) == seconds


def test_moments_are_utc_unless_they_say_otherwise() -> None:
    """An offset counts; without one the moment is UTC."""
    assert parse_moment("2030-01-07T09:00:00Z") == parse_moment("2030-01-07T09:00:00")
    assert parse_moment("2030-01-07T10:00:00+01:00") == parse_moment("2030-01-07T09:00:00Z")
    assert mail_date(parse_moment("2030-01-07T09:00:00Z")) == "Mon, 07 Jan 2030 09:00:00 +0000"


def test_a_still_clock_moves_only_by_hand() -> None:
    """A delay moves the clock at once; who waits is woken when the moment is reached."""

    async def run() -> None:
        clock = PracticeClock(100)
        woken: list[str] = []

        async def wait(name: str, moment: float) -> None:
            await clock.wait_until(moment)
            woken.append(name)

        tasks = [asyncio.create_task(wait("late", 400)), asyncio.create_task(wait("soon", 200))]
        await asyncio.sleep(0)
        await clock.delay(50)
        assert (clock.now(), woken) == (150, [])
        clock.advance(60)
        await asyncio.sleep(0.001)
        assert woken == ["soon"]
        clock.set(100)
        clock.advance(-5)
        assert clock.now() == 100
        clock.advance(300)
        await asyncio.gather(*tasks)
        assert woken == ["soon", "late"]

    asyncio.run(run())


def test_a_running_clock_takes_real_time() -> None:
    """A delay of a running clock is a real one, and moments are reached by themselves."""

    async def run() -> None:
        clock = PracticeClock(100, running=True)
        await clock.delay(0.01)
        await clock.wait_until(100.02)
        assert 100.02 <= clock.now() < 105

    asyncio.run(run())


def test_waiting_can_be_given_up() -> None:
    """A cancelled wait leaves nothing behind."""

    async def run() -> None:
        clock = PracticeClock()
        task = asyncio.create_task(clock.wait_until(10))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert clock._waiting == []

    asyncio.run(run())
