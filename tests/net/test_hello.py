"""The key exchange group from clear handshake octets, whatever they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smtpshell.net.hello import key_exchange_group


def record(kind: int, body: bytes) -> bytes:
    """Wrap a handshake message into a record."""
    message = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message


def server_hello(extensions: bytes) -> bytes:
    """Make a ServerHello with these extensions."""
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x13\x01\x00"
    return record(2, body + len(extensions).to_bytes(2, "big") + extensions)


def test_key_share_of_tls_1_3():
    """The group stands in the key_share extension, wherever it is among the extensions."""
    versions = b"\x00\x2b\x00\x02\x03\x04"
    share = b"\x00\x33\x00\x04\x11\xec\x00\x00"
    assert key_exchange_group(server_hello(versions + share)) == "X25519MLKEM768"
    assert key_exchange_group(server_hello(share + versions)) == "X25519MLKEM768"
    assert key_exchange_group(server_hello(versions)) is None


def test_server_key_exchange_of_tls_1_2():
    """The group stands in the ServerKeyExchange, which may span records."""
    whole = record(12, b"\x03\x00\x17\x41" + bytes(65))
    assert key_exchange_group(server_hello(b"") + whole) == "secp256r1"
    message = whole[5:]
    halves = [message[:10], message[10:]]
    cut = b"".join(b"\x16\x03\x03" + len(half).to_bytes(2, "big") + half for half in halves)
    assert key_exchange_group(cut) == "secp256r1"


def test_an_unknown_group_is_told_by_its_number():
    """A group that is not in the table is named by its number."""
    assert key_exchange_group(server_hello(b"\x00\x33\x00\x04\xfa\xfa\x00\x00")) == "group 0xfafa"


@given(st.binary(max_size=200))
def test_no_octets_make_it_raise(octets):
    """Whatever a server sends gives a name or None."""
    for tried in (octets, b"\x16\x03\x03\x00\xff" + octets, record(2, octets), record(12, octets)):
        found = key_exchange_group(tried)
        assert found is None or isinstance(found, str)
