"""The sales desk: answer who asked, in time, knowing who they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from babel import Locale, UnknownLocaleError
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import wording as words_of
from backoffice.crm import follow_ups, introducing, leads, ready_answers
from backoffice.crm.models import MailTemplate
from backoffice.desk import context, forms, inbox
from backoffice.desk.inbox import Filters
from backoffice.desk.lead_sheet import Sheet, get_sheet
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, NotFound, ShopError
from backoffice.public.promise import Promise

bp = Blueprint("sales", __name__, url_prefix="/desk/sales")


@dataclass(frozen=True, slots=True)
class Typed:
    """What one of the lead's forms held, to be shown again. form: which one; wrong: its fields and why."""

    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@bp.get("")
def home() -> ResponseReturnValue:
    """List who waits for an answer."""
    filters = Filters.parse(request.args)
    found = _inbox(filters)
    if filters.after and not found.rows:  # the list has become shorter
        return redirect(url_for("sales.home", **filters.args(after="")), 303)
    return render_template("desk/sales/inbox.html", filters=filters, inbox=found, choices=_choices())


@bp.get("/next", endpoint="next")
def next_lead() -> ResponseReturnValue:
    """Open the lead that is due first, of mine and of what nobody took."""
    day_ends = context.day_ends()
    lead_id = context.read(lambda db: inbox.find_next(db, context.me().id, day_ends=day_ends))
    if lead_id is None:
        flash(_("Nobody waits for an answer."))
        return redirect(url_for("sales.home"), 303)
    return redirect(url_for("sales.lead", lead_id=lead_id), 303)


@bp.get("/leads/<int:lead_id>")
def lead(lead_id: int) -> ResponseReturnValue:
    """Show one lead beside the list."""
    return _lead_page(lead_id)


@bp.post("/leads/<int:lead_id>/take")
def take(lead_id: int) -> ResponseReturnValue:
    """Take a lead that nobody has."""
    me, version, now = context.me(), forms.version(), context.now()
    return save(lead_id, lambda db: leads.take(db, lead_id, staff_id=me.id, version=version, now=now), _("You have it now."))


@bp.post("/leads/<int:lead_id>/take-over")
def take_over(lead_id: int) -> ResponseReturnValue:
    """Take a lead from a colleague."""
    me, version, now = context.me(), forms.version(), context.now()
    return save(
        lead_id,
        lambda db: leads.take_over(db, lead_id, staff_id=me.id, version=version, now=now),
        _("You have it now."),
    )


@bp.post("/leads/<int:lead_id>/note")
def note(lead_id: int) -> ResponseReturnValue:
    """Write a note that only we see."""
    me, version, now, words = context.me(), forms.version(), context.now(), forms.text("note")
    return save(
        lead_id,
        lambda db: leads.note(db, lead_id, words, staff=me, version=version, now=now),
        _("Note kept."),
        form="note",
    )


@bp.post("/leads/<int:lead_id>/answer")
def answer(lead_id: int) -> ResponseReturnValue:
    """Answer by mail, and say when to come back to it."""
    me, version, now, words = context.me(), forms.version(), context.now(), forms.text("answer")
    return save(
        lead_id,
        lambda db: leads.answer(db, lead_id, words, staff=me, version=version, now=now, follow_up_on=_follow_up_on()),
        _("Your answer is on its way by mail."),
        form="answer",
    )


@bp.post("/leads/<int:lead_id>/ready")
def ready(lead_id: int) -> ResponseReturnValue:
    """Put a ready answer into the field, behind what stands there; nothing is sent."""
    typed, chosen = request.form.to_dict(), forms.text("ready")
    sheet = _sheet(lead_id)
    row = next((one for one in sheet.answers if str(one.id) == chosen), None)
    if row is None:
        return _lead_page(lead_id, Typed("answer", typed, {"ready": "bad_choice"}, explain(BadInput("invalid_form"))), 422)
    before = typed.get("answer", "").rstrip()
    filled = ready_answers.fill(row.body, _known(sheet, row))
    typed["answer"] = f"{before}\n\n{filled}" if before else filled
    return _lead_page(lead_id, Typed("answer", typed))


@bp.post("/leads/<int:lead_id>/call")
def call(lead_id: int) -> ResponseReturnValue:
    """Write down what a call came to, and when to come back to it."""
    me, version, now, words = context.me(), forms.version(), context.now(), forms.text("call")
    return save(
        lead_id,
        lambda db: follow_ups.call(db, lead_id, words, follow_up_on=_follow_up_on(), staff=me, version=version, now=now),
        _("The call is written down."),
        form="call",
    )


@bp.post("/leads/<int:lead_id>/come-back")
def come_back(lead_id: int) -> ResponseReturnValue:
    """Come back to it on a day."""
    me, version, now = context.me(), forms.version(), context.now()

    def work(db: Session) -> None:
        on = _follow_up_on()
        if on is None:
            raise BadInput("invalid_form", {"follow_up_on": "missing"})
        follow_ups.come_back(db, lead_id, on, staff=me, version=version, now=now)

    return save(lead_id, work, _("It comes back to the list that day."), form="come_back")


@bp.post("/leads/<int:lead_id>/hand")
def hand(lead_id: int) -> ResponseReturnValue:
    """Give it to a colleague."""
    me, version, now, to = context.me(), forms.version(), context.now(), forms.text("to")
    to_id = int(to) if to.isdecimal() and len(to) < 12 else 0
    return save(
        lead_id,
        lambda db: follow_ups.hand(db, lead_id, to_id, staff=me, version=version, now=now),
        _("Your colleague has it now."),
        form="hand",
    )


@bp.post("/leads/<int:lead_id>/lose")
def lose(lead_id: int) -> ResponseReturnValue:
    """Close it without an order, and say why."""
    me, version, now, words = context.me(), forms.version(), context.now(), forms.text("lose")
    chosen = forms.text("reason")
    reason_id = int(chosen) if chosen.isdecimal() and len(chosen) < 12 else None
    return save(
        lead_id,
        lambda db: follow_ups.lose(db, lead_id, words, reason_id=reason_id, staff=me, version=version, now=now),
        _("Closed without an order."),
        form="lose",
    )


@bp.post("/leads/<int:lead_id>/introduce")
def introduce(lead_id: int) -> ResponseReturnValue:
    """Write down how to reach whoever called."""
    me, version, now = context.me(), forms.version(), context.now()
    given = {name: forms.text(name) for name in ("email", "name", "phone", "company")}
    return save(
        lead_id,
        lambda db: introducing.introduce(db, lead_id, **given, staff=me, version=version, now=now),
        _("Kept. From now on they can be written to."),
        form="introduce",
    )


@bp.post("/leads/<int:lead_id>/done")
def done(lead_id: int) -> ResponseReturnValue:
    """Close a lead."""
    me, version, now = context.me(), forms.version(), context.now()
    return save(lead_id, lambda db: leads.done(db, lead_id, staff=me, version=version, now=now), _("Closed."))


@bp.post("/leads/<int:lead_id>/release")
def release(lead_id: int) -> ResponseReturnValue:
    """Put a doubtful lead among the others."""
    me, version, now = context.me(), forms.version(), context.now()
    return save(
        lead_id,
        lambda db: leads.release(db, lead_id, staff=me, version=version, now=now),
        _("It is in the inbox now."),
    )


def save(lead_id: int, work: Callable[[Session], object], said: str, *, form: str = "") -> ResponseReturnValue:
    """Do it and go back to the lead; if it cannot be done, show the lead as it is now with what was typed."""
    try:
        context.write(work)
    except ShopError as error:
        if isinstance(error, NotFound):
            raise
        wrong = error.fields if isinstance(error, BadInput) else {}
        return _lead_page(lead_id, Typed(form, request.form, wrong, explain(error)), error.status)
    flash(said)
    return redirect(url_for("sales.lead", lead_id=lead_id, **Filters.parse(request.args).args()), 303)


def _follow_up_on() -> date | None:
    """Return the day to come back on; none typed: None. Raises BadInput(invalid_form, follow_up_on)."""
    return forms.past_day("follow_up_on") if forms.text("follow_up_on").strip() else None


def _sheet(lead_id: int) -> Sheet:
    secret_key = context.services().settings.secret_key
    return context.read(lambda db: get_sheet(db, lead_id, secret_key=secret_key))


def _lead_page(lead_id: int, typed: Typed | None = None, status: int = 200) -> ResponseReturnValue:
    filters, sheet = Filters.parse(request.args), _sheet(lead_id)
    lead = sheet.lead
    promise, no_promise = (None, "")
    if lead.sku and lead.state != "done":
        promise, no_promise = find_promise(lead.sku, lead.quantity or 1, lead.postcode)
    page = render_template(
        "desk/sales/lead.html",
        filters=filters,
        inbox=_inbox(filters),
        choices=_choices(),
        sheet=sheet,
        promise=promise,
        no_promise=no_promise,
        typed=typed or Typed(),
        today=context.today(),
    )
    return page, status


def find_promise(sku: str, quantity: int, postcode: str) -> tuple[Promise | None, str]:
    """Return the day that may be named to a customer now, or why there is none; a postcode we do not know: the usual one."""
    ask = context.services().shop.promises.quote
    try:
        return ask(sku, quantity, postcode=postcode or None, cart=None, now=context.now()), ""
    except BadInput as error:
        if error.code != "unknown_postcode":
            return None, explain(error)
    except ShopError as error:
        return None, explain(error)
    try:
        return ask(sku, quantity, postcode=None, cart=None, now=context.now()), ""
    except ShopError as error:
        return None, explain(error)


def _known(sheet: Sheet, row: MailTemplate) -> dict[str, str]:
    """Return what a ready answer may say of this person, the day in the answer's language."""
    lead, day = sheet.lead, ""
    promise = find_promise(lead.sku, lead.quantity or 1, lead.postcode)[0] if lead.sku else None
    if promise is not None:
        try:
            locale = Locale.parse(row.language, sep="-")
        except (UnknownLocaleError, ValueError):
            locale = Locale("en")
        day = words_of.long_day(promise.deliver_on, locale)
    name, sender = sheet.customer.party.name, context.me().name
    known = {"name": name, "number": lead.number, "shop": context.house().name, "sender": sender, "day": day}
    return known | {"order": lead.order_ref or ""}


def _inbox(filters: Filters) -> inbox.Inbox:
    me, now, day_ends = context.me().id, context.now(), context.day_ends()
    return context.read(lambda db: inbox.find_inbox(db, filters, staff_id=me, now=now, day_ends=day_ends))


def _choices() -> dict[str, tuple[str, ...]]:
    return {"whose": inbox.WHOSE, "state": inbox.STATES, "kind": inbox.KINDS}
