"""Values: the standard library's dataclasses, made without compiling anything.

The program is full of small frozen classes, and a good hundred of them stand before the first
prompt does. `dataclasses.dataclass` writes the source of six methods for each and compiles it,
half a millisecond a class: a quarter of the whole start. Here the same methods are written once
and walk over the fields, so that a class costs some twenty microseconds, and making a value one
microsecond more.

    from smtpshell.protocol.values import dataclass, field, replace

They mean what they mean in the standard library, and type checkers are shown the standard
library's own: fields, freezing and `replace` are checked as ever. Only what values need is here:
`frozen`, `slots`, `eq` and `kw_only`; and of a field its default, its factory and its `repr`.
"""

from __future__ import annotations

__all__ = ["dataclass", "field", "replace"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, field, replace
    from typing import TypeVar

    T = TypeVar("T")

_NONE: object = object()
_put = object.__setattr__


class _Value:
    """What every value knows of its fields, for type checkers."""

    _fields: dict[str, _Field]
    __match_args__: tuple[str, ...]


class _Field:
    """What `field` was told of one field."""

    __slots__ = ("default", "factory", "repr")

    def __init__(
        self,
        default: object = _NONE,
        default_factory: Callable[[], object] | None = None,
        *,
        repr: bool = True,
    ) -> None:
        self.default = default
        self.factory = default_factory
        self.repr = repr


def _dataclass(
    *, frozen: bool = False, slots: bool = False, eq: bool = True, kw_only: bool = False
) -> Callable[[type[T]], type[T]]:
    """Return a decorator that gives a class with annotated fields the methods of a value."""
    methods: dict[str, object] = {"__init__": _init, "__repr__": _repr}
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
    if eq:
        methods |= {"__eq__": _equal, "__hash__": _hash if frozen else None}
    return lambda bare: _remade(bare, methods, slots=slots, kw_only=kw_only)


def _remade(bare: type[T], methods: dict[str, object], *, slots: bool, kw_only: bool) -> type[T]:
    """Return the class anew: slots can only be given to a class that is being made."""
    body = {**methods, **vars(bare)}
    for unwanted in ("__dict__", "__weakref__"):
        body.pop(unwanted, None)
    inherited: dict[str, _Field] = getattr(bare, "_fields", {})
    own = {name: _field_of(body.pop(name, _NONE)) for name in body.get("__annotations__", ())}
    fields = body["_fields"] = inherited | own
    body["__match_args__"] = () if kw_only else tuple(fields)
    if slots:
        body["__slots__"] = tuple(name for name in own if name not in inherited)
    body["__qualname__"] = bare.__qualname__
    return type(bare.__name__, bare.__bases__, body)


def _field_of(given: object) -> _Field:
    return given if isinstance(given, _Field) else _Field(given)


def _init(self: _Value, /, *given: object, **named: object) -> None:
    places = self.__match_args__
    if len(given) > len(places):
        raise TypeError(f"{_name(self)} takes {len(places)} values by place, not {len(given)}")
    for name, value in zip(places, given, strict=False):
        _put(self, name, value)
    if given and not named and len(given) == len(places) == len(self._fields):
        return
    if not given and named.keys() == self._fields.keys():
        for name, value in named.items():
            _put(self, name, value)
        return
    taken = places[: len(given)]
    for name, about in self._fields.items():
        if name in named:
            if name in taken:
                raise TypeError(f"{_name(self)} got two values for {name!r}")
            _put(self, name, named.pop(name))
        elif name in taken:
            continue
        elif about.default is not _NONE:
            _put(self, name, about.default)
        elif about.factory is not None:
            _put(self, name, about.factory())
        else:
            raise TypeError(f"{_name(self)} needs a value for {name!r}")
    if named:
        raise TypeError(f"{_name(self)} has no field {', '.join(map(repr, named))}")


def _name(value: _Value) -> str:
    return type(value).__qualname__


def _contents(value: _Value) -> tuple[object, ...]:
    return tuple(getattr(value, name) for name in value._fields)


def _repr(self: _Value) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, of in self._fields.items() if of.repr)
    return f"{_name(self)}({', '.join(shown)})"


def _equal(self: _Value, other: _Value) -> object:
    return _contents(self) == _contents(other) if type(other) is type(self) else NotImplemented


def _hash(self: _Value) -> int:
    return hash(_contents(self))


def _refuse(self: _Value, name: str, *_value: _Value) -> None:
    raise AttributeError(f"{_name(self)} is frozen: {name!r} cannot be changed")


def _replace(value: _Value, /, **changes: object) -> object:
    """Return a value like this one but for the changes."""
    return type(value)(**{name: getattr(value, name) for name in value._fields} | changes)


if not TYPE_CHECKING:
    dataclass, field, replace = _dataclass, _Field, _replace
