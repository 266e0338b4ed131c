"""The practice server on a socket: smtplib, raw octets, pipelining, what is where."""

from __future__ import annotations

import asyncio
import hashlib
import selectors
import smtplib
import socket
import ssl
import subprocess
import sys

import pytest

from smtpshell.practice.library import load_scenario
from smtpshell.practice.server import PracticeServer
from smtpshell.protocol.errors import SmtpshellError
from smtpshell.protocol.sasl import ChannelBinding, Credentials
from smtpshell.protocol.sasl.exchange import ClientExchange
from smtpshell.protocol.sasl.line import decode_line, encode_line
from tests.practice.talking import HEAD, Client, scenario, trusting, with_client, with_server


def with_smtplib(test, what="plain"):
    """Run a blocking test with a connected smtplib client in a thread."""

    async def run(server: PracticeServer) -> None:
        def work() -> None:
            with smtplib.SMTP(server.address, server.port, "client.example", timeout=5) as smtp:
                smtp._host = server.host_name  # type: ignore[attr-defined] # whom the certificate names
                test(server, smtp)

        await asyncio.to_thread(work)

    return with_server(what, run)


def test_smtplib_sends_a_message_that_can_be_read_back() -> None:
    """What smtplib sends lies in the mailbox, octet for octet, under the trace fields."""

    def send(_server, smtp) -> None:
        refused = smtp.sendmail(
            "ann@client.example",
            ["bob@practice.example", "carol@practice.example"],
            "Subject: hi\r\n\r\n.dot\r\nbye\r\n",
        )
        assert refused == {}

    server = with_smtplib(send)
    (message,) = server.world.mailbox("bob")
    assert message.content == b"Subject: hi\r\n\r\n.dot\r\nbye\r\n"
    assert message.raw.startswith(b"Return-Path: <ann@client.example>\r\nReceived: from ")
    assert message.envelope.recipients == ("bob@practice.example", "carol@practice.example")
    assert server.world.mailbox("carol")[0].body == b".dot\r\nbye\r\n"
    assert server.world.mailbox("alice") == ()


def test_smtplib_is_told_who_was_refused() -> None:
    """Unknown users and foreign domains are refused one by one, the others served."""

    def send(_server, smtp) -> None:
        refused = smtp.sendmail(
            "ann@client.example",
            ["bob@practice.example", "nobody@practice.example", "zoe@elsewhere.example"],
            "Subject: hi\r\n\r\nhi\r\n",
        )
        assert refused["nobody@practice.example"] == (
            550,
            b"5.1.1 <nobody@practice.example>: Recipient address rejected: User unknown",
        )
        assert refused["zoe@elsewhere.example"] == (
            554,
            b"5.7.1 <zoe@elsewhere.example>: Relay access denied",
        )

    assert len(with_smtplib(send).world.mailbox("bob")) == 1


@pytest.mark.parametrize("method", ["auth_plain", "auth_login", "auth_cram_md5"])
def test_smtplib_logs_in_after_starttls(method: str) -> None:
    """Each mechanism that smtplib has logs alice in under verified TLS."""

    def log_in(server, smtp) -> None:
        smtp.starttls(context=trusting(server))
        smtp.ehlo()
        smtp.user, smtp.password = "alice", "correct horse"
        mechanism = method.removeprefix("auth_").upper().replace("_", "-")
        code, _ = smtp.auth(mechanism, getattr(smtp, method))
        assert code == 235
        assert smtp.sendmail("alice@practice.example", "zoe@elsewhere.example", "x") == {}

    server = with_smtplib(log_in)
    assert [item.left for item in server.world.queue] == [("zoe@elsewhere.example",)]
    assert server.world.queue[0].message.envelope.protocol == "ESMTPSA"


def test_wrong_password_is_535() -> None:
    """A login with another password is refused, and the session goes on."""

    def log_in(server, smtp) -> None:
        smtp.starttls(context=trusting(server))
        with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
            smtp.login("alice", "wrong")
        assert refusal.value.smtp_code == 535
        assert smtp.noop()[0] == 250

    with_smtplib(log_in)


def test_the_dialogue_of_the_first_lesson_to_the_octet() -> None:
    """The replies of the default scenario are those that the lessons print."""

    async def talk(client: Client) -> None:
        for line in (
            b"HELO client.example",
            b"MAIL FROM:<ann@client.example>",
            b"RCPT TO:<bob@practice.example>",
            b"RCPT TO:<zoe@elsewhere.example>",
            b"DATA",
            b"Subject: x\r\n\r\nhello\r\n.",
            b"QUIT",
        ):
            client.send(line + b"\r\n")
            await client.code()
        assert await client.reply() is None
        assert client.heard == (
            b"220 mail.practice.example ESMTP practice\r\n"
            b"250 mail.practice.example\r\n"
            b"250 2.1.0 Ok\r\n"
            b"250 2.1.5 Ok\r\n"
            b"554 5.7.1 <zoe@elsewhere.example>: Relay access denied\r\n"
            b"354 End data with <CR><LF>.<CR><LF>\r\n"
            b"250 2.0.0 Ok: queued as 0C99BB0B11\r\n"
            b"221 2.0.0 Bye\r\n"
        )

    with_client("plain", talk)


CONVERSATION = (
    b"EHLO client.example\r\nNOOP\r\nMAIL FROM:<ann@client.example> SIZE=20 BODY=8BITMIME\r\n"
    b"RCPT TO:<bob@practice.example> NOTIFY=SUCCESS\r\nRCPT TO:<x@practice.example>\r\nDATA\r\n"
    b"Subject: \xc3\xa4\r\n\r\n..\r\n.\r\nVRFY bob\r\nHELP\r\nFOO\r\nMAIL FROM:<>\r\n"
    b"RCPT TO:<alice@practice.example>\r\nBDAT 4\r\nabc\nBDAT 2 LAST\r\n\r\nRSET\r\nQUIT\r\n"
)


async def octets_for(server: PracticeServer, pieces: list[bytes]) -> bytes:
    """Return everything the server says to the pieces, sent with a pause between them."""
    client = await Client.open(server)
    await client.reply()
    for piece in pieces:
        client.send(piece)
        await client.writer.drain()
        if len(pieces) > 1:
            await asyncio.sleep(0)
    while await client.reply() is not None:
        pass
    await client.close()
    return client.heard


def test_same_seed_and_input_give_the_same_octets_however_cut() -> None:
    """Whole, pipelined, or one octet at a time: the replies are identical, and repeatable."""
    heard = []
    pieces = [
        [CONVERSATION],
        [CONVERSATION],
        [bytes([octet]) for octet in CONVERSATION],
        CONVERSATION.splitlines(keepends=True),
    ]
    for cut in pieces:

        async def run(server: PracticeServer, cut: list[bytes] = cut) -> None:
            heard.append(await octets_for(server, cut))

        with_server("plain", run)
    assert len(set(heard)) == 1
    assert heard[0].count(b"queued as") == 2


def test_another_seed_gives_other_queue_ids() -> None:
    """The seed is what tells two learners' transcripts apart."""
    heard = []
    for seed in (1, 2):

        async def run(server: PracticeServer) -> None:
            heard.append(await octets_for(server, [CONVERSATION]))

        with_server("plain", run, seed=seed)
    assert heard[0] != heard[1]


def test_doors_lead_to_every_port_of_every_host() -> None:
    """A virtual host's port is found by name, whatever its case, and by address."""
    two = scenario(
        '[host."mx2.practice.example"]\nip = "192.0.2.20"\nports = { 25 = "plain", 26 = "refused" }'
    )

    async def run(server: PracticeServer) -> None:
        assert server.resolve("MX2.practice.example.", 25) == server.resolve("192.0.2.20", 25)
        assert server.resolve("mx2.practice.example", 587) is None
        assert server.resolve("elsewhere.example", 25) is None
        client = await Client.open(server, ("mx2.practice.example", 25))
        greeting = await client.reply()
        assert greeting is not None
        assert greeting.text == "mx2.practice.example ESMTP practice"
        await client.close()
        with pytest.raises(ConnectionRefusedError):
            await Client.open(server, ("mx2.practice.example", 26))

    with_server(two, run)


def test_a_port_in_use_is_an_error_that_says_so() -> None:
    """A taken port ends in one line that names it."""

    async def run() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(SmtpshellError, match="cannot listen: address already in use"):
                await PracticeServer("plain").start(taken.getsockname()[1])

    asyncio.run(run())


def test_more_connections_than_allowed_are_told_421() -> None:
    """The limit holds, and a place that is left is taken by the next."""

    async def run(server: PracticeServer) -> None:
        first = await Client.open(server)
        assert await first.code() == "220"
        second = await Client.open(server)
        assert [await second.code(), await second.code()] == ["421 4.7.0", "closed"]
        assert await first.say("QUIT") == ["221 2.0.0"]
        assert await first.reply() is None
        await first.close()
        await second.close()
        while server.connections:
            await asyncio.sleep(0.001)
        third = await Client.open(server)
        assert await third.code() == "220"
        await third.close()

    with_server(scenario("[limits]\nconnections = 1\n"), run)


def test_starting_needs_no_cryptography_and_no_dns() -> None:
    """A server that greets has loaded none of the dear libraries."""
    program = (
        "import asyncio, sys\n"
        "from smtpshell.practice.server import PracticeServer\n"
        "async def main():\n"
        "    server = PracticeServer('plain')\n"
        "    reader, writer = await asyncio.open_connection(*await server.start())\n"
        "    assert (await reader.readline()).startswith(b'220 ')\n"
        "    writer.close()\n"
        "    await server.stop()\n"
        "asyncio.run(main())\n"
        "dear = {'cryptography', 'OpenSSL', 'dns', 'prompt_toolkit', 'pygments', 'email'}\n"
        "print(sorted(dear & {name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_published_passwords_are_those_of_the_scenario() -> None:
    """What the shell may type for the learner is what the scenario prints."""
    assert PracticeServer(load_scenario("plain")).credentials["alice"] == "correct horse"


def test_a_server_that_shuts_down_says_so() -> None:
    """Who is connected hears an unasked 421, and then the end."""

    async def run(server: PracticeServer) -> None:
        client = await Client.open(server)
        await client.code()
        await server.stop(politely=True)
        assert [await client.code(), await client.code()] == ["421 4.3.2", "closed"]
        await client.close()

    with_server("plain", run)


def test_too_many_unknown_commands_end_the_connection() -> None:
    """Where a limit is set, the command beyond it gets 421."""

    async def talk(client: Client) -> None:
        codes = await client.say("FOO", "NOOP", "BAR", "BAZ")
        assert codes == ["500 5.5.2", "250 2.0.0", "500 5.5.2", "421 4.7.0"]
        assert await client.code() == "closed"

    with_client(scenario("[limits]\nunknown = 2\n"), talk)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_scram_is_bound_to_the_channel(newest: ssl.TLSVersion) -> None:
    """-PLUS succeeds with the binding of this channel and fails with another."""

    async def run(server: PracticeServer) -> None:
        context = trusting(server)
        context.maximum_version = newest
        client = await Client.open(server)
        await client.code()
        await client.say("EHLO x.example", "STARTTLS")
        await client.start_tls(context)
        await client.say("EHLO x.example")
        tls = client.writer.get_extra_info("ssl_object")
        end_point = hashlib.sha256(tls.getpeercert(binary_form=True)).digest()
        bindings = [("tls-server-end-point", b"another", False)]
        if newest is ssl.TLSVersion.TLSv1_2:
            bindings.append(("tls-unique", tls.get_channel_binding("tls-unique"), True))
        bindings.append(("tls-server-end-point", end_point, True))
        for kind, data, right in bindings:
            exchange = ClientExchange(
                "SCRAM-SHA-256-PLUS",
                Credentials("alice", "correct horse"),
                binding=ChannelBinding(kind, data),
            )
            first = encode_line(exchange.start() or b"", initial=True)
            client.send(f"AUTH SCRAM-SHA-256-PLUS {first}\r\n".encode())
            reply = await client.reply()
            assert reply is not None
            client.send(f"{encode_line(exchange.answer(decode_line(reply.text)))}\r\n".encode())
            reply = await client.reply()
            assert reply is not None
            if not right:
                assert reply.code == 535
                continue
            if reply.code == 334:
                client.send(f"{encode_line(exchange.answer(decode_line(reply.text)))}\r\n".encode())
                reply = await client.reply()
                assert reply is not None
            assert reply.code == 235
            break
        await client.close()

    with_server("plain", run)


def test_a_personality_changes_words_only() -> None:
    """Another server's words, the same codes where they matter."""
    head = HEAD.replace("[[user]]", 'personality = "exim"\n[[user]]', 1)

    async def talk(client: Client) -> None:
        await client.say("EHLO a.example", "EHLO b.example")
        assert b"250-mail.practice.example Hello b.example [192.0.2.77]\r\n" in client.heard
        assert await client.transact(recipient="zoe@elsewhere.example") == "550"
        assert client.heard.endswith(b"550 relay not permitted\r\n")

    with_client(scenario("", head), talk)


def test_a_crowd_that_comes_all_at_once_is_connected() -> None:
    """Two hundred connections wait while the server takes none; nobody has to ask again."""

    async def run(server: PracticeServer) -> None:
        crowd = [socket.socket() for _ in range(200)]
        waiting = selectors.DefaultSelector()
        for each in crowd:
            each.setblocking(False)
            each.connect_ex((server.address, server.port))
            waiting.register(each, selectors.EVENT_WRITE)
        try:
            while waiting.get_map() and (ready := waiting.select(3)):
                for key, _ in ready:
                    waiting.unregister(key.fileobj)
            assert len(waiting.get_map()) == 0
            loop = asyncio.get_running_loop()
            greetings = [await loop.sock_recv(each, 100) for each in crowd]
            assert {greeting[:4] for greeting in greetings} == {b"220 ", b"421 "}
        finally:
            waiting.close()
            for each in crowd:
                each.close()
        while server.connections:
            await asyncio.sleep(0.01)

    with_server("plain", run)
