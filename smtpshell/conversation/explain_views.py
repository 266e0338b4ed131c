"""What `smtpshell explain` shows: one report, a line for each reply, a summary, or JSON.

All views take finds one by one and keep little, so that a log of a million lines streams. One
refusal is shown at length; from the second on each gets a line.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from smtpshell.conversation.explaining import report_of
from smtpshell.conversation.folding import folded, folded_lines
from smtpshell.conversation.options import asked_width
from smtpshell.conversation.report import Row, counted, plain_lines
from smtpshell.knowledge.classes import CLASSES, WHO
from smtpshell.protocol.text import visible
from smtpshell.transcript.intake.found import Facts, Found, explained
from smtpshell.transcript.jsonl import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smtpshell.conversation.settings import Settings
    from smtpshell.knowledge.explanation import Explanation
    from smtpshell.transcript.intake.finder import Finder

TEXTS_COUNTED = 20_000
"""Different texts of which a summary keeps count; later ones count for their class alone."""

TEXTS_SHOWN = 3
"""Frequent texts that a summary shows of each class."""

GOOD_KEPT = 50
"""Replies that said yes, kept to be listed when nothing else is found."""


class View(Protocol):
    """Takes what is found, in order, and shows it."""

    explained: int

    def take(self, found: Found) -> None:
        """Take one find."""

    def close(self, finder: Finder) -> None:
        """Say the rest, when the text has ended."""


class _Base:
    """What all views share: explaining what is wanted, and the words about what was not read."""

    def __init__(self, settings: Settings, given: Facts, only: frozenset[str]) -> None:
        self.explained = 0
        self._settings = settings
        self._given = given
        self._only = only

    def take(self, found: Found) -> None:
        """Explain a find and show it, unless other classes are wanted."""
        explanation = explained(found, self._given)
        self.explained += 1
        if not self._only or explanation.class_ in self._only:
            self.show(found, explanation)

    def show(self, found: Found, explanation: Explanation) -> None:
        """Show one explanation."""
        raise NotImplementedError

    def print(self, line: str = "") -> None:
        """Print a line, made printable."""
        sys.stdout.write(visible(line, ascii_only=self._settings.plain) + "\n")

    def close(self, finder: Finder) -> None:
        """Say what could not be read, on standard error."""
        if self.explained:
            return
        lines = counted(finder.lines, "line")
        print(
            f"smtpshell: no reply was found in {lines}. Give the reply itself, such as "
            '"550 5.1.1 User unknown", or the whole bounce, log or error text.',
            file=sys.stderr,
        )
        for number, text in finder.samples:
            shown = visible(text, ascii_only=True)
            print(f"smtpshell: line {number} could not be read: {shown}", file=sys.stderr)


class JsonView(_Base):
    """One object for each find, in order; what could not be read is told on standard error."""

    def close(self, finder: Finder) -> None:
        """Say how much could not be read."""
        if self.explained and finder.samples and not self._settings.quiet:
            print(f"smtpshell: {unread(finder)}.", file=sys.stderr)
        super().close(finder)

    def show(self, found: Found, explanation: Explanation) -> None:
        """Write one object: the explanation, and where it was found."""
        sys.stdout.write(as_json({**explanation.to_json(), **about(found, self._given)}) + "\n")


def unread(finder: Finder) -> str:
    """Return in words how many lines held nothing that could be read, and where the first is."""
    first = f", such as line {finder.samples[0][0]}" if finder.samples else ""
    return f"{counted(finder.unread, 'line')} held nothing that could be read{first}"


def about(found: Found, given: Facts) -> dict[str, Any]:
    """Return what `--json` tells of a find beside its explanation."""
    facts = {**found.facts, **given}
    refused = facts.get("refused") or facts.get("recipients") or ()
    told: dict[str, Any] = {
        "line": found.line,
        "source": found.source,
        "text": found.words,
        "command": facts.get("verb"),
        "host": facts.get("host"),
        "recipient": refused[0] if isinstance(refused, tuple) and refused else None,
    }
    if found.failure:
        told["failure"] = found.failure
    if found.inferred:
        told["inferred"] = ["code"]
    return told


class LinesView(_Base):
    """The only refusal at length; several as a line each, or each at length with `long`."""

    def __init__(
        self,
        settings: Settings,
        given: Facts,
        only: frozenset[str],
        *,
        long: bool,
        everything: bool,
    ) -> None:
        super().__init__(settings, given, only)
        self._long = long
        self._everything = everything or "ok" in only
        self._first: tuple[Found, Explanation] | None = None
        self._shown = 0
        self._good = 0
        self._kept: list[tuple[Found, Explanation]] = []

    def show(self, found: Found, explanation: Explanation) -> None:
        """Show a refusal, at once from the second on; keep the first back."""
        if explanation.class_ == "ok" and not self._everything:
            self._good += 1
            if not self._shown and len(self._kept) < GOOD_KEPT:
                self._kept.append((found, explanation))
            return
        self._shown += 1
        if self._shown == 1 and not self._long:
            self._first = (found, explanation)
            return
        if self._first is not None:
            self._line(*self._first)
            self._first = None
        if self._long:
            self._report(found, explanation, apart=self._shown > 1)
        else:
            self._line(found, explanation)

    def _line(self, found: Found, explanation: Explanation) -> None:
        codes = " ".join(str(code) for code in (explanation.code, explanation.enhanced) if code)
        place = f"{found.line}:"
        head = f"{place:<7} {codes or '-':<11} {explanation.class_:<16} "
        line = head + explanation.meaning
        width = asked_width()
        for piece in folded(line, width, len(head)) if width else [line]:
            self.print(piece)

    def _report(self, found: Found, explanation: Explanation, *, apart: bool = False) -> None:
        if apart:
            self.print()
        rows = report_of(explanation)
        quoted = found.words[:300]
        where = [Row(visible(quoted), "server", 1, "the words")] if quoted else []
        if apart or self._shown > 1:
            where.insert(0, Row(f"line {found.line}, {found.source}", "dim", 1, "found in"))
        report = [rows[0], *where, *rows[1:]]
        width = asked_width()
        for line in folded_lines(report, width) if width else plain_lines(report):
            self.print(line)

    def close(self, finder: Finder) -> None:
        """Show what was kept back, and say what was left out."""
        if self._first is not None:
            self._report(*self._first)
        elif not self._shown and len(self._kept) == 1:
            self._report(*self._kept[0])
        elif not self._shown:
            for found, explanation in self._kept:
                self._line(found, explanation)
        if not self._settings.quiet:
            remarks = list(self._remarks(finder))
            for line in ["", *(f"# {remark}." for remark in remarks)] if remarks else ():
                self.print(line)
        super().close(finder)

    def _remarks(self, finder: Finder) -> Iterator[str]:
        """Say what was left out, what could not be read, and what can be asked for."""
        if self._shown == 1 or (self._shown and self._long):
            yield "Commands that begin with / are typed in the shell: smtpshell [HOST]"
        elif self._shown:
            yield "--long gives causes and next steps, --summary counts"
        if self._good and (self._shown or self._good > len(self._kept)):
            yield f"Replies that said yes: {self._good}; --all lists them"
        if self.explained and finder.unread:
            yield unread(finder)


class SummaryView(_Base):
    """Counts by class and by who must act, with the texts that came most often."""

    def __init__(self, settings: Settings, given: Facts, only: frozenset[str]) -> None:
        super().__init__(settings, given, only)
        self._classes: Counter[str] = Counter()
        self._texts: Counter[tuple[str, str]] = Counter()

    def show(self, found: Found, explanation: Explanation) -> None:
        """Count one."""
        self._classes[explanation.class_] += 1
        key = (explanation.class_, _alike(found))
        if key in self._texts or len(self._texts) < TEXTS_COUNTED:
            self._texts[key] += 1

    def close(self, finder: Finder) -> None:
        """Print the table, the most frequent class first."""
        for name, number in self._classes.most_common():
            row = CLASSES[name]
            texts = [
                (text, count)
                for (class_, text), count in self._texts.most_common()
                if class_ == name
            ][:TEXTS_SHOWN]
            if self._settings.json:
                said = [{"text": text, "count": count} for text, count in texts]
                facts = {"class": name, "count": number, "who": row.who, "retry": row.retry}
                sys.stdout.write(as_json({**facts, "texts": said}) + "\n")
                continue
            acting = "" if name == "ok" else f"; who must act: {WHO[row.who]}"
            self.print(f"{number:>7}  {name:<16} {row.sentence}{acting}")
            for text, count in texts if name != "ok" else ():
                self.print(f"{'':7}  {count:>7}  {text[:160]}")
        if self._classes and not self._settings.json:
            total = self._classes.total()
            lines = f"{finder.lines:,} lines"
            self.print(
                f"# {total:,} replies in {lines}, {total - self._classes['ok']:,} of them no."
            )
        super().close(finder)


def _alike(found: Found) -> str:
    """Return a text without what differs from one reply to the next: addresses, numbers, names."""
    words = []
    for word in found.words[:400].split()[:40]:
        bare = word.strip("<>()[]:;,.'\"")
        if "@" in bare:
            word = "<address>"
        elif (bare.count(".") == 3 and bare.replace(".", "").isdigit()) or bare.count(":") > 2:
            word = "[ip]"
        elif len(bare) > 8 and any(letter.isdigit() for letter in bare) and bare.isalnum():
            word = "..."
        words.append(word)
    return " ".join(words)


def make_view(
    settings: Settings,
    given: Facts,
    *,
    only: frozenset[str],
    long: bool,
    everything: bool,
    summary: bool,
) -> View:
    """Return the view that the options ask for."""
    if summary:
        return SummaryView(settings, given, only)
    if settings.json:
        return JsonView(settings, given, only)
    return LinesView(settings, given, only, long=long, everything=everything)
