"""What counts in a lesson whose `score` is "commands": few commands, and the right answer at once.

    a step       the share of the commands used that its author needs      3 of 5: 0.6 of a point
    a question   one divided by the number of tries                        at the second: 0.5

A command is what gets a reply: a line, a letter with its dot, a chunk with its octets. What is
undone was used all the same; commands of this program, and free play, cost nothing. In all other
lessons a step and a question give a whole point. The player tells it and the grader counts it by
these functions alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smtpshell.conversation.report import counted
from smtpshell.tutor.lesson import Exchange, Expected, Lesson, Step
from smtpshell.tutor.units import branches_of

COMMANDS = "commands"
_GO_ON = 354


def enough(step: Step, values: Mapping[str, str]) -> int:
    """Return how many commands the author of a step needs for it."""
    count = 0
    in_data = False
    for action in step.actions:
        if not isinstance(action, Exchange):
            continue
        if action.clients:
            count += len(branches_of(action, values, in_data=in_data)[0].units)
        last = action.reactions[-1] if action.reactions else None
        in_data = isinstance(last, Expected) and last.code == _GO_ON
    return count


def share(needed: int, used: int) -> float:
    """Return the part of a point for commands: all for as few as needed, less for more.

    >>> share(3, 3), share(3, 5), share(3, 0)
    (1.0, 0.6, 1.0)
    """
    return min(1.0, round(needed / used, 2)) if used else 1.0


def at_try(tries: int) -> float:
    """Return the part of a point for an answer that was right at that try.

    >>> at_try(1), at_try(2), at_try(3)
    (1.0, 0.5, 0.33)
    """
    return round(1 / max(1, tries), 2)


def worth(lesson: Lesson, item: str, values: Mapping[str, str], *, used: int, tries: int) -> float:
    """Return what an item gives if it is done: the id of a step, or `step/question`."""
    if lesson.score != COMMANDS:
        return 1.0
    step, _, ask = item.partition("/")
    return at_try(tries) if ask else share(enough(lesson.step(step), values), used)


def items_of(step: Step) -> list[str]:
    """Return what points are given for in a step: its typing, and each question."""
    items = [f"{step.id}/{ask.id}" for ask in step.asks if not ask.words]
    return [step.id, *items] if step.wants_typing else items


class Account:
    """What a learner has used and earned, as the records of the log tell it one by one."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.used: dict[str, int] = {}
        self.tries: dict[str, int] = {}
        self._done: set[str] = set()
        self._given: set[str] = set()

    def see(self, kind: str, step: str, facts: Mapping[str, Any]) -> None:
        """Take a record in."""
        match kind:
            case "begin":
                self._begin()
            case "line":
                self.used[step] = self.used.get(step, 0) + int(bool(facts.get("sent")))
            case "answer" if facts.get("right") is not None:
                item = f"{step}/{facts.get('ask')}"
                self.tries[item] = self.tries.get(item, 0) + 1
                if facts["right"]:
                    self._done.add(item)
            case "shown":
                self._given.add(f"{step}/{facts['ask']}" if facts.get("ask") else step)
            case "done" if step and step not in self._given:
                self._done.add(step)
            case "skip":
                self._given.add(step)

    def points(self, lesson: Lesson, values: Mapping[str, str], step: Step) -> float:
        """Return the points that a step and its questions have given so far."""
        return sum(
            worth(
                lesson,
                item,
                values,
                used=self.used.get(step.id, 0),
                tries=self.tries.get(item, 1),
            )
            for item in items_of(step)
            if item in self._done - self._given
        )

    def told(self, lesson: Lesson, values: Mapping[str, str], step: Step) -> str:
        """Say in one sentence what a step has given."""
        points, most = self.points(lesson, values, step), len(items_of(step))
        used, needed = self.used.get(step.id, 0), enough(step, values)
        given = not self._given.isdisjoint(items_of(step))
        return (
            f"{_number(points)} of {counted(most, 'point')} for this step; "
            f"you used {counted(used, 'command')}, and {_is_enough(needed)}"
            f"{', but what was shown gives nothing' if given else ''}."
        )

    def used_so_far(self, step: Step, values: Mapping[str, str]) -> str:
        """Say how many commands a step has taken until now."""
        used = counted(self.used.get(step.id, 0), "command")
        return f"{used} used in this step, and {_is_enough(enough(step, values))}"

    def total(self, lesson: Lesson, values: Mapping[str, str]) -> str:
        """Say in one sentence what the whole lesson has given."""
        points = sum(self.points(lesson, values, step) for step in lesson.steps)
        most = sum(len(items_of(step)) for step in lesson.steps)
        used = sum(self.used.values())
        needed = sum(enough(step, values) for step in lesson.steps)
        return (
            f"{_number(points)} of {counted(most, 'point')}; "
            f"you used {counted(used, 'command')}, and {_is_enough(needed)}."
        )


def _is_enough(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'} enough"


def _number(points: float) -> str:
    return f"{points:.2f}".rstrip("0").rstrip(".")
