"""People who were forgotten: what was to go has gone, what was to be emptied is empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.privacy.declared import HOLDS, Held, T, To
from backoffice.verify.rule import Query, Rule


class ForgottenRule:
    """Ask each table that `privacy.declared` speaks of; put together when it is first asked, because it names every table."""

    name, says = "I20", "{place} {id} still says something of person {party_id}, who was forgotten"

    def lines(self, session: Session, now: datetime) -> Iterator[str]:
        """Yield a line for each row that says something of somebody who was forgotten."""
        yield from Rule(self.name, self.says, _left()).lines(session, now)


@lru_cache(maxsize=1)
def _left() -> Query:
    """Return rows of whoever was erased that say something of them still."""
    asked = [one for table, held in sorted(HOLDS.items()) if (one := _left_in(table, held)) is not None]
    every = sa.union_all(*asked).subquery()
    return sa.select(every.c.place, every.c.id, every.c.party_id).order_by(every.c.place, every.c.id)


def _left_in(table: str, held: Held) -> sa.Select[Any] | None:
    """Return the question to one table; None if its rows have no number or name nobody, or nothing of them goes or is emptied."""
    columns = T[table].c
    emptied = {name: new.value for name, new in held.empties.items() if isinstance(new, To) and name not in held.shared.split()}
    said = [columns[name].is_distinct_from(value) for name, value in emptied.items() if value is None or isinstance(value, str)]
    if "id" not in columns or not (said or held.goes):
        return None
    erased, orders = T["erased_party"].c, T["orders"].c
    found = sa.select(sa.literal(table).label("place"), columns.id.label("id"), erased.party_id.label("party_id"))
    if table == "party":
        found = found.where(columns.id == erased.party_id)
    elif table == "checkout":  # it names nobody, its order does
        found = found.where(columns.id == orders.checkout_id, orders.party_id == erased.party_id)
    elif "party_id" in columns:
        found = found.where(columns.party_id == erased.party_id)
    else:
        return None
    return found if held.goes else found.where(sa.or_(*said))


RULES = (ForgottenRule(),)
