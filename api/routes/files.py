"""GET /v1/releases/{dataset}/{release}/files/{name}: download a file of a release, whole or by byte ranges."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import FileResponse

from api.access.quota import mark_charged
from api.dependencies import GrantedDataset, PublishedReleases
from api.http.media import FORMATS
from api.http.parameters import DECLARED_PARAMETERS, ReleaseName, path_choice
from api.http.ranges import RangeNotSatisfiable, satisfiable_ranges
from api.http.responses import (
    BINARY_SCHEMA,
    DescribedResponse,
    NotModified,
    ResponseObjects,
    header_references,
    is_not_modified,
)
from api.http.router import Router, raises
from api.query.resolve import RELEASE_REFUSALS, find_release
from api.refusals import UnknownFile
from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.answer.release import Release
from datasets.release.format.manifest import FileEntry

router = Router(prefix="/v1/releases", tags=["releases"], dependencies=[DECLARED_PARAMETERS])

FILE_MEDIA = {".parquet": FORMATS["parquet"], ".json": FORMATS["json"]}
FILES = ("cells.parquet", "codebook.json")


class ReleasedFile(FileResponse, DescribedResponse):
    """A file, or ranges of it."""

    @classmethod
    def describe(cls, model: type[BaseModel] | None = None) -> ResponseObjects:
        content: dict[str, Any] = {
            FORMATS["parquet"]: {"schema": BINARY_SCHEMA},
            FORMATS["json"]: {"schema": {"type": "object"}},
        }
        fields = header_references(("ETag", "Last-Modified", "Data-Release", "Accept-Ranges"))
        ranges = {
            "description": "The requested ranges.",
            "headers": fields | header_references(["Content-Range"]),
            "content": {**content, "multipart/byteranges": {"schema": BINARY_SCHEMA}},
        }
        return {200: {"description": "Success.", "headers": fields, "content": content}, 206: ranges}


@router.get("/{dataset}/{release}/files/{name}", summary="A file of a release")
@raises(*RELEASE_REFUSALS, UnknownFile, RangeNotSatisfiable)
async def file(
    request: Request,
    dataset: GrantedDataset,
    release: ReleaseName,
    name: Annotated[str, path_choice(FILES, "codebook.json")],
    releases: PublishedReleases,
) -> ReleasedFile | NotModified:
    """The file as published. Range and If-Range are supported. The ETag is strong: the file's SHA-256 in the manifest.

    `cells.parquet` contains every cell of every cuboid. Its row groups are aligned with cuboids, so that a reader that uses
    ranges, such as DuckDB's httpfs, fetches only what it needs.
    """
    found = await find_release(releases, dataset.name, release)
    entry = _find_file(found, name)
    fields = {
        "ETag": f'"{entry.sha256}"',
        "Last-Modified": format_datetime(datetime.fromisoformat(found.manifest.published_at), usegmt=True),
        "Cache-Control": "private, max-age=0, must-revalidate",
        "Vary": "Authorization",
        "Data-Release": found.name,
        "Accept-Ranges": "bytes",
    }
    if is_not_modified(request, fields["ETag"]):
        return NotModified(fields)
    _keep_servable_ranges(request, entry.bytes, {fields["ETag"], fields["Last-Modified"]})
    found.ensure_unchanged()
    path = found.folder / entry.name
    mark_charged(request)
    return ReleasedFile(path, headers=fields, media_type=FILE_MEDIA[path.suffix])


def _find_file(release: Release, name: str) -> FileEntry:
    by_name = {entry.name: entry for entry in release.manifest.files}
    if name not in by_name:
        raise UnknownFile(
            f"{release.name} has no file {printable(name)!r}; it has {', '.join(by_name)}.{did_you_mean(name, by_name)}",
            parameter="name",
            value=name,
            allowed=by_name,
            suggestions=nearest(name, by_name),
        )
    return by_name[name]


def _keep_servable_ranges(request: Request, size: int, validators: set[str]) -> None:
    """Reduce the header Range to the ranges that can be served, and remove If-Range, which is evaluated here.

    Only GET has ranges (RFC 9110, sections 13.1.5 and 14.2).
    """
    requested, unchanged = request.headers.get("range"), request.headers.get("if-range")
    if requested is None or request.state.method != "GET" or (unchanged and unchanged not in validators):
        kept = None
    else:
        kept = satisfiable_ranges(requested, size)
    headers = [
        (name, value) for name, value in request.scope["headers"] if name not in {b"range", b"if-range"}
    ]
    request.scope["headers"] = [*headers, *([(b"range", kept.encode())] if kept else [])]
