"""A damaged release is never served: the last good one of its month is, and the service says that it is degraded."""

import json

import duckdb
import pytest

from datasets.release.format import layout
from datasets.release.releases import Releases
from tests.datasets.pipeline.small_dataset import JUNE
from tests.datasets.release.damage import DAMAGES, ask_crates, truncate
from tests.datasets.release.small_release import verify, write_release, write_signed_manifest


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_release_is_refused_and_the_last_good_one_served(reader, root, damage):
    before = ask_crates(reader)
    break_it, sentence = DAMAGES[damage]
    break_it(write_release(root, revision=3, seed=8))
    reader.store.refresh()
    assert ask_crates(reader).rows == before.rows
    assert ask_crates(reader).meta["releases"] == ["2026-06.2"]
    (trouble,) = reader.degraded
    assert trouble.startswith("harvest 2026-06: ")
    assert sentence in trouble
    assert str(root) not in trouble


@pytest.mark.parametrize(
    "text", ["", "2026-06.9", "2026-05.1", "../2026-06.2", "2026-06.2\n2026-06.1", "x" * 500]
)
def test_a_damaged_pointer_leaves_the_last_good_release(reader, root, text):
    layout.pointer_file(root, "harvest", JUNE).write_text(text)
    reader.store.refresh()
    assert ask_crates(reader).meta["releases"] == ["2026-06.2"]
    assert len(reader.degraded) == 1


def test_a_pointer_that_is_a_link_is_not_followed(reader, root, tmp_path):
    pointer = layout.pointer_file(root, "harvest", JUNE)
    (tmp_path / "elsewhere").write_text("2026-06.1\n")
    pointer.unlink()
    pointer.symlink_to(tmp_path / "elsewhere")
    reader.store.refresh()
    assert ask_crates(reader).meta["releases"] == ["2026-06.2"]
    assert len(reader.degraded) == 1


@pytest.mark.parametrize("lost", ["2026-06.current", ""], ids=["the pointer", "the whole dataset"])
def test_a_release_that_disappears_is_served_on_and_reported_as_degraded(reader, root, lost):
    path = root / "harvest" / lost
    path.rename(root / "away")
    reader.store.refresh()
    assert ask_crates(reader).meta["releases"] == ["2026-06.2"]
    assert any(trouble.startswith("harvest 2026-06: ") for trouble in reader.degraded)
    (root / "away").rename(path)
    reader.store.refresh()
    assert reader.degraded == ()


def test_a_release_that_is_repaired_is_served_though_its_pointer_did_not_change(reader, root):
    folder = write_release(root, revision=3, seed=8)
    data = (folder / "cells.parquet").read_bytes()
    truncate(folder)
    reader.store.refresh()
    assert reader.degraded
    (folder / "cells.parquet").write_bytes(data)
    reader.store.refresh()
    assert reader.degraded == ()
    assert ask_crates(reader).meta["releases"] == ["2026-06.3"]


def test_a_broken_release_is_not_read_again_until_it_changes(root, tmp_path):
    checked = []

    def counting(text, signature):
        checked.append(signature)
        verify(text, signature)

    truncate(write_release(root, revision=3, seed=8))
    releases = Releases(root, tmp_path / "cache", counting, ("harvest",))
    releases.store.retry_seconds = 0.0
    times = len(checked)
    for _ in range(5):
        releases.store.refresh()
    assert len(checked) == times
    releases.close()


def test_a_month_whose_only_release_is_damaged_is_refused_as_damaged(root, tmp_path):
    truncate(root / "harvest" / "2026-05.1")
    truncate(root / "harvest" / "2026-06.2")
    releases = Releases(root, tmp_path / "cache", verify, ("harvest",))
    assert len(releases.degraded) == 2
    with pytest.raises(Exception, match="cannot be served") as refused:
        ask_crates(releases)
    assert type(refused.value).__name__ == "ReleaseUnavailable"
    releases.close()


def test_missing_cells_are_refused_even_if_the_release_is_signed(reader, root):
    folder = write_release(root, revision=3, seed=8)
    cells, fewer = folder / "cells.parquet", folder / "fewer.parquet"
    duckdb.execute(
        f"COPY (FROM '{cells}' WHERE NOT (cuboid = 'kind' AND kind = 'root')) TO '{fewer}' (FORMAT parquet)"
    )
    fewer.rename(cells)
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        if entry["name"] == cells.name:
            entry |= {"bytes": cells.stat().st_size, "sha256": layout.sha256_of(cells)}
    write_signed_manifest(folder, json.dumps(manifest).encode())
    reader.store.refresh()
    assert "its cells are not those of its codebook" in reader.degraded[0]
    assert ask_crates(reader).meta["releases"] == ["2026-06.2"]
