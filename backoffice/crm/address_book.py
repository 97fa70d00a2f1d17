"""The address book of an account: places that its owner orders to, one of them preferred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Account
from backoffice.crm.models import Address as AddressRow
from backoffice.erp import shipping
from backoffice.public import addresses
from backoffice.public.addresses import Address
from backoffice.public.errors import BadInput, NotFound, Refused

MOST = 20  # addresses of one account
SAME = tuple(part for part in addresses.PARTS if part != "phone")  # what makes two places one


def find_all(session: Session, account: Account) -> Sequence[AddressRow]:
    """Return the addresses of an account, the preferred one first, then the newest."""
    query = sa.select(AddressRow).where(AddressRow.account_id == account.id)
    return session.scalars(query.order_by(AddressRow.preferred.desc(), AddressRow.id.desc())).all()


def get(session: Session, account: Account, address_id: int) -> AddressRow:
    """Return one address. Raises NotFound(unknown_address), the same for one of another account."""
    known = sa.select(AddressRow).where(AddressRow.id == address_id, AddressRow.account_id == account.id)
    row = session.scalar(known) if 0 < address_id < 2**63 else None  # more than that no database counts
    if row is None:
        raise NotFound("unknown_address")
    return row


def save(session: Session, account: Account, address: Address, *, address_id: int | None, now: datetime) -> AddressRow:
    """Change an address, or add one (address_id None); one that is there already is not added again.

    Raises BadInput(invalid_form, fields), NotFound(unknown_address), Refused(too_many_addresses, most).
    """
    _lock(session, account)
    row = None if address_id is None else get(session, account, address_id)
    if wrong := addresses.check(address, shipping.countries(session)):
        raise BadInput("invalid_form", wrong)
    kept = addresses.tidy(address)
    rows = find_all(session, account)
    same = next((one for one in rows if one is not row and _is_same(one, kept)), None)
    if row is None:
        if same is not None:
            return same
        if len(rows) >= MOST:
            raise Refused("too_many_addresses", most=MOST)
        row = AddressRow(account_id=account.id, preferred=not rows, created_at=now)
        session.add(row)
    elif same is not None:  # changed into another of theirs: one of the two is left
        row.preferred = row.preferred or same.preferred
        session.delete(same)
    for part, text in asdict(kept).items():
        setattr(row, part, text)
    session.flush()
    return row


def keep(session: Session, account: Account, address: Address, *, now: datetime) -> None:
    """Keep the address of an order, if it is not there yet and there is room: an order never fails for it."""
    _lock(session, account)
    rows = find_all(session, account)
    if len(rows) < MOST and not any(_is_same(row, address) for row in rows):
        session.add(AddressRow(account_id=account.id, preferred=not rows, created_at=now, **asdict(address)))
        session.flush()


def remove(session: Session, account: Account, address_id: int) -> None:
    """Remove an address; of what is left the newest is preferred then. Raises NotFound(unknown_address)."""
    _lock(session, account)
    row = get(session, account, address_id)
    session.delete(row)
    session.flush()
    if row.preferred and (left := find_all(session, account)):
        left[0].preferred = True
        session.flush()


def prefer(session: Session, account: Account, address_id: int) -> None:
    """Make an address the one that the checkout begins with. Raises NotFound(unknown_address)."""
    _lock(session, account)
    chosen = get(session, account, address_id)
    for row in find_all(session, account):
        row.preferred = row is chosen
    session.flush()


def _is_same(row: AddressRow, address: Address) -> bool:
    return all(getattr(row, part).casefold() == getattr(address, part).casefold() for part in SAME)


def _lock(session: Session, account: Account) -> None:
    """Let one change of a book follow the other: the limit, the one preferred and no doubles hold between windows."""
    session.execute(sa.select(Account.id).where(Account.id == account.id).with_for_update())
