"""Alembic's entry: our tables, our settings, one transaction per migration, one migrating process at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.migrate import LOCK_TIMEOUT, compare_default, compare_index
from backoffice.tables import metadata

LOCK = 7_416_350_262  # any number of our own: who migrates holds it

url = context.config.attributes.get("url") or Settings().database_url
database = Database(url)
try:
    with database.engine.connect().execution_options(shopfloor_write=True) as connection:
        if database.is_sqlite:  # making a table anew drops the old one, which must not take the rows that point to it along
            connection.rollback()
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
        else:  # on SQLite BEGIN IMMEDIATE lets one in at a time
            connection.execute(sa.text("SET statement_timeout = 0"))
            connection.execute(sa.text("SET lock_timeout = '60s'"))
            connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
            connection.execute(sa.text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=database.is_sqlite,
            transaction_per_migration=True,
            compare_type=True,
            compare_server_default=compare_default,
            include_object=compare_index,
        )
        with context.begin_transaction():
            context.run_migrations()
finally:  # also the lock of who migrates goes with the connection
    database.dispose()
