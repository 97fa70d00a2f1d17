"""Letters, reminders of carts and consents, over the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from backoffice import throttle
from backoffice.crm import carts, consents, leads, letter_keys, reminding
from backoffice.db import Database
from backoffice.erp.company import get_company
from backoffice.public.leads import ConsentView, LeadForm, LeadReceipt, ReminderForm

MOST_LEADS = 5  # of one network within five minutes: the rest is read apart, and never lost
SHORT = 20  # letters: "Is it in stock?" is asked by many
MOST_OF_ONE_TEXT = 8  # of one text within a day, from whatever network and address


class LocalLeads:
    """Take messages in."""

    def __init__(self, db: Database, secret_key: str) -> None:
        """Write to `db`; `secret_key` signs the links by which a consent is taken back."""
        self._db = db
        self._secret_key = secret_key

    def find_consent(self, token: str) -> ConsentView:
        """Return what was allowed, in the words of then."""
        with self._db.read() as session:
            consent = consents.get_by_token(session, self._secret_key, token)
            return ConsentView(consent.wording, consent.withdrawn_at is None, consent.confirmed_at is not None)

    def confirm_consent(self, token: str, *, now: datetime) -> None:
        """Let it hold."""

        def work(session: Session) -> None:
            consents.confirm(session, consents.get_by_token(session, self._secret_key, token).id, now=now)

        self._db.run(work)

    def remind(self, cart: str | None, form: ReminderForm, *, now: datetime) -> bool:
        """Note that they want to be reminded of their cart."""

        def work(session: Session) -> bool:
            found = carts.find_mine(session, cart)
            if found is None:
                return False
            reminding.ask(
                session,
                found,
                email=form.email,
                name=form.name,
                phone=form.phone,
                words=form.words,
                language=form.language,
                page=form.page,
                is_doubtful=lambda: self._is_crowd(session, form.who_asks, now),
                now=now,
            )
            return True

        return self._db.run(work)

    def withdraw_consent(self, token: str, *, now: datetime) -> None:
        """Take it back, for good."""

        def work(session: Session) -> None:
            consents.withdraw(session, consents.get_by_token(session, self._secret_key, token).id, now=now)

        self._db.run(work)

    def open_form(self, *, now: datetime) -> str:
        """Return the key of a form that is shown now."""
        return letter_keys.make(self._secret_key, now=now)

    def submit(self, form: LeadForm, *, now: datetime) -> LeadReceipt:
        """Write the message down as a lead; say when it is answered.

        Kept apart: the rest of a crowd from one network, and what no person can have written in that time.
        """
        who_asks, opened = form.who_asks, form.opened
        form = replace(form, who_asks="", opened="")

        def work(session: Session) -> LeadReceipt:
            crowd = self._is_crowd(session, who_asks, now)
            by_machine = bool(opened) and not self._is_by_hand(session, opened, now)
            doubtful = crowd or by_machine or self._is_parroted(session, form.message, now)
            lead = leads.submit(session, form, doubtful=doubtful, now=now)
            zone = ZoneInfo(get_company(session).timezone)
            return LeadReceipt(lead.due_at, lead.due_at.astimezone(zone).date())

        return self._db.run(work)

    def _is_crowd(self, session: Session, who_asks: str, now: datetime) -> bool:
        """Tell whether too many of this network wrote just now; letters and reminders of carts are counted as one."""
        network = throttle.network_of(who_asks)
        return bool(network) and not throttle.may_try(session, network, "lead", tries=MOST_LEADS, now=now)

    def _is_parroted(self, session: Session, message: str, now: datetime) -> bool:
        """Tell whether these words came too often today, from whatever addresses: a few words may be anybody's."""
        words = " ".join(message.split()).casefold()
        if len(words) < SHORT:
            return False
        return not throttle.may_try(session, "", f"words:{words}", tries=MOST_OF_ONE_TEXT, window=throttle.DAY, now=now)

    def _is_by_hand(self, session: Session, opened: str, now: datetime) -> bool:
        if not letter_keys.is_unhurried(self._secret_key, opened, now=now):
            return False
        most = letter_keys.LETTERS_OF_A_FORM
        return throttle.may_try(session, opened, "form", tries=most, window=throttle.DAY, now=now)
