"""Read a model: every fault with its place, all of them at once."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from backoffice.lab.document import BadModel, Node
from backoffice.lab.model import Ask, Buckets, Jobshop, Model
from backoffice.lab.read_factory import read_calendars, read_factory
from backoffice.planning.calendars import Calendar
from backoffice.planning.model import Number, Supply
from backoffice.planning.shipping import Shipping

MOST_CELLS = 10_000
"""Operations of a job shop; more are refused."""

_ALWAYS = {weekday: [(0, 1440)] for weekday in range(7)}


def read_model(document: Node, *, now: datetime) -> Model:
    """Return the model in a document; `now` stands in for one that names none.

    Raises BadModel with every fault, one line each: its place and what is wrong.
    """
    top = document.fields(
        *("now", "timezone", "calendars", "items", "stock", "receipts", "boms", "routings", "work_centres"),
        *("shipping", "commitments", "quotes", "buckets", "jobshop"),
    )
    zone = top.get("timezone", Node.zone, ZoneInfo("UTC"))
    now = top.get("now", lambda node: node.instant(zone), now)
    calendars = read_calendars(top, zone, now)
    factory = read_factory(top, calendars, zone)
    items = factory.item_by
    supplies = [
        *top.get("stock", partial(_read_stock, items=items, now=now), ()),
        *top.get("receipts", partial(_read_receipts, items=items, zone=zone, now=now), ()),
    ]
    model = Model(
        now,
        zone,
        factory,
        supplies,
        top.maybe("shipping", partial(_read_shipping, calendars=calendars, zone=zone), None),
        top.get("commitments", partial(_read_asks, items=items, zone=zone, ranked=True), ()),
        top.get("quotes", partial(_read_asks, items=items, zone=zone, ranked=False), ()),
        top.maybe("buckets", _read_buckets, None),
        top.maybe("jobshop", _read_jobshop, None),
    )
    if document.faults:
        raise BadModel(document.faults)
    return model


def _item(node: Node, items: Container[object]) -> str:
    name = node.text()
    if name and name not in items:
        node.fault(f"unknown item {name!r}")
    return name


def _unlike(ids: Iterable[tuple[Node, str]]) -> None:
    """Add a fault for every id that an earlier element of its list has."""
    first: dict[str, str] = {}
    for node, name in ids:
        if name in first:
            node.fault(f"id {name!r} is that of {first[name]} too")
        else:
            first[name] = node.place


def _read_stock(node: Node, items: Container[object], now: datetime) -> list[Supply]:
    found, ids = [], []
    for number, element in enumerate(node.elements()):
        of = element.fields("id", "item", "quantity", "expires_on")
        name = of.get("id", Node.text, f"stock {number + 1}")
        item = of.need("item", lambda n: _item(n, items), "")
        quantity = of.need("quantity", Node.number, 0)
        ids.append((element, name))
        found.append(Supply(("stock", name), item, quantity, now, "stock", of.maybe("expires_on", Node.day, None)))
    _unlike(ids)
    return found


def _read_receipts(node: Node, items: Container[object], zone: ZoneInfo, now: datetime) -> list[Supply]:
    """Return the receipts; one dated before `now` is there, as the model says when it comes."""
    found, ids = [], []
    for number, element in enumerate(node.elements()):
        of = element.fields("id", "item", "quantity", "at")
        name = of.get("id", Node.text, f"receipt {number + 1}")
        item = of.need("item", lambda n: _item(n, items), "")
        quantity = of.need("quantity", Node.number, 0)
        at = of.need("at", lambda n: n.instant(zone), now)
        ids.append((element, name))
        found.append(Supply(("receipt", name), item, quantity, max(at, now), "receipt"))
    _unlike(ids)
    return found


def _read_asks(node: Node, items: Container[object], zone: ZoneInfo, ranked: bool) -> list[Ask]:
    found, ids = [], []
    for element in node.elements():
        of = element.fields("id", "item", "quantity", "due", "partial", *(["priority"] if ranked else []))
        name = of.need("id", Node.text, "")
        item = of.need("item", lambda n: _item(n, items), "")
        quantity = of.need("quantity", Node.number, 0)
        due = of.maybe("due", lambda n: n.instant(zone), None)
        ids.append((element, name))
        found.append(Ask(name, item, quantity, due, of.get("partial", Node.flag, False), of.get("priority", Node.rank, 1)))
    _unlike((element, name) for element, name in ids if name)
    return found


def _read_shipping(node: Node, calendars: dict[str, Calendar], zone: ZoneInfo) -> Shipping:
    of = node.fields("pick_pack_days", "cutoff", "timezone", "warehouse_calendar", "transit_days", "carrier_calendar")
    place = of.get("timezone", Node.zone, zone)

    def calendar(named: Node) -> Calendar:
        name = named.text()
        if name and name not in calendars:
            named.fault(f"unknown calendar {name!r}")
        return calendars.get(name, every_day)

    every_day = Calendar(place.key, _ALWAYS)
    return Shipping(
        place.key,
        of.get("pick_pack_days", Node.whole, 0),
        of.maybe("cutoff", Node.minute, 1440),
        of.maybe("warehouse_calendar", calendar, every_day),
        of.get("transit_days", Node.whole, 0),
        of.maybe("carrier_calendar", calendar, every_day),
    )


def _row(node: Node) -> list[Number]:
    return [element.number() for element in node.elements()]


def _read_buckets(node: Node) -> Buckets:
    of = node.fields("on_hand", "supply", "committed")
    buckets = Buckets(of.get("on_hand", Node.number, 0), of.need("supply", _row, ()), of.need("committed", _row, ()))
    if len(buckets.supply) != len(buckets.committed):
        node.fault(f"supply has {len(buckets.supply)} buckets and committed {len(buckets.committed)}")
    return buckets


def _read_jobshop(node: Node) -> Jobshop:
    of = node.fields("machine", "duration", "seconds")
    machine = of.need("machine", lambda n: _matrix(n, 1_000), ())
    duration = of.need("duration", lambda n: _matrix(n, 10**9), ())
    seconds = of.get("seconds", lambda n: n.number(above=True, below=3_601), 10)
    if [len(row) for row in machine] != [len(row) for row in duration]:
        node.fault("machine and duration must have as many rows, and rows as long as each other's")
    if sum(map(len, machine)) > MOST_CELLS:
        node.fault(f"has {sum(map(len, machine))} operations; at most {MOST_CELLS} are scheduled")
    return Jobshop(machine, duration, float(seconds))


def _matrix(node: Node, most: int) -> list[list[int]]:
    return [[cell.whole(most=most) for cell in row.elements()] for row in node.elements()]
