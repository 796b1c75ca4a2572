"""Questions by week, of releases whose calendar has weeks; answers are compared with the released files and dense matrices."""

from datetime import date, timedelta

import pytest

from datasets.period import Month
from datasets.refusal import Refusal
from datasets.release.releases import Releases
from tests.datasets.pipeline.small_dataset import JUNE
from tests.datasets.pipeline.weekly_dataset import weekly_dataset
from tests.datasets.release.naive import Naive
from tests.datasets.release.small_release import verify, write_release

WEEKLY, JULY = weekly_dataset(), Month(2026, 7)


@pytest.fixture(scope="module")
def weekly(tmp_path_factory):
    root = tmp_path_factory.mktemp("weekly")
    folders = [
        write_release(root, WEEKLY, month, seed=seed)
        for month, seed in ((Month(2026, 5), 4), (JUNE, 5), (JULY, 6))
    ]
    releases = Releases(root, tmp_path_factory.mktemp("cache"), verify, ("harvest",))
    yield releases, [Naive(folder) for folder in folders]
    releases.close()


@pytest.fixture
def ask_weekly(weekly):
    def answer(**parameters):
        return weekly[0].ask(weekly[0].question("harvest", list(parameters.items())))

    return answer


def rows(result):
    """The rows by all that is not a number: value and standard error."""
    names = [column.name for column in result.columns]
    value = names.index("crates")
    return {row[:value]: row[value : value + 2] for row in result.rows}


def weeks_of(release):
    return [code["code"] for code in release.levels["week"]]


def test_a_week_across_two_months_adds_up_two_cells_of_two_releases(weekly, ask_weekly):
    _, (_, june, july) = weekly
    found = ask_weekly(measure="crates", group_by="period", freq="week", period="2026-06-29..2026-07-05")
    parts = [release.answer("crates", "week", ["week"], {})[("2026-W27",)] for release in (june, july)]
    ((value, error),) = rows(found).values()
    assert list(rows(found)) == [("2026-W27",)]
    assert value == pytest.approx(sum(part for part, _ in parts))
    assert error**2 == pytest.approx(sum(variance for _, variance in parts))
    assert found.meta["cuboid"] == {"crates": "week"}


def test_weeks_by_state_are_the_published_cells(weekly, ask_weekly):
    _, (_, june, _) = weekly
    found = rows(ask_weekly(measure="crates", group_by="state", freq="week", period="2026-06-01..2026-06-28"))
    cells = june.answer("crates", "state,week", ["week", "state"], {})
    assert len(found) == 4 * 3
    for key, (value, error) in found.items():
        assert value == pytest.approx(cells[key][0])
        assert error**2 == pytest.approx(cells[key][1])


def test_a_period_of_whole_weeks_is_read_from_weeks_and_any_other_from_days(ask_weekly):
    def cuboid(**parameters):
        return ask_weekly(measure="crates", **parameters).meta["cuboid"]["crates"]

    assert cuboid(period="2026-06-08..2026-06-21") == "week"
    assert cuboid(period="2026-06-29..2026-06-30") == "week"
    assert cuboid(period="2026-06-08..2026-06-20") == "day"
    assert cuboid(period="2026-06-05") == "day"
    assert cuboid(period="2026-06") == "total"


@pytest.mark.parametrize("first", [date(2026, 6, 1), date(2026, 6, 3), date(2026, 6, 24)])
@pytest.mark.parametrize("length", [1, 7, 12, 28])
def test_any_days_have_the_value_and_the_error_of_their_cells(weekly, ask_weekly, first, length):
    _, releases = weekly
    last = first + timedelta(days=length - 1)
    asked = {(first + timedelta(days=n)).isoformat() for n in range(length)}
    expected = [
        release.answer(
            "crates", "state,day", ["state"], {"day": asked & {c["code"] for c in release.levels["day"]}}
        )
        for release in releases[1:]
        if asked & {c["code"] for c in release.levels["day"]}
    ]
    found = rows(ask_weekly(measure="crates", group_by="state", period=f"{first}..{last}"))
    assert len(found) == 3
    for key, (value, error) in found.items():
        assert value == pytest.approx(sum(cells[key[-1:]][0] for cells in expected))
        assert error**2 == pytest.approx(sum(cells[key[-1:]][1] for cells in expected))


def test_each_day_of_a_month_is_a_row_as_without_weeks(weekly, ask_weekly):
    _, (_, june, _) = weekly
    found = rows(ask_weekly(measure="crates", group_by="period", freq="day", period="2026-06"))
    cells = june.answer("crates", "day", ["day"], {})
    assert len(found) == 30
    for (day,), (value, error) in found.items():
        assert value == pytest.approx(cells[(str(day),)][0])
        assert error**2 == pytest.approx(cells[(str(day),)][1])


def test_all_three_months_by_week_have_each_week_once(weekly, ask_weekly):
    """From Monday 4 May to Sunday 26 July: 12 weeks, two of which cross the end of a month."""
    _, releases = weekly
    found = rows(
        ask_weekly(measure="crates", group_by="period", freq="week", period="2026-05-04..2026-07-26")
    )
    expected = sorted({week for release in releases for week in weeks_of(release)} - {"2026-W18", "2026-W31"})
    assert [week for (week,) in found] == expected
    assert len(expected) == 12


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"group_by": "week"}, "group_by=week is asked as freq=week; every row then says its week"),
        ({"group_by": "day"}, "group_by=day is asked as freq=day; every row then says its day"),
        ({"week": "2026-W23"}, "parameter 'week' is not known"),
        ({"group_by": "kind", "level": "week"}, "level=week is not a level of a nested dimension"),
        ({"freq": "week", "period": "2026-06"}, "cuts a week"),
    ],
)
def test_what_is_asked_as_a_frequency_is_refused_elsewhere(ask_weekly, parameters, sentence):
    with pytest.raises(Refusal, match=sentence):
        ask_weekly(measure="crates", **parameters)


def test_the_levels_of_the_calendar_are_not_offered_for_nested_dimensions(ask_weekly):
    with pytest.raises(Refusal) as refused:
        ask_weekly(measure="crates", group_by="kind", level="plants")
    assert list(refused.value.allowed) == ["kind", "plant"]
