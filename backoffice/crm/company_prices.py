"""Which price list holds for whom: that of their company, for whoever a colleague has given a role there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import accounts, customers, parties
from backoffice.crm.company_roles import ROLES
from backoffice.crm.customers import Editor
from backoffice.crm.models import Account, Cart, CompanyPrices, Party
from backoffice.erp import price_lists
from backoffice.erp.company import get_company, local_today
from backoffice.erp.models import PriceList
from backoffice.public.errors import BadInput, Refused

PRICED = [name for name, role in ROLES.items() if role.prices]


def list_of_party(session: Session, party_id: int, *, now: datetime) -> int | None:
    """Return the price list that holds today for a person; None: they pay what everybody pays. The newest one counts."""
    today = local_today(get_company(session), now)
    holds = (
        sa.select(CompanyPrices.price_list_id)
        .join(Party, Party.company_id == CompanyPrices.party_id)
        .where(
            Party.id == party_id,
            Party.company_role.in_(PRICED),
            CompanyPrices.valid_from <= today,
            sa.or_(CompanyPrices.valid_to.is_(None), CompanyPrices.valid_to >= today),
        )
        .order_by(CompanyPrices.id.desc())
    )
    return session.scalar(holds.limit(1))


def list_of_cart(session: Session, cart: Cart, *, now: datetime) -> int | None:
    """Return the price list of whoever a cart is for; mostly nobody's, which costs no question."""
    if cart.party_id is not None:
        return list_of_party(session, cart.party_id, now=now)
    if cart.account_id is None:
        return None
    confirmed = Account.id == cart.account_id, Account.confirmed_at.is_not(None), Account.active
    party_id = session.scalar(sa.select(Account.party_id).where(*confirmed))
    return list_of_party(session, party_id, now=now) if party_id is not None else None


def list_of_account(session: Session, token: str | None, *, now: datetime) -> int | None:
    """Return the price list of who is logged in with this token."""
    found = accounts.find_session(session, token, now=now)
    if found is None or found[0].confirmed_at is None:
        return None
    return list_of_party(session, found[0].party_id, now=now)


def bind(session: Session, cart: Cart, token: str | None, *, now: datetime) -> None:
    """Let a cart be of who is logged in if they buy for a company: its prices may be theirs."""
    if cart.account_id is not None or not token:
        return
    found = accounts.find_session(session, token, now=now)
    if found is not None and session.get_one(Party, found[0].party_id).company_role in PRICED:
        cart.account_id = found[0].id


def of_company(session: Session, company_id: int) -> Sequence[sa.Row[CompanyPrices, PriceList]]:
    """Return the lists of a company, the newest first."""
    lists = sa.select(CompanyPrices, PriceList).join(PriceList, PriceList.id == CompanyPrices.price_list_id)
    return session.execute(lists.where(CompanyPrices.party_id == company_id).order_by(CompanyPrices.id.desc())).all()


def assign(
    session: Session,
    company_id: int,
    price_list_id: int,
    *,
    valid_from: date,
    valid_to: date | None,
    by: Editor,
    now: datetime,
) -> None:
    """Let a list hold for a company, from a day to a day; said again it changes nothing.

    Raises NotFound(unknown_record), Refused(not_a_company), BadInput(invalid_form, valid_to).
    """
    if parties.get_party(session, company_id).kind != "company":
        raise Refused("not_a_company")
    price_lists.get(session, price_list_id)
    if valid_to is not None and valid_to < valid_from:
        raise BadInput("invalid_form", {"valid_to": "bad_period"})
    named = {"party_id": company_id, "price_list_id": price_list_id, "valid_from": valid_from, "valid_to": valid_to}
    if session.scalars(sa.select(CompanyPrices).filter_by(**named)).first() is not None:
        return
    session.add(CompanyPrices(**named))
    session.flush()
    details = {"list": price_list_id, "valid_from": valid_from.isoformat(), "valid_to": valid_to and valid_to.isoformat()}
    customers.note(session, "company.prices", company_id, by, now, **details)


def end(session: Session, company_id: int, row_id: int, *, by: Editor, now: datetime) -> None:
    """Let a list hold no more for a company, from now on; said again it changes nothing. Raises NotFound(unknown_record)."""
    parties.get_party(session, company_id)
    gone = sa.delete(CompanyPrices).where(CompanyPrices.id == row_id, CompanyPrices.party_id == company_id)
    ended = session.execute(gone.returning(CompanyPrices.price_list_id)).scalar_one_or_none()
    if ended is not None:
        customers.note(session, "company.prices_end", company_id, by, now, list=ended)
