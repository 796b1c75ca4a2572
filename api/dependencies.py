"""What an endpoint may ask for in its signature: settings, releases, registry, principal, dataset, parameters."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.access.authorization import find_granted_dataset
from api.http.parameters import parameters_of, path_choice
from api.http.router import raises
from api.refusals import OutOfScope
from api.settings import ApiSettings
from auth.registry import Registry
from auth.tokens.principal import Principal
from datasets.catalogue import DATASETS, UnknownDataset, find_dataset
from datasets.definition import Dataset
from datasets.release.releases import Releases


async def settings_of(request: Request) -> ApiSettings:
    settings: ApiSettings = request.app.state.settings
    return settings


async def releases_of(request: Request) -> Releases:
    releases: Releases = request.app.state.releases
    return releases


async def registry_of(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry


async def current_principal(request: Request) -> Principal:
    """The principal that admission has authenticated."""
    principal: Principal = request.state.principal
    return principal


DatasetName = Annotated[str, path_choice([each.name for each in DATASETS], "moderation")]


@raises(UnknownDataset)
async def dataset_of(dataset: DatasetName) -> Dataset:
    """The dataset named in the path. Raises UnknownDataset."""
    return find_dataset(dataset)


@raises(UnknownDataset, OutOfScope)
async def granted_dataset(request: Request, dataset: DatasetName) -> Dataset:
    """The dataset named in the path, if the token may read it. Raises UnknownDataset, OutOfScope."""
    return find_granted_dataset(request, dataset)


SettingsOf = Annotated[ApiSettings, Depends(settings_of)]
PublishedReleases = Annotated[Releases, Depends(releases_of)]
OpenRegistry = Annotated[Registry, Depends(registry_of)]
NamedDataset = Annotated[Dataset, Depends(dataset_of)]
GrantedDataset = Annotated[Dataset, Depends(granted_dataset)]
CurrentPrincipal = Annotated[Principal, Depends(current_principal)]
Parameters = Annotated[tuple[tuple[str, str], ...], Depends(parameters_of)]
