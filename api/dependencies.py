"""What an endpoint may ask for in its signature: settings, releases, registry, principal, dataset, parameters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from api.access.authorization import find_granted_dataset
from api.refusals import Malformed
from api.settings import ApiSettings
from auth.registry import Registry
from auth.tokens.principal import Principal
from datasets.catalogue import find_dataset
from datasets.definition import Dataset
from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.query.vocabulary import (
    MAX_VALUE_LENGTH,
    MalformedQuestion,
    RepeatedParameter,
    UnknownParameter,
)
from datasets.release.releases import Releases

MAX_PARAMETERS = 64


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


async def dataset_of(dataset: str) -> Dataset:
    """The dataset named in the path. Raises UnknownDataset."""
    return find_dataset(dataset)


async def granted_dataset(request: Request, dataset: str) -> Dataset:
    """The dataset named in the path, if the token may read it. Raises UnknownDataset, OutOfScope."""
    return find_granted_dataset(request, dataset)


async def parameters_of(request: Request) -> tuple[tuple[str, str], ...]:
    """The query's names and values in order, repetitions included. Raises Malformed if it is not UTF-8."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(request.scope["query_string"]),
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise Malformed(
            f"The query is not written as name=value pairs in percent-encoded UTF-8, joined by &, at most "
            f"{MAX_PARAMETERS} of them."
        ) from None
    return tuple(pairs)


def only_parameters(*names: str) -> Callable[[Request], Awaitable[dict[str, str]]]:
    """A dependency that gives the parameters of a metadata route.

    It raises UnknownParameter for a name that is not in `names`, and RepeatedParameter for one that is given twice.
    """

    async def parameters(request: Request) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in await parameters_of(request):
            if name not in names:
                known = f"it has {', '.join(names)}" if names else "it has none"
                raise UnknownParameter(
                    f"parameter {printable(name)!r} is not known here; {known}.{did_you_mean(name, names)}",
                    parameter=printable(name),
                    allowed=names,
                    suggestions=nearest(name, names),
                )
            if name in found:
                raise RepeatedParameter(
                    f"{name} is given more than once; write it once", parameter=name, value=value
                )
            if len(value) > MAX_VALUE_LENGTH:
                raise MalformedQuestion(
                    f"{name} has {len(value)} characters; at most {MAX_VALUE_LENGTH} are read",
                    parameter=name,
                    value=value,
                )
            found[name] = value
        return found

    return parameters


SettingsOf = Annotated[ApiSettings, Depends(settings_of)]
PublishedReleases = Annotated[Releases, Depends(releases_of)]
OpenRegistry = Annotated[Registry, Depends(registry_of)]
NamedDataset = Annotated[Dataset, Depends(dataset_of)]
GrantedDataset = Annotated[Dataset, Depends(granted_dataset)]
CurrentPrincipal = Annotated[Principal, Depends(current_principal)]
Parameters = Annotated[tuple[tuple[str, str], ...], Depends(parameters_of)]
