"""Values are the standard library's dataclasses, made more cheaply."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import pytest

from smtpshell.protocol import values


def make(module: Any) -> dict[str, Any]:
    """Return one class of each kind, made by the module's decorator."""

    @module.dataclass(frozen=True, slots=True)
    class Point:
        """Two numbers and more."""

        x: int
        y: int = 2
        names: tuple[str, ...] = ()
        secret: str = module.field(default="", repr=False)
        seen: dict[str, int] = module.field(default_factory=dict)

        @property
        def total(self) -> int:
            return self.x + self.y

    @module.dataclass(slots=True)
    class Counter:
        """Something that changes."""

        count: int = 0

    @module.dataclass(frozen=True, slots=True, eq=False)
    class Row:
        """Compared by identity."""

        name: str

    @module.dataclass(frozen=True, slots=True, kw_only=True)
    class Base:
        """What others share."""

        at: float

    @module.dataclass(frozen=True, slots=True, kw_only=True)
    class Derived(Base):
        """One of the others."""

        text: str = "?"

    @module.dataclass(frozen=True)
    class Open:
        """With a dictionary, so that a property may be cached."""

        items: tuple[int, ...]

        @cached_property
        def first(self) -> int:
            return self.items[0]

    return {made.__name__: made for made in (Point, Counter, Row, Base, Derived, Open)}


OURS, THEIRS = make(values), make(dataclasses)

MAKINGS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Point", (1,), {}),
    ("Point", (1, 3, ("a",), "hidden"), {"seen": {"a": 1}}),
    ("Point", (), {"y": 5, "x": 4}),
    ("Point", (), {}),
    ("Point", (1,), {"x": 1}),
    ("Point", (1,), {"z": 1}),
    ("Point", (1, 2, (), "", {}, 6), {}),
    ("Counter", (), {}),
    ("Row", ("a",), {}),
    ("Derived", (), {"at": 1.5}),
    ("Derived", (1.5,), {}),
    ("Derived", (), {"text": "x", "at": 2.0}),
    ("Derived", (), {"text": "x"}),
    ("Open", ((1, 2),), {}),
]


@pytest.mark.parametrize(("name", "given", "named"), MAKINGS)
def test_made_alike(name: str, given: tuple[Any, ...], named: dict[str, Any]) -> None:
    """The same arguments make the same value, or are refused, as in the standard library."""
    try:
        theirs = THEIRS[name](*given, **named)
    except TypeError:
        with pytest.raises(TypeError):
            OURS[name](*given, **named)
        return
    ours = OURS[name](*given, **named)
    assert repr(ours) == repr(theirs)
    for field in dataclasses.fields(theirs):
        assert getattr(ours, field.name) == getattr(theirs, field.name)


@pytest.mark.parametrize("name", list(THEIRS))
def test_classes_alike(name: str) -> None:
    """Slots, documentation, qualified name and places in patterns are the standard library's."""
    ours, theirs = OURS[name], THEIRS[name]
    for what in ("__slots__", "__doc__", "__qualname__", "__module__", "__match_args__"):
        assert getattr(ours, what, None) == getattr(theirs, what, None)


@pytest.mark.parametrize("classes", [OURS, THEIRS], ids=["ours", "theirs"])
def test_compared_by_content(classes: dict[str, Any]) -> None:
    """Values of one class are equal, and hash alike, when their fields are; unless told not to."""
    derived, base, row = classes["Derived"], classes["Base"], classes["Row"]
    assert derived(at=1.0) == derived(at=1.0) != derived(at=2.0)
    assert hash(derived(at=1.0)) == hash(derived(at=1.0))
    assert derived(at=1.0) != base(at=1.0)
    assert row("a") != row("a")
    assert len({row("a"), row("a")}) == 2
    with pytest.raises(TypeError):
        hash(classes["Counter"]())


@pytest.mark.parametrize("classes", [OURS, THEIRS], ids=["ours", "theirs"])
def test_frozen(classes: dict[str, Any]) -> None:
    """A frozen value can be neither changed nor stripped; others can; slots take no new names."""
    point = classes["Point"](1)
    for change in (lambda: setattr(point, "x", 2), lambda: delattr(point, "x")):
        with pytest.raises(AttributeError):
            change()
    counter = classes["Counter"]()
    counter.count += 1
    assert counter.count == 1
    with pytest.raises(AttributeError):
        counter.other = 1


@pytest.mark.parametrize("module", [values, dataclasses], ids=["ours", "theirs"])
def test_replaced(module: Any) -> None:
    """`replace` changes what it is told to and keeps the rest."""
    point = make(module)["Point"](1, 2, ("a",))
    other = module.replace(point, y=3)
    assert (other.x, other.y, other.names, other.total) == (1, 3, ("a",), 4)
    assert point.y == 2
    with pytest.raises(TypeError):
        module.replace(point, z=3)


def test_factories_run_each_time() -> None:
    """A default that a factory makes is not shared."""
    point = OURS["Point"]
    assert point(1).seen is not point(1).seen


def test_cached_property() -> None:
    """Without slots a property may be cached although the value is frozen."""
    assert OURS["Open"]((7, 8)).first == 7
