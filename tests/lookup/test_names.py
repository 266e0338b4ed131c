"""Names: labels, presentation format and both forms of IDNA."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.lookup import names
from smtpshell.lookup.names import BadNameError

LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=4).map(tuple)


@given(LABELS)
def test_text_is_exact(labels):
    """Whatever octets a name holds, its text reads back as the same name."""
    if sum(len(label) + 1 for label in labels) < 255:
        assert names.parse(names.text(labels)) == labels


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_a_bad_name(text):
    """Parsing any text gives labels the wire can carry, or BadNameError."""
    try:
        labels = names.parse(text)
    except BadNameError:
        return
    assert names.check(labels) == labels


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (".", ()),
        ("example.com", (b"example", b"com")),
        ("example.com.", (b"example", b"com")),
        ("a\\.b.c", (b"a.b", b"c")),
        ("a\\032b.c\\\\", (b"a b", b"c\\")),
        ("bücher.example", (b"xn--bcher-kva", b"example")),
        ("bücher。example", (b"xn--bcher-kva", b"example")),
        ("_dmarc.bücher.example", (b"_dmarc", b"xn--bcher-kva", b"example")),
    ],
)
def test_parse(text, labels):
    """Escapes, dots at the end and U-labels are read as documented."""
    assert names.parse(text) == labels


@pytest.mark.parametrize(
    "text",
    ["", "..", ".example", "a..b", "x" * 64 + ".a", ".".join(["x" * 63] * 4), "a\\256.b", "a\\"],
)
def test_bad_names(text):
    """What the wire cannot carry is a bad name, with a reason."""
    with pytest.raises(BadNameError, match=r".+"):
        names.parse(text)


def test_comparison_knows_no_case():
    """Names are compared without case, as RFC 4343 has it."""
    assert names.same("Example.COM.", "example.com")
    assert names.is_within(names.parse("a.B.Example"), names.parse("b.example"))
    assert not names.is_within(names.parse("ab.example"), names.parse("b.example"))
    assert names.is_within((b"a",), ())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("xn--bcher-kva.example", "bücher.example (xn--bcher-kva.example)"),
        ("bücher.example", "bücher.example (xn--bcher-kva.example)"),
        ("example.com", "example.com"),
        ("xn--zzzz-.example", "xn--zzzz-.example"),
    ],
)
def test_both_forms(name, shown):
    """An internationalised name is shown in both forms, any other as it is."""
    assert names.both_forms(name) == shown


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa"),
        (
            "2001:db8::1",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        ),
    ],
)
def test_reverse_names(address, name):
    """Addresses turn into the names that PTR records stand at."""
    assert names.text(names.reverse_name(address)) == name
