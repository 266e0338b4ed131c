"""The answer of the explainer: what a reply means, who must act, and what to do next."""

from __future__ import annotations

from smtpshell.protocol.values import dataclass

_put = object.__setattr__
"""Sets a field of a frozen value. The two here are made for every reply of a log of millions, so
they name their fields rather than walk over them."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One likely cause in plain words, and the one command that confirms it or rules it out."""

    text: str
    confirm: str

    def __init__(self, text: str, confirm: str) -> None:
        _put(self, "text", text)
        _put(self, "confirm", confirm)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a reply comes down to.

    `class_` is a key of `classes.CLASSES`, `who` of `classes.WHO`, `retry` of `classes.RETRY`.
    `meaning` is one sentence, `short` the note that stands under the reply. `causes` come likeliest
    first; `next` are commands of this shell or of SMTP, filled in as far as the session allows
    (what is missing stands in capitals). `confidence` runs from 0 to 1. `facts` are what decided.
    `rule` names the rule that decided, or "".
    """

    class_: str
    who: str
    retry: str
    code: int | None
    enhanced: str | None
    meaning: str
    short: str
    causes: tuple[Cause, ...]
    next: tuple[str, ...]
    sections: tuple[str, ...]
    provider: str | None
    software: str | None
    confidence: float
    facts: tuple[str, ...]
    rule: str = ""
    disagreement: str | None = None

    def __init__(
        self,
        *,
        class_: str,
        who: str,
        retry: str,
        code: int | None,
        enhanced: str | None,
        meaning: str,
        short: str,
        causes: tuple[Cause, ...],
        next: tuple[str, ...],
        sections: tuple[str, ...],
        provider: str | None,
        software: str | None,
        confidence: float,
        facts: tuple[str, ...],
        rule: str = "",
        disagreement: str | None = None,
    ) -> None:
        _put(self, "class_", class_)
        _put(self, "who", who)
        _put(self, "retry", retry)
        _put(self, "code", code)
        _put(self, "enhanced", enhanced)
        _put(self, "meaning", meaning)
        _put(self, "short", short)
        _put(self, "causes", causes)
        _put(self, "next", next)
        _put(self, "sections", sections)
        _put(self, "provider", provider)
        _put(self, "software", software)
        _put(self, "confidence", confidence)
        _put(self, "facts", facts)
        _put(self, "rule", rule)
        _put(self, "disagreement", disagreement)

    def to_json(self) -> dict[str, object]:
        """Return the values as JSON knows them; the class is under the key `class`."""
        return {
            "class": self.class_,
            "who": self.who,
            "retry": self.retry,
            "code": self.code,
            "enhanced": self.enhanced,
            "meaning": self.meaning,
            "causes": [{"text": cause.text, "confirm": cause.confirm} for cause in self.causes],
            "next": list(self.next),
            "sections": list(self.sections),
            "provider": self.provider,
            "software": self.software,
            "confidence": self.confidence,
            "facts": list(self.facts),
            "disagreement": self.disagreement,
        }
