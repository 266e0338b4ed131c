"""SOCKS5 and the PROXY header as pure values, octet by octet."""

from __future__ import annotations

import pytest

from smtpshell.net.errors import LinkError
from smtpshell.net.proxy import Proxy, ProxyHeader, proxy_v1, proxy_v2, socks5

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")


def play(proxy: Proxy, host: str, answers: list[bytes]) -> list[bytes]:
    """Play a negotiation with these answers; return what was sent."""
    steps = socks5(proxy, host, 25)
    sent = []
    step = next(steps)
    sent.append(step.send)
    for answer in answers:
        assert len(answer) == step.need
        try:
            step = steps.send(answer)
        except StopIteration:
            return sent
        sent.append(step.send)
    raise AssertionError("the negotiation did not end")


def test_no_login_and_a_name():
    """Without a user only "no login" is offered, and the name goes to the proxy as it is."""
    answers = [b"\x05\x00", b"\x05\x00\x00\x01", b"\x00" * 6]
    sent = play(Proxy("p"), "mx.example", answers)
    assert sent == [b"\x05\x01\x00", b"\x05\x01\x00\x03\x0amx.example\x00\x19", b""]


@pytest.mark.parametrize(
    ("host", "field"),
    [
        ("192.0.2.7", b"\x01\xc0\x00\x02\x07"),
        ("2001:db8::7", b"\x04" + bytes.fromhex("20010db8000000000000000000000007")),
        ("bücher.example", b"\x03\x15xn--bcher-kva.example"),
    ],
)
def test_addresses_are_sent_as_addresses(host, field):
    """IP addresses travel packed; other names in A-labels."""
    sent = play(Proxy("p"), host, [b"\x05\x00", b"\x05\x00\x00\x04", b"\x00" * 18])
    assert sent[1] == b"\x05\x01\x00" + field + b"\x00\x19"


def test_an_answer_with_a_name_is_read_whole():
    """A bound address in the form of a name is read by its length."""
    answers = [b"\x05\x00", b"\x05\x00\x00\x03", b"\x04", b"prox\x00\x01"]
    assert len(play(Proxy("p"), "mx.example", answers)) == 4


@pytest.mark.parametrize(
    ("proxy", "answers", "words"),
    [
        (Proxy("p"), [b"HT"], "no SOCKS5 proxy"),
        (Proxy("p"), [b"\x05\x02"], "none of our ways"),
        (Proxy("p", 1, "u", "x"), [b"\x05\x02", b"\x01\x01"], "user name or password"),
        (Proxy("p", 1, "u" * 256, "x"), [b"\x05\x02"], "too long"),
        (Proxy("p"), [b"\x05\x00", b"\x05\x02\x00\x01"], "rules do not allow"),
        (Proxy("p"), [b"\x05\x00", b"\x05\x63\x00\x01"], "code 99"),
        (Proxy("p"), [b"\x05\x00", b"\x04\x00\x00\x01"], "not SOCKS5"),
    ],
)
def test_refusals_are_told_without_the_password(proxy, answers, words):
    """Every refusal is a LinkError of kind proxy, in words, and names no secret."""
    with pytest.raises(LinkError, match=words) as caught:
        play(proxy, "mx.example", answers)
    assert caught.value.kind == "proxy"


@pytest.mark.parametrize("host", ["", "a" * 256, "é" * 70])
def test_names_that_do_not_fit(host):
    """A name that SOCKS5 cannot carry is refused before it is sent."""
    with pytest.raises(LinkError) as caught:
        play(Proxy("p"), host, [b"\x05\x00"])
    assert caught.value.kind == "resolve"


def test_proxies_are_read_from_text():
    """URLs with and without scheme, login and port are understood; the label hides the login."""
    assert Proxy.parse("p.example") == Proxy("p.example", 1080)
    assert Proxy.parse("socks5://p.example:9050") == Proxy("p.example", 9050)
    assert Proxy.parse("socks5h://ann:s%40c@[::1]:1") == Proxy("::1", 1, "ann", "s@c")
    assert Proxy.parse("ann:secre@p").label == "proxy p:1080"
    assert "secre" not in repr(Proxy.parse("ann:secre@p"))
    for text in ("", "http://p", "socks5://", "p:99999", "p:x", "[::1"):
        with pytest.raises(ValueError, match=r".+"):
            Proxy.parse(text)


def test_version_1_is_the_line_of_the_specification():
    """Version 1 is one line in ASCII, for each family and for unknown."""
    assert proxy_v1(("192.0.2.1", 40000), ("192.0.2.9", 25)) == (
        b"PROXY TCP4 192.0.2.1 192.0.2.9 40000 25\r\n"
    )
    assert proxy_v1(("2001:db8::1", 1), ("2001:db8::2", 2)) == (
        b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n"
    )
    assert proxy_v1(None, None) == b"PROXY UNKNOWN\r\n"


def test_version_2_is_the_header_of_the_specification():
    """Version 2 carries signature, command, family, length and packed addresses."""
    assert proxy_v2(("192.0.2.1", 40000), ("192.0.2.9", 25)) == (
        SIGNATURE + bytes.fromhex("2111000cc0000201c00002099c400019")
    )
    six = proxy_v2(("2001:db8::1", 1), ("2001:db8::2%eth0", 2))
    assert six[:16] == SIGNATURE + bytes.fromhex("21210024")
    assert len(six) == 16 + 36
    assert proxy_v2(None, None) == SIGNATURE + bytes.fromhex("20000000")


def test_the_header_falls_back_on_the_links_own_ends():
    """What the header leaves open comes from the link; `local` tells nothing."""
    own = (("127.0.0.1", 5), ("127.0.0.1", 25))
    assert ProxyHeader().encode(*own) == b"PROXY TCP4 127.0.0.1 127.0.0.1 5 25\r\n"
    header = ProxyHeader(source=("192.0.2.1", 9))
    assert header.encode(*own) == b"PROXY TCP4 192.0.2.1 127.0.0.1 9 25\r\n"
    assert ProxyHeader(2, local=True).encode(*own) == SIGNATURE + bytes.fromhex("20000000")
    assert ProxyHeader(local=True).encode(*own) == b"PROXY UNKNOWN\r\n"


@pytest.mark.parametrize("source", [("2001:db8::1", 9), ("mx.example", 9)])
def test_a_header_that_makes_no_sense_is_refused(source):
    """Two families, or a name in place of an address, are a LinkError of kind proxy."""
    with pytest.raises(LinkError) as caught:
        ProxyHeader(source=source).encode(("127.0.0.1", 5), ("127.0.0.1", 25))
    assert caught.value.kind == "proxy"
