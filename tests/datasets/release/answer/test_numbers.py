"""The values of a result are sums of released cells, and its standard errors are exact."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

LEVELS = ("kind", "plant", "state")
CODES = {
    "kind": ("fruit", "root", "unknown"),
    "plant": ("apple", "pear", "plum", "beet", "carrot", "unknown", "other"),
    "state": ("DE", "FR", "unknown"),
}


def by_group(answer, measure, groups):
    """The rows of an answer: value and variance by their codes."""
    names = [column.name for column in answer.columns]
    keys = [names.index(group) for group in groups]
    value, error = names.index(measure), names.index(f"{measure}_se")
    return {tuple(row[k] for k in keys): (row[value], row[error] ** 2) for row in answer.rows}


def ensure_equal(found, expected):
    assert found.keys() == expected.keys()
    for key, (value, square) in expected.items():
        assert found[key][0] == pytest.approx(value, rel=1e-9, abs=1e-6)
        assert found[key][1] == pytest.approx(square, rel=1e-9)


subsets = {name: st.sets(st.sampled_from(codes), min_size=1) for name, codes in CODES.items()}
filters = st.fixed_dictionaries({}, optional=subsets)
groups = st.lists(st.sampled_from([*LEVELS, "period"]), unique=True, max_size=2).filter(
    lambda names: not {"kind", "plant"} <= set(names)
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["crates", "gardeners"]), groups, filters)
def test_any_question_equals_the_released_cells_and_dense_linear_algebra(ask, june, measure, by, only):
    levels = {name for name in (*by, *only) if name != "period"}
    covering = sorted(june.covering(measure, levels), key=june.size)
    assume(covering and june.answer(measure, covering[0], [], only))
    parameters = {"measure": measure, "period": "2026-06"}
    parameters |= {"group_by": ",".join(by)} if by else {}
    parameters |= {name: ",".join(codes) for name, codes in only.items()}
    grouped = [name for name in by if name != "period"]
    ensure_equal(
        by_group(ask(**parameters), measure, grouped), june.answer(measure, covering[0], grouped, only)
    )


@pytest.mark.parametrize("measure", ["crates", "gardeners", "sales", "takings"])
@pytest.mark.parametrize("by", ["", "kind", "state"])
def test_every_cuboid_that_covers_a_question_gives_the_same_result(ask, june, measure, by):
    parameters = {"measure": measure, "group_by": by} if by else {"measure": measure}
    found = by_group(ask(**parameters, period="2026-06"), measure, [by] if by else [])
    covering = june.covering(measure, {by} if by else set())
    assert len(covering) > (1 if measure in ("crates", "gardeners") or not by else 0)
    for cuboid in covering:
        ensure_equal(found, june.answer(measure, cuboid, [by] if by else [], {}))


def test_the_error_of_a_sum_contains_that_of_its_middle_times_the_count(ask, june):
    answer = ask(measure="takings,sales", period="2026-06")
    own = june.variance("takings", "total", np.ones(1))
    assert answer.rows[0][2] ** 2 == pytest.approx(own)
    assert own > 50**2 * answer.rows[0][7] ** 2


def test_days_of_a_month_are_rows_of_the_day_cuboid(ask, june):
    answer = ask(measure="crates", group_by="state", freq="day", period="2026-06-03..2026-06-05")
    expected = june.answer(
        "crates", "state,day", ["day", "state"], {"day": {f"2026-06-0{n}" for n in (3, 4, 5)}}
    )
    ensure_equal(by_group(answer, "crates", ["period", "state"]), expected)
    assert [row[:2] for row in answer.rows] == [
        (day, state) for day in ("2026-06-03", "2026-06-04", "2026-06-05") for state in CODES["state"]
    ]


def test_part_of_a_month_is_the_sum_of_its_days(ask, june):
    answer = ask(measure="crates", period="2026-06-03..2026-06-05")
    days = {f"2026-06-0{n}" for n in (3, 4, 5)}
    ensure_equal(by_group(answer, "crates", []), june.answer("crates", "day", [], {"day": days}))


def test_each_month_of_a_range_is_answered_from_its_own_release(ask, may, june):
    answer = ask(measure="crates", group_by="kind", freq="month", period="2026-05..2026-06")
    expected = {
        (month, *key): cell
        for month, release in (("2026-05", may), ("2026-06", june))
        for key, cell in release.answer("crates", "kind", ["kind"], {}).items()
    }
    ensure_equal(by_group(answer, "crates", ["period", "kind"]), expected)
    assert answer.meta["releases"] == ["2026-05.1", "2026-06.2"]


def test_a_filter_on_categories_and_a_group_by_keyword_work_together(ask, june):
    answer = ask(measure="crates", group_by="plant", kind="fruit", period="2026-06")
    assert [row[1] for row in answer.rows] == ["apple", "pear", "plum"]
    ensure_equal(
        by_group(answer, "crates", ["plant"]), june.answer("crates", "plant", ["plant"], {"kind": {"fruit"}})
    )


def test_a_filter_on_keywords_and_a_group_by_category_work_together(ask, june):
    answer = ask(measure="crates", group_by="kind", plant="apple,beet", period="2026-06")
    expected = june.answer("crates", "plant", ["kind"], {"plant": {"apple", "beet"}})
    ensure_equal(by_group(answer, "crates", ["kind"]), expected)
    assert [row[1] for row in answer.rows] == ["fruit", "root"]


def test_an_interval_is_the_value_plus_and_minus_1_96_standard_errors(ask):
    for _, _, value, error, low, high, _ in ask(measure="crates", group_by="plant", period="2026-06").rows:
        assert (low, high) == pytest.approx((value - 1.959964 * error, value + 1.959964 * error), rel=1e-6)


def test_weeks_run_across_months_and_add_up_their_days(ask, may, june):
    answer = ask(measure="crates", freq="week", period="2026-05-25..2026-06-14")
    assert [row[0] for row in answer.rows] == ["2026-W22", "2026-W23", "2026-W24"]
    days = {
        d: (v, 0)
        for release in (may, june)
        for (d,), (v, _) in release.answer("crates", "day", ["day"], {}).items()
    }
    for row, week in zip(
        answer.rows, (["05-25", "05-26", "05-27", "05-28", "05-29", "05-30", "05-31"],), strict=False
    ):
        assert row[1] == pytest.approx(sum(days[f"2026-{day}"][0] for day in week))
    whole = ask(measure="crates", period="2026-05-25..2026-06-14").rows[0][1]
    assert whole == pytest.approx(sum(row[1] for row in answer.rows))


def test_the_error_of_days_in_two_months_is_that_of_two_independent_parts(ask, may, june):
    (row,) = ask(measure="crates", period="2026-05-30..2026-06-02").rows
    squares = 0.0
    for release, days in ((may, {"2026-05-30", "2026-05-31"}), (june, {"2026-06-01", "2026-06-02"})):
        squares += release.answer("crates", "day", [], {"day": days})[()][1]
    assert row[2] ** 2 == pytest.approx(squares)


def test_a_wider_confidence_has_a_wider_interval_and_the_same_error(ask):
    narrow, wide = (ask(measure="crates", confidence=c).rows[0] for c in ("0.5", "0.99"))
    assert narrow[1:3] == wide[1:3]
    assert (wide[4] - wide[3]) / (narrow[4] - narrow[3]) == pytest.approx(2.575829 / 0.674490, rel=1e-5)


def test_all_codes_but_one_are_the_total_minus_that_code(ask, june):
    cuboid = min(june.covering("crates", {"state"}), key=june.size)
    ensure_equal(
        by_group(ask(measure="crates", state="ne:DE", period="2026-06"), "crates", []),
        june.answer("crates", cuboid, [], {"state": {"FR", "unknown"}}),
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"measure": "crates,gardeners", "group_by": "kind"},
        {"measure": "crates", "freq": "day"},
        {"measure": "crates", "freq": "week", "period": "2026-05-25..2026-06-14", "state": "ne:DE"},
        {"measure": "takings", "period": "2026-05..2026-06"},
    ],
)
def test_an_explanation_promises_the_errors_that_the_result_has(ask, releases, parameters):
    promised = releases.explain(releases.question("harvest", list(parameters.items())))
    answer = ask(**parameters)
    assert promised["rows"] == len(answer.rows)
    assert (promised["query_id"], promised["releases"]) == (answer.meta["query_id"], answer.meta["releases"])
    names = [column.name for column in answer.columns]
    for measure, promise in promised["measures"].items():
        errors = [row[names.index(f"{measure}_se")] for row in answer.rows]
        assert promise["cuboid"] == answer.meta["cuboid"][measure]
        assert promise["standard_error"]["least"] == pytest.approx(min(errors))
        assert promise["standard_error"]["most"] == pytest.approx(max(errors))


def test_labels_replace_codes_or_have_columns_of_their_own(ask):
    codes, names, both = (
        ask(measure="crates", group_by="state,kind", labels=how) for how in ("code", "name", "both")
    )
    assert [column.name for column in both.columns][:5] == [
        "period",
        "state",
        "state_label",
        "kind",
        "kind_label",
    ]
    assert {row[1:5] for row in both.rows} >= {
        ("DE", "Germany", "fruit", "Fruit"),
        ("FR", "France", "root", "Root"),
    }
    assert [row[1:3] for row in codes.rows] == [(row[1], row[3]) for row in both.rows]
    assert [row[1:3] for row in names.rows] == [(row[2], row[4]) for row in both.rows]
    assert (
        [row[3:] for row in codes.rows] == [row[3:] for row in names.rows] == [row[5:] for row in both.rows]
    )


def test_rows_are_sorted_and_limited_and_the_page_says_so(ask):
    plain = ask(measure="crates", group_by="state,kind")
    sorted_ = ask(measure="crates", group_by="state,kind", sort="-crates")
    assert sorted_.rows == sorted(plain.rows, key=lambda row: -row[3])
    two = ask(measure="crates", group_by="state,kind", sort="kind,-crates", limit="2")
    assert two.rows == sorted(plain.rows, key=lambda row: (row[2], -row[3]))[:2]
    following = two.meta["page"].pop("next")
    assert following
    assert two.meta["page"] == {"returned": 2, "total": len(plain.rows), "truncated": True}
    assert plain.meta["page"]["truncated"] is False
