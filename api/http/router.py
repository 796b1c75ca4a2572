"""Routes that describe themselves: the return annotation of a handler names its responses, and `raises` its refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.http.responses import DescribedResponse, ResponseObjects

Function = TypeVar("Function", bound=Callable[..., object])
NOT_FOUND = "not-found"
"""The problem of a path under which nothing is served. It has no exception of its own."""


def raises(*kinds: type[Exception] | str) -> Callable[[Function], Function]:
    """Declare what a handler or a dependency raises, for the description of every operation that calls it.

    A kind is an exception in the table `api.errors.STATUS`, or the name of a problem that has no exception.
    """

    def declare(function: Function) -> Function:
        vars(function)["raises"] = (*declared_refusals(function), *kinds)
        return function

    return declare


def declared_refusals(function: object) -> tuple[type[Exception] | str, ...]:
    """What `raises` has declared of a function."""
    found: tuple[type[Exception] | str, ...] = getattr(function, "raises", ())
    return found


def calls_of(dependant: Dependant) -> Iterator[object]:
    """The functions that are called for a request: the handler and its dependencies, theirs included."""
    yield dependant.call
    for each in dependant.dependencies:
        yield from calls_of(each)


class DescribedRoute(APIRoute):
    """A route whose responses are those that the return annotation of its handler names.

    Raises TypeError if it names none.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        described = responses_of(endpoint)
        if not described:
            raise TypeError(
                f"{endpoint.__qualname__}: the return annotation names no response that can be described"
            )
        status = next(iter(described))
        options |= {"response_model": None, "response_class": Response, "status_code": status}
        super().__init__(path, endpoint, **{**options, "responses": described})
        self.query_names = tuple(parameter.alias for parameter in self.dependant.query_params)


class Router(APIRouter):
    """The routes of one noun."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=DescribedRoute, **options)


def responses_of(handler: Callable[..., Any]) -> ResponseObjects:
    """The responses that the return annotation of a handler names, by status; the success is the first."""
    found: ResponseObjects = {}
    for kind, model in _alternatives(get_type_hints(handler, include_extras=True)["return"]):
        for status, response in kind.describe(model).items():
            known = found.setdefault(status, response)
            known.update({**response, "content": known.get("content", {}) | response.get("content", {})})
    return found


def _alternatives(annotation: Any) -> Iterator[tuple[Any, Any]]:
    """Each kind of response in an annotation, with the model of its JSON."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        for each in get_args(annotation):
            yield from _alternatives(each)
    elif origin is Annotated:
        yield get_args(annotation)[1], None
    elif isinstance(origin or annotation, type) and issubclass(origin or annotation, DescribedResponse):
        yield (origin or annotation), next(iter(get_args(annotation)), None)
