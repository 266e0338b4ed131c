"""The shipped scenarios do what their lessons say."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from smtpshell.practice.checking import check_scenario
from smtpshell.practice.library import list_scenarios, load_scenario
from smtpshell.practice.server import PracticeServer
from smtpshell.protocol.sasl import Credentials
from smtpshell.protocol.sasl.exchange import ClientExchange
from smtpshell.protocol.sasl.line import decode_line, encode_line
from tests.practice.talking import Client, trusting, with_server

GREETING = "EHLO client.example"


def at(host: str, test, port: int = 25, what: str = "plain", **options):
    """Run a test with a client at one door of a scenario, behind the greeting."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server, (host, port))
        try:
            await test(server, client)
        finally:
            await client.close()

    return with_server(what, run, **options)


async def log_in(client: Client, mechanism: str, user: str, password: str) -> str:
    """Log in and return the code of the last reply."""
    exchange = ClientExchange(mechanism, Credentials(user, password, token=password))
    initial = exchange.start()
    line = f"AUTH {mechanism}" + (f" {encode_line(initial, initial=True)}" if initial else "")
    while True:
        client.send(f"{line}\r\n".encode())
        reply = await client.reply()
        assert reply is not None
        if reply.code != 334:
            return f"{reply.code} {reply.enhanced}"
        line = encode_line(exchange.answer(decode_line(reply.text)))


@pytest.mark.parametrize("name", list(list_scenarios()))
def test_every_shipped_scenario_is_sound(name: str) -> None:
    """`check_scenario` finds nothing wrong with what we ship."""
    assert [str(problem) for problem in check_scenario(load_scenario(name))] == []


@pytest.mark.parametrize("name", list(list_scenarios()))
def test_every_shipped_scenario_starts_and_greets(name: str) -> None:
    """Each scenario listens at its main host's first door, and greets there."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        assert await client.code() == "220"
        await client.close()

    with_server(name, run)


def test_plain_refuses_lines_beyond_998_octets() -> None:
    """998 octets pass, 999 do not, by DATA and by BDAT."""

    async def run(_server: PracticeServer, client: Client) -> None:
        assert await client.code() == "220"
        await client.say(GREETING)
        assert await client.transact("x" * 998 + "\r\n") == "250 2.0.0"
        assert await client.transact("x" * 999 + "\r\n") == "500 5.6.0"
        await client.say("MAIL FROM:<a@b.example>", "RCPT TO:<bob@practice.example>")
        client.send(b"BDAT 1001 LAST\r\n" + b"x" * 999 + b"\r\n")
        assert await client.code() == "500 5.6.0"

    at("mail.practice.example", run)


def test_size_tells_twice() -> None:
    """Too big is 552 at MAIL where it is declared, and after the dot where it is not."""

    async def run(_server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        mail = "MAIL FROM:<ann@client.example>"
        assert await client.say(f"{mail} SIZE=2048", "RSET") == ["250 2.1.0", "250 2.0.0"]
        assert await client.say(f"{mail} SIZE=2049") == ["552 5.3.4"]
        assert await client.transact("x" * 60 + "\r\n") == "250 2.0.0"
        assert await client.transact(("x" * 60 + "\r\n") * 40) == "552 5.3.4"

    at("mail.practice.example", run, what="size")


def test_rcpt_judges_one_by_one() -> None:
    """Unknown, moved, full and one too many; the open relay takes everybody."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        codes = await client.say(
            GREETING,
            "MAIL FROM:<ann@client.example>",
            *(f"RCPT TO:<{name}@practice.example>" for name in ("x", "dora", "erik")),
            "RCPT TO:<zoe@elsewhere.example>",
            *(f"RCPT TO:<{name}@practice.example>" for name in ("alice", "bob", "carol", "alice")),
        )
        assert codes == [
            "250", "250 2.1.0", "550 5.1.1", "551 5.1.6", "452 4.2.2", "554 5.7.1",
            "250 2.1.5", "250 2.1.5", "250 2.1.5", "452 4.5.3",
        ]  # fmt: skip
        relay = await Client.open(server, ("open.practice.example", 25))
        await relay.code()
        await relay.say(GREETING)
        assert await relay.transact(recipient="zoe@elsewhere.example") == "250 2.0.0"
        assert server.world.queue[0].left == ("zoe@elsewhere.example",)
        await relay.close()

    at("mail.practice.example", run, what="rcpt")


def test_ports_are_silent_closed_slow_and_busy() -> None:
    """Each door of the scenario behaves as its lesson says."""

    async def run(server: PracticeServer) -> None:
        silent = await Client.open(server, ("mail.practice.example", 25))
        silent.send(b"EHLO x\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(silent.reader.read(1), 0.05)
        await silent.close()
        with pytest.raises(ConnectionRefusedError):
            await Client.open(server, ("mail.practice.example", 24))
        before = server.world.clock.now()
        slow = await Client.open(server, ("slow.practice.example", 25))
        assert await slow.code() == "220"
        assert server.world.clock.now() - before == 8
        await slow.close()
        for expected in ("421 4.3.2", "421 4.3.2", "220"):
            busy = await Client.open(server, ("busy.practice.example", 25))
            assert await busy.code() == expected
            await busy.close()
        closed = await Client.open(server, ("closed.practice.example", 25))
        codes = [await closed.code(), *await closed.say(GREETING, "QUIT")]
        assert codes == ["554 5.3.2", "503 5.5.1", "221 2.0.0"]
        await closed.close()
        tls = await Client.open(
            server,
            ("mail.practice.example", 465),
            ssl=trusting(server),
            server_hostname="mail.practice.example",
        )
        assert await tls.code() == "220"
        assert await tls.say(GREETING, "STARTTLS") == ["250", "554 5.5.1"]
        await tls.close()
        plain = await Client.open(server, ("mail.practice.example", 465))
        plain.send(b"EHLO x\r\n")
        assert await plain.code() == "closed"
        await plain.close()

    with_server("ports", run)


VERDICTS = {
    "mail": None,
    "expired": "certificate has expired",
    "wrong": "Hostname mismatch",
    "self": "self-signed certificate",
    "unknown": "unable to get local issuer certificate",
    "early": "certificate is not yet valid",
}


@pytest.mark.parametrize(("host", "verdict"), VERDICTS.items())
def test_tls_certificates_are_bad_in_their_own_way(host: str, verdict: str | None) -> None:
    """OpenSSL's verdict on each host's certificate is the one that the host is named for."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        codes = await client.say(GREETING, "MAIL FROM:<ann@client.example>", "STARTTLS")
        assert codes == ["250", "530 5.7.0", "220 2.0.0"]
        name = f"{host}.practice.example"
        if verdict is not None:
            with pytest.raises(ssl.SSLCertVerificationError, match=verdict):
                await client.start_tls(trusting(server), name)
            return
        await client.start_tls(trusting(server), name)
        assert await client.say("MAIL FROM:<ann@client.example>") == ["503 5.5.1"]
        codes = await client.say(GREETING, "MAIL FROM:<ann@client.example>", "STARTTLS")
        assert codes == ["250", "250 2.1.0", "554 5.5.1"]

    at(f"{host}.practice.example", run, what="tls")


def test_tls_that_is_old_missing_or_struck_out() -> None:
    """TLS 1.0 alone is refused by a modern client; without a certificate 454; stripped: 502."""

    async def run(server: PracticeServer) -> None:
        codes = {}
        for host in ("old", "none", "stripped"):
            client = await Client.open(server, (f"{host}.practice.example", 25))
            await client.code()
            await client.say(GREETING)
            codes[host] = await client.say("STARTTLS")
            if host == "old":
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await client.start_tls(trusting(server), "old.practice.example")
            await client.close()
        assert codes == {"old": ["220 2.0.0"], "none": ["454 4.7.0"], "stripped": ["502 5.5.1"]}

    with_server("tls", run)


@pytest.mark.parametrize(
    "mechanism",
    ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2",
     "OAUTHBEARER"],
)  # fmt: skip
def test_submission_logs_in_by_each_mechanism(mechanism: str) -> None:
    """Each mechanism takes the published password, or token, and lets alice send anywhere."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING, "STARTTLS")
        await client.start_tls(trusting(server))
        await client.say(GREETING)
        assert await client.say("MAIL FROM:<alice@practice.example>") == ["530 5.7.0"]
        token = "OAUTH" in mechanism.upper() or mechanism == "XOAUTH2"
        secret = "practice-token-of-alice" if token else "correct horse"
        assert await log_in(client, mechanism, "alice", secret) == "235 2.7.0"
        assert await client.say("AUTH PLAIN") == ["503 5.5.1"]
        sent = await client.transact(sender="alice@practice.example", recipient="z@far.example")
        assert sent == "250 2.0.0"

    at("mail.practice.example", run, port=587, what="submission")


def test_submission_gives_up_after_three_failures() -> None:
    """Three wrong passwords are told 535 each; the fourth attempt ends the connection."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        codes = await client.say("AUTH PLAIN", "AUTH CRAM-MD5", "STARTTLS")
        assert codes == ["538 5.7.11", "530 5.7.0", "220 2.0.0"]
        await client.start_tls(trusting(server))
        await client.say(GREETING)
        assert await client.say("AUTH NTLM", "AUTH PLAIN !!!") == ["504 5.5.4", "501 5.5.2"]
        for _ in range(3):
            assert await log_in(client, "PLAIN", "alice", "wrong") == "535 5.7.8"
        assert await client.say("AUTH PLAIN") == ["421 4.7.0"]
        assert await client.code() == "closed"

    at("mail.practice.example", run, port=587, what="submission")


@pytest.mark.parametrize(
    ("mechanism", "user", "password", "code"),
    [
        ("LOGIN", "dave", "new mechanism", "432 4.7.12"),
        ("SCRAM-SHA-256", "dave", "new mechanism", "432 4.7.12"),
        ("PLAIN", "dave", "new mechanism", "235 2.7.0"),
        ("PLAIN", "dave", "wrong", "535 5.7.8"),
        ("PLAIN", "erin", "out to lunch", "454 4.7.0"),
        ("LOGIN", "erin", "out to lunch", "454 4.7.0"),
        ("DIGEST-MD5", "alice", "correct horse", "534 5.7.9"),
    ],
)
def test_submission_has_every_other_reply(
    mechanism: str, user: str, password: str, code: str
) -> None:
    """Refusals that are not about the password have codes of their own."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING, "STARTTLS")
        await client.start_tls(trusting(server))
        await client.say(GREETING)
        assert await log_in(client, mechanism, user, password) == code
        assert await client.say("NOOP") == ["250 2.0.0"]

    at("mail.practice.example", run, port=587, what="submission")


def test_owner_tells_three_reasons_apart() -> None:
    """530 without a login, 553 under another's address, 550 in a local name from outside."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        assert await client.say("MAIL FROM:<alice@practice.example>") == ["530 5.7.0"]
        assert await log_in(client, "PLAIN", "bob", "battery staple") == "235 2.7.0"
        codes = await client.say(
            "MAIL FROM:<alice@practice.example>", "MAIL FROM:<bob@practice.example>"
        )
        assert codes == ["553 5.7.1", "250 2.1.0"]
        outside = await Client.open(server, ("mail.practice.example", 25))
        await outside.code()
        codes = await outside.say(
            GREETING, "MAIL FROM:<alice@practice.example>", "MAIL FROM:<ann@client.example>"
        )
        assert codes == ["250", "550 5.7.1", "250 2.1.0"]
        await outside.close()

    at("mail.practice.example", run, port=587, what="owner")


def test_greylist_wants_five_minutes() -> None:
    """The same three are let in after five minutes, not before; another sender starts anew."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        clock = server.world.clock
        first = [await client.transact()]
        for minutes in (2, 2.99, 0.01):
            clock.advance(minutes * 60)
            first.append((await client.say("RCPT TO:<bob@practice.example>"))[0])
        assert first == ["451 4.7.1", "451 4.7.1", "451 4.7.1", "250 2.1.5"]
        await client.say("RSET")
        assert await client.transact(sender="eve@client.example") == "451 4.7.1"

    at("mail.practice.example", run, what="greylist")


def test_pipe_counts_round_trips_and_refuses_impatience() -> None:
    """A group costs one round trip of 200 ms; without PIPELINING a group is refused."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        clock = server.world.clock
        before = clock.now()
        await client.say(GREETING, "MAIL FROM:<a@b.example>", "RSET")
        assert clock.now() - before == pytest.approx(0.6)
        before = clock.now()
        client.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<bob@practice.example>\r\nDATA\r\n")
        assert [await client.code() for _ in range(3)] == ["250 2.1.0", "250 2.1.5", "354"]
        assert clock.now() - before == pytest.approx(0.2)
        strict = await Client.open(server, ("strict.practice.example", 25))
        await strict.code()
        await strict.say(GREETING)
        strict.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<bob@practice.example>\r\n")
        assert [await strict.code(), await strict.code()] == ["503 5.5.0", "503 5.5.1"]
        assert await strict.transact() == "250 2.0.0"
        await strict.close()
        early = await Client.open(server, ("early.practice.example", 25))
        early.send(b"EHLO x\r\n")
        assert [await early.code(), await early.code()] == ["554 5.7.1", "closed"]
        await early.close()

    at("mail.practice.example", run, what="pipe")


def test_utf8_takes_letters_only_where_offered() -> None:
    """An accent needs the keyword and the parameter; the domain matches in either form."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        codes = await client.say(
            GREETING,
            "MAIL FROM:<ann@client.example>",
            "RCPT TO:<josé@practice.example>",
            "RSET",
            "MAIL FROM:<ann@client.example> SMTPUTF8",
            "RCPT TO:<josé@practice.example>",
            "RCPT TO:<jose\u0301@practice.example>",
            "RCPT TO:<post@bücher.example>",
            "RCPT TO:<post@xn--bcher-kva.example>",
        )
        assert codes[2] == "553 5.6.7"
        assert codes[4:] == ["250 2.1.0"] + ["250 2.1.5"] * 4
        assert await client.say("DATA", "Subject: ä\r\n\r\nä\r\n.") == ["354", "250 2.0.0"]
        (message, *more) = server.world.mailbox("josé@practice.example")
        assert len(more) == 1
        assert message.envelope.protocol == "UTF8SMTP"
        assert len(server.world.mailbox("post@bücher.example")) == 2
        older = await Client.open(server, ("ascii.practice.example", 25))
        await older.code()
        codes = await older.say(
            GREETING,
            "MAIL FROM:<ann@client.example> SMTPUTF8",
            "MAIL FROM:<ann@client.example> BODY=8BITMIME",
            "MAIL FROM:<josé@client.example>",
        )
        assert codes[1:] == ["555 5.5.4", "555 5.5.4", "553 5.6.7"]
        await older.close()

    at("mail.practice.example", run, what="utf8")


def test_bdat_takes_any_octets_and_keeps_order() -> None:
    """Chunks are joined as they are; DATA between them is 503; a wrong count shows at once."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING, "MAIL FROM:<a@b.example> BODY=BINARYMIME")
        await client.say("RCPT TO:<bob@practice.example>")
        assert await client.say("DATA") == ["503 5.5.1"]
        client.send(b"BDAT 6\r\n.\r\n\0\xff\n")
        assert await client.code() == "250 2.0.0"
        assert await client.say("DATA", "RCPT TO:<bob@practice.example>") == ["503 5.5.1"] * 2
        client.send(b"BDAT 3 LAST\r\n.\r\n")
        assert await client.code() == "250 2.0.0"
        assert server.world.mailbox("bob")[0].content == b".\r\n\0\xff\n.\r\n"
        await client.say("MAIL FROM:<a@b.example>", "RCPT TO:<bob@practice.example>")
        client.send(b"BDAT 3 LAST\r\nhello\r\n")
        assert [await client.code(), await client.code()] == ["250 2.0.0", "500 5.5.2"]

    at("mail.practice.example", run, what="bdat")


def test_world_mx_answers_for_the_domains_that_lead_nowhere() -> None:
    """Null MX, dangling MX, no such domain and silent name servers have each their own code."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING, "MAIL FROM:<ann@client.example>")
        codes = await client.say(
            *(f"RCPT TO:<x@{name}.example>" for name in ("nomail", "dangling", "gone", "slow"))
        )
        assert codes == ["556 5.1.10", "450 4.4.4", "550 5.1.2", "450 4.4.3"]
        answer = await server.resolver.ask("practice.example", "MX")
        assert sorted(answer.records) == [
            (10, "mx1.practice.example"),
            (20, "mx2.practice.example"),
        ]
        assert (await server.resolver.ask("slow.example", "MX")).status == "timeout"
        assert server.resolve("first.backup.example", 25) is not None

    at("relay.practice.example", run, what="world-mx")


@pytest.mark.parametrize(
    ("domain", "code", "result"),
    [
        ("pass", "250 2.0.0", "pass"),
        ("shop", "250 2.0.0", "pass"),
        ("redirect", "250 2.0.0", "pass"),
        ("bank", "550 5.7.23", ""),
        ("soft", "250 2.0.0", "softfail"),
        ("neutral", "250 2.0.0", "neutral"),
        ("nothing", "250 2.0.0", "none"),
        ("twice", "550 5.7.24", ""),
        ("typo", "550 5.7.24", ""),
        ("many", "550 5.7.24", ""),
        ("slow", "451 4.7.24", ""),
    ],
)
def test_world_spf_has_every_result(domain: str, code: str, result: str) -> None:
    """Each domain of the zone gives the result of its story, refused or written down."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        assert await client.transact(sender=f"ann@{domain}.example") == code
        if result:
            (message,) = server.world.mailbox("bob")
            words = f"Authentication-Results: mx.practice.example;\r\n\tspf={result} "
            assert words in message.raw.decode()

    at("mx.practice.example", run, what="world-spf")


def test_world_spf_breaks_when_mail_is_forwarded() -> None:
    """What passes directly fails from the forwarder's address, and a report comes of it."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        sent = await client.transact(sender="ann@pass.example", recipient="bob@alumni.example")
        assert sent == "250 2.0.0"
        (report,) = server.world.returned
        assert report.envelope.recipients == ("ann@pass.example",)
        assert b"Diagnostic-Code: smtp; 550 5.7.23" in report.content
        assert server.world.mailbox("bob") == ()

    at("forward.practice.example", run, what="world-spf")


def test_xclient_changes_where_the_client_comes_from() -> None:
    """After XCLIENT the session begins anew, and SPF judges the other address."""

    async def run(_server: PracticeServer, client: Client) -> None:
        await client.code()
        codes = await client.say(GREETING, "XCLIENT ADDR=198.51.100.7", GREETING)
        assert codes == ["250", "220", "250"]
        assert await client.transact(sender="ann@bank.example") == "250 2.0.0"

    at("mx.practice.example", run, what="world-spf")


MESSAGE = (
    "From: Ann <ann@sender.example>\r\nTo: friends\r\nSubject: news\r\n"
    "Date: Mon, 07 Jan 2030 09:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n\r\nHello  you.\r\n"
)


@pytest.mark.parametrize(
    ("signer", "recipient", "result"),
    [
        ("relaxed", "bob@practice.example", "pass"),
        ("simple", "bob@practice.example", "pass"),
        ("nokey", "bob@practice.example", "permerror"),
        ("relaxed", "friends@lists.example", "fail"),
        ("relaxed", "friends@tags.example", "fail"),
        ("relaxed", "bob@gateway.example", "pass"),
        ("simple", "bob@gateway.example", "fail"),
    ],
)
def test_world_dkim_survives_what_it_may(signer: str, recipient: str, result: str) -> None:
    """Signatures hold or break, over one hop or two, as each change of the message demands."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        sent = await client.transact(MESSAGE, sender="ann@sender.example", recipient=recipient)
        assert sent == "250 2.0.0"
        (message,) = server.world.mailbox("bob")
        assert message.results.endswith(f"dkim={result} header.d=sender.example")

    at(f"{signer}.sender.example", run, what="world-dkim")


@pytest.mark.parametrize(
    ("sender", "author", "code", "words"),
    [
        ("ann@you.example", "ann@you.example", "250 2.0.0", "dmarc=pass"),
        ("eve@attacker.example", "ceo@bank.example", "550 5.7.1", ""),
        ("eve@attacker.example", "ceo@shop.example", "250 2.0.0", "dmarc=fail (p=quarantine)"),
        ("eve@attacker.example", "ceo@blog.example", "250 2.0.0", "dmarc=fail (p=none)"),
        ("eve@attacker.example", "ceo@open.example", "250 2.0.0", "dmarc=none"),
        ("ann@news.bank.example", "ann@bank.example", "250 2.0.0", "dmarc=pass"),
        ("ann@mail.strict.example", "ann@strict.example", "550 5.7.1", ""),
        ("ann@strict.example", "ann@strict.example", "250 2.0.0", "dmarc=pass"),
    ],
)
def test_world_dmarc_asks_for_alignment(sender: str, author: str, code: str, words: str) -> None:
    """SPF may pass and DMARC still fail; the policy of the author's domain decides."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        text = f"From: <{author}>\r\nSubject: urgent\r\n\r\nPay.\r\n"
        sent = await client.transact(text, sender=sender, recipient="victim@practice.example")
        assert sent == code
        boxes = server.world.mailboxes()
        junk = boxes.get("victim@practice.example/junk", ())
        found = [*boxes["victim@practice.example"], *junk]
        assert [words in message.results for message in found] == ([True] if words else [])
        assert bool(junk) is ("quarantine" in words)

    at("mx.practice.example", run, what="world-dmarc")


def test_world_dmarc_survives_forwarding_by_its_signature() -> None:
    """SPF breaks on the way, the signature does not, so DMARC passes."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        text = "From: <ceo@bank.example>\r\nSubject: x\r\n\r\nhello\r\n"
        sent = await client.transact(
            text, sender="ceo@bank.example", recipient="victim@alumni.example"
        )
        assert sent == "250 2.0.0"
        (message,) = server.world.mailbox("victim@practice.example")
        assert "spf=fail" in message.results
        assert "dkim=pass" in message.results
        assert "dmarc=pass" in message.results

    at("mail.bank.example", run, what="world-dmarc")


SMUGGLED = (
    "Subject: first\r\n\r\nhello\n.\r\nMAIL FROM:<ceo@practice.example>\r\n"
    "RCPT TO:<victim@lenient.example>\r\nDATA\r\nSubject: second\r\n\r\nsmuggled\r\n"
)


def test_world_smuggle_makes_two_of_one_where_the_inbound_is_lenient() -> None:
    """One message goes out, two come in; the strict host refuses and a report comes back."""

    async def run(server: PracticeServer, client: Client) -> None:
        await client.code()
        await client.say(GREETING)
        sender = "alice@practice.example"
        lenient = await client.transact(SMUGGLED, sender=sender, recipient="victim@lenient.example")
        assert lenient == "250 2.0.0"
        subjects = [m.header("Subject") for m in server.world.mailbox("victim@lenient.example")]
        assert subjects == ["first", "second"]
        strict = await client.transact(
            SMUGGLED.replace("lenient", "strict"), sender=sender, recipient="victim@strict.example"
        )
        assert strict == "250 2.0.0"
        assert server.world.mailbox("victim@strict.example") == ()
        (report,) = server.world.mailbox("alice@practice.example")
        assert b"521 5.5.2" in report.content

    at("out.practice.example", run, what="world-smuggle")


def test_clinic_moves_its_patients_with_the_seed() -> None:
    """Another seed puts each fault behind another name, and the same seed always the same one."""
    places = []
    for seed in (0, 7, 7):
        server = PracticeServer("clinic", seed=seed)
        places.append([host.name for host in server.scenario.hosts if host.certificate])
        rules = {rule.host for rule in server.scenario.rules}
        assert len(rules) == 5
        assert len({host.address for host in server.scenario.hosts}) == 8
    assert places[0] == ["ward2.practice.example"]
    assert places[1] == places[2]
    orders = {
        tuple(h.name for h in PracticeServer("clinic", seed=seed).scenario.hosts)
        for seed in range(20)
    }
    assert len(orders) > 10


def test_clinic_has_eight_different_faults() -> None:
    """Under the scenario's own seed each ward shows its fault."""

    async def run(server: PracticeServer) -> None:
        seen: dict[int, tuple[str, ...]] = {}
        for number in range(1, 9):
            client = await Client.open(server, (f"ward{number}.practice.example", 25))
            await client.code()
            hello = await client.say(GREETING)
            if hello != ["250"]:
                seen[number] = (hello[0],)
                await client.close()
                continue
            outside = await client.transact(recipient="zoe@elsewhere.example")
            await client.say("RSET")
            inside = await client.transact("x" * 60 + "\r\n")
            big = inside if inside == "closed" else await client.transact(("x" * 60 + "\r\n") * 40)
            seen[number] = (outside, inside, big)
            await client.close()
        fine = ("554 5.7.1", "250 2.0.0", "250 2.0.0")
        assert seen[1] == ("250 2.0.0", "250 2.0.0", "250 2.0.0")
        assert seen[2] == seen[7] == fine
        assert seen[3][1] == "451 4.7.1"
        assert seen[4][1] == "554 5.7.1"
        assert seen[5][1] == "closed"
        assert seen[6][2] == "552 5.3.4"
        assert seen[8] == ("502 5.5.1",)
        assert len(server.world.returned) == 2

    with_server("clinic", run)


def test_flaky_fails_in_the_same_places() -> None:
    """The same seed refuses the same commands; not all of them, and not none."""
    runs = []
    for _ in range(2):

        async def run(server: PracticeServer, client: Client) -> None:
            await client.code()
            await client.say(GREETING, "MAIL FROM:<a@b.example>")
            runs.append(await client.say(*["RCPT TO:<bob@practice.example>"] * 40))

        at("mail.practice.example", run, what="flaky")
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"250 2.1.5", "451 4.3.0"}
