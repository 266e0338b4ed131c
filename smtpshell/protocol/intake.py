"""Where a server keeps what has arrived until it knows what it is, within bounds.

The same octets are a command, a line of a message or part of a chunk, depending on the reply to
what came before; so they wait here, and are taken out in the one way that fits the moment.
"""

from __future__ import annotations

from smtpshell.protocol.values import dataclass


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line that was too long to keep, and how many octets it had with its line end."""

    octets: int


class Intake:
    """A buffer that gives lines or counted octets; lines beyond `line_stored` are dropped.

    With `recording`, what is taken out is also kept for `heard`, in the order of the taking.
    """

    __slots__ = ("_buffer", "_dropped", "_heard", "_line_stored")

    def __init__(self, line_stored: int, *, recording: bool = False) -> None:
        self._buffer = bytearray()
        self._dropped = 0
        self._heard = bytearray() if recording else None
        self._line_stored = line_stored

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, octets: bytes) -> None:
        """Add octets at the end."""
        self._buffer += octets

    def give_back(self, octets: bytes) -> None:
        """Put octets that were taken out last back in front."""
        self._buffer[:0] = octets
        if self._heard is not None:
            del self._heard[len(self._heard) - len(octets) :]

    def heard(self) -> bytes:
        """Return what was taken out since this was last asked; nothing without `recording`."""
        if self._heard is None:
            return b""
        octets = bytes(self._heard)
        self._heard.clear()
        return octets

    def take(self, most: int | None = None) -> bytes:
        """Take out everything, or at most so many octets."""
        taken = bytes(self._buffer[:most])
        del self._buffer[: len(taken)]
        if self._heard is not None:
            self._heard += taken
        return taken

    def discard(self) -> bytes:
        """Throw everything away, unheard, and return it."""
        thrown = bytes(self._buffer)
        self._buffer.clear()
        return thrown

    def line(self) -> bytes | Overlong | None:
        """Take out a line with its LF; None when none is complete."""
        end = self._buffer.find(b"\n") + 1
        if not end:
            if self._dropped or len(self._buffer) > self._line_stored:
                self._dropped += len(self.take())
            return None
        line = self.take(end)
        if not self._dropped and end <= self._line_stored:
            return line
        octets, self._dropped = self._dropped + end, 0
        return Overlong(octets)

    def piece(self) -> bytes:
        """Take out a line with its LF, however long, or what there is of one."""
        end = self._buffer.find(b"\n") + 1
        return self.take(end or None)
