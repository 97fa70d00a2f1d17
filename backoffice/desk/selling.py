"""An order for somebody who asked: put together at the desk, held from the shop's real stock and plan, paid by a mailed link."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import company_prices, parties
from backoffice.crm.carts import new_cart
from backoffice.desk import context, forms, item_search
from backoffice.desk.drafts import TYPED, first_address, language_of, sheet_of, shop_address
from backoffice.desk.formats import moment
from backoffice.desk.lead_sheet import Sheet
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.classes import RETAIL
from backoffice.public.carts import Cart
from backoffice.public.checkout import LONGEST_PAY_MINUTES, PAY_MINUTES, CheckoutForm, DeskOrder
from backoffice.public.errors import BadInput, NotFound, Refused, ShopError

bp = Blueprint("selling", __name__, url_prefix="/desk/sales/leads/<int:lead_id>/order")
TIMES = (LONGEST_PAY_MINUTES, 240, PAY_MINUTES)  # minutes to pay in, as they are offered
MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One line as typed. wrong: why it cannot be had so."""

    sku: str
    quantity: str
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """The order as it stands on the page: all of it is in the form, its cart keeps the goods."""

    lines: tuple[Line, ...] = ()
    address: Mapping[str, str] = field(default_factory=dict)
    find: str = ""
    pay_minutes: int = LONGEST_PAY_MINUTES
    cart: str = ""
    key: str = ""

    @classmethod
    def parse(cls) -> Draft:
        """Read the form; lines without an item are left out."""
        pairs = zip(request.form.getlist("sku"), request.form.getlist("quantity"), strict=False)
        lines = tuple(Line(sku.strip()[:100], quantity.strip()[:12]) for sku, quantity in pairs if sku.strip())[:MOST_LINES]
        minutes = forms.text("pay_minutes")
        return cls(
            lines=lines,
            address={name: forms.text(name) for name in TYPED},
            find=forms.text("find").strip()[:100],
            pay_minutes=int(minutes) if minutes.isdecimal() and len(minutes) < 6 else 0,
            cart=forms.text("cart"),
            key=forms.text("key") or secrets.token_urlsafe(18),
        )

    def wanted(self) -> dict[str, int]:
        """Return pieces by item, the same one twice summed up. Raises BadInput for a number that is none."""
        pieces: dict[str, int] = {}
        for line in self.lines:
            if not (line.quantity.isdecimal() and len(line.quantity) < 7 and int(line.quantity)):
                raise BadInput("invalid_form", {"lines": "bad_quantity"})
            pieces[line.sku] = pieces.get(line.sku, 0) + int(line.quantity)
        return pieces


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says of a draft: its cart, what is wrong, what the search found."""

    draft: Draft
    cart: Cart | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    found: tuple[item_search.Found, ...] = ()
    status: int = 200


@bp.get("")
def home(lead_id: int) -> ResponseReturnValue:
    """Begin with what they asked for, and with where their last order went."""
    sheet = sheet_of(lead_id)
    if sheet.waiting is not None or sheet.lead.state == "done":
        return redirect(url_for("sales.lead", lead_id=lead_id), 303)
    lead = sheet.lead
    lines = (Line(lead.sku, str(lead.quantity or 1)),) if lead.sku else ()
    return _page(sheet, Shown(Draft(lines, first_address(sheet), key=secrets.token_urlsafe(18))))


@bp.post("")
def change(lead_id: int) -> ResponseReturnValue:
    """Add or take out a line, name days and total, or mail the link to pay."""
    draft, sheet, action = Draft.parse(), sheet_of(lead_id), forms.text("action")
    if sheet.waiting is not None and action != "send":
        refused = Refused("payment_open")
        return _page(sheet, Shown(draft, problem=explain(refused), status=refused.status))
    if forms.text("pick"):
        return _page(sheet, _look(sheet, replace(draft, lines=(*draft.lines, Line(forms.text("pick"), "1")), find="")))
    if forms.text("remove").isdecimal():
        gone = int(forms.text("remove"))
        return _page(sheet, _look(sheet, replace(draft, lines=tuple(one for at, one in enumerate(draft.lines) if at != gone))))
    if action == "add":
        return _page(sheet, _add(sheet, draft))
    if action != "send":
        return _page(sheet, _look(sheet, draft))
    return _send(sheet, draft)


@bp.post("/withdraw")
def withdraw(lead_id: int) -> ResponseReturnValue:
    """Take an order to pay back: nobody can pay for it any more, and its goods are free."""
    sheet = sheet_of(lead_id)
    said = _("There is nothing to take back: it was paid, or its time is over.")
    if sheet.waiting is not None:
        try:
            till, me = context.services().till, context.me()
            if till.withdraw(sheet.waiting.checkout.id, by=me.name, now=context.now()):
                said = _("The link no longer works, and the goods are free.")
        except Refused as error:
            said = explain(error)
    flash(said)
    return redirect(url_for("sales.lead", lead_id=lead_id), 303)


def _add(sheet: Sheet, draft: Draft) -> Shown:
    """Add what was typed if it is an item's number; else show what the words find."""
    exact = context.read(lambda db: item_search.find_item(db, draft.find))
    if exact is not None:
        return _look(sheet, replace(draft, lines=(*draft.lines, Line(exact.sku, "1")), find=""))
    return replace(_look(sheet, draft), found=tuple(context.read(lambda db: item_search.find_items(db, draft.find))))


def _look(sheet: Sheet, draft: Draft) -> Shown:
    """Hold what is wanted in the draft's cart, and say for each line why it cannot be had."""
    carts, now = context.services().shop.carts, context.now()
    try:
        wanted = draft.wanted()
    except BadInput as error:
        lines = tuple(
            replace(one, wrong="" if _is_number(one.quantity) else explain(BadInput("bad_quantity"))) for one in draft.lines
        )
        return Shown(replace(draft, lines=lines), _held(draft), error.fields, explain(error), status=error.status)
    cart, wrong, status = _held(draft), dict[str, str](), 200
    for line in cart.lines if cart else ():
        if line.sku not in wanted:
            cart = carts.set_quantity(draft.cart, line.sku, 0, now=now)
    had = {line.sku: line.quantity for line in cart.lines} if cart else {}
    for sku, quantity in wanted.items():
        try:
            if cart is None:
                cart = carts.add(_cart_for(sheet.lead.party_id), sku, quantity, postcode=None, now=now)
            elif had.get(sku) != quantity:
                cart = carts.set_quantity(cart.token, sku, quantity, now=now)
        except ShopError as error:
            wrong[sku], status = explain(error), error.status
    lines = tuple(replace(line, wrong=wrong.get(line.sku, "")) for line in draft.lines)
    draft = replace(draft, lines=lines, cart=cart.token if cart else "")
    if cart is None:
        return Shown(draft, None, {}, "", status=status)
    try:
        cart = _at_place(cart, draft.address)
    except BadInput as error:
        return Shown(draft, cart, {"postcode": "unknown_postcode"}, explain(error), status=error.status)
    return Shown(draft, cart, {}, _("Not everything can be had: see the lines.") if wrong else "", status=status)


def _at_place(cart: Cart, address: Mapping[str, str]) -> Cart:
    """Hold on, for the place that is typed. Raises BadInput(unknown_postcode)."""
    carts, now = context.services().shop.carts, context.now()
    postcode, country = address.get("postcode", "").strip(), address.get("country") or cart.country
    if postcode and (postcode, country) != (cart.postcode, cart.country):
        cart = carts.set_postcode(cart.token, postcode, country=country, now=now)
    return carts.renew(cart.token, now=now)


def _cart_for(party_id: int) -> str | None:
    """Return a new cart for somebody for whose class something may be kept, or who has prices; None: any new cart will do."""
    now, made = context.now(), []
    whose = context.read(lambda db: parties.class_of(db, party_id))
    if whose == RETAIL and context.read(lambda db: company_prices.list_of_party(db, party_id, now=now)) is None:
        return None

    def work(db: Session) -> None:
        cart, token = new_cart(db, now=now, customer_class=whose)
        cart.party_id = party_id
        made.append(token)

    context.write(work)
    return made[0]


def _held(draft: Draft) -> Cart | None:
    return context.services().shop.carts.find(draft.cart or None, now=context.now())


def _is_number(typed: str) -> bool:
    return typed.isdecimal() and len(typed) < 7 and int(typed) > 0


def _send(sheet: Sheet, draft: Draft) -> ResponseReturnValue:
    """Open the payment and mail its link; whatever stands in the way is said with everything typed still there."""
    seen = (forms.text("cart_version"), forms.text("total_minor"))
    if sheet.waiting is None and not all(one.isdecimal() and len(one) < 12 for one in seen):
        return _page(sheet, replace(_look(sheet, draft), problem=_("Look at the days and the total first, then send it.")))
    shown = Shown(draft, _held(draft)) if sheet.waiting is not None else _look(sheet, draft)
    if shown.problem or (shown.cart is None and sheet.waiting is None):
        return _page(sheet, shown if shown.problem else replace(shown, problem=explain(Refused("cart_empty")), status=409))
    me, now = context.me(), context.now()
    lead = sheet.lead
    form = CheckoutForm(
        key=draft.key,
        cart_version=int(seen[0]) if seen[0].isdecimal() else 0,
        total_minor=int(seen[1]) if seen[1].isdecimal() else 0,
        language=language_of(sheet),
        keep_address=False,
        on_account=False,
        **draft.address,
    )
    desk = DeskOrder(lead.id, forms.version(), me.id, draft.pay_minutes)
    try:
        context.services().shop.checkout.start(shown.draft.cart, form, base_url=shop_address(form.language), now=now, desk=desk)
    except NotFound:
        raise
    except ShopError as error:
        key = draft.key if error.code == "payment_away" else secrets.token_urlsafe(18)  # one that waits is found by its key
        fields = error.fields if isinstance(error, BadInput) else {}
        again = replace(shown.draft, key=key)
        return _page(sheet_of(lead.id), Shown(again, _held(again), fields, explain(error), status=error.status))
    until = sheet_of(lead.id).waiting
    flash(
        _(
            "The link to pay is on its way to %(mail)s. We hold the goods until %(until)s.",
            mail=form.email,
            until=moment(until.until),
        )
        if until
        else _("The link to pay is on its way to %(mail)s.", mail=form.email)
    )
    return redirect(url_for("sales.lead", lead_id=lead.id), 303)


def _page(sheet: Sheet, shown: Shown) -> ResponseReturnValue:
    skus = [line.sku for line in shown.draft.lines]
    names = context.read(lambda db: {sku: item_search.find_item(db, sku) for sku in skus})
    held = {line.sku: line for line in shown.cart.lines} if shown.cart else {}
    page = render_template(
        "desk/sales/selling.html",
        sheet=sheet,
        shown=shown,
        draft=shown.draft,
        names=names,
        held=held,
        fields=shown.wrong,
        wrong=shown.wrong,
        times=TIMES,
        countries=sorted(context.services().shop.profile.get().countries),
    )
    return page, shown.status
