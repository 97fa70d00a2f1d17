"""Alembic's entry: our tables, our settings, one transaction per migration, one migrating process at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.tables import metadata

LOCK = 7_416_350_262  # any number of our own: who migrates holds it

url = context.config.attributes.get("url") or Settings().database_url
database = Database(url)
with database.engine.connect().execution_options(shopfloor_write=True) as connection:
    if not database.is_sqlite:  # there BEGIN IMMEDIATE lets one in at a time
        connection.execute(sa.text("SET statement_timeout = 0"))
        connection.execute(sa.text("SET lock_timeout = '60s'"))
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
        connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=database.is_sqlite,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
database.dispose()
