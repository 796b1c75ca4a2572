"""The entry of a dataset in the catalogue (Delegated Regulation (EU) 2025/2050, Art. 6(4)(c), (d) and 6(5))."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from api.http.document import Document, IfAny, IfKnown
from datasets.definition import Dataset
from datasets.period import Month
from datasets.privacy.zcdp import epsilon_rounded_up, power_of_best_test
from datasets.release.format.codebook import BandEntry, Codebook, DimensionEntry, codebook_of
from datasets.release.releases import Releases


class CatalogueDimension(Document):
    """A dimension with its levels, the coarsest first, and the code list of each."""

    name: str
    title: str
    law: str
    levels: list[str]
    code_lists: list[str]
    type: Literal["date", "code"]


class CatalogueMeasure(Document):
    """A measure: `events` and `sum` count at most `rows_per_unit` rows of a person, `units` counts each person as one."""

    name: str
    title: str
    kind: Literal["events", "units", "sum"]
    rows_per_unit: IfKnown[int] = None
    where: IfKnown[str] = None
    counted_by: IfKnown[str] = None
    value: IfKnown[str] = None
    lower: IfKnown[int] = None
    upper: IfKnown[int] = None


class CatalogueDerived(Document):
    """A measure that is computed from others: a share, a rate or a median."""

    name: str
    title: str
    kind: Literal["share", "rate", "median"]
    of_measure: Annotated[IfKnown[str], Field(validation_alias="of", serialization_alias="of")] = None
    level: IfKnown[str] = None
    codes: IfAny[str] = ()
    among: IfAny[str] = ()
    numerator: IfKnown[str] = None
    denominator: IfKnown[str] = None
    bands: IfAny[BandEntry] = ()


class CatalogueVolume(Document):
    """How much is released."""

    cells_per_release: dict[str, int]


class CatalogueRisk(Document):
    """A systemic risk that can be studied with the dataset, and the measure against it, with their places in the DSA."""

    risk: str
    risk_law: str
    measure: str
    measure_law: str


class CatalogueTwelveMonths(Document):
    """The privacy loss of a person who is in each of twelve consecutive months."""

    rho: str
    epsilon: Annotated[dict[str, float], Field(description="Epsilon for each delta, rounded up.")]
    power_of_best_5_percent_test: float


class CataloguePrivacy(Document):
    """The privacy unit, the privacy loss of a month in rho, and epsilon by delta; the same for twelve months."""

    unit: str
    note: str
    rho_per_month: str
    epsilon: Annotated[dict[str, float], Field(description="Epsilon for each delta, rounded up.")]
    power_of_best_5_percent_test: float
    twelve_months: CatalogueTwelveMonths


class CatalogueModality(Document):
    """The suggested modality of access and its conditions."""

    name: str
    title: str
    technical: str
    organisational: str
    legal: str


class CatalogueEntry(Document):
    """A dataset: what it counts, by what, which months are released, and what protects it."""

    name: str
    title: str
    version: int
    grain: Annotated[str, Field(description="What one event is.")]
    refresh: str
    dimensions: list[CatalogueDimension]
    measures: list[CatalogueMeasure]
    derived: list[CatalogueDerived]
    coverage: Annotated[list[str], Field(description="The months with a release.")]
    releases: list[str]
    volume: CatalogueVolume
    gaps: list[str]
    late_events: str
    risks: list[CatalogueRisk]
    law: list[str]
    privacy: CataloguePrivacy
    modality: CatalogueModality
    links: dict[str, str]


def catalogue_entry(dataset: Dataset, releases: Releases) -> CatalogueEntry:
    """The entry of a dataset, with the codebook of its latest release."""
    current = releases.current(dataset.name)
    book: Codebook = current[-1].codebook if current else codebook_of(dataset, Month(2026, 1))
    cells = {release.name: sum(file.rows or 0 for file in release.manifest.files) for release in current}
    return CatalogueEntry(
        name=dataset.name,
        title=dataset.title,
        version=dataset.version,
        grain=dataset.grain,
        refresh="monthly; corrections as further revisions",
        dimensions=[_catalogue_dimension(entry) for entry in book.dimensions],
        measures=[CatalogueMeasure.of(measure) for measure in book.measures],
        derived=[CatalogueDerived.of(entry) for entry in book.derived],
        coverage=[release.manifest.month for release in current],
        releases=[release.name for release in current],
        volume=CatalogueVolume(cells_per_release=cells),
        gaps=list(dataset.gaps),
        late_events=dataset.late_events,
        risks=[CatalogueRisk.of(risk) for risk in dataset.risks],
        law=list(dataset.law),
        privacy=_privacy(dataset),
        modality=CatalogueModality.of(dataset.modality),
        links=_links(dataset.name),
    )


def _catalogue_dimension(entry: DimensionEntry) -> CatalogueDimension:
    return CatalogueDimension(
        name=entry.name,
        title=entry.title,
        law=entry.law,
        levels=[level.name for level in entry.levels],
        code_lists=[level.code_list for level in entry.levels],
        type="date" if entry.levels[0].unknown is None else "code",
    )


def _privacy(dataset: Dataset) -> CataloguePrivacy:
    rho = dataset.rho_of_release
    return CataloguePrivacy(
        unit=dataset.unit.title,
        note=dataset.unit.note,
        rho_per_month=str(rho),
        epsilon=_epsilon_by_exponent(rho),
        power_of_best_5_percent_test=round(power_of_best_test(rho), 4),
        twelve_months=CatalogueTwelveMonths(
            rho=str(12 * rho),
            epsilon=_epsilon_by_exponent(12 * rho),
            power_of_best_5_percent_test=round(power_of_best_test(12 * rho), 4),
        ),
    )


def _epsilon_by_exponent(rho: Fraction) -> dict[str, float]:
    return {"1e-06": epsilon_rounded_up(rho, 1e-6), "1e-09": epsilon_rounded_up(rho, 1e-9)}


def _links(name: str) -> dict[str, str]:
    under = {noun: f"/v1/datasets/{name}/{noun}" for noun in ("codebook", "aggregates", "plan", "citation")}
    return {**under, "releases": f"/v1/releases/{name}", "changelog": "/v1/changelog"}
