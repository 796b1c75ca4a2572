"""GET /v1/changelog and /v1/errata: what was released, corrected and withdrawn, as JSON and as Atom feeds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Request

from api.dependencies import PublishedReleases, SettingsOf
from api.http.accept import by_preference
from api.http.document import Document
from api.http.media import ATOM
from api.http.parameters import DECLARED_PARAMETERS, OptionalText, choice_parameter
from api.http.responses import Feed, Json
from api.http.router import Router
from api.render.atom import atom_feed
from api.settings import ApiSettings
from datasets.catalogue import DATASETS
from datasets.release.query.vocabulary import parse_choice
from datasets.release.store.changelog import changelog, errata_log

router = Router(prefix="/v1", tags=["changes"], dependencies=[DECLARED_PARAMETERS])

FORMATS = ("json", "atom")
DATASET_NAMES = tuple(dataset.name for dataset in DATASETS)
FormatParameter = Annotated[
    OptionalText, choice_parameter("json or atom. By default the header Accept decides.", FORMATS, "json")
]


class ChangeDocument(Document):
    """Something that happened to a dataset."""

    at: str
    kind: Literal["published", "corrected", "rolled back", "withdrawn"]
    dataset: str
    release: str
    detail: str


class ChangeList(Document):
    """Every change, the latest first."""

    changes: list[ChangeDocument]


class ErrataList(Document):
    """Every withdrawal, rollback and correction, the latest first."""

    errata: list[ChangeDocument]


@router.get("/changelog", summary="The changelog")
def changes(
    request: Request, settings: SettingsOf, releases: PublishedReleases, format: FormatParameter = None
) -> Json[ChangeList] | Feed:
    """Every publication, correction and withdrawal, the latest first. `format` is json or atom. No token needed."""
    entries = changelog(releases.store.history, DATASET_NAMES)
    if _wants_atom(request, format):
        return _feed(request, settings, "Changes", "/v1/changelog", entries)
    return Json(request, ChangeList(changes=[ChangeDocument.model_validate(entry) for entry in entries]))


@router.get("/errata", summary="The errata")
def errata(
    request: Request, settings: SettingsOf, releases: PublishedReleases, format: FormatParameter = None
) -> Json[ErrataList] | Feed:
    """Every withdrawal and correction with its reason, the latest first. `format` is json or atom. No token needed."""
    entries = errata_log(releases.store.history, DATASET_NAMES)
    if _wants_atom(request, format):
        return _feed(request, settings, "Errata", "/v1/errata", entries)
    return Json(request, ErrataList(errata=[ChangeDocument.model_validate(entry) for entry in entries]))


def _feed(
    request: Request, settings: ApiSettings, title: str, path: str, entries: list[dict[str, Any]]
) -> Feed:
    return Feed(request, atom_feed(title, settings.publisher, settings.base_url, path, entries))


def _wants_atom(request: Request, named: str | None) -> bool:
    if named is not None:
        return parse_choice("format", named, FORMATS) == "atom"
    accepted = [
        name
        for name in by_preference(request.headers.get("accept", ""))
        if name in {ATOM, "application/json", "*/*"}
    ]
    return accepted[:1] == [ATOM]
