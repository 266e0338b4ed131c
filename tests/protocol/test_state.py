"""The table of transitions: whole, consistent with the verbs, and silent where it knows nothing."""

from __future__ import annotations

import itertools

import pytest

from smtpshell.protocol.state import (
    BANNER,
    BDAT_LAST,
    END_OF_DATA,
    HANDSHAKE,
    TRANSITIONS,
    State,
    next_state,
)
from smtpshell.protocol.verbs import VERBS

PSEUDO = {BANNER, END_OF_DATA, BDAT_LAST, HANDSHAKE}


def walk(*steps: tuple[str, int], start: State = State.GREETING) -> State:
    """Follow (verb, family) pairs through the table."""
    state = start
    for verb, family in steps:
        state = next_state(state, verb, family)
    return state


def test_the_table_holds_only_known_verbs_and_replies():
    """Every row is about a verb of the verb table, or one of four named moments."""
    for _, verb, family in TRANSITIONS:
        assert verb in VERBS or verb in PSEUDO
        assert family in (2, 3, 4, 5)


def test_what_moves_a_session_is_legal_in_some_state_that_it_moves():
    """A verb that changes the state does so at least where the verb table calls it legal."""
    for verb in {verb for _, verb, _ in TRANSITIONS} - PSEUDO:
        moved = {state.name for state, other, _ in TRANSITIONS if other == verb}
        assert VERBS[verb].states & moved


def test_every_state_but_closed_can_be_reached():
    """From the greeting the table leads everywhere."""
    reached = {State.GREETING}
    for _ in State:
        reached |= {to for (state, _, _), to in TRANSITIONS.items() if state in reached}
    assert reached == set(State) - {State.CLOSED}


def test_every_state_in_use_can_be_left():
    """No state is a trap, except the goodbye."""
    left = {state for (state, _, _), to in TRANSITIONS.items() if to is not state}
    assert left == set(State) - {State.CLOSED, State.QUIT}


def test_unknown_pairs_leave_the_state_unchanged():
    """Whatever is not in the table changes nothing; nor does a reply without a code."""
    verbs = [*VERBS, *PSEUDO, "XFOO", ""]
    for state, verb, family in itertools.product(State, verbs, (None, 0, 1, 2, 3, 4, 5, 6, 9)):
        if (state, verb, family) not in TRANSITIONS:
            assert next_state(state, verb, family) is state


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "RSET", "EHLO", "STARTTLS", "QUIT"])
@pytest.mark.parametrize("family", [4, 5])
def test_a_refused_command_changes_nothing(verb, family):
    """The state follows what the server accepted."""
    for state in (State.START, State.READY, State.MAIL, State.RCPT):
        assert next_state(state, verb, family) is state


def test_a_transaction_runs_through_the_states():
    """The canonical transaction ends where it began, ready for another."""
    begun = (BANNER, 2), ("EHLO", 2), ("MAIL", 2)
    assert walk(*begun) is State.MAIL
    assert walk(*begun, ("RCPT", 2), ("RCPT", 5)) is State.RCPT
    assert walk(*begun, ("RCPT", 2), ("DATA", 3)) is State.DATA
    for family in (2, 4, 5):
        assert walk(*begun, ("RCPT", 2), ("DATA", 3), (END_OF_DATA, family)) is State.READY


def test_chunks_end_with_the_last_one():
    """BDAT keeps the transaction open until LAST, whose refusal ends it too (RFC 3030 2)."""
    begun = (BANNER, 2), ("EHLO", 2), ("MAIL", 2), ("RCPT", 2)
    assert walk(*begun, ("BDAT", 2), ("BDAT", 2)) is State.BDAT
    assert walk(*begun, ("BDAT", 2), (BDAT_LAST, 2)) is State.READY
    assert walk(*begun, (BDAT_LAST, 5)) is State.READY
    assert walk(*begun, ("BDAT", 2), ("RSET", 2)) is State.READY


def test_after_a_handshake_the_client_greets_again():
    """STARTTLS leads through the handshake to a session without a hello (RFC 3207 section 4.2)."""
    assert walk((BANNER, 2), ("EHLO", 2), ("STARTTLS", 2)) is State.TLS
    assert walk((BANNER, 2), ("EHLO", 2), ("STARTTLS", 2), (HANDSHAKE, 2)) is State.START


def test_a_login_ends_ready_whether_it_succeeds_or_not():
    """Challenges keep the login open; any other reply closes it (RFC 4954 section 4)."""
    begun = (BANNER, 2), ("EHLO", 2), ("AUTH", 3)
    assert walk(*begun, ("AUTH", 3)) is State.AUTH
    for family in (2, 4, 5):
        assert walk(*begun, ("AUTH", family)) is State.READY


def test_a_state_shows_its_name():
    """In a failing test a state is readable, and each is told to a person in its own words."""
    assert repr(State.MAIL) == "State.MAIL"
    assert len({state.value for state in State}) == len(State)
