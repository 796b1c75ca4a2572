"""GET /v1/datasets: the catalogue, and each dataset's codebook (Delegated Regulation (EU) 2025/2050, Art. 6(4)(c), 15(2))."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request

from api.dependencies import NamedDataset, PublishedReleases
from api.documents.catalogue import CatalogueEntry, catalogue_entry
from api.http.document import Document
from api.http.negotiation import prefers_html
from api.http.parameters import DECLARED_PARAMETERS, OptionalText, choice_parameter
from api.http.responses import Csv, Json, Markdown, Page
from api.http.router import Router
from api.render.codebook import CodebookDocument, as_csv, as_document, as_markdown
from api.render.html import SECURITY_HEADERS, catalogue_page
from datasets.catalogue import DATASETS
from datasets.period import Month
from datasets.release.format.codebook import codebook_of
from datasets.release.query.vocabulary import parse_choice

router = Router(prefix="/v1/datasets", tags=["datasets"], dependencies=[DECLARED_PARAMETERS])

CODEBOOK_FORMATS = ("json", "csv", "md")


class Catalogue(Document):
    """Every dataset."""

    datasets: list[CatalogueEntry]


@router.get("", summary="The catalogue")
async def catalogue(request: Request, releases: PublishedReleases) -> Json[Catalogue] | Page:
    """Every dataset: its measures, dimensions, months, releases and privacy cost. No token needed.

    An HTML page if Accept prefers text/html.
    """
    document = Catalogue(datasets=[catalogue_entry(dataset, releases) for dataset in DATASETS])
    if prefers_html(request):
        return Page(request, catalogue_page(document.model_dump()["datasets"]), SECURITY_HEADERS)
    return Json(request, document)


@router.get("/{dataset}", summary="One dataset")
async def dataset(
    request: Request, dataset: NamedDataset, releases: PublishedReleases
) -> Json[CatalogueEntry] | Page:
    """The entry of one dataset in the catalogue. An HTML page if Accept prefers text/html. No token needed."""
    entry = catalogue_entry(dataset, releases)
    if prefers_html(request):
        return Page(request, catalogue_page([entry.model_dump()]), SECURITY_HEADERS)
    return Json(request, entry)


@router.get("/{dataset}/codebook", summary="The codebook of a dataset")
async def codebook(
    request: Request,
    dataset: NamedDataset,
    releases: PublishedReleases,
    format: Annotated[
        OptionalText,
        choice_parameter("The format of the codebook; json by default.", CODEBOOK_FORMATS, "json"),
    ] = None,
) -> Json[CodebookDocument] | Csv | Markdown:
    """Dimensions, levels, codes with labels and legal sources, and measures, as in the latest release. No token needed.

    `format` is json, csv (one line for each code) or md.
    """
    current = releases.current(dataset.name)
    book = current[-1].codebook if current else codebook_of(dataset, Month(2026, 1))
    kept = current[-1].kept_shares if current else {}
    match parse_choice("format", "json" if format is None else format, CODEBOOK_FORMATS):
        case "csv":
            return Csv(request, as_csv(book, kept))
        case "md":
            return Markdown(request, as_markdown(book, kept))
        case _:
            return Json(request, as_document(book, kept))
