"""Checkpoints: the progress of a build, kept in the private folder, so that the same command resumes it after a crash.

A reservation is good for one release. Resuming it is safe for two reasons. The interrupted build published nothing. And each
draw of noise that can ever be seen is made once: noisy cells are first saved to the checkpoint, atomically, and what is
staged or published is read from there. A draw that was not saved is lost with its process; a saved one is used again
unchanged (docs/decisions/0010).

A checkpoint belongs to one input, declaration, version and correction. If any of them has changed, the checkpoint can only be
given up, and its reservation, which stays counted, cannot be used any more. That is done on request only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.pipeline.engine.job import Counted, Counts, InputIdentity, RowTotals
from datasets.pipeline.engine.kernel import PartialCounts
from datasets.pipeline.measurement.noise import NoisyCells
from datasets.pipeline.planning.budget import Budget
from datasets.pipeline.state.files import UNFINISHED_NAME, flush, replace_file
from datasets.pipeline.state.provenance import code_hash, lock_hash
from datasets.privacy.ledger import Entry, open_reservations
from datasets.privacy.residuals import NoisyTable

_STATE_FILE, _COUNTS_FILE, _NOISY_PREFIX = "state.json", "counts.npz", "noisy"
_INPUT = "events"
Array = NDArray[np.generic]
Tables = Mapping[str, Mapping[Cuboid, Array]]
Identity = Mapping[str, str]
"""What an interrupted build and the build that resumes it must have in common: a salted hash by name."""


class Checkpoint:
    """The progress of the build of one dataset and month. The caller holds the builders' lock."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        """Use what is in `folder` if it has the same `identity`; otherwise delete it and start anew.

        A file that was still being written when its build died is removed here, before noise is drawn again, since it may
        contain noise.
        """
        self.folder = folder
        self._saved_counts: Counts | None = None
        self._state: dict[str, object] = {"identity": identity, "parts": 0, "reservation": ""}
        found = _load_state(folder)
        if found.get("identity") == identity:
            self._state = found
            for path in folder.iterdir():
                if UNFINISHED_NAME.fullmatch(path.name):
                    path.unlink()
            flush(folder)
        else:
            self.clear()
            folder.mkdir(mode=0o700, parents=True)
            for parent in folder.parents[:3]:  # each folder between the private folder and this one
                flush(parent)
            self._save()

    @property
    def partitions(self) -> Path:
        return self.folder / "buckets"

    @property
    def parts(self) -> int:
        """The number of parts of the input that are in the partitions."""
        return int(str(self._state["parts"]))

    def save_parts(self, number: int) -> None:
        """Flush the part of the input that was put into the partitions last, and record that the first `number` parts are
        there."""
        part = self.partitions / f"part-{number - 1:05d}"
        for path in (
            *part.rglob("*"),
            part,
            self.partitions,
            self.folder,
        ):  # a file is lost if its folders are not flushed
            flush(path)
        self._save(parts=number)

    def find_reservation(self, entries: tuple[Entry, ...]) -> Entry | None:
        """The reservation to resume: the one that this build made, if it is in the ledger and open; otherwise None."""
        return _find_open_reservation(self._state, entries)

    def find_published_release(self, entries: tuple[Entry, ...]) -> str | None:
        """The name of the release that this build published before it was interrupted, according to the ledger, or None."""
        reserved = next(
            (e for e in entries if e.state == "reserved" and e.hash == self._state["reservation"]), None
        )
        committed = (
            e for e in entries if e.state == "committed" and reserved is not None and e.of == reserved.seq
        )
        return next((entry.release for entry in committed), None)

    def save_reservation(self, entry: Entry) -> None:
        """Record the entry before it is appended to the ledger, so that a crash right after that does not lose it.

        Its hash covers the whole chain before it, so no other build can have the same entry.
        """
        self._save(reservation=entry.hash)

    def save_counts(self, counts: PartialCounts) -> None:
        """Save the counts of the first partitions and their number in one file, so that no partition is counted twice."""
        numbers = np.array([counts.kept, counts.repeats, counts.partitions])
        _save_arrays(
            self.folder / _COUNTS_FILE, {**_flatten_tables({"counts": counts.counts}), "numbers": numbers}
        )
        self._saved_counts = counts.counts

    def restore_counts(self) -> PartialCounts | None:
        """The counts that `save_counts` saved last, or None."""
        found = _load_arrays(self.folder / _COUNTS_FILE)
        if found is None or "numbers" not in found:
            return None
        kept, repeats, partitions = (int(number) for number in found["numbers"])
        self._saved_counts = _counts(found)
        return PartialCounts(self._saved_counts, kept, repeats, partitions)

    def save_counted(self, counted: Counted) -> None:
        """Save that counting is complete, so that a build that is resumed after this does not read its events again.

        The tables are not written again if they are those of the last `save_counts`.
        """
        if counted.counts is not self._saved_counts:
            _save_arrays(self.folder / _COUNTS_FILE, _flatten_tables({"counts": counted.counts}))
        self._save(counted=asdict(counted.totals))

    def find_counted(self, identity: InputIdentity) -> Counted | None:
        """What was counted from the input of this identity before the build was interrupted; None if it is not complete."""
        totals, found = self._state.get("counted"), _load_arrays(self.folder / _COUNTS_FILE)
        if not isinstance(totals, dict) or found is None:
            return None
        return Counted(_counts(found), RowTotals(**totals), identity)

    def noisy_cells(self, reserved: Entry, draw: Callable[[], NoisyCells]) -> NoisyCells:
        """The noisy cells of this reservation. They are saved under its hash, so that no two releases share noise.

        `draw` is called only if none are saved.
        """
        path = self.folder / f"{_NOISY_PREFIX}-{reserved.hash}.npz"
        if not path.exists():
            cells = draw()
            kinds = {"measures": cells.measures, "wide": cells.wide}
            plain = {
                kind: {name: {c: t.values for c, t in tables.items()} for name, tables in found.items()}
                for kind, found in kinds.items()
            }
            _save_arrays(path, _flatten_tables(plain))
        found = _load_arrays(path)
        assert found is not None
        return NoisyCells(*(_noisy_tables(_unflatten_tables(found, kind)) for kind in ("measures", "wide")))

    def clear(self) -> None:
        """Delete the checkpoint: its release is published, or will never be."""
        if not self.folder.exists():
            return
        # first, so that a folder that is deleted only in part is not resumed
        (self.folder / _STATE_FILE).unlink(missing_ok=True)
        flush(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        flush(self.folder.parent)

    def _save(self, **changed: object) -> None:
        self._state = {**self._state, **changed}
        replace_file(self.folder / _STATE_FILE, json.dumps(self._state).encode(), "checkpoint")


def checkpoint_folder(private: Path, dataset: str, month: str) -> Path:
    return private / "building" / dataset / month


def build_identity(budget: Budget, input_hash: str, correction: str, salt: str) -> Identity:
    """The identity of a build, by which its checkpoint is found again. `input_hash` is already salted."""
    parts = {
        "declaration": budget.hash + repr(budget.dataset),
        "installed version": code_hash() + lock_hash(),
        "correction": correction,
    }
    hashes = {
        name: hmac.new(salt.encode(), f"{name}\n{text}".encode(), hashlib.sha256).hexdigest()
        for name, text in parts.items()
    }
    return {_INPUT: input_hash, **hashes}


def find_conflict(
    folder: Path, identity: Identity, entries: tuple[Entry, ...]
) -> tuple[Entry, tuple[str, ...]] | None:
    """The open reservation of an interrupted build with another identity, and the names of what differs.

    None if a build with `identity` gives up no reservation.
    """
    state = _load_state(folder)
    found, before = _find_open_reservation(state, entries), state.get("identity")
    if found is None or before == identity:
        return None
    known = before if isinstance(before, dict) else {}
    return found, tuple(name for name in identity if known.get(name) != identity[name])


def resumable_inputs(private: Path) -> dict[str, str]:
    """The hashes of the reservations that checkpoints in this private folder hold, each with the salted hash of its input."""
    states = (_load_state(path.parent) for path in (private / "building").glob(f"*/*/{_STATE_FILE}"))
    return {str(state["reservation"]): _input_hash(state) for state in states if state.get("reservation")}


def _input_hash(state: Mapping[str, object]) -> str:
    identity = state["identity"]
    return str(identity.get(_INPUT, "")) if isinstance(identity, dict) else ""


def _find_open_reservation(state: Mapping[str, object], entries: tuple[Entry, ...]) -> Entry | None:
    return next((e for e in open_reservations(entries) if e.hash == state.get("reservation")), None)


def _load_state(folder: Path) -> dict[str, object]:
    try:
        found = json.loads((folder / _STATE_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"identity", "parts", "reservation"} <= found.keys() else {}


def _flatten_tables(kinds: Mapping[str, Tables]) -> dict[str, Array]:
    return {
        json.dumps([kind, name, cuboid]): values
        for kind, tables in kinds.items()
        for name, of_name in tables.items()
        for cuboid, values in of_name.items()
    }


def _unflatten_tables(arrays: Mapping[str, Array], kind: str) -> dict[str, dict[Cuboid, Array]]:
    tables: dict[str, dict[Cuboid, Array]] = {}
    for key, values in arrays.items():
        if key.startswith("["):
            found, name, cuboid = json.loads(key)
            if found == kind:
                tables.setdefault(name, {})[tuple(cuboid)] = values
    return tables


def _noisy_tables(tables: Tables) -> dict[str, dict[Cuboid, NoisyTable]]:
    return {
        name: {c: NoisyTable(values.astype(np.float64, copy=False)) for c, values in of_name.items()}
        for name, of_name in tables.items()
    }


def _counts(arrays: Mapping[str, Array]) -> Counts:
    return {
        name: {c: values.astype(np.int64, copy=False) for c, values in of_name.items()}
        for name, of_name in _unflatten_tables(arrays, "counts").items()
    }


def _save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    content = BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    replace_file(path, content.getbuffer(), "checkpoint")  # a view: no second copy in memory


def _load_arrays(path: Path) -> dict[str, Array] | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as found:
        return dict(found)
