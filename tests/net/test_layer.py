"""The TLS layer without a network: two ends wired together, also octet by octet."""

from __future__ import annotations

import ssl

import pytest

from smtpshell.net.hello import key_exchange_group
from smtpshell.net.layer import TlsLayer
from smtpshell.net.tls import TlsSettings, make_context
from tests.net.helpers import authority

HOST = "layer.example"


class Pair:
    """Our layer and a server's end, with the octets between them passed by hand."""

    def __init__(self, step: int = 0, **bounds) -> None:
        context = authority().issue(HOST).context(**bounds)
        self.layer = TlsLayer(make_context(TlsSettings()), HOST)
        self.to_server, self.from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = context.wrap_bio(self.to_server, self.from_server, server_side=True)
        self.step = step
        self.plain = b""

    def pump(self) -> None:
        """Carry octets over until both sides are quiet."""
        while True:
            out = self.layer.outgoing()
            self.to_server.write(out)
            if not self.shaken:
                try:
                    self.server.do_handshake()
                    self.shaken = True
                except ssl.SSLWantReadError:
                    pass
            back = self.from_server.read()
            if not back and not out:
                return
            size = self.step or len(back) or 1
            for start in range(0, len(back), size):
                self.plain += self.layer.receive(back[start : start + size])

    shaken = False

    def shake(self) -> None:
        """Do the whole handshake."""
        self.plain += self.layer.receive(b"")
        self.pump()
        assert self.shaken
        assert self.layer.established


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_directions_pass_whole_and_octet_by_octet(step, version):
    """However the octets are cut, what one end says the other hears, and the end is announced."""
    pair = Pair(step, minimum=version, maximum=version)
    pair.shake()
    pair.server.write(b"220 hello\r\n" * 3000)
    pair.pump()
    assert pair.plain == b"220 hello\r\n" * 3000
    pair.layer.send(b"y" * 100_000)
    pair.pump()
    got = b""
    while len(got) < 100_000:
        got += pair.server.read(65536)
    assert got == b"y" * 100_000
    assert not pair.layer.ended
    with pytest.raises(ssl.SSLWantReadError):
        pair.server.unwrap()
    pair.pump()
    assert pair.layer.ended


def test_closing_is_announced_once():
    """close() sends one close_notify, however often it is called, and the peer sees the end."""
    pair = Pair()
    pair.layer.close()
    assert pair.layer.outgoing() == b""
    pair.shake()
    pair.layer.close()
    pair.layer.close()
    pair.pump()
    assert pair.server.read(10) == b""
    pair.server.unwrap()
    pair.pump()
    assert pair.layer.ended


def test_what_comes_after_our_close_is_harmless():
    """Octets of a peer that talks on after our close_notify harm nothing."""
    pair = Pair()
    pair.shake()
    pair.server.write(b"421 late\r\n")
    pair.layer.close()
    pair.pump()
    assert pair.server.read(10) == b""
    pair.server.unwrap()
    pair.pump()
    assert pair.layer.ended


@pytest.mark.parametrize(
    ("version", "ciphers", "groups"),
    [
        (ssl.TLSVersion.TLSv1_3, None, {"x25519", "X25519MLKEM768"}),
        (ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM", {"x25519", "X25519MLKEM768"}),
    ],
)
def test_the_group_is_read_from_the_servers_first_octets(version, ciphers, groups):
    """Under both versions the key exchange group is found in the clear octets."""
    more = {"ciphers": ciphers} if ciphers else {}
    pair = Pair(minimum=version, maximum=version, **more)
    pair.shake()
    assert key_exchange_group(pair.layer.first_octets) in groups


def test_another_group_is_told_too():
    """When the server insists on another curve (and asks for a second hello), it is told."""
    pair = Pair(minimum=ssl.TLSVersion.TLSv1_3)
    context = authority().issue(HOST).context(minimum=ssl.TLSVersion.TLSv1_3)
    context.set_ecdh_curve("secp384r1")
    pair.server = context.wrap_bio(pair.to_server, pair.from_server, server_side=True)
    pair.shake()
    assert key_exchange_group(pair.layer.first_octets) == "secp384r1"
