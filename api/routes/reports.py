"""GET /v1/reports: risk indicators for each commitment over a period, and the official parts, for the Monitoring Trustee."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import Depends, Request, Response

from api.access.authorization import ensure_scope
from api.dependencies import PublishedReleases, SettingsOf
from api.documents.report import PartDocument, ReportDocument, ReportList
from api.http.compression import choose_encoding, compress
from api.http.document import encode
from api.http.media import FORMATS, HTML
from api.http.negotiation import choose_named_format
from api.http.parameters import (
    DECLARED_PARAMETERS,
    OptionalText,
    PeriodName,
    choice_parameter,
    path_choice,
)
from api.http.responses import Json, Rendered, etag_of
from api.http.router import Router, raises
from api.query.executor import TooBusy
from api.query.results import WRITER_VERSIONS, RenderedResult, ResultCache, ResultRequest
from api.refusals import NotAcceptable, OutOfScope
from api.render.report import MATPLOTLIB_VERSION, SECURITY_HEADERS, report_page
from datasets.period import MalformedPeriod
from datasets.release.answer.deadline import Deadline, QuestionInterrupted
from datasets.release.format.errata import ReleaseWithdrawn
from datasets.release.format.verification import ReleaseDamaged, ReleaseUnavailable
from datasets.release.query.vocabulary import MalformedQuestion
from datasets.release.releases import Releases
from datasets.release.resolver import MixedVersions
from datasets.reports.commitments import COMMITMENTS
from datasets.reports.coverage import Current
from datasets.reports.official.part import UnknownPart, find_part
from datasets.reports.official.parts import PARTS, fill_part
from datasets.reports.period import ReportPeriod
from datasets.reports.report import (
    Report,
    ReportNotCovered,
    build_report,
    coverages_of,
    current_releases,
    periods_with_releases,
)
from datasets.reports.table import report_as_csv


@raises(OutOfScope)
async def ensure_reports_scope(request: Request) -> None:
    """Raises OutOfScope if the token may not read reports."""
    ensure_scope(request, "reports")


router = Router(
    prefix="/v1/reports", tags=["reports"], dependencies=[Depends(ensure_reports_scope), DECLARED_PARAMETERS]
)

PART_FORMATS = {"csv": FORMATS["csv"], "json": FORMATS["json"]}
REPORT_FORMATS = {"json": FORMATS["json"], "csv": FORMATS["csv"], "html": HTML}
REPORT_REFUSALS = (
    MalformedPeriod, MalformedQuestion, ReportNotCovered, NotAcceptable, ReleaseWithdrawn, ReleaseDamaged,
    ReleaseUnavailable, QuestionInterrupted, TooBusy, MixedVersions,
)  # fmt: skip


@router.get("", summary="Periods with a report")
async def periods(request: Request, releases: PublishedReleases) -> Json[ReportList]:
    """Every half-year, quarter and month with a release, and what each dataset covers of it."""
    current = current_releases(releases)
    listed = ReportList.model_validate(
        {
            "periods": [
                {
                    "period": str(period),
                    "kind": period.kind,
                    "dates": period.dates,
                    "coverage": [coverage.document() for coverage in coverages_of(current, period)],
                    "report": f"/v1/reports/{period}",
                    "parts": [f"/v1/reports/{period}/{part}" for part in PARTS],
                }
                for period in periods_with_releases(current)
            ],
            "commitments": [{"number": c.number, "name": c.name, "title": c.title} for c in COMMITMENTS],
        }
    )
    return Json(request, listed)


@router.get("/{period}", summary="The report of a period")
@raises(*REPORT_REFUSALS)
async def report(
    request: Request,
    period: PeriodName,
    releases: PublishedReleases,
    format: Annotated[
        OptionalText,
        choice_parameter("json, csv or html. By default the header Accept decides.", REPORT_FORMATS, "json"),
    ] = None,
) -> Annotated[Response, Rendered(tuple(REPORT_FORMATS.values()), ReportDocument, ("Data-Release",))]:
    """Key risk indicators by ten topics of the commitments: values with intervals, trends and changes.

    What the datasets do not contain is listed as a gap. `period` is a month, a quarter or a half-year: 2026-06, 2026-Q2,
    2026-H1.
    """
    format_ = choose_named_format(request, format, REPORT_FORMATS)
    report_period = ReportPeriod.parse(period)

    def make(current: Current, deadline: Deadline) -> bytes:
        return RENDERERS[format_](build_report(releases, report_period, current, deadline))

    return await _serve_document(
        request, releases, report_period, f"report {format_}", REPORT_FORMATS[format_], make
    )


@router.get("/{period}/{part}", summary="A part of the harmonised transparency report")
@raises(*REPORT_REFUSALS, UnknownPart)
async def part(
    request: Request,
    period: PeriodName,
    part: Annotated[str, path_choice(PARTS, "4_notices")],
    releases: PublishedReleases,
    settings: SettingsOf,
    format: Annotated[
        OptionalText,
        choice_parameter(
            "csv, the official form, or json. By default the header Accept decides.", PART_FORMATS, "csv"
        ),
    ] = None,
) -> Annotated[
    Response,
    Rendered(tuple(PART_FORMATS.values()), PartDocument, ("Data-Release", "Content-Disposition")),
]:
    """A part of the report of Implementing Regulation (EU) 2024/2835 as the official CSV.

    Cells that the datasets do not give are blank. Counts are whole numbers from 0 up, and totals are the exact sums of their
    categories. In JSON, each cell also has the estimate from the releases with its interval.
    """
    format_ = choose_named_format(request, format, PART_FORMATS)
    declared, report_period = find_part(part, PARTS), ReportPeriod.parse(period)

    def make(current: Current, deadline: Deadline) -> bytes:
        made = fill_part(declared, releases, report_period, current, settings.publisher, deadline)
        return made.csv() if format_ == "csv" else encode(PartDocument.model_validate(made.document()))

    fields = {"Content-Disposition": f'attachment; filename="{part}.csv"'} if format_ == "csv" else {}
    variant = f"{part} {format_} {settings.publisher}"
    return await _serve_document(
        request, releases, report_period, variant, PART_FORMATS[format_], make, fields
    )


async def _serve_document(
    request: Request,
    releases: Releases,
    period: ReportPeriod,
    variant: str,
    media: str,
    document: Callable[[Current, Deadline], bytes],
    fields: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Respond with a document of a period.

    It is a function of the current releases, so its ETag is known before it is rendered.
    """
    current = current_releases(releases)
    coverages = coverages_of(current, period)
    sources = tuple(release for each in current.values() for release in each)
    encoding = choose_encoding(request, media)
    etag = etag_of(
        str(period),
        variant,
        encoding,
        *(r.fingerprint for r in sources),
        MATPLOTLIB_VERSION,
        *WRITER_VERSIONS,
    )
    used = [f"{c.dataset} {release.name}" for c in coverages for release in c.used]
    headers = {"Data-Release": ", ".join(used), **(SECURITY_HEADERS if media == HTML else {}), **fields}

    def make(deadline: Deadline) -> RenderedResult:
        body = document(current, deadline)
        encoded_as = {"Content-Encoding": encoding} if encoding else {}
        return RenderedResult((b"".join(compress([body], encoding)),), encoded_as, QUOTA_ROWS)

    results: ResultCache = request.app.state.results
    return await results.serve(request, ResultRequest(releases, sources, etag, media, headers, make))


QUOTA_ROWS = sum(len(commitment.indicators) for commitment in COMMITMENTS)
"""Rows that a report charges to the quota: one for each indicator."""


def _report_json(made: Report) -> bytes:
    return encode(ReportDocument.model_validate(made.document()))


RENDERERS: dict[str, Callable[[Report], bytes]] = {
    "json": _report_json,
    "csv": report_as_csv,
    "html": report_page,
}
