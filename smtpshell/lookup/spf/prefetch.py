"""Asking ahead: the questions of a record that can be foreseen, all at once.

An evaluation asks one question after the other, because each term decides whether the next is
evaluated. Most questions can be foreseen, though: the names stand in the record, and most macros
need no DNS. They are asked here, the includes' own terms as soon as their records arrive, and the
evaluation finds them answered or in flight. Nothing is decided and nothing counted here, so it
cannot change a result; whatever is still in flight when the evaluation ends is given up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from smtpshell.lookup import names
from smtpshell.lookup.spf import grammar, macro
from smtpshell.lookup.spf.context import NAME_LIMIT, Context
from smtpshell.lookup.spf.identity import is_checkable, labels

if TYPE_CHECKING:
    from types import TracebackType

BUDGET: Final = 40  # terms asked ahead for one check


class Prefetch:
    """Asks ahead for one evaluation, as a context manager: leaving it gives up what is left.

    `families` are the types of address records wanted, `budget` the number of terms.
    """

    def __init__(self, context: Context, families: tuple[str, ...], budget: int = BUDGET) -> None:
        self._context = context
        self._families = families
        self._budget = budget
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self, record: grammar.Record, domain: str) -> None:
        """Ask for everything the terms of a record will need, up to the first `all`."""
        for term in record.terms:
            if term.name == "all" and term.is_mechanism:
                break
            redirects = term.name == "redirect" and record.all is None
            if self._budget > 0 and term.kind.asks and (term.is_mechanism or redirects):
                self._budget -= 1
                task = asyncio.create_task(self._term(term, domain))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _term(self, term: grammar.Term, domain: str) -> None:
        ask = self._context.resolver.ask
        if term.name == "ptr" or "p" in macro.letters(term.target):
            if self._context.who.ip is not None:
                await self._context.client_names()
            return
        values = self._context.who.values(domain)
        try:
            target = macro.shortened(macro.expand(term.target, values)) if term.target else domain
            octets = labels(target)
        except (KeyError, names.BadNameError):
            return
        if term.name in {"include", "redirect"}:
            if is_checkable(target):
                published = await self._context.published(target)
                if published.text is not None:
                    self.start(grammar.parse(published.text), target)
        elif term.name == "mx":
            found = await ask(octets, "MX")
            await self._addresses(*(host for _, host in found.records[: NAME_LIMIT + 1]))
        elif term.name == "exists":
            await ask(octets, "A")
        else:
            await self._addresses(octets)

    async def _addresses(self, *hosts: str | names.Labels) -> None:
        await self._context.resolver.ask_all(
            (host, family) for host in hosts if host != "." for family in self._families
        )
