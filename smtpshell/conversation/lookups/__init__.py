"""Look-ups as commands: one table serves `/NAME` in a conversation and `smtpshell NAME`.

The table is light, because the completer and the help read it at start-up. Each row's module is
loaded when the look-up is used; it holds a `LOOKUP` with the arguments, the run and the report.
"""

from __future__ import annotations

from smtpshell.protocol.values import dataclass

_HERE = "smtpshell.conversation.lookups."

FINE, PROBLEM, NO_ANSWER, USAGE = 0, 1, 3, 64
"""Exit statuses of look-ups."""


@dataclass(frozen=True, slots=True)
class LookupRow:
    """One look-up: its name, its arguments as a user reads them, what it tells, its module.

    `arguments` name what completes each position, as for local commands.
    """

    name: str
    syntax: str
    summary: str
    module: str
    arguments: tuple[str, ...] = ("domain",)

    @property
    def main(self) -> str:
        """The sub-command as "module:function", taking (words, settings)."""
        return f"{_HERE}{self.module}:main"

    @property
    def slash(self) -> str:
        """The local command as "module:function", taking (desk, argument)."""
        return f"{_HERE}{self.module}:slash"


LOOKUPS: dict[str, LookupRow] = {
    row.name: row
    for row in (
        LookupRow("mx", "DOMAIN [--probe]", "where a domain takes its mail", "mx"),
        LookupRow(
            "spf",
            "DOMAIN [--ip IP] [--sender A] [--helo H] | --record TEXT",
            "who may send for a domain, step by step",
            "spf",
        ),
        LookupRow(
            "dmarc",
            "DOMAIN [--spf D] [--dkim D] | --record TEXT",
            "the policy for a domain and the walk to it",
            "dmarc",
        ),
        LookupRow(
            "dkim",
            "SELECTOR DOMAIN | --message FILE | --record TEXT",
            "a DKIM key, or a message's signatures",
            "dkim",
            ("word", "domain"),
        ),
        LookupRow("mta-sts", "DOMAIN | --record TEXT", "MTA-STS: record, policy, MX", "mta_sts"),
        LookupRow(
            "mta-sts-policy",
            "DOMAIN | --record TEXT",
            "an MTA-STS policy, fetched or given",
            "mta_sts_policy",
        ),
        LookupRow("tlsrpt", "DOMAIN | --record TEXT", "where TLS failures are reported", "tlsrpt"),
        LookupRow("tlsa", "DOMAIN [--probe] | --record TEXT", "DANE of the mail hosts", "tlsa"),
        LookupRow("ptr", "IP ...", "reverse DNS, confirmed forwards", "ptr", ("word",)),
        LookupRow("bimi", "DOMAIN | --record TEXT", "the logo beside a domain's mail", "bimi"),
        LookupRow(
            "dnsbl", "IP | DOMAIN [LIST ...]", "whether block lists hold an address", "dnsbl"
        ),
        LookupRow("check", "DOMAIN ... | --file FILE", "all of it as one report", "check"),
        LookupRow(
            "preview",
            "IP [--helo H] [--sender A] [--from D]",
            "what a receiver will see in a sender",
            "preview",
            ("word",),
        ),
    )
}
"""Every look-up, by name."""
