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
from backoffice.crm.models import Lead
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.public.errors import NotFound
from backoffice.tables import metadata
from tests.buyers import hidden
from tests.company import open_company
from tests.conftest import NOW, FixedClock
from tests.integration.chain.conftest import Workshop
from tests.need import postgres_database

GUESSES, SAMPLES, BOTS, HUMANS, AT_ONCE, CARTS = 100_000, 60, 10_000, 200, 50, 30
TOKEN = r'name="csrf_token" value="([^"]+)"'
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
        yield from _tell_accounts_apart(app)
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


def _tell_accounts_apart(app: Flask) -> Iterator[Tried]:
    """S5: an unknown, a wrong and a disabled log-in at the desks, and of customers; each from another network address."""
    hashed = passwords.make_hash("the right password")

    def fill(session: Session) -> None:
        for name, active in (("known", True), ("disabled", False)):
            mail = f"{name}@werk.test"
            person = Staff(email=mail, name=name, role="sales", password_hash=hashed, active=active, created_at=NOW)
            session.add(person)

    app.extensions["shopfloor"].db.run(fill)
    for path in ("/desk/login", "/account/login"):
        took: dict[str, list[float]] = {"unknown": [], "known": [], "disabled": []}
        said: dict[str, set[Any]] = {name: set() for name in took}
        for number in range(SAMPLES):
            for name in took:  # in turn, so that a busy moment of the machine is everybody's
                client = app.test_client()
                client.environ_base |= {"HTTP_ORIGIN": "http://localhost", "REMOTE_ADDR": f"10.{number}.0.1"}
                form = {"email": f"{name}@werk.test", "password": "wrong"}
                if found := re.search(TOKEN, client.get(path).text):
                    form["csrf_token"] = found[1]
                begun = time.perf_counter()
                answer = client.post(path, data=form)
                took[name].append(time.perf_counter() - begun)
                said[name].add((answer.status_code, re.sub(TOKEN, "", answer.text.replace(f"{name}@werk.test", ""))))
        same = len(set.union(*said.values())) == 1
        yield Tried(f"S5 {path}: words", "the same for all three", "the same" if same else "different", same)
        base = took["known"]
        for name in ("unknown", "disabled"):
            gap = 1000 * (statistics.median(took[name]) - statistics.median(base))
            of = 1000 * statistics.median(base)
            figure = f"{gap:+.1f} ms of {of:.0f} ms, p = {_mann_whitney(took[name], base):.2f} ({SAMPLES} each)"
            yield Tried(f"S5 {path}: time of {name}", "none: a figure", figure, True)


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
