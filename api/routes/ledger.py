"""GET /v1/ledger: the published privacy ledger, with the privacy loss spent on each month."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Request
from pydantic import Field

from api.access.registry_calls import call_registry
from api.dependencies import OpenRegistry, PublishedReleases
from api.http.document import Document, IfKnown, encode
from api.http.parameters import DECLARED_PARAMETERS
from api.http.responses import JsonBytes, Model
from api.http.router import Router, raises
from auth.errors import RegistryUnavailable
from datasets.privacy.ledger import GENESIS, UnitClass
from datasets.release.format.ledger import entries_of, published_ledger
from datasets.release.format.verification import ReleaseDamaged

router = Router(prefix="/v1", tags=["changes"], dependencies=[DECLARED_PARAMETERS])


class LedgerLine(Document):
    """An entry of the ledger. One that is reserved has a spend; the others name its entry in `of`.

    Its hash is the SHA-256 of all its other members, as JSON with sorted names and without blanks. `class` and `role` are not
    in entries of version 0.1.0, whose units are persons.
    """

    seq: int
    previous: str
    time: str
    state: Literal["reserved", "committed", "void"]
    of_entry: Annotated[int | None, Field(serialization_alias="of")]
    dataset: str
    month: str
    unit: str
    rows_per_unit: str
    nano_rho: int
    plan_hash: str
    input_hash: str
    release: str
    artefact_hash: str
    reason: str
    hash: str
    unit_class: Annotated[
        IfKnown[UnitClass],
        Field(
            serialization_alias="class",
            description="Whose rho `nano_rho` is: each unit of this class spends it.",
        ),
    ] = None
    role: Annotated[IfKnown[str], Field(description="What the unit is in this dataset.")] = None
    organisation_nano_rho: Annotated[
        IfKnown[int],
        Field(
            description="What the same build spends on each event of an organisation besides; left out if none."
        ),
    ] = None


class LedgerDocument(Document):
    """The caps, the head of the hash chain, the rho spent on each month, and every entry.

    A cap of a year is that of any twelve consecutive data months; those of organisations are for one of their events.
    """

    caps: dict[str, str]
    head: str
    rho_spent: Annotated[dict[str, str], Field(description="The rho spent on a person, by data month.")]
    entries: list[LedgerLine]
    rho_spent_on_organisation_events: Annotated[
        IfKnown[dict[str, str]],
        Field(description="The rho spent on an event of an organisation; not in ledgers of version 0.1.0."),
    ] = None


class SignedLedger(JsonBytes[Model]):
    """The bytes of the ledger that were signed."""

    fields = ("ETag", "Document-Signature")


@router.get("/ledger", summary="The privacy ledger")
@raises(ReleaseDamaged, RegistryUnavailable)
async def ledger(
    request: Request, releases: PublishedReleases, registry: OpenRegistry
) -> SignedLedger[LedgerDocument]:
    """The privacy ledger as last published: caps, every entry of the hash chain, its head, and the rho spent on each month.

    The body is the bytes that were signed. The detached signature (ES256, RFC 7515, appendix F) is in the header
    `Document-Signature`. No token needed.
    """
    found = await call_registry(
        request, published_ledger, releases.store.directory, registry.keys.release_verifier()
    )
    if found is None:
        nothing = LedgerDocument(caps={}, head=GENESIS, rho_spent={}, entries=[])
        return SignedLedger(request, encode(nothing))
    entries_of(found)
    return SignedLedger(request, found.text, {"Document-Signature": found.signature})
