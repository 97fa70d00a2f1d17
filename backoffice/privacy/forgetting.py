"""Forgetting a person (GDPR, article 17): what is theirs goes or is emptied; what the books need stays, and says nothing of them.

Orders, their lines, payments and refunds keep number, goods, amounts, days and country, so that no sum changes. What is
under way is finished first: a parcel needs an address. Mails that lie in the folder go before the rows do: afterwards nobody
knows whose they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.audit import AuditEntry
from backoffice.bridge.models import OutboxMessage
from backoffice.crm import identity
from backoffice.crm.models import Checkout, Order, Quotation
from backoffice.db import Base
from backoffice.erp.models import GoodsReturn
from backoffice.payments import on_account
from backoffice.payments.models import Payment, Receivable, Refund, RefundRequest
from backoffice.privacy.declared import HOLDS, OUR_DOORS, Held, T
from backoffice.privacy.person import Person
from backoffice.public.errors import Refused

UNDER_WAY = ("placed", "confirmed", "picking")
AT_ONCE = 500
Key = tuple[Any, ...]
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Open:
    """What is under way. kind: order | quotation | payment | refund | refund_request | return; ref: how it is called."""

    kind: str
    ref: str


def forget_rows(session: Session, person: Person, *, actor: str, role: str, told: Mapping[str, Any], now: datetime) -> Counts:
    """Forget somebody's rows, in one transaction; return table → how many went or were emptied.

    told: what the record of changes says of it. Raises Refused(still_open).
    """
    require_done(session, person)
    _drop_waiting_mails(session, person, now)
    identity.part(session, person.party_ids)
    entries = session.scalars(sa.select(AuditEntry.id).where(HOLDS["audit_entry"].theirs(person), AuditEntry.salt != "")).all()
    found = {
        name: _keys(session, name, held, person) for name, held in HOLDS.items() if name != "audit_entry" and not held.by_law
    }
    for table in reversed(Base.metadata.sorted_tables):
        if table.name in found:
            _empty(session, table, HOLDS[table.name], found[table.name])
    session.expire_all()
    audit.forget(session, entries, actor=actor, role=role, subject=f"party:{person.party_id}", details=told, now=now)
    counts = {name: len(keys) for name, keys in found.items()} | {"audit_entry": len(entries)}
    return {name: many for name, many in sorted(counts.items()) if many}


def require_done(session: Session, person: Person) -> None:
    """Raise Refused(still_open) while goods or money are on their way to them or from them, or a quotation holds goods."""
    if find_open(session, person):
        raise Refused("still_open")


def find_open(session: Session, person: Person) -> Sequence[Open]:
    """Return what has to come to its end first."""
    of_order = sa.or_(Order.state.in_(UNDER_WAY), Order.to_invoice.is_(True))  # its paper names them: first it is written
    asked = RefundRequest.payment_id.in_(person.payments)
    queries: dict[str, sa.Select[Any]] = {
        "order": sa.select(Order.number).where(Order.id.in_(person.orders), of_order),
        "quotation": sa.select(Quotation.number).where(
            Quotation.party_id.in_(person.party_ids), Quotation.state.in_(("waiting", "sent"))
        ),
        "payment": sa.select(Payment.provider_ref)
        .join(Checkout, Checkout.id == Payment.checkout_id)
        .where(Payment.id.in_(person.payments), Checkout.state == "open", Payment.state.in_(("opened", "processing"))),
        "receivable": sa.select(Order.number)
        .join(Payment, Payment.id == Order.payment_id)
        .join(Receivable, Receivable.payment_id == Payment.id)
        .where(Payment.id.in_(person.payments), Payment.state.in_(on_account.INVOICED), on_account.open_minor() != 0),
        "refund": sa.select(Order.number)
        .join(Refund, Refund.payment_id == Order.payment_id)
        .where(Refund.payment_id.in_(person.payments), Refund.state.in_(("requested", "pending"))),
        "refund_request": sa.select(RefundRequest.order_ref).where(asked, RefundRequest.state == "waiting"),
        "return": sa.select(GoodsReturn.number).where(
            GoodsReturn.order_ref.in_(person.order_numbers), GoodsReturn.state == "expected"
        ),
    }
    return [Open(kind, str(ref)) for kind, query in queries.items() for ref in session.scalars(query.distinct())]


def delete_mails(folder: Path, emails: Sequence[str]) -> int:
    """Delete the mails in a folder that were written to one of these addresses or name one; return how many."""
    gone = 0
    for path in find_mails(folder, emails):
        with suppress(FileNotFoundError):
            path.unlink()
            gone += 1
    return gone


def find_mails(folder: Path, emails: Sequence[str]) -> Iterator[Path]:
    """Yield the mails in a folder that were written to one of these addresses, or name one in what they say."""
    parser, wanted = BytesParser(policy=policy.default), set(emails)
    for path in sorted(folder.glob("*.eml")):
        with suppress(FileNotFoundError), path.open("rb") as file:
            mail = parser.parse(file)
            to = {address.lower() for _name, address in getaddresses([str(one) for one in mail.get_all("To", [])])}
            if wanted & to or any(one in _text(mail) for one in wanted):
                yield path


def _text(mail: EmailMessage) -> str:
    """Return all that a mail says, in lower case, whatever it was packed in."""
    said = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(str(value) for value in mail.values()), *said]).lower()


def _drop_waiting_mails(session: Session, person: Person, now: datetime) -> None:
    """End mails that were not sent yet: they stay in their row of numbers, and go to nobody."""
    waiting = sa.update(OutboxMessage).where(HOLDS["outbox_message"].theirs(person), OutboxMessage.state != "done")
    session.execute(waiting.values(state="done", done_at=now).execution_options(synchronize_session=False))


def _keys(session: Session, name: str, held: Held, person: Person) -> Sequence[Key]:
    """Return the keys of their rows, found before anything is emptied that leads to them."""
    key = [*T[name].primary_key]
    return [tuple(row) for row in session.execute(sa.select(*key).where(held.theirs(person)).order_by(*key))]


def _empty(session: Session, table: sa.Table, held: Held, keys: Sequence[Key]) -> None:
    shared = {name: _of_others(session, table.c[name], keys) for name in held.shared.split() if keys}
    for at in range(0, len(keys), AT_ONCE):
        theirs = _among(table, keys[at : at + AT_ONCE])
        if held.goes:
            session.execute(sa.delete(table).where(theirs))
        elif held.empties:
            for row in session.execute(sa.select(table).where(theirs)).all():
                new = {column: make(row) for column, make in held.empties.items()}
                new |= {name: getattr(row, name) for name, said in shared.items() if getattr(row, name) in said | OUR_DOORS}
                here = sa.and_(*(column == getattr(row, column.name) for column in table.primary_key))
                session.execute(sa.update(table).where(here).values(new))


def _of_others(session: Session, column: sa.Column[Any], keys: Sequence[Key]) -> set[Any]:
    """Return which values of a column other people's rows have as well."""
    said = sa.select(column).where(_among(column.table, keys))
    return set(session.scalars(sa.select(column).where(column.in_(said), ~_among(column.table, keys)).distinct()))


def _among(table: Any, keys: Sequence[Key]) -> sa.ColumnElement[bool]:
    key = [*table.primary_key]
    return key[0].in_([one for (one,) in keys]) if len(key) == 1 else sa.tuple_(*key).in_(keys)
