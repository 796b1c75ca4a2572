"""A month that was released before a dimension was declared is read with its own codebook."""

from dataclasses import replace

import pytest

from datasets.ads import ads
from datasets.pipeline.events.shapes import SHAPES
from tests.api.conftest import ensure_problem
from tests.deployment import Deployment

AGGREGATES = "/v1/datasets/ads/aggregates?measure=impressions"


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """May was released before ads had the dimension `device`, June afterwards."""
    deployment = Deployment(tmp_path_factory.mktemp("versions") / "home")
    kept = tuple(each for each in ads.dimensions if each.name != "device")
    before = replace(ads, version=ads.version + 1, dimensions=kept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.deployment.find_dataset", lambda name: before)
        patch.delitem(SHAPES, "ads")  # it draws a device for each event
        deployment.release("ads", "2026-05", rows=2_000)
    deployment.release("ads", "2026-06", rows=2_000)
    with deployment.client(deployment.token()) as client:
        yield client
    deployment.close()


def test_a_level_that_an_earlier_month_does_not_have_is_refused_for_that_month(reader):
    assert reader.get(f"{AGGREGATES}&period=2026-06&group_by=device").status_code == 200
    body = ensure_problem(reader.get(f"{AGGREGATES}&period=2026-05&group_by=device"), 422, "unknown-level")
    assert body["parameter"] == "group_by"
    assert "device" not in body["allowed"]
    ensure_problem(reader.get(f"{AGGREGATES}&period=2026-05&device=other"), 422, "unknown-parameter")


def test_an_earlier_month_is_answered_by_the_levels_that_it_has(reader):
    assert reader.get(f"{AGGREGATES}&period=2026-05&group_by=surface").status_code == 200
    ensure_problem(reader.get(f"{AGGREGATES}&period=2026-05..2026-06"), 422, "mixed-versions")
