"""Write rows of an outside system once: what did not change there is left alone here."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import Base
from backoffice.erp.decisions import NOTED
from backoffice.erp.models import ExternalRef

OUTCOMES = ("added", "changed", "unchanged", "removed", "kept")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A row of theirs, as values for our table.

    first: columns that are set when the row is made and belong to people here from then on. seen: what is compared
    with the last import, where it is not `values` (which may depend on the day of the import).
    """

    their_id: str
    values: Mapping[str, Any]
    first: Mapping[str, Any] = field(default_factory=dict)
    seen: Any = None

    def fingerprint(self) -> str:
        """Return a digest of what they say."""
        said = dict(self.values) if self.seen is None else self.seen
        text = json.dumps(said, sort_keys=True, default=str, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class Sync:
    """The refs of one outside system, and what became of each kind of row in this run."""

    def __init__(self, session: Session, system: str) -> None:
        self.session = session
        self.system = system
        self.counts: dict[str, Counter[str]] = {}
        self._refs: dict[str, dict[str, ExternalRef]] = defaultdict(dict)
        for ref in session.scalars(sa.select(ExternalRef).where(ExternalRef.system == system)):
            self._refs[ref.kind][ref.their_id] = ref

    @property
    def moved(self) -> bool:
        """Tell whether this run wrote anything."""
        return any(counter[outcome] for counter in self.counts.values() for outcome in ("added", "changed", "removed"))

    def count(self, kind: str, outcome: str, number: int = 1) -> None:
        """Count rows of a kind; outcome: added | changed | unchanged | removed | kept (ours stays, it has moved on)."""
        self.counts.setdefault(kind, Counter())[outcome] += number

    def find(self, kind: str, their_id: str) -> ExternalRef | None:
        """Return what we know of a row of theirs."""
        return self._refs[kind].get(their_id)

    def remember(self, kind: str, their_id: str, our_id: int, fingerprint: str = "") -> None:
        """Note which row of ours is theirs, and what they said of it."""
        ref = self._refs[kind].get(their_id)
        if ref is None:
            ref = ExternalRef(system=self.system, kind=kind, their_id=their_id, our_id=our_id, fingerprint=fingerprint)
            self._refs[kind][their_id] = ref
            self.session.add(ref)
        ref.our_id, ref.fingerprint = our_id, fingerprint

    def put(self, table: type[Base], rows: Iterable[Incoming], *, whole: bool = False) -> dict[str, int]:
        """Add new rows, change changed ones; return their id → our id.

        whole: the rows are all there are, so that a row of an earlier import which is not among them is removed.
        """
        kind = str(table.__tablename__)
        self.counts.setdefault(kind, Counter())
        incoming = list(rows)
        if whole:
            self._remove(table, kind, {row.their_id for row in incoming})
        fresh: list[tuple[Incoming, Any]] = []
        for row in incoming:
            ref = self.find(kind, row.their_id)
            if ref is None:
                fresh.append((row, table(**row.values, **row.first)))
            elif ref.fingerprint == row.fingerprint():
                self.count(kind, "unchanged")
            else:
                self._change(table, ref.our_id, row.values)
                ref.fingerprint = row.fingerprint()
                self.count(kind, "changed")
        self.session.add_all([made for _, made in fresh])
        self.session.flush()
        for row, made in fresh:
            self.remember(kind, row.their_id, made.id, row.fingerprint())
        self.count(kind, "added", len(fresh))
        return {row.their_id: self._refs[kind][row.their_id].our_id for row in incoming}

    def _change(self, table: Any, our_id: int, values: Mapping[str, Any]) -> None:
        change = sa.update(table).where(table.id == our_id).values(dict(values))
        self.session.execute(change.execution_options(**NOTED))  # what is the plan of a row comes in once, when it is new

    def _remove(self, table: Any, kind: str, still_there: set[str]) -> None:
        gone = [ref for their_id, ref in self._refs[kind].items() if their_id not in still_there]
        for ref in gone:
            self.session.execute(sa.delete(table).where(table.id == ref.our_id))
            self.session.delete(ref)
            del self._refs[kind][ref.their_id]
        self.count(kind, "removed", len(gone))
