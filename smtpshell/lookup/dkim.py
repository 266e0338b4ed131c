"""DKIM for a selector: the key a domain publishes there, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from smtpshell.lookup import dkim_key, names, texts
from smtpshell.lookup.finding import Problem, Step, problems_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.lookup.answer import Answer
    from smtpshell.lookup.dkim_key import DkimKey
    from smtpshell.lookup.resolver import Resolver

Result = Literal["ok", "revoked", "none", "invalid", "temperror"]


@dataclass(frozen=True, slots=True)
class DkimFinding:
    """The key record at `SELECTOR._domainkey.DOMAIN`.

    `result`: `ok`, `revoked`, `invalid`, `none` (no record there) or `temperror`. Of several
    records the first valid one is `key`, as a verifier that tries them all would end with it.
    """

    domain: str
    selector: str
    result: Result
    answer: Answer = field(repr=False)
    key: DkimKey | None = None
    keys: tuple[DkimKey, ...] = field(default=(), repr=False)
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def unanswered(self) -> bool:
        """True when the DNS gave no answer that decides."""
        return self.result == "temperror"

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object: the fields of the key, and where it stands."""
        facts = self.key.to_json() if self.key else {"valid": False, "record": None}
        return {
            "domain": self.domain,
            "selector": self.selector,
            "name": self.answer.name,
            "result": self.result,
            **facts,
            "records": list(texts.texts(self.answer)),
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


async def lookup(resolver: Resolver, selector: str, domain: str) -> DkimFinding:
    """Find the key of a selector; never raises."""
    name = names.normal(domain)
    answer = await resolver.ask(f"{selector}._domainkey.{name}", "TXT")
    keys = tuple(dkim_key.parse_key(text) for text in texts.texts(answer))
    key = next((each for each in keys if each.valid), keys[0] if keys else None)
    result: Result = "temperror" if answer.failed else "none"
    if key is not None:
        result = "revoked" if key.revoked else "ok" if key.valid else "invalid"
    found = DkimFinding(name, selector, result, answer, key, keys)
    outcome = f"{len(keys)} records" if len(keys) > 1 else _describe(key) or answer.meaning
    step = Step(answer.name, outcome, "RFC 6376 3.6.2", answers=(answer,))
    return replace(found, problems=tuple(_problems(found)), trace=(step,))


def _describe(key: DkimKey | None) -> str:
    if key is None:
        return ""
    if key.revoked:
        return "a revoked key"
    return f"{key.k} key of {key.bits} bits" if key.valid else f"not valid: {key.why}"


def _problems(found: DkimFinding) -> Iterator[Problem]:
    if found.result == "temperror":
        yield texts.failure([found.answer], "Signatures cannot be verified now; mail may wait.")
    elif found.result == "none":
        yield Problem(
            "error",
            "dkim-missing",
            f"No key record stands at {found.answer.name}.",
            f"Signatures with s={found.selector} fail.",
            "Publish the public key there, or check the selector: it stands as s= in the "
            "DKIM-Signature field of the domain's mail.",
            "RFC 6376 3.6.2",
        )
    if len(found.keys) > 1:
        yield Problem(
            "warning",
            "dkim-several",
            f"{found.answer.name} has {len(found.keys)} TXT records.",
            "Which of them a verifier takes is not defined.",
            "Keep one record at a selector.",
            "RFC 6376 3.6.2.2",
        )
    if found.key is not None:
        yield from found.key.problems
