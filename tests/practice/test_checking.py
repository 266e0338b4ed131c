"""What `check_scenario` finds, one mistake at a time."""

from __future__ import annotations

import pytest

from smtpshell.practice.checking import (
    check_scenario,
    is_reserved_address,
    is_reserved_name,
    reply_problems,
)
from smtpshell.practice.personalities import PERSONALITIES
from smtpshell.practice.scenario_file import parse_scenario
from smtpshell.protocol.serverreplies import REPLIES
from tests.practice.talking import HEAD

SOUND = HEAD.replace('name = "test"', 'name = "test"\ntitle = "A test"')


def problems(text: str) -> list[str]:
    """Return the problems of a scenario as lines."""
    return [str(problem) for problem in check_scenario(parse_scenario(text, "test.toml"))]


def test_a_sound_scenario_has_no_problems() -> None:
    """The tests' own scenario passes."""
    assert problems(SOUND) == []


RULE = '\n[[rule]]\non = "RCPT"\n'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (HEAD, "there is no title"),
        (SOUND.replace('name = "test"', 'name = "other"', 1), "the file is test"),
        (SOUND.replace("bob@practice.example", "bob@gmail.com"), "mailbox 'bob@gmail.com'"),
        (SOUND.replace('host."mail.practice.example"', 'host."mail.corp.de"'), "'mail.corp.de'"),
        (SOUND.replace("[[user]]", 'ip = "8.8.8.8"\n[[user]]', 1), "'8.8.8.8'"),
        (SOUND.replace("[[user]]", 'relay_for = ["bank.com"]\n[[user]]', 1), "'bank.com'"),
        (SOUND.replace("[[user]]", 'personality = "qmail"\n[[user]]', 1), "no personality 'qmail'"),
        (SOUND.replace("[[user]]", 'signs = "k"\nonward = true\n[[user]]', 1), "which is no key"),
        (SOUND.replace("[[user]]", 'alters = ["footer"]\n[[user]]', 1), "hands nothing on"),
        (
            SOUND.replace('"starttls"', '"plain"') + '[tls]\nrequire_before = ["MAIL"]',
            "no port has",
        ),
        (SOUND + '[tls]\nrequire_before = ["SEMD"]', "is no verb"),
        (SOUND.replace('"PLAIN"', '"PLAIM"'), "no mechanism is called 'PLAIM'"),
        (SOUND.replace('["alice@practice.example"]', '["*@bank.com"]'), "may send as"),
        (SOUND + RULE, "rule 1 does nothing"),
        (SOUND + RULE + 'reply = "550 x"\nhost = "mx9.*"', "no host fits"),
        (SOUND + RULE + 'reply = "550 x"\nraw = "x"', "both reply and raw"),
        (SOUND + RULE + 'add = ["X"]', "'add' means nothing at RCPT"),
        (SOUND + RULE + 'then = "hold"', "'then' means nothing at RCPT"),
        (SOUND + '\n[[rule]]\non = "NOOP"\nreply = "250 x"\nsize = 3', "'size' means nothing"),
        (SOUND + '\n[[rule]]\non = "DATA-LINE"\nreply = "250 x"', "nobody waits for"),
        (SOUND + (RULE + 'reply = "550 x"') * 2, "rule 2 never fires at RCPT: rule 1"),
        (SOUND + (RULE + 'reply = "550 x"\nmatch = "a*"') * 2, "rule 2 never fires"),
        (SOUND.replace('"starttls"', '"plain"') + '\n[[rule]]\non = "TLS"\nreset = true', "to TLS"),
        (SOUND.replace(' "CHUNKING",', "") + '\n[[rule]]\non = "BDAT"\nreset = true', "to BDAT"),
        (SOUND + RULE + 'reply = "650 x"', "200 to 599"),
        (SOUND + RULE + 'reply = "550 4.1.1 x"', "the class of 4.1.1"),
        (SOUND + RULE + 'reply = ["550-x", "551 y"]', "different codes"),
        (SOUND + RULE + 'reply = ["550 x", "550 y"]', "hyphen"),
        (SOUND + RULE + 'reply = "550-x"', "hyphen"),
        (SOUND + RULE + 'reply = "550 {whom}"', "nothing is called {whom}"),
        (SOUND + RULE + 'reply = "550 {queue}"', "known only at EOD"),
        (SOUND + RULE + f'reply = "550 {"x" * 600}"', "longer than 512"),
        (SOUND + RULE + 'reply = "550 ask postmaster@gmail.com"', "'gmail.com'"),
        (SOUND + '\n[replies]\nmial = "250 Ok"', "'mial' is no reply"),
        (SOUND + '\n[replies]\nmail = "250 5.1.0 Ok"', "the class of 5.1.0"),
        ('zone = "a.example. MX ten"\n' + SOUND, "the zone"),
        ('zone = "bank.com. A 192.0.2.1"\n' + SOUND, "bank.com."),
        ('zone = "a.example. A 10.0.0.1"\n' + SOUND, "10.0.0.1"),
        ("zone = 'a.example. TXT \"v=spf1 ip6:2a00::/12 -all\"'\n" + SOUND, "2a00::/12"),
    ],
)
def test_each_mistake_is_found(text: str, what: str) -> None:
    """One mistake, one problem that names it."""
    found = problems(text)
    assert any(what in problem for problem in found), found
    assert all(problem.startswith("test.toml") for problem in found)


@pytest.mark.parametrize(
    "rules",
    [
        RULE + 'reply = "550 x"\nmatch = "a*"' + RULE + 'reply = "550 x"',
        RULE + 'reply = "550 x"\nnth = 1' + RULE + 'reply = "550 x"\nnth = 2',
        RULE + 'reply = "550 x"\nwhen = "tls"' + RULE + 'reply = "550 x"\nwhen = "auth"',
        RULE + 'reply = "550 x"\nhost = "mail.*"' + RULE + 'reply = "551 x"',
        RULE + 'reply = "550 x"\nchance = 0.5' + RULE + 'reply = "551 x"',
    ],
)
def test_rules_that_leave_room_for_the_next_are_sound(rules: str) -> None:
    """A narrower rule before a wider one is how it should be."""
    assert problems(SOUND + rules) == []


@pytest.mark.parametrize("name", PERSONALITIES)
def test_personalities_are_sound(name: str) -> None:
    """Every line of a personality replaces a real row by a well-formed one."""
    for row, line in PERSONALITIES[name].items():
        assert row in REPLIES
        assert list(reply_problems((line.replace("{challenge}", ""),))) == []


@pytest.mark.parametrize(
    ("name", "reserved"),
    [
        ("a.example", True), ("EXAMPLE.com", True), ("x.test.", True), ("localhost", True),
        ("myexample.com", False), ("example.de", False), ("com", False), ("", False),
    ],
)  # fmt: skip
def test_reserved_names(name: str, reserved: bool) -> None:
    """The names of RFC 2606 and RFC 6761, and what lies below them."""
    assert is_reserved_name(name) is reserved


@pytest.mark.parametrize(
    ("address", "reserved"),
    [
        ("192.0.2.255", True), ("198.51.100.0/25", True), ("2001:db8::1", True),
        ("192.0.3.0", False), ("192.0.2.0/23", False), ("::1", False), ("x", False),
    ],
)  # fmt: skip
def test_reserved_addresses(address: str, reserved: bool) -> None:
    """The networks of RFC 5737 and RFC 3849, whole or in part."""
    assert is_reserved_address(address) is reserved
