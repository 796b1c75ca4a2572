"""Readers serve what was signed and nothing else, and go on serving it when something is wrong."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from datasets.release.answer.deadline import Deadline, QuestionInterrupted
from datasets.release.format import layout
from datasets.release.releases import Releases
from datasets.release.store.changelog import difference
from tests.datasets.pipeline.small_dataset import JUNE
from tests.datasets.release.pressing import press, seal, sign, verify


def asked(releases, **parameters):
    parameters = {"measure": "crates", "group_by": "kind", **parameters}
    return releases.ask(releases.question("harvest", list(parameters.items())))


def flip_a_byte(folder):
    path = folder / "cells.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(folder):
    path = folder / "cells.parquet"
    path.write_bytes(path.read_bytes()[:-100])


def replace_by_link(name):
    def damage(folder):
        elsewhere = folder.parent.parent / f"elsewhere-{name}"
        (folder / name).rename(elsewhere)
        (folder / name).symlink_to(elsewhere)

    return damage


def link_the_folder(folder):
    elsewhere = folder.parent.parent / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


def sign_as_another(folder):
    (folder / "manifest.jws").write_text("signed " + "0" * 64)


def edit(**members):
    """Change the manifest, and sign it again: only what it says can give it away."""

    def damage(folder):
        manifest = json.loads((folder / "manifest.json").read_text()) | members
        seal(folder, json.dumps(manifest).encode())

    return damage


def edit_the_codebook(**members):
    """Change the codebook, and let a manifest that is signed anew speak of the changed file."""

    def damage(folder):
        path = folder / "codebook.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | members))
        manifest = json.loads((folder / "manifest.json").read_text())
        for entry in manifest["files"]:
            if entry["name"] == path.name:
                entry |= {"bytes": path.stat().st_size, "sha256": layout.sha256_of(path)}
        seal(folder, json.dumps(manifest).encode())

    return damage


DAMAGES = {
    "a byte is flipped": (flip_a_byte, "cells.parquet is not the file that was signed"),
    "cells are cut short": (truncate, "cells.parquet is not the file that was signed"),
    "cells are missing": (lambda f: (f / "cells.parquet").unlink(), "cells.parquet is missing or a link"),
    "the codebook is missing": (lambda f: (f / "codebook.json").unlink(), "codebook.json is missing or a link"),
    "the manifest is missing": (lambda f: (f / "manifest.json").unlink(), "manifest.json is missing or a link"),
    "the signature is missing": (lambda f: (f / "manifest.jws").unlink(), "manifest.jws is missing or a link"),
    "the signature is another's": (sign_as_another, "its manifest does not carry a valid signature"),
    "the manifest is edited": (
        lambda f: (f / "manifest.json").write_bytes((f / "manifest.json").read_bytes().replace(b"Harvest", b"harvest")),
        "its manifest does not carry a valid signature",
    ),
    "cells are a link": (replace_by_link("cells.parquet"), "cells.parquet is missing or a link"),
    "the manifest is a link": (replace_by_link("manifest.json"), "manifest.json is missing or a link"),
    "the folder is a link": (link_the_folder, "its folder is missing or a link"),
    "the folder is gone": (shutil.rmtree, "its folder is missing or a link"),
    "it is signed for another dataset": (edit(dataset="orchard"), "its manifest is that of orchard 2026-06.3"),
    "it is signed for another release": (edit(release="2026-06.4"), "its manifest is that of harvest 2026-06.4"),
    "it has a member too many": (edit(rows_read=12), "the manifest is malformed at rows_read"),
    "it names no cells": (edit(files=[]), "its manifest names no cells.parquet or no codebook.json"),
    "it names a file outside": (
        edit(files=[{"name": "../x.json", "rows": None, "bytes": 1, "sha256": "0" * 64}]),
        "the manifest is malformed at files.0.name",
    ),
    "its codebook is another month's": (edit_the_codebook(month="2026-05"), "its codebook is that of harvest 2026-05"),
    "its codebook is another dataset's": (
        edit_the_codebook(dataset="orchard"), "its codebook is that of orchard 2026-06"
    ),
    "its codebook lacks a level": (edit_the_codebook(dimensions=[]), "its manifest and its codebook disagree"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_release_is_refused_and_the_last_good_one_served(opened, root, damage):
    before = asked(opened)
    break_it, sentence = DAMAGES[damage]
    break_it(press(root, revision=3, seed=8))
    opened.refresh()
    assert asked(opened).rows == before.rows
    assert asked(opened).meta["releases"] == ["2026-06.2"]
    (trouble,) = opened.degraded
    assert trouble.startswith("harvest 2026-06: ")
    assert sentence in trouble
    assert str(root) not in trouble


@pytest.mark.parametrize(
    "text", ["", "2026-06.9", "2026-05.1", "../2026-06.2", "2026-06.2\n2026-06.1", "x" * 500]
)
def test_a_damaged_pointer_leaves_the_last_good_release(opened, root, text):
    layout.pointer_file(root, "harvest", JUNE).write_text(text)
    opened.refresh()
    assert asked(opened).meta["releases"] == ["2026-06.2"]
    assert len(opened.degraded) == 1


def test_a_pointer_that_is_a_link_is_not_followed(opened, root, tmp_path):
    pointer = layout.pointer_file(root, "harvest", JUNE)
    (tmp_path / "elsewhere").write_text("2026-06.1\n")
    pointer.unlink()
    pointer.symlink_to(tmp_path / "elsewhere")
    opened.refresh()
    assert asked(opened).meta["releases"] == ["2026-06.2"]
    assert len(opened.degraded) == 1


@pytest.mark.parametrize("lost", ["2026-06.current", ""], ids=["the pointer", "the whole dataset"])
def test_what_disappears_is_served_on_and_said_to_be_degraded(opened, root, lost):
    path = root / "harvest" / lost
    path.rename(root / "away")
    opened.refresh()
    assert asked(opened).meta["releases"] == ["2026-06.2"]
    assert any(trouble.startswith("harvest 2026-06: ") for trouble in opened.degraded)
    (root / "away").rename(path)
    opened.refresh()
    assert opened.degraded == ()


def test_a_release_that_is_repaired_is_served_though_its_pointer_did_not_change(opened, root):
    folder = press(root, revision=3, seed=8)
    data = (folder / "cells.parquet").read_bytes()
    truncate(folder)
    opened.refresh()
    assert opened.degraded
    (folder / "cells.parquet").write_bytes(data)
    opened.refresh()
    assert opened.degraded == ()
    assert asked(opened).meta["releases"] == ["2026-06.3"]


def test_a_broken_release_is_not_read_again_until_it_changes(root, tmp_path):
    checked = []

    def counting(text, signature):
        checked.append(signature)
        verify(text, signature)

    truncate(press(root, revision=3, seed=8))
    releases = Releases(root, tmp_path / "cache", counting, ("harvest",))
    times = len(checked)
    for _ in range(5):
        releases.refresh()
    assert len(checked) == times
    releases.close()


def test_a_new_revision_is_picked_up_and_the_old_one_can_still_be_asked_by_name(opened, root):
    before = asked(opened)
    press(root, revision=3, seed=8)
    opened.refresh()
    assert asked(opened).meta["releases"] == ["2026-06.3"]
    assert asked(opened).rows != before.rows
    assert asked(opened, release="2026-06.2").rows == before.rows


def test_a_month_whose_only_release_is_damaged_is_refused_as_damaged(root, tmp_path):
    truncate(root / "harvest" / "2026-05.1")
    truncate(root / "harvest" / "2026-06.2")
    releases = Releases(root, tmp_path / "cache", verify, ("harvest",))
    assert len(releases.degraded) == 2
    with pytest.raises(Exception, match="cannot be served") as refused:
        asked(releases)
    assert type(refused.value).__name__ == "ReleaseUnavailable"
    releases.close()


def test_nothing_released_is_refused_in_a_sentence(tmp_path):
    releases = Releases(tmp_path / "none", tmp_path / "cache", verify, ("harvest",))
    with pytest.raises(Exception, match="nothing of harvest has been released yet"):
        asked(releases)
    assert releases.degraded == ()
    releases.close()


def test_the_cache_is_made_once_and_made_again_when_it_is_damaged(root, tmp_path):
    def rows():
        releases = Releases(root, tmp_path / "cache", verify, ("harvest",))
        try:
            assert releases.degraded == ()
            return asked(releases).rows
        finally:
            releases.close()

    first = rows()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert rows() == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()} == files
    for path in files:
        path.write_bytes(path.read_bytes()[:5000])
    assert rows() == first


def test_readers_come_and_go_beside_one_that_stays(root, tmp_path):
    """In a process of its own, since what this watches for is a spin that nothing but a kill would end."""
    program = (
        "import sys; from pathlib import Path; from datasets.release.releases import Releases\n"
        "from tests.datasets.release.pressing import verify\n"
        "def opened(): return Releases(Path(sys.argv[1]), Path(sys.argv[2]), verify, ('harvest',))\n"
        "stays = opened()\n"
        "for _ in range(300):\n"
        "    opened().close()\n"
        "stays.close(); print('done')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(root), str(tmp_path / "cache")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.stdout == "done\n", ended.stderr


def test_cells_that_are_not_all_there_are_refused_however_well_they_are_signed(opened, root):
    folder = press(root, revision=3, seed=8)
    cells, fewer = folder / "cells.parquet", folder / "fewer.parquet"
    duckdb.execute(
        f"COPY (FROM '{cells}' WHERE NOT (cuboid = 'kind' AND kind = 'root')) TO '{fewer}' (FORMAT parquet)"
    )
    fewer.rename(cells)
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        if entry["name"] == cells.name:
            entry |= {"bytes": cells.stat().st_size, "sha256": layout.sha256_of(cells)}
    seal(folder, json.dumps(manifest).encode())
    opened.refresh()
    assert "its cells are not those of its codebook" in opened.degraded[0]
    assert asked(opened).meta["releases"] == ["2026-06.2"]


def test_several_threads_get_the_answers_that_one_would(opened):
    questions = [
        {"group_by": by, "period": p} for by in ("kind", "plant", "state") for p in ("2026-05", "2026-06")
    ]
    alone = [asked(opened, **question).rows for question in questions]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda question: asked(opened, **question).rows, questions * 10))
    assert found == alone * 10


def test_a_question_whose_time_is_over_is_stopped(opened):
    question = opened.question("harvest", [("measure", "crates")])
    over = Deadline(60)
    over.interrupt()
    with pytest.raises(QuestionInterrupted, match="was stopped"):
        opened.ask(question, over)
    assert opened.ask(question).rows


def test_months_of_two_versions_of_a_dataset_are_not_pooled(opened, root):
    folder = press(root, revision=3, seed=8)
    edit_the_codebook(version=2)(folder)
    edit(dataset_version=2)(folder)
    opened.refresh()
    assert opened.degraded == ()
    with pytest.raises(
        Exception, match=r"2026-05 is of version 1 of harvest, 2026-06 of version 2"
    ) as refused:
        asked(opened, period="2026-05..2026-06")
    assert type(refused.value).__name__ == "MixedVersions"
    assert asked(opened, period="2026-06").rows
    differs = difference(opened.find("harvest", "2026-06.2"), opened.find("harvest", "2026-06.3"))
    assert {"place": "dataset_version", "before": 1, "after": 2} in differs["manifest"]
    assert {"place": "version", "before": 1, "after": 2} in differs["codebook"]


def test_the_signature_of_these_tests_tells_texts_apart():
    verify(b"a", sign(b"a"))
    with pytest.raises(ValueError, match="does not fit"):
        verify(b"a", sign(b"b"))
