"""`make bench-campaigns`: a campaign to 10,000 people on PostgreSQL, from the confirmed sending to the last letter handed in.

The worker's own routine and carrier; the mail server is a function that counts. Prints how long it took, the most statements that
one batch of a hundred people sent, and how much the process grew, at 1,000 people and at 10,000. A last JSON line.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from backoffice.bootstrap import wire
from backoffice.bridge import outbox
from backoffice.bridge.campaign_post import CampaignPost
from backoffice.crm import campaign_sending, campaigns, identity, segments
from backoffice.crm.models import CampaignRecipient
from backoffice.crm.segment_rules import Condition
from backoffice.db import Database
from backoffice.tables import metadata
from tests import statements
from tests.company import open_company
from tests.need import postgres_database

PEOPLE = 10_000
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
TEXTS = {"en": {"subject": "New in oak", "body": "Hello {first_name},\n\n{link}"}}
FILL = f"""
INSERT INTO party (kind, name, email, phone, language, facts, customer_class, created_at)
SELECT 'person', 'Ada ' || i, 'n' || i || '@post.test', '', 'en', '{{}}', 'retail', now() FROM generate_series(1, {PEOPLE}) i;
INSERT INTO consent (party_id, purpose, wording, language, source, evidence, given_at, confirmed_at)
SELECT id, 'newsletter', 'Yes', 'en', 'form', '{{}}', '2026-01-01', '2026-01-01' FROM party;
"""  # noqa: S608 - a whole number of this file


def main() -> None:
    """Send it, and say what it took."""
    with postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        wire()
        _fill(db)
        handed: list[str] = []
        post = CampaignPost(db, lambda message: handed.append(str(message.payload["to"])), "a secret", lambda: NOW)
        began, most, grown = time.monotonic(), 0, {}
        while True:
            with statements.sent(db) as said:
                queued = campaign_sending.send_due(db, now=NOW)
            most = max(most, len(said))
            if not queued:
                break
            for message in iter(lambda: db.run(lambda session: outbox.lease(session, "bench", now=NOW, limit=100)), []):
                for one in message:
                    post(one)
                    db.run(lambda session, one=one: outbox.done(session, one, "bench", now=NOW))  # type: ignore[misc] # bound now
            if len(handed) in (1_000, PEOPLE):
                grown[len(handed)] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        took = time.monotonic() - began
        with db.read() as session:
            sent = session.scalar(sa.select(sa.func.count()).where(CampaignRecipient.state == "sent"))
        db.dispose()
    found = {
        "seconds": round(took, 1),
        "statements_of_a_batch": most,
        "mib": grown,
        "sent": sent,
        "twice": PEOPLE - len(set(handed)),
    }
    sys.stdout.write(f"{json.dumps(found)}\n")


def _fill(db: Database) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql(FILL)
    db.run(lambda session: open_company(session, now=NOW - timedelta(days=1)))
    db.run(identity.add_profiles)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")

    def write(session: sa.orm.Session) -> None:
        everybody = [Condition("visits", "at_least", 0)]
        segment = segments.save(session, None, name="All", matching="all", conditions=everybody, now=NOW)
        row = campaigns.save(
            session, None, name="Oak", segment_id=segment.id, texts=TEXTS, own="en", starts_at=None, by="bench", now=NOW
        )
        campaigns.send(session, row.id, version=1, addresses={"en": "https://shop.test"}, by="bench", now=NOW)

    db.run(write)


if __name__ == "__main__":
    main()
