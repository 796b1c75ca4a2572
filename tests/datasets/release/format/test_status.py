"""The status of each cell: noise as stated, low reliability, or not collected."""

import pytest

from datasets.pipeline.events.source import EventSource
from datasets.release.releases import Releases
from tests.datasets.release.small_release import verify, write_release

PARTIAL = EventSource(
    format="table",
    schema="crates without their states",
    unit="The gardener.",
    not_collected=("state",),
    not_collected_values=("cents",),
    notes=("States were not written down.",),
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    root = tmp_path_factory.mktemp("partial")
    write_release(root, source=PARTIAL)
    releases = Releases(root, root / "cache", verify, ("harvest",))
    yield lambda **parameters: releases.ask(releases.question("harvest", list(parameters.items())))
    releases.close()


def status(answer, measure="crates"):
    place = [column.name for column in answer.columns].index(f"{measure}_status")
    return [row[place] for row in answer.rows]


def test_a_level_that_was_not_collected_has_values_only_for_unknown(ask):
    answer = ask(measure="crates", group_by="state")
    assert [row[1] for row in answer.rows] == ["DE", "FR", "unknown"]
    assert status(answer) == ["L", "L", "A"]
    assert [row[2:6] for row in answer.rows[:2]] == [(None,) * 4] * 2
    assert None not in answer.rows[2]
    assert status(ask(measure="crates")) == ["A"]
    assert status(ask(measure="crates", state="DE,FR")) == ["L"]
    assert status(ask(measure="crates", state="DE,unknown")) == ["A"]
    assert status(ask(measure="crates", state="DE", group_by="kind")) == ["L"] * 3


def test_a_measure_of_a_value_that_was_not_collected_is_not_collected(ask):
    assert status(ask(measure="takings,sales"), "takings") == ["L"]
    assert status(ask(measure="takings,sales"), "sales") == ["A"]


def test_a_value_with_a_large_relative_error_has_low_reliability(ask):
    answer = ask(measure="crates", group_by="plant", freq="day", period="2026-06-01..2026-06-03")
    for row, code in zip(answer.rows, status(answer), strict=True):
        assert (code == "U") == (row[3] > 0.3 * abs(row[2]))
    assert set(status(answer)) == {"A", "U"}


def test_a_result_names_its_releases_cuboids_and_bounds(ask):
    meta = ask(measure="crates,gardeners", group_by="kind").meta
    assert meta["releases"] == ["2026-06.1"]
    assert meta["query"] == "measure=crates,gardeners&group_by=kind&period=2026-06"
    assert meta["cuboid"] == {"crates": "kind", "gardeners": "kind"}
    assert meta["uncertainty"]["confidence"] == 0.95
    assert meta["bounding"]["crates"]["rows_per_unit"] == 3
    assert 0 < meta["bounding"]["crates"]["kept"]["lo"] < meta["bounding"]["crates"]["kept"]["hi"] <= 1
    assert meta["bounding"]["gardeners"]["kept"] is None
    assert meta["page"] == {"returned": 3, "total": 3, "truncated": False, "next": None}
    assert meta["warnings"] == ["States were not written down."]


def test_a_result_has_the_kept_share_of_each_code_it_groups_or_filters_by(ask):
    by = ask(measure="crates,gardeners", group_by="state", kind="fruit,root").meta["bounding"]["crates"][
        "kept"
    ]["by"]
    assert {level: list(codes) for level, codes in by.items()} == {
        "state": ["DE", "FR", "unknown"],
        "kind": ["fruit", "root"],
    }
    shares = [share for codes in by.values() for share in codes.values()]
    assert all(set(share) == {"share", "lo", "hi"} for share in shares)
    assert any(share["lo"] is not None and share["lo"] < share["share"] < share["hi"] for share in shares)
    assert ask(measure="crates").meta["bounding"]["crates"]["kept"]["by"] == {}
    assert ask(measure="crates", plant="apple").meta["bounding"]["crates"]["kept"]["by"] == {}


def test_rows_without_a_value_are_sorted_last_in_either_direction(ask):
    for sort in ("crates", "-crates"):
        answer = ask(measure="crates", group_by="state", sort=sort)
        assert [row[1] for row in answer.rows] == ["unknown", "DE", "FR"]
