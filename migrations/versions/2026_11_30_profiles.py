"""Visits, whose they were, what is known of each person; segments. Only adds: the program of before goes on working."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c41d7e0a92b6"
down_revision = "c40b7d1e92f6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "profile_mark",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("activity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_profile_mark")),
    )
    op.create_table(
        "segment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("matching", sa.Text(), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("matching IN ('all', 'any')", name=op.f("ck_segment_matching")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("name", name=op.f("uq_segment_name")),
    )
    op.create_table(
        "visitor",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("allowed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_visitor_token_hash")),
    )
    op.create_table(
        "profile",
        sa.Column("party_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("language", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("country", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("customer_class", sa.Text(), server_default="retail", nullable=False),
        sa.Column("newsletter", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("known_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("visits", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("searches", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("carts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("orders", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("spent_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("first_order_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_order_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broken_promises", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.CheckConstraint("orders >= 0 AND visits >= 0 AND broken_promises >= 0", name=op.f("ck_profile_counts")),
        sa.CheckConstraint("person_id <= party_id", name=op.f("ck_profile_first")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_profile_party_id")),
        sa.ForeignKeyConstraint(["person_id"], ["profile.party_id"], name=op.f("fk_profile_person_id")),
        sa.PrimaryKeyConstraint("party_id", name=op.f("pk_profile")),
    )
    op.create_index(op.f("ix_profile_person_id"), "profile", ["person_id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visitor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("party_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cart_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ended_at >= began_at", name=op.f("ck_visit_ends_after_it_began")),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_visit_cart_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_visit_party_id")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitor.id"], name=op.f("fk_visit_visitor_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
    )
    op.create_index(op.f("ix_visit_cart_id"), "visit", ["cart_id"], unique=False)
    op.create_index(op.f("ix_visit_ended_at"), "visit", ["ended_at"], unique=False)
    op.create_index(op.f("ix_visit_party_id"), "visit", ["party_id"], unique=False)
    op.create_index("ix_visit_visitor_id_ended_at", "visit", ["visitor_id", "ended_at"], unique=False)
    op.create_table(
        "identity_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("other_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("party_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by = '')", name=op.f("ck_identity_link_undone_by_somebody")),
        sa.CheckConstraint("(visit_id IS NULL) <> (other_id IS NULL)", name=op.f("ck_identity_link_one_kind")),
        sa.CheckConstraint("other_id IS NULL OR party_id < other_id", name=op.f("ck_identity_link_in_order")),
        sa.ForeignKeyConstraint(["other_id"], ["party.id"], name=op.f("fk_identity_link_other_id")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_identity_link_party_id")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_identity_link_visit_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_link")),
        sa.UniqueConstraint("party_id", "other_id", name=op.f("uq_identity_link_party_id_other_id")),
    )
    op.create_index(op.f("ix_identity_link_other_id"), "identity_link", ["other_id"], unique=False)
    op.create_index(op.f("ix_identity_link_visit_id"), "identity_link", ["visit_id"], unique=False)
    op.create_index(
        "uq_identity_link_visit_id",
        "identity_link",
        ["visit_id"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "visit_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('page', 'search', 'cart', 'order')", name=op.f("ck_visit_event_kind")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_visit_event_visit_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_event")),
    )
    op.create_index(op.f("ix_visit_event_visit_id"), "visit_event", ["visit_id"], unique=False)


def downgrade() -> None:
    """Undo: what was noted of visits, and segments, are gone."""
    op.drop_index(op.f("ix_visit_event_visit_id"), table_name="visit_event")
    op.drop_table("visit_event")
    op.drop_index(
        "uq_identity_link_visit_id",
        table_name="identity_link",
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.drop_index(op.f("ix_identity_link_visit_id"), table_name="identity_link")
    op.drop_index(op.f("ix_identity_link_other_id"), table_name="identity_link")
    op.drop_table("identity_link")
    op.drop_index("ix_visit_visitor_id_ended_at", table_name="visit")
    op.drop_index(op.f("ix_visit_party_id"), table_name="visit")
    op.drop_index(op.f("ix_visit_ended_at"), table_name="visit")
    op.drop_index(op.f("ix_visit_cart_id"), table_name="visit")
    op.drop_table("visit")
    op.drop_index(op.f("ix_profile_person_id"), table_name="profile")
    op.drop_table("profile")
    op.drop_table("visitor")
    op.drop_table("segment")
    op.drop_table("profile_mark")
