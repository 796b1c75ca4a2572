"""Every example in the engine's docstrings is true."""

import doctest
import importlib
import pkgutil

import pytest

import datasets.privacy

MODULES = sorted(module.name for module in pkgutil.iter_modules(datasets.privacy.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name):
    module = importlib.import_module(f"datasets.privacy.{name}")
    assert doctest.testmod(module).failed == 0
