"""Every link that we ever sent opens what it should, and none of them stands anywhere in the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from flask import Flask
from flask.testing import FlaskClient

from backoffice import migrate
from backoffice.bridge import outbox
from backoffice.bridge.models import OutboxMessage
from backoffice.config import Settings
from backoffice.crm import cases, links, terms
from backoffice.crm.models import Lead, Quotation
from backoffice.crm.quoting import Draft, Line, draw_up
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.payments import dunning
from backoffice.public.cases import CaseForm
from tests import firm
from tests.company import open_company
from tests.functional.api.conftest import Caller
from tests.functional.api.test_writing import cart, checkout
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_on_account import order as order_on_account
from tests.integration.chain.test_on_account import ship
from tests.integration.chain.test_slips import move_lamps
from tests.integration.privacy.test_erasing import FORM, deliver, finish, live
from tests.integration.privacy.test_no_trace import dump

FORMER = ScriptDirectory(str(migrate.MIGRATIONS)).get_revision("e7b41d90a26c").down_revision
SECRET = re.compile(r"/(?:o|quotation|consent|question|account/confirm|account/reset)/([\w-]{20,})")


@pytest.fixture
def settings(db: Database, settings_for: Callable[..., Settings]) -> Settings:
    return settings_for(db.url, base_url="http://localhost")


@pytest.fixture
def shop(app: Flask, now: datetime) -> Workshop:
    services: Any = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))
    return Workshop(services, now)


def sell(shop: Workshop, app: Flask) -> set[str]:
    """Sell by every way and let everything be written about; return the secrets that browsers and partners were given."""
    number = live(shop)
    moved = shop.start(shop.cart(LAMP=3))
    shop.pay(moved)
    move_lamps(shop, 30)
    [bea] = shop.rows(Staff, email="bea@werk.test")
    question = shop.shop.cases.open(moved.order_token, CaseForm("form-1", "other", "Which oil?", "", "", ""), now=shop.now)
    named = {"staff": bea, "version": 1, "base_url": "http://localhost", "now": shop.now}
    shop.db.run(lambda session: cases.answer(session, 1, "Linseed.", then="solved", **named))
    shop.shop.accounts.register(
        email="new@example.test", name="New", password="a long pass phrase", language="en", base_url="http://localhost",
        who_asks="", now=shop.now,
    )  # fmt: skip
    nordlicht = firm.found(shop.db, now=shop.now, roles={"Ann": "buyer", "Kim": "accounting"})
    agreed: dict[str, Any] = {"due_days": 5, "pause_overdue": True, "by": nordlicht.by, "now": shop.now}
    shop.db.run(lambda session: terms.set_terms(session, nordlicht.id, 20_000, **agreed))
    ship(shop, order_on_account(shop, nordlicht.token("Ann")).number)
    given = {moved.order_token, question, quote(shop, bea), *by_api(shop, app)}
    finish(shop, number)
    shop.now += timedelta(days=6)
    assert dunning.remind(shop.db, now=shop.now) == 1
    deliver(shop)
    return given


def quote(shop: Workshop, bea: Staff) -> str:
    """Quote two lamps, which are accepted and not paid yet; return the order's token."""
    lead, key = shop.rows(Lead)[0], shop.services.settings.secret_key
    form = shop.form(SimpleNamespace(token="", version=0, total=None), **FORM | {"key": "quotation-1"})
    draft = Draft([Line("LAMP", 2, 0)], form, 7, "http://localhost")
    by = SimpleNamespace(id=bea.id, name=bea.name, email=bea.email, role=bea.role)
    shop.db.run(lambda session: draw_up(session, lead.id, draft, lead_version=lead.version, secret_key=key, by=by, now=shop.now))
    [quotation] = shop.rows(Quotation)
    token, told_on = links.quotation_token(key, quotation.link_nonce), quotation.told_on
    return shop.shop.quotations.accept(token, 1, quotation.total_minor, told_on, now=shop.now).order_token


def by_api(shop: Workshop, app: Flask) -> set[str]:
    """Let a partner begin a purchase, twice with the same key; return the secrets of the cart and the order."""
    api = Caller(app, shop.now)
    made = cart(api)
    first, again = (
        api.send("POST", f"/carts/{made['token']}/checkout", checkout(made), Idempotency_Key="partner-1").get_json()
        for _ in range(2)
    )
    assert first == again
    assert first["order_url"].endswith(first["order_token"])
    return {made["token"], first["order_token"]}


def letters(folder: Path) -> dict[str, list[str]]:
    """Return kind → the secret links that our mails of this kind brought."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.eml")):
        text = message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("plain",)).get_content()
        addresses = [word.strip("<>().,") for word in text.split() if SECRET.search(word)]
        found.setdefault(path.stem.rpartition("-")[2], []).extend(addresses)
    return found


def test_every_link_works_and_none_is_kept(shop: Workshop, app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    given = sell(shop, app)
    sent = letters(shop.services.settings.mail_path)
    bring = {kind for kind, addresses in sent.items() if addresses}
    assert {"order_confirmed", "order_shipped", "day_moved", "invoice_overdue", "quotation", "case_answer"} <= bring
    assert {"consent_wanted", "account_confirm"} <= bring
    tokens = given | {SECRET.search(one)[1] for addresses in sent.values() for one in addresses}  # type: ignore[index] # it matched
    for address in {one for addresses in sent.values() for one in addresses}:
        assert client.get(urlsplit(address).path).status_code == 200, address
    assert len(tokens) >= 10
    kept = [(table, token) for table, line in dump(shop.db, tmp_path) for token in tokens if token in line]
    assert kept == []
    assert not [table for table, line in dump(shop.db, tmp_path) if shop.services.settings.secret_key in line]


def test_links_of_delivered_mails_are_unwritten_and_written_again(shop: Workshop) -> None:
    """What the program of before has written, by the migration; what waits is left to be carried as it is."""
    shop.buy(STOOL=1)
    shop.buy(STOOL=1)
    key = shop.services.settings.secret_key
    first, second = shop.rows(OutboxMessage, kind="order_confirmed")
    was = {row.id: links.written(key, row.payload) for row in (first, second)}
    assert was[first.id]["link"].startswith("http://localhost/o/")
    command.stamp(migrate.config(shop.db.url), "head")  # its tables were made in one go
    migrate.downgrade(shop.db.url, FORMER)

    def before(state: str, payload: dict[str, Any], row_id: int) -> None:
        change = sa.update(OutboxMessage).where(OutboxMessage.id == row_id).values(state=state, payload=payload)
        shop.db.run(lambda session: session.execute(change))

    gone = "http://localhost/de/o/" + "x" * 27
    before("done", was[first.id] | {"choose": f"{gone}/moved/1"}, first.id)
    before("pending", was[second.id], second.id)
    migrate.upgrade(shop.db.url)
    done, waits = shop.rows(OutboxMessage, kind="order_confirmed")
    assert done.payload["secrets"] == first.payload["secrets"]
    assert (done.payload["choose"], "link" in done.payload) == ("", False)
    assert links.written(key, done.payload) == was[first.id] | {"choose": ""}
    assert waits.payload == links.written(key, waits.payload) == was[second.id]
    migrate.downgrade(shop.db.url, FORMER)
    assert shop.rows(OutboxMessage, kind="order_confirmed")[0].payload["link"] == "http://localhost/"
    migrate.upgrade(shop.db.url)


def test_a_mail_is_emptied_ninety_days_after_it_was_due(shop: Workshop) -> None:
    shop.buy(STOOL=1)
    deliver(shop)
    shop.buy(STOOL=1)
    for days, emptied in ((90, 0), (91, 1), (92, 0)):
        now = shop.now + timedelta(days=days)
        assert shop.db.run(lambda session, now=now: outbox.empty_old_mails(session, now=now)) == emptied
    assert [bool(one.payload) for one in shop.rows(OutboxMessage, kind="order_confirmed")] == [False, True]
