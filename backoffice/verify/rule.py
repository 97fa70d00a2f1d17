"""A rule: a question that finds only what breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import Session

Query: TypeAlias = sa.Select[*tuple[Any, ...]]
SHOWN = 20  # breaches of one rule that are said in full; of the rest only how many there are


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. broken: selects what breaks it; says: the line for each, with the columns' names filled in.

    after: how long a thing may be on its way, which `broken` asks for by `now` less that.
    """

    name: str
    says: str
    broken: Query
    after: timedelta = timedelta(0)

    def lines(self, session: Session, now: datetime) -> Iterator[str]:
        """Yield a line for each breach, the first `SHOWN`, and one for how many more there are."""
        asked = {"now": now - self.after} if "now" in self.broken.compile().params else {}
        found = session.execute(self.broken, asked).mappings()
        more = 0
        for number, row in enumerate(found):
            if number < SHOWN:
                yield f"{self.name} {self.says.format(**row)}"
            else:
                more += 1
        if more:
            yield f"{self.name} … and {more} more"
