"""A service case from its first words to its end: deadlines by hand, one form once, reopened, how content somebody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backoffice.crm import case_escalating, case_opening, case_times, cases, links, satisfaction
from backoffice.crm.case_opening import PhoneForm
from backoffice.crm.case_rules import USUAL, Minutes
from backoffice.crm.models import Activity, OrderLine, Party, ServiceCase
from backoffice.privacy import telling
from backoffice.public.cases import CaseForm
from backoffice.public.errors import BadInput, NotFound, Refused, TooOften
from tests.company import at
from tests.forgetting import forget
from tests.integration.cases.conftest import BEA, CARL, Service


@pytest.mark.parametrize(
    ("priority", "asked", "answer", "solve"),
    [  # Monday to Friday, 09:00 to 17:00
        ("normal", at(27, 16), at(30, 16), at(4, 16, month=12)),  # Friday 1 h, Monday 7 h; then 5 days
        ("high", at(28, 10), at(30, 13), at(1, 17, month=12)),  # a Saturday: 4 h of Monday, 16 h to Tuesday's end
        ("urgent", at(24, 16, 30, month=12), at(28, 9, 30, month=12), at(28, 16, 30, month=12)),  # Christmas lies between
        ("low", at(24, 9), at(25, 17), at(7, 17, month=12)),  # two days; ten days
    ],
)
def test_deadlines_by_priority_over_weekend_and_holiday(
    embedded: Service, priority: str, asked: datetime, answer: datetime, solve: datetime
) -> None:
    with embedded.db.read() as session:
        assert case_times.deadlines(session, priority, asked) == (answer, solve)


def test_open_minutes_leave_out_night_weekend_and_holiday(embedded: Service) -> None:
    with embedded.db.read() as session:
        assert case_times.open_minutes(session, at(27, 16), at(30, 10)) == 120
        assert case_times.open_minutes(session, at(24, 16, 30, month=12), at(28, 9, 15, month=12)) == 45
        assert case_times.open_minutes(session, at(28, 10), at(29, 20)) == 0


def test_the_company_sets_its_own_minutes(service: Service) -> None:
    wanted = USUAL | {"normal": Minutes(120, 600)}
    service.db.run(lambda s: case_times.save_minutes(s, wanted, by="theres@werk.test", now=service.now))
    service.ask()
    case = service.case()
    assert (case.answer_due_at, case.solve_due_at) == (at(24, 11), at(25, 11))
    with pytest.raises(BadInput) as wrong:
        service.db.run(
            lambda s: case_times.save_minutes(s, wanted | {"low": Minutes(600, 599)}, by="theres@werk.test", now=service.now)
        )
    assert wrong.value.fields == {"solve_low": "bad_number"}


def test_one_form_twice_is_one_case_of_its_order(service: Service) -> None:
    token = service.ask("damaged", "A leg is broken.", line="2")
    assert service.ask("damaged", "A leg is broken.", line="2") == token
    [case] = service.rows(ServiceCase)
    stool = service.rows(OrderLine)[1]
    assert (case.number, case.order_ref, case.order_line_id, case.parcel) == ("C-00001", service.number, stool.id, None)
    assert (case.kind, case.priority, case.state, case.source, case.version) == ("damaged", "high", "open", "page", 1)
    assert (case.answer_due_at, case.solve_due_at) == (at(24, 13), at(25, 17))
    assert service.said() == [("message", "A leg is broken.")]
    service.ask("damaged", "A leg is broken.", key="form-2")
    assert len(service.rows(ServiceCase)) == 2


def test_what_is_wrong_with_a_question_is_said_at_once_and_nothing_is_written(embedded: Service) -> None:
    with pytest.raises(BadInput) as wrong:
        embedded.ask("love", " ", line="3", parcel="9")
    assert wrong.value.fields == {"kind": "bad_choice", "message": "missing", "line": "bad_choice", "parcel": "bad_choice"}
    with pytest.raises(NotFound):
        embedded.shop.cases.open("nobody", CaseForm("k", "other", "x"), now=embedded.now)
    assert embedded.rows(ServiceCase) == []


def test_late_past_its_promise_is_high(embedded: Service) -> None:
    promised = max(one.promised_on for one in embedded.rows(OrderLine))
    embedded.ask("where", at=at(promised.day, 9, month=promised.month))
    embedded.ask("where", key="form-2", at=at(promised.day, 9, month=promised.month) + timedelta(days=1), line="1")
    assert [one.priority for one in embedded.rows(ServiceCase)] == [
        "high" if min(one.promised_on for one in embedded.rows(OrderLine)) < promised else "normal",
        "high",
    ]


def test_the_sixth_question_of_a_network_within_five_minutes_is_refused_and_kept_out(embedded: Service) -> None:
    for number in range(5):
        embedded.ask(key=f"form-{number}", who_asks="192.0.2.7")
    with pytest.raises(TooOften):
        embedded.ask(key="form-6", who_asks="192.0.2.9")
    embedded.ask(key="form-0", who_asks="192.0.2.9")  # what was sent already is answered as before
    embedded.ask(key="form-7", who_asks="198.51.100.1")
    assert len(embedded.rows(ServiceCase)) == 6


def test_answered_waits_and_a_reply_opens_it_again(service: Service) -> None:
    token = service.ask()
    service.answer("Yes, with linseed oil.", at=at(24, 10, 30))
    case = service.case()
    assert (case.state, case.owner_id, case.answer_due_at, case.answered_in, case.version) == ("waiting", 1, None, 90, 2)
    [mail] = service.mails()
    assert (mail.kind, mail.aggregate, mail.payload["to"]) == ("case_answer", "case:C-00001", "ada@example.test")
    assert (mail.payload["text"], mail.payload["solved"]) == ("Yes, with linseed oil.", False)
    assert service.write(token, at=at(25, 9)) == token
    assert service.write(token, at=at(25, 9)) == token  # the same form once more
    case = service.case()
    assert (case.state, case.answer_due_at, case.solve_due_at, case.version) == ("open", at(25, 17), at(1, 17, month=12), 3)
    assert service.said() == [("message", "Can it be oiled?"), ("answer", "Yes, with linseed oil."), ("reply", "And when?")]
    service.answer(at=at(25, 11))
    assert service.case().answered_in == 90  # the first answer counts


def test_who_waits_already_goes_on_waiting_since_then(embedded: Service) -> None:
    token = embedded.ask()
    embedded.write(token, at=at(24, 16))
    case = embedded.case()
    assert (case.answer_due_at, case.solve_due_at, case.due_from_at) == (at(24, 17), at(30, 17), at(24, 9))


def test_a_reply_reopens_what_is_solved_and_follows_what_is_closed(service: Service) -> None:
    token = service.ask("invoice", "My name is wrong.")
    service.answer("Here is a new one.", "solved", at=at(24, 10))
    case = service.case()
    assert (case.state, case.solved_at, case.asked_at) == ("solved", at(24, 10), at(24, 10))
    service.write(token, "Still wrong.", at=at(27, 16))
    case = service.case()
    assert (case.state, case.solved_at, case.answer_due_at) == ("open", None, at(1, 16, month=12))  # low: 16 h from Friday, 16:00
    assert [kind for kind, _ in service.said()] == ["message", "answer", "solved", "reopened", "reply"]
    service.db.run(lambda s: cases.close(s, 1, staff=BEA, version=service.case().version, now=at(28, 9)))
    after = service.write(token, "And the street.", key="again-2", at=at(29, 9))
    assert after != token
    assert [(one.state, one.kind, one.order_ref) for one in service.rows(ServiceCase)] == [
        ("closed", "invoice", service.number),
        ("open", "invoice", service.number),
    ]
    assert service.said(2) == [("message", "And the street.")]


def test_what_is_solved_closes_after_thirty_days_of_silence(embedded: Service) -> None:
    embedded.ask()
    embedded.answer(then="solved")
    solved = embedded.now
    close = lambda now: embedded.db.run(lambda s: case_escalating.close_settled(s, now=now))  # noqa: E731 - said twice
    assert close(solved + timedelta(days=30, seconds=-1)) == 0
    assert (close(solved + timedelta(days=30)), close(solved + timedelta(days=31))) == (1, 0)
    assert (embedded.case().state, embedded.said()[-1]) == ("closed", ("closed", ""))


def test_its_customer_sees_what_was_said_and_never_a_note(embedded: Service) -> None:
    token = embedded.ask()
    embedded.db.run(lambda s: cases.note(s, 1, "A difficult one.", staff=BEA, version=1, now=embedded.now))
    embedded.answer("Yes.", "solved")
    seen = embedded.shop.cases.get(token)
    assert [(one.kind, one.ours, one.text) for one in seen.messages] == [
        ("message", False, "Can it be oiled?"),
        ("message", True, "Yes."),
        ("solved", True, ""),
    ]
    assert "difficult" not in repr(seen)
    [listed] = embedded.shop.cases.of_order(embedded.token)
    assert (listed.token, listed.state, listed.subject) == (token, "solved", "Can it be oiled?")
    order = embedded.shop.orders.get(embedded.token, now=embedded.now)
    assert "Can it be oiled?" not in repr(order)  # once on that page: among its questions
    for made_up in (token[:-1] + ("0" if token[-1] != "0" else "1"), token.replace("c1-", "c2-"), "c1", ""):
        with pytest.raises(NotFound):
            embedded.shop.cases.get(made_up)


def test_how_content_they_are_is_said_once_and_may_be_changed(service: Service) -> None:
    token = service.ask()
    with pytest.raises(Refused):
        service.shop.cases.rate(token, "5", "", now=service.now)
    service.answer(then="solved")
    with pytest.raises(BadInput) as wrong:
        service.shop.cases.rate(token, "6", "", now=service.now)
    assert wrong.value.fields == {"score": "bad_choice"}
    service.shop.cases.rate(token, "2", " Slow. ", now=at(25, 9))
    service.shop.cases.rate(token, "2", "Slow.", now=at(25, 10))
    case = service.case()
    assert (case.score, case.comment, case.rated_at) == (2, "Slow.", at(25, 9))
    service.shop.cases.rate(token, "4", "Slow, but kind.", now=at(25, 11))
    assert (service.case().score, [kind for kind, _ in service.said()].count("rated")) == (4, 2)
    with service.db.read() as session:
        found = satisfaction.find_answers(session, at(24), at(25))
        assert (found.asked, found.answered, found.mean, list(found.of_score)) == (1, 1, 4.0, [0, 0, 0, 1, 0])
        [normal] = [one for one in satisfaction.find_first_answers(session, at(24), at(25)) if one.cases]
        assert (normal.priority, normal.answered, normal.mean, normal.longest) == ("normal", 1, 0.0, 0)
        assert satisfaction.find_answers(session, at(25), at(26)).share is None


def test_figures_of_several_cases_by_hand(embedded: Service) -> None:
    for number, (kind, hour) in enumerate([("other", 10), ("other", 12), ("damaged", 11), ("damaged", 0)], 1):
        token = embedded.ask(kind, key=f"form-{number}")
        if hour:
            embedded.answer(then="solved", case_id=number, at=at(24, hour))
        if number in (1, 3):
            embedded.shop.cases.rate(token, "5" if number == 1 else "2", "", now=at(25, 9))
    with embedded.db.read() as session:
        found = satisfaction.find_answers(session, at(24), at(25))
        assert (found.asked, found.answered, found.mean, found.share) == (3, 2, 3.5, 2 / 3)
        by_priority = [
            (one.priority, one.cases, one.answered, one.mean, one.longest)
            for one in satisfaction.find_first_answers(session, at(24), at(25))
        ]
    assert by_priority == [
        ("urgent", 0, 0, None, None),
        ("high", 2, 1, 120.0, 120),
        ("normal", 2, 2, 120.0, 180),
        ("low", 0, 0, None, None),
    ]


def test_another_priority_moves_both_deadlines_from_where_they_began(embedded: Service) -> None:
    embedded.ask()
    embedded.db.run(lambda s: cases.prioritise(s, 1, "urgent", staff=BEA, version=1, now=at(24, 15)))
    case = embedded.case()
    assert (case.priority, case.answer_due_at, case.solve_due_at) == ("urgent", at(24, 10), at(24, 17))
    with pytest.raises(Refused):
        embedded.db.run(lambda s: cases.prioritise(s, 1, "low", staff=CARL, version=1, now=at(24, 15)))


def test_two_answers_one_after_the_other_on_the_same_page(embedded: Service) -> None:
    embedded.ask()
    say = lambda who, words: embedded.db.run(  # noqa: E731 - said thrice
        lambda s: cases.answer(s, 1, words, then="waiting", staff=who, version=1, now=embedded.now)
    )
    say(BEA, "Yes.")
    say(BEA, "Yes.")  # the same form twice
    with pytest.raises(Refused) as refused:
        say(CARL, "No.")
    assert (refused.value.code, refused.value.details["owner"]) == ("stale", "Bea")
    assert ([words for _, words in embedded.said()], len(embedded.mails())) == (["Can it be oiled?", "Yes."], 1)


def test_typed_at_the_desk_of_an_order_or_of_whoever_calls(service: Service) -> None:
    form = PhoneForm("p1", "where", "Where is it?", order=service.number.lower())
    for _ in range(2):
        service.db.run(lambda s: case_opening.by_phone(s, form, staff=CARL, now=service.now))
    unknown = replace(form, key="p2", order="", name="Max", phone="030 123456", message="Do you repair?", kind="other")
    service.db.run(lambda s: case_opening.by_phone(s, unknown, staff=CARL, now=service.now))
    found = [(one.owner_id, one.source, one.order_ref, one.party_id) for one in service.rows(ServiceCase)]
    ada, max_ = service.rows(Party)
    assert found == [(2, "phone", service.number, ada.id), (2, "phone", None, max_.id)]
    assert [one.actor for one in service.rows(Activity, kind="message")] == ["Carl", "Carl"]
    with pytest.raises(BadInput) as wrong:
        service.db.run(lambda s: case_opening.by_phone(s, PhoneForm("p3", "x", "", order="SF-NOPE"), staff=CARL, now=service.now))
    assert wrong.value.fields.keys() >= {"kind", "message", "order"}


def test_what_is_overdue_goes_to_somebody_by_the_rule_of_enquiries(service: Service) -> None:
    service.ask()  # due today at 17:00, and nobody has it
    escalate = lambda now: case_escalating.escalate(service.db, base_url="https://werk.test", now=now)  # noqa: E731 - said often
    assert escalate(at(24, 16, 59)) == 0
    assert (escalate(at(24, 17)), escalate(at(24, 18)), service.case().owner_id) == (1, 0, 1)
    service.answer(then="open", at=at(25, 9))
    assert escalate(at(30, 16, 59)) == 0
    assert (escalate(at(30, 17)), escalate(at(30, 18)), escalate(at(1, 13, month=12))) == (1, 0, 1)  # reminded, then handed on
    assert service.case().owner_id == 2
    assert [(one.kind, one.payload["to"], one.payload["handed"]) for one in service.mails() if one.kind == "case_overdue"] == [
        ("case_overdue", "bea@werk.test", True),
        ("case_overdue", "bea@werk.test", False),
        ("case_overdue", "carl@werk.test", True),
    ]
    service.answer(then="waiting", at=at(1, 14, month=12))
    assert escalate(at(24, 9, month=12)) == 0  # who waits for them is not late


def test_a_forgotten_customer_leaves_no_words(service: Service) -> None:
    form = PhoneForm("p1", "other", "I live at the zzyx lake.", name="Zzyxa", email="zzyxa@example.test")
    service.db.run(lambda s: case_opening.by_phone(s, form, staff=CARL, now=service.now))
    service.answer("A fine place, zzyx.", "solved")
    service.shop.cases.rate(links.case_token(service.services.settings.secret_key, 1), "5", "Zzyx!", now=service.now)
    party_id = service.case().party_id
    with service.db.read() as session:
        told = telling.tell(session, party_id)
    assert [(one["number"], one["comment"], one["score"]) for one in told["service_case"]] == [("C-00001", "Zzyx!", 5)]
    forget(service.db, party_id, now=service.now)
    case = service.case()
    assert (case.message, case.comment, case.score, case.number) == ("", "", 5, "C-00001")  # a figure names nobody
    assert {text for _, text in service.said()} <= {"", "Carl", "Bea"}
    assert "zzyx" not in str([(one.payload, one.state) for one in service.mails()]).lower()
