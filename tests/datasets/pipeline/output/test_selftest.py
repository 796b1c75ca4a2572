"""A release is opened and asked before it is published."""

import duckdb
import pytest

from datasets.pipeline.output.selftest import SelfTestFailed
from datasets.pipeline.state.disk_space import DiskFull
from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.release.answer import serving_copy


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

    monkeypatch.setattr(serving_copy, "_write_serving_copy", full)
    with pytest.raises(DiskFull):
        deployment.build()
    monkeypatch.undo()
    assert deployment.build().name == "2026-06.1"
    assert deployment.states == ["reserved", "committed"]
