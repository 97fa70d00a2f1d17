"""Kits and phantoms: two more ways in which an item comes, and the reservation of a kit, whose goods are those parted from it.

Loosens a constraint and adds a column with a default that the server knows; the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c47a0e9b52d1"
down_revision = "b93d5e7f1a06"
branch_labels = None
depends_on = None

BEFORE = "source IN ('buy', 'make', 'none')"
AFTER = "source IN ('buy', 'make', 'kit', 'phantom', 'none')"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_item_source"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_item_source"), AFTER)
        batch_op.create_check_constraint(batch_op.f("ck_item_kit"), "source <> 'kit' OR sell_from = 'production'")
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kit", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    """Take back. Of kits and phantoms there is only what is there; open orders of kits lose sight of their goods."""
    with op.batch_alter_table("reservation", schema=None) as batch_op:
        batch_op.drop_column("kit")
    op.execute("UPDATE item SET source = 'none' WHERE source IN ('kit', 'phantom')")
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_item_kit"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_item_source"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_item_source"), BEFORE)
