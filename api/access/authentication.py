"""Authentication: whose bearer token a request carries, and the address it comes from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from typing import TypeVar

from fastapi import Request

from api.access.registry_calls import call_registry
from api.access.throttle import FailedLoginThrottle
from api.refusals import TokenMissing
from auth.admins.sessions import AdminPrincipal
from auth.errors import TokenRefused
from auth.registry import Registry
from auth.tokens.principal import Principal

Holder = TypeVar("Holder")


async def authenticate_principal(request: Request) -> Principal:
    """The principal of the request's token, looked up in the registry for each request.

    Raises TokenMissing, TooManyAttempts, TokenRefused, RegistryUnavailable.
    """
    registry: Registry = request.app.state.registry
    return await _authenticate(request, registry, registry.authenticator.principal)


async def authenticate_admin(request: Request) -> AdminPrincipal:
    """The admin of the session whose token the request carries. Raises as `authenticate_principal`."""
    registry: Registry = request.app.state.registry
    return await _authenticate(request, registry, registry.sessions.principal)


async def _authenticate(
    request: Request, registry: Registry, find_holder: Callable[[str, datetime], Holder]
) -> Holder:
    token, address, now = _bearer_token(request), client_address(request), datetime.now(UTC)
    throttle: FailedLoginThrottle = request.app.state.login_throttle
    digest = throttle.ensure_not_throttled(address, token)
    try:
        if registry.in_process:
            holder = find_holder(token, now)
        else:
            holder = await call_registry(request, find_holder, token, now)
    except TokenRefused:
        throttle.record_failure(address, digest)
        raise
    throttle.record_success(address, digest)
    return holder


def _bearer_token(request: Request) -> str:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise TokenMissing(
            "Authorization: a token is needed here; send the field 'Authorization: Bearer TOKEN' with a token that "
            "was issued to you.",
            parameter="Authorization",
        )
    return text.strip()


def client_address(request: Request) -> str:
    """The address of the connection. Of the request's fields, only those of a proxy that the settings name can change it.

    An IPv6 address counts as its network of 64 bits, since a client usually has all addresses of such a network.
    """
    host = request.client.host if request.client else "unknown"
    return _ipv6_network(host) if ":" in host else host


@lru_cache(4096)
def _ipv6_network(host: str) -> str:
    """The first 64 bits of an IPv6 address; the IPv4 address if it is a mapped one.

    >>> _ipv6_network("2001:db8:0:1:aaaa::1"), _ipv6_network("::ffff:192.0.2.1")
    ('2001:db8:0:1::/64', '192.0.2.1')
    """
    try:
        address = IPv6Address(host)
    except ValueError:
        return host
    return str(address.ipv4_mapped or IPv6Network((address.packed[:8] + bytes(8), 64)))
