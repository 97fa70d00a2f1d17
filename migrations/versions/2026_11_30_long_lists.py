"""Indexes for long lists and reports: newest first, who has heard; on PostgreSQL by what is next due, score, value and words too.

With them come the indexes of columns that earlier migrations added to tables that shops are writing to.

Only adds. Words need the extension pg_trgm: where it cannot be switched on they are read row by row, and `shopfloor migrate` goes on.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backoffice import migrate

revision = "d7b3e91f5a04"
down_revision = "c43a1e7d5b08"
branch_labels = None
depends_on = None

TRIGRAMS = """DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN NULL; END $$"""
HAS_TRIGRAMS = "SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'"
OPEN = "state IN ('new', 'working', 'answered')"
DUE = "coalesce(CASE WHEN (state != 'new') THEN follow_up_at END, due_at)"
LEAD_WORDS = (
    "coalesce(number, '') || '\n' || coalesce(sku, '') || '\n' || coalesce(order_ref, '') || '\n' || coalesce(message, '')"
)
PARTY_WORDS = "coalesce(name, '') || '\n' || coalesce(email, '') || '\n' || coalesce(phone, '')"
PLAIN = {
    "ix_orders_to_invoice": "orders (id) WHERE to_invoice",
    "ix_stock_movement_lot_id": "stock_movement (lot_id)",
    "ix_peg_lot_id": "peg (lot_id)",
    "ix_party_phone_key": "party (phone_key)",
    "ix_lead_state_score": "lead (state, score)",
    "ix_lead_lost_reason_id": "lead (lost_reason_id)",
    "ix_lead_open_stage": f"lead (stage, id) WHERE {OPEN}",
    "ix_lead_created_at_id": "lead (created_at, id)",
    "ix_activity_heard": "activity (lead_id, at) WHERE kind IN ('answer', 'call')",
    "ix_activity_lost": "activity (lead_id) WHERE kind = 'lost'",
}
BY_EXPRESSION = {
    "ix_lead_open_due": f"lead ({DUE}, id) WHERE {OPEN}",
    "ix_lead_open_stage_due": f"lead (stage, {DUE}, id) WHERE {OPEN}",
    "ix_lead_open_urgency": f"lead ((-score), due_at, id) WHERE {OPEN}",
    "ix_lead_worth": "lead (coalesce(value_minor, -1), id)",
}
WORDS = {
    "ix_lead_words": f"lead USING gin (lower({LEAD_WORDS}) gin_trgm_ops)",
    "ix_party_words": f"party USING gin (lower({PARTY_WORDS}) gin_trgm_ops)",
}


def upgrade() -> None:
    """Apply: on PostgreSQL while others go on writing."""
    if op.get_context().dialect.name == "sqlite":
        migrate.build_indexes(PLAIN)
        return
    with op.get_context().autocommit_block():
        op.execute(TRIGRAMS)
        can = op.get_bind().scalar(sa.text(HAS_TRIGRAMS)) is not None
    migrate.build_indexes(PLAIN | BY_EXPRESSION | (WORDS if can else {}))


def downgrade() -> None:
    """Undo. The extension stays: somebody else may use it."""
    for name in (*PLAIN, *BY_EXPRESSION, *WORDS):
        op.execute(f"DROP INDEX IF EXISTS {name}")
