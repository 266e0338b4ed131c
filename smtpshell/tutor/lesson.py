"""A lesson as values: what a Markdown file of the format `smtpshell-lesson/1` holds.

One file is the document, the lesson, the demonstration and the test. The reader makes these values;
the player, the checker, the demonstration and the replay all walk the same `Step.blocks` in order.
Every part knows the `line` of the file that it began on, so that a complaint can name it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from smtpshell.practice.shuffling import shuffled
from smtpshell.protocol.values import dataclass, field, replace

FORMAT = "smtpshell-lesson/1"

EVENTS = ("closed", "timeout", "refused", "tls")
"""What may stand in place of a reply: `S: <closed>` and its kin."""


@dataclass(frozen=True, slots=True)
class Client:
    """A line of the client.

    `kind` is ":" (compared by meaning), "=" (by octets, with escapes) or "~" (a sample: anything is
    taken, and reply and checks judge).
    """

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Expected:
    """A reply: its code and the patterns of its lines; `open` allows further lines at the end."""

    code: int
    patterns: tuple[str, ...]
    line: int
    open: bool = False


@dataclass(frozen=True, slots=True)
class WireEvent:
    """What happens in place of a reply: the name is one of `EVENTS`."""

    name: str
    line: int


Reaction: TypeAlias = Expected | WireEvent


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way through an exchange; without reactions it shares the first branch's."""

    clients: tuple[Client, ...]
    reactions: tuple[Reaction, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """Lines of the client and what they get; several before the replies are a pipelined group.

    No client line at all means that the server speaks by itself.
    """

    clients: tuple[Client, ...]
    reactions: tuple[Reaction, ...]
    alternatives: tuple[Alternative, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Tool:
    """A command of the program (`$ mx DOMAIN`) and patterns of its output."""

    command: str
    output: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Directive:
    """Something that the lesson itself does: `@connect`, `@clock +6m`, `@starttls` and so on."""

    name: str
    argument: str
    line: int


Action: TypeAlias = Exchange | Tool | Directive


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown that is shown as it is."""

    lines: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Smtp:
    """A fence of the wire: exchanges, tools and directives in order. `text` is what it holds."""

    actions: tuple[Action, ...]
    line: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """A ladder of hints."""

    texts: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What to say when a line of the client (side "C") or of the server ("S") fits a glob."""

    side: str
    glob: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """The author's words for foreseen mistakes; the first that fits is said."""

    rules: tuple[Rule, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a check: `subject`, with its `argument`, is (not) in relation to `operand`."""

    subject: str
    argument: str
    negated: bool
    operator: str
    operand: str
    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold when the step's exchanges are done."""

    conditions: tuple[Condition, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a question.

    `kind` is "=" (right), "!" (a foreseen wrong one), "x" (a right choice) or " " (a wrong choice).
    """

    kind: str
    text: str
    says: str
    line: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A question. With `words` above 0 it is open: kept for the teacher, never graded."""

    id: str
    question: tuple[str, ...]
    answers: tuple[Answer, ...]
    line: int
    words: int = 0

    @property
    def is_choice(self) -> bool:
        """Whether it is answered by the number of a choice."""
        return any(answer.kind in "x " for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Teacher:
    """A note that learners never see."""

    lines: tuple[str, ...]
    line: int


Block: TypeAlias = Prose | Smtp | Hint | Feedback | Check | Ask | Teacher


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its stable id, its title, and its blocks in the order of the file."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    line: int

    def every(self, kind: type) -> Iterator[Block]:
        """Yield the blocks of one kind."""
        return (block for block in self.blocks if isinstance(block, kind))

    @property
    def actions(self) -> tuple[Action, ...]:
        """Everything that its wire fences ask for, in order."""
        return tuple(
            action for block in self.blocks if isinstance(block, Smtp) for action in block.actions
        )

    @property
    def asks(self) -> tuple[Ask, ...]:
        """Its questions."""
        return tuple(block for block in self.blocks if isinstance(block, Ask))

    @property
    def hints(self) -> tuple[str, ...]:
        """All its hints, in order."""
        return tuple(
            text for block in self.blocks if isinstance(block, Hint) for text in block.texts
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All its feedback rules, in order."""
        return tuple(
            rule for block in self.blocks if isinstance(block, Feedback) for rule in block.rules
        )

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that its checks demand."""
        return tuple(
            condition
            for block in self.blocks
            if isinstance(block, Check)
            for condition in block.conditions
        )

    @property
    def wants_typing(self) -> bool:
        """Whether the learner has to type lines of the client or commands."""
        return any(
            isinstance(action, Tool) or (isinstance(action, Exchange) and action.clients)
            for action in self.actions
        )


@dataclass(frozen=True, slots=True)
class Lesson:
    """A whole lesson. `variables` are `var.NAME`, `variants` are `vary.NAME` with their values.

    `deal` names steps that change places by the learner's seed, as the shuffled hosts of the
    scenario do; each name is also a variable, which holds the number of the step's place among
    them. `score` is "commands" where few commands earn more points.

    `digest` is that of its essence: the same in every language, and after a mended sentence.
    """

    id: str
    title: str
    steps: tuple[Step, ...]
    prose: tuple[str, ...]
    path: str
    digest: str = ""
    scenario: str = "plain"
    scope: str = ""
    minutes: int = 0
    level: int = 1
    needs: tuple[str, ...] = ()
    teaches: tuple[str, ...] = ()
    replay: str = ""
    language: str = "en"
    variables: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deal: tuple[str, ...] = ()
    score: str = ""

    @property
    def varies(self) -> bool:
        """Whether learners with other seeds meet another world, or other values."""
        return bool(self.variants or self.deal)

    def world_seed(self, seed: int) -> int | None:
        """Return the seed of a learner's practice world; None for that of the scenario."""
        return seed if self.varies and seed else None

    def form(self, seed: int) -> Lesson:
        """Return the lesson with its dealt steps in the places that a learner's seed gives them."""
        order = sorted(self.deal, key=self._places(seed).__getitem__)
        if order == list(self.deal):
            return self
        dealt = iter([self.step(name) for name in order])
        steps = (next(dealt) if step.id in self.deal else step for step in self.steps)
        return replace(self, steps=tuple(steps))

    def as_written(self) -> Lesson:
        """Return the lesson without a deal: each step in its own place, for whatever seed."""
        places = {name: str(place) for name, place in self._places(0).items()}
        return replace(self, deal=(), variables={**self.variables, **places})

    def _places(self, seed: int) -> dict[str, int]:
        """Return the place, from 1, of each dealt step."""
        order = shuffled(len(self.deal), seed) if seed else range(len(self.deal))
        return {self.deal[old]: new for new, old in enumerate(order, 1)}

    def step(self, name: str) -> Step:
        """Return the step of that id; raises `KeyError`."""
        for step in self.steps:
            if step.id == name:
                return step
        raise KeyError(name)

    def values(self, seed: int) -> dict[str, str]:
        """Return the variables that a learner with this seed has."""
        chosen = {
            name: choices[(seed // (index + 1)) % len(choices)]
            for index, (name, choices) in enumerate(sorted(self.variants.items()))
        }
        places = {name: str(place) for name, place in self._places(seed).items()}
        return {**self.variables, **chosen, **places}
