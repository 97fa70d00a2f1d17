"""The record of changes: a chain that names the first row that is not as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.audit import AuditChain, AuditEntry
from backoffice.db import table_of

AT_ONCE = 1_000


class ChainRule:
    """Walk the chain from its first row to its end."""

    name, says = "I16", "the record of changes is a chain"

    def lines(self, session: Session, now: datetime) -> Iterator[str]:  # noqa: ARG002 - as every rule is asked
        """Yield what is wrong: the first row that does not follow from the one before it, and what was emptied unseen."""
        end = session.get(AuditChain, 1)
        number, last = (end.number, end.hash) if end else (0, "")
        broken, at, before = "", 0, ""
        emptied, named = set[int](), set[int]()
        for row in _rows(session, number):
            at += 1
            if row.number != at:
                broken = f"change {at} is missing"
            elif row.hash != audit.hash_entry(before, row, at, row.details_hash):
                broken = f"change {at} (row {row.id}, {row.action}) is not as it was written"
            elif row.details == {} and row.salt == "":
                emptied.add(at)
            elif row.details_hash != audit.hash_details(row.details, row.salt):
                broken = f"change {at} (row {row.id}, {row.action}): its details are not as they were written"
            if broken:
                break
            before = row.hash
            if row.action == audit.FORGET:
                named |= set(row.details.get("entries", ()))
        if not broken and (at, before) != (number, last):
            broken = f"the chain ends at change {at}, it should at {number}"
        if broken:
            yield f"{self.name} {broken}"
            return
        for one in sorted(emptied - named):
            yield f"{self.name} change {one}: its details were emptied, and nobody wrote down why"
        yield from self._without_a_place(session, bool(end))

    def _without_a_place(self, session: Session, has_end: bool) -> Iterator[str]:
        stray = sa.select(AuditEntry.id).where(AuditEntry.number.is_(None)).order_by(AuditEntry.id).limit(20)
        for entry_id in session.scalars(stray):
            yield f"{self.name} row {entry_id} was written past the program: it has no place in the chain"
        if not has_end and session.scalar(sa.select(AuditEntry.id).limit(1)) is not None:
            yield f"{self.name} the chain's end is gone"


def _rows(session: Session, up_to: int) -> Iterator[sa.Row[Any]]:
    """Yield the rows in their order, a thousand at a time; what is added meanwhile is not looked at."""
    table, after = table_of(AuditEntry), 0
    while True:
        wanted = sa.select(table).where(table.c.number > after, table.c.number <= up_to).order_by(table.c.number).limit(AT_ONCE)
        found = session.execute(wanted).all()
        yield from found
        if len(found) < AT_ONCE:
            return
        after = found[-1].number


RULES = (ChainRule(),)
