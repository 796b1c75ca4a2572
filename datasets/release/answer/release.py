"""An open release: verified, with its serving copy, which is attached before the first question is answered from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets.privacy.plan import residuals_of
from datasets.release.answer.copy_cache import CopyCache
from datasets.release.answer.copy_source import CopySource
from datasets.release.answer.serving_copy import ServingCopy
from datasets.release.format import layout
from datasets.release.format.codebook import Codebook
from datasets.release.format.manifest import KeptEntry, Manifest
from datasets.release.format.measures import PublishedMeasure, published_measures
from datasets.release.format.verification import ReleaseDamaged, Verify, verified_codebook, verified_manifest


@dataclass(frozen=True)
class Release:
    """A verified release: its signed documents, and the serving copy of its cells."""

    folder: Path
    manifest: Manifest
    codebook: Codebook
    measures: Mapping[str, PublishedMeasure]
    serving_copy: ServingCopy
    fingerprint: str
    """The SHA-256 of the manifest, which holds the hashes of all other files."""
    file_state: layout.FileState
    """The state of its files before they were verified."""

    @property
    def name(self) -> str:
        return self.manifest.release

    @property
    def is_unchanged(self) -> bool:
        """Whether its files have the size and time of change that they had when they were verified."""
        return layout.folder_state(self.folder) == self.file_state

    def ensure_unchanged(self) -> None:
        """Raises ReleaseDamaged if a file was changed since it was verified. Called before files are served as they are."""
        if not self.is_unchanged:
            raise ReleaseDamaged(
                f"release {self.name}: its files were touched since they were verified; ask again in a moment"
            )

    @property
    def kept_shares(self) -> Mapping[str, KeptEntry]:
        """For each event measure, the shares of rows that bounding kept, from the manifest."""
        return {entry.name: entry.kept for entry in self.manifest.measures if entry.kept is not None}

    def bounding(self, measure: str, codes: Mapping[str, Iterable[str]]) -> dict[str, Any]:
        """How contributions to a measure were bounded: the most rows of a person, and the share of rows that bounding kept.

        The share is given with its interval: overall, and for each of these `codes` of levels for which it was measured.
        """
        entry = self.manifest.by_measure[measure]
        return {
            "rows_per_unit": entry.rows_per_unit,
            "kept": _kept_shares_by_code(entry.kept, codes) if entry.kept else None,
        }


def _kept_shares_by_code(kept: KeptEntry, codes: Mapping[str, Iterable[str]]) -> dict[str, Any]:
    return {
        "against_rows_per_unit": kept.rows_per_unit,
        **kept.overall.model_dump(),
        "by": {
            level: {code: kept.by[level][code].model_dump() for code in asked if code in kept.by[level]}
            for level, asked in codes.items()
            if level in kept.by
        },
    }


def open_release(folder: Path, verify: Verify, copies: CopyCache) -> Release:
    """Verify the release in `folder`. Its serving copy is attached when it is first asked a question.

    Raises ReleaseDamaged if it is not what was signed, or if its documents contradict each other.
    """
    file_state = layout.folder_state(folder)
    manifest = verified_manifest(folder, verify)
    codebook = verified_codebook(folder, manifest)
    try:
        measures = published_measures(manifest, codebook)
        _ensure_complete(measures, codebook)
    except (KeyError, ValueError):
        raise ReleaseDamaged(f"release {folder.name}: its manifest and its codebook disagree") from None
    fingerprint = layout.sha256_of(folder / layout.MANIFEST)
    serving_copy = ServingCopy(CopySource(folder, manifest, codebook, measures, fingerprint), copies)
    return Release(folder, manifest, codebook, measures, serving_copy, fingerprint, file_state)


def _ensure_complete(measures: Mapping[str, PublishedMeasure], codebook: Codebook) -> None:
    """Raises ValueError if a measure is missing, or a residual without which a variance cannot be computed."""
    if set(measures) != {measure.name for measure in codebook.measures}:
        raise ValueError("the manifest has other measures")
    for measure in measures.values():
        for source in (measure, measure.counted_by or measure):
            for cuboid in measure.cuboids.values():
                if not all(residual in source.residuals for residual in residuals_of(cuboid)):
                    raise ValueError("a residual is missing")
