"""The OpenAPI 3.1 description, made of the operations themselves, so that it cannot say anything else than they do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from backoffice.public.partners import SCOPES
from storefront.api.operations import LONGEST_KEY, Operation
from storefront.api.schemas import Problem

VERSION = "1.0.0"
REF = "#/components/schemas/{model}"
ALWAYS = {400: ["malformed_request"], 401: ["unknown_key"], 403: ["missing_scope"], 422: ["invalid_form"]}
OF_WRITES = {
    400: ["idempotency_key_missing", "bad_idempotency_key", "malformed_json"],
    403: ["cross_site"],
    409: ["in_progress"],
    422: ["idempotency_key_reused"],
}
OF_BODIES = {413: ["body_too_large"], 415: ["wrong_content_type"]}


def describe(operations: Sequence[Operation], *, name: str, server: str) -> dict[str, Any]:
    """Return the description. server: the address that paths are relative to."""
    models = {(one, mode) for one, mode in _models(operations)}
    ordered = sorted(models, key=lambda pair: pair[0].__name__)
    _, schemas = models_json_schema(ordered, ref_template=REF)  # type: ignore[arg-type] # a list of pairs, as it wants
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{name} API",
            "version": VERSION,
            "description": "Products, days, carts, orders and leads of one shop.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A partner's key: sf_…"}},
        },
    }


def codes_of(operation: Operation) -> dict[int, list[str]]:
    """Return status → codes that an operation may answer with."""
    parts: list[Mapping[int, Sequence[str]]] = [ALWAYS, operation.raises]
    if operation.is_write:
        parts.append(OF_WRITES)
    if operation.body is not None:
        parts.append(OF_BODIES)
    if "{token}" in operation.path:  # who guesses at secrets waits (backoffice.web.guesses)
        parts.append({429: ["too_many_requests"]})
    if "/carts/{token}/" in operation.path and operation.is_write:
        parts.append({412: ["changed_meanwhile"]})
    found: dict[int, list[str]] = {}
    for part in parts:
        for status, codes in part.items():
            found.setdefault(status, []).extend(codes)
    return dict(sorted(found.items()))


def _models(operations: Sequence[Operation]) -> list[tuple[type[BaseModel], str]]:
    found: list[tuple[type[BaseModel], str]] = [(Problem, "serialization")]
    for one in operations:
        found.append((one.answer, "serialization"))
        if one.body is not None:
            found.append((one.body, "validation"))
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{operation.about} Scope: {operation.scope} ({SCOPES[operation.scope]}).".strip(),
        "security": [{"key": []}, {}] if operation.anonymous else [{"key": []}],
        "parameters": [*_path(operation), *_query(operation), *_headers(operation)],
        "responses": _responses(operation),
    }
    if operation.body is not None:
        content: dict[str, Any] = {"schema": {"$ref": REF.format(model=operation.body.__name__)}}
        if operation.example is not None:
            content["example"] = dict(operation.example)
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _path(operation: Operation) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": 100}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in re.findall(r"{(\w+)}", operation.path)]


def _query(operation: Operation) -> list[dict[str, Any]]:
    if operation.params is None:
        return []
    schema = operation.params.model_json_schema(ref_template=REF)
    required = schema.get("required", [])
    found = []
    for name, inside in schema.get("properties", {}).items():
        choices = [one for one in inside.get("anyOf", [inside]) if one.get("type") != "null"]  # none is leaving it out
        shown = {**choices[0], **{k: v for k, v in inside.items() if k in ("description",)}}
        shown.pop("title", None)
        if inside.get("default") is not None:
            shown["default"] = inside["default"]
        found.append({"name": name, "in": "query", "required": name in required, "schema": shown})
    return found


def _headers(operation: Operation) -> list[dict[str, Any]]:
    if not operation.is_write:
        return [{"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}]
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"}
    about = "Your own name for this request: sent again, it is answered again and done once."
    return [{"name": "Idempotency-Key", "in": "header", "required": True, "description": about, "schema": schema}]


def _responses(operation: Operation) -> dict[str, Any]:
    answer = {"schema": {"$ref": REF.format(model=operation.answer.__name__)}}
    content: dict[str, Any] = {"application/json": answer} | ({"text/html": {}} if operation.page else {})
    found: dict[str, Any] = {str(operation.status): {"description": operation.summary, "content": content}}
    if not operation.is_write:
        found["304"] = {"description": "As it was when you had this ETag."}
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
    for status, codes in codes_of(operation).items():
        found[str(status)] = {"description": ", ".join(codes), "content": problem}
    if "404" not in found and "{" in operation.path:
        found["404"] = {"description": "unknown_address", "content": problem}
    return found
