"""The fingerprint of a release: everything in its files except noisy numbers, by place, so that two builds can be compared.

A place is a file and a position in it: `manifest.json: measures[0].rho`, `cells.parquet: column day`. The places that may
differ between builds are declared here; a difference in any other place distinguishes the inputs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.definition import Dataset
from datasets.release.format import layout

Fingerprint = dict[str, Any]

NOISY_PLACES = re.compile(
    r"manifest\.json: measures\[\d+\]\.kept\.(overall|by\..+)\.(share|lo|hi)"  # made of noisy counts
    r"|cells\.parquet: (bytes|content)"
    r"|manifest\.json: files\[0\]\.(bytes|sha256)"  # of noisy cells
    r"|manifest\.jws: .*|ledger: signature"
    r"|ledger: (head|entries\[1\]\.(artefact_hash|input_hash|hash))"  # of the manifest; of the input, under a secret salt
)
"""Places that may differ from build to build."""


def make_fingerprint(root: Path, dataset: Dataset) -> Fingerprint:
    """The content of every file under a release directory, by place."""
    found: Fingerprint = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        place = path.relative_to(root).as_posix()
        name = path.name if path.parent != root else place
        found[f"files: {place}"] = "there"
        if path.suffix == ".parquet":
            found |= {f"{name}: {at}": fact for at, fact in _parquet_facts(path, dataset)}
        elif path.suffix == ".json":
            found |= {f"{name}: {at}": fact for at, fact in json_leaves(json.loads(path.read_bytes()))}
        elif path == layout.ledger_file(root):
            signature, _, text = path.read_bytes().partition(b"\n")
            found[f"{name}: signature"] = signature
            found |= {f"{name}: {at}": fact for at, fact in json_leaves(json.loads(text))}
        else:
            found[f"{name}: content"] = path.read_bytes()
    return found


def json_leaves(document: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every number, text, boolean and null of a JSON document with its place; also every empty list or object."""
    if isinstance(document, dict) and document:
        for name, value in document.items():
            yield from json_leaves(value, f"{place}.{name}" if place else name)
    elif isinstance(document, list) and document:
        for number, value in enumerate(document):
            yield from json_leaves(value, f"{place}[{number}]")
    else:
        yield place, document


def _parquet_facts(path: Path, dataset: Dataset) -> Iterator[tuple[str, Any]]:
    """Schema, rows, order, footer, statistics and null patterns of a Parquet file, without the numbers of noisy columns."""
    noisy = {measure.name for measure in dataset.measures}
    with pq.ParquetFile(path) as file:
        table, footer = file.read(), file.metadata
    yield "bytes", path.stat().st_size
    yield "content", hashlib.sha256(path.read_bytes()).hexdigest()
    yield "schema", str(footer.schema.to_arrow_schema())
    yield "rows", (footer.num_rows, footer.num_row_groups)
    yield "written by", footer.created_by
    yield "metadata", sorted((footer.metadata or {}).items())
    for column in table.column_names:
        values = table[column]
        kept = values.is_null() if column in noisy else values
        yield f"column {column}", _column_digest(kept)
    for group in range(footer.num_row_groups):
        row_group = footer.row_group(group)
        for at in range(row_group.num_columns):
            chunk = row_group.column(at)
            sizes = (chunk.total_compressed_size, chunk.total_uncompressed_size)
            yield (
                f"footer, row group {group}, {chunk.path_in_schema}",
                (chunk.num_values, chunk.compression, chunk.encodings, sizes if chunk.path_in_schema not in noisy else None,
                 str(chunk.statistics.to_dict()) if chunk.is_stats_set else None),
            )  # fmt: skip


def _column_digest(column: pa.ChunkedArray) -> str:
    """A SHA-256 digest of the values of a column in order."""
    flat = column.combine_chunks()
    flat = flat.dictionary_decode() if pa.types.is_dictionary(flat.type) else flat
    digest = hashlib.sha256()
    with pa.BufferOutputStream() as sink:
        with pa.ipc.new_stream(sink, pa.schema([("", flat.type)])) as writer:
            writer.write_table(pa.table([flat], names=[""]))
        digest.update(sink.getvalue())
    return digest.hexdigest()
