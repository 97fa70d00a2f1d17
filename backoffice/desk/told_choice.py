"""A customer's choice after a day has moved, said on the telephone: the same choices as behind the link in their letter."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import links, orders, slips
from backoffice.crm.models import Checkout, Order, Party
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.payments import choosing
from backoffice.public.errors import BadInput, NotFound, ShopError
from backoffice.public.slips import SlipView

bp = Blueprint("told_choice", __name__, url_prefix="/desk/sales/orders")
LONGEST_NAME = 100


@bp.get("/<number>/moved")
def home(number: str) -> ResponseReturnValue:
    """Show what the customer may choose now."""
    return _page(number)


@bp.post("/<number>/moved/<int:slip_id>")
def choose(number: str, slip_id: int) -> ResponseReturnValue:
    """Do what the customer said."""
    me, now = context.me(), context.now()
    choice, option = forms.text("choice")[:40], forms.text("option")[:300]
    said_by = " ".join(forms.text("said_by").replace("\x00", "").split())[:LONGEST_NAME]

    done: list[bool] = []

    def work(db: Session) -> None:
        if not said_by:
            raise BadInput("invalid_form", {"said_by": "required"})
        named = {"by": me.name, "said_by": said_by}
        done.append(choosing.choose(db, number, slip_id, choice, option, **named, now=now))

    try:
        context.write(work)
    except NotFound:
        raise
    except ShopError as error:
        return _page(number, explain(error), error.fields if isinstance(error, BadInput) else {}, said_by, error.status)
    flash(_("Done. It is in the order's history.") if done[-1] else _("That was chosen before."))
    return redirect(url_for("orders.order", number=number), 303)


def _page(
    number: str, problem: str = "", fields: Mapping[str, str] | None = None, said_by: str = "", status: int = 200
) -> ResponseReturnValue:
    order, customer, slip = context.read(lambda db: _find(db, number))
    return render_template(
        "desk/sales/told_choice.html",
        order=order,
        slip=slip,
        said_by=said_by or customer,
        problem_text=problem,
        fields=fields or {},
    ), status


def _find(session: Session, number: str) -> tuple[Order, str, SlipView]:
    """Return an order, its customer's name and its newest slip. Raises NotFound(unknown_order | unknown_slip)."""
    order = orders.get_by_number(session, number)
    slip = slips.newest(session, order.id)
    if slip is None:
        raise NotFound("unknown_slip")
    checkout = session.get_one(Checkout, order.checkout_id)
    services = context.services()
    token = links.order_token(services.settings.secret_key, checkout.link_nonce)
    view = services.shop.slips.get(token, slip.id, now=context.now())
    return order, session.get_one(Party, order.party_id).name, view
