"""What is wrong with one DMARC record, why it matters, what to publish instead.

Each rule is one row: when it applies and the problem it states. The order is the order a reader
should meet them in: what breaks the record, what weakens it, what is out of date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.lookup.dmarc_tags import DEFAULTS, POLICIES, REMOVED, VALUES
from smtpshell.lookup.finding import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from smtpshell.lookup.dmarc_record import DmarcRecord
    from smtpshell.lookup.uris import ReportUri

    Published = Mapping[str, str]
    Rule = Callable[[DmarcRecord, Published, Sequence[ReportUri]], Iterable[Problem]]

CHOICES = "none, quarantine or reject"


def record_problems(
    record: DmarcRecord, published: Published, reports: Sequence[ReportUri]
) -> tuple[Problem, ...]:
    """Return everything to say about a record.

    `published` maps each tag name in lower case to its first value as written, `reports` are the
    parsed items of `rua` and `ruf`.
    """
    return tuple(problem for rule in RULES for problem in rule(record, published, reports))


def _policy_tags(record: DmarcRecord, published: Published, _: object) -> Iterable[Problem]:
    consequence = (
        "Receivers act as if the record said p=none, because it asks for reports."
        if record.rua
        else "Receivers do no DMARC processing for this domain."
    )
    for name in ("p", "sp", "np"):
        value = published.get(name)
        if value is None and name == "p":
            yield Problem(
                "error",
                "p-missing",
                "The record has no p tag.",
                consequence,
                f"Add p= with {CHOICES}.",
                "RFC 9989 4.10.1",
            )
        elif value is not None and value.lower() not in POLICIES:
            yield Problem(
                "error",
                f"{name}-invalid",
                f"{name}={value} is no policy.",
                consequence,
                f"Use {CHOICES}" + (", or leave the tag out." if name != "p" else "."),
                "RFC 9989 4.10.1",
            )


def _bad_values(record: DmarcRecord, published: Published, _: object) -> Iterable[Problem]:
    for name, default in DEFAULTS.items():
        value = published.get(name)
        if value is not None and value.lower() not in VALUES[name]:
            yield Problem(
                "warning",
                f"{name}-invalid",
                f"{name}={value} is not one of {', '.join(VALUES[name])}.",
                f"Receivers go by the default, {name}={default}.",
                f"Correct the value or leave {name} out.",
                "RFC 9989 4.7",
            )
    options = published.get("fo")
    if options is None:
        return
    if record.fo == ("0",) and options.strip() != "0":
        yield Problem(
            "warning",
            "fo-invalid",
            f"fo={options} is not a list of 0, 1, d and s.",
            "Receivers go by the default, fo=0.",
            "Use 0, 1, d, s or d:s.",
            "RFC 9989 4.7",
        )
    elif {"0", "1"} <= set(record.fo):
        yield Problem(
            "warning",
            "fo-contradiction",
            f"fo={options} asks for 0 and 1 at once.",
            "0 wants a report when everything failed, 1 when anything failed; they exclude "
            "each other.",
            "Use fo=1, or fo=0, or d:s.",
            "RFC 9989 4.7",
        )
    if "ruf" not in published:
        yield Problem(
            "info",
            "fo-without-ruf",
            "fo is given without ruf.",
            "Receivers ignore fo when no address for failure reports is given.",
            "Leave fo out, or add ruf=mailto:...",
            "RFC 9989 4.7",
        )


def _report_uris(
    record: DmarcRecord, published: Published, reports: Sequence[ReportUri]
) -> Iterable[Problem]:
    for uri in reports:
        if not uri.valid:
            hint = " Write mailto: before the address." if "@" in uri.text else ""
            yield Problem(
                "warning",
                "report-uri-invalid",
                f"{uri.text} is no URI." if uri.text else "A report list holds an empty item.",
                "No report is sent there.",
                f"Write each destination as mailto:name@domain, parted by commas.{hint}",
                "RFC 9989 4.8",
            )
        elif uri.scheme != "mailto":
            yield Problem(
                "warning",
                "report-uri-scheme",
                f"{uri.text} is not a mailto: address.",
                "Receivers must support mailto: alone and ignore schemes they do not know.",
                "Use mailto:name@domain.",
                "RFC 9989 4.7",
            )
        elif not uri.host:
            yield Problem(
                "warning",
                "report-uri-address",
                f"{uri.text} names no mailbox.",
                "No report can be sent there.",
                "Use mailto:name@domain.",
                "RFC 6068 2",
            )
        if uri.size:
            yield Problem(
                "info",
                "report-uri-size",
                f"{uri.text}!{uri.size} limits the size of reports.",
                "RFC 9989 removed the limit; receivers ignore it.",
                f"Write {uri.text} alone.",
                "RFC 9989 4.8",
            )
    if record.usable and "rua" not in published:
        yield Problem(
            "warning",
            "no-rua",
            "Nobody receives aggregate reports (no rua).",
            "You do not learn who sends in your name, nor which of your own mail fails.",
            "Add rua=mailto:name@domain.",
            "RFC 9989 4.7",
        )


def _strength(record: DmarcRecord, _published: Published, __: object) -> Iterable[Problem]:
    if record.p is None:
        return
    strength = POLICIES.index(record.p)
    if strength == 0:
        yield Problem(
            "warning",
            "p-none",
            "The policy is none: monitoring only.",
            "Receivers are asked to do nothing about forged mail.",
            "When the reports show that your own mail passes, publish p=quarantine, then p=reject.",
            "RFC 9989 5.1.6",
        )
    for name, value, whom in (
        ("sp", record.sp, "subdomains"),
        ("np", record.np, "names that do not exist"),
    ):
        if value is not None and POLICIES.index(value) < strength:
            yield Problem(
                "warning",
                f"{name}-weaker",
                f"{name}={value} asks for less than p={record.p}.",
                f"Forgers may use {whom} under the domain.",
                f"Leave {name} out, or make it {record.p}.",
                "RFC 9989 4.7",
            )
    if record.t == "y" and strength:
        yield Problem(
            "info",
            "testing",
            f"t=y: the policy is being tested, and {POLICIES[strength - 1]} is applied "
            f"in place of {record.p}.",
            "Mail that fails is treated one level more mildly than the record says.",
            "Take t=y out when the test is over.",
            "RFC 9989 4.7",
        )


def _out_of_date(record: DmarcRecord, published: Published, _: object) -> Iterable[Problem]:
    for name in record.removed_tags:
        yield Problem(
            "info",
            "removed-tag",
            f"{name}={published[name]} was removed in RFC 9989.",
            "Receivers that follow the standard ignore it.",
            REMOVED[name],
            "RFC 9989 A.6" if name == "pct" else "RFC 9989 4.7",
        )


def _clutter(record: DmarcRecord, published: Published, _: object) -> Iterable[Problem]:
    for name in record.duplicate:
        yield Problem(
            "warning",
            "duplicate-tag",
            f"{name} is given more than once.",
            f"The standard does not say which counts; the first, {published[name] or 'empty'}, "
            "is taken here and elsewhere the last may be.",
            f"Keep one {name}.",
            "RFC 9989 4.7",
        )
    for piece in record.junk:
        hint = " Write = in place of the colon." if ":" in piece and "=" not in piece else ""
        yield Problem(
            "warning",
            "junk",
            f"{piece} is no tag=value pair.",
            "Receivers ignore it, so whatever it was meant to say is not said.",
            f"Correct it or take it out.{hint}",
            "RFC 9989 4.8",
        )
    for name in record.unknown_tags:
        yield Problem(
            "info",
            "unknown-tag",
            f"{name} is no tag of DMARC.",
            "Receivers ignore it.",
            "Take it out, or correct its spelling.",
            "RFC 9989 4.7",
        )


RULES: tuple[Rule, ...] = (
    _policy_tags,
    _bad_values,
    _report_uris,
    _strength,
    _out_of_date,
    _clutter,
)
