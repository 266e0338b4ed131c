"""What a practice world shows of itself: which rule decided, and why."""

from __future__ import annotations

import asyncio
import io
import json

from smtpshell.conversation.driver import Conversation
from smtpshell.conversation.operations import options_from
from smtpshell.conversation.script import ScriptDesk
from smtpshell.conversation.settings import Settings
from tests.conversation.running import in_process

SAID = ("EHLO client.example", "MAIL FROM:<ann@client.example>", "RCPT TO:<bob@practice.example>")


def at_scenario(scenario: str, *lines: str, json_out: bool = False) -> str:
    """Run lines at a practice server of some scenario; return what is shown."""
    settings = Settings()
    settings.json = json_out
    out = io.StringIO()

    async def run() -> None:
        desk = ScriptDesk(Conversation(options_from(settings)), settings, out, io.StringIO())
        await desk.start_practice(scenario)
        try:
            for line in ("/connect practice", *lines):
                await desk.take(line)
        finally:
            await desk.conversation.close()
            await desk.stop_practice()

    asyncio.run(run())
    return out.getvalue()


def test_the_rule_that_fired_is_told_with_its_reason() -> None:
    """/rule names the latest decision, what fitted, and the reply of the rule."""
    shown = at_scenario("greylist", *SAID, "/rule")
    told = [line.removeprefix("# ") for line in shown[shown.index("# At RCPT") :].splitlines()]
    assert told[0] == "At RCPT, for bob@practice.example: rule 1 fired."
    assert any(line.startswith("because") and "first time" in line for line in told)
    assert any(line.startswith("reply") and "451 4.7.1" in line for line in told)


def test_rules_that_did_not_fire_say_why_and_scripts_get_facts() -> None:
    """With --json each decision has its place, its rule and every rule that was passed over."""
    shown = at_scenario("rcpt", *SAID, "RCPT TO:<erik@practice.example>", "/rule 2", json_out=True)
    facts = next(item for item in map(json.loads, shown.splitlines()) if "decisions" in item)
    first, second = facts["decisions"]
    assert (facts["scenario"], first["place"], first["rule"]) == ("rcpt", "RCPT", None)
    assert [each["rule"] for each in first["passed"]] == [1, 2]
    assert (second["rule"], second["subject"]) == (2, "erik@practice.example")
    assert second["passed"] == [
        {"rule": 1, "because": "'dora@practice.example' does not fit"},
    ]


def test_where_no_rule_looked_that_is_said(sink_server) -> None:
    """A world without a decision has nothing to tell, and a real server has no rules at all."""
    assert "# No rule has looked at anything yet." in at_scenario("greylist", "NOOP", "/rule")
    run = in_process(f"{sink_server.host}:{sink_server.port}", "/rule")
    assert "/rule: no practice server runs here" in run.err
