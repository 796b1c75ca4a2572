"""/v1/admin: admins and their sessions, keys, the audit, the withdrawal of releases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse

from api.access.admins import PRIVATE, AskingAdmin, by, may, private
from api.dependencies import OpenRegistry, PublishedReleases, only
from api.render.tables import FORMATS
from api.routes.admin.bodies import Act, Text, body_of, described
from auth.crypto.keys import Purpose
from auth.db.admin_models import Admin
from auth.errors import MalformedValue
from auth.registry import Registry
from datasets.refusal import shown

router = APIRouter(prefix="/v1/admin", tags=["admin"])
ALONE = Depends(only())
AT_ONCE = 1000
"""Lines of the audit that are sent at once."""
SEES, DECIDES = [ALONE, Depends(may("read"))], [ALONE, Depends(may("house"))]


class Role(Act):
    """The role of an admin: one of auditor, issuer, registrar, owner."""

    role: Text


class New(Act):
    """An admin; the role is one of auditor, issuer, registrar, owner."""

    name: Text
    email: Text
    role: Text


@router.get("/session", summary="Who administers", dependencies=SEES)
async def session(admin: AskingAdmin) -> Response:
    """The admin, role and end of the session that is shown."""
    return private(
        {"admin": admin.admin, "role": admin.role, "session": admin.session, "expires": admin.expires}
    )


@router.post("/session/close", summary="Close the session", dependencies=SEES, openapi_extra=described(Act))
def close(
    admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """The session opens nothing from the next request on."""
    registry.admins.close_session(admin.session, by(admin, given.reason))
    return private({"session": admin.session})


@router.get("/admins", summary="Admins", dependencies=SEES)
def admins(registry: OpenRegistry) -> Response:
    """Everybody who administers or did."""
    return private({"admins": [_said(one) for one in registry.admins.list()]})


@router.post(
    "/admins",
    summary="Add an admin",
    dependencies=DECIDES,
    openapi_extra=described(New, name="An Auditor", email="auditor@example.org", role="auditor"),
)
def add(admin: AskingAdmin, registry: OpenRegistry, given: Annotated[New, Depends(body_of(New))]) -> Response:
    """Let somebody administer, or again who did before. Sessions are opened on the registry's host alone."""
    return private(_said(registry.admins.add(given.name, given.email, given.role, by(admin, given.reason))))


@router.post("/admins/{name}/end", summary="End an admin", dependencies=DECIDES, openapi_extra=described(Act))
def end(
    name: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """Their sessions open nothing from the next request on."""
    return private(_said(registry.admins.end(name, by(admin, given.reason))))


@router.post(
    "/admins/{name}/role",
    summary="Give an admin another role",
    dependencies=DECIDES,
    openapi_extra=described(Role, role="issuer"),
)
def change(
    name: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Role, Depends(body_of(Role))]
) -> Response:
    """It holds from the next request on; what they agreed to as the first of two lapses."""
    return private(_said(registry.admins.change(name, given.role, by(admin, given.reason))))


@router.get("/sessions", summary="Open sessions", dependencies=SEES)
def sessions(registry: OpenRegistry) -> Response:
    """The sessions that are open, the one that ends first first. Their identifiers open nothing."""
    return private({"sessions": [asdict(line) for line in registry.admins.sessions(datetime.now(UTC))]})


@router.post(
    "/sessions/{session}/close",
    summary="Close a session",
    dependencies=DECIDES,
    openapi_extra=described(Act),
)
def close_another(
    session: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """Another admin's session opens nothing from the next request on."""
    registry.admins.close_session(session, by(admin, given.reason))
    return private({"session": session})


@router.get("/pending", summary="What waits for a second person", dependencies=SEES)
def pending(registry: OpenRegistry) -> Response:
    """What one person has agreed to and another has not yet."""
    found = registry.admins.waiting(datetime.now(UTC))
    return private(
        {"pending": [{"act": c.act, "subject": c.subject, "by": c.actor, "at": c.at} for c in found]}
    )


@router.get("/keys", summary="Keys", dependencies=SEES)
def keys(registry: OpenRegistry) -> Response:
    """Every key by purpose: next, active, retired or revoked."""
    found = registry.list_keys()
    return private(
        {
            "keys": [
                {"kid": k.kid, "purpose": k.purpose, "status": k.status, "created": k.created} for k in found
            ]
        }
    )


@router.post(
    "/keys/{purpose}/rotate", summary="Rotate a key", dependencies=DECIDES, openapi_extra=described(Act)
)
def rotate(
    purpose: Purpose, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """The next key signs from now on; what the old one signed stays valid."""
    return private({"kid": registry.rotate_key(purpose, by(admin, given.reason))})


@router.post("/keys/{kid}/revoke", summary="Revoke a key", dependencies=DECIDES, openapi_extra=described(Act))
def revoke(
    kid: str, admin: AskingAdmin, registry: OpenRegistry, given: Annotated[Act, Depends(body_of(Act))]
) -> Response:
    """In an emergency: whatever this key signed is refused from the next request on, and another signs at once."""
    return private({"kid": kid, "successor": registry.revoke_key(kid, by(admin, given.reason))})


@router.get("/audit", summary="The audit", dependencies=[Depends(may("read"))])
def audit(registry: OpenRegistry, given: Annotated[dict[str, str], Depends(only("after"))]) -> Response:
    """Every event after the position `after` as lines of JSON, and the signed head, for whoever wants to follow the chain."""
    text = given.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise MalformedValue(
            f"after: {shown(text)!r} is no position; write a whole number.", parameter="after", value=text
        )
    return StreamingResponse(_lines(registry, int(text)), 200, PRIVATE, FORMATS["ndjson"])


@router.get("/audit/verify", summary="Whether the audit is whole", dependencies=SEES)
def verify(registry: OpenRegistry) -> Response:
    """Follow the chain from its first event to its signed head."""
    found = registry.verify_audit()
    return private({"events": found.events, "last": found.last, "head": found.head})


@router.get("/releases", summary="Releases", dependencies=SEES)
def releases(published: PublishedReleases) -> Response:
    """Every release, which are current, and which were withdrawn."""
    found = [
        {"dataset": dataset, "release": name, "current": name in current,
         "withdrawn": published.archive.erratum(dataset, name) is not None}
        for dataset in published.datasets
        for current in [{release.name for release in published.current(dataset)}]
        for name in published.archive.names(dataset)
    ]  # fmt: skip
    return private({"releases": found, "degraded": list(published.degraded)})


@router.post(
    "/releases/{dataset}/{release}/withdraw",
    summary="Ask for a withdrawal",
    dependencies=DECIDES,
    openapi_extra=described(Act),
)
def withdraw(
    dataset: str,
    release: str,
    admin: AskingAdmin,
    registry: OpenRegistry,
    published: PublishedReleases,
    given: Annotated[Act, Depends(body_of(Act))],
) -> Response:
    """Ask the host that builds to withdraw a release: its erratum is signed there. Where two must agree, this is one."""
    published.find(dataset, release)
    registry.admins.ask_withdrawal(f"{dataset}/{release}", by(admin, given.reason))
    return private({"dataset": dataset, "release": release, "waits_for": "daylight release withdraw"}, 202)


def _lines(registry: Registry, after: int) -> Iterator[bytes]:
    """In pieces of many lines: each piece is a turn of a thread."""
    lines = registry.audit_lines(after)
    while page := list(islice(lines, AT_ONCE)):
        yield b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in page)


def _said(admin: Admin) -> dict[str, object]:
    return {
        "admin": admin.id, "name": admin.name, "email": admin.email, "role": admin.role, "since": admin.since,
        "ended": admin.ended,
    }  # fmt: skip
