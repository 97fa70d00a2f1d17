"""Lists whose part stands in the address: what is read from it, what is looked for, how many pages there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

PAGE = 50
LONGEST_QUERY = 100


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
    """Look for the words as typed and in the usual cases: SQLite ignores case in ASCII letters only. No words fit all."""
    if not typed:
        return sa.true()
    variants = sorted({typed, typed.lower(), typed.upper(), typed.title()})
    return sa.or_(*(column.icontains(variant, autoescape=True) for variant in variants for column in columns))


def pages_of(rows: int) -> int:
    """Return how many pages so many rows fill, at least one."""
    return max(1, -(-rows // PAGE))


def total(session: Session, wanted: Any) -> int:
    """Return how many rows a query finds."""
    counted = sa.select(sa.func.count()).select_from(wanted.order_by(None).subquery())
    return session.scalar(counted) or 0
