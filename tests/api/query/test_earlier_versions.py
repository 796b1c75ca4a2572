"""A month that was released under another version of its dataset's declaration is read with its own codebook."""

import json
from dataclasses import replace
from datetime import datetime

import pytest

from datasets.ads import ads
from datasets.pipeline.events.shapes import SHAPES
from tests.api.conftest import ensure_problem
from tests.deployment import Deployment

AGGREGATES = "/v1/datasets/ads/aggregates?measure=impressions"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """May was released before ads had the dimension `device`, June with it, July after it was removed."""
    made = Deployment(tmp_path_factory.mktemp("versions") / "home")
    kept = tuple(each for each in ads.dimensions if each.name != "device")
    for month, version, dimensions in (
        ("2026-05", 1, kept), ("2026-06", 2, ads.dimensions), ("2026-07", 3, kept)
    ):  # fmt: skip
        declared = replace(ads, version=ads.version + version, dimensions=dimensions)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.deployment.find_dataset", lambda name, declared=declared: declared)
            if dimensions == kept:
                patch.delitem(SHAPES, "ads")  # it draws a device for each event
            made.release("ads", month, rows=2_000)
    yield made
    made.close()


@pytest.fixture(scope="module")
def reader(deployment):
    with deployment.client(deployment.token()) as client:
        yield client


def as_of(deployment, month):
    """The part of a question that asks the releases that were current when this month was released."""
    manifest = deployment.releases / "ads" / f"{month}.1" / "manifest.json"
    released = datetime.fromisoformat(json.loads(manifest.read_text())["published_at"])
    return f"&as_of={released:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(scope="module", params=["now", "as of an instant"])
def when(request, deployment):
    """The part of a question that says which releases it means: the current ones, or the same ones as of an instant."""
    return "" if request.param == "now" else as_of(deployment, "2026-07")


def test_a_level_that_was_declared_before_the_instant_is_refused_for_a_month_without_it(reader, deployment):
    then = as_of(deployment, "2026-06")
    body = ensure_problem(
        reader.get(f"{AGGREGATES}{then}&period=2026-05&group_by=device"), 422, "unknown-level"
    )
    assert "device" not in body["allowed"]
    assert reader.get(f"{AGGREGATES}{then}&group_by=device").status_code == 200


def test_a_level_that_a_month_does_not_have_is_refused_for_that_month(reader, when):
    for month in ("2026-05", "2026-07"):
        body = ensure_problem(
            reader.get(f"{AGGREGATES}{when}&period={month}&group_by=device"), 422, "unknown-level"
        )
        assert body["parameter"] == "group_by"
        assert "device" not in body["allowed"]
        ensure_problem(
            reader.get(f"{AGGREGATES}{when}&period={month}&device=other"), 422, "unknown-parameter"
        )


@pytest.mark.parametrize(
    "asked", ["&period=2026-06", "&period=2026-06-03", "&compare=period:2026-06-01,2026-06-02"]
)
def test_a_level_that_a_later_version_removed_is_answered_for_the_months_that_have_it(reader, when, asked):
    answer = reader.get(f"{AGGREGATES}{when}{asked}&group_by=device")
    assert answer.status_code == 200, answer.text
    assert "device" in answer.text
    assert reader.get(f"{AGGREGATES}{when}{asked}&device=other").status_code == 200
    ensure_problem(
        reader.get(f"{AGGREGATES}{when}&group_by=device"), 422, "unknown-level"
    )  # of the latest month


def test_a_month_is_answered_by_the_levels_that_it_has(reader, when):
    for month in ("2026-05", "2026-06", "2026-07"):
        assert reader.get(f"{AGGREGATES}{when}&period={month}&group_by=surface").status_code == 200


@pytest.mark.parametrize(
    "asked", ["&period=2026-05..2026-06", "&period=2026-06..2026-07", "&compare=period:2026-07,2026-06"]
)
def test_months_of_different_versions_are_refused_in_one_question(reader, when, asked):
    ensure_problem(reader.get(f"{AGGREGATES}{when}{asked}"), 422, "mixed-versions")


def test_a_plan_says_the_same_as_an_answer(reader, when):
    question = f"{AGGREGATES}{when}&group_by=device".replace("aggregates", "plan")
    assert [reader.get(f"{question}&period={month}").status_code for month in ("2026-05", "2026-06", "2026-07")] == [
        422, 200, 422
    ]  # fmt: skip
