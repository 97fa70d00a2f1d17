"""When something is to be done about an enquiry, as one expression: every list, the board and the escalation mean the same."""

from __future__ import annotations

import sqlalchemy as sa

from backoffice.crm.models import Lead

COMING_BACK = sa.and_(Lead.state.in_(("working", "answered")), Lead.follow_up_at.is_not(None))
NEXT_DUE = sa.case((COMING_BACK, Lead.follow_up_at), else_=Lead.due_at)
"""When something is to be done: come back to it where that was agreed, else answer."""
HAS_DUE = sa.or_(Lead.state.in_(("new", "working")), COMING_BACK)
"""Whether anything is to be done: one that was answered, with no day agreed, waits for them."""
IS_OPEN = Lead.state.in_(("new", "working", "answered"))
