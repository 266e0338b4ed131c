"""Scenarios from TOML: what they become, and errors that name the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpshell.practice.content import content_folder
from smtpshell.practice.expression import FACTS
from smtpshell.practice.library import list_scenarios, load_scenario
from smtpshell.practice.scenario import (
    ALTERATIONS,
    BARE_LF,
    CERTIFICATES,
    FATES,
    PLACES,
    PORT_KINDS,
    WIRE_FAULTS,
    Auth,
    Host,
    Key,
    Limits,
    Rule,
    Tls,
    User,
)
from smtpshell.practice.scenario_file import ScenarioError, parse_scenario
from smtpshell.protocol.errors import FileError
from tests.practice.talking import HEAD, scenario


def test_everything_a_rule_can_say() -> None:
    """Each key of a rule is read into the value that it means."""
    (rule,) = scenario(
        """
        [[rule]]
        on = ["RCPT", "EOD"]
        host = "mail.*"
        match = "*@x.example"
        parameter = "NOTIFY=*"
        when = "not auth"
        nth = 2
        times = 3
        after = 1
        per = "connection"
        memory = "client,from,to"
        until = "5m"
        rate = "3 per 1m"
        size = 100
        chance = 0.5
        reply = ["250-one", "250 two"]
        delay = "8s"
        drip = "10ms"
        close = true
        faults = ["bare-lf"]
        then = "hold"
        why = "because"
        """
    ).rules
    assert rule.number == 1
    assert rule.on == ("RCPT", "EOD")
    assert rule.memory == ("client", "sender", "recipient")
    assert rule.rate == (3, 60.0)
    assert (rule.until, rule.delay, rule.drip) == (300.0, 8.0, 0.01)
    assert (rule.close, rule.fate, rule.reply) == ("after", "hold", ("250-one", "250 two"))
    assert rule.when is not None
    assert rule.when.source == "not auth"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("name = ", "x.toml:1", "not valid TOML"),
        ('name = "x"', "x.toml:1", "has no host"),
        ('[host."a.example"]', "x.toml:1", "has no name"),
        ('name = "x"\ncolour = "red"\n[host."a.example"]', "x.toml:2", "unknown key 'colour'"),
        (
            'name = "x"\n\n[host."a.example"]\nprot = 1',
            "x.toml:4",
            "unknown key 'host.a.example.prot'",
        ),
        ('name = 3\n[host."a.example"]', "x.toml:1", "expected text"),
        ('name = "x"\nseed = -1\n[host."a.example"]', "x.toml:2", "whole number"),
        ('name = "x"\nclock = "soon"\n[host."a.example"]', "x.toml:2", "clock"),
        ('name = "x"\n[host."a.example"]\nports = { http = "plain" }', "x.toml:3", "no port"),
        ('name = "x"\n[host."a.example"]\nports = { 25 = "wet" }', "x.toml:3", "none of plain"),
        ('name = "x"\n[host."a.example"]\n[[user]]\nname = "a"', "x.toml:3", "a password"),
        ('name = "x"\n[host."a.example"]\n[tls]\ncertificate = "gold"', "x.toml:4", "none of good"),
        ('name = "x"\n[host."a.example"]\n[limits]\nidle = 5', "x.toml:4", "expected text"),
        ('name = "x"\n[host."a.example"]\n[rule]\non = "RCPT"', "x.toml:3", r"\[\[rule\]\]"),
        ("name = 'x'\n[host.'a.example']\n[[key]]\nname = 'k'", "x.toml:3", "a selector"),
    ],
)
def test_errors_name_file_and_line(text: str, where: str, what: str) -> None:
    """What is wrong is told with the line that it stands in."""
    with pytest.raises(ScenarioError, match=what) as error:
        parse_scenario(text, "x.toml")
    assert error.value.where == where


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('on = "RCTP"', "none of CONNECT"),
        ('on = "RCPT"\nnht = 2', "unknown key 'rule.nht'"),
        ('on = "RCPT"\nwhen = "not autk"', "no fact"),
        ('on = "RCPT"\nmemory = "client,color"', "none of auth"),
        ('on = "RCPT"\nrate = "often"', "3 per 1m"),
        ('on = "RCPT"\nchance = 2', "from 0 to 1"),
        ('on = "RCPT"\nclose = "maybe"', "none of no"),
        ('on = "RCPT"\nfaults = "noise"', "none of bare-lf"),
        ('on = "RCPT"\nper = "day"', "none of world"),
        ("nth = 1", "needs a place"),
    ],
)
def test_errors_in_the_second_rule_name_its_line(line: str, what: str) -> None:
    """Of several rules the right one is named."""
    before = '\n[[rule]]\non = "MAIL"\nreply = "250 Ok"\n\n[[rule]]\n'
    with pytest.raises(ScenarioError, match=what) as error:
        scenario(before + line)
    number = int(error.value.where.rpartition(":")[2])
    assert (HEAD + before + line).splitlines()[number - 1] in (line.splitlines()[-1], "[[rule]]")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but a ScenarioError comes of any text."""
    with pytest.raises(ScenarioError):
        parse_scenario(text)


def test_deep_nesting_is_refused() -> None:
    """A file made to overflow the parser ends in an error like any other."""
    with pytest.raises(ScenarioError, match="not valid TOML"):
        parse_scenario("a = " + "[" * 100_000)


def test_names_and_paths(tmp_path) -> None:
    """A scenario is found by its name or by a path; what is not there says what is."""
    assert load_scenario("plain").name == "plain"
    assert "plain" in list_scenarios()
    path = tmp_path / "mine.toml"
    path.write_text(HEAD, encoding="utf-8")
    assert load_scenario(path).name == "test"
    with pytest.raises(ScenarioError, match="There are bdat"):
        load_scenario("nothing")
    with pytest.raises(FileError, match="no such file"):
        load_scenario(str(tmp_path / "absent.toml"))
    path.write_bytes(b"\xff")
    with pytest.raises(ScenarioError, match="UTF-8"):
        load_scenario(path)


def test_the_file_name_cannot_lead_elsewhere() -> None:
    """A name is a name, whatever dots it holds."""
    for name in ("..", ".", "", "plain\0"):
        with pytest.raises(ScenarioError):
            load_scenario(name)


def test_users_are_found_by_name_and_address() -> None:
    """A login may name the user or an address of the user; patterns are no names."""
    world = load_scenario("plain")
    alice = world.user("alice")
    assert alice is not None
    assert world.user("alice@practice.example") is alice
    assert world.user("zoe") is None
    assert world.with_limits(Limits(message=64)).limits.message == 64


def test_the_guide_for_authors_is_complete_and_true() -> None:
    """Its example is read without an error, and it names every place, fact, kind and fault."""
    guide = (content_folder() / "scenarios" / "README.md").read_text(encoding="utf-8")
    example = guide.split("```toml\n")[1].split("```")[0]
    rule = guide.split("```toml\n")[2].split("```")[0]
    world = parse_scenario(example + rule, "mine.toml")
    assert world.rules[0].why
    tables = (PLACES, FACTS, PORT_KINDS, CERTIFICATES, FATES, WIRE_FAULTS, BARE_LF, ALTERATIONS)
    missing = [word for table in tables for word in table if word not in guide]
    keys = [
        name for kind in (Rule, Host, Limits, Auth, Tls, User, Key) for name in kind.__match_args__
    ]
    renamed = {
        "number": "", "line": "", "fate": "then", "accepts": "relay_for", "address": "ip",
        "forwards": "forward", "name": "name",
    }  # fmt: skip
    missing += [key for key in keys if renamed.get(key, key) not in guide]
    assert missing == []
