"""The changelog of datasets, and the difference between two releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from datasets.release.answer.release import Release
from datasets.release.store.history import ReleaseHistory

INDEPENDENT = (
    "Each release has noise of its own, so the variance of a difference between numbers of two releases is the sum of "
    "their variances."
)
_RELEASE_SPECIFIC = {
    "release",
    "month",
    "revision",
    "previous",
    "published_at",
    "correction",
    "ledger",
    "files",
    "title",
}
"""Members of a manifest that differ between any two releases, so that their difference says nothing."""
_ENTRY_KEYS = ("name", "code", "cuboid")
"""Members that identify the entries of a list; the first one that an entry has."""


@dataclass(frozen=True, slots=True)
class ChangelogEntry:
    """Something that happened to a dataset: a month was published, corrected, rolled back or withdrawn."""

    at: str
    kind: Literal["published", "corrected", "rolled back", "withdrawn"]
    dataset: str
    release: str
    detail: str


def changelog(history: ReleaseHistory, datasets: Iterable[str]) -> list[dict[str, Any]]:
    """All entries of these datasets, the latest first."""
    entries = [entry for dataset in datasets for entry in _entries_of_dataset(history, dataset)]
    return [
        asdict(entry) for entry in sorted(entries, key=lambda e: (e.at, e.dataset, e.release), reverse=True)
    ]


def errata_log(history: ReleaseHistory, datasets: Iterable[str]) -> list[dict[str, Any]]:
    """Every withdrawal, rollback and correction, the latest first."""
    return [entry for entry in changelog(history, datasets) if entry["kind"] != "published"]


def _entries_of_dataset(history: ReleaseHistory, dataset: str) -> Iterator[ChangelogEntry]:
    for m in history.manifests(dataset):
        if m.previous is None:
            yield ChangelogEntry(m.published_at, "published", dataset, m.release, f"{m.title}, {m.month}")
        else:
            yield ChangelogEntry(
                m.published_at, "corrected", dataset, m.release, f"replaces {m.previous}: {m.correction}"
            )
    for r in history.rollbacks(dataset):
        detail = f"current again instead of {r.instead_of}: {r.reason}"
        yield ChangelogEntry(r.rolled_back_at, "rolled back", dataset, r.release, detail)
    for erratum in history.errata(dataset):
        yield ChangelogEntry(erratum.withdrawn_at, "withdrawn", dataset, erratum.release, erratum.reason)


def difference(one: Release, other: Release) -> dict[str, Any]:
    """How two releases of a dataset differ in their manifests and codebooks; not in their numbers, which always differ.

    Each change names a place such as `measures[actions].rho`, and the values before and after; None if there was none.
    """
    return {
        "dataset": one.manifest.dataset,
        "from": one.name,
        "to": other.name,
        "correction": other.manifest.correction if other.manifest.previous == one.name else "",
        "manifest": _changed_places(_comparable_manifest(one), _comparable_manifest(other)),
        "codebook": _changed_places(_comparable_codebook(one), _comparable_codebook(other)),
        "numbers": INDEPENDENT,
    }


def _comparable_manifest(release: Release) -> dict[str, Any]:
    document = release.manifest.model_dump(mode="json", exclude=_RELEASE_SPECIFIC)
    for measure in document["measures"]:
        measure.pop("kept")
    return document


def _comparable_codebook(release: Release) -> dict[str, Any]:
    document = release.codebook.model_dump(mode="json", exclude={"month"})
    for dimension in document["dimensions"]:
        if dimension["levels"][0]["unknown"] is None:  # the days are those of the month
            dimension["levels"] = []
    return document


def _changed_places(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    one, other = dict(_leaves(before, "")), dict(_leaves(after, ""))
    return [
        {"place": place, "before": one.get(place), "after": other.get(place)}
        for place in dict.fromkeys((*one, *other))
        if one.get(place) != other.get(place)
    ]


def _leaves(document: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Every place in a document and its value; an entry of a list is a place of its own, with the value "there"."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _leaves(value, f"{place}.{name}" if place else name)
    elif isinstance(document, list) and document and isinstance(document[0], dict):
        key = next(name for name in _ENTRY_KEYS if name in document[0])
        for entry in document:
            yield from _leaves({n: v for n, v in entry.items() if n != key}, f"{place}[{entry[key]}]")
            yield f"{place}[{entry[key]}]", "there"
    else:
        yield place, document
