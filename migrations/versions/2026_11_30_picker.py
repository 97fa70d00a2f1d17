"""Who picks a parcel or a wave, by their number, and since when. Only adds: rows of before keep their picker's name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "e2b6c07a914f"
down_revision = "d8a3f61c0b57"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("wave", schema=None) as batch_op:
        batch_op.add_column(sa.Column("picker_id", BIG, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_wave_picker_id"), "staff", ["picker_id"], ["id"])
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("picker_id", BIG, nullable=True))
        batch_op.add_column(sa.Column("picking_since_at", AT, nullable=True))
        batch_op.add_column(sa.Column("last_step_at", AT, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_shipment_picker_id"), "staff", ["picker_id"], ["id"])


def downgrade() -> None:
    """Undo: the pickers' names stay."""
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_shipment_picker_id"), type_="foreignkey")
        for column in ("last_step_at", "picking_since_at", "picker_id"):
            batch_op.drop_column(column)
    with op.batch_alter_table("wave", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_wave_picker_id"), type_="foreignkey")
        batch_op.drop_column("picker_id")
