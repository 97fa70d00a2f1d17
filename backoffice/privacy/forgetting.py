"""Forgetting a person (GDPR, article 17): what is theirs goes or is emptied; what the books need stays, and says nothing of them.

Orders, their lines, payments and refunds keep number, goods, amounts, days and country, so that no sum changes. What is
under way is finished first: a parcel needs an address. Mails that lie in the folder go before the rows do: afterwards nobody
knows whose they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from email import policy
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, tables
from backoffice.audit import AuditEntry
from backoffice.bridge.models import OutboxMessage
from backoffice.crm import identity
from backoffice.crm.models import Checkout, Order
from backoffice.db import Database
from backoffice.payments import on_account
from backoffice.payments.models import Payment, Receivable, Refund, RefundRequest
from backoffice.privacy.declared import HOLDS, Held, T
from backoffice.privacy.person import Person, get_person
from backoffice.public.errors import Refused

UNDER_WAY = ("placed", "confirmed", "picking")
AT_ONCE = 500


def forget(db: Database, party_id: int, *, mails: Path, by: str, role: str, now: datetime) -> None:
    """Forget somebody. mails: the folder that mails are written to.

    Raises NotFound(unknown_record), Refused(not_a_person | still_open); nothing has changed then.
    """
    with db.read() as session:
        person = get_person(session, party_id)
        require_done(session, person)
    for path in find_mails(mails, person.emails):
        with suppress(FileNotFoundError):
            path.unlink()
    db.run(lambda session: forget_rows(session, party_id, by=by, role=role, now=now))


def forget_rows(session: Session, party_id: int, *, by: str, role: str, now: datetime) -> None:
    """Forget somebody's rows, in one transaction. Raises as `forget`."""
    person = get_person(session, party_id)
    require_done(session, person)
    _drop_waiting_mails(session, person, now)
    identity.part(session, party_id)
    told = session.scalars(sa.select(AuditEntry.id).where(HOLDS["audit_entry"].theirs(person), AuditEntry.salt != "")).all()
    found = {
        name: _keys(session, name, held, person) for name, held in HOLDS.items() if name != "audit_entry" and not held.by_law
    }
    for table in reversed(tables.metadata.sorted_tables):
        if table.name in found:
            _empty(session, table, HOLDS[table.name], found[table.name])
    session.expire_all()
    audit.forget(session, told, actor=by, role=role, subject=f"party:{party_id}", now=now)


def require_done(session: Session, person: Person) -> None:
    """Raise Refused(still_open) while goods or money are on their way to them or from them."""
    of_order = sa.or_(Order.state.in_(UNDER_WAY), Order.to_invoice.is_(True))  # its paper names them: first it is written
    under_way = sa.select(Order.id).where(Order.id.in_(person.orders), of_order)
    paying = (
        sa.select(Payment.id)
        .join(Checkout, Checkout.id == Payment.checkout_id)
        .where(Payment.id.in_(person.payments), Checkout.state == "open", Payment.state.in_(("opened", "processing")))
    )
    coming_back = sa.select(Refund.id).where(Refund.payment_id.in_(person.payments), Refund.state.in_(("requested", "pending")))
    asked = sa.select(RefundRequest.id).where(RefundRequest.payment_id.in_(person.payments), RefundRequest.state == "waiting")
    owed = (
        sa.select(Receivable.payment_id)
        .join(Payment, Payment.id == Receivable.payment_id)
        .where(Payment.id.in_(person.payments), Payment.state.in_(on_account.INVOICED), on_account.open_minor() != 0)
    )
    if any(session.scalar(query.limit(1)) is not None for query in (under_way, paying, coming_back, asked, owed)):
        raise Refused("still_open")


def find_mails(folder: Path, emails: Sequence[str]) -> Iterator[Path]:
    """Yield the mails in a folder that were written to one of these addresses."""
    parser, wanted = BytesHeaderParser(policy=policy.default), set(emails)
    for path in sorted(folder.glob("*.eml")):
        with suppress(FileNotFoundError), path.open("rb") as file:
            to = parser.parse(file).get_all("To", [])
            if wanted & {address.lower() for _name, address in getaddresses([str(one) for one in to])}:
                yield path


def _drop_waiting_mails(session: Session, person: Person, now: datetime) -> None:
    """End mails that were not sent yet: they stay in their row of numbers, and go to nobody."""
    waiting = sa.update(OutboxMessage).where(HOLDS["outbox_message"].theirs(person), OutboxMessage.state != "done")
    session.execute(waiting.values(state="done", done_at=now).execution_options(synchronize_session=False))


def _keys(session: Session, name: str, held: Held, person: Person) -> Sequence[Any]:
    """Return the keys of their rows, found before anything is emptied that leads to them."""
    [key] = T[name].primary_key
    return session.scalars(sa.select(key).where(held.theirs(person)).order_by(key)).all()


def _empty(session: Session, table: sa.Table, held: Held, keys: Sequence[Any]) -> None:
    [key] = table.primary_key
    for at in range(0, len(keys), AT_ONCE):
        theirs = key.in_(keys[at : at + AT_ONCE])
        if held.goes:
            session.execute(sa.delete(table).where(theirs))
        elif held.empties:
            for row in session.execute(sa.select(table).where(theirs)).all():
                new = {column: make(row) for column, make in held.empties.items()}
                session.execute(sa.update(table).where(key == getattr(row, key.name)).values(new))
