"""The OpenAPI document: what FastAPI derives from the endpoints, with the envelope and the failures of every answer."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from weft_contracts.errors import ErrorCode

_META: Final = {
    "type": "object",
    "properties": {"timestamp": {"type": "string", "format": "date-time"}, "request_id": {"type": "string"}},
    "required": ["timestamp", "request_id"],
}
SCHEMAS: Final[dict[str, Any]] = {
    "Success": {
        "type": "object",
        "properties": {
            "success": {"const": True},
            "data": {},
            "pagination": {
                "type": "object",
                "properties": {
                    name: {"type": "integer"} for name in ("page", "limit", "total", "total_pages")
                },
            },
            "meta": _META,
        },
        "required": ["success", "data", "meta"],
    },
    "Failure": {
        "type": "object",
        "properties": {
            "success": {"const": False},
            "error": {
                "type": "object",
                "properties": {
                    "code": {"type": "string", "enum": [*ErrorCode, "METHOD_NOT_ALLOWED"]},
                    "message": {"type": "string"},
                    "details": {"type": "object"},
                },
                "required": ["code", "message", "details"],
            },
            "meta": _META,
        },
        "required": ["success", "error", "meta"],
        "example": {
            "success": False,
            "error": {"code": "NOT_FOUND", "message": "There is no such workflow.", "details": {"id": "…"}},
            "meta": {"timestamp": "2026-01-31T12:00:00.000Z", "request_id": "…"},
        },
    },
}
FAILURES: Final = {
    "400": "The call is malformed.",
    "401": "Nobody is signed in, or the token has expired.",
    "403": "The role, or the API key's scopes, don't allow it.",
    "404": "There is no such thing in the caller's projects.",
    "409": "It is in another state than the call assumes.",
    "413": "The body is too large.",
    "429": "Too many calls; `Retry-After` says for how long.",
    "503": "A part of the installation is out of reach; try again.",
}
DOCUMENT_BODY: Final = {
    "requestBody": {
        "required": True,
        "description": "A workflow document, n8n's JSON.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "maxLength": 255},
                        "nodes": {"type": "array", "items": {"type": "object"}},
                        "connections": {"type": "object"},
                        "settings": {"type": "object"},
                    },
                    "required": ["nodes"],
                },
                "example": {"name": "Empty", "nodes": [], "connections": {}},
            }
        },
    }
}
MEMBERS_BODY: Final = {
    "requestBody": {
        "required": True,
        "description": "Members of the document that are to be replaced.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"name": "Invoices"}}},
    }
}
RUN_BODY: Final = {
    "requestBody": {
        "description": "`run_data`: outputs of earlier nodes, node name to `[[[item]] per run]`.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "start_node": {"type": "string"},
                        "destination_node": {"type": "string"},
                        "trigger_data": {"type": "array", "items": {"type": "object"}},
                        "run_data": {"type": "object"},
                        "pin_data": {"type": "object"},
                    },
                },
                "example": {"trigger_data": [{"json": {"order": 7}}]},
            }
        },
    }
}


def install(app: FastAPI) -> None:
    """`app.openapi()` gives the whole document from now on."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            made.setdefault("components", {}).setdefault("schemas", {}).update(SCHEMAS)
            for methods in made["paths"].values():
                for operation in methods.values():
                    _complete(operation)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _complete(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own; a body of the wrong form is 400 here
    for answer in responses.values():
        for kind, content in answer.get("content", {}).items():
            if kind == "application/json" and not content.get("schema"):
                content["schema"] = {"$ref": "#/components/schemas/Success"}
    failure = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    for status, text in FAILURES.items():
        if status != "401" or operation.get("security"):
            responses.setdefault(status, {"description": text, "content": failure})
