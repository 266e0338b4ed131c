"""Logging in: AUTH from the choice of a mechanism to the server's verdict, every line of it seen.

Exactly one attempt is made: servers count failures, and some lock an account after three. Where a
password would travel as it is (PLAIN, LOGIN, the bearer tokens), the channel must be encrypted and
the server's certificate good, or a person must say yes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtpshell.conversation.caution import is_safe
from smtpshell.conversation.connectionflags import ALLOW_CLEARTEXT
from smtpshell.conversation.operations import hello
from smtpshell.conversation.passwords import find_secret
from smtpshell.conversation.report import Report, Row
from smtpshell.protocol import sasl
from smtpshell.protocol.errors import SmtpshellError, Status
from smtpshell.protocol.sasl.exchange import ClientExchange
from smtpshell.protocol.secrets import HIDDEN
from smtpshell.protocol.state import Mode
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass

if TYPE_CHECKING:
    from smtpshell.conversation.desk import Desk
    from smtpshell.protocol.replies import Reply
    from smtpshell.protocol.sasl import ChannelBinding, Mechanism

BINDING_ORDER = ("tls-exporter", "tls-server-end-point", "tls-unique")
_TOKEN = "token"  # noqa: S105 - the name of a need, not a secret
WRONG_CREDENTIALS = 535
"""The code of a login that was understood and failed (RFC 4954 section 6)."""

_ROUNDS = 10
"""Challenges that are answered before a server is taken to be making fun of us."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a login is to be tried with. Empty fields are chosen or asked for."""

    mechanism: str = ""
    user: str = ""
    authzid: str = ""
    show: bool = False


async def authenticate(desk: Desk, login: Login) -> Reply:
    """Log in and return the last reply.

    Raises `SmtpshellError` with status AUTH when it was not tried or did not succeed, `SaslError`
    when the server did not keep its side of the mechanism.
    """
    conversation = desk.conversation
    if conversation.snapshot.helo is None:
        await hello(desk)
    offered = _offered(desk)
    binding = _binding(desk, (login.mechanism,) if login.mechanism else offered)
    host = conversation.target.host if conversation.target is not None else ""
    row = _chosen(desk, login, offered, binding)
    if row.name not in offered:
        conversation.remark(f"{row.name} is not among what the server offers; trying it anyway.")
    await _mind_the_channel(desk, row)
    credentials = await _credentials(desk, login, row, host)
    exchange = ClientExchange(
        row.name,
        credentials,
        offered=offered,
        binding=binding,
        nonce=conversation.target.nonce if conversation.target is not None else None,
        host=host,
        port=conversation.snapshot.port,
    )
    try:
        reply = await _exchange(desk, exchange, row.name)
    finally:
        if login.show:
            show_tokens(desk, exchange, row)
    if reply.family != 2:
        raise SmtpshellError(
            f"the login was refused with {reply.code}"
            + ("" if desk.interactive else f": {visible(reply.text).rstrip('.')}"),
            f"AUTH {row.name}",
            row.failure if reply.code == WRONG_CREDENTIALS else "/why tells what it may be.",
            status=Status.AUTH,
        )
    exchange.accepted()
    conversation.session.logged_in_as(credentials.user or "anonymous")
    return reply


def _offered(desk: Desk) -> tuple[str, ...]:
    snapshot = desk.conversation.snapshot
    offered = snapshot.extensions.auth_mechanisms if snapshot.extensions is not None else ()
    if not offered:
        advice = (
            "Many servers offer it only inside TLS: try /starttls."
            if not snapshot.tls
            else "Logins go to the submission port, 587 or 465; port 25 is between servers."
        )
        desk.conversation.remark(f"The server offers no AUTH. {advice}")
    return offered


def _binding(desk: Desk, possible: tuple[str, ...]) -> ChannelBinding | None:
    """Return the channel binding to use, if the channel has one and a possible mechanism can."""
    link = desk.conversation.link
    binds = any(name.upper().startswith("SCRAM-") for name in possible)
    if link is None or link.ssl_object is None or not binds:
        return None
    from smtpshell.net.bindings import channel_bindings

    had = channel_bindings(link.ssl_object)
    for kind in BINDING_ORDER:
        if kind in had:
            return sasl.ChannelBinding(kind, had[kind])
    return None


def _chosen(
    desk: Desk, login: Login, offered: tuple[str, ...], binding: ChannelBinding | None
) -> Mechanism:
    """Return the mechanism asked for, or the best that is offered."""
    if login.mechanism:
        return sasl.mechanism(login.mechanism)
    supposed = sasl.Credentials("user", password="", certificate=bool(desk.settings["cert"]))
    row = sasl.best(offered, supposed, desk.conversation.snapshot.tls, binding)
    if row is None and not offered:
        raise SmtpshellError(
            "there is no mechanism to choose from",
            "/auth",
            "/auth PLAIN USER would try that one all the same.",
            status=Status.AUTH,
        )
    if row is None:
        raise SmtpshellError(
            f"no offered mechanism can be used without more (offered: {' '.join(offered)})",
            "/auth",
            "Name one with /auth MECHANISM USER; XOAUTH2 and OAUTHBEARER ask for a token.",
            status=Status.AUTH,
        )
    return row


async def _credentials(desk: Desk, login: Login, row: Mechanism, host: str) -> sasl.Credentials:
    certificate = bool(desk.settings["cert"])
    if not row.needs & {"password", _TOKEN}:
        return sasl.Credentials(login.user, authzid=login.authzid, certificate=certificate)
    user = login.user or str(desk.settings["user"])
    if not user:
        user = await desk.ask_text("user name: ") or ""
    if not user:
        raise SmtpshellError(
            "no user name was given", "/auth", "Write /auth MECHANISM USER.", status=Status.AUTH
        )
    wants_token = _TOKEN in row.needs
    user, secret = await find_secret(desk, host, user, _TOKEN if wants_token else "password")
    return sasl.Credentials(
        user,
        password=None if wants_token else secret,
        token=secret if wants_token else None,
        authzid=login.authzid,
        certificate=certificate,
    )


async def _mind_the_channel(desk: Desk, row: Mechanism) -> None:
    """Ask before a password travels where others may read it; raises `SmtpshellError` on a no."""
    conversation = desk.conversation
    target = conversation.target
    if not row.plaintext or (target is not None and target.is_practice):
        return
    if is_safe(conversation.verdict, desk.settings):
        return
    why = (
        "the server's certificate is not good"
        if conversation.encrypted
        else "the connection is not encrypted"
    )
    question = f"{row.name} sends the password as good as in the clear, and {why}. Send it?"
    if not await desk.ask(question, flag=ALLOW_CLEARTEXT):
        raise SmtpshellError(
            f"no password was sent, because {why}", f"AUTH {row.name}", status=Status.AUTH
        )


async def _exchange(desk: Desk, exchange: ClientExchange, name: str) -> Reply:
    """Carry the tokens of an exchange to the server and back; return the final reply."""
    conversation = desk.conversation
    initial = exchange.start()
    first = "" if initial is None else f" {sasl.encode_line(initial, initial=True)}"
    reply = await conversation.command(f"AUTH {name}{first}")
    for _ in range(_ROUNDS):
        if conversation.mode is not Mode.ANSWER or reply is None:
            break
        try:
            answer = exchange.answer(sasl.decode_line(reply.lines[-1] if reply.lines else ""))
        except sasl.SaslError:
            await conversation.command(sasl.CANCEL)
            raise
        reply = await conversation.command(sasl.encode_line(answer))
    if conversation.mode is Mode.ANSWER:
        reply = await conversation.command(sasl.CANCEL)
    if reply is None:
        raise SmtpshellError("no reply to AUTH", name, status=Status.AUTH)
    return reply


def show_tokens(desk: Desk, exchange: ClientExchange, row: Mechanism) -> None:
    """Show the anatomy of an exchange: each token, decoded field by field, secrets hidden."""
    from smtpshell.protocol.sasl.anatomy import anatomy

    report: Report = [Row(f"{row.name}: {row.summary} ({row.section})", "title")]
    tokens = []
    for token in exchange.tokens:
        octets = len(token.octets)
        report.append(
            Row(f"{token.direction}, token {token.step}, {octets} octets", token.direction)
        )
        fields = [
            {
                "name": field.name,
                "value": HIDDEN if field.secret else visible(field.value),
                "meaning": field.meaning,
            }
            for field in anatomy(row.name, token.direction, token.step, token.octets)
        ]
        report += [
            Row(f"{field['value']}   {field['meaning']}", indent=1, label=field["name"])
            for field in fields
        ]
        tokens.append({"from": token.direction, "octets": octets, "fields": fields})
    report += [
        Row(row.eavesdropper, label="an eavesdropper learns", indent=1),
        Row(row.failure, label="a wrong password", indent=1),
        Row(row.stores, label="the server stores", indent=1),
    ]
    lessons = {
        "eavesdropper": row.eavesdropper,
        "wrong_password": row.failure,
        "server_stores": row.stores,
    }
    desk.show(report, {"mechanism": row.name, "tokens": tokens, **lessons})
