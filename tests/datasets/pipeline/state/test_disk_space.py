"""Before a build spends anything, both its disks must have room, and the private folder must be closed to others."""

import shutil

import pytest

from datasets.pipeline.planning.budget import plan_budget
from datasets.pipeline.state import disk_space
from datasets.pipeline.state.disk_space import NoRoom
from datasets.pipeline.state.private_folder import NotPrivate
from tests.datasets.pipeline.interruptions import PLENTY, SEEDS
from tests.datasets.pipeline.small_deployment import JUNE, SmallDeployment, crates

ROWS = 30_011


@pytest.fixture
def deployment(tmp_path):
    return SmallDeployment(tmp_path / "deployment", PLENTY, SEEDS).put(crates(ROWS, 10))


def set_free_bytes(monkeypatch, of):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": of(path)}))


def test_a_private_disk_that_is_too_small_is_refused_without_revealing_the_number_of_events(
    deployment, monkeypatch
):
    set_free_bytes(monkeypatch, lambda path: 3 << 20 if "private" in path.parts else 1 << 40)
    with pytest.raises(
        NoRoom, match=r"in the private folder, and 3 MiB are free there, .* DAYLIGHT_PRIVATE_DIR"
    ) as refused:
        deployment.build()
    assert "\n" not in str(refused.value)
    assert str(ROWS) not in str(refused.value).replace(",", "")
    assert deployment.states == []


def test_a_single_disk_must_have_room_for_the_release_and_the_private_files(deployment, monkeypatch):
    need = disk_space.bytes_needed(budget := plan_budget(deployment.dataset, JUNE))
    for free, fits in (
        (2 * need + disk_space.BYTES_PER_EVENT * ROWS - 1, False),
        (2 * need + disk_space.BYTES_PER_EVENT * ROWS, True),
    ):
        set_free_bytes(monkeypatch, lambda path, free=free: free)
        files = list((deployment.folder / "events").rglob("*.parquet"))
        deployment.context.private.mkdir(mode=0o700, exist_ok=True)
        deployment.context.releases.mkdir(exist_ok=True)
        if fits:
            disk_space.ensure_room(deployment.context.releases, deployment.context.private, budget, files)
        else:
            with pytest.raises(NoRoom):
                disk_space.ensure_room(deployment.context.releases, deployment.context.private, budget, files)


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_private_folder_that_others_can_read_is_refused(deployment, mode):
    deployment.context.private.mkdir()
    deployment.context.private.chmod(mode)
    with pytest.raises(NotPrivate, match=rf"mode {mode:04o}\), .* chmod 700"):
        deployment.build()
    assert deployment.states == []
    deployment.context.private.chmod(0o700)
    assert deployment.build().name == "2026-06.1"


def test_a_private_folder_that_the_build_creates_is_closed_to_others(deployment):
    deployment.build()
    assert deployment.context.private.stat().st_mode & 0o777 == 0o700


def test_a_build_that_does_not_fit_is_refused_before_it_spends_anything(deployment, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": 3 << 20}))
    with pytest.raises(
        NoRoom, match=r"seeds 2026-06 needs 64 MiB on the disk of the releases, and 3 MiB are free"
    ) as refused:
        deployment.build()
    assert "\n" not in str(refused.value)
    assert deployment.states == []


def test_the_bytes_needed_depend_on_the_declaration_alone_and_are_enough(deployment):
    folder = deployment.build()
    written = sum(path.stat().st_size for path in folder.iterdir())
    assert 2 * written < disk_space.bytes_needed(plan_budget(SEEDS, JUNE)) < 65 << 20
