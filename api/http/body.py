"""The body of a request, read up to a maximum size, and parsed as a JSON object that a model declares."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from api.refusals import Malformed, TooLarge

MAX_BODY_BYTES = 64 * 1024
"""For questions and for the requests of admins."""

Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The body of a request. Raises TooLarge if it has more than `max_bytes`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(f"The body has more than {max_bytes} bytes; send a smaller one.")
    return body


class JsonBody(Generic[Body]):
    """A dependency that parses the body, and describes it: its model, and an example made of the examples of its members."""

    raises: ClassVar[tuple[type[Exception], ...]] = (Malformed, TooLarge)

    def __init__(self, model: type[Body], **example: object) -> None:
        """`example` has the members for which this operation needs another example than the model gives."""
        self.model = model
        self.example: dict[str, Any] = {**_example_of(model), **example}

    async def __call__(self, request: Request) -> Body:
        """The parsed body. Raises TooLarge, and Malformed, which names the wrong member but never its value."""
        try:
            return self.model.model_validate_json(await read_body(request))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            member, members = ".".join(map(str, first["loc"])) or "body", self.model.model_fields
            raise Malformed(
                f"{member}: {first['msg']}; the members are {', '.join(members)}.",
                parameter=member, allowed=tuple(members),
            ) from None  # fmt: skip


def _example_of(model: type[BaseModel]) -> dict[str, Any]:
    """The first example of each member that has one."""
    fields = model.model_fields.items()
    return {name: field.examples[0] for name, field in fields if field.examples}
