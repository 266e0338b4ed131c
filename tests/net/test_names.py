"""Whether a certificate's names cover a host, case by case and against the ssl module."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.net.names import ascii_name, covers, matches, packed_address

CASES = [
    ("mx.example", "mx.example", True),
    ("MX.Example", "mx.eXample.", True),
    ("mx.example", "mx2.example", False),
    ("*.mail.example", "mx.mail.example", True),
    ("*.mail.example", "mail.example", False),
    ("*.mail.example", "a.b.mail.example", False),
    ("*.example", "mx.example", False),  # directly above a top-level domain
    ("mx*.mail.example", "mx1.mail.example", False),
    ("*x.mail.example", "mx.mail.example", False),
    ("mx.*.example", "mx.mail.example", False),
    ("*.*.example", "mx.mail.example", False),
    ("*", "localhost", False),
    ("", "", False),
    ("*.mail.example", ".mail.example", False),
    ("xn--bcher-kva.mail.example", "bücher.mail.example", True),
]


@pytest.mark.parametrize(("pattern", "host", "result"), CASES)
def test_names_match_as_rfc_9525_says(pattern, host, result):
    """Case and final dots do not count; a wildcard is one whole leftmost label."""
    assert matches(pattern, host) is result


def test_addresses_are_compared_as_addresses():
    """An address is covered by an IP address alone, in whatever way it is written."""
    assert covers("2001:db8:0:0::1", (), ("2001:db8::1",))
    assert covers("[2001:db8::1]", (), ("2001:db8::1",))
    assert covers("192.0.2.1", (), ("192.0.2.1",))
    assert not covers("192.0.2.1", ("192.0.2.1",), ())
    assert not covers("192.0.2.1", ("*.0.2.1",), ("192.0.2.2",))
    assert not covers("mx.example", (), ("192.0.2.1",))


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_makes_matching_raise(pattern, host):
    """Names are foreign text: comparing them always gives an answer."""
    assert matches(pattern, host) in (True, False)
    assert isinstance(ascii_name(pattern), str)
    assert packed_address(host) is None or len(packed_address(host)) in (4, 16)


def test_the_ssl_module_agrees():
    """On names of plain letters our answer is that of the ssl module's handshake."""
    from tests.net.helpers import authority

    for pattern, host, expected in CASES:
        if not pattern.isascii() or not host.strip(".") or host.startswith(".") or not pattern:
            continue
        server = authority().issue(pattern).context()
        client = ssl.create_default_context(cadata=authority().pem.decode())
        assert _handshake(client, server, host.rstrip(".")) is expected, (pattern, host)


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> bool:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=host)
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for end in (ours, theirs):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True
