"""The description in the repository, and whether an answer is what it says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jsonschema_rs
import orjson

DOCUMENT = orjson.loads((Path(__file__).parents[3] / "openapi" / "openapi.json").read_bytes())
OPERATIONS = [(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations]


def resolve(thing):
    if "$ref" not in thing:
        return thing
    found = DOCUMENT
    for part in thing["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def parameters(path, method):
    return [resolve(parameter) for parameter in DOCUMENT["paths"][path][method].get("parameters", [])]


def example_path(path, method):
    for parameter in parameters(path, method):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
    return path


def closed(schema):
    """The schema, with no member allowed that it does not describe."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(each) for name, each in schema.items()}
    if isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


CLOSED_COMPONENTS = {"schemas": closed(DOCUMENT["components"]["schemas"])}


@cache
def validator(path, method, status, media):
    content = DOCUMENT["paths"][path][method]["responses"][status]["content"]
    assert media in content, f"{method} {path} does not describe {status} as {media}"
    schema = closed(content[media]["schema"])
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": CLOSED_COMPONENTS}, validate_formats=True
    )


def ensure_as_described(answer, path, method):
    """Ensure that the description of this operation has the answer's status and media type, and every member of its JSON."""
    described = DOCUMENT["paths"][path][method]["responses"]
    assert str(answer.status_code) in described, f"{method} {path} does not describe {answer.status_code}"
    if not answer.content:
        assert "content" not in described[str(answer.status_code)]
        return
    media = answer.headers["content-type"].split(";")[0]
    check = validator(path, method, str(answer.status_code), media)
    if media.endswith("json") and not media.endswith("ndjson"):
        errors = [
            f"{error.instance_path}: {error.message[:300]}" for error in check.iter_errors(answer.json())
        ]
        assert not errors, f"{method} {path} is not as described: {errors[:3]}"
