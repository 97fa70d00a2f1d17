"""Price lists: make one, see it, say it anew line by line or from a spreadsheet's file, take it home as one."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from babel import Locale
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy.orm import Session

from backoffice import spreadsheet
from backoffice.desk import amounts, context, forms
from backoffice.desk.formats import amount_typed
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import price_lists
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("price_lists", __name__, url_prefix="/desk/admin/price-lists")
HEAD = ("sku", "from", "price")
MOST_LETTERS = 900_000


@bp.get("")
def home() -> ResponseReturnValue:
    """List all price lists."""
    return _home("", {}, {})


@bp.post("")
def make() -> ResponseReturnValue:
    """Make a list."""
    me, now, typed, made = context.me(), context.now(), _typed(), [0]

    def work(db: Session) -> None:
        row = price_lists.make(db, typed["name"], percent_off=_percent(), by=me.email, role=me.role, now=now)
        made[0] = row.id

    try:
        context.write(work)
    except ShopError as error:
        return _home(explain(error), _fields(error), typed, error.status)
    flash(_("Made. Now say what it costs by this list."))
    return redirect(url_for("price_lists.price_list", list_id=made[0]), 303)


@bp.get("/<int:list_id>")
def price_list(list_id: int) -> ResponseReturnValue:
    """Show a list, to be changed."""
    return _page(list_id, "", {}, {})


@bp.post("/<int:list_id>")
def save(list_id: int) -> ResponseReturnValue:
    """Say a list anew, as typed or as in the file that was given."""
    me, now, typed = context.me(), context.now(), _typed()
    sent = request.files.get("file")
    if sent is not None and sent.filename:
        typed["prices"] = sent.read(MOST_LETTERS).decode("utf-8-sig", errors="replace").replace("\x00", "")

    def work(db: Session) -> None:
        percent, prices = _percent(), _prices(typed["prices"])
        named: dict[str, Any] = {"by": me.email, "role": me.role, "now": now}
        price_lists.change(db, list_id, name=typed["name"], percent_off=percent, prices=prices, version=forms.version(), **named)

    try:
        context.write(work)
    except ShopError as error:
        if error.status == 404:
            raise
        at = error.details.get("line") or error.details.get("sku")
        said = explain(error) + (" " + _("Look at: %(what)s", what=at) if at else "")
        return _page(list_id, said, _fields(error), typed, error.status)
    flash(_("Saved. It holds for what is put into a cart from now on."))
    return redirect(url_for("price_lists.price_list", list_id=list_id), 303)


@bp.get("/<int:list_id>/prices.csv")
def export(list_id: int) -> Response:
    """Return a list's prices as a file, which can be given back."""
    answer = Response(context.read(lambda db: _written(db, list_id)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="price-list-{list_id}.csv"'
    return answer


def _written(db: Session, list_id: int) -> bytes:
    currency = price_lists.get(db, list_id).currency
    rows = [(sku, least, amount_typed(price, currency)) for sku, _, least, price in price_lists.prices_of(db, list_id)]
    return spreadsheet.write(HEAD, rows)


def _prices(typed: str) -> dict[tuple[str, int], int]:
    """Read lines of SKU, from how many pieces, price. Raises BadInput(invalid_form, prices → bad_tiers), naming the line."""
    currency, locale, found = context.house().currency, get_locale() or Locale("en"), dict[tuple[str, int], int]()
    text = typed[:MOST_LETTERS]
    first = text.lstrip("\ufeff \r\n").split("\n", 1)[0]
    mark = next((one for one in ("\t", ";") if one in first), ",")
    for cells in csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=mark):
        row = [spreadsheet.text_of(cell).strip() for cell in cells]
        if not any(row) or tuple(cell.casefold() for cell in row[:3]) == HEAD:
            continue
        least = row[1] if len(row) == len(HEAD) else ""
        price = amounts.minor(row[2], currency, locale) if len(row) == len(HEAD) else None
        whole = least.isascii() and least.isdecimal() and len(least) < 9
        if price is None or price < 0 or not whole or (row[0], int(least)) in found:
            raise BadInput("invalid_form", {"prices": "bad_tiers"}, line=mark.join(row)[:80])
        found[row[0], int(least)] = price
    return found


def _percent() -> int:
    return forms.number("percent_off", least=0, most=100, wrong="out_of_range")


def _typed() -> dict[str, str]:
    texts = {name: forms.text(name).replace("\x00", "") for name in ("name", "percent_off")}
    return {name: text.strip()[:200] for name, text in texts.items()} | {"prices": forms.text("prices").replace("\x00", "")}


def _fields(error: ShopError) -> Mapping[str, str]:
    return error.fields if isinstance(error, BadInput) else {}


def _home(problem: str, fields: Mapping[str, str], typed: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
    rows = context.read(price_lists.every)
    values = {"rows": rows, "problem_text": problem, "fields": fields, "typed": typed}
    return render_template("desk/admin/price_lists.html", **values), status


def _page(
    list_id: int, problem: str, fields: Mapping[str, str], typed: Mapping[str, str], status: int = 200
) -> ResponseReturnValue:
    row = context.read(lambda db: price_lists.get(db, list_id))
    lines = context.read(lambda db: price_lists.prices_of(db, list_id))
    written = "\n".join(f"{sku};{least};{amount_typed(price, row.currency)}" for sku, _name, least, price in lines)
    kept = {"name": row.name, "percent_off": row.percent_off, "prices": written}
    return render_template(
        "desk/admin/price_list.html",
        row=row,
        lines=lines,
        problem_text=problem,
        fields=fields,
        typed=typed or kept,
    ), status
