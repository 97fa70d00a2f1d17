"""The port over plain JSON and HTTP, as docs/erp.md asks it of an ERP (or of a small adapter in front of one)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from backoffice.bridge.outside.door import Answer, Door
from backoffice.bridge.outside.port import Document, FellOver, NoAnswer, Rejected
from backoffice.erp.stock_snapshots import Line, Snapshot

# away or busy, or something in front of it says so; with a wrong key, too, the order is still wanted once that is put right
NOT_NOW = (401, 403, 408, 429, 502, 503, 504)


class _Order(BaseModel):
    id: str = Field(min_length=1, max_length=200)


class _Orders(BaseModel):
    orders: list[_Order]


class _Row(BaseModel):
    model_config = ConfigDict(strict=True)

    sku: str = Field(min_length=1, max_length=200)
    available: int = Field(ge=-(10**9), le=10**9)
    ours: int = Field(default=0, ge=0, le=10**9)


class _Stock(BaseModel):
    sequence: int = Field(ge=1, lt=2**62, strict=True)
    as_of: AwareDatetime
    kind: Literal["full", "delta"]
    after: int | None = None
    items: list[_Row] = Field(max_length=200_000)


class ErpOverHttp:
    """An ERP that answers JSON below an address."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def create(self, order: Document) -> str:
        """POST /orders; a 409 that names the order which is there already is taken as the answer."""
        answer = self._door.call("POST", "/orders", order)
        if answer.status != 409:
            _require_done(answer)
        try:
            return _Order.model_validate(answer.body).id
        except ValidationError as error:
            if answer.status == 409:
                raise Rejected("409") from error
            raise NoAnswer("an order without an id") from error

    def find(self, reference: str) -> Sequence[str]:
        """GET /orders?reference=…"""
        answer = self._door.call("GET", "/orders", query={"reference": reference})
        _require_done(answer)
        try:
            return [order.id for order in _Orders.model_validate(answer.body).orders]
        except ValidationError as error:
            raise NoAnswer("no list of orders") from error

    def update(self, their_id: str, change: Document) -> None:
        """PUT /orders/{id}"""
        _require_done(self._door.call("PUT", f"/orders/{quote(their_id, safe='')}", change))

    def stock(self, after: int | None) -> Snapshot | None:
        """GET /stock?after=…; 204: nothing newer."""
        answer = self._door.call("GET", "/stock", query={} if after is None else {"after": str(after)})
        if answer.status == 204:
            return None
        _require_done(answer)
        try:
            return _snapshot(_Stock.model_validate(answer.body))
        except ValidationError as error:
            raise Rejected(f"a snapshot that cannot be read: {error.error_count()} faults") from error


def _snapshot(said: _Stock) -> Snapshot:
    as_of: datetime = said.as_of
    lines = tuple(Line(row.sku, row.available, row.ours) for row in said.items)
    return Snapshot(said.sequence, said.kind, said.after if said.kind == "delta" else None, as_of, lines)


def _require_done(answer: Answer) -> Any:
    """Raise what a status that is no success means: a 4xx is a word, all else leaves open what was done."""
    if 200 <= answer.status < 300:
        return
    if answer.status in NOT_NOW:
        raise NoAnswer(str(answer.status), busy=True)
    if 400 <= answer.status < 500:
        raise Rejected(str(answer.status))
    raise FellOver(str(answer.status))
