"""The examples in the docstrings of the protocol's modules are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from smtpshell import protocol

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(protocol.__path__, f"{protocol.__name__}.")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_hold(name):
    """Every example gives what it shows."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    """The collection finds the modules and their examples."""
    tried = [doctest.testmod(importlib.import_module(name)).attempted for name in MODULES]
    assert sum(tried) > 20
