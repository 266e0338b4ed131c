"""From the text of a reply to the words that rules are written in.

Servers write the same thing in a hundred ways: "User unknown", "the user is unknown", "sorry, that
recipient doesn't exist here". A `Reading` takes out what varies without changing the meaning, so
that a rule needs to be written once:

- case and punctuation go; `doesn't`, `cannot` and the like become `not`;
- articles, auxiliary verbs and the mark of the possessive go ("mailbox is full", "the user's
  mailbox was full"); but "your domain" and "your address" say whose, and read "sender domain";
- of a link its host and its topic stay; the standard's own words for a code go
  ("Requested action not taken: ..."), where a reason follows;
- plain numbers go, and so do mail addresses, which say who and never why;
- dotted names and IP addresses are set aside, since they break up phrases.

All steps are single passes over at most `LONGEST` characters, so no text can make reading slow.
"""

from __future__ import annotations

import re
from functools import cache

LONGEST = 2_000
"""Characters of a reply that are read; a reason stands at its beginning."""

_FILLERS = """
    the a an is are was were be been being am has have had having will would shall should please
    sorry your our my his her their its this that these those of it we i and or so do does
    did can could may might seems appears wo ca just very there currently
    le la les un une du des der die das ein eine el los las il lo uma um
"""

FILLERS = frozenset(_FILLERS.split())
"""Words that carry no reason. Prepositions and `not`, `no`, `too` do, and stay."""

_KEPT = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.")

_TABLE: dict[int, str] = {
    number: (chr(number) if chr(number) in _KEPT else " ") for number in range(128)
} | dict.fromkeys(map(ord, "“”„«»…–—·•，。；：！？（）【】、"), " ")

_APOSTROPHES: tuple[tuple[str, str], ...] = (
    ("’", "'"),
    ("n't", " not"),
    ("'s ", " "),
    ("'", ""),
)

_HYPHENS: tuple[tuple[str, str], ...] = (
    ("e-mail", "email"),
    ("black-list", "blacklist"),
    ("block-list", "blocklist"),
    ("anti-", "anti"),
    ("non-", "non"),
    ("-00", "00"),
)

_PHRASES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("cannot", (("cannot", "not"),)),
    (" mail box", ((" mail box", " mailbox"),)),
    (
        " list",
        (
            (" black list", " blacklist"),
            (" block list", " blocklist"),
            (" blocking list", " blocklist"),
            (" grey list", " greylist"),
            (" gray list", " greylist"),
        ),
    ),
    (" e mail", ((" e mail", " email"),)),
    (" reverse dns", ((" reverse dns", " rdns"),)),
    (" out", ((" time out", " timeout"), (" timed out", " timeout"))),
    (" start tls", ((" start tls", " starttls"),)),
    (
        " your ",
        (
            (" your domain", " sender domain"),
            (" your email domain", " sender domain"),
            (" your email address", " sender address"),
            (" your mail address", " sender address"),
            (" your account", " sender account"),
            (" your host name", " client hostname"),
            (" your hostname", " client hostname"),
            (" your server name", " client hostname"),
        ),
    ),
)
"""Phrases that mean one word, each behind something that stands in all of its row."""

_ENDS = """
    com net org edu gov mil int info biz io jp de fr uk eu ru cn nl it es pl br cz ch at be se no fi
    dk us ca au in me tv cc kr tw hk ua ie pt gr hu ro nz za mx ar cl co il tr sg my asia mobi name
    pro cloud online site app dev ee lv lt sk si hr bg rs by kz
    example invalid test local localdomain arpa html htm php aspx asp cgi txt
"""

_NAME_ENDS = frozenset(_ENDS.split())
"""Last labels by which a dotted word is taken for a name, and not for two words."""

_HYPHEN = "\u2010"
"""Stands for the hyphen of a name while all others are taken out."""

_SEPARATE = re.compile(r"[\s<>()\[\]{}\"';:,|`=]+")
_HYPHENED = re.compile(r"-[a-z0-9-]{0,60}\.[a-z]")
_HUMPS = re.compile("[A-Z][a-z]+(?:[A-Z][a-z]+)+")
_HUMP = re.compile("[A-Z][a-z]+")
_ENHANCED = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")


class Reading:
    """The words of a text in order, the dotted names set aside, and the IP addresses."""

    __slots__ = ("addresses", "names", "words")

    def __init__(self, words: list[str], names: list[str], addresses: list[str]) -> None:
        self.words = words
        self.names = names
        self.addresses = addresses


FIRST_NAME = "thename"
"""Stands in a reading for a dotted name that opens the text ("mx.example.com does not exist")."""

AN_ADDRESS = "theip"
"""Stands in a reading for each IP address: "192.0.2.7 is blocked" says who is blocked."""

RELAYED = " -> "
"""Stands between what a server says of the next one's reply and that reply, which tells more."""

SHORT = 40
"""Characters beside a link below which the link is taken for the reason."""

POINTERS = (
    *("for more info", "learn more", "for explanation", "for further info", "for details"),
    "reasons for rejection",
)
"""Begin the part of a reply that tells where to read on; its words are not about the reason."""

FOLLOW_UP = " 503 "
"""Begins the answer to a pipelined command after a refused one; what follows is not the reason."""


_BOILERPLATE: tuple[tuple[str, ...], ...] = (
    ("requested", "mail", "action", "not", "taken"),
    ("requested", "action", "not", "taken"),
    ("requested", "mail", "action", "aborted"),
    ("requested", "action", "aborted"),
    ("transaction", "failed"),
)
"""Words of the standard (RFC 5321 section 4.2.3) that many servers put before their own reason."""


def _without_boilerplate(words: list[str]) -> None:
    """Take out what only repeats the code, where a reason stands besides."""
    if "requested" not in words and "transaction" not in words:
        return
    for phrase in _BOILERPLATE:
        if phrase[0] in words:
            count = len(phrase)
            at = words.index(phrase[0])
            if len(words) > count + 1 and tuple(words[at : at + count]) == phrase:
                del words[at : at + count]


def _replaced(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    for old, new in pairs:
        if old in text:
            text = text.replace(old, new)
    return text


def _humps_apart(name: re.Match[str]) -> str:
    """Put the words of a name that a program gives a fault ("RecipientNotFound") behind it.

    Names of two words are left alone unless something of a name stands before, for products are
    called so.
    """
    whole = name[0]
    words = _HUMP.findall(whole)
    before = name.string[: name.start()][-1:]
    if len(words) > 2 or before in (".", "=") or before.isupper():
        return " ".join([whole, *words])
    return whole


def _without_links(text: str) -> str:
    """Leave of each link its host and the topic it asks for; of a link alone its page as well.

    The rest of a path says how a site is built ("/help/spam/16"), and nothing about the reason.
    """
    return _link().sub(_link_read, text)


@cache
def _link() -> re.Pattern[str]:
    return re.compile(r"https?://([^\s/?#<>]{1,255})([^\s?#<>]*)([^\s<>]*)")


@cache
def _topic() -> re.Pattern[str]:
    return re.compile(r"[?&#](?:p=)?([a-z0-9]+)(?:$|[&.,;)\]])")


def _link_read(link: re.Match[str]) -> str:
    host, path, rest = link.groups()
    alone = len(link.string) - len(link[0]) < SHORT
    page = path.rpartition("/")[2].partition(".")[0] if alone else ""
    topic = _topic().search(rest) if rest else None
    words = [word for word in (page, topic[1] if topic else "") if word.isalnum()]
    return " ".join([host, *words]) + " "


def _without_mail_addresses(text: str) -> str:
    pieces: list[str] = []
    for piece in text.split():
        if "@" in piece:
            pieces += [part for part in _SEPARATE.split(piece) if "@" not in part]
        else:
            pieces.append(piece)
    return " ".join(pieces)


def _with_whole_names(text: str) -> str:
    """Keep the hyphens of dotted names: "dsl-pool.example.com" says nothing about a pool."""
    pieces: list[str] = []
    for piece in text.split():
        if "-" in piece and "." in piece:
            pieces += [
                part.replace("-", _HYPHEN) if _is_name(part) else part
                for part in _SEPARATE.split(piece)
            ]
        else:
            pieces.append(piece)
    return " ".join(pieces)


def _is_name(part: str) -> bool:
    before, _, end = part.rstrip(".").rpartition(".")
    return bool(before) and end in _NAME_ENDS


def read(text: str) -> Reading:
    """Read the words of a text; whatever the text, in time proportional to its (capped) length."""
    text = _HUMPS.sub(_humps_apart, text[:LONGEST]).lower()
    cut = text.find(FOLLOW_UP, 8)
    if cut > 0 and text[cut - 1] != ":":
        text = text[:cut]
    tail = ""
    if " for " in text or "learn" in text:
        for pointer in POINTERS:
            cut = text.find(pointer, 24)
            if cut > 0:
                text, tail = text[:cut], text[cut:] + tail
    if RELAYED in text:
        frame, _, reason = text.partition(RELAYED)
        text = f"{reason} {frame}"
    if "://" in text:
        text = _without_links(text)
    if "'" in text or "’" in text:
        text = _replaced(text, _APOSTROPHES)
    if "-" in text:
        text = _replaced(text, _HYPHENS)
    if "@" in text:
        text = _without_mail_addresses(text)
    if "-" in text and _HYPHENED.search(text):
        text = _with_whole_names(text)
    text = f" {text.translate(_TABLE)} ".replace(". ", " ")
    for sign, phrases in _PHRASES:
        if sign in text:
            text = _replaced(text, phrases)
    words: list[str] = []
    names: list[str] = []
    addresses: list[str] = []
    for word in text.split():
        if "." in word:
            _read_dotted(word, words, names, addresses)
        elif word not in FILLERS and not word.isdigit():
            words.append(word)
    _without_boilerplate(words)
    if tail:
        _read_pointer(tail, names)
    return Reading(words, names, addresses)


def _read_pointer(tail: str, names: list[str]) -> None:
    """Read only the names from where a reply points the reader to."""
    for word in _with_whole_names(tail).translate(_TABLE).split():
        name = word.strip(".")
        if name.rpartition(".")[2] in _NAME_ENDS and "." in name:
            names.append(name.replace(_HYPHEN, "-"))


def _read_dotted(word: str, words: list[str], names: list[str], addresses: list[str]) -> None:
    word = word.strip(".")
    parts = word.split(".")
    if len(parts) == 1:
        if word and word not in FILLERS and not word.isdigit():
            words.append(word)
    elif parts[-1].isdigit():
        if len(parts) == 4 and all(part.isdigit() and len(part) < 4 for part in parts):
            addresses.append(word)
            words.append(AN_ADDRESS)
    elif parts[-1] in _NAME_ENDS:
        if not words and not names:
            words.append(FIRST_NAME)
        names.append(word.replace(_HYPHEN, "-"))
    else:
        words.extend(part for part in parts if part and part not in FILLERS and not part.isdigit())


def find_enhanced(text: str) -> str | None:
    """Find an enhanced status code anywhere in a text, as qmail and gateways put it at the end."""
    if "5." not in text and "4." not in text:
        return None
    match = _ENHANCED.search(text[:LONGEST])
    return match[0] if match else None


@cache
def _six() -> re.Pattern[str]:
    return re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){2,7}:?[0-9a-f:]{0,39}", re.IGNORECASE)


def find_address(text: str, reading: Reading) -> str | None:
    """Return the first IP address that a text quotes: usually the client's own."""
    for address in reading.addresses[:3]:
        if all(int(part) < 256 for part in address.split(".")):
            return address
    if text.count(":", 0, LONGEST) < 3:
        return None
    from ipaddress import IPv6Address

    for match in _six().findall(text[:LONGEST])[:3]:
        try:
            return str(IPv6Address(match.rstrip(":")))
        except ValueError:
            continue
    return None
