"""What the explainer tells to run: commands of this shell, with arguments that they can take."""

from __future__ import annotations

import pytest

from smtpshell.conversation.local import LOCAL
from smtpshell.conversation.lookups import LOOKUPS
from smtpshell.conversation.targets import parse_target
from smtpshell.knowledge.advice import advice
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import AFTER, explain
from smtpshell.knowledge.failures import explain_failure, failures
from smtpshell.knowledge.places import Places, fill
from smtpshell.knowledge.rulebook import own_rulebook
from smtpshell.protocol.commands import Command
from smtpshell.protocol.replies import Reply

FULL = Context(
    host="2001:db8::25",
    port=587,
    verb="RCPT",
    line="RCPT TO:<zoe@example.com>",
    helo="client.example.net",
    user="ann",
    sender="ann@example.org",
    recipients=("zoe@example.com",),
    client_address="192.0.2.7",
    auth_mechanisms=("PLAIN",),
)
CONTEXTS = (Context(), FULL)


def every_template() -> list[str]:
    """Return every command of the tables and of the rules, before its places are filled."""
    found = [row.confirm for rows in advice().values() for row in rows]
    found += [command for row in failures().values() for _, _, command in row.causes]
    for rule in own_rulebook().rules:
        found += [*rule.next, *(confirm for _, confirm in rule.causes)]
    for commands in AFTER.values():
        found += commands
    return sorted(set(found))


LEAST = {"mx": 1, "spf": 1, "dmarc": 1, "dkim": 2, "ptr": 1, "dnsbl": 1, "tlsa": 1, "explain": 1}
"""How many arguments a command needs at least, where it is told to run one."""

UNFILLED = {"the address has no domain"}
"""What a command line lacks while a place of it is still to be filled by the user."""


def check(command: str) -> None:
    """Hold one filled command to the tables of the shell."""
    assert "{" not in command, command
    if not command.startswith("/"):
        parsed = Command.parse(command)
        assert command == "." or (parsed.known and set(parsed.problems) <= UNFILLED), command
        return
    name, *arguments = command[1:].split()
    assert name in LOCAL or name in LOOKUPS, command
    words = [word for word in arguments if not word.startswith("--")]
    assert len(words) >= LEAST.get(name, 0), command
    if name == "connect" and words:
        parse_target(words[0])


@pytest.mark.parametrize("template", every_template())
def test_every_command_advised_is_one_of_this_shell(template):
    """Filled with what is known, and with nothing known, it names a command and its arguments."""
    for context in CONTEXTS:
        check(fill(template, Places(context)))


@pytest.mark.parametrize("kind", sorted(failures()))
def test_failures_name_hosts_that_can_be_connected_to(kind):
    """The commands after a failed connection to an IPv6 address have it in brackets."""
    for command in explain_failure(kind, FULL).next:
        check(command)
        assert not command.startswith("/connect 2001"), command


@pytest.mark.parametrize("rule", own_rulebook().rules, ids=lambda rule: rule.name)
def test_no_cause_is_named_twice(rule):
    """The causes of an explanation differ in their texts, whatever the session shows."""
    reply = Reply.parse(rule.examples[0].partition(": ")[2] or rule.examples[0])
    for context in CONTEXTS:
        texts = [cause.text for cause in explain(reply, context).causes]
        assert len(texts) == len(set(texts))
