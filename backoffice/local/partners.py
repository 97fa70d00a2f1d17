"""The API's own doors over the database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import api_keys, causes, idempotency
from backoffice.crm.models import Order, OrderLine
from backoffice.db import Database
from backoffice.erp import catalogue, listing, offers
from backoffice.local.catalogue import cards_of
from backoffice.local.papers import LocalPapers
from backoffice.local.ways import Way
from backoffice.masking import mask
from backoffice.public.catalogue import Card, Wish
from backoffice.public.errors import NotFound, Unidentified
from backoffice.public.money import Money
from backoffice.public.partners import Answer, Caller, OrderSummary, Partners, Place, Slice

ANSWERS_KEPT = timedelta(days=1)


class LocalKeys:
    """Know partners by their keys."""

    def __init__(self, db: Database) -> None:
        """Read from `db`."""
        self._db = db

    def find(self, secret: str, *, now: datetime) -> Caller:
        """Return whose key this is."""
        with self._db.read() as session:
            row = api_keys.verify(session, secret)
        if row is None:
            raise Unidentified("unknown_key")
        if row.last_used_at is None or row.last_used_at <= now - api_keys.NOTED_EVERY:
            self._db.run(lambda session: api_keys.note_use(session, row.id, now=now))
        return Caller(f"key:{row.id}", frozenset(str(scope) for scope in row.scopes), row.customer_class)


class LocalRepeats:
    """Remember which requests were answered, and how: the secrets of carts and orders in it are kept masked."""

    def __init__(self, db: Database, secret_key: str) -> None:
        """Write to `db`; `secret_key` masks."""
        self._db = db
        self._secret_key = secret_key

    def begin(self, scope: str, key: str, request_hash: str, *, now: datetime) -> Answer | None:
        """Claim a key, or return the answer it had."""
        found = self._db.run(lambda session: idempotency.begin(session, scope, key, request_hash=request_hash, now=now))
        if found is None:
            return None
        kept = Answer(found["status"], found["headers"], found["body"])
        return self._masked(kept, found["mask"]) if "mask" in found else kept

    def finish(self, scope: str, key: str, answer: Answer) -> None:
        """Keep the answer."""
        place = secrets.token_urlsafe(16)
        kept = asdict(self._masked(answer, place)) | {"mask": place}
        self._db.run(lambda session: idempotency.finish(session, scope, key, kept))

    def give_up(self, scope: str, key: str) -> None:
        """Forget the claim."""
        self._db.run(lambda session: idempotency.give_up(session, scope, key))

    def _masked(self, answer: Answer, place: str) -> Answer:
        headers = {name: mask(self._secret_key, f"{place}:{name}", value) for name, value in answer.headers.items()}
        return Answer(answer.status, headers, mask(self._secret_key, f"{place}:body", answer.body))


def forget_answers(db: Database, *, now: datetime) -> int:
    """Forget answers that are older than a day."""
    return db.run(lambda session: idempotency.forget_old(session, "api:", before=now - ANSWERS_KEPT))


class LocalFeed:
    """Read long lists by the id of the last row, so that nothing new shifts what comes next."""

    def __init__(self, db: Database) -> None:
        """Read from `db`."""
        self._db = db

    def products(
        self,
        *,
        after: Place | None,
        limit: int,
        category: str | None,
        query: str | None,
        language: str,
        postcode: str | None,
        now: datetime,
        wish: Wish,
        country: str | None = None,
    ) -> Slice[Card]:
        """Return listed products."""
        offers.freshen(self._db, now=now)
        with self._db.read() as session:
            inside = None
            if category is not None:
                chosen = catalogue.find_category(session, category)
                if chosen is None:
                    raise NotFound("unknown_category", slug=category)
                inside = catalogue.tree(session).below(chosen.id)
            way = Way(session, postcode, now, country=country)
            where = listing.Where(inside, query, way.windows(wish))
            rows, last = listing.after(session, after, limit=limit, where=where, wish=wish)
            cards = cards_of(session, rows, way, language, now, where, wish)
            return Slice(cards, last)

    def orders(self, *, after: Place | None, limit: int, state: str | None, now: datetime) -> Slice[OrderSummary]:  # noqa: ARG002 - a door's calls all take the time
        """Return orders in the order they were placed."""
        with self._db.read() as session:
            query = sa.select(Order).where(Order.id > (after.row_id if after else 0)).order_by(Order.id).limit(limit + 1)
            rows = session.scalars(query if state is None else query.where(Order.state == state)).all()
            shown = rows[:limit]
            lines = _lines_of_each(session, shown)
            return Slice([_summary(row, lines[row.id]) for row in shown], Place(shown[-1].id) if len(rows) > limit else None)


def _lines_of_each(session: Session, found: Sequence[Order]) -> dict[int, list[OrderLine]]:
    """Return the lines of several orders by order, asked for at once."""
    lines: dict[int, list[OrderLine]] = {order.id: [] for order in found}
    for line in session.scalars(sa.select(OrderLine).where(OrderLine.order_id.in_(lines)).order_by(OrderLine.id)):
        lines[line.order_id].append(line)
    return lines


def _summary(order: Order, lines: Sequence[OrderLine]) -> OrderSummary:
    return OrderSummary(
        number=order.number,
        state=order.state,
        placed_at=order.placed_at,
        promised_on=max(line.promised_on for line in lines),
        expected_on=max(line.expected_on for line in lines),
        total=Money(order.total_minor, order.currency),
        lines=[
            {
                "sku": one.sku,
                "quantity": one.quantity,
                "promised_on": one.promised_on,
                "expected_on": one.expected_on,
                "cause": causes.read(one.moved_cause),
            }
            for one in lines
        ],
    )


def open_partners(db: Database, secret_key: str) -> Partners:
    """Return the API's doors over `db`; `secret_key` masks what is kept of answers."""
    return Partners(LocalKeys(db), LocalRepeats(db, secret_key), LocalFeed(db), LocalPapers(db))
