"""Partners of the API belong to a class of customers; those who have a key already are retail, as they were.

Only adds; the column has a default that the server knows, so that the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "d91c4be27f05"
down_revision = "c5d81f0e6a34"
branch_labels = None
depends_on = None

CLASSES = "customer_class IN ('retail', 'trade', 'key')"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("customer_class", sa.Text(), server_default="retail", nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_api_key_customer_class"), CLASSES)


def downgrade() -> None:
    """Take back. Every partner is retail again; what is held for one stays held."""
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_api_key_customer_class"), type_="check")
        batch_op.drop_column("customer_class")
