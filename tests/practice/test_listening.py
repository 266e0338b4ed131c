"""Where a practice server may listen."""

from __future__ import annotations

import pytest

from smtpshell.practice.listening import check_address
from smtpshell.protocol.errors import UsageError


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "fe80::1%eth0"])
def test_addresses_of_an_own_network_are_taken(address: str) -> None:
    """Loopback, private and link-local ones."""
    check_address(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "0.0.0.0", "::", "2606:4700::1111"])
def test_a_public_address_has_to_be_asked_for_twice(address: str) -> None:
    """It is refused with the flag's name, and taken with the flag."""
    with pytest.raises(UsageError, match="anybody may reach") as refused:
        check_address(address)
    assert "--i-know" in str(refused.value)
    check_address(address, public=True)
