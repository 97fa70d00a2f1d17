"""The planning core's master data, read from the database and kept until it changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Literal, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session

from backoffice.db import kept
from backoffice.erp import calendars, plan
from backoffice.erp import models as t
from backoffice.erp.company import get_company, local_today
from backoffice.planning.calendars import Calendar
from backoffice.planning.model import BomLine, Factory, Item, Operation, Stop, Supplier, WorkCentre

_IN_LOTS = sa.select(t.Item.id, t.Item.days_left).where(t.Item.days_left.is_not(None))
Offers = dict[int, list[tuple[t.SupplierItem, int | None]]]  # item → who sells it, with their calendar


@dataclass(frozen=True, slots=True)
class Master:
    """The factory with what the shell around the core needs to know of it."""

    factory: Factory
    calendars: dict[int, Calendar]
    components: dict[int, list[int]]
    parents: dict[int, list[int]]
    names: dict[int, str]  # item → name
    centre_names: dict[int, str]
    allotted: frozenset[int]  # items of which something was kept for a class of customers when this was read
    suppliers: dict[int, list[int]]  # bought item → who sells it, in the order in which they are tried
    made_at: dict[int, list[int]]  # work centre → the items that may be made there
    lots: dict[int, int]  # item kept in lots → how many days must be left

    def below(self, item_ids: Iterable[int]) -> set[int]:
        """Return the items and all their components, at any depth."""
        return _closure(item_ids, self.components)

    def centres(self, item_ids: Iterable[int]) -> set[int]:
        """Return the work centres that these items may be made at."""
        steps = (step for item_id in item_ids for step in self.factory.recipe(item_id).steps)
        return {cast(int, one.work_centre) for step in steps for one in (step, *step.others)}

    def waiting_for(self, centre_ids: Iterable[int]) -> set[int]:
        """Return the items that take longer where these work centres have less time: made there, or with what is made there."""
        return self.above(item_id for centre_id in centre_ids for item_id in self.made_at.get(centre_id, ()))

    def offer(self, item_id: int, supplier_id: int) -> Item | Supplier:
        """Return what a supplier sells of an item, as the plan counts it; the first one's offer for who no longer sells it."""
        item = self.factory.item_by[item_id]
        return next((one for one in item.suppliers if one.key == supplier_id), item)

    def above(self, item_ids: Iterable[int]) -> set[int]:
        """Return the items and all that are made with them, at any depth."""
        return _closure(item_ids, self.parents)


def load(session: Session, *, now: datetime) -> Master:
    """Return the master data as of the session's transaction; read again only after its version or the day changed.

    Within a transaction it is asked for its version once, and again after the plan was raised (and so waited for).
    """
    known: tuple[datetime, Master] | None = session.info.get(plan.MASTER)
    if known is not None and known[0] == now:
        return known[1]
    today = local_today(get_company(session), now)
    version = plan.master_version(session)
    before: tuple[int, date, Master] | None = kept(session).get(plan.MASTER)
    master = before[2] if before is not None and before[:2] == (version, today) else _read(session, today, now)
    if before is not None and before[2] is not master:
        master.factory.keep_axes(before[2].factory)
    if version:  # a company that is just being founded has no version yet
        kept(session)[plan.MASTER] = (version, today, master)
    session.info[plan.MASTER] = (now, master)
    return master


def _closure(start: Iterable[int], edges: dict[int, list[int]]) -> set[int]:
    seen = set(start)
    waiting = list(seen)
    while waiting:
        for other in edges.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


def _read(session: Session, today: date, now: datetime) -> Master:
    company = get_company(session)
    all_calendars = calendars.load_all(session, *calendars.horizon(today))
    supply = _offers(session)
    items, names = _items(session, supply)
    boms: dict[int, list[BomLine]] = defaultdict(list)
    components: dict[int, list[int]] = defaultdict(list)
    parents: dict[int, list[int]] = defaultdict(list)
    instead = _alternates(session, t.BomAlternate, t.BomAlternate.bom_line_id, t.BomAlternate.item_id)
    for line in session.scalars(sa.select(t.BomLine).order_by(t.BomLine.parent_id, t.BomLine.position, t.BomLine.id)):
        quantity, scrap = Fraction(line.quantity, line.per), Fraction(line.scrap_permille, 1000)
        boms[line.parent_id].append(BomLine(line.component_id, quantity, scrap, instead[line.id]))
        for part in (line.component_id, *instead[line.id]):
            components[line.parent_id].append(part)
            parents[part].append(line.parent_id)
    centres = list(session.scalars(sa.select(t.WorkCentre)))
    hours = calendars.of_centres(session, all_calendars)
    own = {c.id: ("centre", c.id) for c in centres if hours[c.id] is not all_calendars[c.calendar_id]}
    stops = session.scalars(sa.select(t.WorkCentreStop).where(t.WorkCentreStop.ends_at > now))
    routings = _routings(session)
    made_at: dict[int, list[int]] = defaultdict(list)
    for item_id, steps in routings.items():
        for centre_id in {cast(int, one) for step in steps for one in (step.work_centre, *step.alternates)}:
            made_at[centre_id].append(item_id)
    factory = Factory(
        calendars={**all_calendars, **{key: hours[centre_id] for centre_id, key in own.items()}},
        items=items,
        boms=boms,
        routings=routings,
        work_centres={c.id: _work_centre(c, own.get(c.id, c.calendar_id), today, ZoneInfo(company.timezone)) for c in centres},
        stops=[Stop(s.work_centre_id, s.starts_at, s.ends_at) for s in stops],
        timezone=company.timezone,
    )
    return Master(
        factory=factory,
        calendars=all_calendars,
        components=components,
        parents=parents,
        names=names,
        centre_names={c.id: c.name for c in centres},
        allotted=frozenset(session.scalars(sa.select(t.Allotment.item_id).where(t.Allotment.released_at.is_(None)).distinct())),
        suppliers={item_id: [row.supplier_id for row, _ in offers] for item_id, offers in supply.items()},
        made_at=made_at,
        lots={row.id: row.days_left for row in session.execute(_IN_LOTS)},
    )


def _offers(session: Session) -> Offers:
    """Return for each item its active suppliers in the order in which they are tried."""
    rows = session.execute(
        sa.select(t.SupplierItem, t.Supplier.calendar_id)
        .join(t.Supplier, t.Supplier.id == t.SupplierItem.supplier_id)
        .where(t.Supplier.active)
        .order_by(t.SupplierItem.item_id, t.SupplierItem.priority, t.SupplierItem.lead_days, t.SupplierItem.supplier_id)
    )
    offers: Offers = defaultdict(list)
    for row, calendar_id in rows:
        offers[row.item_id].append((row, calendar_id))
    return offers


def _items(session: Session, supply: Offers) -> tuple[dict[int, Item], dict[int, str]]:
    items: dict[int, Item] = {}
    names: dict[int, str] = {}
    for row in session.scalars(sa.select(t.Item)):
        names[row.id] = row.name
        if row.source == "buy" and row.id in supply:
            items[row.id] = _bought(row, supply[row.id])
        elif row.source == "make":
            items[row.id] = Item(
                row.id,
                "make",
                minimum=row.lot_minimum,
                multiple=row.lot_multiple,
                maximum=row.lot_maximum,
                safety_stock=row.safety_stock,
            )
        elif row.source in ("kit", "phantom"):
            items[row.id] = Item(row.id, cast(Literal["kit", "phantom"], row.source), safety_stock=row.safety_stock)
        else:  # nobody sells it to us: there is only what is there
            items[row.id] = Item(row.id, "none", safety_stock=row.safety_stock)
    return items, names


def _bought(row: t.Item, offers: list[tuple[t.SupplierItem, int | None]]) -> Item:
    first, *others = (
        Supplier(
            one.supplier_id,
            one.lead_days,
            calendar_id,
            minimum=one.order_minimum,
            multiple=one.order_multiple,
            maximum=one.order_maximum,
        )
        for one, calendar_id in offers
    )
    return Item(
        row.id,
        "buy",
        lead_days=first.lead_days,
        lead_calendar=first.lead_calendar,
        minimum=first.minimum,
        multiple=first.multiple,
        maximum=first.maximum,
        safety_stock=row.safety_stock,
        suppliers=others,
        supplier=first.key,
    )


def _work_centre(row: t.WorkCentre, calendar: Hashable, today: date, zone: ZoneInfo) -> WorkCentre:
    frozen = datetime.combine(today + timedelta(days=row.frozen_days), time(), zone).astimezone(UTC) if row.frozen_days else None
    pace = Fraction(row.efficiency_percent, 100)
    return WorkCentre(row.id, calendar, lanes=row.lanes, efficiency=pace, frozen_until=frozen, name=row.name)


def _alternates(
    session: Session, table: type[t.BomAlternate | t.OperationAlternate], of: Mapped[int], instead: Mapped[int]
) -> defaultdict[int, list[int]]:
    """Return line or operation → what may stand in, in the order in which it is tried."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for one, other in session.execute(sa.select(of, instead).order_by(of, table.priority, table.id)):
        found[one].append(other)
    return found


def _routings(session: Session) -> dict[int, list[Operation]]:
    routings: dict[int, list[Operation]] = defaultdict(list)
    of = t.OperationAlternate
    instead = _alternates(session, of, of.operation_id, of.work_centre_id)
    rows = sa.select(t.RoutingOperation).order_by(t.RoutingOperation.item_id, t.RoutingOperation.position)
    for row in session.scalars(rows):
        routings[row.item_id].append(
            Operation(
                row.work_centre_id,
                setup_minutes=Fraction(row.setup_seconds, 60),
                minutes_per_unit=Fraction(row.run_seconds, 60 * row.run_per),
                fixed_minutes=Fraction(row.fixed_seconds, 60),
                alternates=instead[row.id],
            )
        )
    return routings
