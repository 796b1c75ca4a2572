"""Shares, rates, medians and comparisons: their values, and errors that count the noise that their parts share."""

import numpy as np
import pytest

from datasets.privacy.ratio import fieller
from datasets.release.query.vocabulary import MalformedQuestion


class Quantity:
    """A weighted sum of the cells of a cuboid, computed cell by cell."""

    def __init__(self, naive, measure, cuboid, weigh):
        cells = naive.cells(cuboid)
        self.naive, self.measure, self.cuboid = naive, measure, cuboid
        self.weights = np.array([float(weigh(cell)) for cell in cells])
        self.value = sum(cell[measure] * w for cell, w in zip(cells, self.weights, strict=True) if w)

    @property
    def variance(self):
        return self.naive.variance(self.measure, self.cuboid, self.weights)

    def covariance(self, other):
        """The covariance with another quantity of the same measure and cuboid, by polarisation."""
        of_sum, of_difference = (
            self.naive.variance(self.measure, self.cuboid, w)
            for w in (self.weights + other.weights, self.weights - other.weights)
        )
        return (of_sum - of_difference) / 4


def row(answer, at=0):
    return dict(zip([column.name for column in answer.columns], answer.rows[at], strict=True))


def ensure_ratio(found, name, numerator, denominator, covariance):
    expected = fieller(
        numerator.value,
        denominator.value,
        var_numerator=numerator.variance,
        var_denominator=denominator.variance,
        covariance=covariance,
    )
    actual = [found[name + end] for end in ("", "_lo", "_hi")]
    assert actual == pytest.approx([expected.value, expected.low, expected.high], rel=1e-9)
    assert expected.value is not None
    square = (
        numerator.variance - 2 * expected.value * covariance + expected.value**2 * denominator.variance
    ) / denominator.value**2
    assert found[f"{name}_se"] ** 2 == pytest.approx(square, rel=1e-9)


@pytest.mark.parametrize(
    "question", [{"measure": "fruit_share"}, {"measure": "crates", "share": "kind:fruit"}]
)
def test_the_error_of_a_share_counts_that_the_part_is_in_the_whole(ask, june, question):
    part = Quantity(june, "crates", "kind", lambda cell: cell["kind"] == "fruit")
    whole = Quantity(june, "crates", "kind", lambda cell: True)
    name = "fruit_share" if question["measure"] == "fruit_share" else "crates_share"
    ensure_ratio(row(ask(**question, period="2026-06")), name, part, whole, part.covariance(whole))


def test_a_share_among_some_codes_can_be_grouped_and_filtered(ask, june):
    answer = ask(measure="apple_share", group_by="state", state="DE,FR", period="2026-06")
    for at, state in enumerate(("DE", "FR")):
        part = Quantity(
            june, "crates", "plant,state", lambda c: c["plant"] == "apple" and c["state"] == state
        )
        whole = Quantity(
            june, "crates", "plant,state", lambda c: c["plant"] in {"apple", "pear"} and c["state"] == state
        )
        assert row(answer, at)["state"] == state
        ensure_ratio(row(answer, at), "apple_share", part, whole, part.covariance(whole))


def test_a_group_without_any_of_a_shares_codes_has_a_share_of_zero(ask):
    answer = ask(measure="fruit_share", group_by="kind", period="2026-06")
    assert [each[:3] for each in answer.rows[1:]] == [("2026-06", "root", 0.0), ("2026-06", "unknown", 0.0)]


@pytest.mark.parametrize("question", [{"measure": "sale_rate"}, {"ratio": "sales/crates"}])
def test_separately_measured_measures_have_independent_noise(ask, june, question):
    name = question.get("measure", "sales_per_crates")
    sales, crates = (Quantity(june, m, "kind", lambda c: c["kind"] == "fruit") for m in ("sales", "crates"))
    ensure_ratio(row(ask(**question, kind="fruit", period="2026-06")), name, sales, crates, 0.0)


def test_a_sum_divided_by_its_count_shares_the_noise_of_the_count(ask, june):
    takings, sales = (Quantity(june, m, "total", lambda c: True) for m in ("takings", "sales"))
    middle = june.measures["takings"]["middle"]
    assert middle == 50
    ensure_ratio(
        row(ask(measure="price", period="2026-06")), "price", takings, sales, middle * sales.variance
    )


def test_a_ratio_over_months_adds_up_its_numerators_and_denominators(ask, june, may):
    found = row(ask(ratio="sales/crates", period="2026-05..2026-06"))
    parts = {m: [Quantity(n, m, "total", lambda c: True) for n in (may, june)] for m in ("sales", "crates")}
    value = sum(q.value for q in parts["sales"]) / sum(q.value for q in parts["crates"])
    assert found["sales_per_crates"] == pytest.approx(value, rel=1e-12)


def test_a_ratio_of_measures_with_different_bounds_has_a_warning(ask):
    warnings = ask(measure="sale_rate", period="2026-06").meta["warnings"]
    assert (
        "sale_rate is made of measures that are bounded differently: sales at 2 rows a person, crates at 3 rows a person."
        in warnings
    )
    assert not any("bounded" in note for note in ask(measure="price", period="2026-06").meta["warnings"])


def test_the_error_of_a_difference_counts_the_noise_that_its_sides_share(ask, june):
    answer = ask(measure="crates", compare="state:DE,FR", group_by="kind", period="2026-06")
    for at, kind in enumerate(("fruit", "root", "unknown")):
        difference = Quantity(
            june, "crates", "kind,state",
            lambda c: (c["kind"] == kind) * ((c["state"] == "DE") - (c["state"] == "FR")),
        )  # fmt: skip
        found = row(answer, at)
        assert found["crates_difference"] == pytest.approx(difference.value, rel=1e-9)
        assert found["crates_difference_se"] ** 2 == pytest.approx(difference.variance, rel=1e-9)
        ends = found["crates_difference_lo"], found["crates_difference_hi"]
        assert sum(ends) / 2 == pytest.approx(difference.value)


def test_a_difference_of_shares_has_the_error_of_the_delta_method(ask, june):
    found = row(ask(measure="fruit_share", compare="state:DE,FR", period="2026-06"))
    sides = {
        s: row(ask(measure="fruit_share", state=s, period="2026-06"))["fruit_share"] for s in ("DE", "FR")
    }
    assert found["fruit_share_difference"] == pytest.approx(sides["DE"] - sides["FR"], rel=1e-9)
    quantities = [
        Quantity(june, "crates", "kind,state", lambda c, s=s, k=k: c["state"] == s and c["kind"] in k)
        for s in ("DE", "FR")
        for k in ({"fruit"}, {"fruit", "root", "unknown"})
    ]
    a, b, c, d = (q.value for q in quantities)
    slopes = np.array([1 / b, -a / b**2, -1 / d, c / d**2])
    covariance = np.array([[p.covariance(q) for q in quantities] for p in quantities])
    assert found["fruit_share_difference_se"] ** 2 == pytest.approx(slopes @ covariance @ slopes, rel=1e-7)


def test_a_difference_between_months_adds_their_variances(ask, june, may):
    answer = ask(measure="crates", compare="period:2026-06,2026-05", group_by="state")
    for at, state in enumerate(("DE", "FR", "unknown")):
        sides = [Quantity(n, "crates", "state", lambda c: c["state"] == state) for n in (june, may)]
        found = row(answer, at)
        assert found["period"] == "2026-06,2026-05"
        assert found["crates_difference"] == pytest.approx(sides[0].value - sides[1].value, rel=1e-9)
        assert found["crates_difference_se"] ** 2 == pytest.approx(sum(s.variance for s in sides), rel=1e-9)


def test_the_error_of_a_difference_between_days_counts_the_noise_that_they_share(ask, june):
    def weigh(cell):
        return (cell["day"] == "2026-06-30") - (cell["day"] <= "2026-06-02")

    answer = ask(measure="crates", compare="period:2026-06-30,2026-06-01..2026-06-02")
    difference = Quantity(june, "crates", "day", weigh)
    assert answer.rows[0][1] == pytest.approx(difference.value, rel=1e-9)
    assert answer.rows[0][2] ** 2 == pytest.approx(difference.variance, rel=1e-9)


def test_periods_that_overlap_can_be_compared(ask, june, may):
    found = row(ask(measure="crates", compare="period:2026-05..2026-06,2026-06"))
    alone = Quantity(may, "crates", "total", lambda c: True)
    assert found["crates_difference"] == pytest.approx(alone.value, rel=1e-9)
    assert found["crates_difference_se"] ** 2 == pytest.approx(alone.variance, rel=1e-6)


def test_half_of_the_values_lie_below_the_median(ask, june):
    found = row(ask(measure="middle_state", period="2026-06"))
    counts = {
        s: Quantity(june, "crates", "state", lambda c, s=s: c["state"] == s).value
        for s in ("DE", "FR", "unknown")
    }
    half = sum(counts.values()) / 2
    assert counts["DE"] < half < counts["DE"] + counts["FR"]
    assert found["middle_state"] == pytest.approx(2 + (half - counts["DE"]) / counts["FR"], rel=1e-9)
    assert found["middle_state_lo"] < found["middle_state"] < found["middle_state_hi"]


def test_a_long_result_has_a_row_for_each_number_of_the_wide_one(ask):
    question = {"measure": "crates,fruit_share", "group_by": "state", "period": "2026-06"}
    wide, long = ask(**question), ask(**question, shape="long")
    assert [c.name for c in long.columns] == [
        "period",
        "state",
        "measure",
        "value",
        "se",
        "lo",
        "hi",
        "status",
    ]
    expected = [
        (*each[:2], name, *each[2 + 5 * at : 7 + 5 * at])
        for each in wide.rows
        for at, name in enumerate(("crates", "fruit_share"))
    ]
    assert long.rows == expected


def test_level_names_the_depth_at_which_a_nested_dimension_is_grouped(ask):
    by_level = ask(measure="crates", group_by="kind", level="plant", period="2026-06")
    assert by_level.rows == ask(measure="crates", group_by="plant", period="2026-06").rows
    assert by_level.meta["query"] == "measure=crates&group_by=plant&period=2026-06"


def test_the_pages_of_a_result_together_are_the_result(ask):
    question = {"measure": "crates", "group_by": "plant,state", "sort": "-crates", "period": "2026-06"}
    whole, rows, following = ask(**question), [], ""
    while following is not None:
        page = ask(**question, limit="4", **({"cursor": following} if following else {}))
        rows += page.rows
        assert page.meta["page"]["total"] == 21
        following = page.meta["page"]["next"]
        assert page.meta["page"]["truncated"] == (following is not None)
    assert rows == whole.rows
    assert whole.meta["page"]["next"] is None


def test_a_page_may_be_longer_than_the_one_before(ask):
    question = {"measure": "crates", "group_by": "plant", "period": "2026-06"}
    following = ask(**question, limit="2").meta["page"]["next"]
    assert ask(**question, cursor=following).rows == ask(**question).rows[2:]


def test_a_cursor_belongs_to_its_question_and_its_releases(ask):
    question = {"measure": "crates", "group_by": "plant", "limit": "2"}
    cursor = ask(**question, release="2026-06.1").meta["page"]["next"]
    for other in (
        {"release": "2026-06.2"},
        {"release": "2026-06.1", "sort": "crates"},
        {"release": "2026-06.1", "state": "DE"},
    ):
        with pytest.raises(Exception, match="belongs to another question, or to another release"):
            ask(**question, **other, cursor=cursor)
    for broken in ("", "abc", cursor[:-1], cursor.replace(cursor[2], "A", 1), "é" * 50):
        with pytest.raises(Exception, match="was not given by this service, or was changed"):
            ask(**question, release="2026-06.1", cursor=broken)


def test_as_of_asks_the_releases_that_were_current_then(ask):
    """All were published at midnight of 1 July; the second revision of June replaced the first at once."""
    result = ask(measure="crates", as_of="2026-07-01")
    assert result.meta["releases"] == ["2026-06.2"]
    assert result.meta["query"].endswith("&as_of=2026-07-01T23:59:59Z")
    with pytest.raises(Exception, match="nothing of harvest had been released at 2026-06-30"):
        ask(measure="crates", as_of="2026-06-30")
    with pytest.raises(MalformedQuestion, match="is not over yet, so its answer could still change"):
        ask(measure="crates", as_of="2999-01-01")
    for text in ("yesterday", "2026-07-15T12:00:00", "2026-07-15T25:00:00Z", ""):
        with pytest.raises(MalformedQuestion, match="is neither a day nor a time in UTC"):
            ask(measure="crates", as_of=text)
    with pytest.raises(MalformedQuestion, match="leave one of them out"):
        ask(measure="crates", as_of="2026-07-01", release="2026-06.1")


def test_a_result_from_several_releases_has_the_kept_shares_of_each(ask):
    one, other = (
        ask(measure="crates", group_by="state", period=month).meta["bounding"]["crates"]
        for month in ("2026-05", "2026-06")
    )
    assert one.pop("earlier") == other.pop("earlier") == {}
    assert one != other
    both = ask(measure="crates", group_by="state", period="2026-05..2026-06").meta
    assert both["releases"] == ["2026-05.1", "2026-06.2"]
    assert both["bounding"]["crates"] == {**other, "earlier": {"2026-05.1": one}}
