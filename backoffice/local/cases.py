"""Questions about orders, behind the order's secret link or their own, over the database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import idempotency, throttle
from backoffice.crm import accounts, case_opening, cases, links, orders, parties, satisfaction
from backoffice.crm.lead_forms import clean_text
from backoffice.crm.models import Activity, ServiceCase
from backoffice.db import Database
from backoffice.public.cases import CaseForm, CaseMessage, CaseSummary, CaseView
from backoffice.public.errors import NotFound, TooOften
from backoffice.public.hiding import hide_email

MOST_QUESTIONS = 5  # of one network within five minutes
MOST_LISTED = 50
SHOWN = ("message", "reply", "answer", "solved", "reopened")  # what its customer sees: never a note of ours
OURS = frozenset({"answer", "solved"})


class LocalCases:
    """Take questions in, show what came of them."""

    def __init__(self, db: Database, secret_key: str) -> None:
        """Read from and write to `db`; `secret_key` derives the links of questions."""
        self._db = db
        self._secret_key = secret_key

    def open(self, order_token: str, form: CaseForm, *, now: datetime) -> str:
        """Ask about an order."""
        network, form = form.who_asks, replace(form, who_asks="")

        def work(session: Session) -> int:
            order, checkout = orders.get_by_link(session, order_token)
            case, is_new = case_opening.by_page(session, order, checkout, form, now=now)
            if is_new:
                _count(session, network, now)
            return case.id

        return links.case_token(self._secret_key, self._db.run(work))

    def of_order(self, order_token: str) -> Sequence[CaseSummary]:
        """Return what was asked about an order."""
        with self._db.read() as session:
            order, _ = orders.get_by_link(session, order_token)
            return self._list(session, sa.and_(ServiceCase.order_ref == order.number, ServiceCase.party_id == order.party_id))

    def of_account(self, session_token: str, *, now: datetime) -> Sequence[CaseSummary]:
        """Return what somebody who is logged in asked."""
        with self._db.read() as session:
            account = accounts.get_account(session, session_token, now=now)
            return self._list(session, ServiceCase.party_id == account.party_id)

    def get(self, token: str) -> CaseView:
        """Return a question with what was said."""
        with self._db.read() as session:
            case = cases.get_case(session, self._id_of(token))
            said = sa.select(Activity).where(Activity.case_id == case.id, Activity.kind.in_(SHOWN))
            entries = session.scalars(said.order_by(Activity.at, Activity.id)).all()
            return CaseView(
                summary=self._summary(case),
                messages=[_message(one) for one in entries],
                email=hide_email(parties.get_party(session, case.party_id).email or ""),
                answer_by=case.answer_due_at if case.state == "open" else None,
                may_rate=case.state in ("solved", "closed") and case.asked_at is not None,
                score=case.score,
                comment=case.comment,
            )

    def write(self, token: str, message: str, *, key: str, who_asks: str, now: datetime) -> str:
        """Write again; what is closed is asked anew."""
        case_id, words = self._id_of(token), clean_text(message, field="message")
        sent = hashlib.sha256(f"{case_id}\n{key}\n{words}".encode()).hexdigest()

        def work(session: Session) -> int:
            before = cases.get_case(session, case_id)
            row, fresh = idempotency.claim(session, "case.write", sent, now=now)
            if not fresh:
                return int(row.answer["case_id"])
            _count(session, who_asks, now)
            case = cases.write_again(session, case_id, words, now=now)
            case = case or case_opening.follow(session, before, words, source="page", now=now)
            row.answer = {"case_id": case.id}
            return case.id

        return links.case_token(self._secret_key, self._db.run(work))

    def rate(self, token: str, score: str, comment: str, *, now: datetime) -> None:
        """Keep how content they are."""
        case_id, chosen = self._id_of(token), int(score) if score in {"1", "2", "3", "4", "5"} else 0
        self._db.run(lambda session: satisfaction.rate(session, case_id, chosen, comment, now=now))

    def _id_of(self, token: str) -> int:
        case_id = links.read_case_token(self._secret_key, token)
        if case_id is None:
            raise NotFound("unknown_case")
        return case_id

    def _list(self, session: Session, which: sa.ColumnElement[bool]) -> Sequence[CaseSummary]:
        newest = sa.select(ServiceCase).where(which).order_by(ServiceCase.id.desc()).limit(MOST_LISTED)
        return [self._summary(case) for case in session.scalars(newest)]

    def _summary(self, case: ServiceCase) -> CaseSummary:
        token, subject = links.case_token(self._secret_key, case.id), cases.subject_of(case)
        return CaseSummary(token, case.number, case.kind, case.state, subject, case.created_at, case.order_ref or "")


def _count(session: Session, network: str, now: datetime) -> None:
    """Count a question of this network. Raises TooOften(too_many_tries); what was typed stays on its page."""
    wait = throttle.find_wait(session, throttle.network_of(network), "case", tries=MOST_QUESTIONS, now=now) if network else None
    if wait is not None:
        raise TooOften("too_many_tries", retry_after=wait.total_seconds())


def _message(entry: Activity) -> CaseMessage:
    kind = entry.kind if entry.kind in ("solved", "reopened") else "message"
    return CaseMessage(kind, entry.kind in OURS or (entry.kind == "reopened" and bool(entry.actor)), entry.text, entry.at)
