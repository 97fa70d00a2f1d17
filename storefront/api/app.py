"""The API as one blueprint below /api/v1, with its description for machines and its page for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, request

from backoffice.public import Shop
from backoffice.public.partners import SCOPES, Partners
from storefront.api import document, operations, problems
from storefront.api.operations import Operation
from storefront.api.papers import PAPERS
from storefront.api.reading import READS
from storefront.api.slips import SLIPS
from storefront.api.writing import WRITES

BASE = "/api/v1"
OPERATIONS: tuple[Operation, ...] = (*READS, *WRITES, *SLIPS, *PAPERS)
TEMPLATES = Path(__file__).parent.parent.parent / "templates"


def blueprint(shop: Shop, partners: Partners, clock: Callable[[], datetime]) -> Blueprint:
    """Make the API over the doors."""
    routes = Blueprint("api", __name__, url_prefix=BASE, template_folder=str(TEMPLATES))
    for operation in OPERATIONS:
        view = _view(operation, shop, partners, clock)
        routes.add_url_rule(operation.rule, operation.name, view, methods=[operation.method])

    def openapi() -> Response:
        described = document.describe(OPERATIONS, name=shop.profile.get().name, server=request.url_root.rstrip("/") + BASE)
        text = json.dumps(described, ensure_ascii=False, indent=1) + "\n"
        response = Response(text, mimetype="application/json", headers={"Cache-Control": "no-cache"})
        response.set_etag(operations.tag_of(text))
        if request.if_none_match.contains_weak(operations.tag_of(text)):
            response.status_code, response.data = 304, b""
        return response

    def home() -> Response:
        front = current_app.extensions["shopfloor-front"]
        page: Response = front.page("storefront/api.html", clock(), **_shown())
        return page

    routes.add_url_rule("/openapi.json", "openapi", openapi)
    routes.add_url_rule("/", "home", home)
    return routes


def _view(operation: Operation, shop: Shop, partners: Partners, clock: Callable[[], datetime]) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return operations.answer(operation, shop, partners, clock(), path)

    return view


def _shown() -> Mapping[str, Any]:
    """Return what the readable page shows, drawn from the same operations."""
    return {
        "api_base": request.url_root.rstrip("/") + BASE,
        "operations": [
            {
                "name": one.name,
                "method": one.method,
                "path": one.path,
                "summary": one.summary,
                "about": one.about,
                "scope": one.scope,
                "anonymous": one.anonymous,
                "params": list(one.params.model_fields) if one.params else [],
                "curl": _curl(one),
                "codes": document.codes_of(one),
            }
            for one in OPERATIONS
        ],
        "scopes": SCOPES,
        "statuses": problems.STATUS_CODES,
    }


def _curl(operation: Operation) -> str:
    address = request.url_root.rstrip("/") + BASE + operation.path
    parts = ["curl"]
    if operation.is_write:
        parts.append(f'-X {operation.method} -H "Idempotency-Key: $(uuidgen)"')
    if not operation.anonymous:
        parts.append("-H 'Authorization: Bearer sf_…'")
    if operation.example is not None:
        parts.append(f"-H 'Content-Type: application/json' \\\n  -d '{json.dumps(operation.example)}' \\\n ")
    return " ".join([*parts, address])
