"""The carrier's own day of a parcel, as of when it left.

Only adds; of parcels that are on their way it is not known, and they are measured by the day that was told, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "e2a06b7d94c1"
down_revision = "d91c4be27f05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("carrier_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.drop_column("carrier_on")
