"""Accounts over the database. Passwords are hashed between transactions, never inside one: it takes long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import passwords, throttle
from backoffice.config import Settings
from backoffice.crm import accounts, address_book, links, orders, parties
from backoffice.crm.models import Account, AccountSession, Checkout, Order, OrderLine
from backoffice.db import Database
from backoffice.local.carts import LocalCarts
from backoffice.local.checkout import public_address
from backoffice.public import addresses
from backoffice.public.accounts import AccountView, Again, Device, LoggedIn, OrderBrief, OrderList, SavedAddress
from backoffice.public.addresses import Address
from backoffice.public.errors import BadInput, NotFound, Refused, ShopError, TooOften
from backoffice.public.money import Money

PAGE_SIZE = 20
MOST_RESETS = 5  # of one address by one caller, a day; whoever else asks for it has their own
MOST_REGISTERED = 10  # of one network within an hour: each is a mail to an address that may be anybody's
T = TypeVar("T")


class LocalAccounts:
    """Register, log in, and look after what is one's own."""

    def __init__(self, db: Database, carts: LocalCarts, settings: Settings) -> None:
        """Write to `db`; put old orders into `carts`."""
        self._db = db
        self._carts = carts
        self._settings = settings

    def register(
        self, *, email: str, name: str, password: str, language: str, base_url: str, who_asks: str, now: datetime
    ) -> None:
        """Write to the address, whether it has an account or not: the same work and the same silence."""
        address = accounts.check_registration(email, name, password)
        self._try(who_asks, f"register:{address}", now)
        self._try(throttle.network_of(who_asks), "register", now, tries=MOST_REGISTERED, window=throttle.HOUR)
        hashed = passwords.make_hash(password)
        base, key = public_address(self._settings.base_url, base_url).rstrip("/"), self._settings.secret_key
        self._db.run(
            lambda session: accounts.register(
                session,
                address=address,
                name=name,
                password_hash=hashed,
                language=language,
                base_url=base,
                secret_key=key,
                now=now,
            )
        )

    def confirm(self, link: str, password: str, *, device: str, cart: str | None, who_asks: str, now: datetime) -> LoggedIn:
        """Confirm the address and log in."""
        with self._db.read() as session:
            stored = accounts.find_by_link(session, "confirm", link, now=now).password_hash
        self._try(who_asks, f"confirm:{links.hash_token(link)}", now)
        if not passwords.is_right(password, stored):
            raise Refused("wrong_password")

        def work(session: Session) -> LoggedIn:
            account = accounts.use_link(session, "confirm", link, now=now)
            if account.password_hash != stored:
                raise NotFound("unknown_link")  # registered anew between our look and now: that mail counts
            account.confirmed_at = account.confirmed_at or now
            return self._enter(session, account, device, cart, now)

        return self._db.run(work)

    def log_in(self, *, email: str, password: str, device: str, cart: str | None, who_asks: str, now: datetime) -> LoggedIn:
        """Log in; every reason not to is one answer after the same work."""
        self._try(who_asks, _counted("account", email), now)
        with self._db.read() as session:
            known = accounts.find_by_email(session, email)
        may = known is not None and known.active and known.confirmed_at is not None
        if not passwords.is_right(password, known.password_hash if known and may else None) or known is None:
            raise Refused("wrong_login")
        account_id, stored = known.id, known.password_hash

        def work(session: Session) -> LoggedIn:
            account = session.get(Account, account_id, with_for_update=True)
            if account is None or account.password_hash != stored:
                raise Refused("wrong_login")
            throttle.forget_tries(session, who_asks, _counted("account", email), now=now)
            return self._enter(session, account, device, cart, now)

        return self._db.run(work)

    def _enter(self, session: Session, account: Account, device: str, cart: str | None, now: datetime) -> LoggedIn:
        token = accounts.begin_session(session, account, device=device, now=now)
        return LoggedIn(token, accounts.take_cart(session, account, cart, now=now))

    def ask_reset(self, email: str, *, base_url: str, who_asks: str, now: datetime) -> None:
        """Write a link to choose a new password, if there is an account."""
        self._try(who_asks, _counted("reset", email), now, tries=MOST_RESETS, window=throttle.DAY)
        base, key = public_address(self._settings.base_url, base_url).rstrip("/"), self._settings.secret_key

        def work(session: Session) -> None:
            account = accounts.find_by_email(session, email)
            if account is not None and account.active:
                accounts.send_link(session, account, "reset", base_url=base, secret_key=key, now=now)

        self._db.run(work)

    def reset(self, link: str, password: str, *, device: str, cart: str | None, now: datetime) -> LoggedIn:
        """Set a new password by a mailed link, which also proves the address."""
        with self._db.read() as session:
            email = accounts.find_by_link(session, "reset", link, now=now).email
        _check_new(password, email)
        hashed = passwords.make_hash(password)

        def work(session: Session) -> LoggedIn:
            account = accounts.use_link(session, "reset", link, now=now)
            account.password_hash, account.confirmed_at = hashed, account.confirmed_at or now
            accounts.end_sessions(session, account)
            return self._enter(session, account, device, cart, now)

        return self._db.run(work)

    def find(self, token: str | None, *, now: datetime) -> AccountView | None:
        """Return who this session is of; note once an hour that it was seen."""
        with self._db.read() as session:
            found = accounts.find_session(session, token, now=now)
        if found is None:
            return None
        account, row = found
        if row.seen_at < now - accounts.SEEN_EVERY:
            seen = sa.update(AccountSession).where(AccountSession.id == row.id).values(seen_at=now)
            self._db.run(lambda session: session.execute(seen))
        return AccountView(account.email, account.name, account.language)

    def log_out(self, token: str) -> None:
        """End this session."""
        row = sa.delete(AccountSession).where(AccountSession.token_hash == links.hash_token(token))
        self._db.run(lambda session: session.execute(row))

    def log_out_everywhere(self, token: str, *, now: datetime) -> None:
        """End every session of this account."""
        self._change(token, lambda session, account: accounts.end_sessions(session, account), now)

    def find_devices(self, token: str, *, now: datetime) -> Sequence[Device]:
        """Return the browsers that are logged in."""
        with self._db.read() as session:
            account = accounts.get_account(session, token, now=now)
            live = (AccountSession.expires_at > now, AccountSession.seen_at > now - accounts.IDLE)
            rows = session.scalars(
                sa.select(AccountSession)
                .where(AccountSession.account_id == account.id, *live)
                .order_by(AccountSession.seen_at.desc(), AccountSession.id.desc())
                .limit(50)
            )
            here = links.hash_token(token)
            return [Device(row.id, row.device, row.seen_at, row.token_hash == here) for row in rows]

    def change(self, token: str, *, name: str, language: str, now: datetime) -> None:
        """Change name and language."""
        self._change(token, lambda _session, account: accounts.rename(account, name, language), now)

    def change_password(self, token: str, *, old: str, new: str, who_asks: str, now: datetime) -> str:
        """Change the password, end every other session and give this one another secret."""
        email = self._prove(token, old, "old", who_asks, now)
        _check_new(new, email)
        hashed = passwords.make_hash(new)

        def work(session: Session, account: Account) -> str:
            account.password_hash = hashed
            accounts.end_sessions(session, account, but=token)
            return accounts.renew_session(session, token)

        return self._change(token, work, now)

    def close(self, token: str, *, password: str, who_asks: str, now: datetime) -> None:
        """Close the account: sessions, links and addresses go with it, orders stay."""
        self._prove(token, password, "password", who_asks, now)
        self._change(token, lambda session, account: session.delete(account), now)

    def find_orders(self, token: str, *, page: int, now: datetime) -> OrderList:
        """Return one page of the orders of this account and of its address."""
        with self._db.read() as session:
            account = accounts.get_account(session, token, now=now)
            total = session.scalar(sa.select(sa.func.count()).select_from(_own(account).subquery())) or 0
            pages = max(1, -(-total // PAGE_SIZE))
            if not 1 <= page <= pages:
                raise NotFound("unknown_page")
            newest = _own(account).order_by(Order.placed_at.desc(), Order.id.desc())
            rows = session.execute(newest.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
            return OrderList([self._brief(session, order, checkout) for order, checkout in rows], page, pages)

    def _brief(self, session: Session, order: Order, checkout: Checkout) -> OrderBrief:
        lines = orders.lines_of(session, order.id)
        return OrderBrief(
            number=order.number,
            state=order.state,
            placed_at=order.placed_at,
            expected_on=max(line.expected_on for line in lines),
            total=Money(order.total_minor, order.currency),
            token=links.order_token(self._settings.secret_key, checkout.link_nonce),
            contents=[(line.name, line.options, line.quantity) for line in lines],
        )

    def order_again(self, token: str, number: str, *, cart: str | None, now: datetime) -> Again:
        """Put the lines of an old order into the cart, as many pieces of each as can be promised."""
        have = self._have(cart, now)
        for line in self._lines(token, number, now):
            missing = line.quantity - have.get(line.sku, 0)
            if missing > 0:
                cart = self._add(token, cart, line.sku, missing, now) or cart
        return self.compare(token, number, cart=cart, now=now)

    def _add(self, token: str, cart: str | None, sku: str, quantity: int, now: datetime) -> str | None:
        try:
            return self._carts.add(cart, sku, quantity, postcode=None, account=token, now=now).token
        except ShopError as refusal:
            most = refusal.details.get("most")
            if refusal.code != "not_available" or not isinstance(most, int) or not 0 < most < quantity:
                return None
        return self._add(token, cart, sku, most, now)

    def compare(self, token: str, number: str, *, cart: str | None, now: datetime) -> Again:
        """Say what of an old order the cart has too little of."""
        have = self._have(cart, now)
        lines = self._lines(token, number, now)
        short = [(line.name, line.quantity, have.get(line.sku, 0)) for line in lines if have.get(line.sku, 0) < line.quantity]
        return Again(number, cart, short)

    def _have(self, cart: str | None, now: datetime) -> dict[str, int]:
        found = self._carts.find(cart, now=now)
        return {line.sku: line.quantity for line in found.lines if line.promise} if found else {}

    def _lines(self, token: str, number: str, now: datetime) -> Sequence[OrderLine]:
        with self._db.read() as session:
            account = accounts.get_account(session, token, now=now)
            found = session.execute(_own(account).where(Order.number == number)).first()
            if found is None:
                raise NotFound("unknown_order")
            return orders.lines_of(session, found[0].id)

    def find_addresses(self, token: str, *, now: datetime) -> Sequence[SavedAddress]:
        """Return the address book, the preferred address first."""
        with self._db.read() as session:
            rows = address_book.find_all(session, accounts.get_account(session, token, now=now))
            kept = [(row, Address(**{part: getattr(row, part) for part in addresses.PARTS})) for row in rows]
            return [SavedAddress(row.id, address, addresses.write(address), row.preferred) for row, address in kept]

    def save_address(self, token: str, address: Address, *, address_id: int | None = None, now: datetime) -> int:
        """Change an address, or add one."""
        return self._change(
            token,
            lambda session, account: address_book.save(session, account, address, address_id=address_id, now=now).id,
            now,
        )

    def remove_address(self, token: str, address_id: int, *, now: datetime) -> None:
        """Remove an address."""
        self._change(token, lambda session, account: address_book.remove(session, account, address_id), now)

    def prefer_address(self, token: str, address_id: int, *, now: datetime) -> None:
        """Let the checkout begin with this address."""
        self._change(token, lambda session, account: address_book.prefer(session, account, address_id), now)

    def _prove(self, token: str, password: str, field: str, who_asks: str, now: datetime) -> str:
        """Return the account's address once its password was typed again."""
        with self._db.read() as session:
            account = accounts.get_account(session, token, now=now)
        self._try(who_asks, f"prove:{account.id}", now)
        if not passwords.is_right(password, account.password_hash):
            raise BadInput("invalid_form", {field: "wrong_password"})
        return account.email

    def _change(self, token: str, work: Callable[[Session, Account], T], now: datetime) -> T:
        return self._db.run(lambda session: work(session, accounts.get_account(session, token, now=now)))

    def _try(
        self, who_asks: str, name: str, now: datetime, *, tries: int = throttle.TRIES, window: timedelta = throttle.WINDOW
    ) -> None:
        wait = self._db.run(lambda session: throttle.find_wait(session, who_asks, name, tries=tries, window=window, now=now))
        if wait is not None:
            raise TooOften("too_many_tries", retry_after=wait.total_seconds())


def _own(account: Account) -> sa.Select[Order, Checkout]:
    """Return the orders that somebody placed while logged in, and those of guests with their confirmed address."""
    theirs = sa.or_(Order.party_id == account.party_id, Checkout.account_id == account.id)
    return sa.select(Order, Checkout).join(Checkout, Checkout.id == Order.checkout_id).where(theirs)


def _counted(what: str, email: str) -> str:
    """Return the name that tries with an address count under: however it is typed, it is one account."""
    try:
        return f"{what}:{parties.normalise_email(email)}"
    except BadInput:  # nobody's, but whoever tries it learns no more than about any other
        return f"{what}:{email.strip()}"


def _check_new(password: str, email: str) -> None:
    if fault := passwords.find_fault(password, email=email):
        raise BadInput("invalid_form", {"password": fault})
