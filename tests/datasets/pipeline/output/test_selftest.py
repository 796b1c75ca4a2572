"""A release is opened and asked before it is published."""

import duckdb
import pytest

from datasets.pipeline.output.selftest import SelfTestFailed
from datasets.pipeline.state.disk_space import DiskFull
from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.release.answer.copy_source import CopySource


def flip_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["cells.parquet", "codebook.json", "manifest.json", "manifest.jws"])
def test_a_release_that_a_reader_cannot_open_is_not_published(deployment, name):
    def damage(place):
        if place == "self-test begun":
            (path,) = (deployment.folder / "releases").glob(f".staging-*/seeds/*/{name}")
            flip_bit(path)

    with armed_failpoints(damage), pytest.raises(SelfTestFailed, match="does not pass its own test"):
        deployment.build()
    assert deployment.published_files == []
    assert deployment.states == ["reserved", "void"]
    assert deployment.build().name == "2026-06.1"


def test_a_release_on_a_disk_that_knows_no_permissions_passes_its_self_test(deployment):
    def open_to_everybody(place):
        if place == "self-test begun":
            (root,) = (deployment.folder / "releases").glob(".staging-*")
            (root / "cache").mkdir()
            for folder in (root, root / "cache"):
                folder.chmod(0o777)

    with armed_failpoints(open_to_everybody):
        assert deployment.build().name == "2026-06.1"


def test_a_full_disk_during_the_self_test_is_not_taken_for_a_damaged_release(deployment, monkeypatch):
    def raise_disk_full(*_):
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    monkeypatch.setattr(CopySource, "write_copy", raise_disk_full)
    with pytest.raises(DiskFull):
        deployment.build()
    monkeypatch.undo()
    assert deployment.build().name == "2026-06.1"
    assert deployment.states == ["reserved", "committed"]
