"""Facets belong to items, and those of what is there are written.

The table had no rows: nothing wrote to it yet. It is made anew, and filled from facts and options in parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "b7d2c94e1a60"
down_revision = "8c1f6a2b7d35"
branch_labels = None
depends_on = None

LONGEST = 80
AT_ONCE = 500


def _id() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.drop_table("product_facet")
    made = op.create_table(
        "product_facet",
        sa.Column("id", _id(), nullable=False),
        sa.Column("product_id", _id(), nullable=False),
        sa.Column("item_id", _id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_product_facet_item_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_facet_product_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_facet")),
        sa.UniqueConstraint("item_id", "name", "value", name=op.f("uq_product_facet_item_id_name_value")),
    )
    op.create_index("ix_product_facet_name_value", "product_facet", ["name", "value"], unique=False)
    op.create_index("ix_product_facet_product_id", "product_facet", ["product_id"], unique=False)
    _fill(made)


def _fill(made: sa.Table) -> None:
    item = sa.table("item", sa.column("id"), sa.column("product_id"), sa.column("options", sa.JSON()))
    product = sa.table("product", sa.column("id"), sa.column("facts", sa.JSON()))
    rows = sa.select(item.c.id, product.c.id, product.c.facts, item.c.options).join(product, product.c.id == item.c.product_id)
    last = 0
    while part := op.get_bind().execute(rows.where(item.c.id > last).order_by(item.c.id).limit(AT_ONCE)).all():
        last = part[-1][0]
        found = [
            {"product_id": product_id, "item_id": item_id, "name": name, "value": value}
            for item_id, product_id, facts, options in part
            for name, value in sorted(_pairs(facts or {}, options or {}))
        ]
        if found:
            op.bulk_insert(made, found)


def _pairs(facts: Mapping[str, Any], options: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the facets of an item, as the program wrote them when this migration was made."""
    found = ((str(name).strip(), str(value).strip()) for one in (facts, options) for name, value in one.items())
    return {(n, v) for n, v in found if n and v and ":" not in n and max(len(n), len(v)) <= LONGEST}


def downgrade() -> None:
    """Take back: facets of pages, none written."""
    op.drop_table("product_facet")
    op.create_table(
        "product_facet",
        sa.Column("id", _id(), nullable=False),
        sa.Column("product_id", _id(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_facet_product_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_facet")),
        sa.UniqueConstraint("product_id", "name", "value", name=op.f("uq_product_facet_product_id_name_value")),
    )
    op.create_index("ix_product_facet_name_value", "product_facet", ["name", "value"], unique=False)
