"""A service case and two at the same moment, PostgreSQL: one answer goes out, no word of a customer is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from backoffice.config import Settings
from backoffice.crm import case_times, cases, satisfaction
from backoffice.crm.models import Activity, ServiceCase
from backoffice.db import Database
from tests.company import at
from tests.concurrency.test_at_the_same_moment import both, in_between, slow
from tests.integration.cases.conftest import BEA, CARL, Service, make_service
from tests.integration.leads.conftest import Person

pytestmark = pytest.mark.postgresql


@pytest.fixture
def service(postgres_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Iterator[Service]:
    """Bea, Carl and one question of Ada."""
    shop = make_service(postgres_db, settings_for, now)
    shop.ask()
    yield shop
    shop.services.db.dispose()


def answer(service: Service, who: Person, words: str) -> Callable[[], object]:
    """Return a colleague who answers what they saw first."""
    return lambda: service.db.run(lambda s: cases.answer(s, 1, words, then="waiting", staff=who, version=1, now=service.now))


def test_of_two_who_answer_one_is_refused_and_one_mail_leaves(service: Service) -> None:
    said = both(answer(service, BEA, "Yes."), answer(service, CARL, "No."))
    assert sorted(said) == ["done", "stale"]
    won, words = (1, "Yes.") if said[0] == "done" else (2, "No.")
    case = service.case()
    assert (case.owner_id, case.state, case.version) == (won, "waiting", 2)
    assert ([one.text for one in service.rows(Activity, kind="answer")], len(service.mails())) == ([words], 1)


def test_a_customer_who_writes_while_somebody_answers_is_heard(service: Service) -> None:
    token = service.shop.cases.of_order(service.token)[0].token
    said = both(answer(service, BEA, "Yes."), lambda: service.write(token, "Hurry."))
    assert said in (["done", "done"], ["stale", "done"])
    case, kinds = service.case(), [kind for kind, _ in service.said()]
    assert kinds.count("reply") == 1
    assert (case.state, case.version) == ("open", 3 if said[0] == "done" else 2)
    assert case.answer_due_at is not None


def test_an_answer_between_a_customer_s_look_and_their_words_undoes_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = service.shop.cases.of_order(service.token)[0].token
    with slow(monkeypatch, case_times, "deadlines") as looked:
        said = in_between(looked, lambda: service.write(token, "Hurry."), answer(service, BEA, "Yes."))
    case = service.case()
    assert (said, case.state, case.version) == (["done", "stale"], "open", 2)
    assert (case.answer_due_at, service.mails()) == (at(24, 17), [])


def test_one_form_sent_twice_at_once_is_one_case_and_one_message(service: Service) -> None:
    ask = lambda: service.ask(message="Twice.", key="form-2")  # noqa: E731 - said twice
    assert both(ask, ask) == ["done", "done"]
    assert len(service.rows(ServiceCase)) == 2
    token = service.shop.cases.of_order(service.token)[0].token
    write = lambda: service.write(token, "Again.")  # noqa: E731 - said twice
    assert both(write, write) == ["done", "done"]
    assert len(service.rows(Activity, kind="reply")) == 1


def test_the_last_word_about_how_content_they_are_stands(service: Service) -> None:
    service.answer(then="solved")
    rate = lambda score: service.db.run(  # noqa: E731 - said twice
        lambda s: satisfaction.rate(s, 1, score, "", now=service.now)
    )
    assert both(lambda: rate(2), lambda: rate(5)) == ["done", "done"]
    rated = service.rows(Activity, kind="rated")
    assert (len(rated), service.case().score) == (2, rated[-1].values["score"])
