"""Somebody who came through every door is erased: dumps of the whole database, mails and the log say nothing of them."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice import audit, idempotency, tables
from backoffice.crm import collapsing, profiles, replies, reports, saved_views
from backoffice.crm.incoming_mail import Incoming
from backoffice.crm.models import Lead, Party, PerhapsSame
from backoffice.crm.quotations import subject, withdraw
from backoffice.crm.quoting import Draft, Line, draw_up
from backoffice.db import Database
from backoffice.erp.models import Invoice, Staff
from backoffice.privacy import erasing
from tests import need
from tests.company import open_company
from tests.functional.api.conftest import Caller, cart, checkout
from tests.integration.chain.conftest import Workshop
from tests.integration.privacy.test_erasing import EMAIL, FORM, TRACES, breaches, erase, finish, hand_over, live, party_of, sums

SPAN = reports.Span(date(2026, 11, 1), date(2026, 12, 31), ZoneInfo("Europe/Berlin"))
OTHER = "zzyx.other@example.test"  # the same person by a colleague's word


@pytest.fixture
def workshop(app: Flask, now: datetime) -> Workshop:
    services: Any = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))
    services.shop.visits._every = 0  # the test itself is the thread
    return Workshop(services, now)


def through_the_shop(client: FlaskClient, shop: Workshop) -> None:
    """Search, look, write and register, as somebody who lets their visits be noted."""
    assert client.post("/visits", data={"choice": "yes"}).status_code == 303
    for path in ("/p/stool?utm_source=zzyxsource", "/search?q=zzyxcupboard", "/search?q=Zzyxa+Kundin+98765432"):
        assert client.get(path).status_code == 200
    page = client.get("/contact").text
    key = re.findall(r'name="key" value="([^"]+)"', page)[0]
    shop.services.clock.advance(minutes=1)  # written by a person, not at once
    letter = {
        "key": key,
        "kind": "contact",
        "email": EMAIL,
        "name": FORM["name"],
        "message": "Zzyx writes once more",
        "phone": "",
    }
    assert client.post("/contact", data=letter).status_code in (200, 303)
    shop.services.shop.visits.flush()
    shop.services.shop.lost_demand.write()


def through_the_api(api: Caller) -> None:
    """Begin a purchase that is never paid for, and ask something."""
    made = cart(api)
    typed = {**FORM, "email": EMAIL, "city": "Zzyxstadt", "phone": "+49 30 98765432"}
    typed.pop("company")
    answer = api.send("POST", f"/carts/{made['token']}/checkout", checkout(made, **typed))
    assert answer.status_code == 201, answer.text
    asked = {"kind": "question", "email": EMAIL, "name": "Zzyxa", "message": "Zzyx asks by the API", "sku": "LAMP"}
    assert api.send("POST", "/leads", asked).status_code in (200, 201, 202)


def answer_kept(session: Session, now: datetime) -> None:
    """Keep an answer to a partner that names them."""
    row, _fresh = idempotency.claim(session, "api:key:1", "k1", request_hash="h", now=now)
    row.answer = {"status": 201, "headers": {}, "body": json.dumps({"email": EMAIL.lower()})}


def by_mail(shop: Workshop) -> None:
    """Write a mail, which becomes a part of an enquiry or a new one."""
    mail = Incoming("hash-1", EMAIL.lower(), FORM["name"], "Zzyx's subject", "Zzyx's mail", attachments=(("zzyx.pdf", 9),))
    place, key = replies.Place("INBOX", 1, 1), shop.services.settings.secret_key
    shop.db.run(lambda session: replies.take_in(session, mail, place, secret_key=key, now=shop.now))


def at_the_desk(shop: Workshop) -> None:
    """Quote, keep a list with their address, and know them under a second address."""
    [bea] = shop.rows(Staff, email="bea@werk.test")
    key = shop.services.settings.secret_key
    form = shop.form(
        shop.cart(LAMP=1), **{**FORM, "key": "quotation-1", "cart_version": 0, "total_minor": 0, "note": "Zzyx's quotation"}
    )
    lead = shop.rows(Lead)[0]

    def work(session: Session) -> None:
        draft = Draft([Line("LAMP", 1, 0)], form, 7, "http://localhost")
        quotation = draw_up(session, lead.id, draft, lead_version=lead.version, secret_key=key, by=bea, now=shop.now)
        session.flush()
        withdraw(session, quotation.id, by=bea, now=shop.now)
        why = {"reason": "Zzyx did not like the lamp"}
        audit.record(session, "quotation.decline", subject(quotation), actor=bea.email, details=why, now=shop.now)
        saved_views.save(session, bea.id, name="their list", args={"q": EMAIL.lower()}, shared=False, now=shop.now)
        twin = Party(
            name="Zzyxa Other", email=OTHER, phone="+49 30 98765432", phone_key="+493098765432", created_at=shop.now, facts={}
        )
        session.add(twin)
        session.flush()
        collapsing.link_twins(session, twin, "+493098765432", now=shop.now)

    shop.db.run(work)
    shop.db.run(lambda session: answer_kept(session, shop.now))
    for pair in shop.rows(PerhapsSame):
        shop.db.run(lambda session, pair=pair: collapsing.decide(session, pair.id, "same", by="Bea", now=shop.now))


def dump(db: Database, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield table and line of everything that the database itself writes out."""
    if db.url.startswith("sqlite"):
        with db.engine.connect() as connection:
            for statement in connection.connection.driver_connection.iterdump():  # type: ignore[union-attr] # the driver's own
                found = re.match(r'INSERT INTO "(\w+)"', statement)
                yield (found[1] if found else ""), statement
        return
    url, table = sa.make_url(db.url), ""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    program = Path(need.postgres_programs(db.url)) / "pg_dump"
    text = subprocess.run([program, "--data-only", plain], check=True, capture_output=True, text=True, cwd=folder).stdout
    for line in text.splitlines():
        if found := re.match(r'COPY public\."?(\w+)"? ', line):
            table = found[1]
        yield table, line


def traces(db: Database, folder: Path) -> Counter[str]:
    """Return table → how many of its rows say something of them."""
    return Counter(table for table, line in dump(db, folder) if any(trace in line.casefold() for trace in TRACES))


def figures(shop: Workshop) -> dict[str, Any]:
    """Return every sum that the house goes by: books, stock, ledger, rows of the funnel."""
    with shop.db.read() as session:
        columns = [one for table in tables.metadata.sorted_tables for one in table.c if _is_money(one)]
        money = {f"{one.table.name}.{one.name}": session.scalar(sa.select(sa.func.sum(one))) for one in columns}
        stock = session.execute(sa.text("SELECT item_id, on_hand, allocated, reserved FROM stock ORDER BY 1")).all()
        ledger = session.execute(sa.text("SELECT cause, count(*), sum(delta) FROM stock_movement GROUP BY 1 ORDER BY 1")).all()
        funnel = reports.find_funnel(session, SPAN)
        kept = ("orders", "order_line", "lead", "quotation", "payment", "refund", "shipment", "invoice", "activity")
        counts = {name: session.scalar(sa.select(sa.func.count()).select_from(tables.metadata.tables[name])) for name in kept}
        return {
            "money": money,
            "stock": str(stock),
            "ledger": str(ledger),
            "funnel": str(funnel),
            "counts": counts,
            "sums": sums(shop),
        }


def _is_money(column: sa.Column[Any]) -> bool:
    """A profile is read from the orders, one for each person: it goes with whom it was of, the orders stay."""
    return column.name.endswith("_minor") and column.table.name != "profile"


def test_neither_dump_nor_mail_nor_log_says_anything_of_them(
    workshop: Workshop, app: Flask, client: FlaskClient, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = workshop
    number = live(shop)
    through_the_shop(client, shop)
    through_the_api(Caller(app, shop.now))
    by_mail(shop)
    at_the_desk(shop)
    finish(shop, number)
    profiles.refresh_all(shop.db)
    before, seen = figures(shop), traces(shop.db, tmp_path)
    assert {"party", "checkout", "lead", "activity", "visit_event", "outbox_message", "idempotency_key"} <= set(seen)
    assert {"saved_view", "demand_mark", "quotation", "address", "account", "audit_entry", "shipment"} <= set(seen)

    erasure_id = erase(shop, party_of(shop))
    with shop.db.read() as session:
        proof = erasing.get_erasure(session, erasure_id)
    hand_over(shop, erasure_id)
    invoices = shop.rows(Invoice)
    assert traces(shop.db, tmp_path) == {"invoice": len(invoices)}  # which the law keeps whole
    assert [paper["number"] for paper in proof.kept] == [one.number for one in invoices]
    assert {paper["until"] for paper in proof.kept} == {date(2034, 12, 31).isoformat()}
    if shop.db.is_sqlite:  # nor does what a deleted row leaves in the file, or in the log beside it
        file = Path(str(sa.make_url(shop.db.url).database))
        raw = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
        assert [word for word in (b"zzyxcupboard", b"zzyx.other", b"Zzyx's", b"ZZYX-1") if word in raw] == []
    assert figures(shop) == before
    assert breaches(shop) == []
    said = "".join(capfd.readouterr()).casefold()
    assert '"request"' in said or "request" in said  # the log was on
    assert not [trace for trace in TRACES if trace in said]
    left = [path for path in shop.services.settings.mail_path.rglob("*") if path.is_file()]
    assert not [path for path in left if any(trace in path.read_text(errors="replace").casefold() for trace in TRACES)]
    with shop.db.read() as session:
        for typed in (EMAIL, OTHER, FORM["phone"]):
            found = erasing.find_erased(session, typed, shop.services.settings.secret_key)
            assert [one.id for one in found] == [erasure_id], typed
        assert erasing.find_erased(session, EMAIL, "another key") == []
