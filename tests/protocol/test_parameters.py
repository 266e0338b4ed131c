"""Parameters: every row is whole and well-formed."""

from __future__ import annotations

import re

import pytest

from smtpshell.protocol import grammar
from smtpshell.protocol.extensions import KEYWORDS
from smtpshell.protocol.parameters import PARAMETERS, parameters_of
from smtpshell.protocol.verbs import VERBS

MAIL = """SIZE BODY SMTPUTF8 RET ENVID AUTH BY HOLDFOR HOLDUNTIL MT-PRIORITY REQUIRETLS SOLICIT
TRANSID MTRK CONPERM SUBMITTER ALT-ADDRESS"""
RCPT = "NOTIFY ORCPT RRVS CONNEG ALT-ADDRESS"


def test_the_registered_parameters_are_all_there():
    """MAIL and RCPT have what IANA's list of service extensions gives them."""
    assert sorted(row.keyword for row in parameters_of("mail")) == sorted(MAIL.split())
    assert sorted(row.keyword for row in parameters_of("RCPT")) == sorted(RCPT.split())


@pytest.mark.parametrize("row", PARAMETERS.values(), ids=lambda row: f"{row.verb} {row.keyword}")
def test_each_row_is_whole(row):
    """A parameter has a verb, an announced keyword, a syntax and a section, and values that fit."""
    assert row.verb in VERBS
    assert row.extension in KEYWORDS
    assert row.syntax.partition("=")[0] == row.keyword
    assert ("=" in row.syntax) == (row.takes_value == "yes")
    assert row.summary
    assert re.fullmatch(r"RFC \d+( [\d.]+)?|Postfix X\w+", row.section)
    for value in row.values:
        assert grammar.matches(grammar.ESMTP_PARAMETER, f"{row.keyword}={value}")


def test_only_parameters_of_a_transaction_lengthen_its_lines():
    """Every registered MAIL and RCPT parameter says how much room it gives."""
    assert all(row.octets > 0 for row in PARAMETERS.values() if row.verb in ("MAIL", "RCPT"))


def test_a_verb_without_parameters_has_none():
    """DATA takes nothing."""
    assert parameters_of("DATA") == ()
