"""Taking back a release that should not be used.

It stays where it is; a signed erratum beside it says why, and readers refuse it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from datasets.build.publication import flush, only_builder, point, publish_signed
from datasets.build.seal import Seal
from datasets.definition import Dataset
from datasets.refusal import Refusal, nearest, shown
from datasets.release import layout
from datasets.release.errata import Erratum


class CannotWithdraw(Refusal):
    """A release that is not there, or was withdrawn before; or a reason that says nothing."""


def withdraw(
    releases: Path, private: Path, dataset: Dataset, release: str, reason: str, seal: Seal, now: datetime
) -> str | None:
    """Withdraw a release; gives the release that is current for its month from now on, if there is one.

    The spend stays in the ledger. The act is on record first; the erratum is there before the pointer moves, so no
    reader serves the release after this returns. Raises CannotWithdraw, BuildUnderWay.
    """
    with only_builder(private):
        names = layout.release_names(releases, dataset.name)
        if release not in names:
            raise CannotWithdraw(
                f"{dataset.name} has no release {shown(release)!r}; it has {', '.join(names) or 'none'}",
                parameter="release",
                value=release,
                suggestions=nearest(release, names),
            )
        month = release.split(".", maxsplit=1)[0]
        path = layout.erratum_file(releases, dataset.name, release)
        if path.exists() and _pointed(releases, dataset, month) == release:
            return _point_elsewhere(releases, dataset, month)  # an earlier withdrawal was cut off half-way
        if path.exists():
            raise CannotWithdraw(
                f"{dataset.name} {release} was withdrawn already; its erratum is {path.name}"
            )
        if not (10 <= len(reason.strip()) <= 1000 and reason.isprintable()):
            raise CannotWithdraw(
                "a withdrawal needs a reason that researchers can use: a sentence of 10 to 1000 printable characters",
                parameter="reason",
                value=reason,
            )
        erratum = Erratum(
            dataset=dataset.name,
            release=release,
            month=month,
            withdrawn_at=now.isoformat(),
            reason=reason.strip(),
        )
        seal.record("release.withdrawn", f"{dataset.name}/{release}", reason.strip())
        publish_signed(path, erratum.model_dump_json(indent=1).encode() + b"\n", seal)
        return _point_elsewhere(releases, dataset, month)


def _pointed(releases: Path, dataset: Dataset, month: str) -> str:
    pointer = layout.pointer_file(releases, dataset.name, month)
    return pointer.read_text().strip() if pointer.is_file() else ""


def _point_elsewhere(releases: Path, dataset: Dataset, month: str) -> str | None:
    """Let the month's pointer name the latest release that is not withdrawn, or nothing."""
    pointer = layout.pointer_file(releases, dataset.name, month)
    gone = layout.withdrawn(releases, dataset.name, month)
    names = [n for n in layout.release_names(releases, dataset.name) if n.startswith(f"{month}.")]
    good = [name for name in names if name not in gone]
    named = _pointed(releases, dataset, month)
    if named in good:
        return named
    if good:
        point(pointer, good[-1])
        return good[-1]
    pointer.unlink(missing_ok=True)
    flush(pointer.parent)
    return None
