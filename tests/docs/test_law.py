"""The page on the law: what it names exists, and its tables agree with the code."""

from datetime import date

import pytest

from auth.calendar import after_working_days
from auth.vetting.deadlines import STATUTORY_PERIODS, due_date
from auth.vetting.notices import NOTICE_DAYS
from datasets.catalogue import DATASETS
from datasets.codelists import geography, statement
from datasets.pipeline.events.shape import ConditionalWeights
from datasets.pipeline.events.shapes.moderation import MODERATION
from datasets.pipeline.events.shapes.recipients import RECIPIENTS
from datasets.pipeline.events.shapes.recommendations import RECOMMENDATIONS
from tests.docs.pages import missing_names, named_tests, page, table

LAW = page("law.md")
FIGURES = "Figures of a transparency report"


def test_every_file_and_every_test_on_the_page_exists():
    assert missing_names(LAW) == []
    assert len(named_tests(LAW)) > 40


def test_the_table_of_clocks_is_that_of_the_code():
    rows = {row[0]: row[1:] for row in table(LAW, "Clocks of a reasoned request")}
    assert rows.keys() == STATUTORY_PERIODS.keys()
    for kind, (begins, length, _, law) in rows.items():
        period = STATUTORY_PERIODS[kind]
        assert length == f"{period.days} {'working days' if period.working else 'days'}", kind
        assert period.first_day_counts == ("that day included" in begins), kind
        assert period.law.rsplit("Art. ")[-1] == law.rsplit("Art. ")[-1], kind


WORKED = [
    (row[0], state, date.fromisoformat(row[2]), date.fromisoformat(row[3]))
    for row in table(LAW, "Periods and working days", 1)
    for state in row[1].split(", ")
]


@pytest.mark.parametrize(("kind", "state", "begins", "due"), WORKED)
def test_every_worked_date_is_what_the_code_computes(kind, state, begins, due):
    computed = (
        after_working_days(begins, NOTICE_DAYS, state) if kind == "notice" else due_date(kind, begins, state)
    )
    assert computed == due


def test_the_worked_dates_have_every_clock():
    assert {kind for kind, *_ in WORKED} == {*STATUTORY_PERIODS, "notice"}


def test_the_table_of_code_lists_is_that_of_the_code():
    stated = {row[0]: int(row[1]) for row in table(LAW, "Code lists of statements")}
    assert stated == {
        "categories now": len(statement.CATEGORY) - len(("UNKNOWN",)),
        "named keywords now": sum(map(len, statement.KEYWORDS.values())),
        "categories until 30 June 2025": len(statement.CATEGORY_BEFORE_JULY_2025),
        "keywords only until 30 June 2025": len(statement.KEYWORD_BEFORE_JULY_2025),
        "restrictions": len(statement.RESTRICTION) - len(("SEVERAL", "UNKNOWN")),
        "countries": len(geography.COUNTRIES),
    }


def test_every_dataset_suggests_a_modality_and_names_its_risks():
    for dataset in DATASETS:
        assert dataset.modality.name == "token_aggregates"
        assert dataset.risks
        for risk in dataset.risks:
            assert risk.risk_law.startswith("Art. 34(1)("), dataset.name
            assert risk.measure_law.startswith("Art. 35(1)("), dataset.name


def published_figures():
    """The published figures by name, in units; those stated in thousands are rounded."""
    found = {}
    for name, value, _ in table(LAW, FIGURES):
        number = float(value.replace(",", ""))
        plain, thousands = name.removesuffix(" (thousands)"), name.endswith("(thousands)")
        found[plain] = number * 1000 if thousands else number
    return found


def published_recipients():
    """Average monthly recipients by state, and TOTAL."""
    cells = [cell for row in table(LAW, FIGURES, 1) for cell in row if cell]
    return {
        state: int(number.replace(",", "")) for state, number in zip(cells[::2], cells[1::2], strict=True)
    }


def weights(shape, level):
    found = shape.rows[level]
    assert not isinstance(found, ConditionalWeights)
    return found


def conditional_weights(shape, level):
    found = shape.rows[level]
    assert isinstance(found, ConditionalWeights)
    return found


def test_synthetic_moderation_has_the_published_figures():
    figures = published_figures()
    terms = figures["own initiative, terms: all measures"]
    keywords = weights(MODERATION, "keyword")
    for category in (
        "OTHER_VIOLATION_TC", "INTELLECTUAL_PROPERTY_INFRINGEMENTS", "UNSAFE_AND_PROHIBITED_PRODUCTS",
        "CONSUMER_INFORMATION", "RISK_FOR_PUBLIC_SECURITY",
    ):  # fmt: skip
        leaves = [code.code for code in statement.KEYWORD if code.within == category]
        millions = sum(keywords.get(leaf, 0) for leaf in leaves)
        assert millions == pytest.approx(figures[category] / 1e6, abs=0.005), category
    assert keywords["GOODS_SERVICES_NOT_PERMITTED"] == pytest.approx(
        figures["GOODS_SERVICES_NOT_PERMITTED"] / 1e6, abs=0.05
    )
    assert keywords["INSUFFICIENT_INFORMATION_ON_TRADERS"] == round(
        figures["INSUFFICIENT_INFORMATION_ON_TRADERS"] / 1e6, 4
    )
    detected = conditional_weights(MODERATION, "automated_detection").of["VOLUNTARY"]["YES"]
    assert detected == round(
        100 * figures["own initiative, terms: after solely automated detection"] / terms, 1
    )
    outcome = weights(MODERATION, "complaint_outcome")
    assert outcome["none"] == round(100 - 100 * figures["complaints"] / terms, 3)
    assert outcome["reversed"] == round(100 * figures["complaints: decisions reversed"] / terms, 3)


def test_synthetic_decisions_are_automated_about_as_often_as_published():
    figures = published_figures()
    own = figures["own initiative, terms: all measures"] + figures["own initiative, illegal content"]
    decision = conditional_weights(MODERATION, "automated_decision")
    detected = conditional_weights(MODERATION, "automated_detection").of["VOLUNTARY"]["YES"] / 100
    fully = (detected * decision.of["YES"]["FULLY"] + (1 - detected) * decision.otherwise["FULLY"]) / 100
    assert fully == pytest.approx(figures["own initiative: solely automated measures"] / own, abs=0.02)


def test_synthetic_recommendations_show_about_as_many_removed_items_as_published():
    kept = conditional_weights(RECOMMENDATIONS, "item_removed").otherwise["no"]
    published = published_figures()["weighted exposure to illegal products (per cent)"]
    assert 100 - kept == pytest.approx(published, abs=0.005)


def test_synthetic_recipients_have_the_published_figures():
    published = published_recipients()
    states = {state: number for state, number in published.items() if state != "TOTAL"}
    assert {state: round(number / 1e6, 2) for state, number in states.items()} == RECIPIENTS
    assert sum(states.values()) > published["TOTAL"], "a person may have been in two states"
