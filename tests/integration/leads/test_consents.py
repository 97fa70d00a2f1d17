"""Consent: in the words they read, when they gave it, and when they took it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import consents, leads, links
from backoffice.crm.models import Activity, Consent, Lead
from backoffice.db import Database
from backoffice.public.errors import BadInput, NotFound
from tests.integration.leads.conftest import FORM

WORDS = "Write to me now and then."
SECRET = "a secret of this test"


def rows(shop: Database) -> list[tuple[Any, ...]]:
    with shop.read() as session:
        columns = (Consent.purpose, Consent.wording, Consent.given_at, Consent.withdrawn_at)
        return [tuple(row) for row in session.execute(sa.select(*columns).order_by(Consent.id))]


def give(shop: Database, now: datetime, **changes: Any) -> Consent:
    values: dict[str, Any] = {"wording": WORDS, "language": "en", "source": "form", "evidence": {"page": "/contact"}}
    purpose = changes.pop("purpose", "newsletter")
    return shop.run(lambda session: consents.give(session, 1, purpose, **(values | changes), now=now))


def test_a_ticked_box_is_kept_word_for_word(shop: Database, submit: Callable[..., Lead], now: datetime) -> None:
    lead = submit(newsletter=WORDS)
    assert rows(shop) == [("newsletter", WORDS, now, None)]
    with shop.read() as session:
        consent = session.scalars(sa.select(Consent)).one()
        kinds = session.scalars(sa.select(Activity.kind).order_by(Activity.id)).all()
    assert consent.evidence == {"page": "/p/stool", "lead": lead.number}
    assert (consent.language, consent.source, consent.party_id) == ("en", "form", lead.party_id)
    assert kinds == ["message", "consent"]


def test_no_tick_is_no_consent_and_doubtful_forms_give_none(shop: Database, submit: Callable[..., Lead]) -> None:
    submit()
    submit(key="k2", newsletter=WORDS, trap="pills")
    assert rows(shop) == []


def test_the_same_words_again_are_one_and_new_words_another(shop: Database, submit: Callable[..., Lead], now: datetime) -> None:
    submit(newsletter=WORDS)
    later = now + timedelta(days=1)
    assert give(shop, later).id == give(shop, later).id
    give(shop, later, wording="Other words.")
    assert rows(shop) == [("newsletter", WORDS, now, None), ("newsletter", "Other words.", later, None)]


def test_taking_back_ends_all_of_that_purpose_once_and_keeps_the_history(
    shop: Database, submit: Callable[..., Lead], now: datetime
) -> None:
    submit(newsletter=WORDS)
    later, last = now + timedelta(days=1), now + timedelta(days=2)
    other = give(shop, later, wording="Other words.")
    give(shop, later, purpose="calls")
    assert shop.run(lambda session: consents.withdraw(session, other.id, actor="Bea", now=last)) is True
    assert shop.run(lambda session: consents.withdraw(session, other.id, now=last + timedelta(hours=1))) is False
    assert rows(shop) == [
        ("newsletter", WORDS, now, last),
        ("newsletter", "Other words.", later, last),
        ("calls", WORDS, later, None),
    ]
    with shop.read() as session:
        assert [one.purpose for one in consents.standing(session, 1)] == ["calls"]
        entry = session.scalars(sa.select(Activity).order_by(Activity.id.desc())).first()
    assert entry is not None
    assert (entry.kind, entry.actor, entry.at, entry.values) == ("consent_withdrawn", "Bea", last, {"purpose": "newsletter"})
    give(shop, last)  # a new one, from now
    assert rows(shop)[-1] == ("newsletter", WORDS, last, None)


@pytest.mark.parametrize(
    ("changes", "field"), [({"purpose": "spam"}, "purpose"), ({"wording": " "}, "wording"), ({"wording": "a\x00b"}, "wording")]
)
def test_nothing_wrong_is_written(
    shop: Database, submit: Callable[..., Lead], now: datetime, changes: dict[str, str], field: str
) -> None:
    submit()
    with pytest.raises(BadInput) as wrong:
        give(shop, now, **changes)
    assert list(wrong.value.fields) == [field]
    assert rows(shop) == []


def test_only_a_link_that_we_signed_opens(shop: Database, submit: Callable[..., Lead], now: datetime) -> None:
    submit(newsletter=WORDS)
    good = links.consent_token(SECRET, "1")
    with shop.read() as session:
        assert consents.get_by_token(session, SECRET, good).id == 1
        another = links.consent_token("other", "1")
        for bad in ("", "1", "1-", "x", good + "x", good[:-1], "2" + good[1:], another, "١-x", "9" * 30):
            with pytest.raises(NotFound):
                consents.get_by_token(session, SECRET, bad)


def test_a_newsletter_holds_only_from_when_its_link_was_followed(
    shop: Database, submit: Callable[..., Lead], mails: list[events.MailWanted], now: datetime
) -> None:
    def silent(session: Session, happened: events.ConsentGiven) -> None:
        consents.make_on_given("https://shop.test/")(session, happened)

    events.listen(events.ConsentGiven, silent)
    submit(newsletter=WORDS)
    (mail,) = mails
    assert (mail.kind, mail.payload["to"], mail.payload["wording"]) == ("consent_wanted", "anna@example.test", WORDS)
    assert links.written(SECRET, mail.payload)["link"] == f"https://shop.test/consent/{links.consent_token(SECRET, '1')}"
    party = 1
    with shop.read() as session:
        assert consents.standing(session, party) == []
    assert shop.run(lambda session: consents.confirm(session, 1, now=now))
    assert not shop.run(lambda session: consents.confirm(session, 1, now=now))
    with shop.read() as session:
        assert [one.purpose for one in consents.standing(session, party)] == ["newsletter"]


def test_a_link_to_confirm_is_mailed_once_an_hour_at_most(shop: Database, mails: list[events.MailWanted], now: datetime) -> None:
    events.listen(events.ConsentGiven, consents.make_on_given("https://shop.test/"))
    for minutes, sent in ((0, 1), (30, 1), (61, 2), (90, 2)):
        at, form = now + timedelta(minutes=minutes), replace(FORM, key=f"page-{minutes}", newsletter=WORDS)
        shop.run(lambda session, form=form, at=at: leads.submit(session, form, now=at))
        assert len(mails) == sent


def test_without_an_address_of_ours_no_mail_can_carry_the_link(
    shop: Database, submit: Callable[..., Lead], mails: list[events.MailWanted]
) -> None:
    events.listen(events.ConsentGiven, consents.make_on_given(""))
    submit(newsletter=WORDS)
    assert mails == []
