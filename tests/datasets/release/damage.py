"""Ways to damage a release, each with the sentence in which it is refused; and the question that is asked before and after."""

import json
import shutil

from datasets.release.format import layout
from tests.datasets.release.small_release import write_signed_manifest


def ask_crates(releases, **parameters):
    """Ask for the crates of June by kind, or as `parameters` say."""
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
    """Change the manifest and sign it again, so that only its contents are wrong."""

    def damage(folder):
        manifest = json.loads((folder / "manifest.json").read_text()) | members
        write_signed_manifest(folder, json.dumps(manifest).encode())

    return damage


def edit_the_codebook(**members):
    """Change the codebook, and sign a manifest with the hash of the changed file."""

    def damage(folder):
        path = folder / "codebook.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | members))
        manifest = json.loads((folder / "manifest.json").read_text())
        for entry in manifest["files"]:
            if entry["name"] == path.name:
                entry |= {"bytes": path.stat().st_size, "sha256": layout.sha256_of(path)}
        write_signed_manifest(folder, json.dumps(manifest).encode())

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
