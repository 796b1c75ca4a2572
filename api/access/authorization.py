"""Authorization: whether the scopes of a token include what is asked for."""

from __future__ import annotations

from fastapi import Request

from api.refusals import OutOfScope
from auth.tokens.principal import Principal
from datasets.catalogue import find_dataset
from datasets.definition import Dataset


def find_granted_dataset(request: Request, dataset: str) -> Dataset:
    """The dataset of this name, if the token may read it. Raises UnknownDataset, OutOfScope."""
    found = find_dataset(dataset)
    ensure_scope(request, found.name)
    return found


def ensure_scope(request: Request, noun: str) -> None:
    """Raises OutOfScope if the token's scopes do not include reading `noun`: a dataset, or reports."""
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
