"""Recovery: a reservation is committed or voided, and stays open if it is not known whether it has a release."""

import json
import os
import shutil
import signal

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


def kill_build_at(deployment, place):
    with build_in_child(deployment, lambda at: kill_self() if at == place else None) as child:
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    assert ended.si_status == signal.SIGKILL, f"the build did not pass {place!r}"


def close_and_read_states(deployment):
    with builder_lock(deployment.context.releases, deployment.ledger):
        close_stale_reservations(deployment.context)
    return deployment.states


def test_two_releases_of_one_reservation_are_found(deployment):
    kill_build_at(deployment, "release in place")
    (first,) = (deployment.context.releases / "seeds").glob("2026-06.1")
    second = shutil.copytree(first, first.with_name("2026-06.2"))
    manifest = json.loads((second / "manifest.json").read_text())
    manifest |= {"release": "2026-06.2", "revision": 2, "previous": "2026-06.1"}
    write_signed_manifest(second, json.dumps(manifest, sort_keys=True).encode())
    for check in (ensure_ledger_matches, ensure_releases):
        with pytest.raises(LedgerBroken, match=r"seeds 2026-06.2: .* entry 1, and so was seeds 2026-06.1"):
            check(deployment.context.releases, verify, deployment.ledger)


def test_the_name_of_a_release_is_not_used_again_even_if_its_folder_is_gone(deployment):
    first = deployment.build()
    first.rename(deployment.folder / "lost")
    second = deployment.build(correction="counted again")
    manifest = json.loads((second / "manifest.json").read_text())
    assert (second.name, manifest["revision"], manifest["previous"]) == ("2026-06.2", 2, "2026-06.1")
    (deployment.folder / "lost").rename(first)
    assert ensure_releases(deployment.context.releases, verify, deployment.ledger) == 2


@pytest.mark.parametrize("committed", [False, True])
def test_another_release_under_the_name_of_an_earlier_one_is_found(deployment, committed):
    deployment.build().rename(deployment.folder / "lost")
    kill_build_at(deployment, "release in place")
    (second,) = (deployment.context.releases / "seeds").glob("2026-06.2")
    first = second.rename(second.with_name("2026-06.1"))
    manifest = json.loads((first / "manifest.json").read_text())
    manifest |= {"release": "2026-06.1", "revision": 1, "previous": None}
    write_signed_manifest(first, json.dumps(manifest, sort_keys=True).encode())
    if committed:
        recovery.commit(deployment.context, deployment.ledger.entries()[2], first, "")
    for check in (ensure_ledger_matches, ensure_releases):
        with pytest.raises(
            LedgerBroken, match=r"seeds 2026-06.1: .* entry 3, but entry 2 .* for entry 1; it is"
        ):
            check(deployment.context.releases, verify, deployment.ledger)


def test_a_release_of_a_void_reservation_is_found(deployment):
    kill_build_at(deployment, "release in place")
    deployment.ledger.void(deployment.ledger.entries()[0], now=deployment.context.now(), reason="a mistake")
    for check in (ensure_ledger_matches, ensure_releases):
        with pytest.raises(LedgerBroken, match=r"seeds 2026-06.1: .* entry 1, which entry 2 declares void"):
            check(deployment.context.releases, verify, deployment.ledger)


@pytest.mark.parametrize("trouble", ["the disk fails", "it is damaged"])
def test_the_reservation_of_a_release_that_cannot_be_read_stays_open(deployment, monkeypatch, trouble):
    kill_build_at(deployment, "release in place")
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
        close_and_read_states(deployment)
    assert "\n" not in str(doubt.value)
    assert deployment.states == ["reserved"]
    manifest.write_bytes(whole)
    monkeypatch.undo()
    assert close_and_read_states(deployment) == ["reserved", "committed"]


def fail(*_):
    raise OSError(5, os.strerror(5))


def test_a_build_that_fails_while_its_release_cannot_be_read_leaves_its_reservation_open(
    deployment, monkeypatch
):
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


def test_a_damaged_release_that_is_committed_puts_no_other_reservation_in_doubt(deployment):
    folder = deployment.build()
    (folder / "manifest.json").write_bytes(b"")
    kill_build_at(deployment, "reserved, in the ledger")
    shutil.rmtree(deployment.context.private / "building")
    assert close_and_read_states(deployment) == ["reserved", "committed", "reserved", "void"]


@pytest.mark.parametrize("then", ["the same command", "another reason", "closing"])
def test_a_reservation_that_is_committed_after_a_kill_has_its_input_hash(deployment, then):
    kill_build_at(deployment, "release in place")
    if then == "the same command":
        assert deployment.build(correction="counted again").name == "2026-06.1"
    if then == "closing":
        assert close_and_read_states(deployment) == ["reserved", "committed"]
    deployment.build(correction="counted once more")
    assert deployment.states == ["reserved", "committed"] * 2
    first, second = (entry.input_hash for entry in deployment.ledger.entries() if entry.state == "committed")
    assert first == second
    assert len(first) == 64


@pytest.fixture
def other_host(deployment):
    """Another host with the same ledger and releases, and its own private folder."""
    folder = deployment.folder.with_name("other")
    folder.mkdir()
    deployment.context.releases.mkdir()
    (folder / "releases").symlink_to(deployment.context.releases)
    other = SmallDeployment(folder, PLENTY, SEEDS, f"sqlite:///{deployment.folder / 'ledger.sqlite'}").put(
        crates(30, 10)
    )
    yield other
    other.ledger.close()


@pytest.mark.parametrize("does", ["builds", "closes"])
def test_another_host_leaves_open_the_reservations_that_it_has_not_made_and_reports_them(
    deployment, other_host, caplog, does
):
    kill_build_at(deployment, "noise drawn")
    if does == "builds":
        other_host.build(correction="counted elsewhere")
        assert "ledger entry 1 (seeds 2026-06), reserved by another private folder" in caplog.text
    else:
        assert close_and_read_states(other_host) == ["reserved"]
    before = deployment.spent_nano_rho()
    deployment.build(correction=AGAIN)
    assert deployment.spent_nano_rho() == before
    assert "void" not in deployment.states
    assert ensure_ledger_matches(deployment.context.releases, verify, deployment.ledger)


def test_the_reservations_of_another_host_are_closed_on_request(deployment, other_host):
    kill_build_at(deployment, "noise drawn")
    with builder_lock(other_host.context.releases, other_host.ledger):
        (left,) = close_stale_reservations(other_host.context)
        assert describe_left_open([left]).endswith("daylight ledger publish --close-others declares it void")
        assert close_stale_reservations(other_host.context, close_others=True) == ()
    assert deployment.states == ["reserved", "void"]
    deployment.build(correction=AGAIN)
    assert deployment.states == ["reserved", "void", "reserved", "committed"]


def test_the_command_reports_what_it_leaves_open_and_closes_it_on_request(deployment, other_host):
    kill_build_at(deployment, "noise drawn")
    env = {
        "DAYLIGHT_HOME": str(other_host.folder),
        "DAYLIGHT_LEDGER_URL": f"sqlite:///{deployment.folder / 'ledger.sqlite'}",
        "DAYLIGHT_RHO_CAP_MONTH": "100",
        "DAYLIGHT_RHO_CAP_YEAR": "100",
    }

    def publish(*options):
        done = CliRunner().invoke(
            ledger_commands(lambda: other_host.context.signer), ["publish", *options], env=env
        )
        assert done.exit_code == 0, done.output
        return done.stderr

    assert publish().startswith("left open, and counted: ledger entry 1 (seeds 2026-06), reserved by another")
    assert deployment.states == ["reserved"]
    assert publish("--close-others") == ""
    assert deployment.states == ["reserved", "void"]


def test_closing_the_reservations_of_others_keeps_those_that_can_be_resumed_here(deployment):
    kill_build_at(deployment, "noise drawn")
    with builder_lock(deployment.context.releases, deployment.ledger):
        assert close_stale_reservations(deployment.context, close_others=True) == ()
    assert deployment.states == ["reserved"]


@pytest.mark.parametrize("place", ["reservations replaced", "reserved, in the ledger"])
def test_a_reservation_is_recorded_as_own_before_it_is_made(deployment, place):
    kill_build_at(deployment, place)
    shutil.rmtree(deployment.context.private / "building")
    assert close_and_read_states(deployment) in ([], ["reserved", "void"])


def test_the_reservation_of_a_published_release_is_not_voided_if_the_thenstep_fails(deployment):
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


def test_a_build_killed_after_publication_is_found_done_and_shares_noise_with_no_other(deployment):
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
