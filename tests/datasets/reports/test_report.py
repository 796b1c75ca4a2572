"""Reports: every number is the answer to a question that anyone may ask; missing numbers are reported, not estimated."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from datasets.catalogue import find_dataset
from datasets.period import MalformedPeriod, Month
from datasets.reports.commitment import Fact, Indicator
from datasets.reports.commitments import COMMITMENTS
from datasets.reports.coverage import coverage_of, latest_run
from datasets.reports.number import ABSENT
from datasets.reports.period import ReportPeriod
from datasets.reports.report import ReportNotCovered, build_report
from datasets.reports.table import COLUMNS, report_as_csv

JUNE = ReportPeriod.parse("2026-06")
INDICATORS = [i for commitment in COMMITMENTS for i in commitment.indicators if isinstance(i, Indicator)]


@pytest.fixture(scope="module")
def june(noisy):
    return build_report(noisy, JUNE)


def test_there_are_ten_commitments_each_with_indicators_and_gaps():
    assert [c.number for c in COMMITMENTS] == list(range(1, 11))
    assert all(c.indicators and c.gaps and c.law for c in COMMITMENTS)
    names = [i.name for c in COMMITMENTS for i in c.indicators]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda i: i.name)
def test_an_indicator_is_the_answer_to_its_question(noisy, june, indicator):
    """Asked by itself, the question that the report prints gives the number that the report prints."""
    finding = june.findings[indicator.name]
    question = noisy.question(indicator.dataset, parse_qsl(finding.question))
    answer = noisy.ask(question)
    row = dict(zip([column.name for column in answer.columns], answer.rows[0], strict=True))
    assert finding.number.value == row[indicator.figure]
    assert finding.number.se == row[f"{indicator.figure}_se"]
    assert (finding.number.lo, finding.number.hi) == (
        row[f"{indicator.figure}_lo"],
        row[f"{indicator.figure}_hi"],
    )
    assert finding.number.status == row[f"{indicator.figure}_status"]


def test_parts_of_a_count_add_up_to_it(june):
    for indicator in INDICATORS:
        if indicator.by and indicator.unit == "count":
            finding = june.findings[indicator.name]
            total = sum(part.number.value for part in finding.by)
            assert total == pytest.approx(finding.number.value), indicator.name


def test_a_change_is_the_difference_that_compare_gives(noisy, june):
    change = june.findings["affiliate_actions"].change
    assert change.against == "2026-05"
    asked = "measure=actions&actor_role=affiliate,influencer&compare=period:2026-06,2026-05"
    row = noisy.ask(noisy.question("moderation", parse_qsl(asked))).rows[0]
    assert [change.number.value, change.number.se, change.number.lo, change.number.hi] == pytest.approx(
        row[1:5]
    )


def test_a_trend_has_each_month_up_to_the_period_and_none_beyond(noisy, june):
    assert [part.of for part in june.findings["automated_share"].trend] == ["2026-05", "2026-06"]
    may = build_report(noisy, ReportPeriod.parse("2026-05"))
    assert [part.of for part in may.findings["automated_share"].trend] == ["2026-05"]
    assert june.findings["automated_share"].trend[-1].number == june.findings["automated_share"].number


def test_a_period_that_is_released_in_part_says_so_and_is_not_compared(noisy):
    report = build_report(noisy, ReportPeriod.parse("2026-Q2"))
    coverage = next(c for c in report.coverages if c.dataset == "moderation")
    assert coverage.sentence() == "The numbers cover 2026-05..2026-06; 2026-04 is missing."
    change = report.findings["automated_share"].change
    assert change is not None
    assert change.number.status == ABSENT
    assert "2026-04 is missing" in change.sentence


def test_what_no_release_answers_has_no_number_and_a_status_that_says_it(noisy):
    may = build_report(noisy, ReportPeriod.parse("2026-05"))
    found = may.findings["ad_impressions"]
    assert (found.number.value, found.number.status) == (None, ABSENT)
    assert found.trend == ()
    assert may.findings["datasets_released"].number.value == 1


def test_a_month_beyond_a_gap_is_named_and_not_added_up(noisy):
    may, june = noisy.current("moderation")
    april = replace(may, manifest=may.manifest.model_copy(update={"month": "2026-04"}))
    quarter = ReportPeriod.parse("2026-Q2")
    gap = coverage_of("moderation", quarter, [april, june])
    assert (gap.months, gap.apart) == ((Month(2026, 6),), (april,))
    assert gap.sentence() == (
        "The numbers cover 2026-06; 2026-04, 2026-05 is missing. 2026-04 is released, but not consecutive with these months, "
        "and is left out."
    )
    assert coverage_of("moderation", quarter, [april, may, june]).is_complete
    assert latest_run([april, june], Month(2026, 6), 12) == (june,)


def test_months_of_two_versions_of_a_declaration_are_not_added_up(noisy):
    may, june = noisy.current("moderation")
    later = replace(june, manifest=june.manifest.model_copy(update={"dataset_version": 2}))
    assert coverage_of("moderation", ReportPeriod.parse("2026-Q2"), [may, later]).used == (later,)


def test_facts_are_exact(june):
    for commitment in COMMITMENTS:
        for declared in commitment.indicators:
            if isinstance(declared, Fact):
                assert june.findings[declared.name].number.se == 0
    assert june.findings["months_released"].number.value == 3
    assert june.findings["days_to_publication"].number.value == 15


def test_the_table_has_every_number_of_the_report(june):
    rows = list(csv.DictReader(io.StringIO(report_as_csv(june).decode(), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert {row["indicator"] for row in rows if row["kind"] == "period"} == set(june.findings)
    for indicator in INDICATORS:
        codes = [row for row in rows if row["indicator"] == indicator.name and row["kind"] == "code"]
        assert len(codes) == len(june.findings[indicator.name].by)


def test_every_indicator_names_a_law_and_asks_what_its_dataset_publishes():
    for indicator in INDICATORS:
        assert re.search(r"DSA Art\. \d", indicator.law), indicator.name
        dataset = find_dataset(indicator.dataset)
        asked = dict(parse_qsl(indicator.question, strict_parsing=True))
        published = {each.name for each in (*dataset.measures, *dataset.derived)}
        levels = {level.name for dimension in dataset.dimensions for level in dimension.levels}
        assert asked["measure"] in published, indicator.name
        assert {name for name in asked if name.islower()} - {
            "measure",
            "compare",
            "group_by",
            "share",
        } <= levels, indicator.name


@pytest.mark.parametrize(
    "text", ["2026", "2026-13", "2026-Q5", "2026-H3", "2026-06-01", "26-06", "2026-q2", "٢٠٢٦-06", ""]
)
def test_a_period_that_is_none_is_refused(text):
    with pytest.raises(MalformedPeriod, match="is not a period of a report; write a month"):
        ReportPeriod.parse(text)


@pytest.mark.parametrize(
    ("text", "before", "dates"),
    [
        ("2026-01", "2025-12", "2026-01-01/2026-01-31"),
        ("2026-Q1", "2025-Q4", "2026-01-01/2026-03-31"),
        ("2026-H1", "2025-H2", "2026-01-01/2026-06-30"),
        ("2026-H2", "2026-H1", "2026-07-01/2026-12-31"),
        ("1970-H1", "None", "1970-01-01/1970-06-30"),
    ],
)
def test_a_period_knows_its_days_and_the_one_before(text, before, dates):
    period = ReportPeriod.parse(text)
    assert (str(period), str(period.previous), period.dates) == (text, before, dates)


def test_a_period_without_any_release_is_refused_with_those_there_are(noisy):
    with pytest.raises(ReportNotCovered, match="2026-H1, 2026-Q2, 2026-05, 2026-06"):
        build_report(noisy, ReportPeriod.parse("2031-Q1"))
