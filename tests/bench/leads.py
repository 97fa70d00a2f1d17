"""What leads take: 10,000 posts of a bot that says one thing from everywhere, while 200 people write; an inbox of 100,000.

`python -m tests.bench.leads flood [posts] [people]`, `python -m tests.bench.leads inbox [leads]`
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from backoffice.crm import score_keeping
from backoffice.crm.models import Lead, Party
from backoffice.db import Database
from backoffice.desk import inbox
from backoffice.local.leads import LocalLeads
from backoffice.public.errors import ShopError
from backoffice.public.leads import LeadForm
from backoffice.tables import metadata
from tests.company import open_company
from tests.conftest import NOW

SPAM = "Dear sir, we can put your shop on the first page of every search engine."


@dataclass(frozen=True)
class Came:
    """What became of it: leads of the bot that sales sees, people's that it sees, people who were refused, all that was kept."""

    of_bot: int
    of_people: int
    refused: int
    kept: int


def flood(db: Database, posts: int, people: int) -> Came:
    """Post the bot's text from another network and another address each time, and people's own words in between."""
    door, refused = LocalLeads(db, "secret"), 0
    every = max(1, posts // people)
    for number in range(posts):
        network = f"10.{number // 250 % 250}.{number % 250}.7"
        _send(door, LeadForm(f"b{number}", "contact", "Best Offer", f"b{number}@bot.test", "", SPAM, who_asks=network))
        if number % every == 0 and number // every < people:
            who = number // every
            asked = f"Does item {who} come in oak, and when could it be here?"
            form = LeadForm(f"p{who}", "contact", f"Person {who}", f"p{who}@people.test", "", asked, who_asks=f"11.0.{who}.9")
            refused += not _send(door, form)
    with db.read() as session:

        def count(mail: str, *, seen: bool) -> int:
            found = sa.select(sa.func.count()).select_from(Lead).join(Party).where(Party.email.like(f"%@{mail}.test"))
            return session.scalar(found.where(Lead.state != "quarantined") if seen else found) or 0

        kept = count("bot", seen=False) + count("people", seen=False)
        return Came(count("bot", seen=True), count("people", seen=True), refused, kept)


def _send(door: LocalLeads, form: LeadForm) -> bool:
    try:
        door.submit(form, now=NOW)
    except ShopError:
        return False
    return True


def measure_flood(db: Database, posts: int = 10_000, people: int = 200) -> None:
    """Print what became of a flood."""
    started = time.perf_counter()
    came = flood(db, posts, people)
    print(f"{posts} posts, {people} people: {came} in {time.perf_counter() - started:.0f} s")


def measure_inbox(db: Database, leads: int = 100_000) -> None:
    """Print how long the two first lists of an inbox take, and scoring 5,000 leads."""
    people, at_once = 20_000, 10_000
    with db.write() as session:
        session.execute(
            sa.insert(Party),
            [{"name": f"P {one}", "email": f"p{one}@people.test", "facts": {}, "created_at": NOW} for one in range(people)],
        )
        for start in range(0, leads, at_once):
            session.execute(sa.insert(Lead), [_lead(one, people) for one in range(start, min(start + at_once, leads))])
    started = time.perf_counter()
    scored = score_keeping.score_open(db, now=NOW)
    print(f"{scored} leads scored in {time.perf_counter() - started:.1f} s")
    for state in ("call_first", "open"):
        took = []
        for _ in range(7):
            with db.read() as session:
                started = time.perf_counter()
                filters = inbox.Filters(state=state)
                inbox.find_inbox(session, filters, staff_id=1, now=NOW, day_ends=NOW + timedelta(hours=12))
                took.append(time.perf_counter() - started)
        print(f"inbox {state}, {leads} leads: median {statistics.median(took) * 1000:.0f} ms, worst {max(took) * 1000:.0f} ms")


def _lead(number: int, people: int) -> dict[str, object]:
    state = "new" if number % 20 == 0 else "done"
    return {
        "number": f"L-{number:06d}",
        "party_id": number % people + 1,
        "kind": "question",
        "state": state,
        "message": f"Question {number}",
        "sku": ("STOOL", "SHELF", "TABLE")[number % 3],
        "quantity": number % 7 + 1,
        "due_at": NOW + timedelta(minutes=number % 5_000),
        "created_at": NOW,
        "score": number % 101,
    }


def main(what: str, *numbers: int) -> None:
    """Measure on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{Path(folder) / 'leads.db'}")
        metadata.create_all(db.engine)
        db.run(lambda session: open_company(session, now=NOW))
        {"flood": measure_flood, "inbox": measure_inbox}[what](db, *numbers)
        db.dispose()


if __name__ == "__main__":
    main(sys.argv[1], *(int(one) for one in sys.argv[2:]))
