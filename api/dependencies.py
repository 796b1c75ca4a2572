"""The nouns an endpoint may ask for: who asks, what is released, how the question is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from api.access.registry_calls import call_registry
from api.errors import Malformed, OutOfScope, TokenMissing
from api.settings import ApiSettings
from auth.admins.accounts import AdminPrincipal
from auth.errors import TokenRefused
from auth.registry import Registry
from auth.tokens.principal import Principal
from datasets.catalogue import find_dataset
from datasets.definition import Dataset
from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.answer.release import Release
from datasets.release.query.question import Question
from datasets.release.query.vocabulary import (
    MAX_VALUE_LENGTH,
    MalformedQuestion,
    RepeatedParameter,
    UnknownParameter,
)
from datasets.release.releases import Releases

MOST_PARAMETERS = 64
Holder = TypeVar("Holder")


async def settings_of(request: Request) -> ApiSettings:
    settings: ApiSettings = request.app.state.settings
    return settings


async def releases_of(request: Request) -> Releases:
    releases: Releases = request.app.state.releases
    return releases


async def registry_of(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry


async def authenticate_principal(request: Request) -> Principal:
    """Who asks, looked up in the registry on each request.

    Raises TokenMissing, TooManyAttempts, TokenRefused, RegistryUnavailable.
    """
    return await _authenticate(request, request.app.state.registry.principal)


async def authenticate_admin(request: Request) -> AdminPrincipal:
    """Which admin asks. Raises as `authenticate_principal`."""
    return await _authenticate(request, request.app.state.registry.admin)


async def _authenticate(request: Request, look_up: Callable[[str, datetime], Holder]) -> Holder:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise TokenMissing(
            "Authorization: a token is needed here; send the field 'Authorization: Bearer TOKEN' with a token that "
            "was issued to you.",
            parameter="Authorization",
        )
    token, throttle = text.strip(), request.app.state.login_throttle
    address = client_address(request)
    name = throttle.ensure_not_throttled(address, token)
    try:
        holder = await _find_holder(request, look_up, token)
    except TokenRefused:
        throttle.record_failure(address, name)
        raise
    throttle.record_success(address, name)
    return holder


async def current_principal(request: Request) -> Principal:
    """Who was let in."""
    asker: Principal = request.state.principal
    return asker


async def _find_holder(request: Request, look_up: Callable[[str, datetime], Holder], token: str) -> Holder:
    now = datetime.now(UTC)
    if request.app.state.registry.in_process:
        return look_up(token, now)
    return await call_registry(request, look_up, token, now)


def client_address(request: Request) -> str:
    """Where a request comes from, as the connection says it: no field of the request can change it, but those of a proxy that
    the settings name.

    An address of IPv6 stands for its network of 64 bits, all of which whoever has one can use.
    """
    host = request.client.host if request.client else "unknown"
    return _address_or_network(host) if ":" in host else host


@lru_cache(4096)
def _address_or_network(host: str) -> str:
    """The first 64 bits of an address of IPv6.

    >>> _address_or_network("2001:db8:0:1:aaaa::1"), _address_or_network("::ffff:192.0.2.1")
    ('2001:db8:0:1::/64', '192.0.2.1')
    """
    try:
        address = IPv6Address(host)
    except ValueError:
        return host
    return str(address.ipv4_mapped or IPv6Network((address.packed[:8] + bytes(8), 64)))


async def dataset_of(dataset: str) -> Dataset:
    """The dataset named in the path. Raises UnknownDataset."""
    return find_dataset(dataset)


async def granted_dataset(request: Request, dataset: str) -> Dataset:
    """The dataset named in the path, where the token may read it. Raises UnknownDataset, OutOfScope."""
    return find_granted_dataset(request, dataset)


def find_granted_dataset(request: Request, dataset: str) -> Dataset:
    """The dataset of this name, where who was let in may read it. Raises UnknownDataset, OutOfScope."""
    found = find_dataset(dataset)
    ensure_scope(request, found.name)
    return found


def ensure_scope(request: Request, noun: str) -> None:
    """Raises OutOfScope where who was let in may not read this: a dataset, or reports."""
    principal: Principal = request.state.principal
    scope = f"{noun}:read"
    if scope not in principal.scopes:
        raise OutOfScope(
            f"The project {principal.reference} may not read {noun}: its token has the scopes "
            f"{', '.join(sorted(principal.scopes))}, and {scope} is needed.",
            parameter="dataset",
            value=noun,
            allowed=sorted(principal.scopes),
        )


async def parameters_of(request: Request) -> tuple[tuple[str, str], ...]:
    """The query's names and values in order, repetitions included. Raises Malformed where it is not UTF-8."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(request.scope["query_string"]),
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise Malformed(
            f"The query is not written as name=value pairs in percent-encoded UTF-8, joined by &, at most "
            f"{MOST_PARAMETERS} of them."
        ) from None
    return tuple(pairs)


async def parse_question(
    dataset: Dataset, parameters: tuple[tuple[str, str], ...], releases: Releases
) -> tuple[Question, tuple[Release, ...]]:
    """What is asked, apart from the format, which is the API's own word, and of which releases.

    What may have to be opened first is opened beside the event loop, so that nobody else waits. Raises a Refusal for what
    is not right.
    """
    words = tuple((name, value) for name, value in parameters if name != "format")
    if releases.is_resolved_in_memory(dataset.name, words):
        return releases.resolve(dataset.name, words, ("format",))
    return await asyncio.to_thread(releases.resolve, dataset.name, words, ("format",))


async def find_release(releases: Releases, dataset: str, name: str) -> Release:
    """The release of this name, opened beside the event loop where it is new to this process.

    Raises UnknownRelease, ReleaseWithdrawn, ReleaseDamaged.
    """
    if releases.is_open(dataset, name):
        return releases.find(dataset, name)
    return await asyncio.to_thread(releases.find, dataset, name)


def only_parameters(*names: str) -> Callable[[Request], Awaitable[dict[str, str]]]:
    """A dependency that gives the parameters of a metadata route, each of which is one of `names` and given once."""

    async def given(request: Request) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in await parameters_of(request):
            if name not in names:
                there = f"it has {', '.join(names)}" if names else "it has none"
                raise UnknownParameter(
                    f"parameter {printable(name)!r} is not known here; {there}.{did_you_mean(name, names)}",
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

    return given


SettingsOf = Annotated[ApiSettings, Depends(settings_of)]
PublishedReleases = Annotated[Releases, Depends(releases_of)]
OpenRegistry = Annotated[Registry, Depends(registry_of)]
NamedDataset = Annotated[Dataset, Depends(dataset_of)]
GrantedDataset = Annotated[Dataset, Depends(granted_dataset)]
CurrentPrincipal = Annotated[Principal, Depends(current_principal)]
Parameters = Annotated[tuple[tuple[str, str], ...], Depends(parameters_of)]
