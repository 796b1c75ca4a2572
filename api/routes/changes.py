"""GET /v1/changelog and /v1/errata: what was released, corrected and withdrawn, as JSON and as Atom feeds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.dependencies import PublishedReleases, SettingsOf, only_parameters
from api.http.accept import by_preference
from api.http.media import ATOM
from api.http.responses import json_response, response_with_etag
from api.render.atom import atom_feed
from datasets.catalogue import DATASETS
from datasets.release.query.vocabulary import parse_choice
from datasets.release.store.changelog import changelog, errata_log

router = APIRouter(prefix="/v1", tags=["changes"])

FORMATS = ("json", "atom")
DATASET_NAMES = tuple(dataset.name for dataset in DATASETS)
FormatParameter = Annotated[dict[str, str], Depends(only_parameters("format"))]


@router.get("/changelog", summary="The changelog")
def changes(
    request: Request, settings: SettingsOf, releases: PublishedReleases, query: FormatParameter
) -> Response:
    """Every publication, correction and withdrawal, the latest first. `format` is json or atom. No token needed."""
    entries = changelog(releases.store.history, DATASET_NAMES)
    if _wants_atom(request, query):
        body = atom_feed("Changes", settings.publisher, settings.base_url, "/v1/changelog", entries)
        return response_with_etag(request, body, ATOM, {})
    return json_response(request, {"changes": entries})


@router.get("/errata", summary="The errata")
def errata(
    request: Request, settings: SettingsOf, releases: PublishedReleases, query: FormatParameter
) -> Response:
    """Every withdrawal and correction with its reason, the latest first. `format` is json or atom. No token needed."""
    entries = errata_log(releases.store.history, DATASET_NAMES)
    if _wants_atom(request, query):
        return response_with_etag(
            request,
            atom_feed("Errata", settings.publisher, settings.base_url, "/v1/errata", entries),
            ATOM,
            {},
        )
    return json_response(request, {"errata": entries})


def _wants_atom(request: Request, query: dict[str, str]) -> bool:
    if "format" in query:
        return parse_choice("format", query["format"], FORMATS) == "atom"
    accepted = [
        name
        for name in by_preference(request.headers.get("accept", ""))
        if name in {ATOM, "application/json", "*/*"}
    ]
    return accepted[:1] == [ATOM]
