"""The official parts: they add up exactly, have no negative counts, and state their noise."""

from __future__ import annotations

import csv
import io
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.codelists import statement
from datasets.reports.official.additive import apportion, make_additive, project_on_simplex
from datasets.reports.official.parts import PARTS, fill_part
from datasets.reports.official.template import KEYWORD, OTHER
from datasets.reports.period import ReportPeriod
from datasets.reports.published.reading import is_count, read_part
from datasets.reports.published.structure import rule_violations
from datasets.reports.report import current_releases

JUNE = ReportPeriod.parse("2026-06")
FILLED = ("4_notices", "5_own_initiative_illegal", "6_own_initiative_TC", "7_appeals_and_recidivism", "8_automated_means",
          "10_AMAR")  # fmt: skip


@pytest.fixture(scope="module")
def parts(noisy):
    current = current_releases(noisy)
    return {n: fill_part(part, noisy, JUNE, current, "A platform") for n, part in PARTS.items()}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_is_written_can_be_read_and_keeps_every_rule(parts, name, tmp_path):
    """Our own parts pass the checks for published parts."""
    path = tmp_path / f"{name}.csv"
    path.write_bytes(parts[name].csv())
    read = read_part(path)
    assert rule_violations(read) == []
    assert (read.unreadable, read.unknown_rows, dict(read.quirks)) == ([], [], {})
    assert (read.periods, read.services) == (("2026-06-01/2026-06-30",), ("A platform",))
    assert len(read.rows) == len(PARTS[name].template.rows)


@pytest.mark.parametrize("name", FILLED)
def test_counts_are_whole_and_not_negative_and_said_to_be_noisy(parts, name):
    made = parts[name]
    counts = {cell: n for cell, n in made.filled.printed.items() if is_count(cell[1], cell[0])}
    assert counts
    assert all(isinstance(n, int) and n >= 0 for n in counts.values())
    if made.part.template.context:
        rows = list(csv.reader(io.StringIO(made.csv().decode(), newline="")))
        template = made.part.template
        for key, row in zip([row.key for row in template.rows], rows[1:], strict=True):
            for at, column in enumerate(template.measures):
                place = len(template.leading) + at
                context = row[place + len(template.measures)]
                assert (row[place] == "") == ((key, column) not in made.filled.printed)
                assert ("noise of standard error" in context) == ((key, column) in counts)


def test_what_moderation_does_not_hold_is_blank(parts):
    orders = parts["3_member_states_orders"].filled
    assert (orders.noisy, orders.printed) == ({}, {})
    notices = parts["4_notices"]
    for column in notices.part.template.measures[:4]:
        assert not any(column == at for _, at in notices.filled.printed)


def test_lines_end_as_rfc_4180_has_them(parts):
    body = parts["4_notices"].csv()
    assert body.count(b"\r\n") == len(PARTS["4_notices"].template.rows) + 1
    assert body.replace(b"\r\n", b"").count(b"\n") == 0


def test_a_total_is_near_what_was_released(parts):
    """The total is only rounded, and never negative."""
    made = parts["6_own_initiative_TC"]
    for column in made.part.template.measures:
        noisy = made.filled.noisy[("TOTAL",), column].value
        assert made.filled.printed[("TOTAL",), column] == max(0, round(noisy))


def test_the_error_of_keyword_other_is_that_of_the_sum_it_stands_for(noisy, parts):
    """Computed from equal covariances of siblings; a question to the release gives the same."""
    made, column = parts["6_own_initiative_TC"], "Number of measures taken at the provider's own initiative "
    for category in ("ANIMAL_WELFARE", "SCAMS_AND_FRAUD", "OTHER_VIOLATION_TC"):
        number = made.filled.noisy[(f"STATEMENT_CATEGORY_{category}", OTHER), column]
        leaves = ",".join(
            statement.keyword_without_name(category, kind) for kind in ("OTHER", "SEVERAL", "UNSPECIFIED")
        )
        asked = (
            f"measure=actions&source=VOLUNTARY&ground=INCOMPATIBLE_CONTENT&keyword={leaves}&period=2026-06"
        )
        row = noisy.ask(noisy.question("moderation", parse_qsl(asked))).rows[0]
        assert [number.value, number.se, number.lo, number.hi] == pytest.approx(row[1:5])
        assert number.status == row[5]


def test_decisions_that_were_partially_automated_are_in_neither_row_of_part_8(noisy, parts):
    """Annex II: solely by automated means, or not by automated means."""
    filled = parts["8_automated_means"].filled.noisy
    for indicator, code in (
        ("Number of measures solely taken by automated means ", "FULLY"),
        ("Number of measures not taken by automated means", "NOT_AUTOMATED"),
    ):
        asked = f"measure=actions&automated_decision={code}&period=2026-06"
        (row,) = noisy.ask(noisy.question("moderation", parse_qsl(asked))).rows
        assert filled[(indicator, "Total number"), "Value"].value == pytest.approx(row[1])


def test_every_keyword_has_a_row_under_its_own_category(parts):
    made = PARTS["5_own_initiative_illegal"].template
    for category, keywords in statement.KEYWORDS.items():
        if category in {"NOT_SPECIFIED_NOTICE", statement.UNKNOWN}:
            continue
        within = [row.key[1] for row in made.children((f"STATEMENT_CATEGORY_{category}",))]
        assert within == [*(KEYWORD + keyword for keyword in keywords), OTHER]


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.integers(0, 10**6))
def test_apportioned_parts_are_whole_not_negative_and_add_up(noisy, total):
    parts = apportion(total, np.array(noisy))
    assert sum(parts) == total
    assert all(isinstance(part, int) and part >= 0 for part in parts)


@given(st.lists(NUMBERS, min_size=2, max_size=8), st.integers(1, 1000), st.integers(0, 10**6))
def test_no_other_split_of_the_total_is_nearer_than_the_projection(noisy, total, seed):
    point = np.array(noisy)
    near = project_on_simplex(point, total)
    assert near.sum() == pytest.approx(total)
    other = np.random.default_rng(seed).dirichlet(np.ones(len(noisy))) * total
    assert np.sum((near - point) ** 2) <= np.sum((other - point) ** 2) * (1 + 1e-9) + 1e-6


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=10))
def test_what_needs_no_mending_is_left_as_it_is(counts):
    assert apportion(sum(counts), np.array(counts, dtype=float)) == counts


def test_a_tree_adds_up_at_every_depth():
    tree: dict[tuple[str, ...], list[tuple[str, ...]]] = {
        ("t",): [("a",), ("b",)],
        ("a",): [("a1",), ("a2",)],
        ("b",): [("b1",), ("b2",)],
    }
    noisy: dict[tuple[str, ...], float] = {
        ("t",): 10.4,
        ("a",): -3.0,
        ("b",): 13.4,
        ("a1",): 5.0,
        ("a2",): -8.0,
        ("b1",): 6.7,
        ("b2",): 6.7,
    }
    found = make_additive(tree, ("t",), noisy)
    assert found[("t",)] == 10
    for parent, children in tree.items():
        assert found[parent] == sum(found[child] for child in children)
    assert min(found.values()) == 0
