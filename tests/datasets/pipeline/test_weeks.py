"""A dataset that declares weeks is built: its cells, codebook, manifest and kept shares have them."""

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from datasets.pipeline.engine.bounding import event_measures
from datasets.pipeline.planning.budget import plan_budget
from tests.datasets.pipeline.small_deployment import (
    JUNE,
    SmallDeployment,
    crates,
    no_noise,
    read_cells,
    read_manifest,
)
from tests.datasets.pipeline.weekly_dataset import weekly_dataset

WEEKLY = weekly_dataset()
ROWS = crates(60, 60)
"""One row for each person, so that no bound drops any."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    deployment = SmallDeployment(tmp_path_factory.mktemp("weekly") / "home", dataset=WEEKLY)
    return deployment.put(ROWS).build(noise=no_noise)


def counts(folder, *levels):
    """The crates in each cell of a cuboid."""
    rows = [row for row in read_cells(folder).to_pylist() if row["cuboid"] == ",".join(levels)]
    return {tuple(str(row[level]) for level in levels): round(row["crates"]) for row in rows}


def test_each_part_of_a_week_has_the_rows_of_its_days(folder):
    weeks = Counter("{:04d}-W{:02d}".format(*when.isocalendar()[:2]) for when in ROWS["occurred_at"])
    assert counts(folder, "week") == {(f"2026-W{n}",): weeks[f"2026-W{n}"] for n in range(23, 28)}
    assert sum(weeks.values()) == 60


def test_weeks_are_published_wherever_days_are(folder):
    manifest = read_manifest(folder)
    for measure in manifest["measures"]:
        with_day = {name for name in measure["cuboids"] if name.endswith("day")}
        assert with_day
        assert {name.replace("day", "week") for name in with_day} <= set(measure["cuboids"])


def test_the_days_of_a_week_add_up_to_it_in_every_cuboid(folder):
    days = counts(folder, "state", "day")
    within = {row["day"].isoformat(): row["week"] for row in read_cells(folder).to_pylist() if row["day"]}
    found: Counter[tuple[str, str]] = Counter()
    for (state, day), number in days.items():
        found[state, within[day]] += number
    assert found == counts(folder, "state", "week")


def test_a_week_is_text_and_a_day_is_a_date(folder):
    schema = read_cells(folder).schema
    assert schema.field("day").type == pa.date32()
    assert schema.field("week").type == pa.string()


def test_the_codebook_says_the_days_of_each_week(folder):
    calendar = json.loads((folder / "codebook.json").read_text())["dimensions"][-1]
    week, day = calendar["levels"]
    assert (calendar["name"], week["name"], day["name"]) == ("day", "week", "day")
    labels = {entry["code"]: entry["label"] for entry in week["codes"]}
    assert labels["2026-W23"] == "2026-06-01 to 2026-06-07"
    assert labels["2026-W27"] == "2026-06-29 to 2026-06-30"
    assert {entry["within"] for entry in day["codes"]} == set(labels)


def test_the_standard_errors_of_the_file_are_those_that_the_plan_promised(folder):
    plan = plan_budget(WEEKLY, JUNE).measures["crates"]
    found = [row["crates_se"] for row in read_cells(folder).to_pylist() if row["cuboid"] == "week"]
    assert np.square(found).mean() == pytest.approx(plan.mean_variance((0, 0, 1)))


def test_kept_shares_are_by_day_as_without_weeks(folder):
    kept = {measure["name"]: measure["kept"] for measure in read_manifest(folder)["measures"]}
    for measure in event_measures(WEEKLY):
        assert set(kept[measure.name]["by"]["day"]) == {day.isoformat() for day in JUNE.days}
