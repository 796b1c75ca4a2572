"""GET .../citation: how to cite a release or an answer, as BibTeX or CSL-JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response

from api.dependencies import NamedDataset, Parameters, PublishedReleases, SettingsOf, only_parameters
from api.http.responses import response_with_etag
from api.query.resolve import find_release, resolve_question
from datasets.release.answer.release import Release
from datasets.release.query.question import Question
from datasets.release.query.vocabulary import RepeatedParameter, parse_choice
from datasets.release.releases import Releases
from datasets.release.store.citation import Citation, citation_of

router = APIRouter(prefix="/v1", tags=["citations"])

CITATION_MEDIA = {
    "csl": "application/vnd.citationstyles.csl+json",
    "bibtex": "application/x-bibtex; charset=utf-8",
}


@router.get("/releases/{dataset}/{release}/citation", summary="How to cite a release")
async def of_release(
    request: Request,
    dataset: NamedDataset,
    release: str,
    releases: PublishedReleases,
    settings: SettingsOf,
    query: Annotated[dict[str, str], Depends(only_parameters("format"))],
) -> Response:
    """Publisher, title, version, URL and the SHA-256 of the manifest. `format` is csl or bibtex. No token needed."""
    found = await find_release(releases, dataset.name, release)
    path = f"/v1/releases/{dataset.name}/{found.name}"
    citation = citation_of([found], settings.publisher, settings.base_url, path=path)
    return _citation_response(request, citation, query.get("format", "csl"))


@router.get("/datasets/{dataset}/citation", summary="How to cite an answer")
async def of_question(
    request: Request,
    dataset: NamedDataset,
    parameters: Parameters,
    releases: PublishedReleases,
    settings: SettingsOf,
) -> Response:
    """How to cite the answer to a question: its URL in canonical form, its query id, and the releases it is read from.

    The parameters are those of a question, but `format` is csl or bibtex. It returns no number. No token needed.
    """
    formats = [value for name, value in parameters if name == "format"]
    if len(formats) > 1:
        raise RepeatedParameter("format is given more than once; write it once", parameter="format")
    question, sources = await resolve_question(dataset, parameters, releases)
    pinned = _pin_releases(question, sources, releases)
    citation = citation_of(
        sources,
        settings.publisher,
        settings.base_url,
        query_id=question.id([release.name for release in sources]),
        path=f"/v1/datasets/{dataset.name}/aggregates?{pinned.canonical()}",
    )
    return _citation_response(request, citation, formats[0] if formats else "csl")


def _pin_releases(question: Question, sources: Sequence[Release], releases: Releases) -> Question:
    """The question, restricted to these releases, so that later corrections do not change its answer."""
    if question.release or question.as_of:
        return question
    if len(sources) == 1:
        return replace(question, release=sources[0].name)
    return replace(question, as_of=releases.store.history.timestamps(question.dataset)[-1])


def _citation_response(request: Request, citation: Citation, format_: str) -> Response:
    kind = parse_choice("format", format_, tuple(CITATION_MEDIA))
    body = orjson.dumps(citation.csl()) if kind == "csl" else citation.bibtex().encode()
    return response_with_etag(request, body, CITATION_MEDIA[kind], {})
