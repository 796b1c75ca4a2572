"""Derived measures: shares, rates and medians of what is measured. They cost no rho: they are computed from noisy numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from datasets.definition.codelist import CodeList
from datasets.definition.dimension import Level
from datasets.definition.measure import Measure, SumMeasure
from datasets.definition.rules import ensure


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a measure that falls on some codes of a level, out of all of it or out of what falls on `among`."""

    name: str
    title: str
    of: str
    level: str
    codes: tuple[str, ...]
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """One measure divided by another: clicks per impression."""

    name: str
    title: str
    numerator: str
    denominator: str


@dataclass(frozen=True, slots=True)
class Band:
    """A code that stands for the values from `lower` to `upper`; without `upper` the band has no upper end."""

    code: str
    lower: float
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class Median:
    """The median of values that a level gives in bands; inside a band, values are assumed to lie evenly."""

    name: str
    title: str
    of: str
    level: str
    bands: tuple[Band, ...]


Derived = Share | Rate | Median


def ensure_derived(
    derived: Derived, measures: tuple[Measure, ...], levels: tuple[Level, ...], where: str
) -> None:
    """Raises DefinitionError if a derived measure names something that the dataset does not have."""
    counts = {measure.name for measure in measures if not isinstance(measure, SumMeasure)}
    if isinstance(derived, Rate):
        known = {measure.name for measure in measures}
        for name in (derived.numerator, derived.denominator):
            ensure(name in known, f"{where}: is made of {name!r}, which is not a measure")
        return
    ensure(derived.of in counts, f"{where}: is of {derived.of!r}, which is not a measure that counts")
    lists = {level.name: level.codes for level in levels}
    listed = lists.get(derived.level)
    ensure(isinstance(listed, CodeList), f"{where}: {derived.level!r} is not a level with a code list")
    assert isinstance(listed, CodeList)
    if isinstance(derived, Share):
        _ensure_share(derived, listed, where)
    else:
        _ensure_bands(derived.bands, listed, where)


def _ensure_share(share: Share, listed: CodeList, where: str) -> None:
    ensure(bool(share.codes), f"{where}: names no code")
    for code in (*share.codes, *share.among):
        ensure(code in listed.index, f"{where}: {code!r} is not a code of {listed.name!r}")
    ensure(
        not share.among or set(share.codes) < set(share.among),
        f"{where}: its codes must be some of those it is taken among",
    )


def _ensure_bands(bands: tuple[Band, ...], listed: CodeList, where: str) -> None:
    ensure(len(bands) >= 2, f"{where}: needs at least two bands")
    for band in bands:
        ensure(band.code in listed.index, f"{where}: {band.code!r} is not a code of {listed.name!r}")
        ensure(band.upper is None or band.lower < band.upper, f"{where}: the band {band.code} is empty")
    for one, after in pairwise(bands):
        ensure(one.upper == after.lower, f"{where}: the bands {one.code} and {after.code} do not touch")
