"""When something is to be done about an enquiry, as one expression: every list, the board and the escalation mean the same."""

from __future__ import annotations

import sqlalchemy as sa

from backoffice.crm.models import Lead
from backoffice.crm.models.long_lists import NEXT_DUE

__all__ = ["COMING_BACK", "HAS_DUE", "IS_OPEN", "NEXT_DUE"]

# said as constants and not as parameters: only then a prepared statement may use the indexes of what is open
IS_OPEN = Lead.state.in_([sa.literal_column(f"'{state}'", sa.String()) for state in ("new", "working", "answered")])
COMING_BACK = sa.and_(Lead.state.in_(("working", "answered")), Lead.follow_up_at.is_not(None))
HAS_DUE = sa.and_(IS_OPEN, sa.or_(Lead.state.in_(("new", "working")), COMING_BACK))
"""Whether anything is to be done: one that was answered, with no day agreed, waits for them."""
