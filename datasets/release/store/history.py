"""Everything that was ever released of a dataset: all revisions, when each was published, and which were withdrawn."""

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
    """The moments of a dataset, and whether they are all: every manifest, erratum and rollback could be verified."""

    timestamps: tuple[datetime, ...]
    is_complete: bool


@dataclass
class ReleaseHistory:
    """The releases under a directory, by what their verified manifests say. A release never changes, so each is read once."""

    directory: Path
    verify: Verify
    _verified: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    _signed_only: dict[tuple[str, str], Manifest] = field(default_factory=dict)

    def names(self, dataset: str) -> tuple[str, ...]:
        """Every release, by month and revision, withdrawn ones too."""
        return layout.release_names(self.directory, dataset)

    def manifests(self, dataset: str) -> tuple[Manifest, ...]:
        """The manifests of all releases that are what was signed, by month and revision."""
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
        """The release of each month that was published, or gone back to, last by an instant and not withdrawn by then, the
        earliest month first."""
        gone = {e.release for e in self.errata(dataset) if datetime.fromisoformat(e.withdrawn_at) <= when}
        became = [
            *((m.published_at, m.month, m.release) for m in self.manifests(dataset)),
            *((r.rolled_back_at, r.month, r.release) for r in self.rollbacks(dataset)),
        ]
        became.sort(
            key=lambda each: datetime.fromisoformat(each[0])
        )  # what has one time stays in the order of names
        found = {
            month: release
            for at, month, release in became
            if datetime.fromisoformat(at) <= when and release not in gone
        }
        return dict(sorted(found.items()))

    def current(self, dataset: str) -> dict[str, str]:
        """The release of each month that is current by what is on record now, the earliest month first."""
        return self.current_at(dataset, datetime.max.replace(tzinfo=UTC))

    def timestamps(self, dataset: str) -> tuple[datetime, ...]:
        """When anything is known to have happened to a dataset, in whole seconds: each is later than all that was on record
        before it."""
        return self.timestamp_record(dataset).timestamps

    def timestamp_record(self, dataset: str) -> TimestampRecord:
        """When anything happened to a dataset, by the signed documents alone: a release whose cells were damaged since
        has its moment, and the time of change of a file says nothing."""
        dated, lacking = [], False
        for name in self.names(dataset):
            try:
                dated.append(self._signed_manifest(dataset, name).published_at)
                if layout.erratum_file(self.directory, dataset, name).exists():
                    dated.append(read_erratum(self.directory, dataset, name, self.verify).withdrawn_at)
            except (ReleaseDamaged, ManifestMalformed, OSError):
                lacking = True
        back = self.rollbacks(dataset)
        dated += [rollback.rolled_back_at for rollback in back]
        lacking |= len(back) < len(layout.rollback_files(self.directory, dataset))
        moments = sorted(ceil_to_second(datetime.fromisoformat(at)) for at in dated)
        return TimestampRecord(tuple(moments), is_complete=not lacking)

    def _signed_manifest(self, dataset: str, name: str) -> Manifest:
        """What a release was signed with, whatever has become of its other files."""
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
        """Why a release was withdrawn; None where it was not."""
        return erratum_of(self.directory, dataset, name, self.verify)

    def errata(self, dataset: str) -> tuple[Erratum, ...]:
        """Every erratum, by month and revision of what was withdrawn."""
        return errata(self.directory, dataset, self.verify)
