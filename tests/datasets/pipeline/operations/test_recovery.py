"""A reservation becomes one release, or nothing; and where that cannot be told, it stays open."""

import json
import os
import shutil

import pytest
from typer.testing import CliRunner

from cli.ledger import ledger_commands
from datasets.pipeline.operations import recovery
from datasets.pipeline.operations.recovery import ReleaseInDoubt, close_stale_reservations, describe_left_open
from datasets.pipeline.operations.verification import ensure_ledger_matches, ensure_releases
from datasets.pipeline.output.publication import builder_lock
from datasets.pipeline.state.disk_space import DiskFull
from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.privacy.ledger import LedgerBroken
from datasets.release.format import layout
from tests.datasets.pipeline.interruptions import (
    AGAIN,
    PLENTY,
    SEEDS,
    build_in_child,
    kill_self,
    raise_disk_full,
)
from tests.datasets.pipeline.small_deployment import SmallDeployment, crates
from tests.datasets.release.small_release import verify, write_signed_manifest


def killed_when(deployment, place):
    with build_in_child(deployment, lambda at: kill_self() if at == place else None):
        pass


def settled(deployment):
    with builder_lock(deployment.context.releases, deployment.ledger):
        close_stale_reservations(deployment.context)
    return deployment.states


def test_two_releases_of_one_reservation_are_found_out(deployment):
    killed_when(deployment, "release in place")
    (first,) = (deployment.context.releases / "seeds").glob("2026-06.1")
    second = shutil.copytree(first, first.with_name("2026-06.2"))
    told = json.loads((second / "manifest.json").read_text())
    told |= {"release": "2026-06.2", "revision": 2, "previous": "2026-06.1"}
    write_signed_manifest(second, json.dumps(told, sort_keys=True).encode())
    for check in (ensure_ledger_matches, ensure_releases):
        with pytest.raises(LedgerBroken, match=r"seeds 2026-06.2: .* entry 1, and so was seeds 2026-06.1"):
            check(deployment.context.releases, verify, deployment.ledger)


def test_a_name_that_was_released_is_given_to_no_other_release_though_its_folder_has_gone(deployment):
    first = deployment.build()
    first.rename(deployment.folder / "lost")
    second = deployment.build(correction="counted again")
    told = json.loads((second / "manifest.json").read_text())
    assert (second.name, told["revision"], told["previous"]) == ("2026-06.2", 2, "2026-06.1")
    (deployment.folder / "lost").rename(first)
    assert ensure_releases(deployment.context.releases, verify, deployment.ledger) == 2


@pytest.mark.parametrize("committed", [False, True])
def test_another_release_under_a_name_that_was_released_is_found_out(deployment, committed):
    deployment.build().rename(deployment.folder / "lost")
    killed_when(deployment, "release in place")
    (second,) = (deployment.context.releases / "seeds").glob("2026-06.2")
    first = second.rename(second.with_name("2026-06.1"))
    told = json.loads((first / "manifest.json").read_text())
    told |= {"release": "2026-06.1", "revision": 1, "previous": None}
    write_signed_manifest(first, json.dumps(told, sort_keys=True).encode())
    if committed:
        recovery.commit(deployment.context, deployment.ledger.entries()[2], first, "")
    for check in (ensure_ledger_matches, ensure_releases):
        with pytest.raises(
            LedgerBroken, match=r"seeds 2026-06.1: .* entry 3, but entry 2 .* for entry 1; it is"
        ):
            check(deployment.context.releases, verify, deployment.ledger)


def test_a_release_whose_spend_is_said_to_have_come_to_nothing_is_found_out(deployment):
    killed_when(deployment, "release in place")
    deployment.ledger.void(deployment.ledger.entries()[0], now=deployment.context.now(), reason="a mistake")
    for check in (ensure_ledger_matches, ensure_releases):
        with pytest.raises(LedgerBroken, match=r"seeds 2026-06.1: .* entry 1, which entry 2 declares void"):
            check(deployment.context.releases, verify, deployment.ledger)


@pytest.mark.parametrize("trouble", ["the disk fails", "it is damaged"])
def test_a_release_that_cannot_be_read_is_not_taken_for_none(deployment, monkeypatch, trouble):
    killed_when(deployment, "release in place")
    shutil.rmtree(deployment.context.private / "building")
    (manifest,) = deployment.context.releases.rglob("manifest.json")
    whole = manifest.read_bytes()
    if trouble == "it is damaged":
        manifest.write_bytes(whole[:-9])
    else:
        monkeypatch.setattr(recovery, "signed_manifest", fail)
    with pytest.raises(
        ReleaseInDoubt, match=r"2026-06.1 cannot be read .* ledger entry 1, which is open"
    ) as doubt:
        settled(deployment)
    assert "\n" not in str(doubt.value)
    assert deployment.states == ["reserved"]
    manifest.write_bytes(whole)
    monkeypatch.undo()
    assert settled(deployment) == ["reserved", "committed"]


def fail(*_):
    raise OSError(5, os.strerror(5))


def test_a_build_that_fails_while_its_release_cannot_be_read_leaves_its_spend_open(deployment, monkeypatch):
    def act(place):
        if place == "release renamed":
            monkeypatch.setattr(recovery, "signed_manifest", fail)
            raise RuntimeError

    with armed_failpoints(act), pytest.raises(RuntimeError):
        deployment.build()
    assert deployment.states == ["reserved"]
    monkeypatch.undo()
    assert deployment.build().name == "2026-06.1"
    assert deployment.states == ["reserved", "committed"]


def test_a_damaged_release_that_the_ledger_knows_puts_no_other_spend_in_doubt(deployment):
    folder = deployment.build()
    (folder / "manifest.json").write_bytes(b"")
    killed_when(deployment, "reserved, in the ledger")
    shutil.rmtree(deployment.context.private / "building")
    assert settled(deployment) == ["reserved", "committed", "reserved", "void"]


@pytest.mark.parametrize("next_", ["the same command", "another reason", "settled"])
def test_a_spend_that_is_committed_after_a_kill_knows_its_input(deployment, next_):
    killed_when(deployment, "release in place")
    if next_ == "the same command":
        assert deployment.build(correction="counted again").name == "2026-06.1"
    if next_ == "settled":
        assert settled(deployment) == ["reserved", "committed"]
    deployment.build(correction="counted once more")
    assert deployment.states == ["reserved", "committed"] * 2
    first, second = (entry.input_hash for entry in deployment.ledger.entries() if entry.state == "committed")
    assert first == second
    assert len(first) == 64


@pytest.fixture
def elsewhere(deployment):
    """Another host, with the ledger and the releases of the first one and a private folder of its own."""
    folder = deployment.folder.with_name("elsewhere")
    folder.mkdir()
    deployment.context.releases.mkdir()
    (folder / "releases").symlink_to(deployment.context.releases)
    other = SmallDeployment(folder, PLENTY, SEEDS, f"sqlite:///{deployment.folder / 'ledger.sqlite'}").put(
        crates(30, 10)
    )
    yield other
    other.ledger.close()


@pytest.mark.parametrize("does", ["builds", "settles"])
def test_another_host_leaves_open_what_it_has_not_reserved_and_says_so(deployment, elsewhere, caplog, does):
    killed_when(deployment, "cells counted")
    if does == "builds":
        elsewhere.build(correction="counted elsewhere")
        assert "ledger entry 1 (seeds 2026-06), reserved by another private folder" in caplog.text
    else:
        assert settled(elsewhere) == ["reserved"]
    before = deployment.spent_nano_rho()
    deployment.build(correction=AGAIN)
    assert deployment.spent_nano_rho() == before
    assert "void" not in deployment.states
    assert ensure_ledger_matches(deployment.context.releases, verify, deployment.ledger)


def test_what_another_host_has_reserved_is_closed_by_who_is_asked_to(deployment, elsewhere):
    killed_when(deployment, "cells counted")
    with builder_lock(elsewhere.context.releases, elsewhere.ledger):
        (left,) = close_stale_reservations(elsewhere.context)
        assert describe_left_open([left]).endswith("daylight ledger publish --close-others declares it void")
        assert close_stale_reservations(elsewhere.context, close_others=True) == ()
    assert deployment.states == ["reserved", "void"]
    deployment.build(correction=AGAIN)
    assert deployment.states == ["reserved", "void", "reserved", "committed"]


def test_the_command_says_what_it_leaves_open_and_closes_it_when_told(deployment, elsewhere):
    killed_when(deployment, "cells counted")
    env = {
        "DAYLIGHT_HOME": str(elsewhere.folder),
        "DAYLIGHT_LEDGER_URL": f"sqlite:///{deployment.folder / 'ledger.sqlite'}",
        "DAYLIGHT_RHO_CAP_MONTH": "100",
        "DAYLIGHT_RHO_CAP_YEAR": "100",
    }

    def publish(*options):
        done = CliRunner().invoke(
            ledger_commands(lambda: elsewhere.context.signer), ["publish", *options], env=env
        )
        assert done.exit_code == 0, done.output
        return done.stderr

    assert publish().startswith("left open, and counted: ledger entry 1 (seeds 2026-06), reserved by another")
    assert deployment.states == ["reserved"]
    assert publish("--close-others") == ""
    assert deployment.states == ["reserved", "void"]


def test_who_closes_what_others_have_reserved_keeps_what_can_be_gone_on_with_here(deployment):
    killed_when(deployment, "cells counted")
    with builder_lock(deployment.context.releases, deployment.ledger):
        assert close_stale_reservations(deployment.context, close_others=True) == ()
    assert deployment.states == ["reserved"]


@pytest.mark.parametrize("place", ["reservations replaced", "reserved, in the ledger"])
def test_a_reservation_is_known_as_ones_own_before_it_is_made(deployment, place):
    killed_when(deployment, place)
    shutil.rmtree(deployment.context.private / "building")
    assert settled(deployment) in ([], ["reserved", "void"])


def test_a_release_that_is_out_is_not_called_void_when_what_follows_fails(deployment):
    with (
        armed_failpoints(lambda place: raise_disk_full() if place == "release renamed" else None),
        pytest.raises(DiskFull, match="the disk that holds .* is full; make room"),
    ):
        deployment.build()
    assert deployment.states == ["reserved"]
    with builder_lock(deployment.context.releases, deployment.ledger):
        close_stale_reservations(deployment.context)
    assert deployment.states == ["reserved", "committed"]
    pointer = layout.pointer_file(deployment.folder / "releases", "seeds", "2026-06")
    assert pointer.read_text() == "2026-06.1\n"
    assert ensure_releases(deployment.folder / "releases", verify, deployment.ledger) == 1


def test_a_build_that_died_after_its_release_was_out_is_found_done_and_shares_noise_with_none(deployment):
    for place in ("release in place", "committed, in the ledger"):

        def kill_at(at, place=place):
            if at == place:
                kill_self()

        before = set(layout.release_names(deployment.context.releases, SEEDS.name))
        with build_in_child(deployment, kill_at):
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
