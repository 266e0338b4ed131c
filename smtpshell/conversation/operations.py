"""Operations: what takes several lines, each of them sent through the conversation and seen there.

They add no second path: an operation sends what a person would type, and its replies are events
like any other.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from smtpshell.conversation.embedded import target_of, within
from smtpshell.conversation.outcome import OPTIONAL_TLS
from smtpshell.conversation.targets import PRACTICE, Target, parse_target
from smtpshell.conversation.terms import Broken, Options
from smtpshell.conversation.way import rewritten
from smtpshell.knowledge.providers import NAMES as PROVIDER_NAMES
from smtpshell.knowledge.providers import providers
from smtpshell.net.link import LinkOptions
from smtpshell.net.proxy import Proxy, ProxyHeader
from smtpshell.net.tls import TlsSettings
from smtpshell.protocol.errors import FileError, SmtpshellError, Status, UsageError
from smtpshell.protocol.message import MessageEncoder
from smtpshell.protocol.state import State
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import replace

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.replies import Reply

BLOCK = 1 << 18
"""Octets of a file that are read, stuffed and written at once."""


def options_from(settings: Settings) -> Options:
    """Return how to connect and wait, as the settings say.

    Where `tls` is verify, a handshake with a bad certificate fails, as scripts may demand;
    otherwise it goes through and the verdict tells.
    """
    folder = bool(settings["ca"]) and Path(settings["ca"]).is_dir()
    tls = TlsSettings(
        minimum=settings["tls-min"],
        maximum=settings["tls-max"],
        ciphers=settings["ciphers"],
        sni=settings["sni"],
        certificate=settings["cert"],
        key=settings["key"],
        ca_file="" if folder else settings["ca"],
        ca_folder=settings["ca"] if folder else "",
        verify=settings["tls"] == "verify" and settings["verify"],
    )
    link = LinkOptions(
        family=int(settings["family"].replace("any", "0")),
        source=settings["source"] or None,
        proxy=Proxy.parse(settings["proxy"]) if settings["proxy"] else None,
        proxy_protocol=ProxyHeader.parse(settings["proxy-protocol"])
        if settings["proxy-protocol"]
        else None,
    )
    return Options(settings.timeout, settings.timeout, link, tls)


async def resolve_target(desk: Desk, text: str) -> Target:
    """Turn what a user named into a target.

    `practice` starts the practice server; a provider's name stands for its host and port; a domain
    behind `mx:` for the host that a sender would try first. While the practice server runs, the
    hosts of its world go before those of the real one. Raises `SmtpshellError`.
    """
    text = text.strip()
    if text == PRACTICE:
        server = desk.practice or await desk.start_practice()
        return target_of(server)
    if text.lower() in PROVIDER_NAMES:
        provider = providers()[text.lower()]
        return replace(parse_target(provider.url), provider=provider.name)
    if text.startswith("mx:"):
        return await _mail_host(desk, text.removeprefix("mx:"))
    target = parse_target(text)
    return (within(desk.practice, target) if desk.practice else None) or target


async def _mail_host(desk: Desk, domain: str) -> Target:
    """Return the host that a sender would try first for mail to a domain (RFC 5321 section 5.1)."""
    from smtpshell.conversation.lookups.base import resolver_for
    from smtpshell.lookup import mx

    settings = desk.settings
    resolver = resolver_for(settings, settings.nameservers, settings.zone, settings.dns_timeout)
    found = await mx.lookup(resolver, domain)
    if not found.first:
        problem = next((item.text for item in found.problems), "no host takes its mail")
        raise SmtpshellError(
            problem.rstrip("."),
            f"mx:{domain}",
            f"/mx {domain} shows how it was found.",
            status=Status.CONNECT,
        )
    first = found.first[0]
    desk.conversation.remark(f"{domain} takes its mail at {first.host} first.")

    async def known(_host: str, _port: int, family: int) -> list[str]:
        wanted = {4: first.ip4.records, 6: first.ip6.records}
        return list(wanted.get(family, first.addresses))

    return replace(parse_target(first.host), resolve=known)


async def open_target(desk: Desk, target: Target) -> None:
    """Connect, and upgrade to TLS where the target or the setting `tls` says so."""
    await connect(desk, target)
    if desk.conversation.snapshot.state is State.START:
        await secure(desk)


async def connect(desk: Desk, target: Target, *, greeting: bool = True) -> None:
    """Connect, and wait for the greeting unless told not to.

    Raises `UsageError` where TLS is both asked for and forbidden.
    """
    if target.security == "tls" and desk.settings["tls"] == "never":
        raise UsageError(
            "this target begins with TLS, and --tls never forbids it",
            target.label,
            "Drop one of the two.",
        )
    await desk.conversation.connect(target, greeting=greeting)


async def secure(desk: Desk) -> None:
    """Upgrade to TLS as far as the setting `tls` and the target demand it; greets where needed.

    Raises `SmtpshellError` with status TLS when TLS is demanded and cannot be had.
    """
    conversation = desk.conversation
    target, policy = conversation.target, desk.settings["tls"]
    asked = target is not None and target.security == "starttls"
    demanded = policy in ("verify", "required") or (asked and policy != "never")
    if conversation.encrypted or not (demanded or policy == "optional"):
        return
    with conversation.driven("starttls" if demanded else OPTIONAL_TLS):
        await _upgrade(desk, demanded=demanded)


async def _upgrade(desk: Desk, *, demanded: bool) -> None:
    conversation = desk.conversation
    if conversation.snapshot.helo is None:
        await hello(desk)
    extensions = conversation.snapshot.extensions
    if extensions is not None and "STARTTLS" in extensions:
        try:
            await starttls(desk)
        except Broken:
            raise
        except SmtpshellError:
            if demanded:
                raise
            conversation.remark("The server refused STARTTLS; the session goes on in the clear.")
    elif demanded:
        raise SmtpshellError(
            "the server does not offer STARTTLS, and TLS is demanded",
            conversation.snapshot.target,
            "Port 465 (submissions://) may have TLS at once; --tls optional goes on without.",
            status=Status.TLS,
        )


def own_name(desk: Desk) -> str:
    """Return the name to greet with: the setting, or an address literal of our own end.

    RFC 5321 section 4.1.4: a host without a meaningful name sends an address literal.
    """
    if desk.settings["helo"]:
        return str(desk.settings["helo"])
    if desk.conversation.snapshot.helo:
        return str(desk.conversation.snapshot.helo)
    name = socket.gethostname()
    if "." in name:
        return name
    link = desk.conversation.link
    address = link.local_address if link is not None else ""
    if not address or "/" in address:
        return "localhost"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


async def hello(desk: Desk, name: str = "") -> Reply | None:
    """Greet with EHLO (LHLO in LMTP), by the given name or our own."""
    verb = "LHLO" if desk.conversation.snapshot.lmtp else "EHLO"
    return await desk.conversation.command(f"{verb} {name or own_name(desk)}")


async def starttls(desk: Desk) -> None:
    """Upgrade the connection, greet again, and show what the second EHLO changed.

    Raises `SmtpshellError` with status TLS when the server does not offer it or refuses.
    """
    from smtpshell.conversation.report import Row
    from smtpshell.protocol.extensions import difference

    conversation = desk.conversation
    if conversation.encrypted:
        raise SmtpshellError("the connection is encrypted already", status=Status.USAGE)
    if conversation.snapshot.extensions is None:
        await hello(desk)
    before, name = conversation.snapshot.extensions, own_name(desk)
    if before is not None and "STARTTLS" not in before:
        conversation.remark("The server does not offer STARTTLS; trying it anyway.")
    reply = await conversation.command("STARTTLS")
    if not conversation.snapshot.tls:
        code = reply.code if reply is not None else "nothing"
        way = f"{words} " if (words := rewritten(conversation.snapshot)) else ""
        if conversation.snapshot.sender is not None:
            way = "RSET ends the transaction; then try again. "
        raise SmtpshellError(
            f"STARTTLS was answered with {code}",
            conversation.snapshot.target,
            f"{way}Nothing secret should be sent here. Port 465 (smtps://) may offer TLS at once.",
            status=Status.TLS,
        )
    await hello(desk, name)
    after = conversation.snapshot.extensions
    if before is None or after is None:
        return
    changes = difference(before, after)
    rows = [Row(visible(item.raw), "good", label="new with TLS") for item in changes.added]
    rows += [Row(visible(item.raw), "dim", label="gone with TLS") for item in changes.removed]
    rows += [
        Row(visible(f"{old.raw} -> {new.raw}"), label="changed") for old, new in changes.changed
    ]
    facts = {
        "new": [item.raw for item in changes.added],
        "gone": [item.raw for item in changes.removed],
        "changed": [[old.raw, new.raw] for old, new in changes.changed],
    }
    desk.show(rows or [Row("The two EHLO replies announce the same.", "dim")], facts)


def read_blocks(path: Path) -> Iterator[bytes]:
    """Yield a file's octets in blocks; raises `FileError`."""
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error


def as_message(blocks: Iterator[bytes], *, stuffing: bool) -> Iterator[bytes]:
    """Yield a message as it goes over the wire, up to but without the line with the dot."""
    encoder = MessageEncoder(normalise=stuffing, dots=stuffing, counted=False)
    end = b"\r\n"
    for block in blocks:
        piece = encoder.feed(block)
        end = (end + piece[-2:])[-2:]
        yield piece
    tail = encoder.close().removesuffix(b".\r\n") if stuffing else encoder.close()
    yield tail if stuffing or (end + tail).endswith(b"\n") else tail + b"\r\n"


async def send_file(desk: Desk, path: Path) -> None:
    """Send DATA, a file as the message, and the dot; raises `FileError` before anything is sent."""
    conversation = desk.conversation
    try:
        size = path.stat().st_size
        path.open("rb").close()
    except OSError as error:
        raise FileError.from_os(error, path, "read") from error
    if not conversation.in_message:
        await conversation.command("DATA")
        if not conversation.in_message:
            return
    with desk.progress(path.name, size) as step:
        blocks = as_message(read_blocks(path), stuffing=desk.settings.stuffing)
        await conversation.send_body(blocks, path.name, step)
    await conversation.command(".")
