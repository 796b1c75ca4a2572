"""Verification finds changed files, foreign releases, and a ledger that was set back."""

import shutil
from contextlib import contextmanager

import pytest

from datasets.period import Month
from datasets.pipeline.operations.verification import ensure_ledger_matches, ensure_releases
from datasets.privacy.ledger import LedgerBroken
from datasets.refusal import Refusal
from datasets.release.format import layout
from datasets.release.format.verification import ReleaseDamaged
from tests.datasets.pipeline.interruptions import AGAIN
from tests.datasets.pipeline.small_deployment import BUSY, SmallDeployment
from tests.datasets.release.small_release import verify


@contextmanager
def flipped_bit(path):
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[len(broken) // 2] ^= 1
    path.write_bytes(broken)
    yield
    path.write_bytes(whole)


@pytest.fixture
def harvest(tmp_path):
    made = SmallDeployment(tmp_path / "harvest").put(BUSY)
    yield made
    made.ledger.close()


def test_verification_finds_any_changed_file_and_any_foreign_release(harvest):
    folder = harvest.build()
    root = harvest.folder / "releases"
    for name in ("cells.parquet", "codebook.json", "manifest.json", "manifest.jws"):
        with flipped_bit(folder / name), pytest.raises((ReleaseDamaged, LedgerBroken)):
            ensure_releases(root, verify, harvest.ledger)
    assert ensure_releases(root, verify, harvest.ledger) == 1
    other = SmallDeployment(harvest.folder.parent / "other").put(BUSY, Month(2026, 7))
    assert other.states == []
    with pytest.raises(LedgerBroken, match="was set back, cut, or is another's"):
        ensure_releases(root, verify, other.ledger)
    (root / "ledger").unlink()
    with pytest.raises(LedgerBroken, match="missing or was changed"):
        ensure_releases(root, verify, other.ledger)


def test_the_ledger_check_finds_a_release_that_vanished(harvest):
    folder = harvest.build()
    folder.rename(harvest.folder / "gone")
    with pytest.raises(LedgerBroken, match="it is gone"):
        ensure_ledger_matches(harvest.folder / "releases", verify, harvest.ledger)


def test_a_build_with_a_ledger_that_was_set_back_is_refused(deployment, tmp_path):
    """An older copy of the ledger was restored: what was spent since is published, and must not be spent again."""
    deployment.build()
    deployment.ledger.close()
    ledger = deployment.folder / "ledger.sqlite"
    older = ledger.read_bytes()
    deployment.build(correction=AGAIN)
    deployment.ledger.close()
    ledger.write_bytes(older)
    for leftover in deployment.folder.glob("ledger.sqlite-*"):
        leftover.unlink()
    published = deployment.published_files
    for act in (
        lambda: deployment.build(correction=AGAIN),
        lambda: ensure_ledger_matches(deployment.folder / "releases", verify, deployment.ledger),
        lambda: ensure_releases(deployment.folder / "releases", verify, deployment.ledger),
    ):
        with pytest.raises(Refusal, match="was set back, cut, or is another's"):
            act()
    (deployment.folder / "releases" / "ledger").unlink()  # the manifests refer to the missing entry too
    with pytest.raises(Refusal, match="was made from ledger entry 3, which is missing or was changed since"):
        deployment.build(correction=AGAIN)
    assert deployment.states == ["reserved", "committed"]
    assert deployment.published_files == [name for name in published if name != "ledger"]


def test_a_ledger_that_was_set_back_is_refused_before_it_is_published(deployment, tmp_path):
    deployment.build()
    deployment.ledger.close()
    older = shutil.copy(deployment.folder / "ledger.sqlite", tmp_path / "older.sqlite")
    deployment.build(correction=AGAIN)
    published = layout.ledger_file(deployment.context.releases).read_bytes()
    deployment.ledger.close()
    for rest in ("-wal", "-shm"):
        (deployment.folder / f"ledger.sqlite{rest}").unlink(missing_ok=True)
    shutil.copy(older, deployment.folder / "ledger.sqlite")
    with pytest.raises(LedgerBroken, match="set back"):
        deployment.build(correction=AGAIN)
    assert layout.ledger_file(deployment.context.releases).read_bytes() == published
