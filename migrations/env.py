"""Alembic's entry: our tables, our settings, one transaction per migration."""

from __future__ import annotations

from alembic import context

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.tables import metadata

config = context.config
url = config.attributes.get("url") or Settings().database_url
database = Database(url)
with database.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=database.is_sqlite,
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
database.dispose()
