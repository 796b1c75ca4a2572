"""Whole releases of neighbouring inputs, compared place by place: nothing but noise may tell them apart.

Each input is built twice. A place that is not declared to vary must be the same in all builds; one that is must not be the
same in both builds of an input and different between inputs: then it moves with the events, and not with the noise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq

from datasets.definition import Dataset
from datasets.pipeline import run
from datasets.pipeline.audit.attack import MONTH, bounded_rows
from datasets.pipeline.audit.fingerprint import NOISY_PLACES, Fingerprint, make_fingerprint
from datasets.pipeline.audit.neighbours import Row, canaries, crowd, write_events
from datasets.pipeline.audit.verdict import Verdict
from datasets.pipeline.measurement.noise import noisy_cells
from datasets.pipeline.planning.budget import budget_of
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.provenance import load_salt
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.privacy.axis import Floats
from datasets.privacy.ledger import Caps
from datasets.privacy.residuals import Integers, Noise
from datasets.release.format import layout

FILES = "files tell"
REPLAY = "cells are noisy"

_NOW = datetime(2026, 7, 1, tzinfo=UTC)
_CLIPPED_SHARES = (None, 0.0, 1.0)
"""Shares that noise drowns or that are cut off: the same in many builds, whatever the input."""


@dataclass(frozen=True)
class BuiltRelease:
    """One release as the public sees it, with what only the build knows: how its cells differ from noisy ones."""

    fingerprint: Fingerprint
    deviation: float


def compare_releases(dataset: Dataset, noise: Noise) -> list[Verdict]:
    """Build the crowd with and without a canary far over every cap and with rows that do not fit, twice each."""
    people = crowd(dataset, MONTH)
    guests = {canary.name: canary.rows for canary in canaries(dataset, MONTH)}
    guest = (*guests["far over every cap"], *guests["rows that do not fit"])
    sides = [
        [build_release_of(dataset, rows, noise) for _ in range(2)] for rows in (people, (*people, *guest))
    ]
    telling = sorted(differing_places([[built.fingerprint for built in side] for side in sides]))
    strayed = max(built.deviation for side in sides for built in side)
    return [
        Verdict("whole releases", FILES, len(telling), 0, 0, "; ".join(telling[:3])),
        Verdict(
            "whole releases",
            REPLAY,
            strayed,
            0,
            0,
            "" if strayed == 0 else "a released number is none of the noisy ones",
        ),
    ]


def differing_places(sides: list[list[Fingerprint]]) -> Iterator[str]:
    """The places that tell one input from the other."""
    everything = [facts for side in sides for facts in side]
    for place in dict.fromkeys(place for facts in everything for place in facts):
        if not all(place in facts for facts in everything):
            yield f"{place} (not in every build)"
            continue
        each = [[facts[place] for facts in side] for side in sides]
        flat = [fact for side in each for fact in side]
        if NOISY_PLACES.fullmatch(place) is None:
            if any(fact != flat[0] for fact in flat):
                yield place
        elif each[0][0] != each[1][0] and all(s[0] == s[1] and s[0] not in _CLIPPED_SHARES for s in each):
            yield f"{place} (moves with the events only)"


def build_release_of(dataset: Dataset, rows: tuple[Row, ...], noise: Noise) -> BuiltRelease:
    """One release by the whole build, in a deployment of its own, and everything that was said meanwhile."""
    drawn: list[Integers] = []

    def recorded(scales: Floats) -> Integers:
        drawn.append(noise(scales))
        return drawn[-1]

    with TemporaryDirectory() as name:
        home = Path(name)
        events = write_events(home / "events", dataset, MONTH, rows)
        seal = ReleaseSigner(lambda text: sha256(text).hexdigest(), lambda text, signature: None)
        caps = Caps(month=dataset.rho_of_release, year=12 * dataset.rho_of_release)
        with (
            captured_output() as words,
            closing(LedgerStore(f"sqlite:///{home / 'ledger.sqlite'}", caps)) as ledger,
        ):
            context = BuildContext(
                home / "releases", home / "private", ledger, seal, now=lambda: _NOW, on_step=words.append
            )
            folder = run.build_release(dataset, MONTH, events, context, noise=recorded)
        facts = make_fingerprint(context.releases, dataset)
        facts |= {f"said: {n}": line.replace(name, "") for n, line in enumerate(words)}
        budget = budget_of(dataset, MONTH)
        replay = iter(drawn)
        cells = noisy_cells(
            budget, bounded_rows(budget, rows, load_salt(context.private)), lambda scales: next(replay)
        )
        return BuiltRelease(facts, _largest_deviation(folder / layout.CELLS, {
            measure: np.concatenate([tables[c].values.ravel() for c in budget.cuboids if c in tables])
            for measure, tables in cells.measures.items()
        }))  # fmt: skip


def _largest_deviation(path: Path, noisy: dict[str, Floats]) -> float:
    """The farthest that a released number lies from the noisy one it should be; infinite where there are more or fewer."""
    table = pq.read_table(path, columns=list(noisy))
    released = {name: table[name].drop_null().to_numpy() for name in noisy}
    if any(released[name].shape != values.shape for name, values in noisy.items()):
        return float("inf")
    return max(float(np.abs(released[name] - values).max()) for name, values in noisy.items())


@contextmanager
def captured_output() -> Iterator[list[str]]:
    """All that is logged or printed in the block, line by line."""
    words: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            words.append(f"{record.name}: {record.getMessage()}")

    root, listener = logging.getLogger(), Listener(level=logging.NOTSET)
    level, printed = root.level, StringIO()
    root.addHandler(listener)
    root.setLevel(logging.NOTSET)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield words
    finally:
        root.setLevel(level)
        root.removeHandler(listener)
        words += printed.getvalue().splitlines()
