"""Lessons held against real servers: the first one unchanged, and every way to fail."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from tests.conversation.running import Run, smtpshell
from tests.net.rogue import Smtp, serve


def replay(*words: str, **options: object) -> Run:
    """Replay the first lesson."""
    return smtpshell("lesson", "replay", "helo-to-quit", *words, **options)  # type: ignore[arg-type] # env or cwd


def replay_file(path: object, *words: str) -> Run:
    """Replay the lesson of a file."""
    return smtpshell("lesson", "replay", str(path), *words)


def outcomes(run: Run) -> dict[str, bool | None]:
    """Return what came of each line, by the line."""
    return {item["what"]: item["ok"] for item in run.objects}


def test_the_first_lesson_holds_against_aiosmtpd(sink_server) -> None:
    """Every exchange of the lesson has the codes that aiosmtpd gives, the message included."""
    run = replay(f"{sink_server.host}:{sink_server.port}", "--send", "--json")
    assert run.status == 0, run.out + run.err
    found = outcomes(run)
    assert found["QUIT"] is True
    assert False not in found.values()
    assert found["check delivered {{bob}} count == 1"] is None


def test_the_first_lesson_holds_against_postfix(postfix_server) -> None:
    """With recipients of its own, Postfix takes the lesson's message and delivers it."""
    users = [f"{name}@{postfix_server.domain}" for name in postfix_server.mailboxes]
    run = replay(
        f"{postfix_server.host}:{postfix_server.ports['smtp']}",
        *("--send", "--json", "--set", f"bob={users[0]}", "--set", f"carol={users[1]}"),
    )
    assert run.status == 0, run.out + run.err
    assert False not in outcomes(run).values()
    assert b"I typed this message myself" in postfix_server.wait_for("first@client.example")


def test_nothing_is_delivered_unless_asked() -> None:
    """Without --send the transaction is reset before DATA, and the rest is skipped, not passed."""
    with serve(Smtp()) as server:
        run = replay(f"{server.host}:{server.port}", "--json")
        received = bytes(server.received)
    assert b"DATA" not in received
    assert received.endswith(b"RSET\r\nQUIT\r\n")
    assert outcomes(run)["DATA"] is None
    assert outcomes(run)["QUIT"] is None
    assert run.status == 0


def test_another_code_fails_and_another_text_is_only_listed() -> None:
    """A 550 to RCPT is a failure with the server's words; other words for 250 are not."""
    with serve(Smtp(answers={"RCPT": b"550 5.1.1 nobody here\r\n"})) as server:
        run = replay(f"{server.host}:{server.port}", "--json")
    assert run.status == 1
    failed = [item for item in run.objects if item["ok"] is False]
    assert "550 5.1.1 nobody here" in failed[0]["problem"]
    differing = [item for item in run.objects if item["differs"]]
    assert all(item["ok"] for item in differing)
    assert differing


def test_classes_relax_the_comparison() -> None:
    """With --class 251 is as good as 250."""
    with serve(Smtp(answers={"RCPT": b"251 forwarding\r\n"})) as server:
        strict = replay(f"{server.host}:{server.port}")
    with serve(Smtp(answers={"RCPT": b"251 forwarding\r\n"})) as server:
        relaxed = replay(f"{server.host}:{server.port}", "--class")
    assert (strict.status, relaxed.status) == (1, 0)


def test_junit_counts_what_was_skipped(tmp_path) -> None:
    """A CI system sees passed, failed and skipped apart."""
    report = tmp_path / "replay.xml"
    with serve(Smtp(answers={"MAIL": b"451 later\r\n"})) as server:
        run = replay(f"{server.host}:{server.port}", "--junit", str(report))
    assert run.status == 1
    suite = ET.fromstring(report.read_text(encoding="utf-8"))
    assert int(suite.get("failures", "0")) >= 1
    assert int(suite.get("skipped", "0")) >= 1
    assert "451 later" in "".join(suite.itertext())


def test_who_does_not_answer_is_no_wrong_lesson() -> None:
    """Nobody there is the environment's fault: status 3 and one line."""
    run = replay("127.0.0.1:1")
    assert run.status == 3
    assert len(run.err.splitlines()) == 1


def test_secrets_come_from_the_environment_and_stay_hidden() -> None:
    """A value given by --secret is sent, and stands in no output."""
    with serve(Smtp()) as server:
        run = replay(
            f"{server.host}:{server.port}",
            *("--json", "--secret", "me=env:MY_ADDRESS"),
            env={"MY_ADDRESS": "secret@client.example"},
        )
        received = bytes(server.received)
    assert b"MAIL FROM:<secret@client.example>" in received
    assert "secret@" not in run.out
    assert smtpshell("lesson", "replay", "1", "127.0.0.1", "--secret", "me=x").status == 2


def test_a_lesson_for_the_practice_world_is_not_replayed(tmp_path) -> None:
    """Only lessons that say `replay: any` make sense elsewhere."""
    from tests.tutor.making import GREETING, lesson_text

    path = tmp_path / "own.md"
    path.write_text(lesson_text(GREETING), encoding="utf-8")
    run = smtpshell("lesson", "replay", str(path), "127.0.0.1:1")
    assert (run.status, "practice server only" in run.err) == (2, True)
    assert json.dumps(run.out) == '""'


def test_a_step_is_skipped_where_the_server_lacks_its_keyword(tmp_path) -> None:
    """@needs looks at what the real server offers; what follows in the step is skipped."""
    from tests.tutor.making import lesson_text, wire

    body = wire("S: 220 *", "C: EHLO client.example", "S: 250-*", "S: ...")
    check = "```check\nsession.helo == x.example\n```\n"
    body += wire("@needs X-MAGIC", "C: XMAGIC", "S: 250 *", step="magic", more=check)
    body += wire("@drip 1s", "C: NOOP", "S: 250 *", step="end")
    path = tmp_path / "made.md"
    path.write_text(lesson_text(body, replay="any"), encoding="utf-8")
    with serve(Smtp()) as server:
        run = replay_file(path, f"{server.host}:{server.port}", "--json")
    assert run.status == 0, run.out + run.err
    reasons = {item["what"]: item["problem"] for item in run.objects if item["ok"] is None}
    assert reasons == {
        "@needs X-MAGIC": "the server does not offer X-MAGIC",
        "XMAGIC": "the server does not offer X-MAGIC",
        "check session.helo == x.example": "the server does not offer X-MAGIC",
        "@drip 1s": "only the practice server can be made to drip",
    }


def test_a_name_that_the_lesson_has_not_is_no_value_of_it() -> None:
    """A slip in --set would otherwise send the lesson's own address."""
    for option in ("--set yuo=me@client.example", "--secret yuo=env:HOME"):
        run = replay("127.0.0.1:1", *option.split())
        assert run.status == 2
        assert "has no var.yuo" in run.err
        assert "bob" in run.err
