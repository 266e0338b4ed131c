"""`/why N`: the command that settles a cause, and what has to go before it."""

from __future__ import annotations

import asyncio
import re
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from smtpshell.conversation.confirming import lines_for, run_check
from smtpshell.conversation.log import Log
from smtpshell.conversation.targets import parse_target
from smtpshell.protocol.errors import UsageError
from smtpshell.protocol.session import Snapshot
from smtpshell.protocol.state import Mode, State
from tests.conversation.running import in_process
from tests.conversation.test_script import Mailish, at
from tests.net.helpers import authority
from tests.net.rogue import Smtp, serve, silent

EHLO, MAIL, RCPT = "EHLO me.example", "MAIL FROM:<ann@shop.example>", "RCPT TO:<zoe@else.example>"
BEFORE = Snapshot(
    state=State.RCPT,
    mode=Mode.COMMAND,
    helo="me.example",
    sender="ann@shop.example",
    recipients=("bob@else.example",),
)


def desk_at(state: State, *, tls: bool = False, url: str = "mx.example", policy: str = "optional"):
    """Return as much of a desk as the question needs."""
    now = Snapshot(state=state, mode=Mode.COMMAND, tls=tls, helo="me.example")
    conversation = SimpleNamespace(
        snapshot=now, target=parse_target(url), link=None, connected=now.connected
    )
    return SimpleNamespace(conversation=conversation, settings={"helo": "", "tls": policy})


@pytest.mark.parametrize(
    ("command", "state", "lines"),
    [
        ("/mx else.example", State.CLOSED, []),
        ("/explain 550", State.DATA, []),
        ("/connect", State.CLOSED, []),
        ("EHLO me.example", State.CLOSED, ["/connect"]),
        ("NOOP", State.START, []),
        ("VRFY zoe@else.example", State.CLOSED, ["/connect"]),
        (MAIL, State.START, [EHLO]),
        (MAIL, State.RCPT, ["RSET"]),
        (MAIL, State.READY, []),
        (RCPT, State.RCPT, []),
        (RCPT, State.READY, [MAIL]),
        (RCPT, State.CLOSED, ["/connect", EHLO, MAIL]),
        ("DATA", State.READY, [MAIL, "RCPT TO:<bob@else.example>"]),
        ("/auth", State.RCPT, ["RSET"]),
        ("/auth", State.CLOSED, ["/connect"]),
        ("/starttls", State.MAIL, ["RSET"]),
        ("/send --from a@b.example --to c@d.example", State.CLOSED, ["/connect"]),
        ("RSET", State.RCPT, []),
    ],
)
def test_a_check_is_led_up_to(command, state, lines) -> None:
    """What must have been said before the command is said before it, and nothing else."""
    assert lines_for(command, desk_at(state), BEFORE) == [*lines, command]


def test_a_setting_is_tried_at_once() -> None:
    """Changing how long to wait confirms nothing before the connection is made anew."""
    assert lines_for("/set timeout 300", desk_at(State.CLOSED), BEFORE) == [
        "/set timeout 300",
        "/connect",
    ]


@pytest.mark.parametrize(
    ("url", "policy", "lines"),
    [
        ("mx.example", "optional", ["/connect", "/starttls"]),
        ("smtps://mx.example", "verify", ["/set tls required", "/connect"]),
        ("mx.example", "verify", ["/set tls required", "/connect", "/starttls"]),
    ],
)
def test_a_certificate_is_fetched_without_demanding_a_good_one(url, policy, lines) -> None:
    """After a refused certificate it is looked at over a connection that does not verify."""
    desk = desk_at(State.CLOSED, url=url, policy=policy)
    assert lines_for("/cert", desk, BEFORE) == [*lines, "/cert"]


def test_an_encrypted_session_is_encrypted_again() -> None:
    """Where STARTTLS had been typed it is repeated, so that the check means the same."""
    from smtpshell.protocol.values import replace

    before = replace(BEFORE, tls=True)
    assert lines_for("EHLO me.example", desk_at(State.CLOSED), before)[:2] == [
        "/connect",
        "/starttls",
    ]


@pytest.mark.parametrize("mode", [Mode.DATA, Mode.OCTETS, Mode.ANSWER])
def test_nothing_becomes_part_of_a_message(mode) -> None:
    """While a message, a chunk or a login is under way no check goes to the server."""
    desk = desk_at(State.RCPT)
    desk.conversation.snapshot = Snapshot(state=State.DATA, mode=mode)
    with pytest.raises(UsageError, match="under way"):
        lines_for("NOOP", desk, BEFORE)
    assert lines_for("/mx else.example", desk, BEFORE) == ["/mx else.example"]


def test_a_recipient_is_tried_again_in_a_transaction_of_its_own() -> None:
    """After the transaction was reset the check of a refused recipient names the sender first."""
    server = Mailish(answers={"RCPT": b"550 5.1.1 no such user\r\n"})
    with serve(server) as place:
        run = in_process(at(place), EHLO, MAIL, RCPT, "RSET", "/explain 550", "/why 1")
    assert "# Running: VRFY zoe@else.example" in run.lines
    greylisting = Mailish(answers={"RCPT": b"450 4.2.0 Greylisted\r\n"})
    with serve(greylisting) as place:
        run = in_process(at(place), EHLO, MAIL, RCPT, "RSET", "/why 1")
    assert f"# Running: {MAIL}, then {RCPT}" in run.lines
    assert [line for line in run.wire if line.startswith("C: ")][-3:-1] == [
        f"C: {MAIL}",
        f"C: {RCPT}",
    ]


def test_the_numbers_of_a_list_stand_while_its_checks_change_the_session() -> None:
    """After /why 1 has moved the session on, /why 2 runs what the list showed as 2."""
    lines = ("EHLO client.example", "MAIL FROM:<ann@client.example>", "RCPT TO:<zoe@else.example>")
    run = in_process("practice", *lines, "/why", "/why 1", "/why 2", "/why 3", "/why")
    promised = re.findall(r"/why (\d)  runs  (.+)", "\n".join(run.lines))[:3]
    ran = [line.removeprefix("# Running: ") for line in run.lines if "# Running: " in line]
    assert [command for _, command in promised] == [line.split(", then ")[-1] for line in ran]
    refused = Mailish(answers={"RCPT": b"450 4.2.0 Greylisted\r\n", "NOOP": b"502 no\r\n"})
    with serve(refused) as place:
        run = in_process(at(place), EHLO, MAIL, RCPT, "/why", "NOOP", "/why 1")
    assert f"# Running: {RCPT}" not in run.lines, "a newer refusal has numbers of its own"


def test_trying_again_goes_where_it_had_failed() -> None:
    """After a check that led elsewhere, connecting again is about the first place."""
    with serve(Smtp()) as one:
        port = one.port
    lines = talk(f"/connect 127.0.0.1:{port}", "/why", "/why 1", "/why 2")
    assert "# Running: /connect 127.0.0.1:25" in lines
    assert f"# Running: /connect 127.0.0.1:{port}" in lines


@pytest.mark.parametrize(
    ("refused", "lines"),
    [(RCPT, ["RSET", MAIL, RCPT]), ("MAIL FROM:<bob@shop.example>", ["RSET", MAIL]), ("", None)],
)
def test_a_sender_refused_behind_a_recipient_is_tried_with_that_recipient(refused, lines) -> None:
    """Where RCPT was refused for the sender's sake, MAIL alone would tell nothing."""
    sent: list[str] = []

    async def send_lines(more) -> None:
        sent.extend(more)

    desk = desk_at(State.MAIL)
    desk.conversation.log = Log()
    desk.conversation.driven = lambda _: nullcontext()
    desk.send_lines, desk.say = send_lines, lambda *_: None
    asyncio.run(run_check(MAIL, desk, BEFORE, refused))
    assert sent == (lines or ["RSET", MAIL])


def test_what_is_missing_is_asked_for() -> None:
    """A command with a part that the user alone knows is shown to be filled in, never sent."""
    server = Mailish(answers={"MAIL": b"553 5.7.1 Sender address rejected: not owned by user\r\n"})
    with serve(server) as place:
        run = in_process(at(place), "EHLO me.example", MAIL, "/why 2")
        received = bytes(place.received)
    assert "# Fill in USER:" in run.lines
    assert "# MAIL FROM:<USER>" in run.lines
    assert b"USER" not in received


def test_a_refused_certificate_is_looked_at() -> None:
    """Where verification was demanded and failed, the check shows the certificate and its fault."""
    context = authority().issue("elsewhere.example").context()
    with serve(Smtp(context, at_once=True)) as server:
        lines = talk(f"/connect smtps://127.0.0.1:{server.port}", "/why 1", tls="verify")
    assert "# Running: /set tls required, then /connect, then /cert" in lines
    assert any("not for 127.0.0.1, but for elsewhere.example" in line for line in lines)


def test_the_time_waited_for_a_greeting_is_told() -> None:
    """A server that never greets is told with the seconds, and TLS and HTTP are thought of."""
    with serve(silent()) as server:
        lines = talk(f"/connect 127.0.0.1:{server.port}", "/why", timeout="0.3")
    said = "\n".join(lines)
    assert re.search(r"sent no greeting within 0\.3\d* seconds", said)
    assert f"/connect submissions://127.0.0.1:{server.port}" in said
    assert r"/raw GET / HTTP/1.0\r\n\r\n" in said


def talk(*lines: str, **options: str) -> list[str]:
    """Give lines to a desk that no failure stops, as the shell does; return what was shown."""
    import asyncio
    import io

    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.operations import options_from
    from smtpshell.conversation.script import ScriptDesk
    from smtpshell.conversation.settings import Settings
    from smtpshell.protocol.errors import SmtpshellError

    settings, out = Settings(), io.StringIO()
    for name, value in options.items():
        settings.set(name, value)

    async def run() -> None:
        desk = ScriptDesk(Conversation(options_from(settings)), settings, out, io.StringIO())
        for line in lines:
            try:
                await desk.take(line)
            except SmtpshellError:
                continue
        await desk.conversation.close()

    asyncio.run(run())
    return out.getvalue().splitlines()
