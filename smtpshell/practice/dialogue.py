"""One client's dialogue with one virtual host: protocol, gates, rules, policy, in that order.

For each request the protocol speaks first (`ServerSide.judge`): what is malformed or out of order
is refused whatever a scenario says. Then gates (TLS first, login first), then the scenario's rules,
then the host's policy. What is really sent is what the state follows. A rule may also delay, drip,
cut or garble; all of that happens in `_send`, and nowhere else.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from smtpshell.practice import policy
from smtpshell.practice.facts import NOT_OFFERED, bare_facts, gather, place_of, subject_of
from smtpshell.practice.malform import malform, unescape
from smtpshell.practice.profiles import make_profile, with_keywords
from smtpshell.practice.rules import fill
from smtpshell.practice.wire import WireError
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.serverreplies import wire_lines
from smtpshell.protocol.serverside import ServerSide, Verdict
from smtpshell.protocol.state import State
from smtpshell.protocol.values import dataclass, replace

if TYPE_CHECKING:
    from smtpshell.practice.certificates import Certificate
    from smtpshell.practice.expression import Value
    from smtpshell.practice.scenario import Host, Rule
    from smtpshell.practice.verdicts import Verdicts
    from smtpshell.practice.wiring import House, Wire
    from smtpshell.practice.world import World
    from smtpshell.protocol.sasl import ChannelBinding
    from smtpshell.protocol.sasl.exchange import ServerExchange
    from smtpshell.protocol.serverside import Request


@dataclass(slots=True, eq=False)
class Record:
    """What a dialogue counts and remembers beside the session itself."""

    number: int
    client: str
    connections: int = 1
    failures: int = 0
    refusals: int = 0
    unknown: int = 0
    accepted: int = 0
    transaction: int = 0
    early: bool = False
    spoke: float = 0.0
    certificate: str = ""


class Dialogue:
    """One connection, from the first octet to the last."""

    def __init__(self, house: House, host: Host, port: int, wire: Wire) -> None:
        world = house.world
        self.house, self.host, self.port, self.wire = house, host, port, wire
        self.kind = host.ports.get(port, "plain")
        self.record = Record(
            number=world.count("connection"),
            client=world.client,
            connections=world.count("connections", host.name),
            spoke=world.clock.now(),
            certificate=host.certificate or world.scenario.tls.certificate,
        )
        self._bindings: tuple[ChannelBinding, ...] = ()
        profile = make_profile(world, host, port, house.rulebook, lambda: self._bindings)
        self.tap = house.tap(self)
        self.side = ServerSide(profile, recording=self.tap is not None)
        self._judged: Verdicts | None = None
        self._open = True

    @property
    def world(self) -> World:
        """The world that this takes place in."""
        return self.house.world

    def enter(self, house: House) -> None:
        """Go on in another house of the same hosts, counted there like any other connection.

        What EHLO announced stays; what rules remember is that of the other world from now on.
        """
        world, side, record = house.world, self.side, self.record
        self.house = house
        record.number = world.count("connection")
        record.connections = world.count("connections", self.host.name)
        record.spoke = world.clock.now()
        profile = make_profile(world, self.host, self.port, house.rulebook, lambda: self._bindings)
        side.profile = replace(profile, keywords=side.profile.keywords)

    # --- the course of it -------------------------------------------------------------------

    async def run(self, *, crowded: bool = False) -> None:
        """Talk until one side ends; whatever the client does, nothing is raised."""
        if self.tap is not None:
            at_once = self.kind == "tls"
            self.tap.connected(self.host.name, self.record.client, self.port, tls=at_once)
        try:
            await self._converse(crowded=crowded)
        except WireError as error:
            self._remark(str(error))
        finally:
            self.wire.close()
            if self.tap is not None:
                clean = self.side.state is State.QUIT
                self.tap.closed("client" if self._open else "server", clean=clean)

    async def _converse(self, *, crowded: bool) -> None:
        if self.kind == "silent":
            while await self.wire.read():
                pass
            return
        rule = self._choose("CONNECT")
        if self.kind == "tls":
            await self._secure(rule)
        if self._open:
            await self._greet(rule, crowded=crowded)
        while self._open and self.side.state is not State.QUIT:
            request = self.side.next()
            self._overhear()
            if request is not None:
                await self._handle(request)
            elif not await self._listen():
                return
        self._open = False

    async def _greet(self, rule: Rule | None, *, crowded: bool) -> None:
        if rule is not None and rule.silent:
            self.record.early = await self._listen()
            rule = None
        banner = self._choose("BANNER")
        if banner is not None:
            if rule is not None and rule.delay:
                await self.world.clock.delay(rule.delay)
            rule = banner
        verdict = self.side.say("crowded") if crowded else self.side.greeting()
        self.side.greeted(await self._announce(verdict, rule))

    async def _listen(self) -> bool:
        """Wait for octets; False when there will be none, because of the client or the clock."""
        octets = await self._read_or_tire()
        self.record.spoke = self.world.clock.now()
        self.side.feed(octets)
        if octets and self.world.scenario.latency:
            await self.world.clock.delay(self.world.scenario.latency)
        return bool(octets)

    async def _read_or_tire(self) -> bytes:
        limit = self.world.scenario.limits.idle
        reading = asyncio.ensure_future(self.wire.read())
        tiring = asyncio.ensure_future(self.world.clock.wait_until(self.record.spoke + limit))
        try:
            await asyncio.wait({reading, tiring}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
            await self._announce(self.side.say("timeout"), self._choose("IDLE"))
            self._open = False
            return b""
        finally:
            reading.cancel()
            tiring.cancel()

    # --- one request ------------------------------------------------------------------------

    async def _handle(self, request: Request) -> None:
        if request.kind == "line":
            await self._overhear_line(request)
            return
        verdict, rule, facts = await self._consider(request)
        reply = self._worded(verdict, rule, facts)
        if request.ends_message and reply.family == 2:
            await self._accept(rule, str(facts["queue"]))
        reply = self.house.steward.amend(self, request, reply)
        await self._send(replace(verdict, reply=reply), rule, copies=self._copies(request))
        self._count(request, verdict, reply)
        self.side.conclude(request, reply)
        if not self._open:
            return
        if self.side.state is State.TLS:
            await self._secure(rule)
        elif request.verb == "XCLIENT" and reply.family == 2:
            address = request.command.parameter("ADDR") or self.record.client
            self.record.client = address.upper().removeprefix("IPV6:").lower()
        elif self.side.user and request.verb == "AUTH":
            if self.tap is not None:
                self.tap.logged_in(self.side.user)
            self.house.steward.logged_in(self)

    async def _consider(self, request: Request) -> tuple[Verdict, Rule | None, dict[str, Value]]:
        """Return what to say, by which rule if by one, and the facts that it is filled from."""
        side, house = self.side, self.house
        verdict = side.judge(request)
        answer = await house.steward.meet(self, request, verdict)
        if house is not self.house:
            verdict = side.judge(request)
        place = place_of(request, verdict)
        facts = await gather(self, request)
        if answer is not None:
            return answer, None, facts
        self._judged = await self._ask_dns(request, place)
        if self._judged is not None:
            facts |= self._judged.facts()
        case = policy.Circumstances(
            self.world, self.host, self.port, side, self.record.failures, self.record.unknown
        )
        rule = self._choose("ANY", request, facts) if request.kind == "command" else None
        if rule is not None:
            return verdict, rule, facts
        closed = policy.gate(case, request, verdict)
        if closed:
            return side.say(closed), None, facts
        if not verdict.accepted and place not in NOT_OFFERED:
            return verdict, None, facts
        rule = self._choose(place, request, facts)
        if rule is not None and (rule.add or rule.drop):
            side.profile = with_keywords(side.profile, rule.add, rule.drop)
            verdict = side.judge(request)
        if rule is None or not (rule.reply or rule.raw):
            name = policy.objection(case, request) if verdict.accepted else ""
            if name:
                verdict = side.say(name, **facts)
            elif request.verb == "STARTTLS" and self._certificate(rule) == "none":
                verdict = side.say("tls-unavailable")
        return verdict, rule, facts

    async def _ask_dns(self, request: Request, place: str) -> Verdicts | None:
        """Return what the world's DNS says, as far as the host or a rule at this place asks."""
        wanted = self.house.rulebook.facts_used(place) & {"spf", "dkim", "dmarc", "policy"}
        if request.ends_message:
            wanted |= frozenset(self.host.checks)
        if not wanted:
            return None
        from smtpshell.practice.verdicts import Sighting, judge

        side = self.side
        sender = side.transaction.sender or request.command.address or ""
        content = bytes(side.transaction.content) if request.ends_message else None
        seen = Sighting(self.record.client, side.helo, sender, content)
        return await judge(self.house.resolver, seen, wanted, self.world.clock.now())

    def _worded(self, verdict: Verdict, rule: Rule | None, facts: dict[str, Value]) -> Reply:
        """Return the reply with its facts, in the words of the rule if it has any."""
        if rule is not None and rule.raw:
            octets = unescape(fill(rule.raw, facts))
            return replace(Reply.parse(octets), raw=octets)
        if rule is not None and rule.reply:
            return self.side.shape(tuple(fill(line, facts) for line in rule.reply))
        lines = tuple(fill(line, facts) for line in verdict.reply.lines)
        return replace(verdict.reply, lines=lines)

    def _copies(self, request: Request) -> int:
        """Return how often a reply is given: in LMTP once for each recipient (RFC 2033 4.2)."""
        many = self.host.lmtp and request.ends_message
        return max(1, len(self.side.transaction.recipients)) if many else 1

    def _count(self, request: Request, verdict: Verdict, reply: Reply) -> None:
        record = self.record
        record.refusals += reply.is_refusal
        record.failures += verdict.name == "bad-login"
        record.unknown += verdict.name == "not-recognized"
        if request.verb == "MAIL" and reply.family == 2:
            record.transaction += 1
        if request.ends_message and reply.family == 2:
            record.accepted += 1

    async def _overhear_line(self, request: Request) -> None:
        """Let the rules see one line of message data, which nothing answers."""
        facts = await gather(self, request)
        rule = self._choose("DATA-LINE", request, facts)
        if rule is not None:
            nothing = Verdict("line", Reply(None, ()))
            await self._send(replace(nothing, reply=self._worded(nothing, rule, facts)), rule)

    # --- what follows from it ---------------------------------------------------------------

    async def _accept(self, rule: Rule | None, queue_id: str) -> None:
        from smtpshell.practice import delivery

        side, record = self.side, self.record
        utf8 = any(keyword == "SMTPUTF8" for keyword, _ in side.transaction.parameters)
        word = delivery.protocol_word(
            esmtp=side.esmtp, lmtp=self.host.lmtp, utf8=utf8, tls=side.tls, auth=bool(side.user)
        )
        sender = delivery.Sender(side.helo, record.client, side.user, word)
        message = delivery.make_message(self.world, self.host, side.transaction, sender, queue_id)
        if self._judged is not None:
            message = replace(message, results=self._judged.field(self.host.name))
        fate = (rule.fate if rule is not None else "") or "deliver"
        await delivery.deliver(self.world, self.host, message, fate, self.house.carry)

    async def _secure(self, rule: Rule | None) -> None:
        """Begin TLS, or do instead what a rule for this place says."""
        thrown = self.side.discard()
        if thrown:
            self._remark(f"{len(thrown)} octets in plain text before the handshake, thrown away")
        mishap = self._choose("TLS")
        certificate = self._find_certificate(mishap or rule)
        if mishap is not None and (mishap.raw or mishap.reset or mishap.close == "before"):
            await self._announce(Verdict("tls", Reply(None, ())), mishap)
            self._open = False
            return
        if mishap is not None and mishap.delay:
            await self.world.clock.delay(mishap.delay)
        if certificate is None:
            raise WireError("there is no certificate for TLS")
        channel = await self.wire.start_tls(certificate.context)
        self._bindings = _bindings(certificate, channel.unique)
        self.side.handshaken()
        if self.tap is not None:
            self.tap.tls(channel.version, channel.cipher)

    def _certificate(self, rule: Rule | None) -> str:
        return (rule.certificate if rule is not None else "") or self.record.certificate

    def _find_certificate(self, rule: Rule | None) -> Certificate | None:
        from smtpshell.practice.certificates import make_certificate

        return make_certificate(self._certificate(rule), self.host.name, self.house.certified)

    # --- rules, wire and tap ----------------------------------------------------------------

    def _choose(
        self, place: str, request: Request | None = None, facts: dict[str, Value] | None = None
    ) -> Rule | None:
        book = self.house.rulebook
        if not book.looks_at(place):
            return None
        facts = bare_facts(self) if facts is None else facts
        parameters = request.command.parameters if request is not None else ()
        words = tuple(name if value is None else f"{name}={value}" for name, value in parameters)
        record = self.record
        scope = {"connection": record.number, "transaction": record.transaction + 1}
        scope["transaction"] += record.number << 32
        return book.choose(
            self.world,
            place,
            subject_of(request, self.world.scenario),
            facts,
            parameters=words,
            scope=scope,
        )

    async def _announce(self, verdict: Verdict, rule: Rule | None) -> Reply:
        """Send what answers no request, in the words of a rule if it has any."""
        reply = self._worded(verdict, rule, bare_facts(self))
        return await self._send(replace(verdict, reply=reply), rule)

    async def _send(self, verdict: Verdict, rule: Rule | None, *, copies: int = 1) -> Reply:
        """Send a reply in the manner that a rule asks for; return it."""
        reply = verdict.reply
        dripping = self.world.take_drip()
        if rule is None:
            await self._utter(wire_lines(reply) * copies, dripping)
        else:
            if rule.delay:
                await self.world.clock.delay(rule.delay)
            if rule.reset or rule.close == "before":
                self.wire.close(reset=rule.reset)
                self._open = False
                return reply
            if not rule.silent:
                octets = reply.raw if rule.raw else wire_lines(reply) * copies
                await self._utter(malform(octets, rule.faults), rule.drip or dripping)
        closing = rule is not None and rule.close == "after"
        if closing or reply.code in (421, 521):
            self._open = False
        return reply

    async def _utter(self, octets: bytes, drip: float = 0.0) -> None:
        if self.tap is not None:
            self.tap.server(octets)
        if not drip:
            await self.wire.write(octets)
            return
        for octet in octets:
            await self.wire.write(bytes([octet]))
            await self.world.clock.delay(drip)

    def _overhear(self) -> None:
        if self.tap is not None:
            self.tap.client(self.side.heard())

    def _remark(self, text: str) -> None:
        if self.tap is not None:
            self.tap.remark(text)

    async def dismiss(self) -> None:
        """Say 421, as a server does that is being shut down (RFC 5321 section 3.8)."""
        try:
            await asyncio.wait_for(self._announce(self.side.say("shutdown"), None), 0.2)
        except (WireError, TimeoutError):
            pass

    def is_published(self, mechanism: str, line: bytes) -> bool:
        """Tell whether a line of a login on this connection holds only published credentials."""
        from smtpshell.practice.accounts import is_published

        return is_published(self.world.scenario, mechanism, line, self._second_exchange)

    def _second_exchange(self) -> ServerExchange | None:
        from smtpshell.practice.accounts import replayed

        exchange, terms = self.side.exchange, self.side.terms
        return replayed(exchange, terms) if exchange is not None and terms is not None else None


def _bindings(certificate: Certificate, unique: bytes | None) -> tuple[ChannelBinding, ...]:
    from smtpshell.protocol.sasl import ChannelBinding

    bindings = (ChannelBinding("tls-server-end-point", certificate.end_point),)
    return bindings if unique is None else (*bindings, ChannelBinding("tls-unique", unique))
