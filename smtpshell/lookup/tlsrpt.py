"""TLS reporting for one domain: where senders tell of their failures to encrypt (RFC 8460)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from smtpshell.lookup import names, texts, tlsrpt_record
from smtpshell.lookup.finding import Problem, Step, problems_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.lookup.resolver import Resolver
    from smtpshell.lookup.texts import Chosen
    from smtpshell.lookup.tlsrpt_record import TlsRptRecord

Result = Literal["ok", "none", "invalid", "temperror"]


@dataclass(frozen=True, slots=True)
class TlsRptFinding:
    """The TLS reporting record of a domain; `result` is `ok`, `none`, `invalid` or `temperror`."""

    domain: str
    result: Result
    chosen: Chosen = field(repr=False)
    record: TlsRptRecord | None = None
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    trace: tuple[Step, ...] = field(default=(), repr=False)

    @property
    def unanswered(self) -> bool:
        """True when the DNS gave no answer that decides."""
        return self.result == "temperror"

    def to_json(self) -> dict[str, object]:
        """Return the finding as a JSON object."""
        return {
            "domain": self.domain,
            "result": self.result,
            "valid": self.result == "ok",
            "rua": list(self.record.rua) if self.record else [],
            "record": self.record.text if self.record else None,
            "records": list(self.chosen.texts),
            "problems": problems_json(self.problems),
            "trace": [step.to_json() for step in self.trace],
        }


async def lookup(resolver: Resolver, domain: str) -> TlsRptFinding:
    """Find the TLS reporting record of a domain; never raises."""
    name = names.normal(domain)
    answer = await resolver.ask(f"_smtp._tls.{name}", "TXT")
    chosen = texts.select(answer, tlsrpt_record.is_record)
    record = tlsrpt_record.parse_record(chosen.text) if chosen.text else None
    result: Result = "invalid"
    if chosen.result == "none" or chosen.result == "temperror":
        result = chosen.result
    elif record is not None and record.valid:
        result = "ok"
    problems = tuple(_problems(chosen, record))
    return TlsRptFinding(name, result, chosen, record, problems, (chosen.step("RFC 8460 3"),))


def _problems(chosen: Chosen, record: TlsRptRecord | None) -> Iterator[Problem]:
    if chosen.result == "temperror":
        yield texts.failure([chosen.answer], "Senders cannot tell where to report.")
        return
    yield from texts.near_misses(chosen, "v=TLSRPTv1;", "RFC 8460 3")
    if chosen.result == "several":
        yield Problem(
            "error",
            "tlsrpt-several",
            f"{chosen.answer.name} has {len(chosen.candidates)} TLS reporting records.",
            "Senders act as if there were none.",
            "Keep one; several destinations go into its rua, parted by commas.",
            "RFC 8460 3",
        )
    if chosen.result == "none":
        yield Problem(
            "warning",
            "tlsrpt-missing",
            f"No TLS reporting record stands at {chosen.answer.name}.",
            "When senders fail to encrypt, nobody here learns of it.",
            f'Publish TXT "v=TLSRPTv1; rua=mailto:tls-reports@'
            f'{chosen.answer.name.removeprefix("_smtp._tls.")}" there.',
            "RFC 8460 3",
        )
    if record is not None:
        yield from record.problems
