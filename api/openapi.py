"""Adds to the OpenAPI document what FastAPI cannot derive: problem responses, and bodies that come in two forms.

It must not change what the API takes or answers: it describes.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import KINDS, MEDIA_TYPE
from api.request_schemas import Body
from api.response_schemas import Problem

CALLER_CODES = ("credential_invalid", "not_permitted", "quota_exceeded", "storage_unavailable")
"""What every endpoint that asks for a key may answer."""
PHOTOGRAPH_CODES = (
    "gallery_not_found",
    "embedder_mismatch",
    "body_too_large",
    "content_type_unsupported",
    "request_invalid",
    "image_too_large",
    "image_too_small",
    "image_format_unsupported",
    "image_corrupt",
    "decoder_unavailable",
)
"""What every endpoint that takes photographs may answer besides."""

_EXAMPLE_PHOTOGRAPH = "/9j/4AAQSkZJRgABAQAAAQABAAD…"
_PHOTOGRAPH_FIELDS = frozenset({"image", "images"})


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers with problem documents of these codes."""
    by_status: dict[int | str, list[str]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {status: _problem(alike) for status, alike in by_status.items()}


def _problem(codes: list[str]) -> dict[str, Any]:
    return {
        "description": "; ".join(f"{KINDS[code].title}: `{code}`" for code in codes),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def request_body(model: type[Body]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads `model`, as JSON or as multipart/form-data."""
    schema = model.model_json_schema()
    form = {**schema, "properties": {name: _part(name, field) for name, field in schema["properties"].items()}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                "application/json": {"schema": schema, "example": _example(schema)},
            },
        }
    }


def _part(name: str, field: dict[str, Any]) -> dict[str, Any]:
    """A photograph is a file part; anything else a text part, which can be left out but cannot be null."""
    file = {"type": "string", "format": "binary", "description": "JPEG or PNG, at most 5 MiB."}
    if name not in _PHOTOGRAPH_FIELDS:
        return _never_null(field)
    return {**field, "items": file} if field.get("type") == "array" else file


def _never_null(field: dict[str, Any]) -> dict[str, Any]:
    """Of text that is sent or left out, as form fields and headers are: there is no null to send."""
    choices = [choice for choice in field.get("anyOf", []) if choice != {"type": "null"}]
    kept = {key: value for key, value in field.items() if key not in ("anyOf", "default")}
    return kept | choices[0] if len(choices) == 1 else field


def _example(schema: dict[str, Any]) -> dict[str, Any]:
    example: dict[str, Any] = {}
    of_a_choice = schema.get("oneOf", [{"required": []}])[0]["required"]
    for name in [*schema["required"], *of_a_choice]:
        field = schema["properties"][name]
        photographs = [_EXAMPLE_PHOTOGRAPH] if field.get("type") == "array" else _EXAMPLE_PHOTOGRAPH
        example[name] = photographs if name in _PHOTOGRAPH_FIELDS else field["examples"][0]
    return example


def install(app: FastAPI) -> None:
    """Complete the generated document with the one schema that its responses refer to."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
                license_info=app.license_info,
            )
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            document["components"]["schemas"] |= {**problem.pop("$defs"), "Problem": problem}
            for operations in document["paths"].values():
                for operation in operations.values():
                    for parameter in operation.get("parameters", []):
                        parameter["schema"] = _never_null(parameter["schema"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
