"""Rules of the explainer that users add in their configuration folder."""

from __future__ import annotations

import pytest

from smtpshell.conversation.explain_rules import EXAMPLE
from tests.conversation.running import smtpshell

HELD = "554 5.7.1 Held by the gateway, ticket 99"


@pytest.fixture
def home(tmp_path):
    """Return the folder for a user's rules, and the environment that leads there."""
    folder = tmp_path / "smtpshell" / "rules"
    folder.mkdir(parents=True)
    return folder, {"XDG_CONFIG_HOME": str(tmp_path)}


def test_a_users_rule_decides_wherever_a_reply_is_explained(home) -> None:
    """explain, the notes and /why go by the rule, and say where it is written."""
    folder, env = home
    (folder / "mine.toml").write_text(EXAMPLE)
    told = smtpshell("explain", "--json", HELD, env=env).objects[0]
    assert told["meaning"].endswith("holds the message until somebody lets it go.")
    assert f"written in {folder / 'mine.toml'}" in told["facts"]
    run = smtpshell("-c", f"/explain {HELD}", env=env)
    assert "our-gateway-quarantine" in run.out
    without = smtpshell("explain", "--json", HELD, env={"XDG_CONFIG_HOME": "/nonexistent"})
    assert without.objects[0]["meaning"] != told["meaning"]


def test_the_examples_of_rules_are_tried(home) -> None:
    """A rule whose example falls into another class is told with the rule that took it."""
    folder, env = home
    assert smtpshell("explain", "--rules", env=env).out.endswith(EXAMPLE)
    (folder / "mine.toml").write_text(EXAMPLE)
    good = smtpshell("explain", "--rules", env=env)
    assert (good.status, good.lines[0]) == (0, "good     our-gateway-quarantine  (policy)")
    (folder / "mine.toml").unlink()
    (folder / "more.toml").write_text(
        EXAMPLE.replace("MESSAGE: 554 5.7.1 Held by the gateway", "550 5.1.1 No such user")
    )
    wrong = smtpshell("explain", "--rules", "--json", env=env)
    assert wrong.status == 1
    assert "taken for user_unknown by the rule" in wrong.objects[0]["problems"][0]


@pytest.mark.parametrize("text", ["x = [", "[[rule]]\nname = 'a'\n", EXAMPLE * 2])
def test_a_rule_that_cannot_be_used_is_one_line_with_its_file(home, text) -> None:
    """Like other mistakes in the configuration it ends the program, and names the file."""
    folder, env = home
    (folder / "mine.toml").write_text(text)
    run = smtpshell("explain", HELD, env=env)
    assert run.status == 1
    assert run.err.startswith(f"smtpshell: {folder / 'mine.toml'}")
    assert len(run.err.splitlines()) == 1
