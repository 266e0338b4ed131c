"""`smtpshell explain --rules`: a user's own rules of the explainer, tried by their examples.

Each rule stands with replies that it should decide. A rule that ours outweigh, or whose pattern
does not fit its own example, would do nothing, and nobody would notice.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from smtpshell.conversation.report import counted
from smtpshell.conversation.settings import RULES, config_folder
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.knowledge.likeness import split_example
from smtpshell.knowledge.rulebook import Rule, own_rulebook, rules_in_use
from smtpshell.protocol.replies import Reply
from smtpshell.protocol.text import visible

if TYPE_CHECKING:
    from smtpshell.conversation.settings import Settings

PROBLEM = 1

EXAMPLE = """\
[[rule]]
name = "our-gateway-quarantine"
class = "policy"
match = ["held by the gateway"]
examples = ["MESSAGE: 554 5.7.1 Held by the gateway, ticket 4711"]
meaning = "our own gateway holds the message until somebody lets it go"
causes = ["Ask the help desk to release it, and give the ticket. => /transcript"]
"""


def users_rules() -> tuple[Rule, ...]:
    """Return the rules in use that are not our own, in the order of their files."""
    return rules_in_use().rules[len(own_rulebook().rules) :]


def problems_of(rule: Rule) -> list[str]:
    """Return what is wrong with a rule's examples: those that it does not decide."""
    problems = []
    for example in rule.examples:
        verb, reply = split_example(example)
        found = explain(Reply.parse(reply), Context(verb=verb or None))
        if found.rule != rule.name and found.class_ != rule.class_:
            by = f" by the rule {found.rule!r}" if found.rule else ""
            problems.append(f"{example!r} is taken for {found.class_}{by}")
    return problems


def check_rules(settings: Settings) -> int:
    """Try the examples of all rules of the user; return 1 if one of them falls elsewhere."""
    from smtpshell.transcript.jsonl import as_json

    rules = users_rules()
    bad = 0
    for rule in rules:
        problems = problems_of(rule)
        bad += bool(problems)
        if settings.json:
            told = {"rule": rule.name, "class": rule.class_, "file": rule.source}
            sys.stdout.write(as_json({**told, "ok": not problems, "problems": problems}) + "\n")
            continue
        print(visible(f"{'PROBLEM' if problems else 'good':<8} {rule.name}  ({rule.class_})"))
        for problem in problems:
            print(visible(f"         {problem}"))
    if not settings.json and not settings.quiet:
        folder = config_folder() / RULES
        print(f"# {counted(len(rules), 'rule')} of your own in {visible(str(folder))}.")
        if not rules:
            print("# A file NAME.toml there may hold, for example:\n")
            print(EXAMPLE, end="")
    return PROBLEM if bad else 0
