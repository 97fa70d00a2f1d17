"""A version for each person and company, and what makes a company known once.

Columns have a default that the server knows, so that the program of before goes on working while this runs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b1d4c07e5a62"
down_revision = "b7d2c94e1a60"
branch_labels = None
depends_on = None

KNOWN_BY_VAT = sa.text("kind = 'company' AND vat_number <> ''")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.add_column(sa.Column("country", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("company_key", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="1", nullable=False)
        )
        batch_op.create_unique_constraint(batch_op.f("uq_party_country_company_key"), ["country", "company_key"])
        batch_op.create_check_constraint(batch_op.f("ck_party_belongs"), "kind = 'person' OR company_id IS NULL")
    op.create_index(
        "uq_party_company_vat_number",
        "party",
        ["vat_number"],
        unique=True,
        sqlite_where=KNOWN_BY_VAT,
        postgresql_where=KNOWN_BY_VAT,
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("uq_party_company_vat_number", table_name="party")
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_party_belongs"), type_="check")
        batch_op.drop_constraint(batch_op.f("uq_party_country_company_key"), type_="unique")
        batch_op.drop_column("version")
        batch_op.drop_column("company_key")
        batch_op.drop_column("country")
