"""`make bench-crm`: the sales desk over 100,000 enquiries and 1,000,000 entries of timelines, and eight people who edit at once.

On PostgreSQL, served by gunicorn, over one kept connection of somebody who is logged in: inbox, board, lists and searches, the
page of the customer with 10,000 entries, of a company with 200 people, an enquiry, the count of a hundred segments drawn at
random, and a year's reports. Beside the time on the wall stands the CPU that web and database took for a request, which
neighbours on the machine do not stretch, and how many statements a page sends. Then 800 edits of 100 enquiries by eight people,
each from the version that they last saw: every one is kept or refused with what is there now, and none is lost. Prints a table
and a last JSON line; exits 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import html
import http.client
import json
import random
import re
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import sqlalchemy as sa
from flask.testing import FlaskClient

import wsgi
from backoffice.config import Settings
from backoffice.crm import leads
from backoffice.crm.models import Activity, Lead
from backoffice.db import Database
from backoffice.public.errors import Refused
from backoffice.tables import metadata
from tests import statements
from tests.bench.crm_data import PASSWORD, fill
from tests.bench.segments import any_segment
from tests.bench.serving import cpu_of, cpu_of_each, percentile
from tests.integration.leads.conftest import Person
from tests.need import Gunicorn, postgres_database

GOAL_MS, GOAL_REPORTS_MS, GOAL_STATEMENTS = 200, 500, 30
PEOPLE, ROUNDS, EDITED, SEGMENTS, WARM_UP = 8, 100, 100, 100, 10


@dataclass(frozen=True, slots=True)
class Figure:
    """What a page took. cpu: of web and database for a request, on average; statements: that it sends."""

    page: str
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    statements: int
    goal_ms: int

    @property
    def met(self) -> bool:
        """Tell whether it was fast enough and asked little enough."""
        return self.p95_ms < self.goal_ms and self.statements <= GOAL_STATEMENTS


def pages(leads_there: int, now: datetime) -> dict[str, Sequence[str]]:
    """Return each kind of page with the addresses that are asked for in turn."""
    half = leads_there // 2
    there = quote(f"{(now - timedelta(minutes=5 * half)).isoformat()}~{half}")
    chance = random.Random(1)  # noqa: S311 - the same segments each time
    return {
        "inbox": ["/desk/sales"],
        "inbox, whom to call first": ["/desk/sales?state=call_first"],
        "inbox, all, half-way through": [f"/desk/sales?state=any&after={there}"],
        "inbox, a word in every fourth": ["/desk/sales?state=any&q=walnut"],
        "inbox, a word that is nowhere": ["/desk/sales?state=any&q=zeppelin"],
        "inbox, one customer's e-mail": [f"/desk/sales?state=any&q=c{half - 7}%40example.test"],
        "board": ["/desk/sales/pipeline"],
        "list by deadline": ["/desk/sales/list"],
        "list by value": ["/desk/sales/list?sort=value&state=any"],
        "list, an enquiry's number": [f"/desk/sales/list?state=any&sort=new&q=L-{half:06}"],
        "customer with 10,000 entries": ["/desk/sales/customers/1"],
        "company with 200 people": [f"/desk/sales/customers/{leads_there + 1}"],
        "enquiry": [f"/desk/sales/leads/{20 * one}" for one in range(1, 40)],
        "count of a segment": [_count_of(*any_segment(chance)) for _ in range(SEGMENTS)],
        "reports of 12 months": ["/desk/reports?months=12"],
    }


def _count_of(matching: str, conditions: Sequence[Any]) -> str:
    form = {"matching": matching}
    for number, one in enumerate(conditions):
        form |= {f"what-{number}": f"{one.field} {one.operator}", f"value-{number}": str(one.value or 0)}
    return f"/desk/sales/segments/count?{urlencode(form)}"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=100, help="of each page")
    given = parser.parse_args()
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder, postgres_database() as url:
        db = Database(url)
        metadata.create_all(db.engine)
        took = fill(db, given.leads, given.entries, PEOPLE, now)
        print(f"{given.leads} enquiries and {given.entries} entries written in {took:.0f} s")
        settings = Settings(
            database_url=url, var_dir=Path(folder), secret_key="b" * 40, second_step="nobody", trusted_hosts="127.0.0.1,localhost"
        )
        asked = count_statements(settings, pages(given.leads, now))
        site = Gunicorn(settings, workers=2, threads=4, log=Path(folder) / "site.log")
        figures = []
        try:
            site.wait_until_ready()
            cookie = log_in(site.address)
            print(f"{'page':32}{'p50 ms':>9}{'p95 ms':>9}{'CPU ms':>9}{'statements':>12}{'goal ms':>9}")
            for name, paths in pages(given.leads, now).items():
                goal = GOAL_REPORTS_MS if name.startswith("reports") else GOAL_MS
                one = Figure(name, *ask(db, site, paths, cookie, given.requests), asked[name], goal)
                figures.append(one)
                print(
                    f"{name:32}{one.p50_ms:9.1f}{one.p95_ms:9.1f}{one.cpu_ms:9.1f}{one.statements:12}{goal:9}"
                    + ("" if one.met else "  missed")
                )
        finally:
            site.stop()
        edits = edit_at_once(db, now)
        print(f"{PEOPLE * ROUNDS} edits by {PEOPLE} people: {edits}")
        db.dispose()
    missed = [one.page for one in figures if not one.met] + (["edits"] if edits["lost"] or edits["otherwise"] else [])
    said = {"bench": "crm", "leads": given.leads, "entries": given.entries, "pages": [asdict(one) for one in figures]}
    print(json.dumps(said | {"edits": edits, "missed": missed}))
    sys.exit(bool(missed))


def count_statements(settings: Settings, wanted: dict[str, Sequence[str]]) -> dict[str, int]:
    """Return how many statements a page of each kind sends when it is asked for a second time."""
    site = wsgi.create_app(settings)
    client: FlaskClient = site.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/desk/login").text)
    assert token
    form = {"csrf_token": token[1], "email": "s0@werk.test", "password": PASSWORD}
    assert client.post("/desk/login", data=form, headers={"Origin": "http://localhost"}).status_code == 303
    db: Database = site.extensions["shopfloor"].db
    for paths in wanted.values():
        assert client.get(paths[0]).status_code == 200, paths[0]
    found = {name: statements.count(db, lambda path=paths[0]: client.get(path)) for name, paths in wanted.items()}  # type: ignore[misc] # of the loop
    db.dispose()
    return found


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


def ask(db: Database, site: Gunicorn, paths: Sequence[str], cookie: str, number: int) -> tuple[float, float, float]:
    """Open pages in turn, so many times after some to warm up; return median and p95 on the wall and the CPU of each, in ms."""
    connection = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=60)
    took = []
    for turn in range(-WARM_UP, number):
        if turn == 0:
            before = cpu_of(site.pid) + cpu_of_each(backends(db))
        path, started = paths[turn % len(paths)], time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie})
        answer = connection.getresponse()
        body = answer.read()
        if turn >= 0:
            took.append(1000 * (time.perf_counter() - started))
        assert answer.status == 200, (path, answer.status, html.unescape(body.decode())[:300])
    used = cpu_of(site.pid) + cpu_of_each(backends(db)) - before
    return round(percentile(took, 0.5), 1), round(percentile(took, 0.95), 1), round(1000 * used / number, 1)


def backends(db: Database) -> Sequence[int]:
    """Return the numbers of the database's processes that serve somebody; their helpers for one statement are not counted."""
    with db.read() as session:
        return session.scalars(
            sa.text("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        ).all()


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
