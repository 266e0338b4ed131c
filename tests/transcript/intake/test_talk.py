"""Sessions in every notation: each reply gets the command it answers, secrets stay hidden."""

from __future__ import annotations

import json

import pytest

from tests.transcript.intake.finding import SAMPLES, classes, find, find_in, refusals

EXCHANGE = [
    ("S", "220 mx.example.com ESMTP Postfix"),
    ("C", "EHLO client.example"),
    ("S", "250-mx.example.com"),
    ("S", "250-AUTH PLAIN"),
    ("S", "250 SIZE 1000"),
    ("C", "AUTH PLAIN AGFubgBzZXNhbWU="),
    ("S", "235 2.7.0 ok"),
    ("C", "MAIL FROM:<ann@client.example>"),
    ("S", "250 2.1.0 Ok"),
    ("C", "RCPT TO:<zoe@elsewhere.example>"),
    ("S", "554 5.7.1 <zoe@elsewhere.example>: Relay access denied"),
    ("C", "RCPT TO:<bob@b.example>"),
    ("S", "250 2.1.5 Ok"),
    ("C", "DATA"),
    ("S", "354 go on"),
    ("C", "Subject: RCPT"),
    ("C", ""),
    ("C", "QUIT"),
    ("C", "."),
    ("S", "552 5.3.4 too big"),
    ("C", "QUIT"),
    ("S", "221 2.0.0 bye"),
]
ANSWERED = ["CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "RCPT", "DATA", "MESSAGE", "QUIT"]

NOTATIONS = {
    "ours": ("S: {}", "C: {}"),
    "telnet": ("{}", "{}"),
    "swaks": ("<-  {}", " -> {}"),
    "swaks-tls": ("<~  {}", " ~> {}"),
    "sendmail": ("<<< {}", ">>> {}"),
    "smtplib": ("reply: b'{}\\r\\n'", "send: '{}\\r\\n'"),
    "phpmailer": (
        "2026-11-22 07:28:19 SERVER -> CLIENT: {}",
        "2026-11-22 07:28:19 CLIENT -> SERVER: {}",
    ),
    "nodemailer": (
        "[2026-11-22 07:28:19] DEBUG [abc] S: {}",
        "[2026-11-22 07:28:19] DEBUG [abc] C: {}",
    ),
    "net-smtp": ("Net::SMTP=GLOB(0x55d0)<<< {}", "Net::SMTP=GLOB(0x55d0)>>> {}"),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_each_reply_gets_its_command(name: str) -> None:
    """The same conversation reads the same in every notation."""
    server, client = NOTATIONS[name]
    lines = [(server if side == "S" else client).format(words) for side, words in EXCHANGE]
    found = find(lines)
    assert [one.facts.get("verb") for one in found] == ANSWERED
    assert classes(refusals(found)) == ["relay_denied", "message_too_big"]
    assert found[4].facts["sender"] == "ann@client.example"
    assert found[4].facts["size_limit"] == 1000
    assert found[7].facts["recipients"] == ("bob@b.example",)
    assert "AGFubgBzZXNhbWU=" not in str(found)


def test_curl_marks_lines_too() -> None:
    """With -v, curl shows commands and replies between remarks; its last word adds nothing."""
    text = (
        "*   Trying 192.0.2.25:25...\n* Connected to mx.example.com (192.0.2.25) port 25 (#0)\n"
        "< 220 mx.example.com ESMTP\n> EHLO host\n< 250-mx.example.com\n< 250 CHUNKING\n"
        "> MAIL FROM:<ann@a.example>\n< 250 2.1.0 Ok\n> RCPT TO:<zoe@b.example>\n"
        "< 554 5.7.1 Relay access denied\n* RCPT failed: 554\n> QUIT\n< 221 bye\n"
        "* Closing connection 0\ncurl: (55) RCPT failed: 554\n"
    )
    found = find(text)
    assert [one.facts.get("verb") for one in found] == ["CONNECT", "EHLO", "MAIL", "RCPT", "QUIT"]
    assert found[3].facts["host"] == "mx.example.com"


def test_telnet_knows_where_it_connected() -> None:
    """The remarks of telnet name the host; a refusal to connect is a failure."""
    found = find(
        "Trying 192.0.2.1...\nConnected to mx.example.com.\nEscape character is '^]'.\n"
        "554 5.7.1 no\nConnection closed by foreign host.\n"
    )
    assert [(one.facts["host"], one.facts["verb"]) for one in found] == [
        ("mx.example.com", "CONNECT")
    ]
    found = find(
        "Trying 192.0.2.1...\ntelnet: Unable to connect to remote host: Connection refused\n"
    )
    assert [(one.failure, one.facts["host"]) for one in found] == [("refused", "192.0.2.1")]


def test_openssl_begins_encrypted() -> None:
    """In openssl s_client the channel is encrypted from the start; its chatter is no reply."""
    found = find(
        "CONNECTED(00000003)\ndepth=0 CN = mx.example.com\nverify return:1\n---\n"
        "250 CHUNKING\nEHLO me\n250-mx.example.com\n250 AUTH PLAIN\n"
        "AUTH PLAIN AGFubgBzZXNhbWU=\n535 5.7.8 no\nDONE\n"
    )
    assert [one.facts.get("verb") for one in found] == [None, "EHLO", "AUTH"]
    assert found[2].facts["tls"] is True
    assert "AGFubgBzZXNhbWU=" not in str(found)


def test_a_session_may_begin_in_the_middle() -> None:
    """A command and its refusal are enough."""
    found = find("RCPT TO:<zoe@b.example>\n550 5.1.1 no such user\n")
    assert [one.facts["verb"] for one in found] == ["RCPT"]


def test_several_replies_stand_for_themselves() -> None:
    """Lines that are replies without commands are found one by one, long ones whole."""
    found = find("550-5.1.1 first\n550 5.1.1 second\n451 4.7.1 Greylisted\n220 mx.example.com\n")
    assert [(one.line, one.reply and len(one.reply.lines)) for one in found] == [
        (1, 2),
        (3, 1),
        (4, 1),
    ]


def test_our_own_json_is_read() -> None:
    """What `--json` wrote can be explained again, with host, TLS and commands."""
    events: list[dict[str, object]] = [
        {"event": "connected", "target": "mx.example.com", "port": 587, "tls": False},
        {"event": "tls", "version": "TLSv1.3"},
        {"event": "sent", "line": "MAIL FROM:<a@b.example>", "verb": "MAIL"},
        {"event": "reply", "code": 530, "lines": ["5.7.0 Log in"], "command": "MAIL"},
        {"event": "failed", "stage": "wait", "what": "Connection reset by peer"},
    ]
    found = find(map(json.dumps, events))
    assert [one.facts.get("verb") for one in found if one.reply] == ["MAIL"]
    assert found[0].facts["host"] == "mx.example.com"
    assert found[0].facts["tls"] is True
    assert found[-1].failure == "reset"


def test_swaks_without_a_greeting() -> None:
    """What swaks says in the server's place is a failure of the connection, told once."""
    found = find_in(SAMPLES / "programs" / "swaks" / "no-greeting.txt")
    assert [(one.failure, one.facts["host"], one.facts["port"]) for one in found] == [
        ("no-banner", "mx.postfix.example", 2500)
    ]


def test_notes_of_our_own_transcripts_are_no_replies() -> None:
    """A saved session is read without its notes, but for the one that tells of a failure."""
    found = find(
        "# Connected to mx.example.com, 192.0.2.1 port 25.\nS: 220 mx.example.com ESMTP\n"
        "# The server speaks first. 550 5.1.1 is no reply here.\nC: NOOP\n"
        "# Failed: mx.example.com: connection reset by the server. Connect again.\n"
    )
    assert [one.failure or one.words for one in found] == ["220 mx.example.com ESMTP", "reset"]
    assert found[1].facts["host"] == "mx.example.com"


def test_a_reply_inside_a_pasted_message_is_of_the_message() -> None:
    """A refusal without a dot before it is the message's; early it is where that is known."""
    session = (
        " -> DATA\n<-  354 Go on\n -> Subject: x\n<** 552 5.3.4 Message too big\n -> text\n -> .\n"
    )
    found = find(f"<-  220 mx ESMTP\n -> EHLO x\n<-  250 mx\n{session}")[-1]
    assert "early" not in found.facts
    assert found.facts["verb"] == "MESSAGE"
    event = '{"event": "reply", "code": 552, "lines": ["no"], "flaws": ["early"], "unasked": true}'
    (found,) = find(event)
    assert (found.facts["early"], found.facts["verb"]) == ("message", "MESSAGE")
