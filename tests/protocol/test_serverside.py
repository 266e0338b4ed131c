"""The server side of a session: states, verdicts, bounds, agreement with the client side."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpshell.protocol.replies import ReplyReader
from smtpshell.protocol.sasl import Account, Credentials, ServerTerms
from smtpshell.protocol.sasl.exchange import ClientExchange
from smtpshell.protocol.sasl.line import decode_line, encode_line
from smtpshell.protocol.serverreplies import REPLIES, make_reply, wire_lines
from smtpshell.protocol.serverside import LINE_STORED, Profile, ServerSide
from smtpshell.protocol.session import Session
from smtpshell.protocol.state import State
from smtpshell.protocol.verbs import VERBS

KEYWORDS = (
    "SIZE 1000", "PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES",
    "STARTTLS", "AUTH", "XCLIENT NAME ADDR",
)  # fmt: skip


def terms(mechanism: str) -> ServerTerms:
    """Return the terms of a login with one user."""
    account = Account("ann", "secret", token="token")
    return ServerTerms(mechanism, lambda name: account if name == "ann" else None, host="mx")


PROFILE = Profile(
    "mx.example",
    KEYWORDS,
    size=1000,
    recipients=2,
    mechanisms=("PLAIN", "LOGIN", "CRAM-MD5"),
    terms=terms,
)


class Driver:
    """Drives a server side without any policy: what it judges is what is answered."""

    def __init__(self, profile: Profile = PROFILE, **options: bool) -> None:
        self.side = ServerSide(profile, **options)
        self.names: list[str] = []
        self.sent = b""
        self.messages: list[bytes] = []
        greeting = self.side.greeting()
        self.sent += wire_lines(greeting.reply)
        self.side.greeted(greeting.reply)

    def feed(self, octets: bytes) -> list[str]:
        """Feed octets; return the names of the verdicts."""
        before = len(self.names)
        self.side.feed(octets)
        while (request := self.side.next()) is not None:
            if request.kind == "line":
                self.side.conclude(request, make_reply("250 x"))
                continue
            verdict = self.side.judge(request)
            self.names.append(verdict.name)
            self.sent += wire_lines(verdict.reply)
            if request.ends_message and verdict.accepted:
                self.messages.append(bytes(self.side.transaction.content))
            self.side.conclude(request, verdict.reply)
            if self.side.state is State.TLS:
                self.side.discard()
                self.side.handshaken()
        return self.names[before:]

    def say(self, *lines: str) -> list[str]:
        """Feed lines; return the names of the verdicts."""
        return self.feed("".join(f"{line}\r\n" for line in lines).encode())


HELLO = "EHLO client.example"
MAIL = "MAIL FROM:<ann@client.example>"
RCPT = "RCPT TO:<bob@mx.example>"


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([MAIL], ["hello-first"]),
        (["DATA", "RCPT TO:<a@b>", "AUTH PLAIN", "STARTTLS"], ["hello-first"] * 4),
        ([HELLO, "RCPT TO:<a@b>", "DATA", "BDAT 0"], ["ehlo", *["mail-first"] * 3]),
        ([HELLO, MAIL, MAIL], ["ehlo", "mail", "nested-mail"]),
        ([HELLO, MAIL, "DATA"], ["ehlo", "mail", "rcpt-first"]),
        ([HELLO, MAIL, "RCPT TO:<>", "DATA"], ["ehlo", "mail", "bad-recipient", "no-recipients"]),
        ([HELLO, MAIL, "STARTTLS", "AUTH PLAIN"], ["ehlo", "mail", "during-mail", "during-mail"]),
        ([HELLO, MAIL, RCPT, RCPT, RCPT], ["ehlo", "mail", "rcpt", "rcpt", "too-many-recipients"]),
        ([HELLO, MAIL, "RSET", "DATA"], ["ehlo", "mail", "rset", "mail-first"]),
        ([HELLO, MAIL, HELLO, RCPT], ["ehlo", "mail", "ehlo", "mail-first"]),
        (["FOO", "", "  ", "LHLO x"], ["not-recognized"] * 4),
        (["EXPN x", "TURN", "SEND FROM:<a@b>", "ETRN x"], ["not-implemented"] * 4),
        (["HELO", "EHLO", "EHLO a_b", "HELO [192.0.2.1]"], ["syntax"] * 2 + ["bad-hello", "hello"]),
        (["NOOP", "NOOP x y", "RSET x", "QUIT now"], ["noop", "noop", "syntax", "syntax"]),
        (["HELP", "HELP MAIL", "help status", "HELP X"], ["help"] * 3 + ["no-help"]),
        (["VRFY", "VRFY bob"], ["syntax", "vrfy"]),
        (["QUIT", "NOOP"], ["quit"]),
    ],
)
def test_order_and_form(lines: list[str], names: list[str]) -> None:
    """Each command gets the reply that its form and its place in the session call for."""
    assert Driver().say(*lines) == names


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("MAIL FROM:<>", "mail"),
        ("mail from:<a@b.example>", "mail"),
        ("MAIL FROM: <a@b.example>", "mail"),
        ("MAIL FROM:<@x.example:a@b.example>", "mail"),
        ('MAIL FROM:<"a b>"@b.example>', "mail"),
        ("MAIL FROM:a@b.example", "syntax"),
        ("MAIL FROM<a@b.example>", "syntax"),
        ("MAIL TO:<a@b.example>", "syntax"),
        ("MAIL", "syntax"),
        ("MAIL FROM:", "syntax"),
        ("MAIL FROM:<a@b.example", "syntax"),
        ("MAIL FROM:<a b@c.example>", "bad-sender"),
        ("MAIL FROM:<a@b..example>", "bad-sender"),
        ("MAIL FROM:<a>", "bad-sender"),
        ("MAIL FROM:<a@b.example> SIZE=1000", "mail"),
        ("MAIL FROM:<a@b.example> SIZE=1001", "too-big"),
        ("MAIL FROM:<a@b.example> SIZE=x", "bad-parameter"),
        ("MAIL FROM:<a@b.example> SIZE", "bad-parameter"),
        ("MAIL FROM:<a@b.example> SIZE=1 SIZE=1", "bad-parameter"),
        ("MAIL FROM:<a@b.example> BODY=8BITMIME", "mail"),
        ("MAIL FROM:<a@b.example> BODY=9BIT", "bad-parameter"),
        ("MAIL FROM:<a@b.example> BODY=BINARYMIME", "unsupported"),
        ("MAIL FROM:<a@b.example> RET=HDRS ENVID=x+41", "mail"),
        ("MAIL FROM:<a@b.example> ENVID=x+4", "bad-parameter"),
        ("MAIL FROM:<a@b.example> FOO=1", "unsupported"),
        ("MAIL FROM:<a@b.example> BY=10;R", "unsupported"),
        ("MAIL FROM:<a@b.example> SMTPUTF8", "mail"),
        ("MAIL FROM:<a@b.example> SMTPUTF8=1", "bad-parameter"),
        ("MAIL FROM:<ä@b.example>", "needs-utf8"),
        ("MAIL FROM:<ä@b.example> SMTPUTF8", "mail"),
        ("MAIL FROM:<a@b.example>\tSIZE=1", "mail"),
        ("MAIL FROM:<a@b.example>\x01", "bad-octets"),
    ],
)
def test_mail(line: str, name: str) -> None:
    """MAIL takes what the grammar and the announced extensions allow, and says what it does not."""
    driver = Driver()
    driver.say(HELLO)
    assert driver.say(line) == [name]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("RCPT TO:<b@c.example>", "rcpt"),
        ("RCPT TO:<postmaster>", "rcpt"),
        ("RCPT TO:<PostMaster@c.example>", "rcpt"),
        ("RCPT TO:<>", "bad-recipient"),
        ("RCPT TO:<b>", "bad-recipient"),
        ("RCPT TO:b@c.example", "syntax"),
        ("RCPT FROM:<b@c.example>", "syntax"),
        ("RCPT TO:<b@c.example> NOTIFY=SUCCESS,DELAY", "rcpt"),
        ("RCPT TO:<b@c.example> NOTIFY=NEVER,DELAY", "bad-parameter"),
        ("RCPT TO:<b@c.example> ORCPT=rfc822;b@c.example", "rcpt"),
        ("RCPT TO:<b@c.example> SIZE=3", "unsupported"),
        ("RCPT TO:<ä@c.example>", "needs-utf8"),
    ],
)
def test_rcpt(line: str, name: str) -> None:
    """RCPT likewise."""
    driver = Driver()
    driver.say(HELLO, MAIL)
    assert driver.say(line) == [name]


def test_parameters_need_ehlo() -> None:
    """A client that said HELO was shown no extension and gets none."""
    driver = Driver()
    assert driver.say("HELO x.example", f"{MAIL} SIZE=1") == ["hello", "unsupported"]


def test_data_is_unstuffed_and_bounded() -> None:
    """Doubled dots are undone; what is too big is dropped as it comes and refused at its end."""
    driver = Driver()
    driver.say(HELLO, MAIL, RCPT)
    assert driver.say("DATA", "..a", "", ".b", ".") == ["data", "queued"]
    assert driver.messages == [b".a\r\n\r\nb\r\n"]
    driver.say(MAIL, RCPT, "DATA")
    for _ in range(50):
        driver.feed(b"x" * 100)
        assert len(driver.side.transaction.content) <= 1000
    assert driver.say("", ".") == ["too-big"]
    assert driver.side.state is State.READY


def test_bdat_counts_octets_and_nothing_else() -> None:
    """A chunk may hold anything; refused chunks are swallowed whole; RSET begins anew."""
    driver = Driver()
    driver.say(HELLO, MAIL, RCPT)
    assert driver.feed(b"BDAT 7\r\n\r\n.\r\n\0\xff") == ["chunk"]
    assert driver.say("DATA", RCPT, MAIL) == ["during-chunks", "during-chunks", "nested-mail"]
    assert driver.feed(b"BDAT 0 LAST\r\n") == ["queued"]
    assert driver.messages == [b"\r\n.\r\n\0\xff"]
    assert driver.feed(b"BDAT 6\r\nQUIT\r\nNOOP\r\n") == ["mail-first", "noop"]
    driver.say(MAIL, RCPT)
    assert driver.feed(b"BDAT 2000 LAST\r\n" + b"x" * 2000) == ["too-big"]
    driver.say(MAIL, RCPT)
    assert driver.say("BDAT", "BDAT x", "BDAT 1 FIRST", "BDAT -1") == ["syntax"] * 4
    assert driver.feed(b"BDAT 1\r\nxRSET\r\n") == ["chunk", "rset"]


@pytest.mark.parametrize(
    ("lenient", "octets", "messages"),
    [
        (False, b"a\n.\nb\r\n.\r\n", [b"a\n.\nb\r\n"]),
        (False, b"a\n.\r\nb\r\n.\r\n", [b"a\n.\r\nb\r\n"]),
        (True, b"a\n.\n", [b"a\n"]),
        (True, b"a\n.\r\n", [b"a\n"]),
        (True, b"a\r\n.\n", [b"a\r\n"]),
    ],
)
def test_end_of_data(lenient: bool, octets: bytes, messages: list[bytes]) -> None:
    """Only CRLF.CRLF ends a message, unless the server is one of the lenient kind."""
    driver = Driver(Profile("mx.example", lenient=lenient))
    driver.say(HELLO, MAIL, RCPT, "DATA")
    driver.feed(octets)
    assert driver.messages == messages


def test_bare_lf_can_be_refused() -> None:
    """A strict server ends the session at the first bare LF in a message."""
    driver = Driver(Profile("mx.example", refuse_bare_lf=True))
    driver.say(HELLO, MAIL, RCPT, "DATA")
    assert driver.feed(b"a\nb\r\n.\r\nQUIT\r\n") == ["bare-lf"]
    assert driver.side.state is State.QUIT


def test_starttls_forgets_and_discards() -> None:
    """What came before the handshake counts no more, and what was injected is never read."""
    driver = Driver()
    assert driver.say(HELLO, "STARTTLS", "EHLO injected.example") == ["ehlo", "starttls"]
    assert (driver.side.state, driver.side.helo, driver.side.tls) == (State.START, "", True)
    assert driver.say(MAIL, "STARTTLS", HELLO) == ["hello-first", "tls-active", "ehlo"]
    assert "STARTTLS" not in driver.side.keywords
    assert "AUTH PLAIN LOGIN CRAM-MD5" in driver.side.keywords


def test_auth_before_tls_says_why_not() -> None:
    """A password needs encryption (538); a proof is just not offered yet (530)."""
    driver = Driver()
    names = driver.say(HELLO, "AUTH PLAIN", "AUTH CRAM-MD5", "AUTH NTLM", "AUTH")
    assert names[1:] == ["mechanism-needs-tls", "tls-first", "no-mechanism", "syntax"]
    assert not any(keyword.startswith("AUTH") for keyword in driver.side.keywords)


def test_auth_step_by_step() -> None:
    """A login runs over 334s; it can be cancelled, fail by its form or by its password."""
    driver = Driver(tls=True)
    driver.say(HELLO)
    assert driver.say("AUTH LOGIN", encode_line(b"ann"), "*") == ["challenge"] * 2 + ["cancelled"]
    assert driver.say("AUTH LOGIN", "not base64!") == ["challenge", "not-base64"]
    assert driver.say("AUTH PLAIN " + encode_line(b"\0ann\0wrong")) == ["bad-login"]
    assert driver.say("AUTH PLAIN", encode_line(b"\0ann\0secret")) == ["challenge", "logged-in"]
    assert (driver.side.user, driver.side.mechanism) == ("ann", "PLAIN")
    assert driver.say("AUTH PLAIN", MAIL) == ["logged-in-already", "mail"]


def test_an_overlong_answer_keeps_the_exchange() -> None:
    """A line beyond 12,288 octets in a login is refused as such."""
    driver = Driver(tls=True)
    driver.say(HELLO, "AUTH PLAIN")
    assert driver.feed(b"A" * (LINE_STORED + 1) + b"\r\n") == ["auth-line-too-long"]


def test_long_lines_are_dropped_not_kept() -> None:
    """A line without end takes no memory, is answered once, and the next one counts."""
    driver = Driver()
    for _ in range(100):
        assert driver.feed(b"x" * 5000) == []
        assert driver.side.waiting <= LINE_STORED
    assert driver.feed(b"\r\nNOOP\r\n") == ["line-too-long", "noop"]


def test_enhanced_codes_only_where_announced() -> None:
    """Without ENHANCEDSTATUSCODES no reply carries one."""
    driver = Driver(Profile("mx.example", ("SIZE 10",)))
    driver.say(HELLO, MAIL, "HELP", "FOO", "QUIT")
    replies = ReplyReader().feed(driver.sent)
    assert [reply.enhanced for reply in replies] == [None] * 6


def test_lmtp_has_its_own_hello() -> None:
    """An LMTP server knows LHLO and neither HELO nor EHLO (RFC 2033 section 4.1)."""
    driver = Driver(Profile("mx.example", lmtp=True))
    assert driver.say(HELLO, "HELO x", "LHLO x") == ["not-recognized", "not-recognized", "ehlo"]


def test_a_greeting_that_refuses_leaves_only_quit() -> None:
    """After 554 every command but QUIT is out of order (RFC 5321 section 3.1)."""
    side = ServerSide(PROFILE)
    side.greeted(make_reply("554 no"))
    side.feed(b"EHLO x\r\nQUIT\r\n")
    names = []
    while (request := side.next()) is not None:
        verdict = side.judge(request)
        names.append(verdict.name)
        side.conclude(request, verdict.reply)
    assert names == ["not-welcome", "quit"]


def test_what_was_heard_is_what_was_fed() -> None:
    """A recording server side tells every octet once, in the order of its use."""
    octets = (
        b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<a@b.example>\r\nDATA\r\na\r\n.\r\nNOOP\r\n"
    )
    side = ServerSide(PROFILE, recording=True)
    side.greeted(make_reply("220 x"))
    heard = b""
    for at in range(0, len(octets), 7):
        side.feed(octets[at : at + 7])
        while (request := side.next()) is not None:
            heard += side.heard()
            side.conclude(request, side.judge(request).reply)
    assert heard + side.heard() == octets


@pytest.mark.parametrize("row", REPLIES.values(), ids=lambda row: row.name)
def test_every_reply_is_well_formed(row) -> None:
    """Codes are in range, enhanced codes of the same class, and the section is named."""
    reply = make_reply(row.line)
    assert reply.code is not None
    assert 200 <= reply.code <= 599
    assert reply.enhanced is None or reply.enhanced[0] == row.line[0]
    assert row.section
    assert ReplyReader().feed(wire_lines(reply))[0].flaws == ()


def test_refusals_are_codes_that_the_verb_table_knows() -> None:
    """What the protocol answers to each verb stands in the verb's row, or may answer any verb."""
    driver = Driver()
    side = driver.side
    lines = {
        "MAIL": [MAIL, "MAIL", "MAIL FROM:<a@b> X=1", "MAIL FROM:<a b@c>"],
        "RCPT": [RCPT, "RCPT TO:<>", "RCPT"],
        "DATA": ["DATA", "DATA x"],
        "STARTTLS": ["STARTTLS"],
        "AUTH": ["AUTH PLAIN", "AUTH X", "AUTH"],
        "VRFY": ["VRFY x", "VRFY"],
        "HELP": ["HELP", "HELP x"],
    }
    general = {421, 500, 501, 502, 503, 504, 530}
    for verb, examples in lines.items():
        for line in examples:
            for opening in ([], [HELLO], [HELLO, MAIL], [HELLO, MAIL, RCPT]):
                driver = Driver()
                driver.say(*opening)
                side = driver.side
                side.feed(f"{line}\r\n".encode())
                request = side.next()
                assert request is not None
                code = side.judge(request).reply.code
                assert code in general | set(VERBS[verb].codes), (line, code)


HOSTILE = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"\r\n",
                b"\n",
                b"\0",
                b".\r\n",
                b"EHLO x\r\n",
                b"MAIL FROM:<a@b.example>\r\n",
                b"RCPT TO:<b@c.example>\r\n",
                b"DATA\r\n",
                b"BDAT 5\r\n",
                b"BDAT 3 LAST\r\n",
                b"RSET\r\n",
                b"AUTH PLAIN\r\n",
                b"AUTH LOGIN ",
                b"AUTH CRAM-MD5\r\n",
                b"AGFubgBz\r\n",
                b"STARTTLS\r\n",
                b"XCLIENT ADDR=x\r\n",
                b"HELP ",
                b"=\r\n",
                b"*\r\n",
                b"x" * 15000,
                b"MAIL FROM:<",
                b"> SIZE=",
                b"99999999999999999999999\r\n",
                b"BDAT 999999999999\r\n",
            ]
        ),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(HOSTILE, st.booleans())
def test_any_octets_are_answered_and_bounded(pieces: list[bytes], tls: bool) -> None:
    """Whatever comes: no exception, well-formed replies, memory within the limits."""
    driver = Driver(tls=tls)
    for piece in pieces:
        driver.feed(piece)
        side = driver.side
        assert side.waiting <= LINE_STORED or side.state is State.QUIT
        assert len(side.transaction.content) <= 1000
    for reply in ReplyReader().feed(driver.sent):
        assert reply.code is not None
        assert not {"mismatched-code", "bare-lf", "control", "no-code"} & set(reply.flaws)


@settings(max_examples=100, deadline=None)
@given(HOSTILE, st.randoms(use_true_random=False))
def test_cutting_changes_nothing(pieces: list[bytes], random) -> None:
    """The same octets give the same replies however they are cut.

    STARTTLS is left out: what it throws away depends on what has arrived, and must.
    """
    octets = b"".join(piece for piece in pieces if piece != b"STARTTLS\r\n")
    octets = octets.replace(b"STARTTLS", b"startless")
    whole = Driver()
    whole.feed(octets)
    parts = Driver()
    at = 0
    while at < len(octets):
        step = random.choice((1, 2, 3, 50, 4000))
        parts.feed(octets[at : at + step])
        at += step
    assert whole.sent == parts.sent
    assert whole.messages == parts.messages


STEPS = st.lists(
    st.sampled_from(
        [
            b"EHLO x.example\r\n",
            b"HELO x.example\r\n",
            b"MAIL FROM:<a@b.example>\r\n",
            b"RCPT TO:<b@c.example>\r\n",
            b"RCPT TO:<>\r\n",
            b"DATA\r\n",
            b"a\r\n",
            b".\r\n",
            b"BDAT 3\r\nabc",
            b"BDAT 2 LAST\r\nab",
            b"RSET\r\n",
            b"NOOP\r\n",
            b"FOO\r\n",
            b"VRFY x\r\n",
            b"AUTH LOGIN\r\n",
            b"YW5u\r\n",
            b"c2VjcmV0\r\n",
            b"*\r\n",
        ]
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_client_and_server_agree_on_the_state(steps: list[bytes]) -> None:
    """Wired together, both sides are in the same state after every reply."""
    driver = Driver(tls=True)
    session = Session()
    session.opened("mx.example", tls=True)
    reader = ReplyReader()
    for reply in reader.feed(driver.sent):
        session.receive(reply)
    for step in steps:
        before = len(driver.sent)
        session.send(step)
        driver.feed(step)
        for reply in reader.feed(driver.sent[before:]):
            session.receive(reply)
        assert session.state is driver.side.state
        assert session.snapshot().recipients == tuple(
            address for address, _ in driver.side.transaction.recipients
        )


def test_our_client_logs_in_to_our_server() -> None:
    """Both sides of CRAM-MD5 understand each other over lines."""
    driver = Driver(tls=True)
    driver.say(HELLO)
    driver.say("AUTH CRAM-MD5")
    challenge = ReplyReader().feed(driver.sent)[-1].text
    exchange = ClientExchange("CRAM-MD5", Credentials("ann", "secret"))
    exchange.start()
    answer = encode_line(exchange.answer(decode_line(challenge)))
    assert driver.say(answer) == ["logged-in"]
