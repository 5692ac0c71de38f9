"""What an OpenAPI document promises its callers, as lines of text that two releases can be compared by.

Names of schemas, descriptions, patterns and the values of enumerations are not in it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_KEPT = ("gives", "takes")
"""What may only grow; "needs" may only shrink."""


def promises(document: Mapping[str, Any]) -> set[str]:
    """One line for each thing that is given, taken or needed: "needs DELETE /v1/persons/{person} query purpose"."""
    lines = {f"gives PROBLEM {line}" for line in _given(document, {"$ref": "#/components/schemas/Problem"})}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            lines.update(_lines(document, f"{method.upper()} {path}", operation))
    return lines


def broken(before: set[str], now: set[str]) -> list[str]:
    """The promises of `before` that `now` does not keep, and what it needs that was not needed before."""
    lost = {line for line in before - now if line.startswith(_KEPT)}
    known = {_place(line) for line in before}
    return sorted(lost | {line for line in now - before if line.startswith("needs") and _place(line) in known})


def _place(line: str) -> str:
    """The operation: what a new one needs breaks nobody."""
    return " ".join(line.split()[1:3])


def _lines(document: Mapping[str, Any], start: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"gives {start}"
    for parameter in operation.get("parameters", []):
        name = f"{start} {parameter['in']} {parameter['name']}"
        yield f"takes {name}"
        if parameter.get("required"):
            yield f"needs {name}"
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        for name, kind, always in _fields(document, content["schema"]):
            yield f"takes {start} {media} {name} {kind}"
            if always:
                yield f"needs {start} {media} {name}"
    for status, response in operation["responses"].items():
        if status < "400":  # which errors there may be is no promise; their form is, and stands under PROBLEM
            for media, content in response.get("content", {}).items():
                yield f"gives {start} {status} {media}"
                yield from (f"gives {start} {status} {line}" for line in _given(document, content.get("schema", {})))


def _given(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    for name, kind, always in _fields(document, schema):
        yield f"{name} {kind}"
        if always:
            yield f"{name} always"


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, str, bool]]:
    """Each field of an object with its type and whether it is always there; "a.b" within "a", "a[].b" in its items."""
    for choice in _choices(document, schema):
        if choice.get("type") == "array":
            yield from _fields(document, choice["items"], f"{name}[]")
        for field, of in choice.get("properties", {}).items():
            full = f"{name}.{field}".lstrip(".")
            yield full, _kind(document, of), field in choice.get("required", ())
            yield from _fields(document, of, full)


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """One word for all types that it may have: "string", "integer|null"."""
    return "|".join(sorted({str(choice.get("type", "any")) for choice in _choices(document, schema)}))


def _choices(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in schema.get("anyOf", []):
        yield from _choices(document, choice)
    if "anyOf" not in schema:
        yield schema
