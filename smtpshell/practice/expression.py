"""The small language of a rule's `when`: facts, comparisons, and, or, not. No `eval` anywhere.

    expression = conjunction *( "or" conjunction )
    conjunction = negation *( "and" negation )
    negation   = "not" negation / comparison
    comparison = operand [ ( "==" / "!=" / "<" / "<=" / ">" / ">=" / "like" ) operand ]
    operand    = fact / number / text / "(" expression ")"
    text       = "'" *( any but "'" ) "'" / DQUOTE *( any but DQUOTE ) DQUOTE

A fact is one of `FACTS`; alone it is true when it is not empty, zero or false. `like` compares with
a glob. Texts are compared without regard to case, since nearly all of SMTP is. What is wrong with
an expression is found when it is read, types included, so that evaluating one cannot fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from smtpshell.practice.globs import matches_glob
from smtpshell.protocol.values import dataclass

Value: TypeAlias = bool | int | float | str
Facts: TypeAlias = Mapping[str, Value]

FACTS: dict[str, tuple[type, str]] = {
    "auth": (bool, "the client is logged in"),
    "tls": (bool, "the connection is encrypted"),
    "esmtp": (bool, "the client greeted with EHLO or LHLO"),
    "local": (bool, "the address of this command is in a domain that this host accepts mail for"),
    "known": (bool, "the address of this command is a mailbox of this host"),
    "own_sender": (bool, "the sender is an address that the logged-in user may send as"),
    "smtputf8": (bool, "the transaction asked for SMTPUTF8"),
    "early": (bool, "the client spoke before the greeting"),
    "group": (bool, "more input had already arrived when this command was read"),
    "last": (bool, "the chunk is the last one"),
    "host": (str, "the name of the virtual host"),
    "port": (int, "the port that the client believes it is connected to"),
    "client": (str, "the client's address, as the practice world sees it"),
    "helo": (str, "the name that the client gave"),
    "user": (str, "who is logged in"),
    "login": (str, "whose login this command or answer completes, with a right password or not"),
    "mechanism": (str, "the AUTH mechanism of this command, or of the login"),
    "verb": (str, "the verb of this command"),
    "argument": (str, "everything behind the verb"),
    "line": (str, "the whole line"),
    "sender": (str, "the reverse-path; empty for the null one"),
    "recipient": (str, "the forward-path of this command, or the last one accepted"),
    "domain": (str, "the domain of the address of this command"),
    "body": (str, "the BODY parameter of the transaction"),
    "recipients": (int, "how many recipients were accepted in this transaction"),
    "size": (int, "octets: declared by SIZE at MAIL, otherwise received so far"),
    "octets": (int, "octets of this line or chunk"),
    "longest_line": (int, "octets of the longest line of the message (at the end of data)"),
    "failures": (int, "failed logins on this connection"),
    "refusals": (int, "commands refused on this connection"),
    "connections": (int, "connections to this host so far, this one included"),
    "transactions": (int, "messages accepted on this connection"),
    "idle": (float, "seconds on the practice clock since the client last spoke"),
    "spf": (str, "the SPF result for the sender and the client's address"),
    "dkim": (str, "the DKIM result for the message (at the end of data)"),
    "dmarc": (str, "the DMARC result for the message (at the end of data)"),
    "policy": (str, "what the DMARC policy asks for: none, quarantine or reject"),
}
"""Every fact that an expression may name: its type and its meaning."""

_LEXEME = r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'[^']*'|"[^"]*")|(?P<word>[A-Za-z_][\w.]*)
|(?P<sign>==|!=|<=|>=|<|>|\(|\)))"""
_SIGNS: dict[str, Callable[[float | str, float | str], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,  # type: ignore[operator] # types agree, see _compare
    "<=": lambda left, right: left <= right,  # type: ignore[operator] # types agree, see _compare
    ">": lambda left, right: left > right,  # type: ignore[operator] # types agree, see _compare
    ">=": lambda left, right: left >= right,  # type: ignore[operator] # types agree, see _compare
    "like": lambda left, right: matches_glob(str(right), str(left)),
}
_DEEPEST = 40


class ExpressionError(ValueError):
    """An expression cannot be read; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Node:
    """One part of an expression: an operator and its operands, or a fact, or a literal."""

    operator: str
    operands: tuple[Node, ...] = ()
    value: Value = ""

    def evaluate(self, facts: Facts) -> Value:
        """Return the value of this part, given the facts; a fact not given is empty."""
        match self.operator:
            case "literal":
                return self.value
            case "fact":
                name = str(self.value)
                return facts.get(name, FACTS[name][0]())
            case "not":
                return not self.operands[0].evaluate(facts)
            case "and":
                return all(operand.evaluate(facts) for operand in self.operands)
            case "or":
                return any(operand.evaluate(facts) for operand in self.operands)
        left, right = (_folded(operand.evaluate(facts)) for operand in self.operands)
        return _SIGNS[self.operator](left, right)


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition that was read: its `source`, the names of the facts it uses, and its tree."""

    source: str
    names: frozenset[str]
    root: Node

    @classmethod
    def parse(cls, source: str) -> Expression:
        """Read an expression; raises `ExpressionError` that says what is wrong."""
        reader = _Reader(source)
        root = reader.read()
        return cls(source, frozenset(reader.names), root)

    def holds(self, facts: Facts) -> bool:
        """Tell whether the condition is true of the facts."""
        return bool(self.root.evaluate(facts))


def _folded(value: Value) -> float | str:
    return value.casefold() if isinstance(value, str) else value


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.names: set[str] = set()
        self._lexemes = self._split(source)
        self._depth = 0

    def _split(self, source: str) -> list[tuple[str, str]]:
        pattern = re.compile(_LEXEME, re.VERBOSE)
        lexemes: list[tuple[str, str]] = []
        at = 0
        while source[at:].strip():
            match = pattern.match(source, at)
            if match is None:
                raise ExpressionError(f"cannot read {source[at:].strip()!r} in {source!r}")
            lexemes.append((match.lastgroup or "", match[match.lastgroup or 0]))
            at = match.end()
        return lexemes[::-1]

    def read(self) -> Node:
        root = self._any_of()
        if self._lexemes:
            raise ExpressionError(f"{self._lexemes[-1][1]!r} is not expected in {self.source!r}")
        return root

    def _next_is(self, *words: str) -> bool:
        return bool(self._lexemes) and self._lexemes[-1][1].lower() in words

    def _any_of(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"more than {_DEEPEST} brackets inside one another")
        operands = [self._all_of()]
        while self._next_is("or"):
            self._lexemes.pop()
            operands.append(self._all_of())
        self._depth -= 1
        return operands[0] if len(operands) == 1 else Node("or", tuple(operands))

    def _all_of(self) -> Node:
        operands = [self._negation()]
        while self._next_is("and"):
            self._lexemes.pop()
            operands.append(self._negation())
        return operands[0] if len(operands) == 1 else Node("and", tuple(operands))

    def _negation(self) -> Node:
        negated = False
        while self._next_is("not"):
            self._lexemes.pop()
            negated = not negated
        operand = self._comparison()
        return Node("not", (operand,)) if negated else operand

    def _comparison(self) -> Node:
        left = self._operand()
        if not self._next_is(*_SIGNS):
            return left
        sign = self._lexemes.pop()[1].lower()
        right = self._operand()
        kinds = {_kind(left), _kind(right)}
        if len(kinds) > 1 or (sign == "like" and kinds != {"text"}):
            raise ExpressionError(
                f"{sign!r} in {self.source!r} compares a {_kind(left)} with a {_kind(right)}"
            )
        return Node(sign, (left, right))

    def _operand(self) -> Node:
        if not self._lexemes:
            raise ExpressionError(f"something is missing at the end of {self.source!r}")
        group, lexeme = self._lexemes.pop()
        if group == "number":
            return Node("literal", value=float(lexeme) if "." in lexeme else int(lexeme))
        if group == "text":
            return Node("literal", value=lexeme[1:-1])
        if lexeme == "(":
            inner = self._any_of()
            if not self._next_is(")"):
                raise ExpressionError(f"a bracket is not closed in {self.source!r}")
            self._lexemes.pop()
            return inner
        if lexeme not in FACTS:
            raise ExpressionError(
                f"{lexeme!r} in {self.source!r} is no fact; the facts are {', '.join(FACTS)}"
            )
        self.names.add(lexeme)
        return Node("fact", value=lexeme)


def _kind(node: Node) -> str:
    if node.operator == "literal":
        return "text" if isinstance(node.value, str) else "number"
    if node.operator == "fact":
        kind = FACTS[str(node.value)][0]
        return "text" if kind is str else "condition" if kind is bool else "number"
    return "condition"
