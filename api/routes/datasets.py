"""GET /v1/datasets: the catalogue, and each dataset's codebook (Delegated Regulation (EU) 2025/2050, Art. 6(4)(c), 15(2))."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.dependencies import NamedDataset, PublishedReleases, only_parameters
from api.http.media import HTML
from api.http.negotiation import prefers_html
from api.http.responses import json_response, response_with_etag
from api.render.codebook import CODEBOOK_RENDERERS
from api.render.html import SECURITY_HEADERS, catalogue_page
from datasets.catalogue import DATASETS
from datasets.definition import Dataset
from datasets.period import Month
from datasets.privacy.zcdp import epsilon, power_of_best_test
from datasets.release.format.codebook import Codebook, codebook_of
from datasets.release.query.vocabulary import parse_choice
from datasets.release.releases import Releases

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])


@router.get("", summary="The catalogue", dependencies=[Depends(only_parameters())])
async def catalogue(request: Request, releases: PublishedReleases) -> Response:
    """Every dataset: its measures, dimensions, months, releases and privacy cost. No token needed.

    An HTML page if Accept prefers text/html.
    """
    cards = [_catalogue_entry(dataset, releases) for dataset in DATASETS]
    if prefers_html(request):
        return response_with_etag(request, catalogue_page(cards), HTML, SECURITY_HEADERS)
    return json_response(request, {"datasets": cards})


@router.get("/{dataset}", summary="One dataset", dependencies=[Depends(only_parameters())])
async def dataset(request: Request, dataset: NamedDataset, releases: PublishedReleases) -> Response:
    """The entry of one dataset in the catalogue. An HTML page if Accept prefers text/html. No token needed."""
    card = _catalogue_entry(dataset, releases)
    if prefers_html(request):
        return response_with_etag(request, catalogue_page([card]), HTML, SECURITY_HEADERS)
    return json_response(request, card)


@router.get("/{dataset}/codebook", summary="The codebook of a dataset")
async def codebook(
    request: Request,
    dataset: NamedDataset,
    releases: PublishedReleases,
    query: Annotated[dict[str, str], Depends(only_parameters("format"))],
) -> Response:
    """Dimensions, levels, codes with labels and legal sources, and measures, as in the latest release. No token needed.

    `format` is json, csv (one line for each code) or md.
    """
    current = releases.current(dataset.name)
    book = current[-1].codebook if current else codebook_of(dataset, Month(2026, 1))
    format_ = parse_choice("format", query.get("format", "json"), tuple(CODEBOOK_RENDERERS))
    body, media = CODEBOOK_RENDERERS[format_](book, current[-1].kept_shares if current else {})
    return response_with_etag(request, body, media, {})


def _catalogue_entry(dataset: Dataset, releases: Releases) -> dict[str, Any]:
    """The entry of a dataset in the catalogue (Delegated Regulation (EU) 2025/2050, Art. 6(4)(c), (d) and 6(5))."""
    current = releases.current(dataset.name)
    book: Codebook = current[-1].codebook if current else codebook_of(dataset, Month(2026, 1))
    rho = dataset.rho_of_release
    return {
        "name": dataset.name,
        "title": dataset.title,
        "version": dataset.version,
        "grain": dataset.grain,
        "refresh": "monthly; corrections as further revisions",
        "dimensions": [
            {
                "name": d.name,
                "title": d.title,
                "law": d.law,
                "levels": [level.name for level in d.levels],
                "code_lists": [level.code_list for level in d.levels],
                "type": "date" if d.levels[0].unknown is None else "code",
            }
            for d in book.dimensions
        ],
        "measures": [measure.model_dump(mode="json", exclude_none=True) for measure in book.measures],
        "derived": [entry.model_dump(mode="json", exclude_defaults=True) for entry in book.derived],
        "coverage": [release.manifest.month for release in current],
        "releases": [release.name for release in current],
        "volume": {
            "cells_per_release": {
                release.name: sum(file.rows or 0 for file in release.manifest.files) for release in current
            }
        },
        "gaps": list(dataset.gaps),
        "late_events": dataset.late_events,
        "risks": [asdict(risk) for risk in dataset.risks],
        "law": list(dataset.law),
        "privacy": {
            "unit": dataset.unit.title,
            "note": dataset.unit.note,
            "rho_per_month": str(rho),
            "epsilon": {"1e-06": round(epsilon(rho, 1e-6), 2), "1e-09": round(epsilon(rho, 1e-9), 2)},
            "power_of_best_5_percent_test": round(power_of_best_test(rho), 4),
        },
        "modality": asdict(dataset.modality),
        "links": {
            "codebook": f"/v1/datasets/{dataset.name}/codebook",
            "aggregates": f"/v1/datasets/{dataset.name}/aggregates",
            "plan": f"/v1/datasets/{dataset.name}/plan",
            "citation": f"/v1/datasets/{dataset.name}/citation",
            "releases": f"/v1/releases/{dataset.name}",
            "changelog": "/v1/changelog",
        },
    }
