"""Writing codes down: their rule, their limits, their time. A code that was used is switched off, not deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.crm import coupons
from backoffice.crm.models import Coupon
from backoffice.erp.company import get_company
from backoffice.public.errors import BadInput

KINDS = ("percent", "amount", "volume")
MOST = 10**9
MAY_CHANGE = ("starts_at", "ends_at", "use_limit", "per_customer", "active", "minimum_minor")


def every(session: Session) -> Sequence[Coupon]:
    """Return all codes, the newest first."""
    return session.scalars(sa.select(Coupon).order_by(Coupon.id.desc())).all()


def save(session: Session, values: Mapping[str, Any], *, by: str, role: str = "", now: datetime) -> Coupon:
    """Write a code down, or change the limits and the time of the one there is: what it takes off stays what it was.

    values: code, kind, value, from_quantity, minimum_minor, starts_at, ends_at, use_limit, per_customer, active; None for a
    number that was none. Raises BadInput(invalid_form, fields).
    """
    clean = dict(values) | {"code": coupons.clean(str(values["code"]))}
    coupon = session.scalar(sa.select(Coupon).where(Coupon.code == clean["code"]).with_for_update())
    wrong = _wrong(clean, coupon)
    if wrong:
        raise BadInput("invalid_form", wrong)
    before = {name: str(getattr(coupon, name)) for name in MAY_CHANGE} if coupon else {}
    if coupon is None:
        coupon = Coupon(**clean, currency=get_company(session).currency, used=0, created_at=now)
        session.add(coupon)
    else:
        for name in MAY_CHANGE:
            setattr(coupon, name, clean[name])
    session.flush()
    after = {name: str(getattr(coupon, name)) for name in (MAY_CHANGE if before else clean)}
    details = {"before": before, "after": after}
    audit.record(session, "coupon.save", f"coupon:{coupon.code}", actor=by, role=role, details=details, now=now)
    return coupon


def _wrong(clean: Mapping[str, Any], known: Coupon | None) -> dict[str, str]:
    wrong = {} if clean["code"] else {"code": "bad_coupon_code"}
    if clean["kind"] not in KINDS:
        return wrong | {"kind": "bad_choice"}
    most = MOST if clean["kind"] == "amount" else 100
    if clean["value"] is None or not 1 <= clean["value"] <= most:
        wrong["value"] = "bad_amount" if clean["kind"] == "amount" else "bad_number"
    for name, least in (("from_quantity", 1), ("minimum_minor", 0)):
        if clean[name] is None or not least <= clean[name] <= MOST:
            wrong[name] = "bad_number"
    for name in ("use_limit", "per_customer"):
        if clean[name] is not None and not 1 <= clean[name] <= MOST:
            wrong[name] = "bad_number"
    if clean["starts_at"] and clean["ends_at"] and clean["starts_at"] >= clean["ends_at"]:
        wrong["ends_at"] = "bad_date"
    if known is not None:
        if (clean["kind"], clean["value"], clean["from_quantity"]) != (known.kind, known.value, known.from_quantity):
            wrong["value"] = "code_known"
        if clean["use_limit"] is not None and clean["use_limit"] < known.used:
            wrong["use_limit"] = "bad_number"
    return wrong
