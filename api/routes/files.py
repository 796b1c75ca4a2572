"""GET /v1/releases/{dataset}/{release}/files/{name}: download a file of a release, whole or by byte ranges."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import FileResponse

from api.access.quota import mark_charged
from api.dependencies import GrantedDataset, PublishedReleases, only_parameters
from api.http.media import FORMATS
from api.http.ranges import satisfiable_ranges
from api.http.responses import is_not_modified
from api.query.resolve import find_release
from api.refusals import UnknownFile
from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.answer.release import Release
from datasets.release.format.manifest import FileEntry

router = APIRouter(prefix="/v1/releases", tags=["releases"])

FILE_MEDIA = {".parquet": FORMATS["parquet"], ".json": FORMATS["json"]}


@router.get(
    "/{dataset}/{release}/files/{name}",
    summary="A file of a release",
    dependencies=[Depends(only_parameters())],
)
async def file(
    request: Request, dataset: GrantedDataset, release: str, name: str, releases: PublishedReleases
) -> Response:
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
        return Response(None, 304, fields)
    _keep_servable_ranges(request, entry.bytes, {fields["ETag"], fields["Last-Modified"]})
    found.ensure_unchanged()
    path = found.folder / entry.name
    mark_charged(request)
    return FileResponse(path, headers=fields, media_type=FILE_MEDIA[path.suffix])


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
