"""10,000 posts of a bot that says one thing from everywhere, while 200 people write.

`python -m tests.bench.leads [posts] [people]`
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from backoffice.crm.models import Lead, Party
from backoffice.db import Database
from backoffice.local.orders import LocalLeads
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


def main(posts: int, people: int) -> None:
    """Print the figures on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{Path(folder) / 'flood.db'}")
        metadata.create_all(db.engine)
        db.run(lambda session: open_company(session, now=NOW))
        started = time.perf_counter()
        came = flood(db, posts, people)
        print(f"{posts} posts, {people} people: {came} in {time.perf_counter() - started:.0f} s")
        db.dispose()


if __name__ == "__main__":
    main(*(int(one) for one in (sys.argv[1:] or ("10000", "200"))))
