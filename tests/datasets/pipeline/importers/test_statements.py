"""Statements of reasons: both schemas, full and light, as the DSA Transparency Database dumps them."""

import json

import pytest

from datasets.codelists import geography
from datasets.pipeline.importers.sources import UnreadableFile
from tests.datasets.pipeline.importers.conftest import BEFORE_JULY_2025, LIGHT, statement, write_csv


@pytest.fixture
def event(imported, tmp_path):
    """A function that imports one statement and returns its event."""

    def import_statement(columns=None, **changes):
        options = {} if columns is None else {"columns": columns}
        (found,) = imported(write_csv(tmp_path / "sor.csv", [statement(**changes)], **options)).events
        return found

    return import_statement


def test_a_statement_becomes_an_event_with_the_codes_of_the_law(event):
    found = event(account_type="ACCOUNT_TYPE_BUSINESS")
    assert found.pop("event_id") == found.pop("unit_id") == "00000000-0000-4000-8000-000000000001"
    assert found.pop("occurred_at").isoformat() == "2025-07-01T00:03:33"
    assert found == {
        "unit_kind": "person",
        "keyword": "SCAMS_AND_FRAUD.UNSPECIFIED",
        "restriction": "VISIBILITY_CONTENT_REMOVED",
        "ground": "INCOMPATIBLE_CONTENT",
        "content_type": "PRODUCT",
        "source": "VOLUNTARY",
        "automated_detection": "YES",
        "automated_decision": "FULLY",
        "account_type": "BUSINESS",
        "member_state": "DE",
        "product_risk_class": "unknown",
        "detection_scheme": "unknown",
        "actor_role": "unknown",
        "trader_verification": "unknown",
        "hours_to_action": "unknown",
        "complaint_outcome": "unknown",
    }


def test_several_restrictions_count_once(event):
    both = {
        "decision_visibility": '["DECISION_VISIBILITY_OTHER"]',
        "decision_account": "DECISION_ACCOUNT_SUSPENDED",
    }
    assert event(**both)["restriction"] == "SEVERAL"


@pytest.mark.parametrize(
    ("column", "code"),
    [
        ("decision_monetary", "DECISION_MONETARY_TERMINATION"),
        ("decision_provision", "DECISION_PROVISION_TOTAL_SUSPENSION"),
        ("decision_account", "DECISION_ACCOUNT_TERMINATED"),
    ],
)
def test_a_restriction_that_is_not_of_visibility_is_read_from_its_own_column(event, column, code):
    assert "DECISION_" + event(**{"decision_visibility": "", column: code})["restriction"] == code


@pytest.mark.parametrize(
    ("keywords", "leaf"),
    [
        ("", "SCAMS_AND_FRAUD.UNSPECIFIED"),
        ("[]", "SCAMS_AND_FRAUD.UNSPECIFIED"),
        ('["KEYWORD_PHISHING"]', "PHISHING"),
        ('["KEYWORD_PHISHING","KEYWORD_PHISHING"]', "PHISHING"),
        ('["KEYWORD_PHISHING","KEYWORD_PYRAMID_SCHEMES"]', "SCAMS_AND_FRAUD.SEVERAL"),
        ('["KEYWORD_OTHER"]', "SCAMS_AND_FRAUD.OTHER"),
        ('["KEYWORD_STALKING"]', "SCAMS_AND_FRAUD.OTHER"),
        ('["KEYWORD_NUDITY"]', "SCAMS_AND_FRAUD.OTHER"),
    ],
)
def test_a_keyword_lies_within_its_category(event, keywords, leaf):
    assert event(category_specification=keywords)["keyword"] == leaf


AREA = list(geography.COUNTRIES)
UNION = [code for code in AREA if code not in geography.OUTSIDE_THE_UNION]


@pytest.mark.parametrize(
    ("scope", "place"),
    [
        ([], "unknown"),
        (["GR"], "GR"),
        (UNION, "EU"),
        (UNION[::-1], "EU"),
        (AREA, "EEA"),
        (AREA[:-1], "several"),
        ([*UNION[:-1], "NO"], "several"),
        (["DE", "FR"], "several"),
    ],
)
def test_a_territory_is_a_country_the_union_the_area_or_several(event, scope, place):
    assert event(territorial_scope=json.dumps(scope))["member_state"] == place


def test_a_light_dump_knows_no_territory_and_the_source_says_so(imported, tmp_path):
    made = imported(write_csv(tmp_path / "sor-x-2025-07-01-light.csv", [statement()], LIGHT))
    assert made.events[0]["member_state"] == "unknown"
    assert "member_state" in made.source.not_collected
    assert made.source.schema_name == "statements of reasons, in force since 2025-07-01, light"
    assert sum("member_state" in remark for remark in made.remarks) == 1


@pytest.mark.parametrize(
    ("category", "keywords", "leaf"),
    [
        ("UNSAFE_AND_ILLEGAL_PRODUCTS", "", "UNSAFE_AND_PROHIBITED_PRODUCTS.UNSPECIFIED"),
        ("SCOPE_OF_PLATFORM_SERVICE", '["KEYWORD_NUDITY"]', "NUDITY"),
        ("NON_CONSENSUAL_BEHAVIOUR", "", "UNKNOWN.UNSPECIFIED"),
        ("UNSAFE_AND_ILLEGAL_PRODUCTS", '["KEYWORD_DANGEROUS_TOYS"]', "UNSAFE_AND_PROHIBITED_PRODUCTS.OTHER"),
        (
            "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
            '["KEYWORD_DISINFORMATION"]',
            "MISINFORMATION_DISINFORMATION",
        ),
    ],
)
def test_the_earlier_schema_is_read_with_its_successors_codes(imported, tmp_path, category, keywords, leaf):
    row = statement(
        category=f"STATEMENT_CATEGORY_{category}",
        category_specification=keywords,
        created_at="2025-06-30 23:59:59",
    )
    made = imported(write_csv(tmp_path / "sor.csv", [row], BEFORE_JULY_2025), month="2025-06")
    assert made.events[0]["keyword"] == leaf
    assert made.source.schema_name == "statements of reasons, in force until 2025-06-30, full"
    assert any("PORNOGRAPHY_OR_SEXUALIZED_CONTENT" in note for note in made.source.notes)


def test_the_two_schemas_are_never_pooled(imported, tmp_path):
    old = write_csv(tmp_path / "old.csv", [statement(1)], BEFORE_JULY_2025)
    new = write_csv(tmp_path / "new.csv", [statement(2)])
    with pytest.raises(UnreadableFile, match="import them separately"):
        imported([old, new])
    assert not (tmp_path / "events" / "moderation" / "2025-07").exists()


def test_the_source_says_that_the_statement_is_the_unit(imported, tmp_path):
    made = imported(write_csv(tmp_path / "sor.csv", [statement()]))
    assert "names no account" in made.source.unit
    assert any("names no account" in remark for remark in made.remarks)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"category": "STATEMENT_CATEGORY_SCAMS"}, "unknown code: keyword"),
        ({"category_specification": '["KEYWORD_NOVELTY"]'}, "unknown code: keyword"),
        (
            {"category_specification": "phishing"},
            "unreadable: category_specification is no JSON list of codes",
        ),
        (
            {"decision_visibility": "[", "uuid": "x"},
            "unreadable: decision_visibility is no JSON list of codes",
        ),
        ({"decision_visibility": ""}, "unknown code: restriction"),
        ({"content_type": '["CONTENT_TYPE_SMELL"]'}, "unknown code: content_type"),
        ({"territorial_scope": '["DE","XX"]'}, "unknown code: member_state"),
        ({"automated_detection": "Perhaps"}, "unknown code: automated_detection"),
        ({"source_type": ""}, "unknown code: source"),
        ({"uuid": ""}, "null id: event_id"),
        ({"created_at": "2025-06-30 23:59:59"}, "late, of an earlier month: occurred_at"),
        ({"created_at": "yesterday"}, "wrong type: occurred_at is no time"),
    ],
)
def test_a_row_that_does_not_fit_is_kept_aside_with_its_reason(imported, tmp_path, changes, reason):
    made = imported(write_csv(tmp_path / "sor.csv", [statement(1), statement(2, **changes), statement(3)]))
    assert [row["event_id"][-1] for row in made.events] == ["1", "3"]
    (bad,) = made.quarantine
    assert (bad["reason"], bad["file"], bad["row"]) == (reason, "sor.csv", 2)
    assert json.loads(bad["record"])["decision_facts"] == 'Found by a "robot", and removed'
    assert made.totals == {"read": 3, "kept": 2, "quarantined": 1, "reasons": {reason: 1}}


@pytest.mark.parametrize(
    ("name", "columns", "words"),
    [
        ("sor-x-2025-07-01-full.csv", LIGHT, "has the wrong name: it is named 'full'"),
        ("sor-x-2025-07-01-light.csv", None, "has the wrong name: it is named 'light'"),
        ("sor.csv", [*LIGHT, "territorial_scope"], "neither a full nor a light dump"),
        ("sor.csv", ["uuid", "categroy"], "no column 'decision_visibility'"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(imported, tmp_path, name, columns, words):
    path = write_csv(tmp_path / name, [statement()], **({"columns": columns} if columns else {}))
    with pytest.raises(UnreadableFile, match=words):
        imported(path)
