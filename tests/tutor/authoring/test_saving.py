"""`lesson replay --save-scenario`: a server's replies as a practice scenario that is sound."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smtpshell.practice.checking import check_scenario
from smtpshell.practice.library import load_scenario
from smtpshell.tutor.authoring.course import Bit, Disguise
from smtpshell.tutor.authoring.personality import likeness
from smtpshell.tutor.authoring.trial import heard
from tests.conversation.running import Run, smtpshell
from tests.net.rogue import Smtp, serve
from tests.tutor.making import lesson_text, wire


def save(lesson: str, target: str, path: Path, *words: str) -> Run:
    """Replay a lesson and save a scenario."""
    return smtpshell("lesson", "replay", lesson, target, "--save-scenario", str(path), *words)


def wire_of(run: Run) -> list[str]:
    """Return what the server said, without queue ids."""
    return [
        line.partition(" queued as ")[0] for line in run.out.splitlines() if line.startswith("S: ")
    ]


def served(lesson: str, path: Path, *words: str) -> Run:
    """Replay a lesson against a practice server of a saved scenario."""
    from smtpshell.practice.server import PracticeServer

    async def run() -> Run:
        server = PracticeServer(load_scenario(path))
        host, port = await server.start()
        try:
            target = f"{host}:{port}"
            return await asyncio.to_thread(smtpshell, "lesson", "replay", lesson, target, *words)
        finally:
            await server.stop()

    return asyncio.run(run())


@pytest.mark.parametrize("lesson", ["helo-to-quit", "reply-codes", "esmtp-and-size", "recipients"])
def test_the_practice_server_says_what_aiosmtpd_said(lesson: str, sink_server, tmp_path) -> None:
    """The scenario is sound, and the same lesson meets the same codes and texts in it."""
    path = tmp_path / "drawn.toml"
    real = save(lesson, f"{sink_server.host}:{sink_server.port}", path, "--send")
    assert f"Wrote {path}" in real.out
    assert "cannot be made to answer" not in real.err
    assert check_scenario(load_scenario(path)) == ()
    again = served(lesson, path, "--send")
    assert again.status == real.status
    assert wire_of(again) == wire_of(real)


def test_the_practice_server_says_what_postfix_said(postfix_server, tmp_path) -> None:
    """Postfix's words and codes, with the lesson's own recipients in place of real ones."""
    path = tmp_path / "postfix.toml"
    users = [f"{name}@{postfix_server.domain}" for name in postfix_server.mailboxes]
    real = save(
        "helo-to-quit",
        f"{postfix_server.host}:{postfix_server.ports['smtp']}",
        path,
        *("--send", "--set", f"bob={users[0]}", "--set", f"carol={users[1]}"),
    )
    assert real.status == 0, real.err
    text = path.read_text(encoding="utf-8")
    assert users[0] not in text
    assert check_scenario(load_scenario(path)) == ()
    again = served("helo-to-quit", path, "--send")
    assert again.status == 0, again.out
    assert wire_of(again)[1:] == wire_of(real)[1:]


TLS = ("S: 220 *", "C: EHLO client.example", "S: 250-*", "S: ...", "C: STARTTLS", "S: 220 *")
TLS += ("S: <tls>", "C: EHLO client.example", "S: 250-*", "S: ...", "C: NOOP", "S: 250 *")
AT_ONCE = ("S: 220 *", "C: EHLO client.example", "S: 250-*", "S: ...", "C: NOOP", "S: 250 *")


@pytest.mark.parametrize(
    ("lines", "service", "scheme"), [(TLS, "submission", "smtp"), (AT_ONCE, "smtps", "smtps")]
)
def test_what_is_said_before_and_behind_tls_differs(
    lines, service: str, scheme: str, postfix_server, tmp_path
) -> None:
    """The menu changes with the handshake, and logins are offered where they were."""
    lesson, path = tmp_path / "made.md", tmp_path / "drawn.toml"
    lesson.write_text(lesson_text(wire(*lines), replay="any"), encoding="utf-8")
    target = f"{scheme}://{postfix_server.host}:{postfix_server.ports[service]}"
    real = save(str(lesson), target, path, "--unverified")
    assert real.status == 0, real.out + real.err
    assert "cannot be made to answer" not in real.err
    scenario = load_scenario(path)
    assert check_scenario(scenario) == ()
    assert "SCRAM-SHA-256" in scenario.auth.mechanisms
    assert not any(rule.times for rule in scenario.rules)
    if scheme == "smtp":
        again = served(str(lesson), path, "--unverified")
        assert wire_of(again) == wire_of(real)


NAMED = {
    "MAIL": b"250 ok [203.0.113.9] seen from 8.8.4.4 and 8.8.4.4 by mx1.provider.com\r\n",
    "RCPT": b"550-5.1.1 <bob@practice.example> is unknown {here}\r\n"
    b"550 5.1.1 see https://help.provider.com/x \xe2\x82\xac\r\n",
}


def test_nobody_is_named(tmp_path) -> None:
    """Hosts and addresses of the world become those for examples, the same for the same."""
    path = tmp_path / "named.toml"
    with serve(Smtp(answers=NAMED, greeting=b"220 mx1.provider.com ready\r\n")) as server:
        run = save("helo-to-quit", f"{server.host}:{server.port}", path)
    assert run.status == 1
    text = path.read_text(encoding="utf-8")
    assert "provider" not in text
    assert "8.8.4.4" not in text
    assert (
        '"250 ok [203.0.113.9] seen from 192.0.2.2 and 192.0.2.2 by mail.practice.example"' in text
    )
    assert "https://host1.example/x €" in text
    assert check_scenario(load_scenario(path)) == ()
    assert wire_of(served("helo-to-quit", path))[:3] == [
        "S: 220 mail.practice.example ready",
        *wire_of(run)[1:2],
        "S: 250 ok [203.0.113.9] seen from 192.0.2.2 and 192.0.2.2 by mail.practice.example",
    ]


def test_what_a_user_set_gives_way_to_the_lessons_own() -> None:
    """Addresses, their domains, and letter case in a server's echo of them."""
    disguise = Disguise({"me@my.org": "ann@client.example"}, "mx.my.org")
    assert disguise.text("<ME@MY.ORG> is at my.org") == "<ann@client.example> is at client.example"
    assert disguise.text("mx.my.org and other.org") == "mail.practice.example and host1.example"
    assert Disguise({"": "x", "a": "b"}).text("a cat") == "a cat"
    assert disguise.text("2001:470::1 {queue}") == "2001:db8::2 (queue)"


def bit(place: str, line: str | None, *reply: str, subject: str = "", closed: bool = False) -> Bit:
    """Return a bit of a course."""
    octets = None if line is None else f"{line}\r\n".encode()
    return Bit(octets, place, place if line else "", subject, reply, closed=closed)


COURSES = {
    "a greeting of two lines": [bit("BANNER", None, "220-one", "220 two")],
    "a refusal at the door": [bit("BANNER", None, "554 no", closed=True)],
    "a verb that the protocol knows better": [
        bit("BANNER", None, "220 hi"),
        bit("RCPT", "RCPT TO:<a@b.example>", "250 sure", subject="a@b.example"),
    ],
    "the same line answered in three ways": [
        bit("BANNER", None, "220 hi"),
        bit("NOOP", "NOOP", "250 one"),
        bit("NOOP", "NOOP", "450 two"),
        bit("NOOP", "NOOP", "250 three"),
    ],
    "a goodbye that nobody asked for": [
        bit("BANNER", None, "220 hi"),
        bit("NOOP", "NOOP", "250 bye", closed=True),
    ],
}


@pytest.mark.parametrize("name", COURSES)
def test_odd_servers_can_be_drawn(name: str) -> None:
    """Rules do what words alone cannot; trying the drawn server out gives the course again."""
    from smtpshell.practice.scenario_file import parse_scenario

    bits = COURSES[name]
    drawn = asyncio.run(likeness("odd", "Odd", bits, tls_at_once=False))
    assert drawn.unlike == ()
    scenario = parse_scenario(drawn.text, "odd.toml")
    assert check_scenario(scenario) == ()
    assert [each.reply for each in asyncio.run(heard(scenario, bits))] == [
        each.reply for each in bits
    ]


def test_the_file_is_chosen_before_anybody_is_called(tmp_path) -> None:
    """A name that no scenario can have, or a file that is there, is misuse."""
    there = tmp_path / "there.toml"
    there.touch()
    for path in (there, tmp_path / "No Name.toml", tmp_path / "mine.txt"):
        run = save("helo-to-quit", "127.0.0.1:1", path)
        assert run.status == 2
    assert save("helo-to-quit", "127.0.0.1:1", tmp_path / "new.toml").status == 3
    assert not (tmp_path / "new.toml").exists()
