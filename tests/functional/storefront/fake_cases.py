"""The fake door of questions about orders."""

from __future__ import annotations

from datetime import datetime

from backoffice.public.cases import CASE_KINDS, CaseForm, CaseSummary
from backoffice.public.errors import BadInput, NotFound
from tests.functional.storefront.fake_state import State


class Cases:
    """The fake questions: kept as they came."""

    def __init__(self, state: State) -> None:
        self.state = state

    def open(self, order_token: str, form: CaseForm, *, now: datetime) -> str:
        if order_token not in self.state.orders:
            raise NotFound("unknown_order")
        fields = {} if form.kind in CASE_KINDS else {"kind": "bad_choice"}
        if not form.message.strip() or len(form.message.replace("\r\n", "\n")) > 5000:
            fields["message"] = "too_long" if form.message.strip() else "missing"
        if fields:
            raise BadInput("invalid_form", fields)
        self.state.asked.append((order_token, form.kind, form.message, form.key))
        return "question"

    def of_order(self, order_token: str) -> list[CaseSummary]:
        return []
