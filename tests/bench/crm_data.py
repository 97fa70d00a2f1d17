"""Fill the tables of sales for `make bench-crm`: customers, enquiries, a year's timelines, orders and profiles, by the server.

Customer 1 has the longest timeline, 10,000 entries; the company (the last party) has 200 people. One enquiry in twenty is open.
"""

from __future__ import annotations

import time
from datetime import datetime

import sqlalchemy as sa
from pwdlib import PasswordHash
from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.erp.models import Staff
from tests.company import open_company

PASSWORD = "hammer and nail"
LONGEST, MEMBERS, ORDERS_PER_LEAD = 10_000, 200, 5
BATCH = 100_000
FILL = (
    """INSERT INTO party (id, kind, name, email, phone, job, language, country, vat_number, source, campaign, facts,
                          customer_class, version, created_at)
       SELECT i, 'person', 'Customer ' || substr(md5(i::text), 1, 6) || ' ' || i, 'c' || i || '@example.test', '', '',
              CASE WHEN i % 3 = 0 THEN 'de' ELSE 'en' END, 'DE', '', 'web', '', '{}', 'retail', 1,
              CAST(:now AS timestamptz) - i % 900 * interval '1 day'
       FROM generate_series(1, :n) i""",
    """INSERT INTO party (id, kind, name, phone, language, country, company_key, facts, customer_class, version, created_at)
       SELECT :n + 1, 'company', 'The Company', '', 'en', 'DE', 'the company', '{}', 'retail', 1, CAST(:now AS timestamptz)""",
    "UPDATE party SET company_id = :n + 1 WHERE id BETWEEN 2 AND :members + 1",
    """INSERT INTO lead (id, number, party_id, kind, state, message, sku, postcode, source, page, language, owner_id, due_at,
                         follow_up_at, outcome, stage, value_minor, currency, score, created_at, version)
       SELECT i, 'L-' || lpad(i::text, 6, '0'), 1 + i % (:n / 2), (ARRAY['question', 'contact', 'quote_request'])[1 + i % 3],
              CASE WHEN i % 20 > 0 AND i > 1 THEN 'done' WHEN i % 3 = 0 THEN 'new' WHEN i % 3 = 1 THEN 'working'
                   ELSE 'answered' END,
              'Would this table also come in ' || (ARRAY['oak', 'beech', 'ash', 'walnut'])[1 + i % 4] || ', and could it be here '
                || 'before the holidays? Our file is ' || substr(md5(i::text), 1, 8) || '.',
              'STOOL', '10115', (ARRAY['web', 'fair', 'letter'])[1 + i % 3], '', 'en',
              CASE WHEN i % 60 = 0 THEN NULL ELSE 1 + i % :people END,
              CAST(:now AS timestamptz) + (i % 2000 - 1000) * interval '1 minute',
              CASE WHEN i % 40 = 0 AND i % 3 > 0 THEN CAST(:now AS timestamptz) + (i % 700 - 100) * interval '1 hour' END,
              CASE WHEN i % 20 = 0 OR i = 1 THEN '' WHEN i % 20 = 7 THEN 'lost' WHEN i % 20 = 9 THEN 'won' ELSE '' END,
              (ARRAY['lead', 'qualified', 'opportunity'])[1 + (i / 20) % 3],
              CASE WHEN i % 2 = 0 THEN i * 10 END, CASE WHEN i % 2 = 0 THEN 'EUR' ELSE '' END, i * 37 % 101,
              CAST(:now AS timestamptz) - (:n - i) * interval '5 minutes', 1
       FROM generate_series(1, :n) i""",
    """INSERT INTO activity (id, party_id, lead_id, kind, text, "values", actor, at)
       SELECT i, CASE WHEN i % (:entries / :longest) = 0 THEN 1 ELSE 1 + i % (:n / 2) END, 1 + i % :n,
              CASE WHEN i <= :n THEN 'message' WHEN i <= 2 * :n THEN 'answer' WHEN i <= 3 * :n AND i % 20 = 6 THEN 'lost'
                   WHEN i % 5 = 0 THEN 'call' ELSE 'note' END,
              'They would like to see a sample of the wood first.', '{}', 'Seller 1',
              CAST(:now AS timestamptz) - (:n - i % :n - 1) * interval '5 minutes' + i / :n * interval '90 minutes'
       FROM generate_series(:first, :last) i""",
    """INSERT INTO cart (id, token_hash, version, country, state, customer_class, created_at, updated_at)
       SELECT i, 'cart' || i, 1, 'DE', 'ordered', 'retail', CAST(:now AS timestamptz), CAST(:now AS timestamptz)
       FROM generate_series(1, :orders) i""",
    """INSERT INTO checkout (id, key, request_hash, cart_id, state, email, name, phone, street, city, postcode, country, note,
                             channel, language, currency, shipping_minor, total_minor, lines, link_nonce, token_hash, base_url,
                             created_at)
       SELECT i, 'k' || i, '', i, 'completed', 'c' || i || '@example.test', 'Customer', '', 'Weg 1', 'Berlin', '10115', 'DE', '',
              'web', 'en', 'EUR', 0, 9900, '[]', 'n' || i, 't' || i, '', CAST(:now AS timestamptz)
       FROM generate_series(1, :orders) i""",
    """INSERT INTO payment (id, checkout_id, provider, provider_ref, state, amount_minor, currency, opened_at, expires_at,
                            problem, ending)
       SELECT i, i, 'sandbox', 'p' || i, 'succeeded', 9900, 'EUR', CAST(:now AS timestamptz), CAST(:now AS timestamptz), '', ''
       FROM generate_series(1, :orders) i""",
    """INSERT INTO orders (id, number, checkout_id, payment_id, party_id, state, currency, shipping_minor, total_minor, placed_at,
                           tracking, version)
       SELECT i, 'SF-' || lpad(i::text, 6, '0'), i, i, 1 + i * 7 % (:n / 3),
              CASE WHEN i % 50 = 0 THEN 'cancelled' ELSE 'delivered' END, 'EUR', 0, 9900,
              CAST(:now AS timestamptz) - (:orders - i) * interval '1 minute' * (525600 / :orders), '', 1
       FROM generate_series(1, :orders) i""",
    """INSERT INTO reservation (id, item_id, quantity, state, owner_ref, order_ref, basis, ready_at, expires_at,
                                plan_version, chain)
       SELECT i, 1, 1, 'shipped', 'cart:' || i, 'SF-' || lpad(i::text, 6, '0'), 'stock', CAST(:now AS timestamptz),
              CAST(:now AS timestamptz), 1, '[]' FROM generate_series(1, :orders) i""",
    """INSERT INTO order_line (id, order_id, item_id, reservation_id, sku, name, options, quantity, unit_price_minor, basis,
                               promised_on, expected_on, actual_on, promise)
       SELECT id, id, 1, id, 'STOOL', 'Stool', '', 1, 9900, (ARRAY['stock', 'receipt', 'make'])[1 + id % 3],
              placed_at::date + 5, placed_at::date + 5, placed_at::date + 3 + (id % 4)::int, '{}' FROM orders""",
    """INSERT INTO profile (party_id, person_id, language, country, known_since, newsletter, visits, searches, orders,
                            spent_minor, last_order_at, first_order_at, last_seen_at, broken_promises)
       SELECT id, id, language, CASE WHEN id % 4 = 0 THEN 'AT' ELSE 'DE' END, created_at, id % 2 = 0, 1, 2, id % 7,
              id % 7 * 9900,
              CASE WHEN id % 7 > 0 THEN CAST(:now AS timestamptz) - id % 400 * interval '1 day' END,
              CASE WHEN id % 7 > 0 THEN CAST(:now AS timestamptz) - id % 900 * interval '1 day' END,
              CAST(:now AS timestamptz) - id % 90 * interval '1 day', id % 3
       FROM party WHERE kind = 'person'""",
)


def fill(db: Database, leads: int, entries: int, people: int, now: datetime) -> float:
    """Write them, and as many sellers (s0@werk.test …) as `people`; return in how many seconds."""

    def sellers(session: Session) -> None:
        open_company(session, now=now)
        hashed = PasswordHash.recommended().hash(PASSWORD)
        for one in range(people):
            mail, role = f"s{one}@werk.test", "admin" if one == 0 else "sales"
            session.add(Staff(email=mail, name=f"Seller {one}", role=role, password_hash=hashed, created_at=now))

    db.run(sellers)
    values = {"n": leads, "entries": entries, "people": people, "longest": LONGEST, "members": MEMBERS, "now": now}
    values["orders"] = leads // ORDERS_PER_LEAD
    started = time.perf_counter()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in FILL:
            whole = ":last" not in statement
            for first in range(1, entries + 1, entries if whole else BATCH):
                given = values | {"first": first, "last": min(first + BATCH - 1, entries)}
                asked = sa.text(statement)
                connection.execute(asked, {name: given[name] for name in asked.compile().params})
        for table in ("party", "lead", "activity", "cart", "checkout", "payment", "orders", "reservation", "order_line"):
            last = sa.select(sa.func.max(sa.column("id"))).select_from(sa.table(table)).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table, "id"), last)))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("VACUUM ANALYZE")
    return time.perf_counter() - started
