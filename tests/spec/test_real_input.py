"""Real statements of reasons and a real recommendation log are imported, built and served, and answers are compared with the files.

The files are read here without the importers. What bounding keeps is computed from the declaration: at most m rows of a unit
count.
"""

import csv
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from datasets.catalogue import find_dataset
from datasets.definition import EventMeasure
from datasets.period import Month
from datasets.pipeline.events.source import read_source
from datasets.pipeline.importers.formats import find_format
from datasets.pipeline.importers.importing import import_events
from tests.deployment import ALL, Deployment

STATEMENTS = "statements-of-reasons/sor-global-2025-07-01-full-00000-00000.csv"
LOG = "open-bandit/bts_men.csv"


@dataclass
class Served:
    """A deployment with a release of each file; as a function, it asks a question and returns the rows."""

    client: TestClient
    deployment: Deployment

    def __call__(self, dataset: str, **parameters: str) -> list[dict[str, Any]]:
        answer = self.client.get(f"/v1/datasets/{dataset}/aggregates", params=parameters)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows


@pytest.fixture(scope="module")
def served(real_data, tmp_path_factory):
    """Questions to a deployment with a release of each file."""
    made = Deployment(tmp_path_factory.mktemp("real"))
    for name, form, month, file in (
        ("moderation", "statements-of-reasons", "2025-07", STATEMENTS),
        ("recommendations", "open-bandit", "2019-11", LOG),
    ):
        dataset = find_dataset(name)
        import_events(
            dataset, Month.parse(month), find_format(form, dataset), [real_data / file], made.home / "real"
        )
        made.release(name, month, made.home / "real")
    with made.client(made.token(made.project(ALL, "extended"))) as client:
        yield Served(client, made)
    made.close()


def read(path):
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def ensure_agree(rows, level, measure, expected):
    """Every cell lies within four standard errors of the count in the file, which is 0 for cells that the file does not have."""
    assert expected, "nothing to compare"
    assert set(expected) <= {row[level] for row in rows}
    for row in rows:
        distance = abs(row[measure] - expected.get(row[level], 0)) / row[f"{measure}_se"]
        assert distance < 4, f"{level}={row[level]}: {distance:.1f} standard errors away"


@pytest.fixture(scope="module")
def statements(real_data):
    return read(real_data / STATEMENTS)


CODES = {
    "category": lambda row: row["category"].removeprefix("STATEMENT_CATEGORY_"),
    "ground": lambda row: row["decision_ground"].removeprefix("DECISION_GROUND_"),
    "source": lambda row: row["source_type"].removeprefix("SOURCE_"),
    "automated_detection": lambda row: row["automated_detection"].upper(),
    "automated_decision": lambda row: row["automated_decision"].removeprefix("AUTOMATED_DECISION_"),
    "account_type": lambda row: row["account_type"].removeprefix("ACCOUNT_TYPE_") or "UNKNOWN",
}


@pytest.mark.parametrize("measure", ["actions", "accounts"])
@pytest.mark.parametrize("level", CODES)
def test_statements_agree_with_the_file(served, statements, level, measure):
    expected = Counter(map(CODES[level], statements))  # each statement is a unit of its own: nothing is cut
    rows = served("moderation", measure=measure, group_by=level, period="2025-07")
    ensure_agree(rows, level, measure, expected)


def test_territories_agree_with_the_file(served, statements):
    def place(row):
        countries = json.loads(row["territorial_scope"] or "[]")
        if len(countries) == 1:
            return countries[0]
        whole = {27: "EU", 30: "EEA"}.get(len(set(countries)))
        return ("unknown" if not countries else "several") if whole is None else whole

    rows = served("moderation", measure="accounts", group_by="member_state", period="2025-07")
    ensure_agree(rows, "member_state", "accounts", Counter(map(place, statements)))


def test_content_types_agree_with_the_file(served, statements):
    def kind(row):
        kinds = re.findall(r"CONTENT_TYPE_(\w+)", row["content_type"])
        return kinds[0] if len(kinds) == 1 else "SEVERAL"

    rows = served("moderation", measure="accounts", group_by="content_type", period="2025-07")
    ensure_agree(rows, "content_type", "accounts", Counter(map(kind, statements)))


def test_days_agree_with_the_file(served, statements):
    expected = Counter(row["created_at"][:10] for row in statements)
    rows = served("moderation", measure="accounts", freq="day", period="2025-07")
    ensure_agree(rows, "period", "accounts", expected)


def test_what_the_statements_do_not_say_is_not_collected(served):
    for row in served("moderation", measure="accounts", group_by="actor_role", period="2025-07"):
        assert (
            (row["accounts_status"] == "L") == (row["actor_role"] != "unknown") == (row["accounts"] is None)
        )
    manifest = served.client.get("/v1/releases/moderation/2025-07.1").json()
    assert "names no account" in manifest["source"]["unit"]
    assert "actor_role" in manifest["source"]["not_collected"]


@pytest.fixture(scope="module")
def log(real_data):
    return [row for row in read(real_data / LOG) if row["timestamp"].startswith("2019-11")]


def by_user(rows):
    users = defaultdict(list)
    for row in rows:
        users[tuple(row[f"user_feature_{n}"] for n in range(4))].append(row)
    return users


def declared_bound(name):
    measure = find_dataset("recommendations").measure(name)
    assert isinstance(measure, EventMeasure)
    return measure.rows_per_unit


def test_the_total_of_impressions_agrees_with_the_log_bounded_as_declared(served, log):
    bound = declared_bound("impressions")
    expected = sum(min(len(rows), bound) for rows in by_user(log).values())
    (row,) = served("recommendations", measure="impressions", period="2019-11")
    assert abs(row["impressions"] - expected) < 4 * row["impressions_se"]
    assert len(log) > 2 * expected  # the bound does cut rows here, so the comparison tests it


def test_clicks_agree_with_the_log_bounded_as_declared(served, log):
    bound = declared_bound("clicks")
    clicked = by_user([row for row in log if row["click"] == "1"])
    expected = sum(min(len(rows), bound) for rows in clicked.values())
    (row,) = served("recommendations", measure="clicks", period="2019-11")
    assert expected > 50
    assert abs(row["clicks"] - expected) < 4 * row["clicks_se"]


def test_recipients_by_position_agree_with_the_log(served, log):
    """Each recipient has weight 1, divided among all rows that were recommended to them."""
    band = {"1": "1", "2": "2-3", "3": "2-3"}
    expected: dict[str, float] = defaultdict(float)
    for rows in by_user(log).values():
        for row in rows:
            expected[band[row["position"]]] += 1 / len(rows)
    rows = served("recommendations", measure="recipients", group_by="position_band", period="2019-11")
    ensure_agree(rows, "position_band", "recipients", expected)
    (total,) = served("recommendations", measure="recipients", period="2019-11")
    assert abs(total["recipients"] - len(by_user(log))) < 4 * total["recipients_se"]


def test_orders_are_not_collected(served):
    (row,) = served("recommendations", measure="orders", period="2019-11")
    assert (row["orders"], row["orders_status"]) == (None, "L")


def test_the_source_of_an_import_names_its_unit(served):
    folder = served.deployment.home / "real" / "recommendations" / "2019-11"
    assert "hashed user features" in read_source(folder, find_dataset("recommendations")).unit
