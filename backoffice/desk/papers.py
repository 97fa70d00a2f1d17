"""Papers of a parcel: the slip that lies in it, in the customer's language, and our own label for its outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from babel import Locale
from flask import Blueprint, Response, render_template
from flask_babel import force_locale
from sqlalchemy.orm import Session

from backoffice import printing, wording
from backoffice.crm.models import Checkout, Order, OrderLine
from backoffice.desk import context, pdf, phrases
from backoffice.erp import fulfilment, services
from backoffice.erp.company import get_company
from backoffice.erp.models import Company, Item, Reservation, Shipment, ShipmentLine, Warehouse
from backoffice.public import addresses

bp = Blueprint("papers", __name__, url_prefix="/desk/warehouse/shipments")


@dataclass(frozen=True, slots=True)
class Line:
    """What lies in the parcel, in the words in which it was bought."""

    sku: str
    name: str
    options: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything that papers of one parcel say. language: the customer's, where there are words in it, else English.

    service: what it is sent with, by its name; empty: the usual way.
    """

    shipment: Shipment
    company: Company
    sender: Sequence[str]
    receiver: Sequence[str]
    lines: Sequence[Line]
    parcels: int
    ordered_on: date | None
    language: str
    service: str = ""


@bp.get("/<int:shipment_id>/slip.pdf")
def slip(shipment_id: int) -> Response:
    """Return the packing slip: no prices, because it may be a present."""
    paper = context.read(lambda db: find_paper(db, shipment_id))
    return _answer("desk/papers/slip.html", paper, f"{paper.shipment.number}-slip.pdf")


@bp.get("/<int:shipment_id>/label.pdf")
def label(shipment_id: int) -> Response:
    """Return our own label, 100 × 150 mm: it names the carrier but is not the carrier's."""
    paper = context.read(lambda db: find_paper(db, shipment_id))
    number = paper.shipment.number
    return _answer("desk/papers/label.html", paper, f"{number}-label.pdf", bars=pdf.code_128(number), square=pdf.qr(number))


def find_paper(session: Session, shipment_id: int) -> Paper:
    """Return what papers of a parcel say. Raises NotFound(unknown_shipment)."""
    shipment = fulfilment.get_shipment(session, shipment_id)
    company = get_company(session)
    warehouse = session.get_one(Warehouse, shipment.warehouse_id)
    placed = session.execute(
        sa.select(Order.placed_at, Checkout.language)
        .join(Checkout, Checkout.id == Order.checkout_id)
        .where(Order.number == shipment.order_ref)
    ).one_or_none()
    parcels = session.scalar(
        sa.select(sa.func.count()).where(Shipment.order_ref == shipment.order_ref, Shipment.state != "cancelled")
    )
    return Paper(
        shipment,
        company,
        [company.name, *(str(line) for line in (warehouse.address or company.address))],
        address_lines(shipment.ship_to),
        _lines(session, shipment.id),
        parcels or 1,
        placed.placed_at.astimezone(context.house().zone).date() if placed else None,
        _spoken(placed.language if placed else company.language),
        services.name_of(session, shipment.ship_to.get("service", "")),
    )


def address_lines(ship_to: dict[str, str]) -> list[str]:
    """Return an address in the order of its country, the country last and in capitals, as the post wants it."""
    address = addresses.of(ship_to)
    return [*addresses.write(address, capitals=True), addresses.country_name(address.country)]


def _lines(session: Session, shipment_id: int) -> list[Line]:
    """A line that was parted from another was bought under the other's name; a kit's parts have their own."""
    bought = sa.func.coalesce(Reservation.split_from_id, Reservation.id)
    rows = session.execute(
        sa.select(ShipmentLine.quantity, Item, OrderLine)
        .join(Item, Item.id == ShipmentLine.item_id)
        .join(Reservation, Reservation.id == ShipmentLine.reservation_id)
        .join(OrderLine, OrderLine.reservation_id == bought, isouter=True)
        .where(ShipmentLine.shipment_id == shipment_id)
        .order_by(ShipmentLine.id)
    ).all()
    return [
        Line(item.sku, *((line.name, line.options) if line and line.item_id == item.id else (item.name, "")), quantity)
        for quantity, item, line in rows
    ]


def _spoken(language: str) -> str:
    """Return the customer's language if there are words in it, else English."""
    codes = [one.code for one in phrases.languages()]
    wanted = language.replace("_", "-")
    return next((code for code in (wanted, wanted.partition("-")[0]) if code in codes), phrases.SOURCE)


def _answer(template: str, paper: Paper, name: str, **drawn: object) -> Response:
    locale = Locale.parse(paper.language, sep="-")

    def long_day(day: date) -> str:
        return wording.day(day, locale, year=True)

    with force_locale(str(locale)):
        html = render_template(template, paper=paper, direction=locale.text_direction, long_day=long_day, **drawn)
    answer = Response(printing.make(html), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer
