"""Log-in in two steps: somebody's phone, and what lets them in without it. The record of changes becomes a chain.

Only adds, so that the program of before goes on working while this runs; what that writes meanwhile into the record of changes gets
its place with the next change of this one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "d0075b1e4a2c"
down_revision = "b1f04c7e62d9"
branch_labels = None
depends_on = None

KEPT = ("id", "number", "at", "actor", "role", "action", "subject", "details_hash", "hash")
SAME = " AND ".join(f"NEW.{name} = OLD.{name}" for name in KEPT)
REFUSAL = "a row of the record of changes stays as it is"
ON_SQLITE = (
    f"CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON audit_entry WHEN NOT (OLD.number IS NULL"
    f" OR ({SAME} AND NEW.salt = '' AND NEW.details = '{{}}')) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_entry_never_goes BEFORE DELETE ON audit_entry BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
)
ON_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'UPDATE' THEN"
    f" IF OLD.number IS NULL OR ({SAME} AND NEW.salt = '' AND NEW.details::text = '{{}}') THEN RETURN NEW; END IF;"
    f" END IF; RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_stays()",
    "CREATE TRIGGER audit_entry_never_goes BEFORE TRUNCATE ON audit_entry EXECUTE FUNCTION audit_entry_stays()",
)


def _big() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "second_step",
        sa.Column("staff_id", _big(), autoincrement=False, nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("last_counter", _big(), nullable=False),
        sa.Column("set_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_second_step_staff_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_second_step")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", _big(), nullable=False),
        sa.Column("staff_id", _big(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_recovery_code_staff_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_code_code_hash")),
    )
    op.create_index("ix_recovery_code_staff_id", "recovery_code", ["staff_id"], unique=False)
    op.add_column("audit_entry", sa.Column("number", _big(), nullable=True))
    for name in ("salt", "details_hash", "hash"):
        op.add_column("audit_entry", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_unique_constraint(batch_op.f("uq_audit_entry_number"), ["number"])
    op.create_table(
        "audit_chain",
        sa.Column("id", _big(), nullable=False),
        sa.Column("number", _big(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    _chain(op.get_bind())
    for statement in ON_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else ON_SQLITE:
        op.execute(sa.DDL(statement))


def _chain(bind: sa.Connection) -> None:
    """Give every row its place, a thousand at a time."""
    number, before, after = 0, "", 0
    read = sa.text(
        "SELECT id, at, actor, role, action, subject, details FROM audit_entry WHERE id > :after ORDER BY id LIMIT 1000"
    )
    read = read.columns(at=sa.DateTime(timezone=True), details=sa.JSON())
    place = sa.text("UPDATE audit_entry SET number = :number, salt = :salt, details_hash = :told, hash = :hash WHERE id = :id")
    while rows := bind.execute(read, {"after": after}).all():
        placed = []
        for row in rows:
            number, salt = number + 1, secrets.token_hex(16)
            told = hashlib.sha256((salt + _canonical(row.details)).encode()).hexdigest()
            entry = [before, number, _utc(row.at).isoformat(), row.actor, row.role, row.action, row.subject, told]
            before = hashlib.sha256(_canonical(entry).encode()).hexdigest()
            placed.append({"id": row.id, "number": number, "salt": salt, "told": told, "hash": before})
        bind.execute(place, placed)
        after = rows[-1].id
    bind.execute(
        sa.text("INSERT INTO audit_chain (id, number, hash) VALUES (1, :number, :hash)"), {"number": number, "hash": before}
    )


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def downgrade() -> None:
    """Take back. Whoever logged in in two steps does so in one."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_entry_stays ON audit_entry")
        op.execute("DROP TRIGGER audit_entry_never_goes ON audit_entry")
        op.execute("DROP FUNCTION audit_entry_stays()")
    else:
        op.execute("DROP TRIGGER audit_entry_stays")
        op.execute("DROP TRIGGER audit_entry_never_goes")
    op.drop_table("audit_chain")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_audit_entry_number"), type_="unique")
        for name in ("hash", "details_hash", "salt", "number"):
            batch_op.drop_column(name)
    op.drop_table("recovery_code")
    op.drop_table("second_step")
