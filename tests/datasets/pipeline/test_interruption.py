"""A build that is killed, or whose disk is full, at any place: readers see a whole release, and the ledger counts every spend."""

import os
import random
import resource
import signal
import time
from contextlib import suppress
from fractions import Fraction

import duckdb
import pytest

from datasets.pipeline.operations.verification import ensure_ledger_matches, ensure_releases
from datasets.pipeline.planning.budget import plan_budget
from datasets.pipeline.state.disk_space import DiskFull
from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.pipeline.state.ledger_store import LedgerUnavailable
from datasets.privacy.ledger import Caps
from datasets.privacy.zcdp import NANO
from datasets.release.format import layout
from datasets.release.releases import Releases
from datasets.release.store.history import ReleaseHistory
from tests.datasets.pipeline.interruptions import (
    AGAIN,
    SEEDS,
    Nth,
    build_in_child,
    kill_self,
    raise_disk_full,
)
from tests.datasets.pipeline.small_deployment import JUNE, SmallDeployment, crates
from tests.datasets.release.small_release import verify

KILLS = int(os.environ.get("DAYLIGHT_TEST_KILLS", "4"))
MANY = 100


class Reader:
    """A reader that has the releases open during all builds, and the conditions that must hold after each."""

    def __init__(self, deployment):
        self.deployment = deployment
        self.root = deployment.folder / "releases"
        self.open = Releases(self.root, deployment.folder / "cache", verify, (SEEDS.name,))

    def ensure_consistent(self):
        """One whole release is served, no part of another is visible, and the ledger has counted every release.

        Returns the name of the release that is served.
        """
        self.open.store.refresh()
        assert self.open.degraded == ()
        (served,) = self.open.current(SEEDS.name)
        assert self.open.ask(self.open.question(SEEDS.name, [("measure", "crates")])).rows
        released = ReleaseHistory(self.root, verify).manifests(SEEDS.name)
        assert len(released) == len(layout.release_names(self.root, SEEDS.name))
        entries = self.deployment.ledger.entries()
        counted = {entry.hash: entry for entry in entries if entry.state == "reserved"}
        assert all(manifest.ledger.head in counted for manifest in released)
        assert self.deployment.spent_nano_rho() >= sum(
            counted[manifest.ledger.head].nano_rho for manifest in released
        )
        return served.name

    def close(self):
        self.open.close()


@pytest.fixture
def reader(deployment):
    deployment.build()
    made = Reader(deployment)
    yield made
    made.close()


def raise_ledger_unavailable():
    raise LedgerUnavailable("the server went away")


def raise_no_room_to_spill():
    raise duckdb.OutOfMemoryException(
        "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB used).\n"
        "This limit was set by the 'max_temp_directory_size' setting."
    )


def passed_failpoints(deployment):
    """The names of all failpoints that a build passes, in order."""
    passed: list[str] = []
    with armed_failpoints(passed.append):
        deployment.build(correction=AGAIN)
    return passed


def revision(release):
    return int(release.split(".")[1])


def test_a_build_can_be_stopped_at_every_step(deployment):
    steps = passed_failpoints(deployment)
    assert len(steps) > 20
    for earlier, later in [
        ("reserved, before the ledger keeps it", "reserved, in the ledger"),
        ("reserved, in the ledger", "noise drawn"),
        ("noise drawn", "cells written"),
        ("signature written", "self-test passed"),
        ("self-test passed", "ledger written"),
        ("ledger replaced", "release flushed"),
        ("release renamed", "release in place"),
        ("release in place", "committed, before the ledger keeps it"),
    ]:
        assert steps.index(earlier) < steps.index(later)


def test_after_a_kill_or_a_full_disk_at_any_failpoint_readers_see_a_whole_release_and_the_next_build_works(
    deployment, reader
):
    """Every other place has a kill, every other a full disk, and each such build goes on with one that was stopped a place
    before; with many kills each place has both, and then a whole build."""
    steps = passed_failpoints(deployment)
    for at in range(1, len(steps) + 1):
        before = reader.ensure_consistent()
        if KILLS >= MANY or at % 2:
            with build_in_child(deployment, Nth(at, kill_self)):
                pass
        after = reader.ensure_consistent()
        assert revision(after) >= revision(before)
        if KILLS >= MANY or not at % 2:
            # suppressed, not expected: a resumed build passes fewer failpoints
            with suppress(DiskFull), armed_failpoints(Nth(at, raise_disk_full)):
                deployment.build(correction=AGAIN)
            assert revision(reader.ensure_consistent()) >= revision(after)
        if KILLS >= MANY or at == len(steps):
            built = deployment.build(correction=AGAIN)
            assert reader.ensure_consistent() == built.name, steps[at - 1]
            assert ensure_ledger_matches(reader.root, verify, deployment.ledger)
            assert {path.name for path in reader.root.rglob(".*")} == set(), steps[at - 1]
    assert "void" not in deployment.states


@pytest.mark.parametrize("trouble", ["disk", "ledger", "spilling"])
def test_a_full_disk_or_a_lost_ledger_at_any_failpoint_costs_no_second_spend(tmp_path, trouble):
    """The caps allow one build, so the next build must resume the same reservation."""
    once = Caps(*[Fraction(plan_budget(SEEDS, JUNE).spend().nano_rho, NANO)] * 2)
    troubles = {
        "disk": raise_disk_full,
        "ledger": raise_ledger_unavailable,
        "spilling": raise_no_room_to_spill,
    }
    passed: list[str] = []
    with armed_failpoints(passed.append):
        SmallDeployment(tmp_path / "whole", once, SEEDS).put(crates(30, 10)).build()
    begun = passed.index("reserved, before the ledger keeps it")
    for at in range(begun + 1, len(passed) + 1) if trouble == "disk" else (passed.index("noise drawn") + 1,):
        deployment = SmallDeployment(tmp_path / f"{at}", once, SEEDS).put(crates(30, 10))
        with armed_failpoints(Nth(at, troubles[trouble])), pytest.raises((DiskFull, LedgerUnavailable)):
            deployment.build()
        assert deployment.build().name == "2026-06.1", passed[at - 1]
        assert deployment.states == ["reserved", "committed"], passed[at - 1]
        assert ensure_releases(deployment.context.releases, verify, deployment.ledger) == 1
        deployment.ledger.close()


def test_after_a_kill_at_any_moment_readers_see_a_whole_release_and_the_next_build_works(deployment, reader):
    chance = random.Random(KILLS)
    begun = time.monotonic()
    deployment.build(correction=AGAIN)
    duration = time.monotonic() - begun
    for _ in range(KILLS):
        before = reader.ensure_consistent()
        with build_in_child(deployment) as child:
            time.sleep(chance.uniform(0, 1.1 * duration))
            os.kill(child, signal.SIGKILL)
        assert revision(before) <= revision(reader.ensure_consistent()) <= revision(before) + 1
        assert deployment.build(correction=AGAIN).name == reader.ensure_consistent()
    assert deployment.states.count("reserved") > KILLS
    assert ensure_ledger_matches(reader.root, verify, deployment.ledger)


def test_with_a_limit_on_file_sizes_nothing_is_published_and_the_next_build_works(deployment, reader):
    """The operating system limits the size of a file, so that each write beyond the limit fails."""
    before = reader.ensure_consistent()
    for limit in (0, 100, 1_000, 10_000):
        deployment.ledger.close()
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            try:
                deployment.build(correction=AGAIN)
                os._exit(0)
            except BaseException:
                os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        assert reader.ensure_consistent() == before
    deployment.build(correction=AGAIN)
    assert reader.ensure_consistent() > before
