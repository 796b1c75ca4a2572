"""Tampering with published files is found by verification and by readers, and refused in one sentence; the current release stays
served."""

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict

import pytest

from datasets.pipeline.operations.rollback import roll_back
from datasets.pipeline.operations.verification import ensure_ledger_matches, ensure_releases
from datasets.pipeline.operations.withdrawal import withdraw
from datasets.pipeline.output.publication import publish_ledger
from datasets.privacy.ledger import LedgerBroken
from datasets.refusal import Refusal
from datasets.release.format.manifest import ManifestMalformed
from datasets.release.format.verification import ReleaseDamaged
from datasets.release.releases import Releases
from tests.datasets.pipeline.interruptions import PLENTY
from tests.datasets.pipeline.small_dataset import JUNE, tiny_dataset
from tests.datasets.pipeline.small_deployment import SmallDeployment, crates
from tests.datasets.release.small_release import verify

SEEDS = tiny_dataset()
REASON = "Crates were counted twice."
FLIPS, CUTS = 200, 20


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """Four revisions of June: the first withdrawn, the second rolled back to for a while, the last current."""
    made = SmallDeployment(tmp_path_factory.mktemp("tampering") / "deployment", PLENTY, SEEDS).put(
        crates(30, 10)
    )
    for _ in range(3):
        made.build(correction="counted again")
    withdraw(
        made.context.releases,
        made.ledger,
        SEEDS,
        "2026-06.1",
        REASON,
        made.context.signer,
        made.context.now(),
    )
    assert roll_back(made.context, SEEDS, JUNE, "2026-06.2", REASON) == "2026-06.3"
    made.build(correction="counted again")
    yield made
    made.ledger.close()


@pytest.fixture
def copy(deployment, tmp_path):
    """A copy of the published files, and a reader that has them open."""
    root = shutil.copytree(deployment.folder / "releases", tmp_path / "releases")
    opened = Releases(root, tmp_path / "cache", verify, (SEEDS.name,))
    assert opened.degraded == ()
    yield root, opened
    opened.close()


def published_files(root):
    """Every published file, including pointer and ledger."""
    return sorted(path for path in root.rglob("*") if path.is_file())


def ensure_refused(root, deployment):
    """`daylight release verify` refuses it in one sentence."""
    with pytest.raises((ReleaseDamaged, ManifestMalformed, LedgerBroken)) as refused:
        ensure_releases(root, verify, deployment.ledger)
    assert "\n" not in str(refused.value)
    assert str(root) not in str(refused.value)


def ensure_still_served(opened, degraded):
    opened.store.refresh()
    assert [release.name for release in opened.current(SEEDS.name)] == ["2026-06.4"]
    assert opened.ask(opened.question(SEEDS.name, [("measure", "crates")])).rows
    assert bool(opened.degraded) is degraded, opened.degraded
    assert all("\n" not in trouble for trouble in opened.degraded)


def is_reloaded(path):
    """Whether a reader that serves the current release reads this file again."""
    return path.parent.name == "2026-06.4" or path.name in {"2026-06.current", "ledger"}


def tamper(copy, deployment, path, damaged):
    root, opened = copy
    whole = path.read_bytes()
    path.write_bytes(damaged)
    ensure_refused(root, deployment)
    ensure_still_served(opened, is_reloaded(path))
    path.write_bytes(whole)


def test_each_of_two_hundred_flipped_bits_is_found_and_the_release_stays_served(copy, deployment):
    root, opened = copy
    chance = random.Random(1)
    paths = published_files(root)
    assert len(paths) == 4 * 4 + 4
    for number in range(FLIPS):
        path = paths[number % len(paths)]
        damaged = bytearray(path.read_bytes())
        if path.suffix == ".current":
            damaged = damaged.rstrip()  # a bit of the line's end says nothing
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        tamper(copy, deployment, path, bytes(damaged))
    ensure_still_served(opened, degraded=False)
    assert ensure_releases(root, verify, deployment.ledger) == 4


def test_each_of_twenty_truncations_is_found_and_the_release_stays_served(copy, deployment):
    root, opened = copy
    chance = random.Random(2)
    paths = published_files(root)
    for number in range(CUTS):
        path = paths[number % len(paths)]
        whole = path.read_bytes()
        most = len(whole.rstrip())  # without its last line's end it is still the same
        tamper(copy, deployment, path, whole[: chance.randrange(most)])
    ensure_still_served(opened, degraded=False)
    assert ensure_releases(root, verify, deployment.ledger) == 4


def test_a_pointer_to_a_valid_release_that_is_not_current_is_found(copy, deployment):
    root, _ = copy
    (root / "seeds" / "2026-06.current").write_text("2026-06.3\n")
    with pytest.raises(
        ReleaseDamaged, match=r"names 2026-06.3, but 2026-06.4 was published or rolled back to last"
    ):
        ensure_releases(root, verify, deployment.ledger)


@pytest.mark.parametrize("name", ["cells.parquet", "manifest.json", "manifest.jws"])
def test_files_that_were_swapped_between_releases_are_found(copy, deployment, name):
    root, opened = copy
    one, other = (root / "seeds" / release / name for release in ("2026-06.3", "2026-06.4"))
    first, second = one.read_bytes(), other.read_bytes()
    assert first != second
    one.write_bytes(second)
    other.write_bytes(first)
    ensure_refused(root, deployment)
    ensure_still_served(opened, degraded=True)


def test_a_release_in_the_place_of_another_is_found(copy, deployment):
    root, opened = copy
    shutil.rmtree(root / "seeds" / "2026-06.4")
    shutil.copytree(root / "seeds" / "2026-06.3", root / "seeds" / "2026-06.4")
    ensure_refused(root, deployment)
    ensure_still_served(opened, degraded=True)


def test_a_manifest_with_the_signature_of_another_deployment_is_found(copy, deployment, tmp_path):
    """Another deployment signed it, with the same words and a key that is not ours."""
    root, opened = copy
    other = SmallDeployment(tmp_path / "other", PLENTY, SEEDS).put(crates(30, 10, seed=9))
    for _ in range(4):
        foreign = other.build(correction="counted again")
    assert foreign.name == "2026-06.4"
    for path in foreign.iterdir():
        shutil.copy(path, root / "seeds" / "2026-06.4" / path.name)
    (root / "seeds" / "2026-06.4" / "manifest.jws").write_text("signed by somebody else\n")
    ensure_refused(root, deployment)
    ensure_still_served(opened, degraded=True)
    assert "does not carry a valid signature" in opened.degraded[0]
    other.ledger.close()


def test_a_validly_signed_release_of_another_ledger_is_found(copy, deployment, tmp_path):
    """A test deployment with the same key: its release was paid for in a ledger of its own."""
    root, opened = copy
    other = SmallDeployment(tmp_path / "other", PLENTY, SEEDS).put(crates(30, 10, seed=9))
    for _ in range(5):
        foreign = other.build(correction="counted again")
    shutil.copytree(foreign, root / "seeds" / foreign.name)
    (root / "seeds" / "2026-06.current").write_text(f"{foreign.name}\n")
    ensure_refused(root, deployment)
    ensure_still_served(opened, degraded=True)
    assert "which the published ledger does not hold" in opened.degraded[0]
    other.ledger.close()


@pytest.mark.parametrize(
    "name",
    [
        "cells.parquet",
        "codebook.json",
        "manifest.json",
        "manifest.jws",
        "",
        "../2026-06.current",
        "../../ledger",
    ],
)
def test_a_symbolic_link_in_the_place_of_a_file_or_folder_is_found(copy, deployment, tmp_path, name):
    root, opened = copy
    path = (root / "seeds" / "2026-06.4" / name).resolve()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    ensure_refused(root, deployment)
    ensure_still_served(opened, degraded=True)


def test_a_published_ledger_that_was_set_back_is_found_by_running_and_by_new_readers(
    copy, deployment, tmp_path
):
    """It was signed, once; but the releases were made from entries that it does not have."""
    root, opened = copy
    later = (root / "ledger").read_bytes()
    other = SmallDeployment(tmp_path / "other", PLENTY, SEEDS)
    try:
        for entry in deployment.ledger.entries()[:4]:
            _append(other, entry)
        publish_ledger(root, other.ledger, other.context.signer)
    finally:
        other.ledger.close()
    ensure_still_served(opened, degraded=True)
    assert "was set back or cut" in opened.degraded[-1]
    fresh = Releases(root, tmp_path / "fresh", verify, (SEEDS.name,))
    assert fresh.current(SEEDS.name) == ()
    assert "which the published ledger does not hold" in fresh.degraded[0]
    (root / "ledger").write_bytes(later)
    for reader in (fresh, opened):
        ensure_still_served(reader, degraded=False)
    fresh.close()


def test_the_ledger_check_finds_published_entries_that_are_not_in_the_ledger(copy, deployment, tmp_path):
    root, _ = copy
    assert ensure_ledger_matches(root, verify, deployment.ledger) == len(deployment.ledger.entries())
    other = SmallDeployment(tmp_path / "other", PLENTY, SEEDS)
    for entry in deployment.ledger.entries()[:4]:
        _append(other, entry)
    with pytest.raises(LedgerBroken, match="was set back, cut, or is another's"):
        ensure_ledger_matches(root, verify, other.ledger)
    other.ledger.close()
    shutil.rmtree(root / "seeds" / "2026-06.2")
    with pytest.raises(LedgerBroken, match="release seeds 2026-06.2: entry 4 committed it; it is gone"):
        ensure_ledger_matches(root, verify, deployment.ledger)


def _append(deployment, entry):
    """Put an entry into a ledger as it is: what an older copy of it would hold."""
    row = {**asdict(entry), "hash": entry.hash}
    with closing(sqlite3.connect(deployment.folder / "ledger.sqlite")) as database, database:
        database.execute(
            f"INSERT INTO privacy_ledger ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            tuple(row.values()),
        )


def test_a_release_that_was_changed_after_it_was_opened_serves_no_file(copy):
    root, opened = copy
    (release,) = opened.current(SEEDS.name)
    release.ensure_unchanged()
    (root / "seeds" / "2026-06.4" / "cells.parquet").write_bytes(b"")
    with pytest.raises(Refusal, match="its files were touched since they were verified"):
        release.ensure_unchanged()
