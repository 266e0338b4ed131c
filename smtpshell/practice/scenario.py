"""Scenarios: everything that a practice server is and does, as frozen values.

A scenario is data: hosts with their ports, keywords and reply texts, users with their published
passwords, mailboxes, limits, a DNS zone, and rules. A rule says where in a conversation it looks
(`on`), what it looks for, and what happens instead of the ordinary. There is no code in a scenario,
so a teacher can write one, `checking` can prove it sound, and the same seed gives the same bytes.
`scenario_file` reads these values from TOML. They are compared by identity: a generated comparison
that nobody needs would cost every start of the program some milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.practice.shuffling import shuffled
from smtpshell.protocol.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from smtpshell.practice.expression import Expression

PLACES: dict[str, str] = {
    "CONNECT": "a client connected, nothing was said yet",
    "BANNER": "the greeting is about to be sent",
    "HELO": "HELO was received",
    "EHLO": "EHLO (or LHLO) was received",
    "STARTTLS": "STARTTLS was received",
    "TLS": "a TLS handshake is about to begin",
    "AUTH": "AUTH was received",
    "AUTH-STEP": "an answer to a challenge was received",
    "MAIL": "MAIL was received",
    "RCPT": "RCPT was received",
    "DATA": "DATA was received",
    "DATA-LINE": "a line of message data was received",
    "EOD": "the end of the message was received: the dot, or the last chunk",
    "BDAT": "a chunk was received whole, and it is not the last one",
    "RSET": "RSET was received",
    "NOOP": "NOOP was received",
    "VRFY": "VRFY was received",
    "EXPN": "EXPN was received",
    "HELP": "HELP was received",
    "QUIT": "QUIT was received",
    "UNKNOWN": "a command was received that no server of this kind knows",
    "ANY": "any command was received",
    "IDLE": "the client has been silent for as long as `idle` of `[limits]` says",
}
"""Where a rule may look, with the meaning of each place."""

PORT_KINDS: dict[str, str] = {
    "plain": "SMTP without TLS",
    "starttls": "SMTP that offers STARTTLS",
    "tls": "TLS from the first octet",
    "refused": "nobody listens",
    "silent": "the connection is taken and nothing is ever said",
}
"""What may wait behind a port."""

CERTIFICATES: dict[str, str] = {
    "good": "signed by the practice authority for the host's name, in date",
    "expired": "ran out a month ago",
    "not-yet-valid": "becomes valid in a month",
    "wrong-name": "made out to another host",
    "self-signed": "signed by nobody but itself",
    "unknown-authority": "signed by an authority that nobody knows",
    "tls1.0": "in order, but the server speaks nothing newer than TLS 1.0",
    "none": "there is none: STARTTLS is refused, TLS at once fails",
}
"""The kinds of certificates."""

FATES: dict[str, str] = {
    "deliver": "put into the mailboxes of the recipients",
    "discard": "accepted and thrown away",
    "hold": "accepted and kept in the queue",
    "junk": "put into the junk folders of the recipients",
    "bounce": "accepted, then returned to the sender by a message from <>",
}
"""What may become of an accepted message."""

WIRE_FAULTS: dict[str, str] = {
    "bare-lf": "lines of the reply end in LF alone",
    "mismatched-codes": "the lines of the reply carry different codes",
    "no-space": "no space between the code and the text",
    "no-text": "the code alone",
    "not-ascii": "text beyond ASCII, in UTF-8",
    "not-utf8": "text in no known character set",
    "nul": "a NUL inside the text",
    "escape": "terminal escape sequences inside the text",
    "long-line": "a line of 3,000 octets",
    "flood": "20,000 continuation lines",
    "twice": "the reply is sent twice",
    "injected": "a second reply in the same packet, as an attacker before STARTTLS would add it",
}
"""What may be done to the octets of a reply."""

BARE_LF: dict[str, str] = {
    "keep": "a bare LF in a message is kept; only CRLF.CRLF ends it",
    "end": "a lone dot between any line ends ends the message, as old servers had it",
    "refuse": "a bare LF anywhere is an error and closes the connection",
}
"""How a host takes line ends that are not CRLF."""

ALTERATIONS: dict[str, str] = {
    "footer": "a line of text is added at the end",
    "subject": "[list] is put before the subject",
    "spaces": "white space is changed, nothing else",
}
"""What a host may change in a message that it hands on."""

CLOSINGS = ("no", "before", "after")
SCOPES = ("world", "host", "connection", "transaction")


@dataclass(frozen=True, slots=True, eq=False)
class Host:
    """One virtual host. `ports` maps the ports it pretends to have to their kinds.

    `accepts` holds the domains it takes mail for; `*` is an open relay (that relays nowhere).
    `forwards` maps addresses of its own to others.
    `onward` lets it hand messages on to the host of this world that accepts their domain; then it
    `alters` them and `signs` them with the key of that name. `checks` are the verdicts ("spf",
    "dkim", "dmarc") that it writes into Authentication-Results.
    """

    name: str
    address: str = "192.0.2.1"
    ports: Mapping[int, str] = field(default_factory=lambda: {25: "starttls"})
    extensions: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    banner: str = ""
    personality: str = "practice"
    certificate: str = ""
    bare_lf: str = "keep"
    onward: bool = False
    forwards: Mapping[str, str] = field(default_factory=dict)
    alters: tuple[str, ...] = ()
    signs: str = ""
    checks: tuple[str, ...] = ()
    lmtp: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class User:
    """A user whose password is published. Empty `may_send_as` means any address."""

    name: str
    password: str
    mechanisms: tuple[str, ...] = ()
    may_send_as: tuple[str, ...] = ()
    token: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A DKIM key, made from the seed. `canonical` is "relaxed/relaxed" or the like (header/body).

    With `published` its record stands in the zone.
    """

    name: str
    domain: str
    selector: str
    published: bool = True
    canonical: str = "relaxed/relaxed"


@dataclass(frozen=True, slots=True, eq=False)
class Tls:
    """The certificate of all hosts, and the verbs refused before TLS."""

    certificate: str = "good"
    require_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Auth:
    """Where AUTH is offered: `offer` is "tls" (only encrypted), "always" or "never".

    Empty `mechanisms` means all that the users have; empty `ports` means all ports.
    `require_before` holds the verbs that are refused to who is not logged in, on these ports.
    """

    offer: str = "tls"
    mechanisms: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    require_before: tuple[str, ...] = ()
    realm: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What one world may hold. Octets, counts, seconds on the practice clock.

    `message` is the size of one message, whatever SIZE says; 0 leaves it to SIZE. `failures` is the
    number of failed logins, `unknown` that of commands nobody knows, after which a connection is
    closed with 421; 0 means never.
    """

    message: int = 0
    messages: int = 1000
    recipients: int = 100
    connections: int = 100
    idle: float = 300.0
    failures: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule: where it looks, when it fires, what happens then. The first that fires wins.

    `nth` fires at that match only, `after` leaves the first matches alone, `times` ends it after so
    many; `per` says within what matches are counted. `memory` names facts that make a key: with
    `until` the rule fires from the first sight of a key until that time has passed (greylisting),
    with `rate` (count, seconds) when a key comes oftener than that. `chance` is drawn from the
    seed.
    """

    number: int
    on: tuple[str, ...]
    line: int = 0
    host: str = ""
    match: str = ""
    parameter: str = ""
    when: Expression | None = None
    nth: int = 0
    times: int = 0
    after: int = 0
    per: str = "world"
    memory: tuple[str, ...] = ()
    until: float = 0.0
    rate: tuple[int, float] = (0, 0.0)
    size: int = 0
    chance: float = 1.0
    reply: tuple[str, ...] = ()
    raw: str = ""
    silent: bool = False
    delay: float = 0.0
    drip: float = 0.0
    close: str = "no"
    reset: bool = False
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    certificate: str = ""
    faults: tuple[str, ...] = ()
    fate: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A whole practice world, as it is before anybody has connected.

    `clock` is in seconds since 1970; `latency` is what each round trip costs on the practice clock.
    `client` is the address that clients appear to have. `zone` is the text of a master file and
    `dns_faults` the names whose look-ups fail ("timeout", "servfail", "nxdomain").
    `shuffled` names hosts that another seed than the scenario's own makes change places.
    `synonyms` maps domains, folded, to those of the scenario that they stand for.
    """

    name: str
    title: str = ""
    about: str = ""
    source: str = ""
    practice_only: bool = False
    seed: int = 1
    clock: float = 1893834000.0
    latency: float = 0.0
    client: str = "192.0.2.77"
    mailboxes: tuple[str, ...] = ()
    hosts: tuple[Host, ...] = ()
    tls: Tls = Tls()
    auth: Auth = Auth()
    users: tuple[User, ...] = ()
    keys: tuple[Key, ...] = ()
    rules: tuple[Rule, ...] = ()
    limits: Limits = Limits()
    replies: Mapping[str, str] = field(default_factory=dict)
    zone: str = ""
    dns_faults: Mapping[str, str] = field(default_factory=dict)
    shuffled: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)

    @property
    def main(self) -> Host:
        """The host that a client is connected to when it names none: the first."""
        return self.hosts[0]

    def host(self, name: str) -> Host | None:
        """Return the host of a name, whatever its case; None when there is none."""
        wanted = name.casefold().rstrip(".")
        return next((host for host in self.hosts if host.name.casefold() == wanted), None)

    def user(self, name: str) -> User | None:
        """Return the user of a name, or of one of the addresses the user sends as.

        A name with a synonym for its domain, as mail programs want one, may also be the user's own.
        """
        local, _, domain = name.rpartition("@")
        names = {name, self.usual(name)}
        names |= {local} if domain.casefold() in self.synonyms else set()
        return next(
            (user for user in self.users if not names.isdisjoint((user.name, *user.may_send_as))),
            None,
        )

    def usual(self, address: str) -> str:
        """Return an address as the scenario writes it: with its own domain, not with a synonym."""
        local, at, domain = address.rpartition("@")
        known = self.synonyms.get(domain.casefold().rstrip(".")) if self.synonyms and at else None
        return address if known is None else f"{local}@{known}"

    def form(self, seed: int) -> Scenario:
        """Return this world with the shuffled hosts in the places that a seed gives them."""
        places = [host for host in self.hosts if host.name in self.shuffled]
        moved = shuffled(len(places), seed)
        to = {places[old].name: places[new] for new, old in enumerate(moved)}
        hosts = tuple(
            replace(host, name=to[host.name].name, address=to[host.name].address)
            if host.name in to
            else host
            for host in self.hosts
        )
        rules = tuple(
            replace(rule, host=to[rule.host].name) if rule.host in to else rule
            for rule in self.rules
        )
        return replace(self, hosts=hosts, rules=rules, shuffled=())

    def with_limits(self, limits: Limits) -> Scenario:
        """Return the same world with other limits, as a class needs them."""
        return replace(self, limits=limits)
