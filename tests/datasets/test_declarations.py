"""Declarations: what is published is what is stated here a second time, with the law's code lists; wrong ones raise an error."""

import runpy
from dataclasses import replace
from fractions import Fraction
from typing import cast

import pytest

from datasets import catalogue
from datasets.catalogue import (
    DATASETS,
    UnknownCodeList,
    UnknownDataset,
    code_lists,
    ensure_regular_month,
    find_code_list,
    find_dataset,
)
from datasets.codelists import geography, marketplace, statement
from datasets.definition import (
    Code,
    CodeList,
    DefinitionError,
    Dimension,
    EventMeasure,
    Level,
    SumMeasure,
    UnitMeasure,
    up_to,
)
from datasets.privacy.ledger import REGULAR_MONTH, Caps
from tests.datasets.pipeline.small_dataset import KIND, PLANT, STATE, small_dataset

SMALL = small_dataset()


def with_measure(**changes):
    return replace(SMALL, measures=(replace(SMALL.measures[0], **changes), *SMALL.measures[1:]))


def with_dimension(dimension):
    return replace(SMALL, dimensions=(dimension, *SMALL.dimensions[1:]))


WRONG = [
    (lambda: replace(SMALL, name="Harvest"), "'Harvest' is not a name"),
    (lambda: replace(SMALL, version=0), "version 0"),
    (lambda: replace(SMALL, measures=()), "has no measure"),
    (lambda: replace(SMALL, rho_per_month=cast("Fraction", 0.1)), "write Fraction\\(1, 10\\), not 0.1"),
    (lambda: replace(SMALL, rho_per_month=Fraction(0)), "positive exact fractions"),
    (lambda: with_measure(share=Fraction(1, 3)), "add up to 13/12; they must add up to 1"),
    (lambda: with_measure(rows_per_unit=0), "rows_per_unit must be at least 1"),
    (lambda: with_measure(where="eaten"), "'eaten', which is not a flag"),
    (lambda: with_measure(where="cents"), "'cents', which is not a flag"),
    (lambda: with_measure(publish=up_to(9)), "publishes up to 9 dimensions of 3"),
    (lambda: with_measure(publish=up_to(1).with_cuboid("colour")), "'colour', which is not a level"),
    (lambda: with_measure(name="state"), "state stands more than once"),
    (lambda: with_measure(name="measure"), "a word of the query grammar"),
    (lambda: replace(SMALL, dimensions=SMALL.dimensions[:2]), "exactly one calendar dimension"),
    (lambda: with_dimension(Dimension("period", "When", KIND)), "'period' is a word of the query grammar"),
    (lambda: with_dimension(Dimension("state", "Where else", KIND)), "state stands more than once"),
    (lambda: Dimension("kind", "What", KIND, finer=(Level("state", STATE),)), "is not within the list of 'kind'"),
    (lambda: CodeList("c", "C", "", (Code("a", "A"), Code("unknown", "?"))), "names no source"),
    (lambda: CodeList("c", "C", "law", (Code("unknown", "?"),)), "needs at least two"),
    (lambda: CodeList("c", "C", "law", (Code("a", "A"), Code("a", "B"), Code("unknown", "?"))), "a stands more than once"),
    (lambda: CodeList("c", "C", "law", (Code("a", "A"), Code("b", "B"))), "code for the unknown"),
    (lambda: CodeList("c", "C", "law", (Code("a b", "A"), Code("unknown", "?"))), "'a b' is not a code"),
    (lambda: CodeList("c", "C", "law", (Code("a", ""), Code("unknown", "?"))), "the code a has no label"),
    (
        lambda: CodeList("c", "C", "law", (Code("a", "A", "nut"), Code("unknown", "?", "unknown")), within=KIND),
        "parent 'nut' of a is not a code",
    ),
    (
        lambda: CodeList("c", "C", "law", tuple(PLANT.codes[n] for n in (0, 3, 1, 5)), within=KIND),
        "apart|neighbours|order",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "sentence"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_declaration_raises_an_error_that_says_what_is_wrong(make, sentence):
    with pytest.raises(DefinitionError, match=sentence) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"value": "sold"}, "not an integer value"),
        ({"lower": 100}, "must lie below"),
        ({"upper": 101}, "must be even"),
        ({"counted_by": "gardeners"}, "not an event measure"),
        ({"publish": up_to(3)}, "published deeper than 'sales'"),
    ],
)
def test_a_wrong_sum_says_what_is_wrong(changes, sentence):
    measures = tuple(replace(m, **changes) if isinstance(m, SumMeasure) else m for m in SMALL.measures)
    with pytest.raises(DefinitionError, match=sentence):
        replace(SMALL, measures=measures)


DIMENSIONS = {
    "moderation": "category restriction ground content_type source automated_detection automated_decision account_type "
    "member_state product_risk_class detection_scheme actor_role trader_verification hours_to_action complaint_outcome day",
    "ads": "ad_format surface product_category product_risk_class advertiser_type seller_region commercial_communication "
    "targeting_basis targeting_mode profiling removal member_state age_band device day",
    "recommendations": "system surface option candidate_source main_parameter_group model_version ab_cell position_band "
    "product_category product_risk_class item_removed seller_region member_state age_band device day",
}
MEASURES = {
    "moderation": "actions accounts",
    "ads": "impressions clicks spend recipients",
    "recommendations": "impressions clicks orders recipients",
}


@pytest.mark.parametrize("name", DIMENSIONS)
def test_a_dataset_has_the_declared_dimensions_and_measures(name):
    dataset = find_dataset(name)
    assert [dimension.name for dimension in dataset.dimensions] == DIMENSIONS[name].split()
    assert [measure.name for measure in dataset.measures] == MEASURES[name].split()
    assert any(isinstance(measure, UnitMeasure) for measure in dataset.measures)
    assert any(isinstance(measure, EventMeasure) for measure in dataset.measures)
    assert dataset.law
    assert dataset.gaps


def test_a_month_of_all_datasets_stays_within_the_caps():
    spent = sum(dataset.rho_of_release for dataset in DATASETS)
    assert spent <= REGULAR_MONTH
    assert 12 * spent <= Caps().year


def test_the_catalogue_refuses_declarations_whose_month_costs_more_than_the_regular_one():
    """Import fails: the check is a statement of the module, so nothing can be built, planned or served."""
    limit = Fraction(22, 100)
    regular = replace(SMALL, rho_per_month=limit - SMALL.diagnostics.rho)
    ensure_regular_month((regular,), limit)
    over = replace(regular, rho_per_month=regular.rho_per_month + Fraction(1, 10_000))
    sentence = r"a month of all datasets costs a person 0\.2201 rho \(harvest 0\.2201\), and 0\.22 are allowed: give a"
    with pytest.raises(DefinitionError, match=sentence):
        ensure_regular_month((over,), limit)
    with pytest.raises(DefinitionError):
        ensure_regular_month((regular, regular), limit)


def test_importing_the_catalogue_checks_the_regular_month(monkeypatch):
    monkeypatch.setattr("datasets.privacy.ledger.REGULAR_MONTH", REGULAR_MONTH - Fraction(1, 10_000))
    with pytest.raises(DefinitionError, match=r"and 0\.2499 are allowed"):
        runpy.run_path(catalogue.__file__)


def test_statements_have_the_codes_of_the_law():
    """docs/law.md#code-lists-of-statements: 16 categories, 67 named keywords, 30 countries with Greece as GR, and the rest."""
    assert len(statement.CATEGORY) == 16 + 1
    assert sum(len(words) for words in statement.KEYWORDS.values()) == 67
    assert len(geography.COUNTRIES) == 30
    assert "GR" in geography.COUNTRIES
    assert "EL" not in geography.COUNTRIES
    assert len(statement.RESTRICTION) == 7 + 3 + 4 + 2 + len(("SEVERAL", "UNKNOWN"))
    assert len(statement.CATEGORY_BEFORE_JULY_2025) == 14
    assert len(statement.KEYWORD_BEFORE_JULY_2025) == 10
    now = {code for words in statement.KEYWORDS.values() for code in words}
    assert {code for code in statement.KEYWORD_BEFORE_JULY_2025.values() if code} <= now
    assert not set(statement.KEYWORD_BEFORE_JULY_2025) & now


def test_every_list_has_a_source_and_a_code_for_the_unknown():
    lists = code_lists()
    assert len(lists) > 25
    for codes in lists.values():
        assert codes.source
        assert codes.unknown in codes.index


def test_nested_codes_are_next_to_their_siblings():
    """A coarser code is a run of finer ones: the arithmetic of nested levels depends on it."""
    keyword = statement.KEYWORD
    assert keyword.within is not None
    parents = [keyword.within.index[str(code.within)] for code in keyword]
    assert parents == sorted(parents)
    assert set(parents) == set(range(len(keyword.within)))


def test_datasets_share_one_code_list_object():
    for name in (
        "member_state",
        "device",
        "age_band",
        "product_risk_class",
        "product_category",
        "seller_region",
    ):
        lists = {id(level.codes) for dataset in DATASETS for level in dataset.levels if level.name == name}
        assert len(lists) == 1
    assert find_code_list("device") is marketplace.DEVICE


def test_an_unknown_dataset_or_list_names_the_nearest():
    with pytest.raises(UnknownDataset, match="Did you mean moderation"):
        find_dataset("moderations")
    with pytest.raises(UnknownCodeList, match="Did you mean category"):
        find_code_list("categroy")
