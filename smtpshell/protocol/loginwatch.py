"""A login as the session sees it go by: the mechanism, the challenges, and whom it claims to be.

The lines of a login are hidden before they become events, so what may be known of it is taken from
them here: the name of the mechanism, how many challenges have come, and the user's name, which is
no secret. Passwords, proofs and tokens are not kept.
"""

from __future__ import annotations

from smtpshell.protocol.secrets import is_mechanism


class LoginWatch:
    """Follows one AUTH after the other; `mechanism` is None while no login is under way.

    `challenges` counts the 334s of the login under way, `user` is whom it claims to be. `refused`
    says that the last login failed and no command has been sent since: what is typed then may
    still be meant for it.
    """

    def __init__(self) -> None:
        self.mechanism: str | None = None
        self.challenges = 0
        self.user: str | None = None
        self.refused = False
        self._prompt = ""

    def begin(self, argument: str) -> tuple[str, str]:
        """Note an AUTH command; return its mechanism ("" where that can be none) and the rest."""
        name, _, response = argument.partition(" ")
        self.mechanism = name.upper() if is_mechanism(name) else None
        self.challenges = 0
        self.user = None
        self._prompt = ""
        if response.strip():
            self.answered(response.strip())
        return self.mechanism or "", response.strip()

    def challenged(self, text: str) -> None:
        """Note a 334 by its text."""
        self.challenges += 1
        self._prompt = text

    def answered(self, line: str) -> None:
        """Note a line of the client's: its initial response, or an answer to a challenge."""
        if self.user is None and self.mechanism is not None:
            from smtpshell.protocol.sasl.claims import claimed_user

            self.user = claimed_user(self.mechanism, self._prompt, line)

    def ended(self, *, refused: bool) -> None:
        """Note the reply that ended the login."""
        self.mechanism = None
        self.challenges = 0
        self.refused = refused
