"""R15, small: a database without room; who writes to us is told to come back, and is heard as soon as there is room.

SQLite is allowed no more pages than it has. PostgreSQL refuses a row with the code of a full disk, as it does when the file of a
table cannot grow; that its server ends itself when its log cannot is for the shard `full-postgresql`.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from backoffice.crm.models import Lead
from backoffice.db import Database
from tests.buyers import hidden
from tests.company import open_company
from tests.conftest import FixedClock

LETTERS = 8  # what is free in the pages that there are holds some of them
ROOM = 1_000_000
FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON lead FOR EACH ROW EXECUTE FUNCTION no_room();
"""


def write_to_us(client: FlaskClient, clock: FixedClock, number: int) -> tuple[str, str]:
    """Write a letter from an address of one's own; return (what came of it, its words)."""
    client.environ_base["REMOTE_ADDR"] = f"10.1.1.{number}"
    words = f"Question {number}: " + "is it bright? " * 250
    form = {"key": hidden(client.get("/contact").text, "key"), "name": "Ada", "email": f"ada{number}@example.test", "website": ""}
    clock.advance(seconds=20)
    answer = client.post("/contact", data=form | {"message": words})
    if answer.status_code == 503:
        return ("told" if words in answer.text and answer.headers["Retry-After"] else "lost"), " ".join(words.split())
    return str(answer.status_code), " ".join(words.split())


def room(db: Database, pages: int) -> None:
    """Let an SQLite database have so many pages."""
    db.dispose()
    sa.event.listen(db.engine, "connect", lambda opened, _: opened.execute(f"PRAGMA max_page_count = {pages}"))


def fill(db: Database) -> None:
    """Leave no room."""
    if db.is_sqlite:
        with db.read() as session:
            room(db, session.scalar(sa.text("PRAGMA page_count")) or 0)
        return
    with db.engine.begin() as connection:
        connection.exec_driver_sql(FULL)


def empty_disk(db: Database) -> None:
    """Make room again."""
    if db.is_sqlite:
        room(db, ROOM)
        return
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS no_room CASCADE")


def kept(db: Database) -> set[str]:
    with db.read() as session:
        return {" ".join(words.split()) for words in session.scalars(sa.select(Lead.message))}


def test_nothing_that_was_answered_is_lost(app: Flask, client: FlaskClient, clock: FixedClock) -> None:
    db = app.extensions["shopfloor"].db
    db.run(lambda session: open_company(session, now=clock()))
    said = [write_to_us(client, clock, 0)]
    assert said[0][0] == "303"
    fill(db)
    try:
        while_full = [write_to_us(client, clock, number) for number in range(1, LETTERS)]
        assert {came for came, _ in while_full} <= {"303", "told"}
        assert while_full[-1][0] == "told"
        assert client.get("/p/stool").status_code == 200
    finally:
        empty_disk(db)
    said += [*while_full, write_to_us(client, clock, LETTERS)]
    assert said[-1][0] == "303"
    assert kept(db) == {words for came, words in said if came == "303"}
    if db.is_sqlite:
        with db.read() as session:
            assert session.scalar(sa.text("PRAGMA integrity_check")) == "ok"


@pytest.mark.postgresql
def test_the_code_of_a_full_disk_is_postgresqls_own(postgres_db: Database) -> None:
    fill(postgres_db)
    try:
        with pytest.raises(sa.exc.OperationalError) as found, postgres_db.write() as session:
            session.execute(sa.text("INSERT INTO lead DEFAULT VALUES"))
    finally:
        empty_disk(postgres_db)
    assert type(found.value.orig).__name__ == "DiskFull"
