"""The command `demo`."""

from __future__ import annotations

import click
from flask_babel import gettext as _

from backoffice import bootstrap, tables
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.demo.company import PASSWORD, PEOPLE
from backoffice.demo.history import write_history
from backoffice.demo.load import load
from backoffice.demo.visits import write_visits
from backoffice.public.errors import Refused

# the command may be the first to touch the database: every table is known by then
assert tables.metadata.tables


@click.group("demo")
def demo_group() -> None:
    """The demo company."""


@demo_group.command("load")
def demo_load() -> None:
    """Make the demo company; where there is a company already, its data is kept."""
    settings = Settings(demo=True)
    db = Database(settings.database_url)
    try:
        now = db.clock()
        load(db, media=settings.media_path, now=now)
        services = bootstrap.build(settings)
        write_history(services, now=now, say=click.echo)
        write_visits(services, now=now)
    except Refused as refused:
        click.echo(_("%(name)s is here already: its data is kept.", name=refused.details["name"]))
        return
    finally:
        db.dispose()
    click.echo(_("The demo company is ready. Log in at /desk/ with the password “%(password)s”:", password=PASSWORD))
    for email, name, role in PEOPLE:
        click.echo(f"  {role:10} {email}  ({name})")
