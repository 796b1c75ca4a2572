"""Real builds of synthetic months in folders of their own, with noise or with none: what is estimated, and the truth."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from datasets.catalogue import DATASETS, find_dataset
from datasets.period import Month
from datasets.pipeline.events.synthetic import generate_events
from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.pipeline.run import build_release
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.privacy.ledger import Caps
from datasets.release.releases import Releases
from tests.datasets.release.small_release import sign, verify

ROWS = {"moderation": 60_000, "ads": 40_000, "recommendations": 40_000}


def events(folder: Path, dataset: str, month: str) -> Path:
    """The folder of the synthetic events of a month; the same for every build of it."""
    where = folder / "events"
    if not (where / dataset / month).exists():
        seed = int(month.replace("-", ""))
        generate_events(find_dataset(dataset), Month.parse(month), rows=ROWS[dataset], seed=seed, out=where)
    return where


def build(root: Path, raw: Path, dataset: str, month: str, noise=discrete_gaussian_noise) -> Path:
    """A release under `root`, of the events under `raw`."""
    with closing(
        LedgerStore(f"sqlite:///{root / 'ledger.sqlite'}", Caps(Fraction(1), Fraction(9)))
    ) as ledger:
        work = BuildContext(
            root / "releases",
            root / "private",
            ledger,
            ReleaseSigner(sign, verify),
            now=lambda: datetime(2026, 7, 15, tzinfo=UTC),
        )
        return build_release(find_dataset(dataset), Month.parse(month), raw, work, noise=noise)


def opened(root: Path) -> Releases:
    return Releases(root / "releases", root / "cache", verify, tuple(d.name for d in DATASETS))
