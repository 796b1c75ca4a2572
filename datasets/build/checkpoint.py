"""Checkpoints: how far a build has come, in the private folder, so that the same command goes on after a crash.

A reservation is good for one release. Going on with it is safe because nothing of the build that died was published, and
because noise is drawn at most once where anybody could ever see it: noisy cells leave the process first into the
checkpoint, whole or not at all, and whatever is staged or published comes from there. A draw that was never written down
died with its process; one that was written down is used again as it is (docs/decisions/0010).

A checkpoint belongs to one input, plan, declaration, code and reason. Where any of them has changed it is thrown away,
and with it the right to its reservation, which stays counted.
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

from datasets.build.budget import Budget
from datasets.build.counting import Counter
from datasets.build.noisy import NoisyCells
from datasets.build.provenance import code_hash, lock_hash
from datasets.build.publication import flush, replace_file
from datasets.definition import Cuboid
from datasets.privacy.ledger import Entry
from datasets.privacy.residuals import NoisyTable

_STATE, _COUNTED, _NOISY = "state.json", "counted.npz", "noisy"
Tables = Mapping[str, Mapping[Cuboid, NDArray[np.float64]]]


class Checkpoint:
    """How far the build of one dataset and month has come. Whoever makes one holds the builders' lock."""

    def __init__(self, folder: Path, identity: str) -> None:
        """Take up what lies in `folder` where it is of the same `identity`; else throw it away and begin anew."""
        self.folder = folder
        self._state: dict[str, object] = {"identity": identity, "parts": 0, "reservation": ""}
        found = _state(folder)
        if found.get("identity") == identity:
            self._state = found
        else:
            self.clear()
            folder.mkdir(mode=0o700, parents=True)
            self._save()

    @property
    def buckets(self) -> Path:
        return self.folder / "buckets"

    @property
    def parts(self) -> int:
        """How many parts of the input are in the buckets."""
        return int(str(self._state["parts"]))

    def keep_parts(self, number: int) -> None:
        """The first so many parts of the input are in the buckets, and on the disk."""
        for path in (self.buckets / f"part-{number - 1:05d}").rglob("*"):
            flush(path)
        self._save(parts=number)

    def reservation(self, entries: tuple[Entry, ...]) -> Entry | None:
        """The reservation to go on with: the one that this build asked for, where it stands in the ledger and is open."""
        closed = {entry.of for entry in entries}
        open_ = (e for e in entries if e.state == "reserved" and e.seq not in closed)
        return next((entry for entry in open_ if entry.hash == self._state["reservation"]), None)

    def is_of(self, entry: Entry) -> bool:
        """Whether this entry is the reservation that this build asked for."""
        return entry.hash == self._state["reservation"]

    def expect(self, entry: Entry) -> None:
        """Write down the very entry that is about to be appended: a crash right after it must not lose it.

        Its hash covers the whole chain before it and the time, so no other build's entry can be taken for it.
        """
        self._save(reservation=entry.hash)

    def keep_counts(self, counter: Counter, buckets: int) -> None:
        """Of so many buckets all rows are counted, in one file with their number: no bucket counts twice."""
        arrays = _arrays({"counts": counter.counts})
        _write(self.folder / _COUNTED, {**arrays, "buckets": np.array(buckets)})

    def counted(self, counter: Counter) -> int:
        """Put into the counter what was counted; gives the number of buckets that need no counting."""
        found = _read(self.folder / _COUNTED)
        if found is None:
            return 0
        for measure, tables in _tables(found, "counts").items():
            counter.counts[measure] = dict(tables)
        return int(found["buckets"])

    def noisy(self, reserved: Entry, drawn: Callable[[], NoisyCells]) -> NoisyCells:
        """The noisy cells that were drawn for this reservation, and for no other: no two releases share noise.

        `drawn` is called only where none were kept.
        """
        path = self.folder / f"{_NOISY}-{reserved.hash}.npz"
        if not path.exists():
            cells = drawn()
            kinds = {"measures": cells.measures, "wide": cells.wide}
            plain = {
                kind: {name: {c: t.values for c, t in tables.items()} for name, tables in found.items()}
                for kind, found in kinds.items()
            }
            _write(path, _arrays(plain))
        found = _read(path)
        assert found is not None
        return NoisyCells(*(_noisy(_tables(found, kind)) for kind in ("measures", "wide")))

    def clear(self) -> None:
        """Throw away everything: the release is out, or nothing will come of it."""
        (self.folder / _STATE).unlink(missing_ok=True)  # first: a folder half gone must not be gone on from
        shutil.rmtree(self.folder, ignore_errors=True)

    def _save(self, **changed: object) -> None:
        self._state = {**self._state, **changed}
        replace_file(self.folder / _STATE, json.dumps(self._state).encode(), "checkpoint")


def checkpoint_folder(private: Path, dataset: str, month: str) -> Path:
    return private / "building" / dataset / month


def identity_of(budget: Budget, input_hash: str, correction: str, salt: str) -> str:
    """What a checkpoint must have in common with a build that goes on from it, as one salted hash."""
    told = [input_hash, budget.hash, repr(budget.dataset), code_hash(), lock_hash(), correction]
    return hmac.new(salt.encode(), json.dumps(told).encode(), hashlib.sha256).hexdigest()


def held_reservations(private: Path) -> frozenset[str]:
    """The hashes of the ledger entries that builds which died may still be gone on with."""
    states = (_state(path.parent) for path in (private / "building").glob(f"*/*/{_STATE}"))
    return frozenset(str(state["reservation"]) for state in states if state.get("reservation"))


def _state(folder: Path) -> dict[str, object]:
    try:
        found = json.loads((folder / _STATE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"identity", "parts", "reservation"} <= found.keys() else {}


def _arrays(kinds: Mapping[str, Tables]) -> dict[str, NDArray[np.float64]]:
    return {
        json.dumps([kind, name, cuboid]): values
        for kind, tables in kinds.items()
        for name, of_name in tables.items()
        for cuboid, values in of_name.items()
    }


def _tables(
    arrays: Mapping[str, NDArray[np.float64]], kind: str
) -> dict[str, dict[Cuboid, NDArray[np.float64]]]:
    tables: dict[str, dict[Cuboid, NDArray[np.float64]]] = {}
    for key, values in arrays.items():
        if key.startswith("["):
            found, name, cuboid = json.loads(key)
            if found == kind:
                tables.setdefault(name, {})[tuple(cuboid)] = values
    return tables


def _noisy(tables: Tables) -> dict[str, dict[Cuboid, NoisyTable]]:
    return {
        name: {c: NoisyTable(values) for c, values in of_name.items()} for name, of_name in tables.items()
    }


def _write(path: Path, arrays: Mapping[str, NDArray[np.float64]]) -> None:
    content = BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    replace_file(path, content.getvalue(), "checkpoint")


def _read(path: Path) -> dict[str, NDArray[np.float64]] | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as found:
        return dict(found)
