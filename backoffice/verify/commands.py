"""Command: `verify` says whether everything still adds up."""

from __future__ import annotations

import click

from backoffice import migrate, tables
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.verify import RULES, breaches


@click.command()
def verify() -> None:
    """Check that all figures still add up: stock, promises, money, messages. A line per breach, exit 1 if there is any."""
    assert tables.metadata.tables
    db = Database(Settings().database_url)
    try:
        with db.read() as session:
            if migrate.find_revision(session.connection()) != migrate.head():
                raise click.ClickException("The database is not at this program's tables: run `shopfloor migrate` first.")
            found = breaches(session, now=db.clock())
    finally:
        db.dispose()
    for line in found:
        click.echo(line)
    if found:
        raise SystemExit(1)
    click.echo(f"All {len(RULES)} rules hold.")
