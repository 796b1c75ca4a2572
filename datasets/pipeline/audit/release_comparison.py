"""The comparison of whole releases of neighbouring inputs, place by place: they may differ in noise only.

Each input is built twice. A place that is not declared to vary must be the same in all builds. A place that is declared to
vary must not be the same in both builds of each input and different between the inputs: it would depend on the events, and
not on the noise.
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
from datasets.pipeline.audit.attack import MONTH, count_rows_of
from datasets.pipeline.audit.fingerprint import NOISY_PLACES, Fingerprint, make_fingerprint
from datasets.pipeline.audit.neighbours import Row, canaries, crowd, write_events
from datasets.pipeline.audit.verdict import Verdict
from datasets.pipeline.measurement.noise import add_noise
from datasets.pipeline.planning.budget import plan_budget
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
_REASON = "a canary sends many rows that do not fit"
_CLIPPED_SHARES = (None, 0.0, 1.0)
"""Values of shares that many builds have in common, whatever the input: unknown because of noise, or clipped."""


@dataclass(frozen=True)
class BuiltRelease:
    """The fingerprint of a release, and the largest deviation of its cells from the noisy cells that were computed again."""

    fingerprint: Fingerprint
    deviation: float


def compare_releases(dataset: Dataset, noise: Noise) -> list[Verdict]:
    """The verdicts on two builds each of the crowd, and of the crowd with a canary far over every cap and with invalid
    rows."""
    people = crowd(dataset, MONTH)
    rows_of = {canary.name: canary.rows for canary in canaries(dataset, MONTH)}
    added = (*rows_of["far over every cap"], *rows_of["rows that do not fit"])
    sides = [
        [build_release_of(dataset, rows, noise) for _ in range(2)] for rows in (people, (*people, *added))
    ]
    differing = sorted(differing_places([[built.fingerprint for built in side] for side in sides]))
    deviation = max(built.deviation for side in sides for built in side)
    return [
        Verdict("whole releases", FILES, len(differing), 0, 0, "; ".join(differing[:3])),
        Verdict(
            "whole releases",
            REPLAY,
            deviation,
            0,
            0,
            "" if deviation == 0 else "a released number is none of the noisy ones",
        ),
    ]


def differing_places(sides: list[list[Fingerprint]]) -> Iterator[str]:
    """The places that distinguish the inputs, given the fingerprints of the builds of each."""
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
    """Build a release in a temporary deployment; its fingerprint includes everything that the build logged or printed."""
    drawn: list[Integers] = []

    def recording_noise(scales: Floats) -> Integers:
        drawn.append(noise(scales))
        return drawn[-1]

    with TemporaryDirectory() as name:
        home = Path(name)
        events = write_events(home / "events", dataset, MONTH, rows)
        signer = ReleaseSigner(lambda text: sha256(text).hexdigest(), lambda text, signature: None)
        caps = Caps(month=dataset.rho_of_release, year=12 * dataset.rho_of_release)
        with (
            captured_output() as lines,
            closing(LedgerStore(f"sqlite:///{home / 'ledger.sqlite'}", caps)) as ledger,
        ):
            context = BuildContext(
                home / "releases", home / "private", ledger, signer, now=lambda: _NOW, on_step=lines.append
            )
            folder = run.build_release(
                dataset, MONTH, events, context, accept_misfits=_REASON, noise=recording_noise
            )
        facts = make_fingerprint(context.releases, dataset)
        facts |= {f"output: {n}": line.replace(name, "") for n, line in enumerate(lines)}
        budget = plan_budget(dataset, MONTH)
        replay = iter(drawn)
        counts = count_rows_of(budget, rows, load_salt(context.private))
        cells = add_noise(budget, counts, lambda scales: next(replay))
        return BuiltRelease(facts, _largest_deviation(folder / layout.CELLS, {
            measure: np.concatenate([tables[c].values.ravel() for c in budget.cuboids if c in tables])
            for measure, tables in cells.measures.items()
        }))  # fmt: skip


def _largest_deviation(path: Path, noisy: dict[str, Floats]) -> float:
    """The largest difference of a released number from its noisy number; infinite if their numbers differ."""
    table = pq.read_table(path, columns=list(noisy))
    released = {name: table[name].drop_null().to_numpy() for name in noisy}
    if any(released[name].shape != values.shape for name, values in noisy.items()):
        return float("inf")
    return max(float(np.abs(released[name] - values).max()) for name, values in noisy.items())


@contextmanager
def captured_output() -> Iterator[list[str]]:
    """Everything that is logged or printed inside the block, line by line."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.name}: {record.getMessage()}")

    root, listener = logging.getLogger(), Listener(level=logging.NOTSET)
    level, printed = root.level, StringIO()
    root.addHandler(listener)
    root.setLevel(logging.NOTSET)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(listener)
        lines += printed.getvalue().splitlines()
