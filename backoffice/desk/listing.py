"""Lists whose part stands in the address: what is read from it, what is looked for, how many pages there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

PAGE = 50
LONGEST_QUERY = 100
MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Filters:
    """What part of a list is shown. which: one of the list's own parts; sort: one of its orders. page counts from 1."""

    which: str
    sort: str
    query: str = ""
    page: int = 1
    plain: tuple[str, str] = ("", "")  # the list's own defaults, which need no words in the address

    @classmethod
    def parse(cls, args: Mapping[str, str], whiches: Sequence[str], sorts: Sequence[str]) -> Filters:
        """Read them from an address; what makes no sense becomes the first of its kind."""
        which, sort, page = args.get("which", ""), args.get("sort", ""), args.get("page", "")
        return cls(
            which if which in whiches else whiches[0],
            sort if sort in sorts else sorts[0],
            args.get("q", "").replace("\x00", "").strip()[:LONGEST_QUERY],
            int(page) if page.isdecimal() and len(page) <= 6 and int(page) else 1,
            (whiches[0], sorts[0]),
        )

    def args(self, **changed: Any) -> dict[str, Any]:
        """Return the part of an address that says the same, without defaults; `changed` first."""
        new = replace(self, **changed)
        said = {"which": new.which, "sort": new.sort, "q": new.query, "page": new.page}
        plain = {"which": self.plain[0], "sort": self.plain[1], "q": "", "page": 1}
        return {name: str(value) for name, value in said.items() if value != plain[name]}


def contains(typed: str, *columns: sa.SQLColumnExpression[Any]) -> sa.ColumnElement[bool]:
    """Look for the words as typed and in the usual cases. No words fit all."""
    if not typed:
        return sa.true()
    return sa.or_(*(column.icontains(variant, autoescape=True) for variant in _cases(typed) for column in columns))


def holds(typed: str, words: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Look for the words in a text that is in small letters already and has an index: see crm.models.long_lists."""
    small = {"".join(one.lower() if one.isascii() else one for one in variant) for variant in _cases(typed)}
    return sa.or_(*(words.contains(one, autoescape=True) for one in sorted(small)))


def _cases(typed: str) -> Sequence[str]:
    """Return the words as typed and in the usual cases: SQLite, and some databases, know the cases of ASCII letters only."""
    return [typed] if typed.isascii() else sorted({typed, typed.lower(), typed.upper(), typed.title()})


def pages_of(rows: int) -> int:
    """Return how many pages so many rows fill, at least one."""
    return max(1, -(-rows // PAGE))


def total(session: Session, wanted: Any) -> int:
    """Return how many rows a query finds."""
    counted = sa.select(sa.func.count()).select_from(wanted.order_by(None).subquery())
    return session.scalar(counted) or 0


def count_to(wanted: sa.Select[Any] | sa.CompoundSelect[Any], most: int = MOST_COUNTED) -> sa.ScalarSelect[int]:
    """Count the rows of a query, but no further than one more than `most`: nobody needs to know how far it goes on."""
    return sa.select(sa.func.count()).select_from(wanted.order_by(None).limit(most + 1).subquery()).scalar_subquery()


def write_place(at: datetime, row_id: int) -> str:
    """Write where a page ended, for an address."""
    return f"{at.isoformat()}~{row_id}"


def read_place(typed: str) -> tuple[datetime, int] | None:
    """Read where a page ended; what makes no sense is the beginning."""
    at, _, number = typed.partition("~")
    if not number.isdecimal() or len(number) > 15:
        return None
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (found, int(number)) if found.tzinfo is not None else None
