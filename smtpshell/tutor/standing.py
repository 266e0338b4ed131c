"""Where a session stands, as far as a lesson compares it, and how two standings differ in words."""

from __future__ import annotations

from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.state import Mode, State
from smtpshell.protocol.text import visible
from smtpshell.protocol.values import dataclass
from smtpshell.tutor.meaning import same_address

_MODES = {
    Mode.COMMAND: "a command is expected",
    Mode.DATA: "message data is expected",
    Mode.OCTETS: "octets of a chunk are expected",
    Mode.ANSWER: "an answer to a challenge is expected",
    Mode.CLOSED: "there is no connection",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts of a session: connection, TLS, login, greeting, envelope, and what comes next."""

    connected: bool = False
    said_goodbye: bool = False
    mode: Mode = Mode.CLOSED
    tls: bool = False
    logged_in: bool = False
    helo: str | None = None
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    user: str = ""

    @classmethod
    def of(cls, snapshot: Snapshot, user: str = "") -> Standing:
        """Return the standing of a session; `user` is who is logged in, as the server knows it."""
        ended = not snapshot.connected or snapshot.state is State.QUIT
        if ended:
            return cls(connected=False, said_goodbye=snapshot.state is State.QUIT)
        return cls(
            connected=True,
            mode=snapshot.mode,
            tls=snapshot.tls,
            logged_in=snapshot.user is not None,
            helo=snapshot.helo,
            sender=snapshot.sender,
            recipients=snapshot.recipients,
            user=user if snapshot.user is not None else "",
        )


def differences(expected: Standing, found: Standing) -> list[str]:
    """Say, one sentence part each, how a standing differs from the expected one; none if equal."""
    if expected.connected != found.connected:
        return ["the connection should be open" if expected.connected else "it is still open"]
    if not expected.connected:
        return []
    words: list[str] = []
    if expected.tls != found.tls:
        words.append(f"the connection is {'not ' if expected.tls else ''}encrypted")
    if expected.logged_in != found.logged_in:
        words.append(f"you are {'not ' if expected.logged_in else ''}logged in")
    elif expected.user and found.user and expected.user != found.user:
        words.append(f"you are logged in as {visible(found.user)}, not as {visible(expected.user)}")
    if (expected.helo or "").casefold() != (found.helo or "").casefold():
        words.append(_compared("the name you greeted with", expected.helo, found.helo))
    if not same_address(expected.sender, found.sender):
        words.append(_compared("the envelope sender", expected.sender, found.sender))
    elif not _same_set(expected.recipients, found.recipients):
        words.append(_recipients(expected.recipients, found.recipients))
    if not words and expected.mode is not found.mode:
        words.append(_MODES[found.mode])
    return words


def _compared(what: str, expected: str | None, found: str | None) -> str:
    have = "missing" if found is None else visible(found) or "<>"
    if expected is None:
        return f"{what} is {have}, there should be none yet"
    return f"{what} is {have}, it should be {visible(expected) or '<>'}"


def _same_set(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return len(one) == len(other) and all(
        any(same_address(left, right) for right in other) for left in one
    )


def _recipients(expected: tuple[str, ...], found: tuple[str, ...]) -> str:
    missing = [each for each in expected if not any(same_address(each, one) for one in found)]
    extra = [each for each in found if not any(same_address(each, one) for one in expected)]
    if extra:
        return f"{visible(', '.join(extra))} should not be a recipient"
    if missing:
        return f"the recipient {visible(', '.join(missing))} is missing"
    return "a recipient stands twice"
