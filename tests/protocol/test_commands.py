"""Commands: anything typed is read, and every remark has its reason."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.commands import LINE_ALLOWED, Command
from smtpshell.protocol.extensions import KEYWORDS
from smtpshell.protocol.parameters import PARAMETERS
from smtpshell.protocol.state import State
from smtpshell.protocol.verbs import ANY_CODES, BANNER_CODES, MESSAGE_CODES, VERBS

REQUIRED = """HELO EHLO LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP STARTTLS AUTH ETRN
ATRN TURN BURL SEND SOML SAML XCLIENT XFORWARD"""


def test_the_table_knows_every_verb():
    """No verb of the protocol is missing, and none is there twice under two names."""
    assert sorted(VERBS) == sorted(REQUIRED.split())
    assert all(name == verb.name for name, verb in VERBS.items())


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_each_row_of_the_table_is_whole(verb):
    """A verb has a syntax that begins with it, words, a section, real states and real codes."""
    assert verb.syntax.split()[0] == verb.name
    assert verb.summary
    assert not verb.summary.endswith(".")
    assert re.fullmatch(r"RFC \d+ [\d.]+|Postfix X\w+", verb.section)
    assert verb.states <= {state.name for state in State}
    assert verb.states
    assert all(200 <= code <= 599 for code in verb.codes)
    assert verb.success or verb.intermediate
    assert set(ANY_CODES) <= set(verb.errors)
    assert verb.keyword is None or verb.name in KEYWORDS[verb.keyword].verbs
    assert verb.required <= len(verb.arguments)
    assert (not verb.lead) or verb.lead in verb.syntax


def test_a_verb_is_legal_only_where_commands_are_taken():
    """No verb is legal in message data, in a login, in a handshake or without a connection."""
    closed = {"CLOSED", "GREETING", "DATA", "AUTH", "TLS", "QUIT"}
    assert not any(verb.states & closed for verb in VERBS.values())


def test_parameters_come_from_their_table():
    """MAIL and RCPT list what the parameter table holds for them."""
    assert VERBS["RCPT"].parameters[:2] == ("NOTIFY", "ORCPT")
    assert {("MAIL", keyword) for keyword in VERBS["MAIL"].parameters} <= set(PARAMETERS)
    assert VERBS["DATA"].parameters == ()


def test_codes_are_sorted_by_what_they_mean():
    """Done, go on and no are told apart, and what any verb may get is among the errors."""
    data = VERBS["DATA"]
    assert (data.success, data.intermediate) == ((250,), (354,))
    assert data.errors == tuple(sorted({*MESSAGE_CODES[1:], *ANY_CODES, 503}))
    assert BANNER_CODES[0] == 220


def test_login_data_is_secret():
    """What stands behind AUTH's mechanism and in a BURL address must not be shown."""
    assert {name for name, verb in VERBS.items() if verb.secret} == {"AUTH", "BURL"}


CLEAN = {
    "EHLO client.example": ("EHLO", "client.example", None, ()),
    "ehlo [192.0.2.1]": ("EHLO", "[192.0.2.1]", None, ()),
    "MAIL FROM:<ann@client.example>": (
        "MAIL",
        "FROM:<ann@client.example>",
        "ann@client.example",
        (),
    ),
    "mail from:<>": ("MAIL", "from:<>", "", ()),
    "MAIL FROM:<ann@client.example> SIZE=10 body=8BITMIME SMTPUTF8": (
        "MAIL",
        "FROM:<ann@client.example> SIZE=10 body=8BITMIME SMTPUTF8",
        "ann@client.example",
        (("SIZE", "10"), ("BODY", "8BITMIME"), ("SMTPUTF8", None)),
    ),
    'RCPT TO:<"odd > name"@example.com> NOTIFY=NEVER': (
        "RCPT",
        'TO:<"odd > name"@example.com> NOTIFY=NEVER',
        '"odd > name"@example.com',
        (("NOTIFY", "NEVER"),),
    ),
    'RCPT TO:<"a\\">"@example.com>': (
        "RCPT",
        'TO:<"a\\">"@example.com>',
        '"a\\">"@example.com',
        (),
    ),
    "RCPT TO:<Postmaster>": ("RCPT", "TO:<Postmaster>", "Postmaster", ()),
    "RCPT TO:<用户@例え.example>": ("RCPT", "TO:<用户@例え.example>", "用户@例え.example", ()),
    "DATA": ("DATA", "", None, ()),
    "NOOP any words": ("NOOP", "any words", None, ()),
    "BDAT 100 LAST": ("BDAT", "100 LAST", None, ()),
    "AUTH PLAIN AGEAYg==": ("AUTH", "PLAIN AGEAYg==", None, ()),
    "XCLIENT ADDR=192.0.2.1 PORT=99": (
        "XCLIENT",
        "ADDR=192.0.2.1 PORT=99",
        None,
        (("ADDR", "192.0.2.1"), ("PORT", "99")),
    ),
}


@pytest.mark.parametrize("line", CLEAN)
def test_a_well_formed_line_is_read_without_remarks(line):
    """Verb, argument, address and parameters come out, and nothing is objected to."""
    command = Command.parse(line)
    assert (command.verb, command.argument, command.address, command.parameters) == CLEAN[line]
    assert command.known
    assert command.problems == ()
    assert command.line == line


@pytest.mark.parametrize("line", CLEAN)
def test_a_line_end_is_no_part_of_the_line(line):
    """CRLF or LF behind a line changes nothing."""
    assert Command.parse(f"{line}\r\n") == Command.parse(f"{line}\n") == Command.parse(line)


FAULTY = {
    "MAIL FROM: <a@b.example>": ("a@b.example", "no space belongs behind FROM:"),
    "MAIL FROM :<a@b.example>": ("a@b.example", "no space belongs between FROM and the colon"),
    "MAIL FROM <a@b.example>": ("a@b.example", "FROM: is missing"),
    "MAIL <a@b.example>": ("a@b.example", "FROM: is missing"),
    "MAIL FROM:a@b.example SIZE=1": ("a@b.example", "between < and >"),
    "MAIL FROM:<a@b.example": ("a@b.example", "closing > is missing"),
    "MAIL FROM:<a@b.example>SIZE=1": ("a@b.example", "space belongs between > and"),
    "MAIL FROM:<a@b.example> SIZE=": ("a@b.example", "SIZE is not a well-formed parameter"),
    "MAIL FROM:<a@b.example> SIZE=1 SIZE=2": ("a@b.example", "SIZE is given twice"),
    "MAIL FROM:<a@b..example>": ("a@b..example", "empty label"),
    "MAIL FROM:": (None, "address is missing"),
    "MAIL": (None, "argument is missing"),
    "RCPT TO:<>": ("", "recipient cannot be empty"),
    "RCPT TO:<@relay.example:bob@b.example>": ("bob@b.example", "source route"),
    "RCPT FROM:<bob@b.example>": ("FROM:<bob@b.example", "TO: is missing"),
    "MAILFROM:<a@b.example>": ("a@b.example", "space belongs between MAIL and FROM:"),
    "EHLO": (None, "argument is missing"),
    "EHLO my_host": (None, "letters, digits"),
    "DATA now": (None, "takes no argument"),
    "BDAT many": (None, "number of octets"),
    "BDAT 10 FIRST": (None, "only LAST"),
    "QUIT ": (None, "space stands at the end"),
    " QUIT": (None, "start of the line"),
    "VRFY\tann": (None, "tab"),
    "NOOP a\0b": (None, "control characters"),
    "": (None, "empty"),
    "   ": (None, "empty"),
}


@pytest.mark.parametrize("line", FAULTY)
def test_a_fault_is_remarked_and_the_rest_still_read(line):
    """Each fault has its words, and the address is found all the same."""
    address, words = FAULTY[line]
    command = Command.parse(line)
    assert command.address == address
    assert any(words in problem for problem in command.problems), command.problems


def test_an_unknown_verb_is_read_and_not_judged():
    """Verbs that are in no table are private business: known is false, nothing is remarked."""
    command = Command.parse("XEXCH50 1024 2")
    assert (command.verb, command.arguments, command.known) == ("XEXCH50", ("1024", "2"), False)
    assert command.problems == ()


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("NOOP ", 512),
        ("XFOO ", 512),
        ("AUTH PLAIN ", 12_288),
        ("MAIL FROM:<a@b.example> SIZE=1 AUTH=", 512 + 26 + 500),
        ("RCPT TO:<a@b.example> NOTIFY=NEVER ORCPT=rfc822;", 512 + 500),
    ],
)
def test_a_line_may_be_as_long_as_its_extensions_allow(line, allowed):
    """The limit is 512 octets with CRLF, and what each extension in use adds."""
    full = line.ljust(allowed - 2, "x")
    assert not any("octets" in problem for problem in Command.parse(full).problems)
    assert f"the line has {allowed + 1} octets with its CRLF; {allowed} are allowed" in (
        Command.parse(full + "x").problems
    )


def test_octets_that_are_not_utf8_count_once():
    """The length is in octets as sent, not in characters."""
    line = "NOOP " + "\udcff" * (LINE_ALLOWED - 7)
    assert Command.parse(line).problems == ()


def test_a_parameter_is_found_by_keyword():
    """Look-up ignores case; no value is "", an absent parameter None."""
    command = Command.parse("MAIL FROM:<> SMTPUTF8 SIZE=7")
    assert command.parameter("size") == "7"
    assert command.parameter("SMTPUTF8") == ""
    assert command.parameter("BODY") is None


lines = st.text(st.characters(exclude_categories=()), max_size=60) | st.lists(
    st.sampled_from(
        [
            "MAIL",
            "RCPT",
            "FROM",
            "TO",
            ":",
            "<",
            ">",
            " ",
            '"',
            "\\",
            "@",
            "a",
            ".",
            "=",
            "SIZE",
            ",",
        ]
    ),
    max_size=20,
).map("".join)


@given(lines)
def test_anything_typed_is_a_command(line):
    """No line raises; the line is kept, and the verb is the first word in upper case."""
    command = Command.parse(line)
    assert command.line == line.removesuffix("\n").removesuffix("\r")
    assert command.verb in VERBS or not command.known
    assert len(set(command.problems)) == len(command.problems)


@given(st.sampled_from(sorted(VERBS)), st.text("abc<>:@ =", max_size=20))
def test_the_case_of_a_verb_does_not_matter(verb, rest):
    """A verb means the same in any case (RFC 5321 section 2.4)."""
    upper, lower = Command.parse(f"{verb} {rest}"), Command.parse(f"{verb.lower()} {rest}")
    assert (upper.verb, upper.address, upper.parameters, upper.problems) == (
        lower.verb,
        lower.address,
        lower.parameters,
        lower.problems,
    )
