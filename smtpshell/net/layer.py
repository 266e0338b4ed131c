"""TLS between the octets of the wire and plain ones, without I/O.

`loop.start_tls` would do the same work, but keeps to itself what a diagnosis needs: the first
octets that came in place of a handshake (they tell the wrong door), and whether the end of the
stream was announced by the peer (close_notify) or is a cut. So the link runs Python's `SSLObject`
over two memory buffers itself.
"""

from __future__ import annotations

import ssl

_FIRST_OCTETS = 16 * 1024  # of a handshake; enough for its messages in the clear
_PIECE = 64 * 1024


class TlsLayer:
    """One TLS connection: `receive` takes octets from the wire, `outgoing` gives octets for it.

    Raises ValueError (TypeError for NUL) when the name cannot be sent, or is needed and missing.
    """

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        if context.check_hostname and not server_hostname:  # wrap_bio would verify no name at all
            raise ValueError("a context that verifies names needs one")
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.object = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self.first_octets = b""
        self.established = False
        self.ended = False
        self._closing = False

    def receive(self, octets: bytes) -> bytes:
        """Take octets from the wire, carry the handshake on, and return what became plain.

        Raises ssl.SSLError where the peer's octets are not TLS, or break it; `outgoing` may then
        still hold the alert that tells the peer.
        """
        if not self.established and len(self.first_octets) < _FIRST_OCTETS:
            self.first_octets += octets[: _FIRST_OCTETS - len(self.first_octets)]
        self._incoming.write(octets)
        if not self.established:
            try:
                self.object.do_handshake()
            except ssl.SSLWantReadError:
                return b""
            self.established = True
        return self._plain()

    def _plain(self) -> bytes:
        pieces = []
        while not self.ended:
            try:
                piece = self.object.read(_PIECE)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                piece = b""
            if not piece:
                self.ended = True
                break
            pieces.append(piece)
        return b"".join(pieces)

    def send(self, octets: bytes) -> None:
        """Encrypt plain octets; they wait in `outgoing`."""
        view = memoryview(octets)
        while view:
            view = view[self.object.write(view) :]

    def close(self) -> None:
        """Announce the end of what we send (close_notify)."""
        if self._closing or not self.established:
            return
        self._closing = True
        try:
            self.object.unwrap()
            self.ended = True
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            return

    def outgoing(self) -> bytes:
        """Return the octets that must go out, and forget them."""
        return self._outgoing.read()
