"""Checkpoints: how far a build has come, in the private folder, so that the same command goes on after a crash.

A reservation is good for one release. Going on with it is safe because nothing of the build that died was published, and
because noise is drawn at most once where anybody could ever see it: noisy cells leave the process first into the
checkpoint, whole or not at all, and whatever is staged or published comes from there. A draw that was never written down
died with its process; one that was written down is used again as it is (docs/decisions/0010).

A checkpoint belongs to one input, declaration, version and reason. Where any of them has changed it can only be given up,
and with it the right to its reservation, which stays counted: that is done when it is asked for, and never in silence.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid
from datasets.pipeline.engine.counting import Counter
from datasets.pipeline.measurement.noise import NoisyCells
from datasets.pipeline.planning.budget import Budget
from datasets.pipeline.state.files import UNFINISHED_NAME, flush, replace_file
from datasets.pipeline.state.provenance import code_hash, lock_hash
from datasets.privacy.ledger import Entry, open_reservations
from datasets.privacy.residuals import NoisyTable

_STATE_FILE, _COUNTS_FILE, _NOISY_PREFIX = "state.json", "counted.npz", "noisy"
_INPUT = "events"
Tables = Mapping[str, Mapping[Cuboid, NDArray[np.float64]]]
Identity = Mapping[str, str]
"""What a build and one that goes on from it must have in common, by name: salted hashes."""


class Checkpoint:
    """How far the build of one dataset and month has come. Whoever makes one holds the builders' lock."""

    def __init__(self, folder: Path, identity: Identity) -> None:
        """Take up what lies in `folder` where it is of the same `identity`; else throw it away and begin anew.

        A file that was being written when its build died is removed here, before anything new is drawn: it may hold noise.
        """
        self.folder = folder
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
            for parent in folder.parents[:3]:  # down from the private folder
                flush(parent)
            self._save()

    @property
    def buckets(self) -> Path:
        return self.folder / "buckets"

    @property
    def parts(self) -> int:
        """How many parts of the input are in the buckets."""
        return int(str(self._state["parts"]))

    def save_parts(self, number: int) -> None:
        """The first so many parts of the input are in the buckets, and on the disk."""
        part = self.buckets / f"part-{number - 1:05d}"
        for path in (*part.rglob("*"), part, self.buckets, self.folder):  # a file is lost without its folders
            flush(path)
        self._save(parts=number)

    def find_reservation(self, entries: tuple[Entry, ...]) -> Entry | None:
        """The reservation to go on with: the one that this build asked for, where it stands in the ledger and is open."""
        return _find_open_reservation(self._state, entries)

    def find_published_release(self, entries: tuple[Entry, ...]) -> str | None:
        """The release that this build has brought out before it died, as the ledger has it since; None where it has not."""
        asked = next(
            (e for e in entries if e.state == "reserved" and e.hash == self._state["reservation"]), None
        )
        committed = (e for e in entries if e.state == "committed" and asked is not None and e.of == asked.seq)
        return next((entry.release for entry in committed), None)

    def save_reservation(self, entry: Entry) -> None:
        """Write down the very entry that is about to be appended: a crash right after it must not lose it.

        Its hash covers the whole chain before it, so it is the entry of this build and no other's of this private folder.
        """
        self._save(reservation=entry.hash)

    def save_counts(self, counter: Counter, buckets: int) -> None:
        """Of so many buckets all rows are counted, in one file with their number: no bucket counts twice."""
        arrays = _flatten_tables({"counts": counter.counts})
        _save_arrays(self.folder / _COUNTS_FILE, {**arrays, "buckets": np.array(buckets)})

    def restore_counts(self, counter: Counter) -> int:
        """Put into the counter what was counted; gives the number of buckets that need no counting."""
        found = _load_arrays(self.folder / _COUNTS_FILE)
        if found is None:
            return 0
        for measure, tables in _unflatten_tables(found, "counts").items():
            counter.counts[measure] = dict(tables)
        return int(found["buckets"])

    def noisy_cells(self, reserved: Entry, draw: Callable[[], NoisyCells]) -> NoisyCells:
        """The noisy cells that were drawn for this reservation, and for no other: no two releases share noise.

        `drawn` is called only where none were kept.
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
        """Throw away everything: the release is out, or nothing will come of it."""
        if not self.folder.exists():
            return
        (self.folder / _STATE_FILE).unlink(
            missing_ok=True
        )  # first: a folder half gone must not be gone on from
        flush(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        flush(self.folder.parent)

    def _save(self, **changed: object) -> None:
        self._state = {**self._state, **changed}
        replace_file(self.folder / _STATE_FILE, json.dumps(self._state).encode(), "checkpoint")


def checkpoint_folder(private: Path, dataset: str, month: str) -> Path:
    return private / "building" / dataset / month


def build_identity(budget: Budget, input_hash: str, correction: str, salt: str) -> Identity:
    """What a checkpoint must have in common with a build that goes on from it; `input_hash` is salted already."""
    told = {
        "declaration": budget.hash + repr(budget.dataset),
        "installed version": code_hash() + lock_hash(),
        "correction": correction,
    }
    hashes = {
        name: hmac.new(salt.encode(), f"{name}\n{text}".encode(), hashlib.sha256).hexdigest()
        for name, text in told.items()
    }
    return {_INPUT: input_hash, **hashes}


def find_conflict(
    folder: Path, identity: Identity, entries: tuple[Entry, ...]
) -> tuple[Entry, tuple[str, ...]] | None:
    """The open reservation of a build that was cut off and cannot be gone on with as this `identity`, with the names of
    what differs; None where nothing would be given up."""
    state = _load_state(folder)
    found, before = _find_open_reservation(state, entries), state.get("identity")
    if found is None or before == identity:
        return None
    known = before if isinstance(before, dict) else {}
    return found, tuple(name for name in identity if known.get(name) != identity[name])


def resumable_inputs(private: Path) -> dict[str, str]:
    """The hashes of the ledger entries that builds which died may still be gone on with, and the salted hash of the
    input of each."""
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


def _flatten_tables(kinds: Mapping[str, Tables]) -> dict[str, NDArray[np.float64]]:
    return {
        json.dumps([kind, name, cuboid]): values
        for kind, tables in kinds.items()
        for name, of_name in tables.items()
        for cuboid, values in of_name.items()
    }


def _unflatten_tables(
    arrays: Mapping[str, NDArray[np.float64]], kind: str
) -> dict[str, dict[Cuboid, NDArray[np.float64]]]:
    tables: dict[str, dict[Cuboid, NDArray[np.float64]]] = {}
    for key, values in arrays.items():
        if key.startswith("["):
            found, name, cuboid = json.loads(key)
            if found == kind:
                tables.setdefault(name, {})[tuple(cuboid)] = values
    return tables


def _noisy_tables(tables: Tables) -> dict[str, dict[Cuboid, NoisyTable]]:
    return {
        name: {c: NoisyTable(values) for c, values in of_name.items()} for name, of_name in tables.items()
    }


def _save_arrays(path: Path, arrays: Mapping[str, NDArray[np.float64]]) -> None:
    content = BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    replace_file(path, content.getvalue(), "checkpoint")


def _load_arrays(path: Path) -> dict[str, NDArray[np.float64]] | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as found:
        return dict(found)
