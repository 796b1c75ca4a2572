"""The real parts of a published transparency report and the official templates are read and reconciled, with all their errors."""

from __future__ import annotations

import csv

import pytest

from datasets.reports.official.parts import PARTS
from datasets.reports.published.reading import NotAPart, read_part
from datasets.reports.published.structure import rule_violations
from tests.deployment import Deployment
from tests.docs.test_law import published_figures, published_recipients

REPORTS = "transparency-reports"
PUBLISHED = f"{REPORTS}/aliexpress-2026H1"
TEMPLATES = f"{REPORTS}/ec-template"


def fields(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_the_columns_of_the_official_template(real_data, name):
    assert PARTS[name].template.header == tuple(fields(real_data / TEMPLATES / f"{name}.csv")[0])


@pytest.mark.parametrize("name", PARTS)
def test_a_part_has_the_rows_of_the_official_template_in_its_order(real_data, name):
    """If the template says "and so on" between two scopes, a part has all scopes between them, in order."""
    template = PARTS[name].template
    free = [template.leading.index(n) for n in template.leading if n in {"Service", "Reporting period"}]
    free += [at for at, n in enumerate(template.leading) if n.startswith("Description")]

    def of(row):
        return tuple(text for at, text in enumerate(row[: len(template.leading)]) if at not in free)

    ours = [of(row.fields) for row in template.rows]
    theirs = [of(row) for row in fields(real_data / TEMPLATES / f"{name}.csv")[1:]]
    named = [row for row in theirs if not any("[" in text for text in row)]
    if len(named) == len(theirs) and name != "8_automated_means":
        assert ours == theirs
    assert set(named) <= set(ours)
    if name == "3_member_states_orders":
        assert ours[: len(named)] == named
        assert len(ours) == 28 * len(named)


def test_all_rows_of_the_real_notices_are_read_and_their_rule_violations_are_found(real_data):
    part = read_part(real_data / PUBLISHED / "4_notices.csv")
    assert (len(part.rows), part.unknown_rows, part.unreadable) == (92, [], [])
    assert (part.periods, part.services) == (("2026-01-01/2026-06-30",), ("Aliexpress",))
    assert set(part.quirks) == {
        "the last line has no newline",
        "2 rows STATEMENT_CATEGORY_CONSUMER_INFORMATION / KEYWORD_OTHER: their counts are summed",
    }
    notices, items = PARTS["4_notices"].template.measures[0], PARTS["4_notices"].template.measures[2]
    assert part.cells[("TOTAL",), notices] == 547_070
    other = ("STATEMENT_CATEGORY_CONSUMER_INFORMATION", "KEYWORD_OTHER")
    assert part.cells[other, notices] == 59_134
    violations = rule_violations(part)
    property_row = "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS, Number of notices received"
    assert f"{property_row}: 432,714 in the row itself but 0 in all rows within it" in violations
    assert f"TOTAL, {items}: 492,538 is not the sum of the rows within it, 495,094" in violations
    assert not any(each.startswith(f"TOTAL, {notices.strip()}") for each in violations), (
        "the notices do add up"
    )


def test_the_real_recipients_are_read_with_their_thousands_separators_and_do_not_add_up(real_data):
    part = read_part(real_data / PUBLISHED / "10_AMAR.csv")
    assert len(part.rows) == 28
    assert part.quirks["thousands separators"] == 28
    assert part.quirks["a column without a name"] == 2
    assert part.unreadable == []
    (violation,) = rule_violations(part)
    assert violation.endswith("157,643,436 is not the sum of the rows within it, 159,837,380")


def test_the_figures_on_the_page_about_law_are_those_of_the_real_parts(real_data):
    notices = read_part(real_data / PUBLISHED / "4_notices.csv")
    total, stated = ("TOTAL",), published_figures()
    property_key = ("STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",)
    number, flaggers, *_ = notices.template.measures
    law, terms = notices.template.measures[6], notices.template.measures[8]
    for name, key, column in (
        ("notices", total, number), ("notices by trusted flaggers", total, flaggers),
        ("notices on intellectual property", property_key, number),
        ("actions on notices, on the basis of the law", total, law),
        ("actions on notices, on the basis of the terms", total, terms),
    ):  # fmt: skip
        assert stated[name] == notices.cells[key, column], name
    recipients = read_part(real_data / PUBLISHED / "10_AMAR.csv")
    assert published_recipients() == {key[1]: value for (key, _), value in recipients.cells.items()}


def test_an_official_template_is_read_as_a_part_without_numbers(real_data):
    for name in PARTS:
        part = read_part(real_data / TEMPLATES / f"{name}.csv")
        assert part.template.name == name
        assert part.cells == {}
        lines = len(fields(real_data / TEMPLATES / f"{name}.csv")) - 1
        assert len(part.rows) + len(part.unknown_rows) == lines, "no row is lost"


@pytest.mark.parametrize("name", ["1_report_identification", "2_categories_names", "11_qualitative"])
def test_a_part_that_cannot_be_compared_with_releases_is_refused(real_data, name):
    with pytest.raises(NotAPart, match="match no part that can be compared with releases"):
        read_part(real_data / TEMPLATES / f"{name}.csv")


def test_the_command_reconciles_the_real_parts_with_a_release(real_data, daylight, tmp_path):
    home = tmp_path / "home"  # not the home of the fixture `daylight`, in which other tests build releases
    made = Deployment(home)
    for dataset in ("moderation", "recommendations"):
        made.release(dataset, "2026-06", rows=20_000)
    made.close()
    folder, out = real_data / PUBLISHED, tmp_path / "cells.csv"
    output = daylight(
        "reports", "reconcile", folder / "4_notices.csv", folder / "10_AMAR.csv", "--out", out, DAYLIGHT_HOME=str(home)
    ).stdout  # fmt: skip
    assert "mended: 2 rows STATEMENT_CATEGORY_CONSUMER_INFORMATION / KEYWORD_OTHER" in output
    assert (
        "The periods differ: the file covers 2026-01-01/2026-06-30, the releases 2026-01-01/2026-06-30."
        in output
    )
    assert "2026-01, 2026-02, 2026-03, 2026-04, 2026-05 is missing" in output
    with out.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    total = next(
        r
        for r in rows
        if r["row"] == "TOTAL" and r["column"].startswith("Number of actions taken on the basis of")
    )
    assert (float(total["reported"]), total["verdict"]) == (184_863, "differs")
    assert sum(r["file"] == "10_AMAR.csv" for r in rows) == 28
    refused = daylight(
        "reports",
        "reconcile",
        folder / "10_AMAR.csv",
        "--period",
        "2031-H1",
        check=False,
        DAYLIGHT_HOME=str(home),
    )
    assert refused.returncode == 2
    assert "no release of recommendations covers 2031-H1; there are releases of 2026-06" in refused.stderr
