"""A drawn server tried out: it hears what the real one heard, and what it says is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from smtpshell.protocol.values import replace
from smtpshell.tutor.authoring.course import Bit, course_of, lines_of
from smtpshell.tutor.hearing import Hearing, turns_of
from smtpshell.tutor.performance import practice_settings

if TYPE_CHECKING:
    from smtpshell.conversation.targets import Target
    from smtpshell.practice.scenario import Scenario
    from smtpshell.practice.server import PracticeServer


def _target(server: PracticeServer) -> Target:
    """Return the first door of a server, where TLS begins at once if it does there."""
    from smtpshell.conversation.embedded import target_of, within
    from smtpshell.conversation.targets import parse_target

    main = server.scenario.main
    port, kind = next(iter(main.ports.items()))
    if kind != "tls":
        return target_of(server)
    found = within(server, parse_target(f"smtps://{main.name}:{port}"))
    assert found is not None
    return found


async def heard(scenario: Scenario, bits: Iterable[Bit]) -> list[Bit]:
    """Let the practice server of a scenario hear the client of a course; return its own replies."""
    from smtpshell.conversation.driver import Conversation
    from smtpshell.conversation.operations import options_from
    from smtpshell.practice.server import PracticeServer
    from smtpshell.protocol.errors import SmtpshellError

    server = PracticeServer(scenario)
    await server.start()
    conversation = Conversation(options_from(practice_settings()), published=server.is_published)
    hearing = Hearing(conversation)
    found: list[Bit] = []
    try:
        for bit in bits:
            mark = hearing.mark()
            if bit.octets is None:
                await conversation.close()
                mark = hearing.mark()
                try:
                    await conversation.connect(_target(server))
                except SmtpshellError:
                    pass
                new = next(course_of(hearing.since(mark)), None)
                found.append(replace(bit, reply=new.reply if new is not None else ()))
                continue
            if not bit.hidden and conversation.connected:
                await hearing.send(bit.octets)
            turns = turns_of(hearing.since(mark))
            last = turns[-1].received if turns else None
            found.append(replace(bit, reply=lines_of(last.reply) if last is not None else ()))
    finally:
        hearing.leave()
        await conversation.close()
        await server.stop()
    return found
