"""The import as one step: read everything, decide, write in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.erp import facets, offers, plan, remaking, substitutes
from backoffice.erp import models as t
from backoffice.erp.sell_from import get_items, set_policy
from backoffice.imports.adventureworks import making, rules, supplying
from backoffice.imports.adventureworks.base import prepare
from backoffice.imports.adventureworks.catalogue import write_catalogue
from backoffice.imports.adventureworks.photos import copy_photos
from backoffice.imports.adventureworks.records import Source
from backoffice.imports.adventureworks.source import read_source
from backoffice.imports.faults import BrokenFolder, BrokenRow
from backoffice.imports.sync import OUTCOMES, Incoming, Sync

SYSTEM = "adventureworks"
FILES, WRITES = 18, 8

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the rows: table name → outcome (added, changed, unchanged, removed, kept) → number."""

    counts: Mapping[str, Mapping[str, int]]

    def total(self, outcome: str) -> int:
        """Return the number of rows of all kinds with an outcome."""
        return sum(counter.get(outcome, 0) for counter in self.counts.values())


def import_folder(
    db: Database,
    folder: Path,
    *,
    media: Path,
    made: Sequence[str] = (),
    now: datetime,
    progress: Progress = lambda _what, _done, _of: None,
) -> Report:
    """Import an AdventureWorks folder; a second run changes nothing.

    made: item numbers, and names or numbers of models, to be sold from production from now on. Raises BrokenFolder,
    naming file, line and column; NotFound(unknown_product) or Refused(wrong_state, skus) for one of `made`. After any
    exception the database is as it was.
    """
    steps = _Steps(progress)
    source = read_source(folder, steps.next)
    try:
        rules.current_bom(source, rules.parts_per_unit(source))  # what can be refused, is refused before photos are copied
        steps.next("photos")
        photos, copied = copy_photos(source, media)
        try:
            return db.run(lambda session: _write(session, source, photos, made, now, steps))
        except BaseException:
            for file in copied:
                file.unlink(missing_ok=True)
            raise
    except BrokenRow as broken:
        raise BrokenFolder([broken.fault]) from broken


def _write(
    session: Session,
    source: Source,
    photos: Mapping[int, str],
    made: Sequence[str],
    now: datetime,
    steps: _Steps,
) -> Report:
    steps.restart_writing()
    sync = Sync(session, SYSTEM)
    anchor = prepare(sync, now)
    parts = rules.parts_per_unit(source)
    steps.next("catalogue")
    items = write_catalogue(sync, source, parts, photos)
    steps.next("work centres")
    centres = making.write_work_centres(sync, source)
    steps.next("parts lists and routings")
    before = remaking.recipes(session)
    making.write_boms(sync, source, items, parts)
    making.write_routings(sync, source, items, centres)
    steps.next("suppliers and receipts")
    suppliers = supplying.write_suppliers(sync, source, items, parts)
    supplying.write_receipts(sync, source, items, suppliers, parts, anchor)
    steps.next("stock")
    supplying.write_stock(sync, source, items, parts, now)
    steps.next("companies")
    supplying.write_companies(sync, source, now)
    session.flush()
    for name in made:
        set_policy(session, _sold_from_production(sync, name), "production", now=now)
    imported = set(items.values())
    sync.put(
        t.ItemSubstitute,
        [
            Incoming(f"{item.sku}:{other.sku}", {"item_id": item.id, "substitute_id": other.id, "priority": priority})
            for item, other, priority in substitutes.of_one_page(session)
            if item.id in imported  # what the company sells of its own has its substitutes from elsewhere
        ],
    )
    steps.next("days")
    if sync.moved:
        facets.refresh(session)
        plan.bump(session, master=True)
        remaking.after_change(session, remaking.changed(before, remaking.recipes(session)), now=now)
        offers.refresh(session, None, now=now)
    steps.finish()
    return Report({kind: {name: counter[name] for name in OUTCOMES} for kind, counter in sync.counts.items()})


def _sold_from_production(sync: Sync, name: str) -> Sequence[t.Item]:
    model = sync.find("product", f"model:{name}")
    if model is None:
        return get_items(sync.session, name)
    return sync.session.scalars(sa.select(t.Item).where(t.Item.product_id == model.our_id)).all()


class _Steps:
    """Counts what is done, for a bar that never goes back: a transaction that runs again starts its part again."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = 0

    def next(self, what: str) -> None:
        """Say what begins."""
        self._progress(what, self._done, FILES + WRITES)
        self._done += 1

    def restart_writing(self) -> None:
        """Begin the writing, maybe for the second time."""
        self._done = FILES + 1

    def finish(self) -> None:
        """Say that all is done."""
        self._progress("", FILES + WRITES, FILES + WRITES)
