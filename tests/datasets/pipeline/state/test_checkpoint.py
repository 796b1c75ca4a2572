"""A build that is resumed after a crash: half-written files are written again, and noise is drawn once."""

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.pipeline.events import parts
from datasets.pipeline.events.partitions import Partitions
from datasets.pipeline.state import checkpoint, files
from datasets.pipeline.state.files import UNFINISHED_NAME
from tests.datasets.pipeline.interruptions import PLENTY, build_in_child, kill_self
from tests.datasets.pipeline.small_dataset import JUNE
from tests.datasets.pipeline.small_deployment import HARVEST, SmallDeployment, concatenate, crates, no_noise

COUNTED = ["crates", "sales", "takings", "gardeners"]
ONE, OTHER = crates(300, 60), crates(300, 60, seed=2, first=1_000)
TWICE = {name: values[:30] for name, values in ONE.items()}
"""Events of the first file that stand in the second one again."""


def deployment_of_two_files(folder):
    deployment = SmallDeployment(folder, PLENTY).put(ONE)
    (first,) = (folder / "events").rglob("part-00000.parquet")
    pq.write_table(pa.table(concatenate(OTHER, TWICE)), first.with_name("part-00001.parquet"))
    deployment.context.private.mkdir(mode=0o700)
    (deployment.context.private / "salt").write_text("5a" * 32)
    return deployment


def counts(folder):
    return pq.read_table(folder / "cells.parquet").select(COUNTED)


@pytest.mark.parametrize("cut", ["part-00000", "part-00001"])
def test_a_build_killed_in_the_middle_of_a_part_counts_each_event_once(tmp_path, monkeypatch, cut):
    """It had written half of the part."""
    monkeypatch.setattr(parts, "ROWS_PER_PART", 1)
    whole = deployment_of_two_files(tmp_path / "whole").build(noise=no_noise, correction="counted again")
    deployment = deployment_of_two_files(tmp_path / "cut")
    write = Partitions.write

    def write_half(self, con, part, *rest):
        write(self, con, part, *rest)
        if part == cut:
            files = sorted((self.folder / part).rglob("*.parquet"))
            files[0].rename(files[0].with_name("left_behind.parquet"))  # as by another name of DuckDB's
            files[0].with_name("torn.parquet").write_bytes(b"PAR1 and no more")
            kill_self()

    monkeypatch.setattr(Partitions, "write", write_half)
    with build_in_child(deployment):
        pass
    assert deployment.states == []
    monkeypatch.setattr(Partitions, "write", write)
    folder = deployment.build(noise=no_noise, correction="counted again")
    assert counts(folder) == counts(whole)
    total = next(
        row for row in pq.read_table(folder / "cells.parquet").to_pylist() if row["cuboid"] == "total"
    )
    assert total["crates"] < len(ONE["event_id"]) + len(OTHER["event_id"])
    read = json.loads((deployment.context.quarantine_folder(HARVEST, JUNE) / "totals.json").read_text())
    assert read["reasons"] == {"duplicate id: event_id": len(TWICE["event_id"])}


def test_a_draw_that_was_being_written_during_a_kill_is_deleted_before_noise_is_drawn_again(tmp_path):
    deployment = deployment_of_two_files(tmp_path / "deployment")
    checkpoints = deployment.context.private / "building"

    def drafts():
        return [path for path in checkpoints.rglob(".noisy*") if UNFINISHED_NAME.fullmatch(path.name)]

    with build_in_child(
        deployment, lambda place: kill_self() if place == "checkpoint written" and drafts() else None
    ):
        pass
    assert len(drafts()) == 1
    assert deployment.states == ["reserved"]
    seen = []

    def noise(scales):
        seen.append(drafts())
        return np.zeros(scales.shape, dtype=np.int64)

    deployment.build(correction="counted again", noise=noise)
    assert seen
    assert not any(seen)


def test_the_files_of_a_part_are_flushed_before_the_part_is_recorded(tmp_path, monkeypatch):
    """The files, and each folder between them and the private folder."""
    deployment = deployment_of_two_files(tmp_path / "deployment")
    flushed = []
    real = files.flush

    def flush(path):
        flushed.append(path)
        real(path)

    monkeypatch.setattr(files, "flush", flush)
    monkeypatch.setattr(checkpoint, "flush", flush)
    folder = deployment.context.private / "building" / "harvest" / "2026-06"
    part = folder / "buckets" / "part-00000"
    save_parts = checkpoint.Checkpoint.save_parts

    def save_and_check(self, number):
        wanted = {*part.rglob("*"), part, *part.parents[:5]}
        save_parts(self, number)
        assert wanted <= set(flushed), wanted - set(flushed)

    monkeypatch.setattr(checkpoint.Checkpoint, "save_parts", save_and_check)
    deployment.build()
    assert not folder.exists()
    assert os.listdir(folder.parent) == []
    assert folder.parent in flushed[flushed.index(part) :], "its deletion is flushed too"
