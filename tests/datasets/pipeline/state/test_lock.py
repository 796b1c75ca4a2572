"""One builder at a time: the ledger's lock, and the marker among the releases."""

import multiprocessing
import os
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text

from datasets.period import Month
from datasets.pipeline.operations.verification import ensure_releases
from datasets.pipeline.state.context import STEPS
from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.pipeline.state.lock import MARKER, BuildUnderWay, LockLost, releases_marker
from datasets.refusal import Refusal
from tests.datasets.pipeline.interruptions import PLENTY, SEEDS
from tests.datasets.pipeline.small_deployment import SmallDeployment, crates
from tests.datasets.release.small_release import verify
from tests.postgresql import database_url
from tests.waiting import PATIENCE

ROUNDS = int(os.environ.get("DAYLIGHT_TEST_ROUNDS", "4"))


def build_months(pipe, folder, ledger):
    """Build each month that arrives in the pipe, and send back the name of the release or the refusal."""
    deployment = SmallDeployment(folder, PLENTY, SEEDS, ledger)
    while month := pipe.recv():
        try:
            pipe.send(deployment.build(month=month).name)
        except Refusal as refusal:
            pipe.send(f"{type(refusal).__name__}: {refusal}")
    deployment.ledger.close()


@contextmanager
def two_builders(*where):
    """Two builders of a deployment, each in a child process; yields a pipe to each."""
    fork = multiprocessing.get_context("fork")
    pipes, builders = [], []
    for _ in range(2):
        here, there = fork.Pipe()
        builders.append(fork.Process(target=build_months, args=(there, *where)))
        builders[-1].start()
        pipes.append(here)
    yield pipes
    for pipe, builder in zip(pipes, builders, strict=True):
        pipe.send(None)
        builder.join(PATIENCE)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_two_concurrent_builders_one_builds_and_the_other_is_refused_with_the_reason(
    tmp_path, kind, request
):
    """They share the releases and the ledger, and on PostgreSQL nothing else."""
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
    with two_builders(deployment.folder, ledger) as pipes:
        for month in months:
            for pipe in pipes:
                pipe.send(month)
            answers = sorted(pipe.recv() for pipe in pipes)
            assert answers[0] == f"{month}.1"
            assert answers[1].startswith(("BuildUnderWay: another build holds", "BudgetSpent: seeds"))
            lost.append(answers[1].split(":")[0])
    assert "BuildUnderWay" in lost
    assert deployment.states == ["reserved", "committed"] * ROUNDS
    assert ensure_releases(deployment.folder / "releases", verify, deployment.ledger) == ROUNDS
    deployment.ledger.close()


def test_a_second_build_during_the_first_is_refused_with_a_clear_message(deployment):

    def meanwhile(step):
        if step == STEPS[3]:
            with pytest.raises(BuildUnderWay, match="another build holds"):
                deployment.build()

    deployment.build(on_step=meanwhile)
    assert deployment.states == ["reserved", "committed"]


def test_builders_that_share_only_the_folder_of_releases_exclude_each_other(tmp_path):
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


def test_an_unreadable_marker_excludes_builders_until_it_is_removed(deployment):
    marker = deployment.folder / "releases" / MARKER
    marker.parent.mkdir()
    marker.write_text("")
    with pytest.raises(BuildUnderWay, match="its marker file cannot be read"):
        deployment.build()
    marker.unlink()
    assert deployment.build().name == "2026-06.1"


def test_two_paths_of_one_ledger_have_one_lock(deployment, tmp_path):
    (tmp_path / "link.sqlite").symlink_to(deployment.folder / "ledger.sqlite")
    linked = SmallDeployment(deployment.folder, PLENTY, SEEDS, f"sqlite:///{tmp_path / 'link.sqlite'}")
    with deployment.ledger.builder_lock(), pytest.raises(BuildUnderWay), linked.ledger.builder_lock():
        pass
    linked.ledger.close()


def test_a_builder_removes_only_its_own_marker(tmp_path):
    """It lost the ledger's lock, and another builder took the lock and replaced the marker."""
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


def test_a_builder_that_loses_its_connection_to_postgresql_publishes_nothing(tmp_path, postgresql):
    url = database_url(postgresql.make())
    deployment = SmallDeployment(tmp_path / "deployment", PLENTY, SEEDS, url).put(crates(30, 10))

    def end_sessions(place):
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
        armed_failpoints(end_sessions),
        pytest.raises(LockLost, match="nothing is published; the spend stays counted"),
    ):
        deployment.build()
    assert deployment.published_files == []
    assert deployment.states == ["reserved"], "the next holder of the lock may have taken it over"
    assert deployment.build().name == "2026-06.1"
    deployment.ledger.close()
