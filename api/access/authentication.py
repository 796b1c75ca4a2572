"""Authentication: whose bearer token a request carries, and the address it comes from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from typing import TypeVar

from fastapi import Request

from api.access.registry_calls import call_registry
from api.refusals import TokenMissing
from auth.admins.accounts import AdminPrincipal
from auth.errors import TokenRefused
from auth.tokens.principal import Principal

Holder = TypeVar("Holder")


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
