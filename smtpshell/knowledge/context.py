"""What is known besides the reply itself: the command it answers and the session around it.

Every field is optional. The explainer says more the more it is told, and never needs to be told
anything: a reply pasted from a log comes with the empty context.
"""

from __future__ import annotations

from collections.abc import Mapping

from smtpshell.protocol.values import dataclass, field

VERB_NAMES: dict[str, str] = {
    "GREETING": "CONNECT",
    "BANNER": "CONNECT",
    "HELO": "EHLO",
    "LHLO": "EHLO",
    "EOD": "MESSAGE",
    "END-OF-DATA": "MESSAGE",
    ".": "MESSAGE",
    "BODY": "MESSAGE",
    "BDAT": "MESSAGE",
    "SEND": "MAIL",
    "SOML": "MAIL",
    "SAML": "MAIL",
    "AUTH-RESPONSE": "AUTH",
}
"""Names under which a command may come, and the one that the tables of this room use."""


@dataclass(frozen=True, slots=True)
class Context:
    """The facts of a session at the moment of a reply; None or empty means "not known".

    `verb` is the command that the reply answers: a verb, CONNECT for the greeting, MESSAGE for the
    end of the message data; the names in `VERB_NAMES` are understood too. `line` is that command
    as sent (secrets redacted). `host` is what we are connected to, by the name the user gave.
    `message_size` and `size_limit` count octets. `recipients` were accepted, `refused` were not.
    `recipient_mx` tells whether `host` is a mail exchanger of the recipient's domain.
    `client_address` is our own address as the server sees it. `ms` is how long the reply took.
    `driven` says that a program carries on the dialogue, or has already: there is nothing to type.
    `quoted` says that the session is read from a text: nothing of it is at hand any more.
    `early` tells what was not sent whole yet when the reply came, `hasty` what the client did not
    wait for: keys of `protocol.pairing.EARLY` and `HASTY`.
    """

    verb: str | None = None
    line: str = ""
    state: str = ""
    host: str = ""
    port: int | None = None
    tls: bool | None = None
    tls_verified: bool | None = None
    banner: str = ""
    extensions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    auth_mechanisms: tuple[str, ...] = ()
    user: str | None = None
    mechanism: str | None = None
    helo: str = ""
    esmtp: bool | None = None
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    message_size: int | None = None
    size_limit: int | None = None
    recipient_mx: bool | None = None
    client_address: str = ""
    provider: str | None = None
    practice: bool = False
    unasked: bool = False
    driven: bool = False
    quoted: bool = False
    early: str = ""
    hasty: str = ""
    ms: float | None = None

    @property
    def command(self) -> str:
        """The verb under its one name in this room's tables, or "" when it is not known."""
        if not self.verb:
            return ""
        verb = self.verb.upper()
        return VERB_NAMES.get(verb, verb)
