"""`make bench-crm`: the sales desk over 100,000 enquiries and 1,000,000 entries of timelines, and eight people who edit at once.

On PostgreSQL, served by gunicorn, over one kept connection of somebody who is logged in: inbox, board, list and the page of the
customer with the longest timeline; goal p95 below 200 ms each. Then 800 edits of 100 enquiries by eight people, each from the
version that they last saw: every one is kept or refused with what is there now, and none is lost. Prints the figures and a
last JSON line. A count of a segment belongs here once there are segments.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa
from pwdlib import PasswordHash
from sqlalchemy.orm import Session

from backoffice.config import Settings
from backoffice.crm import leads
from backoffice.crm.models import Activity, Lead
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.public.errors import Refused
from backoffice.tables import metadata
from tests.bench.serving import percentile
from tests.company import open_company
from tests.integration.leads.conftest import Person
from tests.need import Gunicorn, postgres_database

GOAL_MS = 200
PEOPLE, ROUNDS, EDITED = 8, 100, 100
PAGES = {
    "inbox": "/desk/sales",
    "board": "/desk/sales/pipeline",
    "list by deadline": "/desk/sales/list",
    "list by value": "/desk/sales/list?sort=value&state=any",
    "customer": "/desk/sales/customers/1",
    "enquiry": "/desk/sales/leads/1",
}
BATCH = 100_000
PASSWORD = "hammer and nail"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=100, help="of each page")
    given = parser.parse_args()
    now = datetime.now(UTC)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        fill(db, given.leads, given.entries, now)
        key = "b" * 40
        settings = Settings(
            database_url=url, var_dir=Path(folder), secret_key=key, second_step="nobody", trusted_hosts="127.0.0.1"
        )
        site = Gunicorn(settings, workers=2, threads=4, log=Path(folder) / "site.log")
        try:
            site.wait_until_ready()
            cookie = log_in(site.address)
            for name, path in PAGES.items():
                took = ask(site.address, path, cookie, given.requests)
                figures[name] = {"p50": round(percentile(took, 0.5), 1), "p95": round(percentile(took, 0.95), 1)}
                print(f"{name:18} p50 {figures[name]['p50']:7.1f} ms  p95 {figures[name]['p95']:7.1f} ms  goal {GOAL_MS}")
        finally:
            site.stop()
        edits = edit_at_once(db, now)
        print(f"{PEOPLE * ROUNDS} edits by {PEOPLE} people: {edits}")
        db.dispose()
    print(json.dumps({"bench": "crm", "leads": given.leads, "entries": given.entries, "pages": figures, "edits": edits}))


def fill(db: Database, number: int, entries: int, now: datetime) -> None:
    """Write customers, enquiries (one in twenty still open) and timelines; party 1 has the longest, 2,000 entries."""

    def people(session: Session) -> None:
        open_company(session, now=now)
        hashed = PasswordHash.recommended().hash(PASSWORD)
        for one in range(PEOPLE):
            session.add(
                Staff(email=f"s{one}@werk.test", name=f"Seller {one}", role="sales", password_hash=hashed, created_at=now)
            )

    db.run(people)
    text = "Would this table also come in oak, and could it be here before the holidays?"
    values = {"n": number, "text": text, "now": now, "people": PEOPLE, "entries": entries}
    statements = (
        """INSERT INTO party (id, kind, name, email, phone, job, language, country, vat_number, source, campaign,
                              facts, customer_class, version, created_at)
           SELECT i, 'person', 'Customer ' || i, 'c' || i || '@example.test', '', '', 'en', 'DE', '', 'web', '',
                  '{}', 'retail', 1, :now
           FROM generate_series(1, :n / 2) i""",
        """INSERT INTO lead (id, number, party_id, kind, state, message, sku, postcode, source, page, language, owner_id, due_at,
                             follow_up_at, outcome, stage, value_minor, currency, created_at, version)
           SELECT i, 'L-' || lpad(i::text, 6, '0'), 1 + i % (:n / 2), 'question',
                  CASE WHEN i % 20 > 0 AND i > 1 THEN 'done' WHEN i % 3 = 0 THEN 'new' WHEN i % 3 = 1 THEN 'working'
                       ELSE 'answered' END,
                  :text, 'STOOL', '10115', 'web', '', 'en', CASE WHEN i % 60 = 0 THEN NULL ELSE 1 + i % :people END,
                  CAST(:now AS timestamptz) + (i % 2000 - 1000) * interval '1 minute',
                  CASE WHEN i % 40 = 0 THEN CAST(:now AS timestamptz) + (i % 700) * interval '1 hour' END,
                  CASE WHEN i % 20 = 0 OR i = 1 THEN '' WHEN i % 20 = 7 THEN 'lost' ELSE '' END,
                  (ARRAY['lead', 'qualified', 'opportunity'])[1 + (i / 20) % 3],
                  CASE WHEN i % 2 = 0 THEN i * 10 END, CASE WHEN i % 2 = 0 THEN 'EUR' ELSE '' END,
                  CAST(:now AS timestamptz) - (:n - i) * interval '5 minutes', 1
           FROM generate_series(1, :n) i""",
        """INSERT INTO activity (id, party_id, lead_id, kind, text, "values", actor, at)
           SELECT i, CASE WHEN i <= 2000 THEN 1 ELSE 1 + i % (:n / 2) END, 1 + i % :n, 'note', :text, '{}', 'Seller 1',
                  CAST(:now AS timestamptz) - (:entries - i) * interval '30 seconds'
           FROM generate_series(:first, :last) i""",
    )
    started = time.perf_counter()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in statements:
            whole = ":last" not in statement
            for first in range(1, entries + 1, entries if whole else BATCH):  # the server answers within its time
                given = values | {"first": first, "last": min(first + BATCH - 1, entries)}
                connection.execute(sa.text(statement), {name: one for name, one in given.items() if f":{name}" in statement})
        for table in ("party", "lead", "activity"):
            last = sa.select(sa.func.max(sa.column("id"))).select_from(sa.table(table)).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table, "id"), last)))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.execute(sa.text("VACUUM ANALYZE"))
    print(f"{number} enquiries and {entries} entries written in {time.perf_counter() - started:.1f} s")


def log_in(address: str) -> str:
    """Log the first seller in; return the cookie of the desk."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", "/desk/login")
    answer = connection.getresponse()
    token = re.search(rb'name="csrf_token" value="([^"]+)"', answer.read())
    assert token
    cookie = str(answer.getheader("Set-Cookie")).split(";")[0]
    form = urlencode({"csrf_token": token[1].decode(), "email": "s0@werk.test", "password": PASSWORD})
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", "Origin": address}
    connection.request("POST", "/desk/login", form, headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 303, answer.status
    return str(answer.getheader("Set-Cookie")).split(";")[0]


def ask(address: str, path: str, cookie: str, number: int) -> list[float]:
    """Open a page so many times, after ten to warm up; return how long each took, in ms."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    took = []
    for _ in range(number + 10):
        started = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        body = answer.read()
        took.append(1000 * (time.perf_counter() - started))
        assert answer.status == 200, (path, answer.status, body[:300])
    return took[10:]


def edit_at_once(db: Database, now: datetime) -> dict[str, int]:
    """Let eight people edit the same enquiries, each from the version last seen; count what became of their edits."""
    with db.read() as session:
        open_ones = (
            sa.select(Lead.id).where(Lead.state.in_(("new", "working", "answered"))).order_by(Lead.id.desc()).limit(EDITED)
        )
        chosen = list(session.scalars(open_ones))
        begun = dict(session.execute(sa.select(Lead.id, Lead.version).where(Lead.id.in_(chosen))).all())
    kept, told, unclear = [0] * PEOPLE, [0] * PEOPLE, [0] * PEOPLE
    together = threading.Barrier(PEOPLE)

    def work(one: int) -> None:
        person, chance, seen = Person(one + 1, f"Seller {one}"), random.Random(one), dict(begun)  # noqa: S311 - the same each time
        together.wait()
        for number in range(ROUNDS):
            lead_id = chance.choice(chosen)
            words = f"edit {one}.{number}"
            try:
                lead = db.run(
                    lambda session, i=lead_id, w=words: leads.note(session, i, w, staff=person, version=seen[i], now=now)  # type: ignore[misc] # of the loop
                )
            except Refused as refused:
                with db.read() as session:  # the page shows what is there, beside what they typed
                    seen[lead_id] = session.get_one(Lead, lead_id).version
                told[one] += refused.code == "stale"
                unclear[one] += refused.code != "stale"
            else:
                kept[one] += 1
                seen[lead_id] = lead.version

    threads = [threading.Thread(target=work, args=(one,)) for one in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        written = session.scalar(sa.select(sa.func.count()).where(Activity.text.like("edit %"))) or 0
        ended = dict(session.execute(sa.select(Lead.id, Lead.version).where(Lead.id.in_(chosen))).all())
    steps = sum(ended[one] - begun[one] for one in chosen)
    lost = PEOPLE * ROUNDS - sum(kept) - sum(told) - sum(unclear) + abs(sum(kept) - written) + abs(steps - written)
    return {"kept": sum(kept), "refused with what is there": sum(told), "otherwise": sum(unclear), "lost": lost}


if __name__ == "__main__":
    main()
