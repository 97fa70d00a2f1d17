"""Withdrawals behind their order's secret link, over the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from backoffice.crm import orders, showing
from backoffice.db import Database
from backoffice.erp.company import get_company
from backoffice.payments import withdrawing
from backoffice.public.hiding import hide_email, hide_words
from backoffice.public.money import Money
from backoffice.public.orders import NOBODY_KNOWN, Reader
from backoffice.public.withdrawals import WithdrawalLine, WithdrawalView


class LocalWithdrawals:
    """Say what may be taken back, and take it back."""

    def __init__(self, db: Database, secret_key: str) -> None:
        """Read from and write to `db`; `secret_key` tells proofs."""
        self._db = db
        self._secret_key = secret_key

    def get(self, token: str, *, reader: Reader = NOBODY_KNOWN, now: datetime) -> WithdrawalView:
        """Return what may be withdrawn from."""
        with self._db.read() as session:
            order, checkout = orders.get_by_link(session, token)
            known = showing.may_read(session, order, checkout, reader, secret_key=self._secret_key, now=now)
            standing = withdrawing.standing_of(session, order, now=now)
            company = get_company(session)
            return WithdrawalView(
                order=order.number,
                name=checkout.name if known else hide_words(checkout.name),
                email=checkout.email if known else hide_email(checkout.email),
                is_open=standing.is_open,
                until=standing.until,
                lines=[
                    WithdrawalLine(
                        one.row.id,
                        one.row.name,
                        one.row.options,
                        one.left,
                        Money(one.row.unit_price_minor, order.currency),
                        one.exempt,
                        one.leaves and one.left == one.row.quantity,
                    )
                    for one in standing.lines
                ],
                send_to=[company.name, *company.address],
            )

    def withdraw(self, token: str, lines: Mapping[int, int], *, key: str, now: datetime) -> None:
        """Take lines back, once."""

        def work(session: Session) -> None:
            order, _ = orders.get_by_link(session, token)
            withdrawing.withdraw(session, order.number, lines, key=key, now=now)

        self._db.run(work)
