"""Secret links leave the mails that were delivered: what they are derived of takes their place, so the table alone opens no order.

Mails that still wait keep theirs: the program of before may carry them while this runs. Once delivered they are emptied with age
(`outbox.empty_old_mails`). Adds and changes no column.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "e7b41d90a26c"
down_revision = "a9d25b6e714c"
branch_labels = None
depends_on = None

LINK = re.compile(r"(?P<before>.*/(?P<way>o|quotation|consent)/)(?P<token>[A-Za-z0-9_-]{20,})(?P<after>/.*)?")
NONCES = {"o": ("order", "checkout"), "quotation": ("quotation", "quotation")}
MAILS = sa.text("SELECT id, payload FROM outbox_message WHERE target = 'mail' AND id > :after ORDER BY id LIMIT 1000")
WRITE = sa.text("UPDATE outbox_message SET payload = :payload WHERE id = :id AND state <> 'pending'")


def upgrade() -> None:
    """Apply."""
    _rewrite(_unwrite)


def downgrade() -> None:
    """Undo: without the key nobody can write the links again, so each leads to the shop it was of."""
    _rewrite(lambda _bind, payload: _lead_to_the_shop(payload))


def _rewrite(change: Any) -> None:
    """Change the mails' payloads, a thousand at a time."""
    bind, after = op.get_bind(), 0
    read = MAILS.columns(payload=sa.JSON())
    write = WRITE.bindparams(sa.bindparam("payload", type_=sa.JSON()))
    while rows := bind.execute(read, {"after": after}).all():
        after = rows[-1].id
        changed = [{"id": row.id, "payload": new} for row in rows if (new := change(bind, row.payload)) != row.payload]
        if changed:
            bind.execute(write, changed)


def _unwrite(bind: sa.Connection, payload: dict[str, Any]) -> dict[str, Any]:
    values, secrets = dict(payload), dict(payload.get("secrets", {}))
    for name in ("link", "choose"):
        found = LINK.fullmatch(str(values.get(name, "")))
        if found is None:
            continue
        kind, of = _source(bind, found["way"], found["token"])
        values[name] = ""
        if of is not None:
            secrets[name] = {"kind": kind, "before": found["before"], "of": of, "after": found["after"] or ""}
            del values[name]
    return values | ({"secrets": secrets} if secrets else {})


def _source(bind: sa.Connection, way: str, token: str) -> tuple[str, str | None]:
    """Return what a link is derived of; None: of nothing that is still here."""
    if way == "consent":
        return "consent", token.partition("-")[0]
    kind, table = NONCES[way]
    known = sa.text(f"SELECT link_nonce FROM {table} WHERE token_hash = :hash")  # noqa: S608 - a name of ours
    return kind, bind.scalar(known, {"hash": hashlib.sha256(token.encode()).hexdigest()})


def _lead_to_the_shop(payload: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in payload.items() if name != "secrets"}
    for name, one in payload.get("secrets", {}).items():
        values[name] = re.sub(r"(o|quotation|consent|account/\w+)/$", "", one["before"])
    return values
