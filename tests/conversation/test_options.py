"""The command line's options about connecting: one table, for the front door and for `send`."""

from __future__ import annotations

import socket
import threading

import pytest

from smtpshell.conversation.settings import SETTINGS, Settings
from smtpshell.protocol.errors import UsageError
from tests.conversation.running import in_process, smtpshell
from tests.conversation.test_script import Mailish, at
from tests.net.helpers import authority
from tests.net.rogue import Smtp, serve

SEND = ("--from", "a@client.example", "--to", "b@rogue.example")


def trusted(tmp_path):
    """Return a server's context and the file of the authority that vouches for it."""
    file = tmp_path / "ca.pem"
    file.write_bytes(authority().pem)
    return authority().issue("127.0.0.1").context(), str(file)


def untrusted():
    """Return a context whose certificate is for another name."""
    return authority().issue("elsewhere.example").context()


def has_ipv6() -> bool:
    """Tell whether this machine has an IPv6 loopback address."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_both_front_doors_take_every_flag_of_the_table() -> None:
    """What has a spelling is an option of `smtpshell` and of `smtpshell send`."""
    for words in (("--help",), ("send", "--help")):
        page = smtpshell(*words).out
        for row in SETTINGS.values():
            assert all(flag in page for flag in (*row.flags, *(s[0] for s in row.switches)))


@pytest.mark.parametrize("command", [(), ("send",)])
def test_the_source_address_is_used(command) -> None:
    """--source is the address that the server sees."""
    seen = []

    class Seeing(Mailish):
        def __call__(self, connection) -> None:
            seen.append(connection.inner.getpeername()[0])
            super().__call__(connection)

    with serve(Seeing()) as server:
        more = SEND if command else ("-c", "NOOP")
        run = smtpshell(*command, at(server), "--source", "127.0.0.9", *more)
    assert run.status == 0, run.err
    assert seen == ["127.0.0.9"]


def test_a_source_that_is_not_ours_is_told() -> None:
    """An address of another machine cannot be connected from: status 2, one line."""
    with serve(Mailish()) as server:
        run = smtpshell(at(server), "--source", "192.0.2.1", "-c", "NOOP")
    assert run.status == 2
    assert len(run.err.splitlines()) == 1
    assert "source address" in run.err


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_the_address_family_can_be_chosen() -> None:
    """With -4 or -6 addresses of the other family are left out."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 six\r\n")
                connection.recv(100)
                connection.sendall(b"221 bye\r\n")

        threading.Thread(target=greet, daemon=True).start()
        six = smtpshell(f"[::1]:{port}", "-6", "-c", "QUIT")
        four = smtpshell(f"[::1]:{port}", "-4", "-c", "QUIT")
    assert (six.status, four.status) == (0, 2)
    assert "::1" in six.lines[0]
    assert "IPv4" in four.err


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("1", b"PROXY TCP4 127.0.0.1 127.0.0.1 "),
        ("1 local", b"PROXY UNKNOWN\r\n"),
        ("1 192.0.2.7:4000 192.0.2.9:25", b"PROXY TCP4 192.0.2.7 192.0.2.9 4000 25\r\n"),
        (
            "2 [2001:db8::7]:4000 [2001:db8::9]:25",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24\x20\x01\x0d\xb8",
        ),
        ("2 local", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"),
    ],
)
def test_a_proxy_header_goes_before_smtp(text, begins) -> None:
    """--proxy-protocol tells another client's address, or our own."""

    class Behind(Mailish):
        def __call__(self, connection) -> None:
            connection.recv(len(begins) if b"TCP4 127" not in begins else 200)
            super().__call__(connection)

    with serve(Behind()) as server:
        run = smtpshell(at(server), "--proxy-protocol", text, "-c", "NOOP")
        assert bytes(server.received).startswith(begins)
    assert run.status == 0, run.err


def test_a_socks_proxy_carries_the_session() -> None:
    """--proxy asks a SOCKS5 server for the target by its name."""

    class Socks(Mailish):
        def __call__(self, connection) -> None:
            assert connection.recv(3) == b"\x05\x01\x00"
            connection.sendall(b"\x05\x00")
            connection.recv(7 + len(b"mx.rogue.example"))
            connection.sendall(b"\x05\x00\x00\x01\0\0\0\0\0\0")
            super().__call__(connection)

    with serve(Socks()) as server:
        run = smtpshell("mx.rogue.example", "--proxy", f"{server.host}:{server.port}", "-c", "NOOP")
        assert b"\x10mx.rogue.example\x00\x19" in bytes(server.received)
    assert run.status == 0, run.err


def test_a_proxys_password_is_no_argument_and_is_never_shown() -> None:
    """It is taken from the environment alone, and hidden where settings are shown."""
    url = "socks5://ann:hunter2@127.0.0.1:1"
    refused = smtpshell("mx.example", "--proxy", url, "-c", "NOOP")
    assert refused.status == 1
    assert "hunter2" not in refused.err
    for more in ((), ("--json",)):
        with serve(Mailish()) as server:
            run = smtpshell(
                f"unix:{server.path}" if server.path else at(server),
                *(*more, "-c", "/set proxy", "-c", "/set", "-c", f"/set proxy {url}"),
                env={"SMTPSHELL_PROXY": url},
            )
        assert "hunter2" not in run.out + run.err


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("source", "mx.example"),
        ("family", "5"),
        ("proxy", "http://x"),
        ("proxy-protocol", "3"),
        ("proxy-protocol", "1 192.0.2.1:1"),
        ("proxy-protocol", "1 a:1 b:2"),
        ("proxy-protocol", "1 192.0.2.1:1 192.0.2.2:99999"),
    ],
)
def test_values_that_make_no_sense_are_refused_at_once(name, text) -> None:
    """Before anything is connected, and with the reason."""
    with pytest.raises(UsageError, match=name):
        Settings().set(name, text)


# --- what is demanded of TLS ----------------------------------------------------------------------


@pytest.mark.parametrize("command", [(), ("send",)])
def test_tls_verify_ends_with_29_before_a_secret_or_a_message(command) -> None:
    """A bad certificate fails in the handshake itself; nothing behind STARTTLS is sent."""
    more = SEND if command else ("-c", "MAIL FROM:<a@client.example>")
    with serve(Smtp(untrusted())) as server:
        run = smtpshell(*command, at(server), "--tls", "verify", *more)
        received = bytes(server.received)
    assert run.status == 29
    assert b"MAIL" not in received
    assert "certificate" in run.err
    assert len(run.err.splitlines()) == 1


@pytest.mark.parametrize("command", [(), ("send",)])
def test_tls_verify_goes_through_with_a_good_certificate(command, tmp_path) -> None:
    """The CA given is trusted, and the session goes on encrypted."""
    context, file = trusted(tmp_path)
    more = (*SEND, "--quit-after", "mail") if command else ("-c", "MAIL FROM:<a@client.example>")
    with serve(Smtp(context)) as server:
        run = smtpshell(*command, at(server), "--tls", "verify", "--ca", file, *more, "--json")
    assert run.status == 0, run.err
    assert [event["verified"] for event in run.events("tls")] == [True]


@pytest.mark.parametrize("policy", ["required", "verify"])
def test_a_server_without_starttls_ends_with_29(policy) -> None:
    """Where TLS is demanded nothing goes on in the clear."""
    for words in ((), ("send",)):
        more = SEND if words else ("-c", "MAIL FROM:<a@client.example>")
        with serve(Mailish()) as server:
            run = smtpshell(*words, at(server), "--tls", policy, *more)
            assert b"MAIL" not in bytes(server.received)
        assert run.status == 29
        assert "does not offer STARTTLS" in run.err


def test_optional_upgrades_where_it_can_and_never_does_not() -> None:
    """Optional takes a bad certificate too; never leaves STARTTLS alone."""
    for policy, upgraded in (("optional", True), ("never", False)):
        with serve(Smtp(untrusted())) as server:
            run = smtpshell(at(server), "--tls", policy, "-c", "NOOP", "--json")
        assert run.status == 0, run.err
        assert bool(run.events("tls")) is upgraded
    with serve(Mailish()) as server:
        assert smtpshell(at(server), "--tls", "optional", "-c", "NOOP").status == 0


def test_without_the_flag_a_script_is_sent_as_it_stands() -> None:
    """Nothing is upgraded that nobody asked for."""
    with serve(Smtp(untrusted())) as server:
        smtpshell(at(server), "-c", "NOOP")
        assert bytes(server.received) == b"NOOP\r\nQUIT\r\n"


def test_tls_at_once_and_never_make_no_sense_together() -> None:
    """A usage error, before anything is connected."""
    run = smtpshell("smtps://127.0.0.1:1", "--tls", "never", "-c", "NOOP")
    assert run.status == 1


def test_no_verify_takes_any_certificate_for_a_login() -> None:
    """The login's default of verify gives way, and no flag is needed within TLS."""
    login = {"AUTH": b"235 2.7.0 welcome\r\n"}
    offer = b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
    with serve(Smtp(untrusted(), answers={**login, "EHLO": offer})) as server:
        run = smtpshell(
            *("send", at(server), *SEND, "--no-verify", "--user", "ann", "--quit-after", "auth"),
            env={"SMTPSHELL_PASSWORD": "hunter2"},
        )
    assert run.status == 0, run.err


def test_versions_are_bounded() -> None:
    """--tls-max below what the server takes fails with status 29 and the reason."""
    import ssl

    modern = authority().issue("127.0.0.1").context(minimum=ssl.TLSVersion.TLSv1_3)
    with serve(Smtp(modern)) as server:
        run = smtpshell(at(server), "--tls", "required", "--tls-max", "1.2", "-c", "NOOP")
    assert run.status == 29
    assert "version" in run.err


def test_settings_apply_to_the_next_connection_of_a_script() -> None:
    """/set tls-max before /connect is heeded."""
    with serve(Smtp(untrusted())) as server:
        run = in_process(
            at(server), "/set tls-max 1.2", "/close", f"/connect {at(server)}", "/starttls", "/cert"
        )
    assert any("TLSv1.2" in line for line in run.lines)


def test_an_option_may_stand_before_the_target_or_the_sub_command() -> None:
    """A flag's value is not taken for the target."""
    with serve(Mailish()) as server:
        assert smtpshell("--helo", "x.example", at(server), "-c", "NOOP").status == 0
        assert smtpshell("--tls", "never", "send", at(server), *SEND).status == 0
