"""Leads from every door: carts to be reminded of, telephones by which people are found, a score for each lead.

Only adds, so the program of before goes on working while this runs. Telephones of before get their key in batches.
"""

from __future__ import annotations

import phonenumbers
import sqlalchemy as sa
from alembic import op

import backoffice.db

revision = "c93d5a7e1b60"
down_revision = "a7c2e95d10f4"
branch_labels = None
depends_on = None

KINDS = (
    "contact",
    "question",
    "tell_me",
    "order_question",
    "quote_request",
    "phone",
    "late_order",
    "dispute",
    "authorisation",
)
PURPOSES = ("newsletter", "calls")
BATCH = 1_000
SHORTEST = 8


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _at(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, backoffice.db.UtcDateTime(timezone=True), nullable=nullable)


def _among(table: str, column: str, values: tuple[str, ...]) -> None:
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f(f"ck_{table}_{column}"), type_="check")
        batch_op.create_check_constraint(batch_op.f(f"ck_{table}_{column}"), f"{column} IN ({', '.join(map(repr, values))})")


def upgrade() -> None:
    """Apply."""
    _among("lead", "kind", (*KINDS, "abandoned_cart", "refused_day"))
    with op.batch_alter_table("lead", schema=None) as batch_op:
        batch_op.add_column(sa.Column("score", _big(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("score_parts", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("scored_for", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_lead_score"), "score BETWEEN 0 AND 100")
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.add_column(sa.Column("phone_key", sa.Text(), server_default=sa.text("''"), nullable=False))
    _key_telephones()
    _among("consent", "purpose", (*PURPOSES, "cart_reminder"))
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.add_column(_at("confirmed_at"))
    op.execute("UPDATE consent SET confirmed_at = given_at")
    _tables()


def _key_telephones() -> None:
    """Give every telephone its key; done again, it does the rest."""
    connection = op.get_bind()
    country = connection.scalar(sa.text("SELECT country FROM company")) or None
    party = sa.table("party", sa.column("id"), sa.column("phone"), sa.column("phone_key"))
    last = 0
    while True:
        some = sa.select(party.c.id, party.c.phone).where(party.c.id > last, party.c.phone != "", party.c.phone_key == "")
        rows = connection.execute(some.order_by(party.c.id).limit(BATCH)).all()
        if not rows:
            return
        last = rows[-1].id
        keyed = [{"row": row.id, "key": _key(row.phone, country)} for row in rows]
        change = sa.update(party).where(party.c.id == sa.bindparam("row")).values(phone_key=sa.bindparam("key"))
        if known := [one for one in keyed if one["key"]]:
            connection.execute(change, known)


def _key(phone: str, country: str | None) -> str:
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    key = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(key) < SHORTEST:
        return ""
    return f"{key};ext={number.extension}" if number.extension else key


def _tables() -> None:
    op.create_table(
        "cart_reminder",
        sa.Column("id", _big(), nullable=False),
        sa.Column("cart_id", _big(), nullable=False),
        sa.Column("party_id", _big(), nullable=False),
        sa.Column("consent_id", _big(), nullable=False),
        sa.Column("lead_id", _big(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        _at("asked_at", nullable=False),
        _at("closed_at"),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_cart_reminder_cart_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_cart_reminder_party_id")),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_cart_reminder_consent_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_cart_reminder_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_reminder")),
        sa.UniqueConstraint("cart_id", name=op.f("uq_cart_reminder_cart_id")),
    )
    for column in ("party_id", "consent_id", "lead_id"):
        op.create_index(f"ix_cart_reminder_{column}", "cart_reminder", [column])
    waiting = sa.text("lead_id IS NULL AND closed_at IS NULL")
    op.create_index("ix_cart_reminder_to_make", "cart_reminder", ["id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "perhaps_same",
        sa.Column("id", _big(), nullable=False),
        sa.Column("low_id", _big(), nullable=False),
        sa.Column("high_id", _big(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        _at("found_at", nullable=False),
        _at("decided_at"),
        sa.CheckConstraint("low_id < high_id", name=op.f("ck_perhaps_same_in_order")),
        sa.CheckConstraint("verdict IN ('', 'same', 'different')", name=op.f("ck_perhaps_same_verdict")),
        sa.ForeignKeyConstraint(["low_id"], ["party.id"], name=op.f("fk_perhaps_same_low_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["high_id"], ["party.id"], name=op.f("fk_perhaps_same_high_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_perhaps_same")),
        sa.UniqueConstraint("low_id", "high_id", name=op.f("uq_perhaps_same_low_id_high_id")),
    )
    op.create_index("ix_perhaps_same_high_id", "perhaps_same", ["high_id"])


def downgrade() -> None:
    """Undo: reminders go, leads of new kinds become plain messages."""
    op.drop_table("perhaps_same")
    op.drop_table("cart_reminder")
    op.execute("DELETE FROM consent WHERE purpose = 'cart_reminder'")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_column("confirmed_at")
    _among("consent", "purpose", PURPOSES)
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_column("phone_key")
    op.execute("UPDATE lead SET kind = 'contact' WHERE kind IN ('abandoned_cart', 'refused_day')")
    with op.batch_alter_table("lead", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_lead_score"), type_="check")
        for column in ("score", "score_parts", "scored_for"):
            batch_op.drop_column(column)
    _among("lead", "kind", KINDS)
