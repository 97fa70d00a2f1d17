"""What long lists are sorted by and looked through for, each with its index: said once, because an index by an expression
serves only who writes the same expression.

These indexes are PostgreSQL's. SQLite loses an index by an expression whenever a migration makes the table anew, and a shop that
fits on one machine sorts its lists as fast without. Words are found by their trigrams (pg_trgm, which every role that may create
in the database may switch on); where a server has no such extension, the words are read row by row, as on SQLite.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from backoffice.crm.models.leads import OPEN, Lead
from backoffice.crm.models.parties import Party
from backoffice.db import table_of

TRIGRAMS = """DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN NULL; END $$"""
HAS_TRIGRAMS = "SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'"


def _constant(written: str, type_: sa.types.TypeEngine[Any]) -> Any:
    return sa.literal_column(written, type_)  # a parameter is nothing that an index could be compared with


NEXT_DUE = sa.func.coalesce(sa.case((Lead.state != _constant("'new'", sa.String()), Lead.follow_up_at)), Lead.due_at)
"""When something is to be done about what is open: come back to it where that was agreed, else answer."""
WORTH = sa.func.coalesce(Lead.value_minor, _constant("-1", sa.BigInteger()))
"""What an enquiry may bring, in minor units; below nothing where nobody knows."""
URGENCY = -Lead.score
"""Whom to call first: the lowest."""


def _words(*columns: Any) -> Any:
    """Return columns as one text, a line for each: whoever looks for words finds none that begin in one and end in the next."""
    line, nothing = _constant("'\n'", sa.String()), _constant("''", sa.String())
    text: Any = sa.func.coalesce(columns[0], nothing)
    for column in columns[1:]:
        text = text.op("||")(line).op("||")(sa.func.coalesce(column, nothing))
    return sa.func.lower(text)


_LEAD, _PARTY = table_of(Lead), table_of(Party)
LEAD_WORDS = _words(_LEAD.c.number, _LEAD.c.sku, _LEAD.c.order_ref, _LEAD.c.message)
PARTY_WORDS = _words(_PARTY.c.name, _PARTY.c.email, _PARTY.c.phone)


def _have_trigrams(_ddl: Any, _index: Any, bind: Any, /, **_more: Any) -> bool:
    return bind is not None and bind.dialect.name == "postgresql" and bind.scalar(sa.text(HAS_TRIGRAMS)) is not None


for _name, _by, _where in (
    ("ix_lead_open_due", (NEXT_DUE, Lead.id), OPEN),
    ("ix_lead_open_stage_due", (Lead.stage, NEXT_DUE, Lead.id), OPEN),
    ("ix_lead_open_urgency", (URGENCY, Lead.due_at, Lead.id), OPEN),
    ("ix_lead_worth", (WORTH, Lead.id), None),
):
    sa.Index(_name, *_by, postgresql_where=_where).ddl_if(dialect="postgresql")
for _table, _by in ((_LEAD, LEAD_WORDS), (_PARTY, PARTY_WORDS)):
    _index = sa.Index(
        f"ix_{_table.name}_words", _by.label("words"), postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}
    )
    _table.append_constraint(_index)
    _index.ddl_if(callable_=_have_trigrams)  # type: ignore[arg-type] # called with more than is read
_switched_on = sa.DDL(TRIGRAMS).execute_if(dialect="postgresql")  # type: ignore[no-untyped-call] # the library's own gap
sa.event.listen(_LEAD.metadata, "before_create", _switched_on)
