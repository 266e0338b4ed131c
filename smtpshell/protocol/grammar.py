r"""The grammar of SMTP as named regular expressions, each beside its ABNF line.

The constants are pattern strings, so that larger rules are built from smaller ones just as in
RFC 5321; `matches()` compiles a rule when it is first used and tests a whole text against it.

Three things keep every rule linear in the length of a hostile text: each repetition is possessive
(`*+`, `++`), so nothing is ever tried twice; no two alternatives begin alike; and the callers
measure before they match.

Internationalised mail (RFC 6531 section 3.3) adds every character beyond ASCII to three rules:
sub-domain, atext and qtextSMTP. The rules whose names end in `_UTF8` are those; the others are
RFC 5321 alone.
"""

from __future__ import annotations

import re
from functools import cache

from smtpshell.protocol.text import decode, encode

LOCAL_PART_OCTETS = 64
"""RFC 5321 section 4.5.3.1.1."""

DOMAIN_OCTETS = 255
"""RFC 5321 section 4.5.3.1.2."""

PATH_OCTETS = 256
"""With its brackets: RFC 5321 section 4.5.3.1.3."""

LABEL_OCTETS = 63
"""RFC 1035 section 2.3.4."""

# UTF8-non-ascii = UTF8-2 / UTF8-3 / UTF8-4                       RFC 6531 section 3.3
UTF8_NON_ASCII = "\x80-\ud7ff\ue000-\U0010ffff"

# Let-dig = ALPHA / DIGIT                                          RFC 5321 section 4.1.2
LET_DIG = "[A-Za-z0-9]"

# Ldh-str = *( ALPHA / DIGIT / "-" ) Let-dig
# sub-domain = Let-dig [Ldh-str]
SUB_DOMAIN = rf"{LET_DIG}++(?:-++{LET_DIG}++)*+"

# sub-domain =/ U-label                                            RFC 6531 section 3.3
SUB_DOMAIN_UTF8 = rf"[A-Za-z0-9{UTF8_NON_ASCII}]++(?:-++[A-Za-z0-9{UTF8_NON_ASCII}]++)*+"

# Domain = sub-domain *("." sub-domain)                            RFC 5321 section 4.1.2
DOMAIN = rf"{SUB_DOMAIN}(?:\.{SUB_DOMAIN})*+"
DOMAIN_UTF8 = rf"{SUB_DOMAIN_UTF8}(?:\.{SUB_DOMAIN_UTF8})*+"

# Snum = 1*3DIGIT  ; 0 to 255                                      RFC 5321 section 4.1.3
SNUM = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

# IPv4-address-literal = Snum 3("."  Snum)
IPV4_ADDRESS_LITERAL = rf"{SNUM}(?:\.{SNUM}){{3}}"

# IPv6-hex = 1*4HEXDIG
IPV6_HEX = "[0-9A-Fa-f]{1,4}"

# IPv6-full = IPv6-hex 7(":" IPv6-hex)
IPV6_FULL = rf"{IPV6_HEX}(?::{IPV6_HEX}){{7}}"


def _compressed(groups: int, tail: str = "") -> str:
    """Return [IPv6-hex *n(":" IPv6-hex)] "::" [IPv6-hex *m(":" IPv6-hex)], n + m <= `groups`."""
    branches = []
    for left in range(groups + 1):
        before = rf"{IPV6_HEX}(?::{IPV6_HEX}){{{left - 1}}}" if left else ""
        most = groups - left
        if tail:
            after = rf"(?:{IPV6_HEX}:){{0,{most}}}{tail}"
        else:
            after = rf"(?:{IPV6_HEX}(?::{IPV6_HEX}){{0,{most - 1}}})?" if most else ""
        branches.append(f"{before}::{after}")
    return f"(?:{'|'.join(branches)})"


# IPv6-comp = [IPv6-hex *5(":" IPv6-hex)] "::" [IPv6-hex *5(":" IPv6-hex)]  ; at most 6 groups
IPV6_COMP = _compressed(6)

# IPv6v4-full = IPv6-hex 5(":" IPv6-hex) ":" IPv4-address-literal
IPV6V4_FULL = rf"{IPV6_HEX}(?::{IPV6_HEX}){{5}}:{IPV4_ADDRESS_LITERAL}"

# IPv6v4-comp = [IPv6-hex *3(":" IPv6-hex)] "::"
#               [IPv6-hex *3(":" IPv6-hex) ":"] IPv4-address-literal  ; at most 4 groups
IPV6V4_COMP = _compressed(4, IPV4_ADDRESS_LITERAL)

# IPv6-address-literal = "IPv6:" IPv6-addr
IPV6_ADDRESS_LITERAL = rf"(?i:IPv6):(?:{IPV6_FULL}|{IPV6_COMP}|{IPV6V4_FULL}|{IPV6V4_COMP})"

# General-address-literal = Standardized-tag ":" 1*dcontent        dcontent = %d33-90 / %d94-126
GENERAL_ADDRESS_LITERAL = rf"(?!(?i:IPv6):){SUB_DOMAIN}:[!-Z^-~]++"

# address-literal = "[" ( IPv4-address-literal / IPv6-address-literal /
#                         General-address-literal ) "]"
ADDRESS_LITERAL = (
    rf"\[(?:{IPV4_ADDRESS_LITERAL}|{IPV6_ADDRESS_LITERAL}|{GENERAL_ADDRESS_LITERAL})\]"
)

# Of the Standardized-tags only IPv6 is registered                 RFC 5321 section 8.1
REGISTERED_LITERALS = (IPV4_ADDRESS_LITERAL, IPV6_ADDRESS_LITERAL)

# atext = ALPHA / DIGIT / "!" / "#" / "$" / ...                    RFC 5322 section 3.2.3
ATEXT = r"A-Za-z0-9!#$%&'*+\-/=?^_`{|}~"

# Atom = 1*atext           Dot-string = Atom *("." Atom)           RFC 5321 section 4.1.2
DOT_STRING = rf"[{ATEXT}]++(?:\.[{ATEXT}]++)*+"
DOT_STRING_UTF8 = rf"[{ATEXT}{UTF8_NON_ASCII}]++(?:\.[{ATEXT}{UTF8_NON_ASCII}]++)*+"

# qtextSMTP = %d32-33 / %d35-91 / %d93-126     quoted-pairSMTP = %d92 %d32-126
# QcontentSMTP is either of the two
# Quoted-string = DQUOTE *QcontentSMTP DQUOTE
QUOTED_STRING = r'"(?:[ !#-\[\]-~]++|\\[ -~])*+"'
QUOTED_STRING_UTF8 = rf'"(?:[ !#-\[\]-~{UTF8_NON_ASCII}]++|\\[ -~])*+"'

# Local-part = Dot-string / Quoted-string
LOCAL_PART = rf"(?:{DOT_STRING}|{QUOTED_STRING})"
LOCAL_PART_UTF8 = rf"(?:{DOT_STRING_UTF8}|{QUOTED_STRING_UTF8})"

# Mailbox = Local-part "@" ( Domain / address-literal )
MAILBOX = rf"{LOCAL_PART}@(?:{DOMAIN}|{ADDRESS_LITERAL})"
MAILBOX_UTF8 = rf"{LOCAL_PART_UTF8}@(?:{DOMAIN_UTF8}|{ADDRESS_LITERAL})"

# At-domain = "@" Domain        A-d-l = At-domain *( "," At-domain )
SOURCE_ROUTE = rf"@{DOMAIN}(?:,@{DOMAIN})*+"
SOURCE_ROUTE_UTF8 = rf"@{DOMAIN_UTF8}(?:,@{DOMAIN_UTF8})*+"

# Path = "<" [ A-d-l ":" ] Mailbox ">"                             RFC 5321 section 4.1.2
PATH = rf"<(?:{SOURCE_ROUTE}:)?+{MAILBOX}>"
PATH_UTF8 = rf"<(?:{SOURCE_ROUTE_UTF8}:)?+{MAILBOX_UTF8}>"

# Reverse-path = Path / "<>"                                       RFC 5321 section 4.1.2
REVERSE_PATH = rf"(?:<>|{PATH})"
REVERSE_PATH_UTF8 = rf"(?:<>|{PATH_UTF8})"

# rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path )  section 4.1.1.3
FORWARD_PATH = rf"(?:<(?i:postmaster)>|{PATH})"
FORWARD_PATH_UTF8 = rf"(?:<(?i:postmaster)>|{PATH_UTF8})"

# ehlo = "EHLO" SP ( Domain / address-literal ) CRLF               RFC 5321 section 4.1.1.1
HELLO_ARGUMENT = rf"(?:{DOMAIN}|{ADDRESS_LITERAL})"
HELLO_ARGUMENT_UTF8 = rf"(?:{DOMAIN_UTF8}|{ADDRESS_LITERAL})"

# esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")           RFC 5321 section 4.1.2
ESMTP_KEYWORD = r"[A-Za-z0-9][A-Za-z0-9\-]*+"

# esmtp-value = 1*(%d33-60 / %d62-126)
ESMTP_VALUE = "[!-<>-~]++"
ESMTP_VALUE_UTF8 = f"[!-<>-~{UTF8_NON_ASCII}]++"

# esmtp-param = esmtp-keyword ["=" esmtp-value]
ESMTP_PARAMETER = rf"{ESMTP_KEYWORD}(?:={ESMTP_VALUE})?+"
ESMTP_PARAMETER_UTF8 = rf"{ESMTP_KEYWORD}(?:={ESMTP_VALUE_UTF8})?+"

# xtext = *( xchar / hexchar )     xchar = "!" to "~" except "+" and "="    RFC 3461 section 4
# hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits
XTEXT = r"(?:[!-*,-<>-~]++|\+[0-9A-F]{2})*+"

WITHOUT_UTF8 = {
    SUB_DOMAIN_UTF8: SUB_DOMAIN,
    DOMAIN_UTF8: DOMAIN,
    LOCAL_PART_UTF8: LOCAL_PART,
    MAILBOX_UTF8: MAILBOX,
    PATH_UTF8: PATH,
    REVERSE_PATH_UTF8: REVERSE_PATH,
    FORWARD_PATH_UTF8: FORWARD_PATH,
    HELLO_ARGUMENT_UTF8: HELLO_ARGUMENT,
    ESMTP_PARAMETER_UTF8: ESMTP_PARAMETER,
}
"""What each internationalised rule comes to for a text that is ASCII, as most are: a class that
spans all of Unicode takes `re` milliseconds to compile, which the first command would pay for."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the compiled form of a pattern of this module, made once."""
    return re.compile(pattern)


def matches(pattern: str, text: str) -> bool:
    """Tell whether a whole text fits a rule.

    >>> matches(DOMAIN, "mx1.example.com"), matches(DOMAIN, "-example.com")
    (True, False)
    """
    if text.isascii():
        pattern = WITHOUT_UTF8.get(pattern, pattern)
    return compiled(pattern).fullmatch(text) is not None


def split_mailbox(mailbox: str) -> tuple[str, str]:
    """Split an address at its last `@` into local part and domain; "" where a part is absent.

    The last `@` is the right one, since a quoted local part may hold others and a domain none.

    >>> split_mailbox('"at@home"@example.com')
    ('"at@home"', 'example.com')
    >>> split_mailbox("postmaster")
    ('postmaster', '')
    """
    local, at, domain = mailbox.rpartition("@")
    return (local, domain) if at else (domain, "")


def mailbox_problem(mailbox: str, *, smtputf8: bool = True) -> str | None:
    """Say in plain words what is wrong with an address, or return None when it is well formed.

    Lengths are in octets of UTF-8 (RFC 5321 section 4.5.3.1). With `smtputf8` characters beyond
    ASCII are allowed as RFC 6531 does.
    """
    local, domain = split_mailbox(mailbox)
    if not local or not domain:
        return _missing_part(mailbox, local)
    if _octets(local) > LOCAL_PART_OCTETS:
        return f"the part before the @ is longer than {LOCAL_PART_OCTETS} octets"
    if _octets(domain) > DOMAIN_OCTETS:
        return f"the domain is longer than {DOMAIN_OCTETS} octets"
    if not smtputf8 and not mailbox.isascii():
        return "the address is not ASCII, which needs SMTPUTF8"
    if not matches(LOCAL_PART_UTF8, local):
        return "the part before the @ holds a character that needs quoting"
    return domain_problem(domain)


def domain_problem(domain: str) -> str | None:
    """Say what is wrong with a domain or an address literal, or return None.

    >>> domain_problem("a..example")
    'the domain has an empty label (two dots together, or a dot at an end)'
    """
    if domain.startswith("["):
        # A general literal is most likely a forgotten "IPv6:".
        if any(matches(rf"\[{literal}\]", domain) for literal in REGISTERED_LITERALS):
            return None
        return "the address literal is not of the form [192.0.2.1] or [IPv6:2001:db8::1]"
    if _octets(domain) > DOMAIN_OCTETS:
        return f"the domain is longer than {DOMAIN_OCTETS} octets"
    labels = domain.split(".")
    if not all(labels):
        return "the domain has an empty label (two dots together, or a dot at an end)"
    if any(_octets(label) > LABEL_OCTETS for label in labels):
        return f"a label of the domain is longer than {LABEL_OCTETS} octets"
    if not matches(DOMAIN_UTF8, domain):
        return "the domain holds something other than letters, digits, hyphens and dots"
    return None


def _missing_part(mailbox: str, local: str) -> str | None:
    if local.lower() == "postmaster" and "@" not in mailbox:
        return None
    return "the address has nothing before the @" if not local else "the address has no domain"


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(encode(text))


def encode_xtext(text: str) -> str:
    """Write text as xtext, the form of ENVID, ORCPT and AUTH= values (RFC 3461 section 4).

    >>> encode_xtext("ann+list=1@example.com")
    'ann+2Blist+3D1@example.com'
    """
    return "".join(
        chr(octet) if 0x21 <= octet <= 0x7E and octet not in b"+=" else f"+{octet:02X}"
        for octet in encode(text)
    )


def decode_xtext(xtext: str) -> str:
    """Read xtext back; a `+` without two hexadecimal digits behind it stays as it stands.

    >>> decode_xtext("ann+2Blist+3D1@example.com")
    'ann+list=1@example.com'
    """
    head, *rest = encode(xtext).split(b"+")
    octets = bytearray(head)
    for piece in rest:
        if compiled("[0-9A-Fa-f]{2}").fullmatch(piece[:2].decode("latin-1")):
            octets.append(int(piece[:2], 16))
            octets += piece[2:]
        else:
            octets += b"+" + piece
    return decode(bytes(octets))
