"""GET .../citation: how to cite a release or an answer, as BibTeX or CSL-JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import orjson
from fastapi import Request
from pydantic import Field

from api.dependencies import NamedDataset, Parameters, PublishedReleases, SettingsOf
from api.http.document import Document
from api.http.parameters import DECLARED_PARAMETERS, OptionalText, ReleaseName, choice_parameter
from api.http.responses import ETagResponse
from api.http.router import Router, raises
from api.query.resolve import QUESTION_REFUSALS, RELEASE_REFUSALS, find_release, resolve_question
from datasets.release.answer.release import Release
from datasets.release.query.question import Question
from datasets.release.query.vocabulary import RepeatedParameter, parse_choice
from datasets.release.releases import Releases
from datasets.release.store.citation import Citation, citation_of

router = Router(prefix="/v1", tags=["citations"])

CITATION_FORMATS = ("csl", "bibtex")


class CslItem(Document):
    """An item of type `dataset` in the JSON of the Citation Style Language."""

    id: str
    type: str
    title: str
    author: list[dict[str, str]]
    publisher: str
    issued: dict[str, list[list[int]]]
    version: str
    url: Annotated[str, Field(validation_alias="URL", serialization_alias="URL")]
    note: str


class Csl(ETagResponse):
    """A list with one item in CSL-JSON."""

    media_type = "application/vnd.citationstyles.csl+json"
    schema = {"type": "array", "items": CslItem.model_json_schema(mode="serialization")}  # noqa: RUF012  never changed


class BibTeX(ETagResponse):
    """An entry for BibTeX."""

    media_type = "application/x-bibtex; charset=utf-8"


@router.get(
    "/releases/{dataset}/{release}/citation",
    summary="How to cite a release",
    dependencies=[DECLARED_PARAMETERS],
)
@raises(*RELEASE_REFUSALS)
async def of_release(
    request: Request,
    dataset: NamedDataset,
    release: ReleaseName,
    releases: PublishedReleases,
    settings: SettingsOf,
    format: Annotated[
        OptionalText, choice_parameter("csl or bibtex; csl by default.", CITATION_FORMATS, "csl")
    ] = None,
) -> Csl | BibTeX:
    """Publisher, title, version, URL and the SHA-256 of the manifest. `format` is csl or bibtex. No token needed."""
    found = await find_release(releases, dataset.name, release)
    path = f"/v1/releases/{dataset.name}/{found.name}"
    citation = citation_of([found], settings.publisher, settings.base_url, path=path)
    return _citation_response(request, citation, "csl" if format is None else format)


@router.get("/datasets/{dataset}/citation", summary="How to cite an answer")
@raises(*QUESTION_REFUSALS)
async def of_question(
    request: Request,
    dataset: NamedDataset,
    parameters: Parameters,
    releases: PublishedReleases,
    settings: SettingsOf,
) -> Csl | BibTeX:
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


def _citation_response(request: Request, citation: Citation, format_: str) -> Csl | BibTeX:
    if parse_choice("format", format_, CITATION_FORMATS) == "bibtex":
        return BibTeX(request, citation.bibtex().encode())
    items = [CslItem.model_validate(item) for item in citation.csl()]
    return Csl(request, orjson.dumps([item.model_dump() for item in items]))
