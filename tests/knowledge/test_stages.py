"""What a server can have heard, and which class goes with which first digit."""

from __future__ import annotations

from itertools import pairwise

import pytest

from smtpshell.knowledge.classes import CLASSES
from smtpshell.knowledge.context import Context
from smtpshell.knowledge.explain import explain
from smtpshell.knowledge.stages import TOO_EARLY, out_of_family, too_early
from smtpshell.protocol.replies import Reply


def test_all_classes_named_are_classes():
    """The tables name no class that is not one."""
    for classes in (*TOO_EARLY.values(), out_of_family(4), out_of_family(5)):
        assert classes <= set(CLASSES)


def test_later_commands_leave_more_open():
    """What may be a reason at a command may be one at every later command."""
    order = ("CONNECT", "EHLO", "MAIL", "RCPT", "MESSAGE")
    for earlier, later in pairwise(order):
        assert too_early(later) <= too_early(earlier)


@pytest.mark.parametrize(
    ("verb", "class_"), [("CONNECT", "ip_blocked"), ("MAIL", "sender_rejected")]
)
def test_the_command_tells_whose_address_is_meant(verb, class_):
    """The same bare words are about the client in the greeting and the sender behind MAIL."""
    found = explain(Reply.parse("550 address rejected"), Context(verb=verb))
    assert found.class_ == class_


def test_a_plain_word_outweighs_the_command():
    """A log may name the wrong command: what is said outright still counts."""
    found = explain(Reply.parse("550 5.7.1 This message contains a virus"), Context(verb="RCPT"))
    assert found.class_ == "virus"
