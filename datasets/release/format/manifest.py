"""The manifest of a release: its source, its privacy cost, its noise, and the hashes of its files.

It is signed (ES256, detached: RFC 7515, appendix F) over exactly the bytes of `manifest.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property

from pydantic import Field, ValidationError

from datasets.refusal import Refusal, printable
from datasets.release.format.codebook import Frozen

SCHEMA_VERSION = "1"


class ManifestMalformed(Refusal):
    """A manifest that is not what this version reads."""


class SourceEntry(Frozen):
    """Where the events came from, as declared by the importer. It holds no count and nothing that depends on a row."""

    format: str
    schema_name: str
    unit: str
    not_collected: tuple[str, ...] = ()
    not_collected_values: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _is_not_stated(value: object) -> bool:
    return value is None


class TwelveMonthsEntry(Frozen):
    """What a person in each of twelve consecutive months spends on releases like this one, and what follows from it."""

    rho: str
    epsilon: dict[str, float]
    power_of_best_5_percent_test: float


class PrivacyEntry(Frozen):
    """The privacy promise: rho-zCDP for one person's rows of one month, and what follows from it.

    Each epsilon is rounded up. `rho_cap_year` is the cap of any twelve consecutive data months; in manifests of version
    0.1.0, which lack `twelve_months`, that of the calendar year.
    """

    unit: str
    neighbours: str
    mechanism: str
    rho: str
    epsilon: dict[str, float]
    power_of_best_5_percent_test: float
    rho_cap_month: str
    rho_cap_year: str
    twelve_months: TwelveMonthsEntry | None = Field(default=None, exclude_if=_is_not_stated)


class ShareEntry(Frozen):
    """An estimated share and its 95 % interval; null if it is lost in the noise."""

    share: float | None
    lo: float | None
    hi: float | None


class KeptEntry(Frozen):
    """The share of rows that bounding kept, out of the rows under a cap of `rows_per_unit`; estimated with noise as well."""

    rows_per_unit: int
    rho: str
    note: str
    overall: ShareEntry
    by: dict[str, dict[str, ShareEntry]]


class ResidualEntry(Frozen):
    """The noise variance s_B of one measured residual, in published units squared, and its exact cost."""

    cuboid: str
    variance: float = Field(gt=0)
    rho: str


class ManifestMeasure(Frozen):
    """The published cuboids of one measure, their cost and their noise."""

    name: str
    kind: str
    rows_per_unit: int | None
    sensitivity: float
    rho: str
    counted_by: str | None
    middle: int | None
    cuboids: tuple[str, ...]
    residuals: tuple[ResidualEntry, ...]
    kept: KeptEntry | None


class FileEntry(Frozen):
    """A file of the release, its size and its hash."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}\.(parquet|json)$")
    rows: int | None = None
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class LedgerEntry(Frozen):
    """The number of the spend that this release was made from, and the head of the ledger at that entry."""

    seq: int
    head: str


class Manifest(Frozen):
    """Everything that a reader needs in order to verify and to understand a release."""

    schema_version: str = Field(pattern=f"^{SCHEMA_VERSION}$")
    dataset: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    dataset_version: int
    title: str
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    revision: int = Field(ge=1)
    release: str = Field(pattern=r"^\d{4}-\d{2}\.[1-9]\d{0,3}$")
    previous: str | None
    published_at: str
    correction: str
    daylight_version: str
    code_hash: str
    lock_hash: str
    source: SourceEntry
    privacy: PrivacyEntry
    measures: tuple[ManifestMeasure, ...]
    files: tuple[FileEntry, ...]
    ledger: LedgerEntry
    gaps: tuple[str, ...]
    law: tuple[str, ...]

    @cached_property
    def by_measure(self) -> Mapping[str, ManifestMeasure]:
        """The measures by name."""
        return {measure.name: measure for measure in self.measures}

    @property
    def rho(self) -> Fraction:
        return Fraction(self.privacy.rho)

    def canonical(self) -> bytes:
        """The bytes that are hashed and signed: JSON with sorted keys, UTF-8, a final newline."""
        text = json.dumps(
            self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False
        )
        return text.encode() + b"\n"


def parse_manifest(text: bytes) -> Manifest:
    """The manifest in these bytes. Raises ManifestMalformed, which names the first member that is wrong."""
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole document"
        raise ManifestMalformed(
            f"the manifest is malformed at {printable(place)}: {printable(first['msg'])}"
        ) from None
