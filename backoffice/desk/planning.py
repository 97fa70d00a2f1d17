"""The planning desk: today's breaks first, then orders, receipts and the load of every work centre."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.desk import context, demand, forms, kept, late, listing, moved, planning_lists, task_lists
from backoffice.desk.formats import day_of, local, period
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import expediting, load, production, purchasing, recipes
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("planning", __name__, url_prefix="/desk/planning")
MOST_HOURS = 720


@bp.get("")
def home() -> ResponseReturnValue:
    """Show what is broken today, then how full the next four weeks are."""
    now, page = context.now(), forms.page()
    late_only, proposed = planning_lists.is_late(now), planning_lists.is_proposed()
    promises, late_total = context.read(lambda db: late.find_late(db, context.today(), page=page, now=now))
    return render_template(
        "desk/planning/today.html",
        late_made=context.read(lambda db: planning_lists.find_made(db, now=now, late=True)),
        late_coming=context.read(lambda db: planning_lists.find_coming(db, now=now, only=late_only)),
        proposed=context.read(lambda db: planning_lists.find_coming(db, now=now, only=proposed)),
        late=promises,
        late_total=late_total,
        page_number=page,
        page_size=listing.PAGE,
        stops=context.read(lambda db: planning_lists.find_stops(db, now=now)),
        centres=_load(),
        kept=kept.find_whole(2),
        asked_days=context.read(lambda db: task_lists.find_asked_days(db, now=now)),
    )


@bp.get("/production")
def production_orders() -> ResponseReturnValue:
    """List open production orders."""
    return production_page()


@bp.post("/production/<int:order_id>/finish")
def finish(order_id: int) -> ResponseReturnValue:
    """Say that a production order is done."""
    actor, now = context.me().name, context.now()
    try:
        context.write(lambda db: production.finish(db, order_id, actor=actor, now=now))
    except ShopError as error:
        return production_page({"id": str(order_id), "problem": explain(error)}, error.status)
    flash(_("Done. What was made is on the shelf now."))
    return redirect(url_for("planning.production_orders", **forms.place()), 303)


@bp.get("/receipts")
def receipts() -> ResponseReturnValue:
    """List what is still to come from suppliers."""
    return receipts_page()


@bp.post("/receipts/<int:line_id>/due")
def move_due(line_id: int) -> ResponseReturnValue:
    """Move the day on which a receipt is expected; what it moves is shown before it is saved."""
    me, now, version, watch = context.me(), context.now(), forms.version(), moved.Watch(forms.text("seen"))
    by = {"actor": me.name, "by": me.email, "role": me.role}
    try:
        due_at = _new_due(line_id)
        fresh = context.write(
            watch.over(lambda db: expediting.answer(db, line_id, due_at, version=version, now=now, **by)),
            scope=f"due:{line_id}",
        )
    except moved.Unseen as unseen:
        return moved.ask_page(unseen, what=_due_words(line_id, due_at), back="planning.receipts")
    except ShopError as error:
        wrong = next(iter(error.fields.values()), "") if isinstance(error, BadInput) else ""
        typed = {"id": str(line_id), "text": forms.text("due_on"), "wrong": wrong, "problem": explain(error)}
        return receipts_page(typed, error.status)
    if fresh:
        flash(_("Saved. %(moved)s", moved=watch.words()))
    return redirect(url_for("planning.receipts", **forms.place()), 303)


@bp.post("/purchase-orders/<int:order_id>/confirm")
def confirm(order_id: int) -> ResponseReturnValue:
    """Say that a proposed purchase order was sent to its supplier."""
    actor, now = context.me().name, context.now()
    try:
        context.write(lambda db: purchasing.confirm(db, order_id, actor=actor, now=now), scope=f"confirm:{order_id}")
    except ShopError as error:
        return receipts_page({"problem": explain(error)}, error.status)
    flash(_("Ordered. It counts as on its way now."))
    return redirect(url_for("planning.receipts", **forms.place()), 303)


@bp.get("/load")
def work_centres() -> ResponseReturnValue:
    """Show the load per work centre and day, and the stops."""
    return _load_page()


@bp.get("/load/<int:centre_id>")
def centre(centre_id: int) -> ResponseReturnValue:
    """Show what fills a work centre, on the days that were chosen or in the next four weeks."""
    return _centre_page(centre_id)


def _centre_page(centre_id: int, error: BadInput | None = None) -> ResponseReturnValue:
    chosen, now = forms.shown_day("day"), context.now()
    first = chosen or context.today()
    last = max(forms.shown_day("until") or first, first) if chosen else first + timedelta(days=27)
    low, high = context.midnight(first), context.midnight(last + timedelta(days=1))
    work_centre, slots, total = context.read(
        lambda db: planning_lists.find_slots(db, centre_id, low, high, now=now, page=forms.page())
    )
    page = render_template(
        "desk/planning/centre.html",
        centre=work_centre,
        slots=slots,
        chosen=chosen,
        last=last,
        fields=error.fields if error else {},
        typed=request.form if error else {},
        **_where(total),
    )
    return page, error.status if error else 200


@bp.post("/load/<int:centre_id>/pace")
def pace(centre_id: int) -> ResponseReturnValue:
    """Set how fast a work centre works, and for how long it begins nothing new."""
    me, now = context.me(), context.now()

    def save(db: Session) -> None:
        efficiency = forms.number("efficiency", most=1000, wrong="bad_number")
        frozen = forms.number("frozen_days", least=0, most=recipes.MOST_FROZEN, wrong="bad_number")
        recipes.set_pace(db, centre_id, efficiency, frozen, by=me.email, role=me.role, now=now)

    try:
        context.write(save)
    except BadInput as error:
        return _centre_page(centre_id, error)
    flash(_("Saved."))
    return redirect(url_for("planning.centre", centre_id=centre_id), 303)


@bp.post("/stops")
def stop() -> ResponseReturnValue:
    """Let a work centre stand still for some hours; what it moves is shown before it is saved."""
    actor, now, watch = context.me().name, context.now(), moved.Watch(forms.text("seen"))
    try:
        centre_id = forms.number("work_centre", wrong="bad_choice")
        starts_at = forms.moment("starts_at", context.house().zone)
        ends_at = starts_at + timedelta(hours=forms.number("hours", most=MOST_HOURS, wrong="bad_hours"))
        reason = forms.text("reason").replace("\x00", " ")
        fresh = context.write(
            watch.over(lambda db: production.stop(db, centre_id, starts_at, ends_at, reason=reason, actor=actor, now=now)),
            scope="stop",
        )
    except moved.Unseen as unseen:
        what = _("%(name)s stands still, %(period)s", name=centre_name(centre_id), period=period(starts_at, ends_at))
        return moved.ask_page(unseen, what=what, back="planning.work_centres")
    except ShopError as error:
        return load_page_with(error)
    if fresh:
        flash(_("It stands still. %(moved)s", moved=watch.words()))
    return redirect(url_for("planning.work_centres"), 303)


@bp.post("/stops/<int:stop_id>/end")
def end_stop(stop_id: int) -> ResponseReturnValue:
    """Let a stopped work centre work again from now."""
    actor, now, watch = context.me().name, context.now(), moved.Watch()
    try:
        context.write(watch.over(lambda db: production.end_stop(db, stop_id, actor=actor, now=now)))
    except ShopError as error:
        return _load_page({"problem": explain(error)}, {}, error.status)
    flash(_("It works again. %(moved)s", moved=watch.words()))
    return redirect(url_for("planning.work_centres"), 303)


def _new_due(line_id: int) -> datetime:
    """Return the chosen day at the receipt's own time of day; later today if that time is over. Raises BadInput."""
    chosen = forms.day("due_on", earliest=context.today())
    one = context.read(lambda db: planning_lists.get_coming(db, line_id, now=context.now()))
    clock = local(one.line.due_at).time()
    due_at = datetime.combine(chosen, clock, context.house().zone).astimezone(UTC)
    end_of_day = datetime.combine(chosen, time(23, 59), context.house().zone).astimezone(UTC)
    return due_at if due_at > context.now() else end_of_day


def _due_words(line_id: int, due_at: datetime) -> str:
    one = context.read(lambda db: planning_lists.get_coming(db, line_id, now=context.now()))
    days = {"before": day_of(one.line.due_at), "now_on": day_of(due_at)}
    return _("%(item)s from %(ref)s: %(now_on)s instead of %(before)s", item=one.item.name, ref=one.order.number, **days)


def centre_name(centre_id: int) -> str:
    """Return what a work centre is called."""
    return next(one.name for one in context.read(planning_lists.find_work_centres) if one.id == centre_id)


def _load(weeks: int = 4, by: load.Step = "day") -> object:
    today, now = context.today(), context.now()
    return context.read(lambda db: load.find_load(db, today, weeks=weeks, by=by, now=now))


def production_page(typed: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    """Return the list of production orders, with what was wrong about one of them."""
    query, page = forms.sought(), forms.page()
    made, total = context.read(lambda db: planning_lists.find_made(db, now=context.now(), query=query, page=page))
    return render_template("desk/planning/production.html", made=made, typed=typed or {}, local=local, **_where(total)), status


def receipts_page(typed: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    """Return the list of receipts, with what was typed and what was wrong about one of them."""
    query, page = forms.sought(), forms.page()
    coming, total = context.read(lambda db: planning_lists.find_coming(db, now=context.now(), query=query, page=page))
    return render_template(
        "desk/planning/receipts.html",
        coming=coming,
        lost=demand.by_item([one.item.id for one in coming]),
        typed=typed or {},
        today=context.today(),
        local=local,
        **_where(total),
    ), status


def _where(total: int) -> dict[str, object]:
    return {
        "total": total,
        "page_number": forms.page(),
        "page_size": listing.PAGE,
        "query": forms.sought(),
        "place": forms.place(),
    }


def load_page_with(error: ShopError) -> ResponseReturnValue:
    """Return the load and the stops with what was typed and what was wrong about it."""
    fields = dict(error.fields) if isinstance(error, BadInput) else {}
    return _load_page({**request.form.to_dict(), "problem": explain(error)}, fields, error.status)


def _load_page(
    typed: dict[str, str] | None = None, fields: dict[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    now = context.now()
    weeks = next((one for one in load.WEEKS if request.args.get("weeks") == str(one)), 4)
    by: load.Step = "week" if request.args.get("by") == "week" else "day"
    page = render_template(
        "desk/planning/load.html",
        centres=_load(weeks, by),
        weeks=weeks,
        by=by,
        horizons=load.WEEKS,
        work_centres=context.read(planning_lists.find_work_centres),
        stops=context.read(lambda db: planning_lists.find_stops(db, now=now)),
        typed=typed or {},
        fields=fields or {},
        local_now=local(now),
        most_hours=MOST_HOURS,
    )
    return page, status
