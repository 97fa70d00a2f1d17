"""Commands: `person export` and `person forget`, for what somebody may ask of us by law."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click

from backoffice import tables
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.privacy import forgetting, telling
from backoffice.privacy.person import find_by_email
from backoffice.public.errors import Refused

# the command may be the first to touch the database: every table is known by then
assert tables.metadata.tables


@contextmanager
def _person(email: str) -> Iterator[tuple[Database, int]]:
    db = Database(Settings().database_url)
    try:
        with db.read() as session:
            party_id = find_by_email(session, email)
        if party_id is None:
            raise click.ClickException("Nobody with this e-mail is known. Nothing was changed.")
        yield db, party_id
    except Refused as error:
        why = {"not_a_person": "This is a company.", "still_open": "Goods or money are still on their way to them or from them."}
        raise click.ClickException(f"{why[error.code]} Nothing was changed.") from error
    finally:
        db.dispose()


@click.group("person")
def person_group() -> None:
    """What is known of a customer: handed out to them, or forgotten."""


@person_group.command("export")
@click.argument("email")
def export(email: str) -> None:
    """Write all that is known of EMAIL as JSON on standard output."""
    with _person(email) as (db, party_id):
        known = db.run(lambda session: telling.hand_out(session, party_id, by="command", role="", now=db.clock()))
    click.echo(json.dumps(known, ensure_ascii=False, indent=2))


@person_group.command("forget")
@click.argument("email")
@click.confirmation_option(prompt="This cannot be taken back. Forget them?")
def forget(email: str) -> None:
    """Forget EMAIL: account, addresses, messages; orders keep goods and amounts."""
    with _person(email) as (db, party_id):
        forgetting.forget(db, party_id, mails=Settings().mail_path, by="command", role="", now=db.clock())
    click.echo("Forgotten. Orders keep their goods and amounts, and say nothing of who it was.")
