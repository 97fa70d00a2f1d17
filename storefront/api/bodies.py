"""JSON read strictly: what two readers could read differently is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import abort, request

from backoffice.public.errors import Unreadable

DEEPEST = 20


def read_json() -> Any:
    """Return the request's JSON value. Aborts with 415 unless the body says that it is JSON.

    Raises Unreadable(malformed_json): not UTF-8, truncated, a name twice in one object, NaN, too deep, NUL or half a
    surrogate pair in a text.
    """
    if request.mimetype != "application/json":
        abort(415)
    try:
        value = json.loads(
            request.get_data(cache=True).decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse, parse_float=_number
        )
        _check(value, 0)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Unreadable("malformed_json") from error
    return value


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("beyond all numbers")
    return value


def _check(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("too deep")
    if isinstance(value, str):
        value.encode("utf-8")  # half a surrogate pair cannot be written down
        if "\0" in value:
            raise ValueError("NUL")
    elif isinstance(value, dict):
        for name, inside in value.items():
            _check(name, depth + 1)
            _check(inside, depth + 1)
    elif isinstance(value, list):
        for inside in value:
            _check(inside, depth + 1)
