"""Attacks on the doors (`make bench-faults SHARD=doors`): guessed links, told-apart accounts, bots, tries at one moment.

How far two answers' times lie apart depends on the machine: that is a figure, and no target.
"""

from __future__ import annotations

import logging
import re
import secrets
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from math import erfc, sqrt
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from backoffice import passwords, throttle
from backoffice.config import Settings
from backoffice.crm import reminding
from backoffice.crm.models import Account, Lead, Party
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.public.errors import NotFound
from backoffice.tables import metadata
from tests.buyers import hidden
from tests.company import open_company
from tests.conftest import NOW, FixedClock
from tests.integration.chain.conftest import Workshop
from tests.need import postgres_database

GUESSES, SAMPLES, BOTS, HUMANS, AT_ONCE, CARTS = 100_000, 200, 10_000, 200, 50, 30
TOKEN = r'name="csrf_token" value="([^"]+)"'
ANSWERED_BY = "by=[^&]+"  # of the clock, not of who writes
KEY = "a key for the rig only, 32 letters!"


class Tried(NamedTuple):
    """One attack: name, target, figure, whether the figure is what the target asks for."""

    test: str
    target: str
    figure: str
    met: bool


def attack() -> Iterator[Tried]:
    """Attack each door in turn."""
    clock = FixedClock(NOW)
    with _site(clock) as app:
        yield _guess_links(app)
        yield from _tell_accounts_apart(app, clock)
        yield from _send_bots(app, clock)
        yield _leave_carts(app, clock)
    yield _try_at_once()


@contextmanager
def _site(clock: FixedClock) -> Iterator[Flask]:
    from wsgi import create_app

    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/shop.db"
        with closing(_Made(url)):
            app = create_app(Settings(database_url=url, var_dir=Path(name), secret_key=KEY, demo=True), clock=clock)
        logging.getLogger().setLevel(logging.WARNING)  # a line for each of so many requests would be most of the work
        services = app.extensions["shopfloor"]
        services.db.run(lambda session: open_company(session, now=NOW))
        yield app
        services.db.dispose()


class _Made(Database):
    """A database with every table."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        metadata.create_all(self.engine)

    def close(self) -> None:
        self.dispose()


def _guess_links(app: Flask) -> Tried:
    """S2: at the door that every page and the API ask; a thousand of them through the pages."""
    shop = Workshop(app.extensions["shopfloor"], NOW)
    right = shop.start(shop.cart(STOOL=1))
    shop.pay(right)
    client, hits = app.test_client(), 0
    for number in range(GUESSES):
        guess = secrets.token_urlsafe(20)
        if number % 100 == 0:
            hits += client.get(f"/o/{guess}").status_code != (404 if number < 20 * 100 else 429)
            continue
        try:
            shop.shop.orders.get(guess, now=NOW)
            hits += 1
        except NotFound:
            pass
    assert client.get(f"/o/{right.order_token}").status_code == 200
    return Tried("S2 guessed order links", "0 hits", f"{GUESSES} guesses, {hits} hits", hits == 0)


class Door(NamedTuple):
    """A form that must not tell who is known. who: what may be asked about, the first is what the others are measured against."""

    path: str
    who: tuple[str, ...]
    form: dict[str, str]


GUESS = {"password": "wrong wrong wrong"}
OF_CUSTOMERS = ("known", "unknown", "unconfirmed", "disabled")
TELLING = (
    Door("/desk/login", ("known", "unknown", "disabled"), GUESS),
    Door("/account/login", OF_CUSTOMERS, GUESS),
    Door("/account/forgot", OF_CUSTOMERS, {}),
    Door("/account/register", OF_CUSTOMERS, {"name": "Eve", "password": "engines of 1843"}),
    Door("/contact", ("known", "unknown"), {"name": "Eve"}),
)


def _tell_accounts_apart(app: Flask, clock: FixedClock) -> Iterator[Tried]:
    """S5: who is known, unknown, not confirmed, disabled, at every form that takes an address; each from a network of its own.

    Everybody is asked about once at each door: what a door does the first time is what tells, if anything does.
    """
    app.extensions["shopfloor"].db.run(_fill)
    for door in TELLING:
        took: dict[str, list[float]] = {name: [] for name in door.who}
        said: dict[str, set[Any]] = {name: set() for name in door.who}
        for number in range(SAMPLES):
            for name in door.who:  # in turn, so that a busy moment of the machine is everybody's
                seconds, answer = _ask_at(app, clock, door, f"{name}{number}{_mark(door, name)}@werk.test", number)
                took[name].append(seconds)
                said[name].add(answer)
        same = len(set.union(*said.values())) == 1
        yield Tried(f"S5 {door.path}: words", f"the same for all {len(door.who)}", "the same" if same else "different", same)
        base = took["known"]
        for name in door.who[1:]:
            gap = 1000 * (statistics.median(took[name]) - statistics.median(base))
            of = 1000 * statistics.median(base)
            figure = f"{gap:+.1f} ms of {of:.0f} ms, p = {_mann_whitney(took[name], base):.2f} ({SAMPLES} each)"
            yield Tried(f"S5 {door.path}: time of {name}", "none: a figure", figure, True)


def _mark(door: Door, name: str) -> str:
    """Return what keeps an address unknown that another door has taken in before."""
    return door.path.replace("/", "-") if name == "unknown" else ""


def _fill(session: Session) -> None:
    hashed = passwords.make_hash("the right password")
    for number in range(SAMPLES):
        for name in ("known", "unconfirmed", "disabled"):
            mail, active = f"{name}{number}@werk.test", name != "disabled"
            if name != "unconfirmed":
                session.add(Staff(email=mail, name=name, role="sales", password_hash=hashed, active=active, created_at=NOW))
            party = Party(name="Eve", email=mail, created_at=NOW)
            session.add(party)
            session.flush()
            confirmed = None if name == "unconfirmed" else NOW
            account = Account(party_id=party.id, email=mail, name="Eve", password_hash=hashed, active=active, created_at=NOW)
            account.confirmed_at = confirmed
            session.add(account)


def _ask_at(app: Flask, clock: FixedClock, door: Door, email: str, number: int) -> tuple[float, tuple[int, str]]:
    """Fill a door's form in for an address; return the seconds that its answer took, and the answer without what is random."""
    client = app.test_client()
    client.environ_base |= {"HTTP_ORIGIN": "http://localhost", "REMOTE_ADDR": f"10.{number}.0.1"}
    form = {"email": email, **door.form}
    page = client.get(door.path).text
    if found := re.search(TOKEN, page):
        form["csrf_token"] = found[1]
    if door.path == "/contact":
        form |= {"key": hidden(page, "key"), "message": f"Does number {number} come in oak, {email}?"}
        clock.advance(seconds=30)
    begun = time.perf_counter()
    answer = client.post(door.path, data=form)
    seconds = time.perf_counter() - begun
    return seconds, (answer.status_code, re.sub(f"{TOKEN}|{ANSWERED_BY}", "", answer.text.replace(email, "")))


def _mann_whitney(left: list[float], right: list[float]) -> float:
    """Return how likely two samples are this far apart by chance (two-sided, by the normal approximation)."""
    smaller = sum((one < other) + (one == other) / 2 for one in left for other in right)
    mean, spread = len(left) * len(right) / 2, sqrt(len(left) * len(right) * (len(left) + len(right) + 1) / 12)
    return erfc(abs(smaller - mean) / spread / sqrt(2))


def _send_bots(app: Flask, clock: FixedClock) -> Iterator[Tried]:
    """S9: bots that fill the trap, that make their key up, and that wait and then write on with one page's key, each kind from a
    network of its own; people from everywhere in between, who read the page and write."""
    db: Database = app.extensions["shopfloor"].db
    client, answers = app.test_client(), Counter[int]()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"

    def page() -> str:
        return hidden(client.get("/contact").text, "key")

    patient = page()
    clock.advance(seconds=30)
    for number in range(BOTS):
        key = (page() if number < 30 else patient, f"bot-{number}", patient)[number % 3]
        bot = {"key": key, "message": "Cheap pills", "name": "Bot", "email": f"bot{number}@example.test"}
        bot |= {} if number % 3 else {"website": "https://pills.test"}
        client.environ_base["REMOTE_ADDR"] = f"192.0.{number % 3}.{number % 250}"
        client.post("/contact", data=bot)
        if number % (BOTS // HUMANS) == 0:
            who, key = number // (BOTS // HUMANS), page()
            clock.advance(seconds=30)
            human = {"key": key, "message": "Is it oak?", "name": "Ada", "email": f"ada{who}@example.test"}
            client.environ_base["REMOTE_ADDR"] = f"198.51.{who}.7"
            answers[client.post("/contact", data=human).status_code] += 1
    with db.read() as session:
        rows = session.execute(sa.select(Lead.state, Lead.message, sa.func.count()).group_by(Lead.state, Lead.message)).all()
    kept = {(state, message): many for state, message, many in rows}
    reached = kept.get(("new", "Cheap pills"), 0)
    stored = reached + kept.get(("quarantined", "Cheap pills"), 0)
    yield Tried("S9 bots that reach sales", "10 at most", f"{reached} of {BOTS}, {stored} kept", reached <= 10)
    fine = answers[303] == HUMANS and kept.get(("new", "Is it oak?")) == HUMANS
    yield Tried("S9 people meanwhile", "0 refused, 0 set aside", f"{answers[303]} of {HUMANS} thanked and read", fine)


def _leave_carts(app: Flask, clock: FixedClock) -> Tried:
    """S9, by another door: carts filled and left by one network, each to be reminded of under a stranger's address."""
    db: Database = app.extensions["shopfloor"].db
    for number in range(CARTS):
        client = app.test_client()
        client.environ_base |= {"HTTP_ORIGIN": "http://localhost", "REMOTE_ADDR": f"192.0.9.{number}"}
        client.post("/cart/add", data={"sku": "TABLE", "slug": "table", "quantity": "1"})
        form = {"email": f"left{number}@example.test", "action": "remind", "remind": "yes"}
        client.post("/checkout", data=form)
    clock.advance(hours=5)
    kept = reminding.remind(db, now=clock())
    with db.read() as session:
        left = sa.select(sa.func.count()).select_from(Lead).where(Lead.kind == "abandoned_cart", Lead.state == "new")
        reached = session.scalar(left) or 0
    fine = reached <= 10 and kept == CARTS
    return Tried("S9 carts left by bots that reach sales", "10 at most", f"{reached} of {CARTS}, {kept} kept", fine)


def _try_at_once() -> Tried:
    """S10: on PostgreSQL, where two transactions really run at one moment."""
    with postgres_database() as url, closing(_Made(url)) as db, ThreadPoolExecutor(AT_ONCE) as pool:
        tries = range(AT_ONCE)
        let = sum(pool.map(lambda _n: db.run(lambda s: throttle.may_try(s, "10.0.0.1", "ada@werk.test", now=NOW)), tries))
    return Tried("S10 tries at one moment", f"{throttle.TRIES} of {AT_ONCE} let in", f"{let} of {AT_ONCE}", let == throttle.TRIES)
