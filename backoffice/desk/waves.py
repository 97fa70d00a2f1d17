"""Waves at the warehouse desk: what leaves by which cut-off, one walk for all of it, scan by scan."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backoffice.desk import context, forms, wave_tasks
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext
from backoffice.desk.wording import explain
from backoffice.erp import pickers, waves
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("waves", __name__, url_prefix="/desk/warehouse/waves")


@bp.get("")
def home() -> ResponseReturnValue:
    """List the waves being picked and what waits for the next ones."""
    return _list_page("", 200)


@bp.post("/release")
def release() -> ResponseReturnValue:
    """Put everything that leaves with one pick-up into a wave, and open it."""
    actor, now = context.me().name, context.now()
    made: list[waves.Released] = []
    try:
        warehouse_id, leaves_on = forms.number("warehouse", wrong="bad_choice"), _leaves_on()
        carrier = forms.text("carrier")[:200].replace("\x00", "")
        minute = forms.number("cut_off", least=0, most=1440, wrong="bad_choice") if forms.text("cut_off") else None
        where = (warehouse_id, carrier, leaves_on)
        context.write(lambda db: made.append(waves.release(db, *where, cutoff_minute=minute, actor=actor, now=now)))
    except ShopError as error:
        return _list_page(explain(error), error.status)
    released = made[-1]
    flash(ngettext("The wave holds %(num)d parcel.", "The wave holds %(num)d parcels.", released.parcels))
    return redirect(url_for("waves.wave", wave_id=released.wave.id), 303)


@bp.get("/<int:wave_id>")
def wave(wave_id: int) -> ResponseReturnValue:
    """Show where to go next, then the whole walk."""
    said = request.args.get("said", "")
    return _wave_page(wave_id, {"said": said if said in {"picked", "back"} else "", "sku": request.args.get("sku", "")[:100]})


@bp.post("/<int:wave_id>/scan")
def scan(wave_id: int) -> ResponseReturnValue:
    """Take a scanned item; a scan alone is one piece."""
    me, now, sku = context.me(), context.now(), forms.text("sku").strip()[:100]
    try:
        quantity = forms.number("quantity") if forms.text("quantity").strip() else 1
        context.write(
            lambda db: waves.pick(db, wave_id, sku, quantity, actor=me.name, staff_id=me.id, now=now),
            scope=f"wave:{wave_id}",
        )
    except ShopError as error:
        return _wrong(wave_id, error, sku)
    return _back_to(wave_id, said="picked", sku=sku, count=str(quantity))


@bp.post("/<int:wave_id>/undo")
def undo(wave_id: int) -> ResponseReturnValue:
    """Put the last scan back on the shelf."""
    me, now, sku = context.me(), context.now(), forms.text("sku").strip()[:100]
    try:
        quantity = forms.number("quantity")
        context.write(
            lambda db: waves.unpick(db, wave_id, sku, quantity, actor=me.name, staff_id=me.id, now=now),
            scope=f"wave-undo:{wave_id}",
        )
    except ShopError as error:
        return _wrong(wave_id, error, sku)
    return _back_to(wave_id, said="back", sku=sku)


@bp.post("/<int:wave_id>/take")
def take(wave_id: int) -> ResponseReturnValue:
    """Go on with a wave that a colleague began."""
    me, now = context.me(), context.now()
    try:
        context.write(lambda db: waves.take_over(db, wave_id, actor=me.name, staff_id=me.id, now=now))
    except ShopError as error:
        return _wrong(wave_id, error, "")
    flash(_("The wave is yours now."))
    return _back_to(wave_id)


@bp.post("/<int:wave_id>/pack")
def pack(wave_id: int) -> ResponseReturnValue:
    """Close every parcel that holds all it should."""
    actor, now, packed = context.me().name, context.now(), [0]

    def work(db: Any) -> None:
        packed[0] = waves.pack_full(db, wave_id, actor=actor, now=now)

    try:
        context.write(work)
    except ShopError as error:
        return _wrong(wave_id, error, "")
    flash(ngettext("%(num)d parcel is packed.", "%(num)d parcels are packed.", packed[0]))
    return _back_to(wave_id)


@bp.post("/<int:wave_id>/close")
def close(wave_id: int) -> ResponseReturnValue:
    """End the wave; what nobody has begun goes back to the list."""
    freed = [0]

    def work(db: Any) -> None:
        freed[0] = waves.close(db, wave_id)

    try:
        context.write(work)
    except ShopError as error:
        return _wrong(wave_id, error, "")
    flash(
        ngettext(
            "The wave is over; %(num)d parcel waits for the next one.",
            "The wave is over; %(num)d parcels wait for the next one.",
            freed[0],
        )
    )
    return redirect(url_for("waves.home"), 303)


def _leaves_on() -> date:
    try:
        return date.fromisoformat(forms.text("leaves_on").strip())
    except ValueError:
        raise BadInput("invalid_form", {"leaves_on": "bad_date"}) from None


def _back_to(wave_id: int, **said: Any) -> ResponseReturnValue:
    return redirect(url_for("waves.wave", wave_id=wave_id, **said), 303)


def _wrong(wave_id: int, error: ShopError, sku: str) -> ResponseReturnValue:
    if error.code == "unknown_wave":
        raise error
    return _wave_page(wave_id, {"said": "wrong", "code": error.code, "sku": sku, "problem": explain(error)}, error.status)


def _list_page(problem: str, status: int) -> ResponseReturnValue:
    now = context.now()
    page = render_template(
        "desk/warehouse/waves.html",
        departures=context.read(lambda db: waves.departures(db, now=now)),
        going=context.read(wave_tasks.find_open),
        most=waves.MOST,
        problem_text=problem,
        urgency=lambda at: wave_tasks.cut_off_words(at, now),
    )
    return page, status


def _wave_page(wave_id: int, said: dict[str, str], status: int = 200) -> ResponseReturnValue:
    page = context.read(lambda db: wave_tasks.get_page(db, wave_id))
    sku = said.get("sku", "").casefold()
    count = request.args.get("count", "1")
    html = render_template(
        "desk/warehouse/wave.html",
        page=page,
        said=said,
        said_stop=next((stop for stop in page.stops if stop.is_called(sku)), None),
        count=count if count.isdecimal() and len(count) < 10 else "1",
        mine=not page.wave.picker or pickers.has(page.wave, context.me().name, context.me().id),
        today=context.today(),
        urgency=wave_tasks.cut_off_words(page.wave.cut_off_at, context.now()),
    )
    return html, status
