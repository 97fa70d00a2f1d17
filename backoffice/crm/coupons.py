"""Codes that take something off: what they are worth, using one up, and giving the use back exactly once.

A use is counted where it is limited, by the database's own condition: at most `use_limit` of a code, at most `per_customer` of
one buyer, however many press at the same moment. It is counted when the payment opens, and given back when that ends unpaid or
the order is cancelled. Locks: after the goods, the code, then its buyer.
A code that nobody gave out, one that is over, one that is used up: all get the same words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from backoffice.crm.models import Checkout, Coupon, CouponRedemption, CouponUse
from backoffice.db import table_of
from backoffice.public.errors import BadInput

LONGEST = 40
LEAST_TO_PAY_MINOR = 50  # what is left to pay: providers take no less
WRITTEN = re.compile(r"[A-Z0-9][A-Z0-9-]{2,39}", re.ASCII)


def clean(typed: str) -> str:
    """Return a code as it is kept: capital letters, no spaces. Nothing that could be one is empty."""
    code = "".join(typed.split()).upper()
    return code if WRITTEN.fullmatch(code) else ""


def discount_minor(coupon: Coupon, lines: Sequence[tuple[int, int]], delivery_minor: int) -> int:
    """Return what a code takes off lines (unit price, pieces), half a unit rounded up; never off the delivery. Pure."""
    goods = sum(price * pieces for price, pieces in lines)
    if goods < coupon.minimum_minor:
        return 0
    if coupon.kind == "amount":
        off = coupon.value
    else:
        base = goods if coupon.kind == "percent" else sum(p * n for p, n in lines if n >= coupon.from_quantity)
        off = (2 * base * coupon.value + 100) // 200
    return max(0, min(off, goods, goods + delivery_minor - LEAST_TO_PAY_MINOR))


def find_discount(
    session: Session, code: str, lines: Sequence[tuple[int, int]], delivery_minor: int, *, currency: str, now: datetime
) -> int:
    """Return what a code would take off now; 0 for one that takes nothing off, for whatever reason."""
    coupon = session.scalar(sa.select(Coupon).where(Coupon.code == code, *_usable(now)))
    if coupon is None or coupon.currency != currency:
        return 0
    return discount_minor(coupon, lines, delivery_minor)


def redeem(session: Session, checkout: Checkout, *, now: datetime) -> None:
    """Use a checkout's code up, once for this checkout. Raises BadInput(coupon_invalid); the caller takes all back then."""
    coupon_id = session.scalar(sa.select(Coupon.id).where(Coupon.code == checkout.coupon_code))
    if coupon_id is None or not _take(session, coupon_id, checkout.email, now, dated=True):
        raise BadInput("coupon_invalid", {"coupon": "coupon_invalid"})
    session.add(
        CouponRedemption(coupon_id=coupon_id, checkout_id=checkout.id, customer=_customer(checkout.email), state="live", at=now)
    )
    session.flush()


def redeem_again(session: Session, checkout: Checkout, *, now: datetime) -> bool:
    """Use it up once more for money that came after all; False where its limit is reached by now. Its day may be over."""
    row = session.scalar(
        sa.update(CouponRedemption)
        .where(CouponRedemption.checkout_id == checkout.id, CouponRedemption.state == "released")
        .values(state="live", released_at=None)
        .returning(CouponRedemption.coupon_id)
        .execution_options(synchronize_session=False)
    )
    return row is None or _take(session, row, checkout.email, now, dated=False)


def release(session: Session, checkout_id: int, *, now: datetime) -> bool:
    """Give a use back; False, and nothing happens, if it was given back before."""
    row = session.execute(
        sa.update(CouponRedemption)
        .where(CouponRedemption.checkout_id == checkout_id, CouponRedemption.state == "live")
        .values(state="released", released_at=now)
        .returning(CouponRedemption.coupon_id, CouponRedemption.customer)
        .execution_options(synchronize_session=False)
    ).first()
    if row is None:
        return False
    session.execute(_less(Coupon.id == row.coupon_id, Coupon))
    session.execute(_less(sa.and_(CouponUse.coupon_id == row.coupon_id, CouponUse.customer == row.customer), CouponUse))
    return True


def _less(which: sa.ColumnElement[bool], table: type[Coupon] | type[CouponUse]) -> sa.Update:
    return sa.update(table).where(which).values(used=table.used - 1).execution_options(synchronize_session=False)


def _usable(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (*_free(), Coupon.active.is_(True), *_on_time(now))


def _free() -> tuple[sa.ColumnElement[bool], ...]:
    return (sa.or_(Coupon.use_limit.is_(None), Coupon.used < Coupon.use_limit),)


def _on_time(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    begun = sa.or_(Coupon.starts_at.is_(None), Coupon.starts_at <= now)
    return begun, sa.or_(Coupon.ends_at.is_(None), Coupon.ends_at > now)


def _take(session: Session, coupon_id: int, email: str, now: datetime, *, dated: bool) -> bool:
    """Count one more use of a code, and of its buyer, where both may; else nothing that stays: the caller takes it back."""
    conditions = _usable(now) if dated else _free()
    taken = session.execute(
        sa.update(Coupon)
        .where(Coupon.id == coupon_id, *conditions)
        .values(used=Coupon.used + 1)
        .returning(Coupon.per_customer)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        return False
    use = {"coupon_id": coupon_id, "customer": _customer(email), "most": taken.per_customer or 2**31}
    return session.execute(_counting(session.get_bind().dialect.name), use).first() is not None


@cache
def _counting(dialect: str) -> sa.Executable:
    use = table_of(CouponUse)
    first = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(use).values(used=1)
    more = first.on_conflict_do_update(
        index_elements=["coupon_id", "customer"], set_={"used": use.c.used + 1}, where=use.c.used < sa.bindparam("most")
    )
    return more.returning(use.c.used)


def _customer(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()
