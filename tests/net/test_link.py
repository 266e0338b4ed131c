"""The link without TLS: reading, writing, every way of ending, and bounded memory."""

from __future__ import annotations

import asyncio
import socket
import time
import tracemalloc

import pytest

from smtpshell.net.endpoint import Endpoint
from smtpshell.net.link import Attempt, Link, LinkError, LinkOptions
from smtpshell.net.proxy import Proxy, ProxyHeader
from smtpshell.net.wire import READ_LIMIT, WRITE_LIMIT
from smtpshell.protocol.errors import Status
from tests.net import rogue
from tests.net.helpers import endpoint_of, linked, read_until, run


def test_a_conversation_passes_in_both_directions():
    """What is written arrives, what the server says is read, and the end is clean."""

    async def work():
        async with linked(server) as link:
            assert await read_until(link, b"\r\n") == b"220 rogue.example ESMTP\r\n"
            link.write(b"NOOP\r\n")
            await link.drain()
            assert await read_until(link, b"\r\n") == b"250 2.0.0 Ok\r\n"
            link.write(b"QUIT\r\n")
            assert await read_until(link, b"\r\n") == b"221 2.0.0 Bye\r\n"
            assert await link.read() == b""
            assert not link.closed
            assert await link.close()
            assert link.closed
            assert (link.address, link.port) == ("127.0.0.1", server.port)
            assert link.local_address == "127.0.0.1"
            assert link.ssl_object is None
            assert link.group is None

    with rogue.serve(rogue.Smtp()) as server:
        run(work())
    assert bytes(server.received) == b"NOOP\r\nQUIT\r\n"


def test_octets_that_drip_are_all_read():
    """A reply that comes octet by octet is read whole."""

    async def work():
        async with linked(server) as link:
            assert await read_until(link, b"\r\n") == b"220 slow\r\n"

    with rogue.serve(rogue.drip(b"220 slow\r\n", 0.002)) as server:
        run(work())


def test_a_reset_is_a_link_error_after_what_came_before():
    """What arrived before a reset is read first; then the reset is an error, again and again."""

    async def work():
        async with linked(server) as link:
            assert await link.read() == b"220 then "
            for _ in range(2):
                with pytest.raises(LinkError) as caught:
                    await link.read()
                assert caught.value.kind == "reset"
                assert caught.value.status == Status.LOST
                assert f"127.0.0.1:{server.port}" in str(caught.value)
            with pytest.raises(LinkError):
                await link.drain()
            assert link.closed
            assert not await link.close()

    with rogue.serve(rogue.reset(b"220 then ")) as server:
        run(work())


def test_writing_after_the_end_is_told_by_drain():
    """Octets written after the link is closed go nowhere, and drain() says so."""

    async def work():
        async with linked(server) as link:
            await link.close()
            link.write(b"NOOP\r\n")
            with pytest.raises(LinkError) as caught:
                await link.drain()
            assert caught.value.kind == "closed"
            assert await link.read() == b""
            assert await link.close()

    with rogue.serve(rogue.Smtp()) as server:
        run(work())


def test_the_last_words_of_a_server_that_hangs_up_are_read():
    """A refusal in the middle of a long message is read although the server then resets."""

    def refuse(connection):
        connection.recv(100)
        connection.sendall(b"552 5.3.4 too big\r\n")
        rogue.time.sleep(0.05)
        rogue.cut(connection)

    async def fill(link):
        while True:
            link.write(b"x" * 65536)
            await link.drain()

    async def work():
        async with linked(server) as link:
            with pytest.raises(LinkError):
                await fill(link)
            assert await link.read() == b"552 5.3.4 too big\r\n"
            with pytest.raises(LinkError):
                await link.read()

    with rogue.serve(refuse) as server:
        run(work())


def test_closing_a_deaf_server_takes_a_second_at_most():
    """Closing does not wait for unsent octets beyond its time, and says that it was not clean."""

    async def work():
        async with linked(server) as link:
            for _ in range(100):
                link.write(b"x" * 100_000)
            started = time.perf_counter()
            assert not await link.close(0.3)
            assert time.perf_counter() - started < 1

    with rogue.serve(rogue.deaf()) as server:
        run(work())


def test_abort_ends_at_once():
    """After abort() nothing is sent, a waiting reader sees the end, and close() returns."""

    async def work():
        async with linked(server) as link:
            reader = asyncio.create_task(link.read())
            await asyncio.sleep(0)
            link.abort()
            assert await reader == b""
            assert link.closed
            await link.close()

    with rogue.serve(rogue.silent()) as server:
        run(work())


def test_a_cancelled_read_loses_nothing():
    """Reading again after a cancelled read returns what arrived meanwhile."""

    async def work():
        async with linked(server) as link:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await link.read()
            assert await read_until(link, b"late\r\n") == b"220 late\r\n"

    def late(connection):
        rogue.time.sleep(0.1)
        connection.sendall(b"220 late\r\n")
        rogue.drain(connection)

    with rogue.serve(late) as server:
        run(work())


def test_memory_stays_flat_while_writing_to_a_slow_reader():
    """200 MB pass through a writer that drains, within a few megabytes of memory."""
    piece = b"x" * 65536

    async def work():
        async with linked(server) as link:
            await link.read()
            for count in range(200 * 16):
                link.write(piece)
                await link.drain()
                assert link._wire.transport.get_write_buffer_size() <= WRITE_LIMIT + len(piece)
                if count == 100:
                    tracemalloc.start()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return peak

    with rogue.serve(rogue.slow_reader(rate=400 * 1024 * 1024, piece=1024 * 1024)) as server:
        assert run(work()) < 4 * 1024 * 1024


def test_memory_stays_flat_while_a_flood_is_not_read():
    """A server that says 50 MB is held back at the limit until somebody reads."""

    async def work():
        async with linked(server) as link:
            await asyncio.sleep(0.2)
            assert len(link._wire._received) <= READ_LIMIT + 256 * 1024
            total = 0
            while True:
                octets = await link.read()
                total += len(octets)
                if octets.endswith(b"220 end\r\n"):
                    return total

    with rogue.serve(rogue.flood(megabytes=50)) as server:
        assert run(work()) > 49 * 1024 * 1024


def test_a_unix_socket_is_a_link_like_any_other(tmp_path):
    """A conversation passes over a UNIX socket."""

    async def work():
        async with linked(server) as link:
            link.write(b"QUIT\r\n")
            assert await read_until(link, b"Bye\r\n")
            assert link.address == server.path
            assert link.port == 0

    with rogue.serve(rogue.Smtp(), path=str(tmp_path / "s")) as server:
        run(work())


def test_unix_sockets_fail_in_plain_words(tmp_path):
    """A missing path, a file, a socket without a server, and an overlong path are told apart."""
    file = tmp_path / "file"
    file.write_text("x")
    dead = tmp_path / "dead"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(dead))
    listener.close()
    expected = {
        str(tmp_path / "missing"): ("file", "no such file"),
        str(file): ("refused", "nobody listens"),
        str(dead): ("refused", "nobody listens"),
        "x" * 200: ("file", "too long"),
        "nul\0bell\a": ("file", r"unix:nul\\0bell\\x07: cannot"),
    }
    for path, (kind, words) in expected.items():
        with pytest.raises(LinkError, match=words) as caught:
            run(Link.open(Endpoint("unix", path=path)))
        assert caught.value.kind == kind
        assert caught.value.status == Status.CONNECT


def test_refused_says_where_and_what_to_try():
    """A port without a listener leads to kind refused with the attempt, and one clear line."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        seen: list[Attempt] = []
        with pytest.raises(LinkError) as caught:
            run(Link.open(Endpoint("tcp", "127.0.0.1", port), LinkOptions(), seen.append))
    assert caught.value.kind == "refused"
    assert caught.value.attempts == tuple(seen)
    assert [attempt.outcome for attempt in seen] == ["refused"]
    assert str(caught.value).startswith(f"127.0.0.1:{port}: connection refused. ")


def test_a_listener_that_never_accepts_times_out():
    """Where no answer comes, the attempt ends within the timeout as kind timeout."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        filling = [socket.socket() for _ in range(3)]
        for one in filling:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        started = time.perf_counter()
        with pytest.raises(LinkError) as caught:
            run(Link.open(Endpoint("tcp", "127.0.0.1", port), LinkOptions(timeout=0.3)))
        assert time.perf_counter() - started < 2
        for one in filling:
            one.close()
    assert caught.value.kind == "timeout"
    assert [attempt.outcome for attempt in caught.value.attempts] == ["timeout"]


def test_a_proxy_header_comes_before_anything_else():
    """With a PROXY header asked for, the server receives the line first, with the link's ends."""

    async def work():
        async with linked(server, proxy_protocol=ProxyHeader()) as link:
            link.write(b"QUIT\r\n")
            await read_until(link, b"Bye")

    with rogue.serve(rogue.Smtp()) as server:
        run(work())
    header, rest = bytes(server.received).split(b"\r\n", 1)
    words = header.split()
    assert words[:4] == [b"PROXY", b"TCP4", b"127.0.0.1", b"127.0.0.1"]
    assert int(words[5]) == server.port
    assert rest == b"QUIT\r\n"


def _socks(answers: list[bytes], sizes: list[int]):
    def behave(connection):
        for answer, size in zip(answers, sizes, strict=True):
            wanted = b""
            while len(wanted) < size:
                more = connection.recv(size - len(wanted))
                if not more:
                    return
                wanted += more
            connection.sendall(answer)
        rogue.drain(connection)

    return behave


def test_a_link_through_socks5_reads_what_comes_right_behind():
    """The greeting that arrives together with the proxy's last answer is not lost."""
    granted = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x19"
    behaviour = _socks([b"\x05\x02", b"\x01\x00", granted + b"220 mx\r\n"], [4, 11, 22])
    with rogue.serve(behaviour) as server:

        async def work():
            proxy = Proxy("127.0.0.1", server.port, "ann", "secre")
            link = await Link.open(Endpoint("tcp", "mx.example.test", 25), LinkOptions(proxy=proxy))
            assert await read_until(link, b"\r\n") == b"220 mx\r\n"
            await link.close()

        run(work())
    assert bytes(server.received) == (
        b"\x05\x02\x00\x02\x01\x03ann\x05secre\x05\x01\x00\x03\x0fmx.example.test\x00\x19"
    )


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (rogue.banner(b"220 mx ESMTP\r\n"), "no SOCKS5 proxy"),
        (rogue.banner(b"\x05\xff"), "none of our ways"),
        (rogue.banner(b"\x05\x00\x05\x05\x00\x01"), "refused the connection"),
        (rogue.banner(b"\x05\x00\x05\x00\x00\x09"), "not SOCKS5"),
        (rogue.banner(b"\x05", then_close=True), "closed the connection"),
        (rogue.silent(), "no answer within"),
    ],
)
def test_a_proxy_that_fails_is_told_as_the_proxy(behaviour, words):
    """Each way in which a proxy fails is kind proxy and names the proxy."""
    with rogue.serve(behaviour) as server:
        options = LinkOptions(timeout=0.5, proxy=Proxy("127.0.0.1", server.port))
        with pytest.raises(LinkError, match=words) as caught:
            run(Link.open(Endpoint("tcp", "mx.example", 25), options))
    assert caught.value.kind == "proxy"
    assert caught.value.where == f"proxy 127.0.0.1:{server.port}"


def test_a_reset_in_the_negotiation_is_no_traceback():
    """A proxy that resets leads to a LinkError too."""
    with rogue.serve(rogue.reset()) as server:
        options = LinkOptions(timeout=2, proxy=Proxy("127.0.0.1", server.port))
        with pytest.raises(LinkError):
            run(Link.open(Endpoint("tcp", "mx.example", 25), options))


def test_opening_can_be_cancelled():
    """Cancelling an open leaves no socket and no task behind."""

    async def work():
        proxy = Proxy("127.0.0.1", server.port)
        task = asyncio.create_task(
            Link.open(Endpoint("tcp", "mx.example", 25), LinkOptions(proxy=proxy))
        )
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    with rogue.serve(rogue.silent()) as server:
        run(work())


def test_labels_name_each_kind_of_endpoint():
    """Labels read like the targets that users write."""
    assert Endpoint("tcp", "mx.example", 25).label == "mx.example:25"
    assert Endpoint("tcp", "2001:db8::1", 25).label == "[2001:db8::1]:25"
    assert Endpoint("unix", path="/run/lmtp").label == "unix:/run/lmtp"
    assert Endpoint("pipe", command="exim -bs").label == "pipe:exim -bs"
    assert endpoint_of(rogue.Rogue("::1", 5)).label == "[::1]:5"
