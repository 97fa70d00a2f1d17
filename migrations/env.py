"""Alembic's entry: our tables, our settings, one transaction per migration, one migrating process at a time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.ddl.postgresql import PostgresqlImpl

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.migrate import LOCK_TIMEOUT, compare_default, compare_index, unvalidated_constraints
from backoffice.tables import metadata

LOCK = 7_416_350_262  # any number of our own: who migrates holds it

validate_later = context.config.attributes.get("validate_later", False)


class Postgresql(PostgresqlImpl):
    """How PostgreSQL is told. On the way up a constraint of a table that is there holds for new rows at once; for the old ones it
    is validated after the migration, when nobody has to wait for it any more.
    """

    __dialect__ = "postgresql"

    def add_constraint(self, const: sa.Constraint, **kw: Any) -> None:
        """Add a constraint."""
        if validate_later and isinstance(const, (sa.CheckConstraint, sa.ForeignKeyConstraint)):
            const.dialect_options["postgresql"]["not_valid"] = True
        super().add_constraint(const, **kw)


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
        if not database.is_sqlite:
            for validation in unvalidated_constraints(connection):
                connection.execute(validation)
                connection.commit()
finally:  # also the lock of who migrates goes with the connection
    database.dispose()
