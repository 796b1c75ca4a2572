"""Documents: Pydantic models of JSON objects that the API responds with, which are also their description."""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeAlias, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

T = TypeVar("T")


def _is_none(value: object) -> bool:
    return value is None


def _drop_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)  # null, which such a member never is


IfKnown: TypeAlias = Annotated[
    T | SkipJsonSchema[None], Field(exclude_if=_is_none, json_schema_extra=_drop_default)
]
"""A member that is left out if it is None. It needs the default None. A member that is always there and may be null is
declared as `T | None` without a default."""


def _is_empty(value: object) -> bool:
    return value == ()


IfAny: TypeAlias = Annotated[tuple[T, ...], Field(exclude_if=_is_empty, json_schema_extra=_drop_default)]
"""A list that is left out if it is empty. It needs the default `()`."""


class Document(BaseModel):
    """A JSON object with these members in this order, and no others."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        serialize_by_alias=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,  # the text below a member is its description
    )

    @classmethod
    def of(cls, record: object) -> Self:
        """The document with those attributes of a record, for example a row of the registry, that it has as members."""
        return cls.model_validate(record, from_attributes=True, extra="ignore")


def encode(document: BaseModel) -> bytes:
    """The document as JSON in UTF-8."""
    return orjson.dumps(document.model_dump())
