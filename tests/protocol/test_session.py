"""The client's session: what was sent, what was answered, and what follows from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.protocol.pairing import Answer, Outgoing
from smtpshell.protocol.replies import Reply, ReplyReader
from smtpshell.protocol.session import Session
from smtpshell.protocol.state import Mode, State
from smtpshell.protocol.verbs import VERBS
from tests.protocol.feeding import cut, one_by_one, places

CANONICAL = """
S: 220 mx.example.com ESMTP
C: EHLO client.example
S: 250-mx.example.com
S: 250-SIZE 1000
S: 250 AUTH PLAIN LOGIN
C: MAIL FROM:<ann@client.example>
S: 250 ok
C: RCPT TO:<bob@example.com>
S: 250 ok
C: RCPT TO:<nobody@example.com>
S: 550 no
C: DATA
S: 354 go on
C: Subject: hello
C:
C: AUTH PLAIN not a command
C: ..
C: .
S: 250 taken
C: QUIT
S: 221 bye
"""


class Talk:
    """A session played from lines marked C: and S:, with all that came of it."""

    def __init__(self, *, lmtp: bool = False, published=None) -> None:
        self.session = Session(lmtp=lmtp, published=published)
        self.session.opened("mx.example.com", "192.0.2.1", 25)
        self.sent: list[Outgoing] = []
        self.answers: list[Answer] = []
        self._reader = ReplyReader()

    def play(self, text: str) -> Talk:
        """Send and receive line by line."""
        for line in text.strip().splitlines():
            role, _, rest = line.strip().partition(":")
            octets = rest.removeprefix(" ").encode() + b"\r\n"
            if role == "C":
                self.sent += self.session.send(octets)
            else:
                self.answers += map(self.session.receive, self._reader.feed(octets))
        return self

    @property
    def now(self):
        """What is known now."""
        return self.session.snapshot()

    @property
    def verbs(self) -> list[str | None]:
        """The verbs that the replies so far answered."""
        return [answer.verb for answer in self.answers]


READY = """
S: 220 mx.example.com ESMTP
C: EHLO client.example
S: 250-mx.example.com
S: 250 AUTH PLAIN LOGIN
"""

ENVELOPE = f"""{READY}
C: MAIL FROM:<ann@client.example>
S: 250 ok
C: RCPT TO:<bob@example.com>
S: 250 ok
C: RCPT TO:<carol@example.com>
S: 250 ok
"""


def test_the_canonical_transaction_is_followed():
    """Each reply is matched to its command, and the session ends in a goodbye."""
    talk = Talk().play(CANONICAL)
    assert talk.verbs == [None, "EHLO", "MAIL", "RCPT", "RCPT", "DATA", ".", "QUIT"]
    assert not any(answer.unasked for answer in talk.answers)
    assert [sent.kind for sent in talk.sent[5:10]] == ["data"] * 4 + ["end"]
    assert talk.sent[7].shown == "AUTH PLAIN not a command"
    assert not any(sent.out_of_order for sent in talk.sent)
    assert (talk.now.state, talk.now.pending) == (State.QUIT, 0)


def test_an_envelope_is_known_while_it_lasts():
    """Sender, accepted and refused recipients are there until the message is done."""
    before, _, after = CANONICAL.partition("C: DATA")
    talk = Talk().play(before)
    assert talk.now.sender == "ann@client.example"
    assert talk.now.recipients == ("bob@example.com",)
    assert talk.now.refused == ("nobody@example.com",)
    assert talk.now.banner == "mx.example.com ESMTP"
    assert talk.now.helo == "client.example"
    assert talk.now.esmtp
    assert talk.now.extensions is not None
    assert talk.now.extensions.size == 1000
    talk.play("C: DATA" + after)
    assert (talk.now.sender, talk.now.recipients, talk.now.refused) == (None, (), ())


@pytest.mark.parametrize("by", [one_by_one, lambda octets: [octets]], ids=["octets", "whole"])
def test_what_is_sent_may_be_cut_anywhere(by):
    """Lines are the same whether they are sent at once or octet by octet."""
    talk = Talk().play(ENVELOPE).play("C: DATA\nS: 354 go")
    octets = b"one\r\n\r\ntwo\nthree\r\n.\r\nRSET\r\n"
    lines = [line for piece in by(octets) for line in talk.session.send(piece)]
    assert [(line.kind, line.shown, line.ending) for line in lines] == [
        ("data", "one", "\r\n"),
        ("data", "", "\r\n"),
        ("data", "two", "\n"),
        ("data", "three", "\r\n"),
        ("end", ".", "\r\n"),
        ("command", "RSET", "\r\n"),
    ]


def test_pipelined_commands_are_matched_in_order():
    """Replies answer the oldest line that waits (RFC 2920 section 3.1)."""
    talk = (
        Talk()
        .play(READY)
        .play(
            """
        C: MAIL FROM:<>
        C: RCPT TO:<bob@example.com>
        C: RCPT TO:<nobody@example.com>
        C: NOOP
        """
        )
    )
    assert talk.now.pending == 4
    talk.play("S: 250 ok\nS: 250 ok\nS: 550 no\nS: 250 ok")
    assert talk.verbs[2:] == ["MAIL", "RCPT", "RCPT", "NOOP"]
    assert (talk.now.sender, talk.now.recipients) == ("", ("bob@example.com",))
    assert talk.now.refused == ("nobody@example.com",)


@pytest.mark.parametrize("code", ["354 go", "554 no valid recipients"])
def test_lines_sent_behind_data_are_what_its_reply_makes_them(code):
    """Granted, they are message data and the dot gets a reply; refused, each is a command."""
    talk = Talk().play(ENVELOPE).play("C: DATA\nC: Subject: x\nC:\nC: RSET\nC: .\nC: NOOP")
    talk.play(f"S: {code}")
    if code.startswith("354"):
        talk.play("S: 250 taken\nS: 250 noop")
        assert talk.verbs[-3:] == ["DATA", ".", "NOOP"]
        assert talk.now.state is State.READY
    else:
        talk.play("S: 500 what\nS: 500 what\nS: 250 reset\nS: 500 what\nS: 250 noop")
        assert talk.verbs[-6:] == ["DATA", "SUBJECT:", None, "RSET", ".", "NOOP"]
    assert talk.now.pending == 0


def test_a_reply_nobody_waits_for_is_unasked():
    """A late 421 answers nothing and changes nothing."""
    talk = Talk().play(ENVELOPE)
    before = talk.now
    talk.play("S: 421 4.4.2 timeout")
    assert talk.answers[-1] == Answer(None, unasked=True)
    assert talk.now == before


def test_a_line_without_a_code_answers_nothing():
    """Noise between replies is unasked, and the command still waits."""
    talk = Talk().play(READY).play("C: NOOP\nS: * what is this")
    assert talk.answers[-1].unasked
    assert talk.now.pending == 1
    talk.play("S: 250 ok")
    assert talk.verbs[-1] == "NOOP"


def test_a_greeting_may_follow_noise():
    """A server that says something else first has still to greet."""
    talk = Talk().play("S: hello there\nS: 220 mx.example.com")
    assert talk.now.banner == "mx.example.com"
    assert talk.now.state is State.START
    assert not any(answer.unasked for answer in talk.answers)


def test_a_command_sent_before_the_greeting_waits_behind_it():
    """The first reply is the greeting, whatever was sent already."""
    talk = Talk().play("C: EHLO client.example\nS: 220 hi\nS: 250 mx.example.com")
    assert talk.verbs == [None, "EHLO"]
    assert talk.sent[0].out_of_order
    assert talk.now.state is State.READY


def test_commands_out_of_order_are_sent_and_marked():
    """A verb that is not legal now is marked; a refusal leaves the state as it was."""
    talk = Talk().play(READY).play("C: DATA\nS: 503 no\nC: RCPT TO:<b@example.com>\nS: 503 no")
    assert [sent.out_of_order for sent in talk.sent] == [False, True, True]
    assert talk.now.state is State.READY


def test_an_unknown_verb_is_not_out_of_order():
    """Nothing is known of private verbs, so nothing is said."""
    talk = Talk().play(READY).play("C: XEXCH50 1 2\nS: 500 what")
    assert not talk.sent[-1].out_of_order
    assert talk.verbs[-1] == "XEXCH50"


LMTP = """
S: 220 lmtp.example.com LMTP
C: LHLO client.example
S: 250-lmtp.example.com
S: 250 CHUNKING
C: MAIL FROM:<ann@client.example>
S: 250 ok
C: RCPT TO:<bob@example.com>
S: 250 ok
C: RCPT TO:<nobody@example.com>
S: 550 no
C: RCPT TO:<carol@example.com>
S: 250 ok
"""


def test_lmtp_reports_on_each_accepted_recipient_after_the_dot():
    """One reply a recipient, each matched to its address (RFC 2033 section 4.2)."""
    talk = Talk().play(LMTP).play("C: DATA\nS: 354 go\nC: text\nC: .")
    assert talk.now.lmtp
    assert talk.sent[-1].replies == 2
    talk.play("S: 250 kept")
    assert (talk.now.state, talk.now.pending) == (State.DATA, 1)
    talk.play("S: 452 full")
    assert [answer.recipient for answer in talk.answers[-2:]] == [
        "bob@example.com",
        "carol@example.com",
    ]
    assert (talk.now.state, talk.now.pending) == (State.READY, 0)
    assert talk.now.recipients == ()


def test_lmtp_reports_after_the_last_chunk_too():
    """BDAT LAST gets the replies of the dot, an earlier chunk only one; pipelined as well."""
    talk = Talk().play(LMTP)
    talk.session.send(b"BDAT 3\r\nabcBDAT 2 LAST\r\nde")
    talk.play("S: 250 3 octets\nS: 250 kept\nS: 250 kept")
    assert talk.verbs[-3:] == ["BDAT"] * 3
    assert [answer.recipient for answer in talk.answers[-3:]] == [
        None,
        "bob@example.com",
        "carol@example.com",
    ]
    assert talk.now.state is State.READY


def test_lmtp_counts_recipients_when_their_replies_are_in():
    """A whole pipelined LMTP transaction still gets one reply for each recipient accepted."""
    talk = Talk().play(LMTP.partition("C: MAIL")[0])
    talk.session.send(
        b"MAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nBDAT 0 LAST\r\n"
    )
    talk.play("S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 kept\nS: 250 kept")
    assert talk.now.pending == 0
    assert [answer.recipient for answer in talk.answers[-2:]] == ["a@example.com", "b@example.com"]


def test_smtp_reports_once_after_the_dot():
    """Outside LMTP one reply answers the message, however many recipients there are."""
    talk = Talk().play(ENVELOPE).play("C: DATA\nS: 354 go\nC: .\nS: 250 ok")
    assert (talk.now.pending, talk.answers[-1].recipient) == (0, None)


def test_chunk_octets_are_not_commands():
    """What BDAT announced is passed over, whatever it holds, and then commands are read again."""
    talk = Talk().play(ENVELOPE)
    lines = talk.session.send(b"BDAT 12\r\nQUIT\r\nRSET\r\nNOOP\r\n")
    assert [(line.kind, line.shown) for line in lines] == [
        ("command", "BDAT 12"),
        ("octets", "QUIT"),
        ("octets", "RSET"),
        ("command", "NOOP"),
    ]
    talk.session.send(b"BDAT 100\r\n")
    assert talk.now.mode is Mode.OCTETS
    talk.session.send_body(60)
    assert talk.session.octets_left == 40
    talk.session.send_body(60)
    assert talk.session.octets_left == 0


@pytest.mark.parametrize("size", ["", "many", "-1", "²", "9" * 30])
def test_a_chunk_without_a_plain_size_holds_nothing(size):
    """A BDAT that no server can count is followed by commands, not octets."""
    talk = Talk().play(ENVELOPE)
    talk.session.send(f"BDAT {size}\r\n".encode())
    assert talk.session.octets_left == 0


def test_a_handshake_forgets_what_was_learnt_in_the_clear():
    """After STARTTLS hello, extensions and pipelined lines are gone (RFC 3207 section 4.2)."""
    talk = Talk().play(ENVELOPE).play("C: RSET\nS: 250 ok\nC: STARTTLS\nC: NOOP\nS: 220 go")
    assert talk.now.state is State.TLS
    talk.session.tls_started()
    assert (talk.now.state, talk.now.tls, talk.now.pending) == (State.START, True, 0)
    assert (talk.now.helo, talk.now.extensions, talk.now.esmtp) == (None, None, False)
    assert talk.now.banner is not None


def test_helo_announces_nothing():
    """The old greeting leaves no extensions."""
    talk = Talk().play(READY).play("C: HELO client.example\nS: 250 hi")
    assert (talk.now.esmtp, talk.now.extensions) == (False, None)


@pytest.mark.parametrize("line", ["RSET", "EHLO again.example", "MAIL FROM:<other@b.example>"])
def test_what_restarts_a_transaction_forgets_the_recipients(line):
    """RSET, a new hello, and a second MAIL that a server takes, each begin anew."""
    talk = Talk().play(ENVELOPE).play(f"C: {line}\nS: 250 ok")
    assert talk.now.recipients == ()
    assert talk.now.state is (State.MAIL if line.startswith("MAIL") else State.READY)


def test_xclient_begins_the_session_anew():
    """A 220 to XCLIENT forgets the hello."""
    talk = Talk().play(READY).play("C: XCLIENT ADDR=192.0.2.9\nS: 220 hi")
    assert (talk.now.state, talk.now.helo) == (State.START, None)


def test_closing_ends_everything():
    """Without a connection there is no transaction, nothing waits, and nothing can be sent."""
    talk = Talk().play(ENVELOPE).play("C: NOOP")
    talk.session.closed()
    assert (talk.now.state, talk.now.mode, talk.now.pending) == (State.CLOSED, Mode.CLOSED, 0)
    assert (talk.now.sender, talk.now.recipients, talk.now.connected) == (None, (), False)


def test_a_login_is_followed_to_its_end():
    """Each challenge turns the next line into an answer; 235 tells the mechanism and the user."""
    talk = Talk().play(READY).play("C: AUTH login\nS: 334 VXNlcm5hbWU6")
    assert (talk.now.state, talk.now.mode) == (State.AUTH, Mode.ANSWER)
    talk.play("C: YW5u\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\nS: 235 welcome")
    assert talk.verbs[-3:] == ["AUTH"] * 3
    assert (talk.now.state, talk.now.mechanism, talk.now.user) == (State.READY, "LOGIN", "ann")
    talk.session.logged_in_as("ann@client.example")
    assert talk.now.user == "ann@client.example"


def test_a_login_under_way_tells_its_mechanism_and_its_step():
    """`trying` and `challenges` stand from the AUTH to the reply that ends it."""
    talk = Talk().play(READY).play("C: AUTH login\nS: 334 VXNlcm5hbWU6")
    assert (talk.now.trying, talk.now.challenges) == ("LOGIN", 1)
    talk.play("C: YW5u\nS: 334 UGFzc3dvcmQ6")
    assert (talk.now.trying, talk.now.challenges) == ("LOGIN", 2)
    talk.play("C: c2VjcmV0\nS: 535 no")
    assert (talk.now.trying, talk.now.challenges, talk.now.user) == (None, 0, None)


SECRET = "AGFubgBzZWNyZXQ="

LEAKS = {
    "initial response": f"C: AUTH PLAIN {SECRET}\nS: 235 ok",
    "in lower case": f"C: auth plain {SECRET}\nS: 235 ok",
    "with stray spaces": f"C:   AUTH   PLAIN   {SECRET}  \nS: 235 ok",
    "with tabs": f"C: AUTH\tPLAIN\t{SECRET}\nS: 235 ok",
    "behind another word": f"C: AUTH PLAIN = {SECRET}\nS: 501 no",
    "without a mechanism": f"C: AUTH {SECRET}\nS: 504 no",
    "answer": f"C: AUTH PLAIN\nS: 334\nC: {SECRET}\nS: 235 ok",
    "answer that looks like a command": f"C: AUTH PLAIN\nS: 334\nC: QUIT {SECRET}\nS: 235 ok",
    "second answer": f"C: AUTH LOGIN\nS: 334 a\nC: x\nS: 334 b\nC: {SECRET}\nS: 535 no",
    "sent blindly": f"C: AUTH LOGIN\nC: {SECRET}\nC: {SECRET}\nS: 334 a\nS: 334 b\nS: 235 ok",
    "sent blindly and refused": f"C: AUTH LOGIN\nC: {SECRET}\nC: {SECRET}" + "\nS: 500 no" * 3,
    "sent after a refusal": "C: AUTH LOGIN\nS: 504 no" + f"\nC: {SECRET}\nS: 500 what" * 2,
    "sent after a failure": f"C: AUTH PLAIN =\nS: 535 no\nC: {SECRET}\nS: 500 what",
    "in a second attempt": f"C: AUTH PLAIN =\nS: 535 no\nC: AUTH PLAIN {SECRET}\nS: 535 no",
    "right of access": f"C: BURL imap://a.example/x;urlauth=anon:internal:{SECRET} LAST\nS: 503",
}


@pytest.mark.parametrize("case", LEAKS)
def test_secrets_never_come_out(case):
    """No form of a login leaves its secret in what is shown, in a verb or in the state."""
    talk = Talk().play(READY).play(LEAKS[case])
    assert any("[hidden]" in sent.shown for sent in talk.sent)
    everything = repr((talk.sent, talk.answers, talk.now)).upper()
    assert SECRET.upper().rstrip("=") not in everything
    assert talk.now.pending == 0


def test_what_gives_nothing_away_is_shown():
    """Cancelling, an empty response and the mechanism's name are no secrets."""
    talk = Talk().play(READY)
    talk.play("C: AUTH PLAIN =\nS: 535 no\nC: AUTH CRAM-MD5\nS: 334 x\nC: *\nS: 501 no")
    assert [sent.shown for sent in talk.sent[1:]] == ["AUTH PLAIN =", "AUTH CRAM-MD5", "*"]


def test_after_a_refused_login_the_next_command_is_shown_again():
    """Only single words of no known verb are hidden, and only until a command follows."""
    talk = Talk().play(READY).play("C: AUTH LOGIN\nS: 504 no\nC: NOOP\nS: 250 ok\nC: XFOO\nS: 500")
    assert [sent.shown for sent in talk.sent[1:]] == ["AUTH LOGIN", "NOOP", "XFOO"]


def test_published_credentials_are_shown():
    """What everyone may know need not be hidden; the mechanism decides how it is read."""
    asked: list[tuple[str, bytes]] = []

    def published(mechanism: str, line: bytes) -> bool:
        asked.append((mechanism, line))
        return line == b"b3Blbg=="

    talk = Talk(published=published).play(READY)
    talk.play("C: AUTH PLAIN b3Blbg==\nS: 535 no\nC: AUTH PLAIN c2VjcmV0\nS: 535 no")
    talk.play("C: AUTH LOGIN\nS: 334 x\nC: b3Blbg==\nS: 334 x\nC: c2VjcmV0\nS: 535 no")
    assert [sent.shown for sent in talk.sent[1:]] == [
        "AUTH PLAIN b3Blbg==",
        "AUTH PLAIN [hidden]",
        "AUTH LOGIN",
        "b3Blbg==",
        "[hidden]",
    ]
    assert ("LOGIN", b"b3Blbg==") in asked


def test_a_command_pipelined_behind_auth_is_taken_for_the_answer():
    """A server in a login takes any line for the answer, and the login ends with its reply."""
    talk = Talk().play(READY).play("C: AUTH LOGIN\nC: NOOP\nS: 334 x\nS: 501 not base64")
    assert talk.now.state is State.READY


replies = st.builds(
    Reply,
    st.none() | st.sampled_from([199, 220, 221, 235, 250, 334, 354, 421, 454, 503, 535, 554, 600]),
    st.lists(
        st.sampled_from(["mx.example.com", "SIZE 1", "AUTH PLAIN", "5.1.1 x", ""]), max_size=3
    ).map(tuple),
)
lines = (
    st.sampled_from(["MAIL FROM:<>", "RCPT TO:<b@example.com>", "BDAT 3", "BDAT 0 LAST", ".", "x"])
    | st.sampled_from(sorted(VERBS))
    | st.text(max_size=8)
)
steps = st.lists(lines.map(lambda line: f"{line}\r\n".encode()) | st.binary(max_size=6) | replies)


@given(steps, st.booleans())
def test_nothing_that_is_sent_or_received_raises(steps, lmtp):
    """Any order of any octets and any replies leaves a sound session."""
    talk = Talk(lmtp=lmtp)
    for step in steps:
        if isinstance(step, Reply):
            talk.session.receive(step)
            if talk.session.state is State.TLS:
                talk.session.tls_started()
        else:
            talk.session.send(step)
        assert talk.now.pending >= 0
        assert (talk.now.mode is Mode.ANSWER) <= (talk.now.state is State.AUTH)
        assert (talk.now.mode is Mode.DATA) <= (talk.now.state is State.DATA)


@given(st.lists(lines, max_size=12), places)
def test_cuts_do_not_matter_to_the_lines(texts, where):
    """However octets are cut, the same lines are understood, and the same lines wait."""
    octets = "".join(f"{text}\r\n" for text in texts if "BDAT" not in text.upper()).encode(
        "utf-8", "surrogateescape"
    )
    whole, pieces = Talk().play(READY), Talk().play(READY)
    expected = whole.session.send(octets)
    found = [line for piece in cut(octets, where) for line in pieces.session.send(piece)]
    assert found == expected
    assert pieces.now == whole.now


def test_a_large_paste_is_read_in_linear_time():
    """A message of many lines fed in one piece costs no more than its length."""
    talk = Talk().play(ENVELOPE).play("C: DATA\nS: 354 go")
    lines = talk.session.send(b"line\r\n" * 50_000)
    assert len(lines) == 50_000


def test_a_line_without_an_end_is_held_within_bounds():
    """Octets of an endless line are not all kept."""
    talk = Talk().play(READY)
    for _ in range(64):
        talk.session.send(b"x" * 65_536)
    (line,) = talk.session.send(b"\r\n")
    assert len(line.shown) < 2 << 20


@pytest.mark.parametrize("pipelined", [False, True])
def test_a_dot_ended_by_lf_alone_ends_no_message(pipelined):
    """Only CRLF ends the line with the dot (RFC 5321 2.3.8), also where it was sent behind DATA."""
    talk = Talk().play(
        "S: 220 mx\nC: HELO a.example\nS: 250 mx\nC: MAIL FROM:<a@a.example>\nS: 250 ok"
    )
    talk.play("C: RCPT TO:<b@b.example>\nS: 250 ok")
    body = b"Subject: x\r\n\r\nHi.\n.\nNOOP\r\n"
    if pipelined:
        talk.session.send(b"DATA\r\n" + body)
        talk.play("S: 354 go on")
    else:
        talk.play("C: DATA\nS: 354 go on")
        talk.session.send(body)
    assert talk.session.mode is Mode.DATA
    assert talk.session.pending == 0
    talk.session.send(b".\r\n")
    assert talk.session.pending == 1
