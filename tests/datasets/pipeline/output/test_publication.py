"""Publication survives a kill, a full disk and other builders: readers see a whole release, and the ledger counts every spend."""

import errno
import multiprocessing
import os
import random
import resource
import shutil
import signal
import time
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import create_engine, text

from datasets.period import Month
from datasets.pipeline.operations.recovery import close_stale_reservations
from datasets.pipeline.operations.verification import ensure_ledger_matches, ensure_releases
from datasets.pipeline.output.publication import builder_lock
from datasets.pipeline.output.selftest import SelfTestFailed
from datasets.pipeline.planning.budget import budget_of
from datasets.pipeline.state import disk_space
from datasets.pipeline.state.disk_space import DiskFull, NoRoom
from datasets.pipeline.state.failpoints import armed_failpoints, failpoint
from datasets.pipeline.state.ledger_store import LedgerUnavailable
from datasets.pipeline.state.lock import MARKER, BuildUnderWay, LockLost, releases_marker
from datasets.privacy.ledger import BudgetSpent, Caps, LedgerBroken
from datasets.privacy.zcdp import NANO
from datasets.refusal import Refusal
from datasets.release.answer import serving_copy
from datasets.release.format import layout
from datasets.release.releases import Releases
from datasets.release.store.history import ReleaseHistory
from tests.datasets.pipeline.small_dataset import JUNE, tiny_dataset
from tests.datasets.pipeline.small_deployment import SmallDeployment, crates
from tests.datasets.release.pressing import verify
from tests.postgresql import database_url

SEEDS = tiny_dataset()
PLENTY = Caps(month=Fraction(100), year=Fraction(100))
AGAIN = "counted again"
KILLS = int(os.environ.get("DAYLIGHT_TEST_KILLS", "4"))
MANY = 100
ROUNDS = int(os.environ.get("DAYLIGHT_TEST_ROUNDS", "4"))


@pytest.fixture
def deployment(tmp_path):
    return SmallDeployment(tmp_path / "deployment", PLENTY, SEEDS).put(crates(30, 10))


class Readers:
    """Somebody who has the releases open all the while, and what must be true whatever has happened to the builder."""

    def __init__(self, deployment):
        self.deployment = deployment
        self.root = deployment.folder / "releases"
        self.open = Releases(self.root, deployment.folder / "cache", verify, (SEEDS.name,))

    def ensure_well(self):
        """One whole release is served, no part of another is to be seen, and the ledger has counted at least what is there.

        Gives the name of the release that is served.
        """
        self.open.refresh()
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
def readers(deployment):
    deployment.build()
    made = Readers(deployment)
    yield made
    made.close()


class Nth:
    """Acts at the so-manieth place that a build passes."""

    def __init__(self, number, act):
        self.number, self.act, self.passed = number, act, 0

    def __call__(self, place):
        self.passed += 1
        if self.passed == self.number:
            self.act()


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def be_full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def be_without_ledger():
    raise LedgerUnavailable("the server went away")


def be_without_room_to_spill():
    raise duckdb.OutOfMemoryException(
        "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB used).\n"
        "This limit was set by the 'max_temp_directory_size' setting."
    )


@contextmanager
def building(deployment, act=lambda place: None):
    """A build in a process of its own, which does this at each place."""
    deployment.ledger.close()  # no connection is shared between processes
    child = os.fork()
    if child == 0:
        with armed_failpoints(act):
            try:
                deployment.build(correction=AGAIN)
            finally:
                os._exit(0)
    yield child
    os.waitpid(child, 0)


def places(deployment):
    """Every place that a build passes, in order."""
    passed = []
    with armed_failpoints(passed.append):
        deployment.build(correction=AGAIN)
    return passed


def number(release):
    return int(release.split(".")[1])


def test_a_build_can_be_stopped_at_every_step(deployment):
    steps = places(deployment)
    assert len(steps) > 20
    for earlier, later in [
        ("reserved, before the ledger keeps it", "reserved, in the ledger"),
        ("reserved, in the ledger", "cells counted"),
        ("cells counted", "cells written"),
        ("signature written", "self-test passed"),
        ("self-test passed", "ledger written"),
        ("ledger replaced", "release flushed"),
        ("release renamed", "release in place"),
        ("release in place", "committed, before the ledger keeps it"),
    ]:
        assert steps.index(earlier) < steps.index(later)


def test_killed_or_without_disk_at_any_place_readers_see_a_whole_release_and_the_next_build_works(
    deployment, readers
):
    """Every other place has a kill, every other a full disk, and each such build goes on with one that was stopped a place
    before; with many kills each place has both, and then a whole build."""
    steps = places(deployment)
    for at in range(1, len(steps) + 1):
        before = readers.ensure_well()
        if KILLS >= MANY or at % 2:
            with building(deployment, Nth(at, die)):
                pass
        after = readers.ensure_well()
        assert number(after) >= number(before)
        if KILLS >= MANY or not at % 2:
            with (
                suppress(DiskFull),
                armed_failpoints(Nth(at, be_full)),
            ):  # what is gone on with passes fewer places
                deployment.build(correction=AGAIN)
            assert number(readers.ensure_well()) >= number(after)
        if KILLS >= MANY or at == len(steps):
            built = deployment.build(correction=AGAIN)
            assert readers.ensure_well() == built.name, steps[at - 1]
            assert ensure_ledger_matches(readers.root, verify, deployment.ledger)
            assert {path.name for path in readers.root.rglob(".*")} == set(), steps[at - 1]
    assert "void" not in deployment.states


@pytest.mark.parametrize("trouble", ["disk", "ledger", "spilling"])
def test_a_full_disk_and_a_lost_ledger_cost_no_second_spend_wherever_they_strike(tmp_path, trouble):
    """The caps are good for one build: what the next one goes on with is the only spend."""
    once = Caps(*[Fraction(budget_of(SEEDS, JUNE).spend().nano_rho, NANO)] * 2)
    troubles = {
        "disk": be_full,
        "ledger": be_without_ledger,
        "spilling": be_without_room_to_spill,
    }
    passed = []
    with armed_failpoints(passed.append):
        SmallDeployment(tmp_path / "whole", once, SEEDS).put(crates(30, 10)).build()
    begun = passed.index("reserved, before the ledger keeps it")
    for at in (
        range(begun + 1, len(passed) + 1) if trouble == "disk" else (passed.index("cells counted") + 1,)
    ):
        deployment = SmallDeployment(tmp_path / f"{at}", once, SEEDS).put(crates(30, 10))
        with armed_failpoints(Nth(at, troubles[trouble])), pytest.raises((DiskFull, LedgerUnavailable)):
            deployment.build()
        assert deployment.build().name == "2026-06.1", passed[at - 1]
        assert deployment.states == ["reserved", "committed"], passed[at - 1]
        assert ensure_releases(deployment.context.releases, verify, deployment.ledger) == 1
        deployment.ledger.close()


def test_killed_at_any_moment_readers_see_a_whole_release_and_the_next_build_works(deployment, readers):
    chance = random.Random(KILLS)
    begun = time.monotonic()
    deployment.build(correction=AGAIN)
    lasts = time.monotonic() - begun
    for _ in range(KILLS):
        before = readers.ensure_well()
        with building(deployment) as child:
            time.sleep(chance.uniform(0, 1.1 * lasts))
            os.kill(child, signal.SIGKILL)
        assert number(before) <= number(readers.ensure_well()) <= number(before) + 1
        assert deployment.build(correction=AGAIN).name == readers.ensure_well()
    assert deployment.states.count("reserved") > KILLS
    assert ensure_ledger_matches(readers.root, verify, deployment.ledger)


def test_where_files_may_not_grow_nothing_is_published_and_the_next_build_works(deployment, readers):
    """A limit of the operating system on the size of a file: every writer meets it where its own writing would fail."""
    before = readers.ensure_well()
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
        assert readers.ensure_well() == before
    deployment.build(correction=AGAIN)
    assert readers.ensure_well() > before


def test_a_build_that_does_not_fit_is_refused_before_it_spends_anything(deployment, monkeypatch):
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 3 << 20}))
    with pytest.raises(
        NoRoom, match=r"seeds 2026-06 needs 64 MiB among the releases and 3 MiB are free"
    ) as refused:
        deployment.build()
    assert "\n" not in str(refused.value)
    assert deployment.states == []


def test_what_a_build_needs_depends_on_the_declaration_alone_and_is_enough(deployment):
    folder = deployment.build()
    written = sum(path.stat().st_size for path in folder.iterdir())
    assert 2 * written < disk_space.bytes_needed(budget_of(SEEDS, JUNE)) < 65 << 20


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["cells.parquet", "codebook.json", "manifest.json", "manifest.jws"])
def test_a_release_that_a_reader_could_not_open_is_never_published(deployment, name):
    def spoil(place):
        if place == "self-test begun":
            (path,) = (deployment.folder / "releases").glob(f".staging-*/seeds/*/{name}")
            flip(path)

    with armed_failpoints(spoil), pytest.raises(SelfTestFailed, match="does not pass its own test"):
        deployment.build()
    assert deployment.published_files == []
    assert deployment.states == ["reserved", "void"]
    assert deployment.build().name == "2026-06.1"


def test_a_disk_that_is_full_while_a_release_is_tried_is_no_fault_of_the_release(deployment, monkeypatch):
    def full(*_):
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    monkeypatch.setattr(serving_copy, "_make", full)
    with pytest.raises(DiskFull):
        deployment.build()
    monkeypatch.undo()
    assert deployment.build().name == "2026-06.1"
    assert deployment.states == ["reserved", "committed"]


def test_a_release_that_is_out_is_not_called_void_when_what_follows_fails(deployment):
    with (
        armed_failpoints(lambda place: be_full() if place == "release renamed" else None),
        pytest.raises(DiskFull, match="the disk is full that holds"),
    ):
        deployment.build()
    assert deployment.states == ["reserved"]
    with builder_lock(deployment.context.releases, deployment.ledger):
        close_stale_reservations(deployment.context)
    assert deployment.states == ["reserved", "committed"]
    pointer = layout.pointer_file(deployment.folder / "releases", "seeds", "2026-06")
    assert pointer.read_text() == "2026-06.1\n"
    assert ensure_releases(deployment.folder / "releases", verify, deployment.ledger) == 1


def test_a_builder_whose_ledger_was_set_back_is_refused(deployment, tmp_path):
    """Somebody restores an older copy of the ledger: what was spent since is published, and must not be spent again."""
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
    (deployment.folder / "releases" / "ledger").unlink()  # the manifests know it too
    with pytest.raises(Refusal, match="was made from ledger entry 3, which is missing or was changed since"):
        deployment.build(correction=AGAIN)
    assert deployment.states == ["reserved", "committed"]
    assert deployment.published_files == [name for name in published if name != "ledger"]


def race(line, folder, ledger):
    """Build each month that is told, and say what came of it."""
    deployment = SmallDeployment(folder, PLENTY, SEEDS, ledger)
    while month := line.recv():
        try:
            line.send(deployment.build(month=month).name)
        except Refusal as refusal:
            line.send(f"{type(refusal).__name__}: {refusal}")
    deployment.ledger.close()


@contextmanager
def racers(*where):
    """Two builders of a deployment, each in a process of its own; gives a line to each."""
    fork = multiprocessing.get_context("fork")
    lines, builders = [], []
    for _ in range(2):
        here, there = fork.Pipe()
        builders.append(fork.Process(target=race, args=(there, *where)))
        builders[-1].start()
        lines.append(here)
    yield lines
    for line, builder in zip(lines, builders, strict=True):
        line.send(None)
        builder.join(20)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_two_builders_at_once_one_wins_and_the_other_is_told_why(tmp_path, kind, request):
    """They have the releases and the ledger in common, and on PostgreSQL nothing else."""
    ledger = "" if kind == "sqlite" else database_url(request.getfixturevalue("postgresql").make())
    deployment = SmallDeployment(tmp_path / "deployment", PLENTY, SEEDS, ledger)
    months = [Month(2020 + n // 12, 1 + n % 12) for n in range(ROUNDS)]
    for month in months:
        rows = crates(30, 10)
        rows["occurred_at"] = [
            at.replace(year=month.year, month=month.month, day=1) for at in rows["occurred_at"]
        ]
        deployment.put(rows, month)
    deployment.ledger.close()
    lost = []
    with racers(deployment.folder, ledger) as lines:
        for month in months:
            for line in lines:
                line.send(month)
            said = sorted(line.recv() for line in lines)
            assert said[0] == f"{month}.1"
            assert said[1].startswith(("BuildUnderWay: another build holds", "BudgetSpent: seeds"))
            lost.append(said[1].split(":")[0])
    assert "BuildUnderWay" in lost
    assert deployment.states == ["reserved", "committed"] * ROUNDS
    assert ensure_releases(deployment.folder / "releases", verify, deployment.ledger) == ROUNDS
    deployment.ledger.close()


def test_builders_who_share_only_the_folder_of_releases_are_told_apart_too(tmp_path):
    one, other = (
        SmallDeployment(tmp_path / name, PLENTY, SEEDS).put(crates(30, 10)) for name in ("one", "other")
    )
    (tmp_path / "other" / "releases").symlink_to(tmp_path / "one" / "releases")

    def meanwhile(step):
        if step == "publishing":
            with pytest.raises(
                BuildUnderWay, match=r"with another ledger, .* remove the file .builder among"
            ):
                other.build()

    one.build(on_step=meanwhile)
    assert other.states == []
    with pytest.raises(Refusal, match="was set back, cut, or is another's"):
        other.build()
    assert other.states == []


def test_a_marker_that_says_nothing_keeps_builders_out_until_it_is_removed(deployment):
    marker = deployment.folder / "releases" / MARKER
    marker.parent.mkdir()
    marker.write_text("")
    with pytest.raises(BuildUnderWay, match="somebody who left no name"):
        deployment.build()
    marker.unlink()
    assert deployment.build().name == "2026-06.1"


def test_two_names_of_one_ledger_have_one_lock(deployment, tmp_path):
    (tmp_path / "link.sqlite").symlink_to(deployment.folder / "ledger.sqlite")
    linked = SmallDeployment(deployment.folder, PLENTY, SEEDS, f"sqlite:///{tmp_path / 'link.sqlite'}")
    with deployment.ledger.builder_lock(), pytest.raises(BuildUnderWay), linked.ledger.builder_lock():
        pass
    linked.ledger.close()


def test_a_builder_removes_no_marker_but_its_own(tmp_path):
    """It lost the ledger's lock, and another who took it has marked the releases as theirs."""
    marker = tmp_path / MARKER
    with releases_marker(tmp_path, "ledger"):
        with releases_marker(tmp_path, "ledger"):
            theirs = marker.read_text()
        assert not marker.exists()
        marker.write_text(theirs)
    assert marker.read_text() == theirs
    marker.unlink()
    with releases_marker(tmp_path, "ledger"):
        assert marker.exists()
        marker.unlink()
    assert not marker.exists()


def test_a_builder_who_loses_postgresql_on_the_way_publishes_nothing(tmp_path, postgresql):
    url = database_url(postgresql.make())
    deployment = SmallDeployment(tmp_path / "deployment", PLENTY, SEEDS, url).put(crates(30, 10))

    def lose(place):
        if place == "self-test passed":
            engine = create_engine(url)
            with engine.begin() as con:
                con.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )
            engine.dispose()

    with (
        armed_failpoints(lose),
        pytest.raises(LockLost, match="nothing is published; the spend stays counted"),
    ):
        deployment.build()
    assert deployment.published_files == []
    assert deployment.states == ["reserved"], "whoever holds the lock now may have taken it over"
    assert deployment.build().name == "2026-06.1"
    deployment.ledger.close()


def test_nothing_but_tests_arms_a_place():
    root = Path(__file__).parents[4]
    named = [
        path.relative_to(root)
        for folder in ("api", "auth", "cli", "datasets", "bench")
        for path in (root / folder).rglob("*.py")
        if "armed" in path.read_text()
    ]
    assert named == [Path("datasets/pipeline/state/failpoints.py")]
    assert failpoint("anywhere") is None
    with (
        pytest.raises(BudgetSpent),
        armed_failpoints(lambda place: (_ for _ in ()).throw(BudgetSpent(place))),
    ):
        failpoint("anywhere")


def test_a_build_that_died_after_its_release_was_out_is_found_done_and_shares_noise_with_none(deployment):
    for place in ("release in place", "committed, in the ledger"):

        def kill_at(at, place=place):
            if at == place:
                die()

        before = set(layout.release_names(deployment.context.releases, SEEDS.name))
        with building(deployment, kill_at):
            pass
        (out,) = set(layout.release_names(deployment.context.releases, SEEDS.name)) - before
        spent = deployment.spent_nano_rho()
        assert deployment.build(correction=AGAIN).name == out, "the same command finds it done"
        assert deployment.spent_nano_rho() == spent
    deployment.build(correction=AGAIN)
    cells = [
        (layout.release_folder(deployment.context.releases, SEEDS.name, name) / layout.CELLS).read_bytes()
        for name in layout.release_names(deployment.context.releases, SEEDS.name)
    ]
    assert len(set(cells)) == len(cells) == 3


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
