"""The tables of docs/privacy/activity.md are those of the code."""

from __future__ import annotations

from datasets.privacy.activity.bands import activity_bands
from datasets.privacy.activity.shares import kept_share
from tests.datasets.privacy.activity.populations import build, known, pareto, plan_of
from tests.docs.pages import page, table

NAME = "activity.md"
PAGE = page(f"privacy/{NAME}")


def test_the_bands_are_those_of_the_page():
    bands = activity_bands([5, 20])
    edges = zip(bands.firsts, bands.ends, bands.twice_mid, bands.twice_half, strict=True)
    rows = [
        [str(at), str(end) if first == end else f"{first} to {end}", f"{mid / 2:g}", f"{half / 2:g}"]
        for at, (first, end, mid, half) in enumerate(edges, start=1)
    ]
    assert table(PAGE, "Bands") == rows


def test_the_half_widths_are_those_of_the_page():
    for bounds, rows, m, share, printed in table(PAGE, "Kept shares"):
        strata = [int(bound) for bound in bounds.split(", ")]
        truth = pareto(int(rows.replace(",", "")), 10 * strata[-1])
        share_found, low, high = known(kept_share(build(plan_of(*strata), truth), int(m)))
        assert f"{100 * share_found:.1f} %" == share
        assert f"{50 * (high - low):.{len(printed.partition('.')[2])}f}" == printed
