"""The pages of docs/privacy: their examples run, their figures are those of the code, and what they name exists."""

import doctest
import re
from fractions import Fraction
from math import prod, sqrt

import numpy as np
import pytest

from datasets.catalogue import DATASETS
from datasets.definition import EventMeasure
from datasets.period import Month
from datasets.pipeline.planning.budget import plan_budget
from datasets.privacy.ledger import REGULAR_MONTH, UNIT_CLASSES, Caps, ClassCaps
from datasets.privacy.plan import Plan, cell_count, plan
from datasets.privacy.zcdp import epsilon_rounded_up, power_of_best_test
from tests.datasets.privacy.schemas import Axes, flat, of_dimensions
from tests.datasets.privacy.test_discrete_gaussian import probabilities
from tests.datasets.privacy.test_plan_errors import MODERATION, rmse, rmse_of_cuboids
from tests.docs.pages import ROOT, page, table

FOLDER = ROOT / "docs" / "privacy"
PAGES = sorted(FOLDER.glob("*.md"))
HALF = Fraction(1, 2)


def rows_of(name: str, heading: str) -> list[list[str]]:
    """The rows of the first table under a heading of a page of docs/privacy."""
    return table(page(f"privacy/{name}"), heading)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_examples_of_a_page_run(path):
    blocks = "\n".join(re.findall(r"^```pycon\n(.*?)^```", path.read_text(), re.M | re.S))
    runner = doctest.DocTestRunner()
    said: list[str] = []
    runner.run(doctest.DocTestParser().get_doctest(blocks, {}, path.name, str(path), 0), out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_the_pages_have_examples():
    assert sum("```pycon" in path.read_text() for path in PAGES) >= 8


NAMED = re.compile(r"`((?:datasets|tests|cli|bench|api|auth)/[\w/]+\.py)`(?:\s\(((?:`\w+`,?\s?)+)\))?")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_code_and_the_tests_that_a_page_names_exist(path):
    for file, names in NAMED.findall(path.read_text()):
        code = (ROOT / file).read_text()
        for name in re.findall(r"\w+", names):
            assert re.search(rf"^(?:async )?(?:def|class) {name}\b|^{name} = ", code, re.M), f"{file}: {name}"


def test_the_pages_name_code_and_tests():
    named = [found for path in PAGES for found in NAMED.findall(path.read_text())]
    assert len({file for file, _ in named if file.startswith("tests/")}) >= 20
    assert len({file for file, _ in named if file.startswith("datasets/")}) >= 30
    assert sum(len(re.findall(r"\w+", names)) for _, names in named) >= 120


@pytest.mark.parametrize(("name", "heading"), [("guarantee.md", "What rho means"), ("README.md", "How much")])
def test_the_meaning_of_rho_is_that_of_the_code(name, heading):
    rows = rows_of(name, heading)
    assert len(rows) >= 4
    for rho, *figures in rows:
        value = Fraction(rho)
        at_a_millionth, at_a_billionth = (
            f"{epsilon_rounded_up(value, delta):{'.2f' if value < 1 else '.1f'}}" for delta in (1e-6, 1e-9)
        )
        power = f"{100 * power_of_best_test(value):.1f} %"
        mu = f"{sqrt(2 * value):.2f}"
        expected = [at_a_millionth, at_a_billionth, mu, power]
        assert figures == (expected if name == "guarantee.md" else [at_a_billionth, power]), rho


def test_the_cost_of_a_month_is_that_of_the_declarations():
    *rows, whole = rows_of("guarantee.md", "What a month and a year cost")
    found = {name: [Fraction(cost) for cost in costs] for name, *costs in rows}
    assert found == {d.name: [d.rho_per_month, d.diagnostics.rho, d.rho_of_release] for d in DATASETS}
    assert [Fraction(cost) for cost in whole[1:]] == [sum(c) for c in zip(*found.values(), strict=True)]
    assert sum(dataset.rho_of_release for dataset in DATASETS) == REGULAR_MONTH


def test_the_caps_of_the_page_are_the_defaults():
    rows = rows_of("ledger.md", "Caps")
    assert {name: ClassCaps(Fraction(month), Fraction(year)) for name, month, year in rows} == {
        name: Caps().of(name) for name in UNIT_CLASSES
    }


def sizes(text: str) -> list[int]:
    words = {"ten of size 10": [10] * 10, "twenty of size 10": [10] * 20}
    return words.get(text) or [int(size) for size in text.split(", ")]


def unweighted(axes: Axes, depths: list[int]) -> Plan:
    workload = of_dimensions(len(axes), *depths)
    return plan(axes, workload, rho=HALF, weights=dict.fromkeys(workload, 1.0))


@pytest.mark.parametrize("row", rows_of("numbers.md", "Errors that others publish"), ids=" | ".join)
def test_the_published_errors_are_reproduced(row):
    schema, depths, printed = row
    first, *last = [int(depth) for depth in depths.split(" to ")]
    made = unweighted(flat(*sizes(schema)), list(range(first, (last or [first])[0] + 1)))
    assert f"{rmse(made):.3f}" == printed


def test_the_errors_by_weight_are_those_of_the_plans():
    powers = {"1": 0.0, "1/sqrt(cells), the default": 0.5, "1/cells": 1.0}
    workload = of_dimensions(8, 0, 1, 2, 3)
    rows = {name: figures for name, *figures in rows_of("numbers.md", "The choice of weights")}
    for name, power in powers.items():
        weights = {cuboid: cell_count(MODERATION, cuboid) ** -power for cuboid in workload}
        made = plan(MODERATION, workload, rho=HALF, weights=weights)
        assert rows.pop(name) == [f"{rmse(made):.2f}", f"{rmse_of_cuboids(made):.2f}"]
    cells = np.array([cell_count(MODERATION, cuboid) for cuboid in workload])
    added_up = (
        prod(axis.size(1) for axis in MODERATION) / cells
    )  # the variance of a cell that so many cells add up to
    finest = [f"{sqrt((added_up * cells).sum() / cells.sum()):.2f}", f"{sqrt(added_up.mean()):.0f}"]
    assert rows == {
        "independent noise, rho/93 for each table": [f"{sqrt(len(workload)):.2f}"] * 2,
        "noise on the finest table, added up": finest,
    }


def test_equal_budgets_are_worse_by_what_the_page_says():
    (_, equal), (_, planned) = rows_of("numbers.md", "Equal budgets for each table")
    made = unweighted(flat(16, 8, 4, 8, 28, 30), [0, 1, 2])
    assert equal == f"{sqrt(len(made.workload)):.2f}"
    assert planned == f"{rmse(made):.2f}"


def declared_plans() -> list[list[str]]:
    found = []
    for dataset in DATASETS:
        budget = plan_budget(dataset, Month(2026, 6))
        wide = {f"wide {name}": made for name, made in budget.diagnostics.items()}
        found += [
            [dataset.name, name, *figures_of(made)] for name, made in {**budget.measures, **wide}.items()
        ]
    return found


def figures_of(made: Plan) -> list[str]:
    cells = sum(cell_count(made.axes, cuboid) for cuboid in made.workload)
    total = sqrt(made.mean_variance((0,) * len(made.axes)))
    return [
        str(made.rho), f"{made.sensitivity:,}", f"{made.grain:,}", f"{len(made.workload)}", f"{cells:,}",
        f"{total:,.1f}", f"{rmse(made):,.1f}", f"{least_scale(made):,.0f}",
    ]  # fmt: skip


def least_scale(made: Plan) -> float:
    def fewest_siblings(residual: tuple[int, ...]) -> int:
        levels = zip(made.axes, residual, strict=True)
        return int(np.prod([axis.siblings(level).min() for axis, level in levels]))

    return min(made.deviation(b) * fewest_siblings(b) for b in made.rho_of)


def test_the_declared_plans_are_those_of_the_page():
    assert rows_of("numbers.md", "The declared plans") == declared_plans()


def test_no_declared_noise_is_narrower_than_the_page_on_noise_says():
    (least,) = re.findall(
        r"smallest scale in a release of the declared datasets is\s+above (\d+)",
        (FOLDER / "noise.md").read_text(),
    )
    assert all(float(row[-1].replace(",", "")) > int(least) for row in declared_plans())


@pytest.mark.parametrize("row", rows_of("noise.md", "How close to the continuous Gaussian"), ids=" | ".join)
def test_the_variance_of_the_discrete_gaussian_is_as_printed(row):
    scale, printed = row
    z, probability = probabilities(float(scale), 60)
    ratio = float((probability * z**2).sum()) / float(scale) ** 2
    assert f"{ratio:.{len(printed.split('.')[1])}f}" == printed
    assert ratio <= 1 + 1e-12


def test_the_kinds_of_measure_have_the_sensitivity_of_the_page():
    rows = {kind: (delta, grain) for kind, _, delta, grain in rows_of("bounding.md", "Sensitivities")}
    assert rows["units"] == ("10,000", "1/10,000")
    for dataset in DATASETS:
        budget = plan_budget(dataset, Month(2026, 6))
        assert f"at most {dataset.diagnostics.rows_per_unit:,} rows" in list(rows)[-1]
        for measure in dataset.measures:
            if isinstance(measure, EventMeasure):
                assert budget.measures[measure.name].sensitivity == measure.rows_per_unit


def test_the_example_of_one_table_is_that_of_the_plan():
    """Columns s_B and part of rho of the table by hand."""
    made = plan(flat(2, 3), [(1, 1)], rho=HALF, weights={(1, 1): 1.0})
    for row, residual in zip(
        rows_of("planning.md", "Worked example: one table"), [(0, 0), (1, 0), (0, 1), (1, 1)], strict=True
    ):
        assert made.variances[residual] == pytest.approx(float(row[4]))
        assert float(made.rho_of[residual] / made.rho) == pytest.approx(float(Fraction(row[5])))
        assert Fraction(row[6].split("= ")[1]) == Fraction(row[5])


def test_the_example_of_a_table_and_its_margins_is_that_of_the_plan():
    made = unweighted(flat(2, 3), [0, 1, 2])
    for row, residual in zip(
        rows_of("planning.md", "Worked example: a table and its margins"),
        [(0, 0), (1, 0), (0, 1), (1, 1)],
        strict=True,
    ):
        part = float(made.rho_of[residual] / made.rho)
        assert row[1:] == [
            f"{made.variances[residual]:.4f}", f"{part:.4f}", f"{made.mean_variance(residual):.4f}", str(len(made.workload)),
        ]  # fmt: skip
