"""People who were forgotten: what was to go has gone, what was to be emptied is empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.privacy.declared import FORGOTTEN_NAME, HOLDS, Held, T, To
from backoffice.verify.rule import Query, Rule


class ForgottenRule:
    """Ask each table that `privacy.declared` speaks of; put together when it is first asked, because it names every table."""

    name, says = "I20", "{place} {id} still says something of person {party_id}, who was forgotten"

    def lines(self, session: Session, now: datetime) -> Iterator[str]:
        """Yield a line for each row that says something of somebody who was forgotten."""
        yield from Rule(self.name, self.says, _left()).lines(session, now)


@lru_cache(maxsize=1)
def _left() -> Query:
    """Return rows of somebody who was forgotten that say something of them still."""
    every = sa.union_all(*(one for table, held in sorted(HOLDS.items()) for one in _left_in(table, held))).subquery()
    return sa.select(every.c.place, every.c.id, every.c.party_id).order_by(every.c.place, every.c.id)


def _left_in(table: str, held: Held) -> Iterator[sa.Select[Any]]:
    """Yield the question to one table, if its rows have a number and name their person."""
    columns, party = T[table].c, T["party"].c
    if not ("id" in columns and ("party_id" in columns or table in ("party", "checkout"))):
        return
    emptied = {name: new.value for name, new in held.empties.items() if isinstance(new, To) and name not in held.shared.split()}
    said = [columns[name] != "" for name, value in sorted(emptied.items()) if value == ""]
    said += [columns[name].is_not(None) for name, value in sorted(emptied.items()) if value is None]
    if not (said or held.goes):
        return
    found = sa.select(sa.literal(table).label("place"), columns.id.label("id"), party.id.label("party_id"))
    if table == "checkout":
        orders = T["orders"].c
        found = found.join_from(T["orders"], T["checkout"], orders.checkout_id == columns.id).join(
            T["party"], party.id == orders.party_id
        )
    elif table != "party":
        found = found.join_from(T[table], T["party"], columns.party_id == party.id)
    forgotten = sa.and_(party.name == FORGOTTEN_NAME, party.email.is_(None))
    yield found.where(forgotten) if held.goes else found.where(forgotten, sa.or_(*said))


RULES = (ForgottenRule(),)
