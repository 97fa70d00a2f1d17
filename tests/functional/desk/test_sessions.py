"""How long a desk stays open, what ends it, and that nothing typed is lost by it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import bootstrap, second_step, staff, staff_sessions
from backoffice.crm.models import Activity, Lead
from backoffice.staff_sessions import StaffSession
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.functional.desk.test_second_step import set_up
from tests.integration.chain.conftest import Workshop
from tests.statements import sent

Visitor = Callable[[], Colleague]
AtDesk = Callable[[str], Colleague]
ADMIN = staff.Admin("ada@werk.test")


def token_of(who: Colleague) -> str:
    with who.client.session_transaction() as kept:
        return str(kept["_user_id"])


def sessions(workshop: Workshop) -> list[StaffSession]:
    with workshop.db.read() as session:
        return list(session.scalars(sa.select(StaffSession)))


def test_a_desk_that_is_left_alone_for_half_an_hour_is_closed(at_desk: AtDesk, clock: FixedClock) -> None:
    bea = at_desk("Bea")
    for _ in range(3):
        clock.advance(minutes=29, seconds=59)
        bea.get("/desk/sales")
    clock.advance(minutes=30)
    bea.get("/desk/sales", 302)


def test_a_shift_is_twelve_hours(at_desk: AtDesk, clock: FixedClock) -> None:
    wim = at_desk("Wim")
    for _ in range(24):
        clock.advance(minutes=29, seconds=59)
        wim.get("/desk/warehouse")
    clock.advance(seconds=24)
    wim.get("/desk/warehouse", 302)


def test_what_the_browser_keeps_is_a_secret_of_256_bits_that_is_stored_as_a_hash(at_desk: AtDesk, workshop: Workshop) -> None:
    token = token_of(at_desk("Bea"))
    [row] = sessions(workshop)
    assert len(token) == 43  # base 64 of 32 bytes
    assert row.token_hash == staff_sessions.hash_token(token)
    assert token not in str([vars(one) for one in sessions(workshop)])


def test_another_log_in_and_another_proof_are_another_secret(at_desk: AtDesk, visitor: Visitor, workshop: Workshop) -> None:
    ada = at_desk("Ada")
    first = token_of(ada)
    ada.send("/desk/sure", proof="hammer and nail")
    second = token_of(ada)
    thief = visitor()
    with thief.client.session_transaction() as kept:
        kept["_user_id"] = first
    thief.get("/desk/admin", 302)
    ada.get("/desk/admin")
    ada.log_in("Ada")
    assert len({first, second, token_of(ada)}) == 3
    assert len(sessions(workshop)) == 1  # the one before is no second way in


ENDINGS: dict[str, Callable[[Session, int, FixedClock], object]] = {
    "disabled": lambda db, who, at: staff.change(db, who, name="Bea", role="sales", active=False, by=ADMIN, now=at()),
    "another role": lambda db, who, at: staff.change(db, who, name="Bea", role="planner", active=True, by=ADMIN, now=at()),
    "a new password": lambda db, who, at: staff.reset_password(db, who, by=ADMIN, now=at()),
    "a lost phone": lambda db, who, at: second_step.reset(db, who, by="ada@werk.test", role="admin", now=at()),
    "everywhere": lambda db, who, at: staff_sessions.end_all(db, who, by="bea@werk.test", role="sales", now=at()),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_what_ends_every_session(at_desk: AtDesk, visitor: Visitor, workshop: Workshop, clock: FixedClock, how: str) -> None:
    bea, elsewhere, half, carl = at_desk("Bea"), at_desk("Bea"), visitor(), at_desk("Carl")
    if how == "a lost phone":
        key, _ = set_up(bea, clock)
        half.log_in("Bea")
        clock.advance(seconds=30)
    workshop.db.run(lambda db: ENDINGS[how](db, 1, clock))
    for browser in (bea, elsewhere):
        browser.get("/desk/sales", 302)
    carl.get("/desk/sales")
    if how == "a lost phone":  # whoever waits for the code is out as well
        code = second_step.code_of(key, second_step.counter_at(clock()))
        assert half.post("/desk/login/code", code=code).location == "/desk/login"


def test_the_button_logs_out_everywhere(at_desk: AtDesk, workshop: Workshop) -> None:
    bea, elsewhere = at_desk("Bea"), at_desk("Bea")
    assert "Log out everywhere" in bea.get("/desk/second-step")
    assert "You are logged out everywhere." in bea.send("/desk/logout/everywhere")
    elsewhere.get("/desk/sales", 302)


def test_a_page_reads_one_row_for_who_asks_and_writes_once_a_minute(
    at_desk: AtDesk, workshop: Workshop, clock: FixedClock
) -> None:
    bea = at_desk("Bea")
    for seconds, writes in ((0, 0), (59, 0), (1, 1), (0, 0), (60, 1)):
        clock.advance(seconds=seconds)
        with sent(workshop.db) as asked:
            bea.get("/desk/sales")
        assert len([one for one in asked if "FROM staff_session" in one or "FROM staff " in one]) == 1, asked
        assert len([one for one in asked if one.startswith("UPDATE staff_session")]) == writes
    with sent(workshop.db) as asked:
        bea.client.get("/p/stool")
    assert not [one for one in asked if "session" in one]  # the shop asks nobody who they are


def test_old_rows_go(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    at_desk("Bea")
    [forget] = [job.run for job in bootstrap.periodic(workshop.services) if job.name == "forget_sessions"]
    forget(clock.advance(hours=35, minutes=59))
    assert len(sessions(workshop)) == 1
    forget(clock.advance(minutes=1))
    assert sessions(workshop) == []


def kept_in(page: str) -> str:
    found = re.search(r'name="kept" value="([^"]+)"', page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("with_code", [False, True])
def test_a_form_that_came_too_late_is_offered_again(
    at_desk: AtDesk, ask: Callable[..., Lead], workshop: Workshop, clock: FixedClock, with_code: bool
) -> None:
    ask()
    bea = at_desk("Bea")
    key = set_up(bea, clock)[0] if with_code else b""
    token, text = bea.token(), "A <long> note\nof two lines"
    clock.advance(minutes=31)
    late = {"csrf_token": token, "version": "1", "note": text}
    answer = bea.client.post("/desk/sales/leads/1/note", data=late)
    assert answer.status_code == 403
    assert "What you typed is kept." in answer.text
    assert len(workshop.rows(Activity)) == 1  # nothing was done
    kept = kept_in(answer.text)
    assert kept_in(bea.refused("/desk/login", 403, email="bea@werk.test", password="wrong", kept=kept)) == kept
    page = bea.refused("/desk/login", 200, email="bea@werk.test", password="hammer and nail", kept=kept)
    if with_code:
        bea.get("/desk/sales", 302)  # the password alone opens nothing
        code = second_step.code_of(key, second_step.counter_at(clock()))
        page = bea.refused("/desk/login/code", 200, code=code, kept=kept_in(page))
    assert '<form class="stack card" method="post" action="/desk/sales/leads/1/note">' in page
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert html.unescape(again["note"]) == text
    assert bea.client.post("/desk/sales/leads/1/note", data=again).status_code == 303
    assert [one.text for one in workshop.rows(Activity, kind="note")] == [text]


def test_a_kept_form_is_its_writer_s_alone(
    at_desk: AtDesk, visitor: Visitor, ask: Callable[..., Lead], workshop: Workshop, clock: FixedClock
) -> None:
    ask()
    bea = at_desk("Bea")
    late = {"csrf_token": bea.token(), "version": "1", "note": "mine"}
    stranger = visitor().client.post("/desk/sales/leads/1/note", data=late)
    assert "kept" not in stranger.text  # of no session, no text is sealed by us
    clock.advance(minutes=31)
    for broken in ({"csrf_token": "forged"}, {"password": "x"}):
        assert 'name="kept"' not in bea.client.post("/desk/sales/leads/1/note", data=late | broken).text
    kept = kept_in(bea.client.post("/desk/sales/leads/1/note", data=late).text)
    for who, text in (("Carl", kept), ("Bea", kept[:-3] + "abc"), ("Bea", "nonsense")):
        assert visitor().log_in(who, kept=text).location == "/desk/"
    clock.advance(hours=12, seconds=1)
    assert visitor().log_in("Bea", kept=kept).location == "/desk/"
    assert workshop.rows(Activity, kind="note") == []
