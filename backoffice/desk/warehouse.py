"""The warehouse desk: one task fills the screen. A scanner is a keyboard that ends with Enter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.desk import context, forms, warehouse_tasks
from backoffice.desk.formats import units
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain, explain_field
from backoffice.erp import fulfilment, pickers, purchasing, splitting
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("warehouse", __name__, url_prefix="/desk/warehouse")


@bp.get("")
def home() -> ResponseReturnValue:
    """List what to pick, what to ship and what waits for what; a parcel whose number was scanned opens at once."""
    tomorrow = datetime.combine(context.today() + timedelta(days=1), time(), context.house().zone).astimezone(UTC)
    query = forms.sought()
    board = context.read(lambda db: warehouse_tasks.find_board(db, query, now=context.now(), day_ends_at=tomorrow))
    if query and (scanned := board.numbered(query)):
        return redirect(url_for("warehouse.shipment", shipment_id=scanned.id), 303)
    return render_template(
        "desk/warehouse/board.html", board=board, query=query, most=warehouse_tasks.MOST, today=context.today()
    )


@bp.get("/shipments/<int:shipment_id>")
def shipment(shipment_id: int) -> ResponseReturnValue:
    """Show one parcel: what to pick next, where it lies."""
    said = request.args.get("said", "")
    return _parcel_page(shipment_id, {"said": said if said in {"picked", "back"} else "", "sku": _sku_arg()})


@bp.post("/shipments/<int:shipment_id>/scan")
def scan(shipment_id: int) -> ResponseReturnValue:
    """Put a scanned item into the parcel; a scan alone is one piece."""
    me, now, sku = context.me(), context.now(), forms.text("sku").strip()[:100]
    try:
        quantity = forms.number("quantity") if forms.text("quantity").strip() else 1
        context.write(
            lambda db: fulfilment.pick(db, shipment_id, sku, quantity, actor=me.name, staff_id=me.id, now=now),
            scope=f"scan:{shipment_id}",
        )
    except ShopError as error:
        return _wrong(shipment_id, error, sku)
    return _back_to(shipment_id, said="picked", sku=sku, count=str(quantity))


@bp.post("/shipments/<int:shipment_id>/undo")
def undo(shipment_id: int) -> ResponseReturnValue:
    """Take the last scan out of the parcel again."""
    me, now, sku = context.me(), context.now(), forms.text("sku").strip()[:100]
    try:
        quantity = forms.number("quantity")
        context.write(
            lambda db: fulfilment.unpick(db, shipment_id, sku, quantity, actor=me.name, staff_id=me.id, now=now),
            scope=f"undo:{shipment_id}",
        )
    except ShopError as error:
        return _wrong(shipment_id, error, sku)
    return _back_to(shipment_id, said="back", sku=sku)


@bp.post("/shipments/<int:shipment_id>/take")
def take(shipment_id: int) -> ResponseReturnValue:
    """Go on with a parcel that a colleague has in hand; while they are still at it, only after asking them."""
    me, now = context.me(), context.now()
    try:
        version = forms.number("version", wrong="bad_choice")
        sure = forms.text("sure") == "yes"
        context.write(
            lambda db: pickers.take_over(db, shipment_id, version=version, sure=sure, actor=me.name, staff_id=me.id, now=now)
        )
    except ShopError as error:
        return _wrong(shipment_id, error, "")
    flash(_("The parcel is yours now. What is in it stays in it."))
    return _back_to(shipment_id)


@bp.post("/shipments/<int:shipment_id>/short")
def short(shipment_id: int) -> ResponseReturnValue:
    """Say that the shelf holds fewer than the parcel needs: it goes on without them."""
    me, now, sku = context.me(), context.now(), forms.text("sku").strip()[:100]
    try:
        found, lot = forms.number("found", least=0), forms.text("lot")[:100].replace("\x00", "")
        context.write(
            lambda db: splitting.short_pick(db, shipment_id, sku, found, lot=lot, actor=me.name, staff_id=me.id, now=now),
            scope=f"short:{shipment_id}",
        )
    except ShopError as error:
        return _wrong(shipment_id, error, sku)
    flash(_("Noted. What is missing is planned anew and follows; the customer is told when the day moves."))
    wave = forms.text("wave")
    if wave.isdecimal() and len(wave) < 12:
        return redirect(url_for("waves.wave", wave_id=int(wave)), 303)
    return _back_to(shipment_id)


@bp.post("/shipments/<int:shipment_id>/part")
def part(shipment_id: int) -> ResponseReturnValue:
    """Send what is here now; the rest follows in a parcel of its own."""
    now = context.now()
    try:
        context.write(lambda db: splitting.send_part(db, shipment_id, now=now))
    except ShopError as error:
        return _wrong(shipment_id, error, "")
    flash(_("What is here leaves now. The rest follows in a parcel of its own."))
    return _back_to(shipment_id)


@bp.post("/shipments/<int:shipment_id>/pack")
def pack(shipment_id: int) -> ResponseReturnValue:
    """Close the parcel."""
    actor, now = context.me().name, context.now()
    return _step(shipment_id, lambda db: fulfilment.pack(db, shipment_id, actor=actor, now=now))


@bp.post("/shipments/<int:shipment_id>/ship")
def ship(shipment_id: int) -> ResponseReturnValue:
    """Hand the parcel to the carrier and go on with the next."""
    actor, now, tracking = context.me().name, context.now(), forms.text("tracking").strip()
    if "\x00" in tracking or len(tracking) > 80:
        return _wrong(shipment_id, BadInput("invalid_form", {"tracking": "too_long"}), "")
    try:
        context.write(lambda db: fulfilment.ship(db, shipment_id, tracking=tracking, actor=actor, now=now))
    except ShopError as error:
        return _wrong(shipment_id, error, "")
    flash(_("Shipped. The customer is told by mail."))
    return redirect(url_for("warehouse.home"), 303)


@bp.get("/receive")
def receive() -> ResponseReturnValue:
    """List what comes in, by day."""
    return _receive_page()


@bp.post("/receive/<int:line_id>")
def receive_line(line_id: int) -> ResponseReturnValue:
    """Take goods in; a part is enough."""
    actor, now, key = context.me().name, context.now(), forms.text("key")
    try:
        counted = forms.number("quantity")
        receipt = context.read(lambda db: warehouse_tasks.get_receipt(db, line_id, now=now))
        quantity, ref = counted * receipt.item.parts_per_unit, f"receipt:{line_id}:{key or receipt.line.version}"
        lot = None if receipt.item.days_left is None else _lot_typed()
        context.write(
            lambda db: purchasing.receive(db, line_id, quantity, lot=lot, ref=ref, actor=actor, now=now),
            scope=f"receive:{line_id}",
        )
    except ShopError as error:
        fields = error.fields if isinstance(error, BadInput) else {}
        typed = {"line": str(line_id), "text": forms.text("quantity"), "problem": explain(error)}
        typed |= {name: forms.text(name) for name in ("lot", "best_before_on")}
        wrong = {"wrong_lot": "lot", "wrong_day": "best_before_on"}
        typed |= {said: explain_field(fields[name]) for said, name in wrong.items() if name in fields}
        return _receive_page(typed, error.status)
    flash(_("Booked: %(count)s × %(item)s.", count=units(counted), item=receipt.item.name))
    return redirect(url_for("warehouse.receive", **forms.place()), 303)


def _lot_typed() -> purchasing.Arrived:
    """Return the lot that came. Raises BadInput(invalid_form, lot | best_before_on)."""
    number = forms.text("lot").strip()
    if not number:
        raise BadInput("invalid_form", {"lot": "required"})
    return purchasing.Arrived(number, forms.day("best_before_on", earliest=context.today()))


def _step(shipment_id: int, work: Callable[[Session], object]) -> ResponseReturnValue:
    try:
        context.write(work)
    except ShopError as error:
        return _wrong(shipment_id, error, "")
    return _back_to(shipment_id)


def _back_to(shipment_id: int, **said: Any) -> ResponseReturnValue:
    return redirect(url_for("warehouse.shipment", shipment_id=shipment_id, **said), 303)


def _wrong(shipment_id: int, error: ShopError, sku: str) -> ResponseReturnValue:
    if error.code == "unknown_shipment":
        raise error
    said = {"said": "wrong", "sku": sku, "problem": explain(error), "tracking": forms.text("tracking")}
    return _parcel_page(shipment_id, said, error.status)


def _parcel_page(shipment_id: int, said: dict[str, str], status: int = 200) -> ResponseReturnValue:
    parcel = context.read(lambda db: warehouse_tasks.get_parcel(db, shipment_id))
    sku = said.get("sku", "").casefold()
    line = next((one for one in parcel.lines if one.is_called(sku)), None)
    count = request.args.get("count", "1")
    return render_template(
        "desk/warehouse/parcel.html",
        parcel=parcel,
        said=said,
        said_line=line,
        count=count if count.isdecimal() and len(count) < 10 else "1",
        today=context.today(),
        mine=parcel.shipment.state != "picking" or pickers.has(parcel.shipment, context.me().name, context.me().id),
        at_it=pickers.is_at_it(parcel.shipment, now=context.now()),
    ), status


def _receive_page(typed: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    query, page = forms.sought(), forms.page()
    receipts, total = context.read(lambda db: warehouse_tasks.find_receipts(db, query, page, now=context.now()))
    return render_template(
        "desk/warehouse/receive.html",
        receipts=receipts,
        total=total,
        page_number=page,
        page_size=warehouse_tasks.RECEIPTS,
        query=query,
        place=forms.place(),
        typed=typed or {},
    ), status


def _sku_arg() -> str:
    return request.args.get("sku", "")[:100]
