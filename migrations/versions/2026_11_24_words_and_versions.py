"""Words of a product and a category in other languages.

Only adds.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "8c1f6a2b7d35"
down_revision = "4d0e829a8f92"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "category_text",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_category_text_category_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category_text")),
        sa.UniqueConstraint("category_id", "language", name=op.f("uq_category_text_category_id_language")),
    )
    with op.batch_alter_table("product_text", schema=None) as batch_op:
        batch_op.add_column(sa.Column("facts", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("product_text", schema=None) as batch_op:
        batch_op.drop_column("facts")
    op.drop_table("category_text")
