"""People and companies: who they are, what was between us, what they allowed, who looks after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from babel import Locale
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import companies, company_roles, consents, customers, terms
from backoffice.desk import company_account, context, customer_lists, customer_sheets, forms, phrases
from backoffice.desk.listing import PAGE, Filters, pages_of
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import shipping
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("customers", __name__, url_prefix="/desk/sales/customers")
Typed = Mapping[str, str]
FOUND = ("name", "country", "vat_number")
LONGEST_TYPED = 5_100  # what a page gives back of a field at most


@bp.get("")
def home() -> ResponseReturnValue:
    """List people and companies."""
    return _list({}, {})


@bp.post("")
def found() -> ResponseReturnValue:
    """Make a company by hand."""
    me, now, typed, made = context.me(), context.now(), _typed(*FOUND), [0]

    def work(db: Session) -> None:
        company = companies.found(db, typed["name"], country=typed["country"], vat_number=typed["vat_number"], by=me, now=now)
        made[0] = company.id

    try:
        context.write(work)
    except ShopError as error:
        if error.code == "company_known":
            flash(_("%(name)s is known already: here it is.", name=error.details["name"]))
            return redirect(url_for("customers.customer", party_id=error.details["party_id"]), 303)
        return _list(typed | {"problem": explain(error)}, _fields(error), error.status)
    flash(_("Kept. Now say who works there."))
    return redirect(url_for("customers.customer", party_id=made[0]), 303)


@bp.get("/<int:party_id>")
def customer(party_id: int) -> ResponseReturnValue:
    """Show one person or company: everything between us on one timeline."""
    return _page(party_id)


@bp.post("/<int:party_id>")
def change(party_id: int) -> ResponseReturnValue:
    """Change what is known of them, and who looks after them."""
    me, now, version, typed = context.me(), context.now(), forms.version(), _typed(*customers.FIELDS, "customer_class", "owner")
    owner_id = int(typed["owner"]) if typed["owner"].isdecimal() and len(typed["owner"]) < 12 else None
    return save(
        party_id,
        lambda db: customers.change(db, party_id, typed, owner_id=owner_id, version=version, by=me, now=now),
        _("Saved."),
        "change",
        typed,
    )


@bp.post("/<int:party_id>/consents")
def consent(party_id: int) -> ResponseReturnValue:
    """Write down what they allowed on the telephone."""
    me, now, typed = context.me(), context.now(), _typed("purpose", "wording", "spoken")
    return save(
        party_id,
        lambda db: customers.note_consent(
            db, party_id, typed["purpose"], typed["wording"], language=typed["spoken"], by=me, now=now
        ),
        _("Kept, with the words that you read out."),
        "consent",
        typed,
    )


@bp.post("/<int:party_id>/consents/<int:consent_id>/withdraw")
def withdraw(party_id: int, consent_id: int) -> ResponseReturnValue:
    """Write down that they took a consent back."""
    me, now = context.me(), context.now()
    return save(
        party_id,
        lambda db: customers.withdraw_consent(db, party_id, consent_id, by=me, now=now),
        _("Taken back. It counts from now on."),
        "withdraw",
        {},
    )


@bp.post("/<int:party_id>/company")
def join(party_id: int) -> ResponseReturnValue:
    """Note where a person works, by the company's name."""
    me, now, typed = context.me(), context.now(), _typed("company", "country")

    def work(db: Session) -> None:
        companies.join_named(db, party_id, typed["company"], country=typed["country"], by=me, now=now)

    return save(party_id, work, _("Kept."), "join", typed)


@bp.post("/<int:party_id>/people")
def add(party_id: int) -> ResponseReturnValue:
    """Note on a company's page who works there, by e-mail."""
    me, now, typed = context.me(), context.now(), _typed("email")

    def work(db: Session) -> None:
        companies.join(db, companies.find_by_email(db, typed["email"]).id, party_id, by=me, now=now)

    return save(party_id, work, _("Kept."), "add", typed)


@bp.post("/<int:party_id>/people/<int:person_id>/role")
def role(party_id: int, person_id: int) -> ResponseReturnValue:
    """Say what somebody may do for their company."""
    me, now, chosen = context.me(), context.now(), forms.text("role")
    return save(party_id, lambda db: terms.set_role(db, person_id, party_id, chosen, by=me, now=now), _("Saved."), "role", {})


@bp.post("/<int:party_id>/people/<int:person_id>/leave")
def leave(party_id: int, person_id: int) -> ResponseReturnValue:
    """Note that somebody no longer works at a company."""
    me, now = context.me(), context.now()
    back = person_id if forms.text("back") == "person" else party_id
    return save(
        back, lambda db: companies.leave(db, person_id, party_id, by=me, now=now), _("They no longer belong together."), "", {}
    )


def _typed(*names: str) -> dict[str, str]:
    return {name: forms.text(name)[:LONGEST_TYPED].replace("\x00", "") for name in names}


def _fields(error: ShopError) -> Mapping[str, str]:
    return error.fields if isinstance(error, BadInput) else {}


def save(party_id: int, work: Callable[[Session], object], said: str, form: str, typed: Typed) -> ResponseReturnValue:
    """Do it and show the customer; if it cannot be done, show them as they are now with what was typed."""
    try:
        context.write(work)
    except ShopError as error:
        if error.status == 404:
            raise
        fields = dict(_fields(error))
        if form == "join" and isinstance(error, BadInput) and "name" in fields:
            fields["company"] = fields.pop("name")
        return _page(party_id, {**typed, "form": form, "problem": explain(error)}, fields, error.status)
    flash(said)
    return redirect(url_for("customers.customer", party_id=party_id), 303)


def _page(
    party_id: int, typed: Typed | None = None, fields: Mapping[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    before, now = request.args.get("before", ""), context.now()
    sheet = context.read(lambda db: customer_sheets.get_sheet(db, party_id, before=before, now=now))
    return render_template(
        f"desk/sales/{'company' if sheet.party.kind == 'company' else 'customer'}.html",
        sheet=sheet,
        account=context.read(lambda db: company_account.get_account(db, party_id, now=now)),
        roles=list(company_roles.ROLES),
        today_shown=context.today(),
        sellers=context.read(customer_sheets.find_sellers),
        countries=_countries(sheet.country_typed, sheet.party.country),
        languages_spoken=_spoken(sheet.party.language),
        purposes=consents.PURPOSES,
        before=before,
        typed=typed or {},
        fields=fields or {},
    ), status


def _list(typed: Typed, fields: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
    filters = Filters.parse(request.args, customer_lists.WHICH, customer_lists.SORTS)
    listed = context.read(lambda db: customer_lists.find_customers(db, filters))
    if filters.page > 1 and not listed.rows:
        return redirect(url_for("customers.home", **filters.args(page=pages_of(listed.total))), 303)
    return render_template(
        "desk/sales/customers.html",
        filters=filters,
        listed=listed,
        whiches=customer_lists.WHICH,
        sorts=customer_lists.SORTS,
        page_size=PAGE,
        countries=_countries(),
        typed=typed,
        fields=fields,
    ), status


def _countries(*more: str) -> list[str]:
    """Return the countries to choose from: ours, those that we deliver to, and what was said before."""
    known = {*context.read(shipping.countries)} | {one for one in more if one in Locale("en").territories}
    return [context.house().country, *sorted(known - {context.house().country})]


def _spoken(language: str) -> list[str]:
    return sorted({one.code for one in phrases.languages()} | ({language} if language else set()))
