"""The history of a dataset: all its releases, when each was published, and which were withdrawn or rolled back to."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from datasets.release.format import layout
from datasets.release.format.errata import Erratum, errata, erratum_of, read_erratum
from datasets.release.format.manifest import Manifest, ManifestMalformed
from datasets.release.format.rollbacks import Rollback, rollbacks
from datasets.release.format.timestamps import ceil_to_second
from datasets.release.format.verification import ReleaseDamaged, Verify, signed_manifest, verified_manifest

log = logging.getLogger("daylight.release")


@dataclass(frozen=True, slots=True)
class TimestampRecord:
    """The timestamps of everything that happened to a dataset.

    `is_complete` tells whether every manifest, erratum and rollback could be verified; if not, a timestamp may be missing.
    """

    timestamps: tuple[datetime, ...]
    is_complete: bool


@dataclass
class ReleaseHistory:
    """All releases under a directory, from their verified manifests. A release never changes, so each is read only once."""

    directory: Path
    verify: Verify
    _verified: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    _signed_only: dict[tuple[str, str], Manifest] = field(default_factory=dict)

    def names(self, dataset: str) -> tuple[str, ...]:
        """The names of all releases, also withdrawn ones, by month and revision."""
        return layout.release_names(self.directory, dataset)

    def manifests(self, dataset: str) -> tuple[Manifest, ...]:
        """The manifests of all releases that pass verification, by month and revision."""
        found = []
        for name in self.names(dataset):
            try:
                found.append(self._verified_manifest(dataset, name))
            except (ReleaseDamaged, ManifestMalformed, OSError) as error:
                log.warning("leaving %s %s out of the archive: %s", dataset, name, type(error).__name__)
        return tuple(found)

    def _verified_manifest(self, dataset: str, name: str) -> Manifest:
        if (dataset, name) not in self._verified:
            folder = layout.release_folder(self.directory, dataset, name)
            self._verified[dataset, name] = verified_manifest(folder, self.verify)
        return self._verified[dataset, name]

    def current_at(self, dataset: str, when: datetime) -> dict[str, str]:
        """The release of each month that was current at an instant, the earliest month first.

        That is the one that was last published or rolled back to by then, and not withdrawn by then.
        """
        withdrawn = {
            e.release for e in self.errata(dataset) if datetime.fromisoformat(e.withdrawn_at) <= when
        }
        became_current = [
            *((m.published_at, m.month, m.release) for m in self.manifests(dataset)),
            *((r.rolled_back_at, r.month, r.release) for r in self.rollbacks(dataset)),
        ]
        # the sort is stable: with equal timestamps, the order of the names decides
        became_current.sort(key=lambda event: datetime.fromisoformat(event[0]))
        current = {
            month: release
            for at, month, release in became_current
            if datetime.fromisoformat(at) <= when and release not in withdrawn
        }
        return dict(sorted(current.items()))

    def current(self, dataset: str) -> dict[str, str]:
        """The release of each month that is current now, the earliest month first."""
        return self.current_at(dataset, datetime.max.replace(tzinfo=UTC))

    def timestamps(self, dataset: str) -> tuple[datetime, ...]:
        """When something happened to a dataset, in whole seconds and in order. See `timestamp_record`."""
        return self.timestamp_record(dataset).timestamps

    def timestamp_record(self, dataset: str) -> TimestampRecord:
        """When something happened to a dataset, from its signed documents alone.

        A release whose cells were damaged since then still has its timestamp. Times of change of files are not used.
        """
        dates, is_complete = [], True
        for name in self.names(dataset):
            try:
                dates.append(self._signed_manifest(dataset, name).published_at)
                if layout.erratum_file(self.directory, dataset, name).exists():
                    dates.append(read_erratum(self.directory, dataset, name, self.verify).withdrawn_at)
            except (ReleaseDamaged, ManifestMalformed, OSError):
                is_complete = False
        rollbacks = self.rollbacks(dataset)
        dates += [rollback.rolled_back_at for rollback in rollbacks]
        is_complete &= len(rollbacks) == len(layout.rollback_files(self.directory, dataset))
        timestamps = sorted(ceil_to_second(datetime.fromisoformat(date)) for date in dates)
        return TimestampRecord(tuple(timestamps), is_complete)

    def _signed_manifest(self, dataset: str, name: str) -> Manifest:
        """The signed manifest of a release, whose other files may be damaged."""
        if (dataset, name) not in self._signed_only:
            folder = layout.release_folder(self.directory, dataset, name)
            self._signed_only[dataset, name] = self._verified.get((dataset, name)) or signed_manifest(
                folder, self.verify
            )
        return self._signed_only[dataset, name]

    def rollbacks(self, dataset: str) -> tuple[Rollback, ...]:
        """Every rollback, by month and number."""
        return rollbacks(self.directory, dataset, self.verify)

    def erratum(self, dataset: str, name: str) -> Erratum | None:
        """Why a release was withdrawn; None if it was not."""
        return erratum_of(self.directory, dataset, name, self.verify)

    def errata(self, dataset: str) -> tuple[Erratum, ...]:
        """Every erratum, by month and revision of the withdrawn release."""
        return errata(self.directory, dataset, self.verify)
