"""Runs the examples in the docstrings of all packages."""

import doctest
import importlib
import pkgutil

import pytest

import api
import auth
import cli
import datasets

MODULES = sorted(
    module.name
    for package in (api, auth, cli, datasets)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if ".migrations" not in module.name and module.name != "cli.__main__"  # importing these runs them
)


@pytest.mark.parametrize("name", MODULES)
def test_the_doctests_of_a_module_pass(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_packages_contain_doctests():
    finder = doctest.DocTestFinder(exclude_empty=True)
    assert (
        sum(bool(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name)))
        > 20
    )
