"""Open Bandit logs: recommendations shown, by hashed user features."""

import hashlib
from collections import Counter

import pytest

from datasets.pipeline.importers.sources import UnreadableFile
from tests.datasets.pipeline.importers.conftest import write_csv

COLUMNS = [
    "",
    "timestamp",
    "item_id",
    "position",
    "click",
    "propensity_score",
    *(f"user_feature_{n}" for n in range(4)),
]


def shown(**changes):
    return {
        "timestamp": "2019-11-24 00:01:03.979311+00:00",
        "item_id": "2",
        "position": "2",
        "click": "0",
        "propensity_score": "0.045525",
        **{f"user_feature_{n}": f"f{n}" for n in range(4)},
        **changes,
    }


@pytest.fixture
def log(imported, tmp_path):
    def read(rows):
        path = write_csv(tmp_path / "bts_men.csv", rows, COLUMNS)
        return imported(path, "recommendations", "open-bandit", "2019-11")

    return read


def test_positions_are_banded_and_clicks_are_flags(log):
    made = log([shown(position=str(n), click=str(n % 2)) for n in (1, 2, 3)])
    assert [(row["position_band"], row["clicked"]) for row in made.events] == [
        ("1", True), ("2-3", False), ("2-3", True)
    ]  # fmt: skip
    assert made.source.not_collected_values == ("ordered",)
    assert "position_band" not in made.source.not_collected


def test_the_unit_is_the_combination_of_the_four_user_features(log):
    made = log(
        [
            shown(),
            shown(item_id="9"),
            shown(user_feature_3="other"),
            shown(user_feature_0="f0f1", user_feature_1=""),
        ]
    )
    assert sorted(Counter(row["unit_id"] for row in made.events).values()) == [1, 1, 2]
    assert len({row["event_id"] for row in made.events}) == 4
    assert "four hashed user features" in made.source.unit


def test_times_are_read_in_utc(log):
    (row,) = log(
        [shown(timestamp="2019-11-01 01:30:00+09:00"), shown(timestamp="2019-12-01 08:59:59+09:00")]
    ).events
    assert row["occurred_at"].isoformat() == "2019-11-30T23:59:59"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"position": "4"}, "unknown code: position_band"),
        ({"click": "2"}, "wrong type: clicked is neither true nor false"),
        (
            {f"user_feature_{n}": "" for n in range(4)},
            "null id: user_feature_0 to user_feature_3 are all empty",
        ),
        ({"timestamp": ""}, "wrong type: occurred_at is no time"),
    ],
)
def test_a_row_that_does_not_fit_is_kept_aside(log, changes, reason):
    made = log([shown(), shown(**changes)])
    assert [bad["reason"] for bad in made.quarantine] == [reason]
    assert made.totals["kept"] == 1


def test_another_file_is_refused_with_the_nearest_name(imported, tmp_path):
    path = write_csv(
        tmp_path / "log.csv", [shown()], [c.replace("propensity_score", "propensity_scores") for c in COLUMNS]
    )
    with pytest.raises(UnreadableFile, match="no column 'propensity_score'.*Did you mean propensity_scores"):
        imported(path, "recommendations", "open-bandit", "2019-11")


def numbered(rows):
    """As the source: the column without a name counts the rows of the file."""
    return [{**row, "": str(number)} for number, row in enumerate(rows)]


def of(unit, number, **changes):
    return shown(user_feature_0=unit, timestamp=f"2019-11-24 00:01:{number:02}+00:00", **changes)


@pytest.mark.parametrize("place", [0, 7, 20])
def test_one_more_persons_rows_anywhere_leave_everybody_elses_ids_and_kept_rows(log, place, tmp_path):
    """Otherwise one person would change which rows of all others count, which no noise would cover."""
    others = [of(f"person {n % 4}", n, item_id=str(n)) for n in range(18)] + [
        of("person 0", 0, item_id="0")
    ] * 2
    one_more = [of("one more", 1)] * 3 + [of("one more", 2)]
    before = log(numbered(others)).events
    (tmp_path / "events").rename(tmp_path / "before")
    after = log(numbered([*others[:place], *one_more, *others[place:]])).events
    newcomer = {row["unit_id"] for row in after} - {row["unit_id"] for row in before}
    assert len(newcomer) == 1

    def lots(events):
        return sorted(
            (
                row["unit_id"],
                hashlib.md5(f"salt:{row['unit_id']}:{row['event_id']}".encode()).hexdigest(),
                row["occurred_at"],
            )
            for row in events
            if row["unit_id"] not in newcomer
        )

    assert lots(after) == lots(before)
    assert len({(row["unit_id"], row["event_id"]) for row in after}) == 24


def test_rows_that_say_the_same_are_events_of_their_own_in_any_order_of_files(imported, tmp_path):
    same = [shown(), shown(item_id="9"), shown(), shown()]
    paths = [
        write_csv(tmp_path / f"{n}.csv", numbered(rows), COLUMNS)
        for n, rows in enumerate((same[:2], same[2:]))
    ]
    ids = []
    for order in (paths, paths[::-1]):
        made = imported(order, "recommendations", "open-bandit", "2019-11", replace=True)
        ids.append(sorted(row["event_id"] for row in made.events))
    assert ids[0] == ids[1]
    assert sorted(len(each.partition("-")[2]) for each in ids[0]) == [0, 0, 1, 1]
