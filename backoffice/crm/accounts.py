"""Accounts of customers: registered by mail, logged in by password, found again by the hash of a cookie.

Nobody gets in before their address is confirmed, and confirming takes link and password: so whoever registers somebody
else's address gains nothing, and no answer tells whether an address has an account.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice import events, passwords
from backoffice.crm import links, parties
from backoffice.crm.models import Account, AccountLink, AccountSession, Cart, CartLine
from backoffice.erp.classes import RETAIL
from backoffice.erp.company import get_company
from backoffice.public.errors import BadInput, NotFound, Refused

ABSOLUTE = timedelta(days=30)
IDLE = timedelta(days=14)
SEEN_EVERY = timedelta(hours=1)
LINK_GOOD_FOR = {"confirm": timedelta(days=2), "reset": timedelta(hours=1)}
MOST_LINKS = 3  # mails of one kind to one address within an hour
LONGEST_NAME = 200


def check_registration(email: str, name: str, password: str) -> str:
    """Return the normalised address. Raises BadInput(invalid_form) with all wrong fields."""
    fields: dict[str, str] = {}
    address = ""
    try:
        address = parties.normalise_email(email)
    except BadInput as error:
        fields |= error.fields
    fields |= _name_fault(name)
    if fault := passwords.find_fault(password, email=address):
        fields["password"] = fault
    if fields:
        raise BadInput("invalid_form", fields)
    return address


def _name_fault(name: str) -> dict[str, str]:
    if not name.strip():
        return {"name": "required"}
    if len(name) > LONGEST_NAME:
        return {"name": "too_long"}
    return {} if name.isprintable() else {"name": "bad_character"}


def find_by_email(session: Session, email: str) -> Account | None:
    """Return the account of an address as it was typed."""
    try:
        address = parties.normalise_email(email)
    except BadInput:
        return None
    return session.scalar(sa.select(Account).where(Account.email == address))


def register(
    session: Session,
    *,
    address: str,
    name: str,
    password_hash: str,
    language: str,
    base_url: str,
    secret_key: str,
    now: datetime,
) -> None:
    """Make the account, or renew one that was never confirmed; write to the address in any case."""
    account = session.scalar(sa.select(Account).where(Account.email == address).with_for_update())
    if account is None:
        account = _insert(session, address, name.strip(), password_hash, language, now)
    if account.confirmed_at is not None:
        _tell_known(session, account, base_url, now)
        return
    account.name, account.password_hash, account.language = name.strip(), password_hash, language
    send_link(session, account, "confirm", base_url=base_url, secret_key=secret_key, now=now)


def _tell_known(session: Session, account: Account, base_url: str, now: datetime) -> None:
    """Write that there is an account, counted like the link that somebody without one would get."""
    if not _may_write(session, account, "confirm", now):
        return
    nobodys = links.hash_token(links.new_token())  # a link that was never sent
    session.add(
        AccountLink(account_id=account.id, purpose="confirm", token_hash=nobodys, created_at=now, expires_at=now, used_at=now)
    )
    _mail(session, "account_known", account, {"link": f"{base_url}/account/login"}, now)


def _insert(session: Session, address: str, name: str, password_hash: str, language: str, now: datetime) -> Account:
    party = parties.find_or_create(session, email=address, name=name, phone="", language=language, now=now)
    account = Account(party_id=party.id, email=address, name=name, password_hash=password_hash, language=language, created_at=now)
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError:  # the same form sent twice at one moment: theirs is ours
        return session.execute(sa.select(Account).where(Account.email == address).with_for_update()).scalar_one()
    return account


def send_link(session: Session, account: Account, purpose: str, *, base_url: str, secret_key: str, now: datetime) -> None:
    """Mail a fresh link, good once. More than a few within an hour are not written: nobody's mailbox is filled by us."""
    if not _may_write(session, account, purpose, now):
        return
    nonce = secrets.token_urlsafe(20)
    token = links.account_token(secret_key, nonce)
    good_until = now + LINK_GOOD_FOR[purpose]
    session.add(
        AccountLink(
            account_id=account.id, purpose=purpose, token_hash=links.hash_token(token), created_at=now, expires_at=good_until
        )
    )
    link = links.unwritten("account", f"{base_url}/account/{purpose}/", nonce)
    _mail(session, f"account_{purpose}", account, {"secrets": {"link": link}}, now)


def _may_write(session: Session, account: Account, purpose: str, now: datetime) -> bool:
    recent = sa.select(sa.func.count()).where(
        AccountLink.account_id == account.id, AccountLink.purpose == purpose, AccountLink.created_at > now - timedelta(hours=1)
    )
    return int(session.scalar(recent) or 0) < MOST_LINKS


def _mail(session: Session, kind: str, account: Account, values: Mapping[str, Any], now: datetime) -> None:
    payload = {
        "to": account.email,
        "name": account.name,
        "language": account.language,
        "shop": get_company(session).name,
        **values,
    }
    events.publish(session, events.MailWanted(kind, f"account:{account.id}", payload, now))


def find_by_link(session: Session, purpose: str, token: str, *, now: datetime) -> Account:
    """Return whose link this is, without using it up. Raises NotFound(unknown_link)."""
    link = session.scalar(sa.select(AccountLink).where(*_good(purpose, token, now)))
    if link is None:
        raise NotFound("unknown_link")
    return session.get_one(Account, link.account_id)


def use_link(session: Session, purpose: str, token: str, *, now: datetime) -> Account:
    """Use a link up and take every other link of its account with it. Raises NotFound(unknown_link): two at once are one."""
    used = session.execute(
        sa.update(AccountLink)
        .where(*_good(purpose, token, now))
        .values(used_at=now)
        .returning(AccountLink.account_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if used is None:
        raise NotFound("unknown_link")
    rest = sa.update(AccountLink).where(AccountLink.account_id == used, AccountLink.used_at.is_(None)).values(used_at=now)
    session.execute(rest.execution_options(synchronize_session=False))
    return session.get_one(Account, used, with_for_update=True)


def _good(purpose: str, token: str, now: datetime) -> Sequence[sa.ColumnElement[bool]]:
    row = AccountLink
    return (
        row.token_hash == links.hash_token(token),
        row.purpose == purpose,
        row.used_at.is_(None),
        row.expires_at > now,
    )


def begin_session(session: Session, account: Account, *, device: str, now: datetime) -> str:
    """Log a browser in; return the secret for its cookie. Sessions that are over go."""
    over = sa.or_(AccountSession.expires_at <= now, AccountSession.seen_at <= now - IDLE)
    session.execute(sa.delete(AccountSession).where(AccountSession.account_id == account.id, over))
    token = links.new_token()
    session.add(
        AccountSession(
            account_id=account.id,
            token_hash=links.hash_token(token),
            device=device[:100],
            created_at=now,
            seen_at=now,
            expires_at=now + ABSOLUTE,
        )
    )
    session.flush()
    return token


def forget_sessions(session: Session, *, now: datetime) -> None:
    """Drop the rows of sessions that are over."""
    over = sa.or_(AccountSession.expires_at <= now, AccountSession.seen_at <= now - IDLE)
    session.execute(sa.delete(AccountSession).where(over))


def renew_session(session: Session, token: str) -> str:
    """Give a session another secret; the old one opens nothing any more. One that ended meanwhile stays ended."""
    fresh, row = links.new_token(), AccountSession
    renewed = sa.update(row).where(row.token_hash == links.hash_token(token)).values(token_hash=links.hash_token(fresh))
    session.execute(renewed.execution_options(synchronize_session=False))
    return fresh


def find_session(session: Session, token: str | None, *, now: datetime) -> tuple[Account, AccountSession] | None:
    """Return account and session of a cookie; None where it has ended."""
    if not token:
        return None
    live = (
        AccountSession.token_hash == links.hash_token(token),
        AccountSession.expires_at > now,
        AccountSession.seen_at > now - IDLE,
        Account.active,
    )
    query = sa.select(Account, AccountSession).join(AccountSession, AccountSession.account_id == Account.id).where(*live)
    found = session.execute(query).first()
    return None if found is None else (found[0], found[1])


def get_account(session: Session, token: str, *, now: datetime) -> Account:
    """Return whose session this is. Raises Refused(not_logged_in)."""
    found = find_session(session, token, now=now)
    if found is None:
        raise Refused("not_logged_in")
    return found[0]


def end_sessions(session: Session, account: Account, *, but: str | None = None) -> None:
    """End every session of an account, except the one with the secret `but`."""
    rows = sa.delete(AccountSession).where(AccountSession.account_id == account.id)
    session.execute(rows.where(AccountSession.token_hash != links.hash_token(but)) if but else rows)


def class_of(session: Session, token: str | None, *, now: datetime) -> str:
    """Return the class of who is logged in; retail, without a look, where nobody says so."""
    found = find_session(session, token, now=now) if token else None
    return RETAIL if found is None else parties.class_of(session, found[0].party_id)


def rename(account: Account, name: str, language: str) -> None:
    """Change name and language. Raises BadInput(invalid_form)."""
    fields = _name_fault(name)
    if len(language) > 20:
        fields["language"] = "too_long"
    if fields:
        raise BadInput("invalid_form", fields)
    account.name, account.language = name.strip(), language


def take_cart(session: Session, account: Account, token: str | None, *, now: datetime) -> str | None:
    """Bind the browser's cart to the account; where it has none with lines, bring the account's last open cart here.

    Returns the token of the cart that this browser has from now on. A cart brought here gets a new token: it is in one
    browser at a time, the one that logged in last.
    """
    own = _cart_of(session, token)
    if own is not None and _has_lines(session, own):
        own.account_id, own.customer_class = account.id, parties.class_of(session, account.party_id)
        return token
    with_lines = sa.exists().where(CartLine.cart_id == Cart.id)
    kept = session.scalar(
        sa.select(Cart)
        .where(Cart.account_id == account.id, Cart.state == "open", with_lines)
        .order_by(Cart.updated_at.desc(), Cart.id.desc())
        .limit(1)
        .with_for_update()
    )
    if kept is None:
        return token if own is not None else None
    fresh = links.new_token()
    kept.token_hash, kept.updated_at = links.hash_token(fresh), now
    return fresh


def _cart_of(session: Session, token: str | None) -> Cart | None:
    if not token:
        return None
    query = sa.select(Cart).where(Cart.token_hash == links.hash_token(token), Cart.state == "open")
    return session.scalar(query.with_for_update())


def _has_lines(session: Session, cart: Cart) -> bool:
    return session.scalar(sa.select(CartLine.id).where(CartLine.cart_id == cart.id).limit(1)) is not None
