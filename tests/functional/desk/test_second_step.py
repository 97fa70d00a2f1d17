"""Logging in in two steps: a code counts once, a lost phone is no end, and nobody gets past the second door by the first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice import second_step
from backoffice.audit import AuditEntry
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.second_step import RecoveryCode, SecondStep
from tests.conftest import FixedClock
from tests.functional.desk.conftest import PASSWORD, PEOPLE, Colleague, password_hash
from tests.integration.chain.conftest import Workshop

Visitor = Callable[[], Colleague]
AtDesk = Callable[[str], Colleague]
SECRET = "a key for tests only, 32 letters!"
RFC_KEY = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B, its last six digits."""
    assert second_step.code_of(RFC_KEY, seconds // 30) == code


@pytest.mark.parametrize("typed", ["287082", " 287 082 ", "287-082", "２８７０８２", "\u200e287082\u200f"])
def test_all_that_is_typed_goes_through_one_normalisation(typed: str) -> None:
    assert second_step.normalise(typed) == "287082"
    assert second_step.normalise("abcd-efgh 2345") == "ABCDEFGH2345"


def key_on(page: str) -> bytes:
    from base64 import b32decode

    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
    assert found, page
    return b32decode(found[1].replace(" ", ""))


def set_up(who: Colleague, clock: FixedClock) -> tuple[bytes, list[str]]:
    """Set a phone up; return its key and the recovery codes."""
    key = key_on(who.get("/desk/second-step"))
    page = who.refused("/desk/second-step", 200, code=second_step.code_of(key, second_step.counter_at(clock())))
    codes = re.findall(r'<code class="secret">([A-Z2-7-]{19})</code>', page)
    assert len(codes) == 10
    return key, codes


def phones(workshop: Workshop) -> list[SecondStep]:
    with workshop.db.read() as session:
        return list(session.scalars(sa.select(SecondStep)))


def test_a_phone_is_set_up_and_asked_for_from_then_on(
    at_desk: AtDesk, visitor: Visitor, workshop: Workshop, clock: FixedClock
) -> None:
    bea = at_desk("Bea")
    page = bea.get("/desk/second-step")
    assert 'src="data:image/svg+xml' in page
    assert "otpauth://totp/" in page
    assert "That was not the code" in bea.refused("/desk/second-step", 422, code="000000")
    assert phones(workshop) == []
    key, codes = set_up(bea, clock)
    kept = str([(row.nonce, row.last_counter) for row in phones(workshop)])
    assert second_step.in_letters(key) not in kept
    assert not {code.replace("-", "") for code in codes} & {row.code_hash for row in workshop.rows(RecoveryCode)}
    assert [one.action for one in workshop.rows(AuditEntry)] == ["second_step.set_up"]

    again = visitor()
    assert again.log_in("Bea", next="/desk/sales?state=done").location == "/desk/login/code?next=/desk/sales?state%3Ddone"
    again.get("/desk/sales", 302)  # the password alone opens nothing
    assert again.client.get("/desk/second-step").status_code == 302
    used = second_step.code_of(key, second_step.counter_at(clock()))
    assert again.post("/desk/login/code", code=used).status_code == 403  # it set the phone up: it counted then
    clock.advance(seconds=30)
    fresh = second_step.code_of(key, second_step.counter_at(clock()))
    assert again.post("/desk/login/code", code=f" {fresh[:3]} {fresh[3:]}", next="/desk/sales").location == "/desk/sales"
    again.get("/desk/sales")
    third = visitor()
    third.log_in("Bea")
    assert third.post("/desk/login/code", code=fresh).status_code == 403


def test_a_code_of_long_ago_or_to_come_is_none(at_desk: AtDesk, visitor: Visitor, clock: FixedClock) -> None:
    key, _ = set_up(at_desk("Bea"), clock)
    clock.advance(minutes=5)
    here = second_step.counter_at(clock())
    half = visitor()
    half.log_in("Bea")
    for counter in (here - 2, here + 2):
        assert half.post("/desk/login/code", code=second_step.code_of(key, counter)).status_code == 403
    assert half.post("/desk/login/code", code=second_step.code_of(key, here + 1)).status_code == 303


def test_a_recovery_code_opens_once(at_desk: AtDesk, visitor: Visitor, workshop: Workshop, clock: FixedClock) -> None:
    _, codes = set_up(at_desk("Bea"), clock)
    for status in (303, 403):
        half = visitor()
        half.log_in("Bea")
        assert half.post("/desk/login/code", code=codes[3].lower().replace("-", " ")).status_code == status
    assert [row.used_at is None for row in workshop.rows(RecoveryCode)].count(False) == 1
    assert [one.action for one in workshop.rows(AuditEntry)] == ["second_step.set_up", "second_step.recovery_code"]


def test_guessing_codes_is_stopped_from_wherever_it_comes(at_desk: AtDesk, visitor: Visitor, clock: FixedClock) -> None:
    bea = at_desk("Bea")
    key, codes = set_up(bea, clock)
    statuses = []
    for number in range(11):
        half = visitor()
        half.client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        half.log_in("Bea")
        statuses.append(half.post("/desk/login/code", code="000000").status_code)
    assert statuses == [403] * 10 + [429]
    assert bea.post("/desk/sure", proof=codes[0]).status_code == 429  # the other path is the same door
    clock.advance(minutes=6)
    assert half.post("/desk/login/code", code=second_step.code_of(key, second_step.counter_at(clock()))).status_code == 303


def test_a_half_open_session_ends(at_desk: AtDesk, visitor: Visitor, workshop: Workshop, clock: FixedClock) -> None:
    _, codes = set_up(at_desk("Bea"), clock)
    half = visitor()
    half.log_in("Bea")
    clock.advance(minutes=11)
    assert half.post("/desk/login/code", code=codes[0]).location == "/desk/login"
    half.log_in("Bea")
    workshop.db.run(lambda s: s.execute(sa.update(Staff).where(Staff.name == "Bea").values(active=False)))
    assert half.post("/desk/login/code", code=codes[0]).location == "/desk/login"


def test_a_colleague_takes_a_lost_phone_off_and_nobody_their_own(
    at_desk: AtDesk, visitor: Visitor, workshop: Workshop, clock: FixedClock
) -> None:
    bea, ada = at_desk("Bea"), at_desk("Ada")
    set_up(bea, clock)
    set_up(ada, clock)
    numbers = {one.name: one.id for one in workshop.rows(Staff)}
    assert "A colleague of administration" in ada.refused(f"/desk/admin/people/{numbers['Ada']}/second-step", 409)
    ada.send(f"/desk/admin/people/{numbers['Bea']}/second-step")
    bea.get("/desk/sales", 302)
    assert visitor().log_in("Bea").location == "/desk/"
    assert [row.staff_id for row in phones(workshop)] == [numbers["Ada"]]
    assert {row.staff_id for row in workshop.rows(RecoveryCode)} == {numbers["Ada"]}
    entry = workshop.rows(AuditEntry)[-1]
    assert (entry.action, entry.subject, entry.actor) == ("second_step.reset", f"staff:{numbers['Bea']}", "ada@werk.test")


def test_new_recovery_codes_take_the_old_ones_back(at_desk: AtDesk, visitor: Visitor, clock: FixedClock) -> None:
    bea = at_desk("Bea")
    _, codes = set_up(bea, clock)
    page = bea.refused("/desk/second-step/codes", 200)
    fresh = re.findall(r'<code class="secret">([A-Z2-7-]{19})</code>', page)
    assert len(fresh) == 10
    half = visitor()
    half.log_in("Bea")
    assert half.post("/desk/login/code", code=codes[0]).status_code == 403
    assert half.post("/desk/login/code", code=fresh[0]).status_code == 303


@pytest.mark.parametrize(
    ("home", "path"),
    [
        ("/desk/accounts", "/desk/accounts/export.csv"),
        ("/desk/reports", "/desk/reports/export.csv"),
        ("/desk/admin/price-lists", "/desk/admin/price-lists/1/prices.csv"),
    ],
)
def test_what_leaves_the_house_is_handed_to_somebody_who_has_just_said_who_they_are(
    at_desk: AtDesk, clock: FixedClock, home: str, path: str
) -> None:
    ada = at_desk("Ada")
    clock.advance(minutes=10, seconds=1)
    ada.get(home)  # to be read, as ever
    assert ada.client.get(path).location == f"/desk/sure?next={path}"
    assert ada.post("/desk/sure", proof=PASSWORD, next=path).location == path
    assert ada.client.get(path).status_code in (200, 404)


@pytest.mark.parametrize("path", ["/desk/admin/people", "/desk/admin/keys"])
def test_who_may_come_in_is_changed_only_by_somebody_who_has_just_said_who_they_are(
    at_desk: AtDesk, workshop: Workshop, clock: FixedClock, path: str
) -> None:
    ada = at_desk("Ada")
    ada.get(path)
    clock.advance(minutes=10, seconds=1)
    assert ada.client.get(path).location == f"/desk/sure?next={path}"
    before = (workshop.rows(AuditEntry), len(workshop.rows(Staff)))
    answer = ada.post(path, email="eve@werk.test", name="Eve", role="admin", scopes="read")
    assert answer.location == f"/desk/sure?next={path}"
    assert (workshop.rows(AuditEntry), len(workshop.rows(Staff))) == before
    ada.get("/desk/admin")  # everything else goes on
    assert ada.post("/desk/sure", proof="wrong").status_code == 403
    assert ada.client.get(path).status_code == 303
    assert ada.post("/desk/sure", proof=PASSWORD, next=path).location == path
    ada.get(path)


@pytest.fixture
def strict(sqlite_url: str, settings_for: Callable[..., Any], clock: FixedClock) -> Iterator[Flask]:
    """The site as it is outside of a demo."""
    from tests.company import open_company
    from wsgi import create_app

    app = create_app(settings_for(sqlite_url, demo=False), clock=clock)
    database: Database = app.extensions["shopfloor"].db
    database.run(lambda session: open_company(session, now=clock()))
    people = [
        Staff(email=f"{name.lower()}@werk.test", name=name, role=role, password_hash=password_hash(), created_at=clock())
        for name, role in PEOPLE.items()
    ]
    database.run(lambda session: session.add_all(people))
    yield app
    database.dispose()


def test_outside_of_a_demo_an_administrator_sets_a_phone_up_first(strict: Flask, clock: FixedClock) -> None:
    def come(name: str) -> Colleague:
        client = strict.test_client()
        client.environ_base["HTTP_ORIGIN"] = "http://localhost"
        who = Colleague(client)
        who.log_in(name)
        return who

    come("Bea").get("/desk/sales")
    ada = come("Ada")
    for path in ("/desk/", "/desk/admin", "/desk/sales", "/desk/admin/people"):
        assert ada.client.get(path).location == "/desk/second-step"
    assert ada.post("/desk/admin/people", email="eve@werk.test", name="Eve", role="admin").location == "/desk/second-step"
    assert "a password alone is not enough" in ada.get("/desk/second-step")
    set_up(ada, clock)
    ada.get("/desk/admin/people")


@pytest.mark.postgresql
def test_of_two_who_send_one_code_at_once_one_is_let_in(postgres_db: Database, clock: FixedClock) -> None:
    from concurrent.futures import ThreadPoolExecutor

    now = clock()
    nonce = second_step.new_nonce()

    def fill(session: Any) -> int:
        bea = Staff(email="bea@werk.test", name="Bea", role="sales", password_hash="x", created_at=now)
        session.add(bea)
        session.flush()
        session.add(SecondStep(staff_id=bea.id, nonce=nonce, last_counter=0, set_up_at=now))
        return int(bea.id)

    staff_id = postgres_db.run(fill)
    code = second_step.code_of(second_step.key_of(SECRET, staff_id, nonce), second_step.counter_at(now))

    def try_it(_number: int) -> bool:
        return postgres_db.run(lambda s: second_step.use(s, s.get_one(Staff, staff_id), code, secret_key=SECRET, now=now))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(try_it, range(8))) == [False] * 7 + [True]
