"""Indexes from what was said, and from a mail, to its service case. Only adds."""

from __future__ import annotations

from alembic import op

from backoffice import migrate

revision = "f1c84d20b7e3"
down_revision = "c5a41d70e2b8"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_mail_taken_case_id": "mail_taken (case_id)",
    "ix_activity_case_id": "activity (case_id) WHERE case_id IS NOT NULL",
}


def upgrade() -> None:
    """Apply: on PostgreSQL while others go on writing."""
    migrate.build_indexes(INDEXES)


def downgrade() -> None:
    """Undo."""
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
