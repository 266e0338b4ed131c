"""The link's upgrade to TLS: the good way, and everything a hostile server can do around it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time

import pytest

from smtpshell.net.doors import wrong_door
from smtpshell.net.errors import TlsError
from smtpshell.net.link import LinkError
from smtpshell.net.tls import TlsSettings, make_context
from smtpshell.protocol.errors import Status
from tests.net import rogue
from tests.net.helpers import authority, linked, read_until, run, to_starttls

HOST = "rogue.example"


def server_context(**bounds) -> ssl.SSLContext:
    """Make the context of a server with a good certificate."""
    return authority().issue(HOST).context(**bounds)


def diagnosing(**settings) -> ssl.SSLContext:
    """Make a context that lets every handshake through."""
    return make_context(TlsSettings(**settings))


def verifying(**settings) -> ssl.SSLContext:
    """Make a context that verifies against the tests' authority."""
    return make_context(TlsSettings(verify=True, extra_ca_pem=authority().pem, **settings))


async def starttls_fails(server, context=None, seconds=5.0) -> TlsError:
    """Try STARTTLS, and return the error that it must end with."""
    async with linked(server) as link:
        await to_starttls(link)
        with pytest.raises(TlsError) as caught:
            await link.start_tls(context or diagnosing(), HOST, seconds)
        assert link.closed
        assert link.ssl_object is None
    return caught.value


async def tls_at_once_fails(server, context=None, seconds=5.0) -> TlsError:
    """Try TLS at once, and return the error that it must end with."""
    async with linked(server) as link:
        with pytest.raises(TlsError) as caught:
            await link.start_tls(context or diagnosing(), HOST, seconds)
        assert link.closed
    return caught.value


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_starttls_upgrades_in_place(version):
    """After the handshake both directions are encrypted, and the end is clean on both sides."""

    async def work():
        async with linked(server) as link:
            await to_starttls(link)
            assert await link.start_tls(verifying(), HOST, 5) == b""
            assert link.ssl_object is not None
            assert link.ssl_object.version() == {771: "TLSv1.2", 772: "TLSv1.3"}[version.value]
            assert link.group in ("x25519", "secp256r1", "X25519MLKEM768")
            await read_until(link, b"ESMTP\r\n") if server.connections > 1 else None
            link.write(b"NOOP\r\n")
            await link.drain()
            assert await read_until(link, b"\r\n") == b"250 2.0.0 Ok\r\n"
            link.write(b"QUIT\r\n")
            assert await read_until(link, b"\r\n") == b"221 2.0.0 Bye\r\n"
            assert await link.read() == b""
            assert await link.close()

    with rogue.serve(rogue.Smtp(server_context(minimum=version, maximum=version))) as server:
        run(work())
    assert bytes(server.received) == b"STARTTLS\r\nNOOP\r\nQUIT\r\n"


def test_tls_at_once_reads_the_greeting():
    """With TLS at once the greeting arrives through TLS, packed with the handshake or not."""

    async def work():
        async with linked(server) as link:
            await link.start_tls(verifying(), HOST, 5)
            assert await read_until(link, b"ESMTP\r\n") == b"220 rogue.example ESMTP\r\n"
            link.write(b"QUIT\r\n")
            await read_until(link, b"Bye\r\n")

    with rogue.serve(rogue.Smtp(server_context(), at_once=True)) as server:
        run(work())


def test_injected_plain_text_is_returned_and_never_read():
    """Octets behind the 220 not read yet are returned, and reach neither TLS nor the reader."""

    async def work():
        async with linked(server) as link:
            await read_until(link, b"ESMTP\r\n")
            link.write(b"STARTTLS\r\n")
            await asyncio.sleep(0.1)
            injected = await link.start_tls(verifying(), HOST, 5)
            assert injected == b"220 Go\r\n250 injected\r\n"
            link.write(b"NOOP\r\n")
            assert await read_until(link, b"\r\n") == b"250 2.0.0 Ok\r\n"

    behaviour = rogue.Smtp(
        server_context(), starttls_reply=b"220 Go\r\n", injected=b"250 injected\r\n"
    )
    with rogue.serve(behaviour) as server:
        run(work())


def test_a_waiting_reader_does_not_catch_injected_octets():
    """A reader that waits while the upgrade begins sees only what comes through TLS."""

    async def work():
        async with linked(server) as link:
            await read_until(link, b"ESMTP\r\n")
            link.write(b"STARTTLS\r\n")
            time.sleep(0.1)
            reader = asyncio.create_task(link.read())
            await asyncio.sleep(0)
            injected = await link.start_tls(verifying(), HOST, 5)
            assert injected == b"220 Go\r\n250 injected\r\n"
            link.write(b"NOOP\r\n")
            assert await reader == b"250 2.0.0 Ok\r\n"

    behaviour = rogue.Smtp(
        server_context(), starttls_reply=b"220 Go\r\n", injected=b"250 injected\r\n"
    )
    with rogue.serve(behaviour) as server:
        run(work())


def test_a_server_that_closes_at_the_handshake():
    """Hanging up when the handshake begins is told as closed, with status 29."""
    with rogue.serve(rogue.Smtp(server_context(), cut_at="handshake")) as server:
        error = run(starttls_fails(server))
    assert error.tls_kind in ("closed", "reset")  # a reset when our hello was faster
    assert error.status == Status.TLS
    assert "the connection when the handshake began" in str(error)
    assert error.detail == f"{error.what}. {error.next}"


@pytest.mark.parametrize("how", ["hello", "hello-reset"])
def test_a_server_that_cuts_after_our_first_message(how):
    """A close or a reset after the client's hello is a TlsError, not a traceback."""
    with rogue.serve(rogue.Smtp(server_context(), cut_at=how)) as server:
        error = run(starttls_fails(server))
    assert error.tls_kind in ("closed", "reset")
    assert how == "hello" or error.tls_kind == "reset"


def test_a_server_that_never_answers_the_handshake():
    """Silence ends within the timeout, and the advice names the plain port."""

    def silent_tls(connection):
        connection.sendall(b"220 x ESMTP\r\n")
        connection.recv(100)
        connection.sendall(b"220 go\r\n")
        rogue.drain(connection)

    started = time.perf_counter()
    with rogue.serve(silent_tls) as server:
        error = run(starttls_fails(server, seconds=0.3))
    assert error.tls_kind == "timeout"
    assert "did not answer the handshake within 0.3 s" in error.what
    assert time.perf_counter() - started < 3


def test_a_handshake_that_drips_forever():
    """A server that feeds its handshake octet by octet cannot hold us beyond the timeout."""
    with rogue.serve(
        rogue.after_hello(rogue.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 500))
    ) as server:
        error = run(tls_at_once_fails(server, seconds=0.3))
    assert error.tls_kind == "timeout"
    assert "did not end within" in error.what


@pytest.mark.parametrize("when", [rogue.after_hello, lambda behaviour: behaviour])
@pytest.mark.parametrize(
    ("octets", "kind", "words"),
    [
        (b"220 mx.example ESMTP\r\n", "not-tls", "plain text here, not TLS: 220 mx.example"),
        (b"454 4.7.0 TLS not available\r\n", "not-tls", "454 4.7.0 TLS not available"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not-tls", "web server"),
        (b"* OK IMAP4rev1 ready\r\n", "not-tls", "IMAP"),
        (b"+OK POP3 ready\r\n", "not-tls", "POP3"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "not-tls", "SSH"),
        (b"\x00\xffgarbage\x1b[31m", "not-tls", r"\0\xffgarbage\x1b"),
        (b"\x16\x03\x03\x00\x04\x02\x00\x00\x00", "failed", "TLS failed: "),
        (b"\x16\x03\x03\xff\xff" + b"x" * 70000, "failed", ""),
        (b"\x15\x03\x01\x00\x02\x02\x28", "alert", "handshake_failure"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "version", "no TLS version that we offered"),
        (b"\x15\x03\x03\x00\x02\x02\x70", "alert", "unrecognized_name"),
        (b"\x15\x03\x03\x00\x02\x02\x50", "alert", "internal_error"),
        (b"\x15\x03\x03\x00\x02\x01\x00", "closed", "closed"),
    ],
)
def test_wrong_doors_and_broken_handshakes(octets, kind, words, when):
    """Whatever comes in place of the handshake is told in plain words, printable."""
    with rogue.serve(when(rogue.banner(octets))) as server:
        error = run(tls_at_once_fails(server))
    assert (error.tls_kind, error.what) == (kind, error.what)
    assert words in error.what
    assert str(error).isprintable()
    assert error.next


def test_garbage_behind_the_220_is_not_taken_for_tls():
    """Plain octets that arrive when the handshake has begun end it as not-tls."""
    behaviour = rogue.Smtp(server_context(), instead=b"500 5.5.1 what?\r\n")
    with rogue.serve(behaviour) as server:
        error = run(starttls_fails(server, seconds=0.5))
    # When the octets come just before the handshake begins, they count as injected.
    if error.tls_kind == "timeout":
        assert error.injected == b"500 5.5.1 what?\r\n"
    else:
        assert error.tls_kind == "not-tls"


def test_an_old_server_is_reached_for_diagnosis():
    """A server of TLS 1.0 alone is reached by the diagnosing context, where OpenSSL still can."""
    try:
        context = server_context(maximum=ssl.TLSVersion.TLSv1)
    except (ssl.SSLError, ValueError):
        pytest.skip("this OpenSSL has no TLS 1.0")

    async def work():
        async with linked(server) as link:
            await to_starttls(link)
            await link.start_tls(diagnosing(), HOST, 5)
            return link.ssl_object.version()

    with rogue.serve(rogue.Smtp(context)) as server:
        assert run(work()) == "TLSv1"
        error = run(starttls_fails(server, verifying()))
    assert error.tls_kind == "version"


def test_versions_without_overlap_are_told():
    """Asking for TLS 1.2 at most from a server of 1.3 alone is a version error."""
    context = server_context(minimum=ssl.TLSVersion.TLSv1_3)
    with rogue.serve(rogue.Smtp(context)) as server:
        error = run(starttls_fails(server, diagnosing(maximum="1.2")))
    assert error.tls_kind == "version"
    assert "Widen the range" in error.next


def test_a_range_without_any_version_is_told():
    """A minimum above the maximum is an error of the settings, before anything is sent."""
    with rogue.serve(rogue.Smtp(server_context())) as server:
        error = run(starttls_fails(server, diagnosing(minimum="1.3", maximum="1.2")))
    assert error.tls_kind == "settings"
    assert "no TLS version is left" in error.what


def test_a_cancelled_close_drops_the_connection():
    """Cancelling close() while it waits for the peer ends the connection at once."""

    def stubborn(connection):
        connection.upgrade(server_context())
        connection.over.wait(10)

    async def work():
        async with linked(server) as link:
            await link.start_tls(diagnosing(), HOST, 5)
            task = asyncio.create_task(link.close(5))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert link.closed
            assert not await link.close()

    started = time.perf_counter()
    with rogue.serve(stubborn) as server:
        run(work())
    assert time.perf_counter() - started < 3


def test_a_refused_certificate_is_told_when_verification_is_demanded():
    """With verification in the handshake a wrong name is kind certificate, with OpenSSL's words."""
    with rogue.serve(rogue.Smtp(authority().issue("other.example").context())) as server:
        error = run(starttls_fails(server, verifying()))
    assert error.tls_kind == "certificate"
    assert "mismatch" in error.what


def test_a_demanded_client_certificate_is_told():
    """A server that wants a client certificate under TLS 1.3 refuses only when we first read."""
    context = server_context(minimum=ssl.TLSVersion.TLSv1_3)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority().pem.decode())

    async def work():
        async with linked(server) as link:
            await to_starttls(link)
            await link.start_tls(diagnosing(), HOST, 5)
            with pytest.raises(TlsError) as caught:
                await link.read()
            return caught.value

    with rogue.serve(rogue.Smtp(context)) as server:
        error = run(work())
    assert error.tls_kind == "alert"
    assert "demands a client certificate" in error.what


@pytest.mark.parametrize("name", ["a" * 300 + ".example", ".rogue.example", "x\0y", "a..b"])
def test_names_that_tls_cannot_carry(name):
    """A name that cannot be sent as SNI is a TlsError about settings, in printable words."""

    async def work():
        async with linked(server) as link:
            await to_starttls(link)
            with pytest.raises(TlsError, match="cannot be used with TLS") as caught:
                await link.start_tls(diagnosing(), name, 5)
            assert caught.value.tls_kind == "settings"
            assert str(caught.value).isprintable()

    with rogue.serve(rogue.Smtp(server_context())) as server:
        run(work())


def test_verification_needs_a_name():
    """Without a name there is nothing to verify the certificate by, and the error says so."""

    async def work():
        async with linked(server) as link:
            with pytest.raises(TlsError, match="no host name to verify"):
                await link.start_tls(verifying(), None, 5)

    with rogue.serve(rogue.Smtp(server_context(), at_once=True)) as server:
        run(work())


def test_plain_text_to_a_tls_port_is_recognised():
    """A TLS port answers plain text by an alert, which names the door, or by hanging up."""

    async def work():
        async with linked(server) as link:
            link.write(b"EHLO client.example\r\n")
            octets = b""
            with contextlib.suppress(LinkError):
                while more := await link.read():
                    octets += more
            return octets

    alert = rogue.banner(b"\x15\x03\x03\x00\x02\x02\x46", then_close=True)
    with rogue.serve(rogue.after_hello(alert)) as server:
        door = wrong_door(run(work()))
        assert door is not None
        assert door.service == "tls"
    with rogue.serve(rogue.Smtp(server_context(), at_once=True)) as server:
        octets = run(work())
        assert not octets or wrong_door(octets) == door


def test_no_name_is_no_sni():
    """None as the name sends no SNI and still makes TLS."""
    names = []
    context = server_context()
    context.sni_callback = lambda _object, name, _context: names.append(name)

    async def work():
        async with linked(server) as link:
            await to_starttls(link)
            await link.start_tls(diagnosing(), None, 5)

    with rogue.serve(rogue.Smtp(context)) as server:
        run(work())
    assert names == [None]


def test_tls_is_not_nested():
    """A second upgrade is refused without touching the first."""

    async def work():
        async with linked(server) as link:
            await to_starttls(link)
            await link.start_tls(diagnosing(), HOST, 5)
            with pytest.raises(TlsError, match="already in use"):
                await link.start_tls(diagnosing(), HOST, 5)
            link.write(b"NOOP\r\n")
            assert await read_until(link, b"\r\n") == b"250 2.0.0 Ok\r\n"

    with rogue.serve(rogue.Smtp(server_context())) as server:
        run(work())


def test_a_peer_that_breaks_the_handshake_anywhere_is_told():
    """A handshake cut after any number of octets, or bent at any place, ends as a TlsError."""
    flight = _server_flight()

    async def work(octets, *, then_close):
        with rogue.serve(rogue.after_hello(rogue.banner(octets, then_close=then_close))) as server:
            return await tls_at_once_fails(server, seconds=0.05)

    for place in (0, 1, 4, 5, 60):
        assert run(work(flight[:place], then_close=True)).tls_kind in ("closed", "reset")
    assert run(work(flight, then_close=True)).tls_kind == "failed"  # it answers another client
    for place in (0, 1, 3, 5, 9, 45, len(flight) // 2):
        bent = bytearray(flight)
        bent[place] ^= 0x55
        error = run(work(bytes(bent), then_close=False))
        assert error.tls_kind in ("failed", "not-tls", "version", "timeout", "alert")


def _server_flight() -> bytes:
    """Return what a server says to some client's first message."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = diagnosing().wrap_bio(back, there)
    theirs = server_context().wrap_bio(there, back, server_side=True)
    for end in (ours, theirs):
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return back.read()


@pytest.mark.parametrize("how", ["tls", "rset"])
def test_a_cut_under_tls_is_not_clean(how):
    """Without close_notify the end of the stream is no clean end, and no traceback either."""

    async def work():
        async with linked(server) as link:
            await to_starttls(link)
            await link.start_tls(diagnosing(), HOST, 5)
            link.write(b"RSET\r\n")
            with contextlib.suppress(LinkError):
                while await link.read():
                    pass
            started = time.perf_counter()
            assert not await link.close()
            assert time.perf_counter() - started < 0.5

    with rogue.serve(rogue.Smtp(server_context(), cut_at=how)) as server:
        run(work())


def test_garbage_under_tls_is_an_error_of_the_link():
    """Plain octets in the middle of TLS end the link with an error that read() raises."""

    def garbage(connection):
        raw = connection.inner.dup()
        connection.upgrade(server_context())
        raw.sendall(b"not tls at all\r\n" * 4)
        with contextlib.closing(raw):
            rogue.drain(connection)

    async def work():
        async with linked(server) as link:
            await link.start_tls(diagnosing(), HOST, 5)
            with pytest.raises(TlsError) as caught:
                await link.read()
            assert caught.value.tls_kind == "failed"
            assert link.closed

    with rogue.serve(garbage) as server:
        run(work())


def test_closing_under_tls_takes_a_second_at_most():
    """A server that never answers our close_notify is left after the time given."""

    def stubborn(connection):
        connection.upgrade(server_context())
        connection.over.wait(10)

    async def work():
        async with linked(server) as link:
            await link.start_tls(diagnosing(), HOST, 5)
            started = time.perf_counter()
            assert not await link.close(0.2)
            assert time.perf_counter() - started < 0.6

    with rogue.serve(stubborn) as server:
        run(work())


def test_a_cancelled_handshake_closes_the_link():
    """Cancelling in the middle of the handshake leaves a closed link and no task."""

    async def work():
        async with linked(server) as link:
            task = asyncio.create_task(link.start_tls(diagnosing(), HOST, 5))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert link.closed

    with rogue.serve(rogue.silent()) as server:
        run(work())


def test_large_messages_pass_under_tls_with_flat_buffers():
    """Some megabytes pass through TLS with drain(), and all of them arrive."""
    total = 8 * 1024 * 1024

    def count(connection):
        connection.upgrade(server_context())
        got = 0
        while got < total:
            got += len(connection.inner.recv(262144))
        connection.sendall(b"250 %d\r\n" % got)
        rogue.drain(connection)

    async def work():
        async with linked(server) as link:
            await link.start_tls(diagnosing(), HOST, 5)
            for _ in range(total // 65536):
                link.write(b"x" * 65536)
                await link.drain()
                assert link._wire.transport.get_write_buffer_size() < 512 * 1024
            return await read_until(link, b"\r\n")

    with rogue.serve(count) as server:
        assert run(work()) == b"250 %d\r\n" % total
