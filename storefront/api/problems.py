"""Errors as application/problem+json (RFC 9457), with the codes and words that the pages have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, g, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from backoffice.public.errors import BadInput, ShopError, TooOften
from storefront import wording

PREFIX = "/api/"
TYPE = "application/problem+json"
STATUS_CODES: Mapping[int, str] = {
    400: "malformed_request",
    403: "cross_site",
    404: "unknown_address",
    405: "method_not_allowed",
    408: "timed_out",
    411: "length_missing",
    412: "changed_meanwhile",
    413: "body_too_large",
    415: "wrong_content_type",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
FIELD_CODES: Mapping[str, str] = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "string_too_short": "required",
    "less_than_equal": "out_of_range",
    "greater_than_equal": "out_of_range",
}


def is_ours() -> bool:
    """Tell whether the request is the API's."""
    return request.path.startswith(PREFIX)


def of_error(error: ShopError) -> Response:
    """Return the problem of an error of ours."""
    more: dict[str, Any] = {}
    if isinstance(error, BadInput) and error.fields:
        more["errors"] = [_field(f"/{name}", code) for name, code in error.fields.items()]
    if isinstance(most := error.details.get("most"), int):
        more["most"] = most
    if isinstance(scope := error.details.get("scope"), str):
        more["scope"] = scope
    response = _problem(error.status, error.code, wording.say(error), more)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api", error="invalid_token"'
    if isinstance(error, TooOften):
        response.headers["Retry-After"] = str(error.retry_after)
    if error.code == "in_progress":
        response.headers["Retry-After"] = "1"
    return response


def of_status(error: HTTPException) -> Response:
    """Return the problem of an HTTP error, with the headers that belong to it (Allow, Retry-After)."""
    status = error.code or 500
    response = _problem(status, STATUS_CODES.get(status, f"status_{status}"), wording.api_text(status), {})
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def invalid(error: ValidationError, *, fields: Iterable[str] = ()) -> BadInput:
    """Return what pydantic found as an error of ours; `fields`: known names, so that nothing sent is repeated."""
    known = set(fields)
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        names = [str(part) for part in one["loc"] if isinstance(part, int) or part in known]
        if one["type"] == "extra_forbidden":
            names = ["?"]  # a name that we do not know is not repeated
        found.setdefault("/".join(names), FIELD_CODES.get(one["type"], "bad_value"))
    return BadInput("invalid_form", found)


def _field(pointer: str, code: str) -> dict[str, str]:
    return {"pointer": pointer, "code": code, "detail": wording.say_field(code)}


def bare(status: int) -> Mapping[str, Any]:
    """Return the problem of a status alone, where there is no request; `written` writes it."""
    return _body(status, STATUS_CODES[status], wording.api_text(status), {})


def written(body: Mapping[str, Any]) -> str:
    """Return a problem as it is sent."""
    return json.dumps(body, ensure_ascii=False) + "\n"


def _body(status: int, code: str, detail: str, more: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "type": f"/api/v1/#{code}",
        "title": wording.status_title(status),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": g.get("request_id", ""),
        **more,
    }


def _problem(status: int, code: str, detail: str, more: Mapping[str, Any]) -> Response:
    response = Response(written(_body(status, code, detail, more)), status, mimetype=TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


def invalid_names() -> BadInput:
    """Return the error of a parameter that there is none of."""
    return BadInput("invalid_form", {"?": "unknown_field"})
