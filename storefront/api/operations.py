"""One operation of the API: what it takes and gives, who may, and how a request becomes an answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, abort, request
from pydantic import BaseModel, ValidationError

from backoffice.public import Shop
from backoffice.public.errors import Forbidden, ShopError, Unidentified, Unreadable
from backoffice.public.partners import Answer, Caller, Partners, Place
from storefront.api import bodies, problems

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read and checked. key: made of caller, address and Idempotency-Key; for use cases that want one."""

    shop: Shop
    partners: Partners
    now: datetime
    caller: Caller
    path: Mapping[str, str]
    params: Any = None
    body: Any = None
    key: str = ""

    def expect(self, current: BaseModel) -> None:
        """Abort with 412 if the caller says what they have seen (If-Match), and it is no longer so."""
        if request.if_match and not request.if_match.contains(tag_of(dump(current))):
            abort(412)


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation gives, with headers of its own."""

    value: BaseModel
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address. anonymous: also without a key. raises: codes by status, beside those of every request.

    path: with {names}; its parameters are texts. A write (any method but GET) wants an Idempotency-Key.
    """

    name: str
    method: str
    path: str
    summary: str
    run: Callable[[Call], Reply]
    answer: type[BaseModel]
    scope: str
    anonymous: bool = True
    status: int = 200
    params: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    raises: Mapping[int, Sequence[str]] = field(default_factory=dict)
    about: str = ""
    example: Mapping[str, Any] | None = None  # of the body
    page: Callable[[Call], Response] | None = None  # the same for people, for whoever accepts HTML rather than JSON

    @property
    def is_write(self) -> bool:
        """Tell whether it changes something."""
        return self.method != "GET"

    @property
    def rule(self) -> str:
        """Return the address as Flask has it."""
        return self.path.replace("{", "<").replace("}", ">")


def answer(operation: Operation, shop: Shop, partners: Partners, now: datetime, path: Mapping[str, str]) -> Response:
    """Answer the request as `operation`; every refusal is a problem, and has changed nothing."""
    try:
        caller = _caller(operation, partners, now)
        call = Call(shop, partners, now, caller, path, _params(operation))
        return _write(operation, call) if operation.is_write else _read(operation, call)
    except ShopError as error:
        return problems.of_error(error)


def dump(value: BaseModel) -> str:
    """Return a value as JSON text."""
    return value.model_dump_json() + "\n"


def tag_of(text: str) -> str:
    """Return the entity tag of a body: the same text has the same tag."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _caller(operation: Operation, partners: Partners, now: datetime) -> Caller:
    header = request.headers.get("Authorization")
    if header is None:
        if not operation.anonymous:
            raise Unidentified("unknown_key")
        return Caller()
    kind, _, secret = header.partition(" ")
    if kind.lower() != "bearer":
        raise Unidentified("unknown_key")
    caller = partners.keys.find(secret.strip(), now=now)
    if operation.scope not in caller.scopes:
        raise Forbidden("missing_scope", scope=operation.scope)
    return caller


def _params(operation: Operation) -> Any:
    model = operation.params
    sent = request.args.to_dict(flat=False)
    if model is None:
        if sent:
            raise problems.invalid_names()
        return None
    values = {
        name: texts if name in model.model_fields and _takes_many(model, name) else texts[0] if len(texts) == 1 else texts
        for name, texts in sent.items()
    }
    return _validated(model, values)


def _takes_many(model: type[BaseModel], name: str) -> bool:
    return getattr(model.model_fields[name].annotation, "__origin__", None) is list


def _validated(model: type[BaseModel], values: Any) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise problems.invalid(error, fields=model.model_fields) from error


def _read(operation: Operation, call: Call) -> Response:
    if operation.page and request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return operation.page(call)
    reply = operation.run(call)
    text = dump(reply.value)
    tag = tag_of(text)
    response = Response(text, operation.status, mimetype="application/json", headers=dict(reply.headers))
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304, headers=dict(reply.headers))
    response.set_etag(tag)
    # what is behind a secret, or only for some, stays out of caches that others use
    response.headers.setdefault("Cache-Control", "no-cache" if call.caller.is_anonymous else "private, no-cache")
    response.headers["Vary"] = "Authorization, Accept" if operation.page else "Authorization"
    return response


def _write(operation: Operation, call: Call) -> Response:
    key = _idempotency_key()
    body = _validated(operation.body, bodies.read_json()) if operation.body is not None else None
    scope = _scope(operation, call.caller)
    asked = hashlib.sha256(request.get_data(cache=True) + request.query_string).hexdigest()
    before = call.partners.repeats.begin(scope, key, asked, now=call.now)
    if before is not None:
        return _sent(before, again=True)
    own_key = hashlib.sha256(f"{scope}\n{key}".encode()).hexdigest()
    try:
        reply = operation.run(Call(call.shop, call.partners, call.now, call.caller, call.path, call.params, body, own_key))
    except ShopError:
        call.partners.repeats.give_up(scope, key)  # nothing was done: the same key may be tried again
        raise
    except Exception as error:
        if getattr(error, "code", None) == 412:
            call.partners.repeats.give_up(scope, key)
        raise
    text = dump(reply.value)
    kept = Answer(operation.status, {"ETag": f'"{tag_of(text)}"', **reply.headers}, text)
    call.partners.repeats.finish(scope, key, kept)
    return _sent(kept, again=False)


def _scope(operation: Operation, caller: Caller) -> str:
    """Return what an Idempotency-Key counts for: one address and one caller, as a hash, because addresses hold secrets.

    Who has no partner's key is told from others by the secret in the address, else by where they call from: a stranger
    who happens to choose the same Idempotency-Key must not be given the first one's cart.
    """
    who = caller.name or ("anybody" if "{token}" in operation.path else f"from {request.remote_addr}")
    return "api:" + hashlib.sha256(f"{who}\n{operation.method} {request.path}".encode()).hexdigest()


def _idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        raise Unreadable("idempotency_key_missing")
    if not 1 <= len(key) <= LONGEST_KEY or not all("!" <= letter <= "~" for letter in key):
        raise Unreadable("bad_idempotency_key")
    return key


def _sent(kept: Answer, *, again: bool) -> Response:
    response = Response(kept.body, kept.status, mimetype="application/json", headers=dict(kept.headers))
    response.headers["Cache-Control"] = "no-store"
    if again:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def cursor_of(text: str | None, *, by_price: bool = False) -> Place | None:
    """Return what a cursor says that the next part begins after, None for the first part. Raises Unreadable(bad_cursor).

    by_price: whether the list is in an order by price, whose cursors are others.
    """
    if text is None:
        return None
    row, mark, price = text.removeprefix("a").partition("p")
    numbers = [row, price] if by_price else [row]
    if not text.startswith("a") or bool(mark) is not by_price or not all(map(_is_number, numbers)):
        raise Unreadable("bad_cursor")
    return Place(int(row), int(price) if by_price else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 15


def cursor_for(after: Place | None) -> str | None:
    """Return the cursor of the part that begins after a row."""
    if after is None:
        return None
    return f"a{after.row_id}" if after.price is None else f"a{after.row_id}p{after.price}"


def pretty(value: Any) -> str:
    """Return a value as JSON that people read."""
    return json.dumps(value, indent=2, ensure_ascii=False)
