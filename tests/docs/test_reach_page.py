"""The figures of docs/privacy/reach.md are those of the code."""

import re

import pytest

from datasets.privacy.reach.family import Family
from tests.datasets.privacy.reach.schemas import ADS, MODERATION
from tests.datasets.privacy.reach.test_printed_errors import errors_of
from tests.docs.pages import ROOT, section, table

PAGE = (ROOT / "docs" / "privacy" / "reach.md").read_text("utf-8")


def test_the_prices_are_those_of_the_families():
    rows = table(PAGE, "The price")
    assert len(rows) >= 8
    for cells, cap, price, uncentred in rows:
        assert price == f"{float(Family('x', int(cells), int(cap), ((),)).price):.4f}"
        assert uncentred == cap


@pytest.mark.parametrize(("number", "schema"), [(0, ADS), (1, MODERATION)], ids=["ads", "moderation"])
def test_the_standard_errors_are_those_of_the_plans(number, schema):
    found, sizes = errors_of(schema), {f.name: [str(f.cells), str(f.cap)] for f in schema.families}
    rows = table(PAGE, "Standard errors", number)
    assert len(rows) == 8
    for name, cells, cap, *errors in rows:
        assert [cells, cap] == sizes.get(name, ["", ""])
        told = [error for error in errors if error]
        assert told == [f"{error:.0f}" for error in found[name][: len(told)]]


def test_the_reach_of_the_first_example_is_the_number_of_its_persons():
    *persons, (_, *reach) = table(PAGE, "In short")
    assert [str(sum(row[at] == "yes" for row in persons)) for at in (1, 2, 3)] == reach
    assert f"adds up to {sum(map(int, reach))}, but only {len(persons)} persons" in section(PAGE, "In short")


def test_the_part_that_a_weight_keeps_is_as_told():
    told = re.findall(r"In k = 2c cells a person weighs (\S+) in each, in 4c cells (\S+)\.", PAGE)
    weights = Family("x", 100, 20, ((),)).weights
    assert told == [(f"{weights[40] / 1000:.2f}", f"{weights[80] / 1000:.2f}")]
