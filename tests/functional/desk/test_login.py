"""Logging in: who may, how often, and what the browser keeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.desk.auth import local_path
from backoffice.erp.models import Staff
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

Visitor = Callable[[], Colleague]
AtDesk = Callable[[str], Colleague]


@pytest.mark.parametrize(
    ("name", "lands"),
    [("Bea", "/desk/sales"), ("Wim", "/desk/warehouse"), ("Petra", "/desk/planning"), ("Ada", "/desk/")],
)
def test_everybody_lands_at_their_desk(visitor: Visitor, name: str, lands: str) -> None:
    browser = visitor()
    assert browser.log_in(name).headers["Location"] == "/desk/"
    assert browser.client.get("/desk/", follow_redirects=True).request.path == lands


def test_every_mistake_gets_the_same_answer(visitor: Visitor, workshop: Workshop) -> None:
    workshop.db.run(lambda s: s.execute(sa.update(Staff).where(Staff.name == "Carl").values(active=False)))
    pages = []
    for name, password in (("Nobody", "x"), ("Bea", "x"), ("Carl", "hammer and nail"), ("Bea", "")):
        answer = visitor().log_in(name, password)
        assert answer.status_code == 403
        assert "E-mail or password is wrong." in answer.get_data(as_text=True)
        pages.append(answer.get_data(as_text=True).count("\n"))
    assert len(set(pages)) == 1


def test_the_address_typed_is_kept_and_the_password_is_not(visitor: Visitor) -> None:
    page = visitor().refused("/desk/login", 403, email="bea@werk.test", password="a secret guess")
    assert 'value="bea@werk.test"' in page
    assert "a secret guess" not in page


def test_the_eleventh_try_waits_five_minutes(visitor: Visitor, clock: FixedClock) -> None:
    browser = visitor()
    assert [browser.log_in("Bea", "guess").status_code for _ in range(10)] == [403] * 10
    assert browser.log_in("Bea").status_code == 429  # even with the right password
    assert visitor().log_in("Carl").status_code == 303  # nobody else is kept out
    clock.advance(minutes=4, seconds=59)
    assert browser.log_in("Bea").status_code == 429
    clock.advance(seconds=1)
    assert browser.log_in("Bea").status_code == 303


def test_a_log_in_that_works_starts_the_count_anew(visitor: Visitor) -> None:
    for _ in range(2):
        assert [visitor().log_in("Bea", "guess").status_code for _ in range(9)] == [403] * 9
        assert visitor().log_in("Bea").status_code == 303


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/desk/sales?state=done", "/desk/sales?state=done"),
        ("https://evil.test/", None),
        ("//evil.test/", None),
        ("/\\evil.test", None),
        ("/desk\r\nSet-Cookie: a=b", None),
        ("desk/sales", None),
        ("", None),
        (None, None),
    ],
)
def test_only_local_paths_are_gone_on_to(target: str | None, kept: str | None) -> None:
    assert local_path(target) == kept


def test_log_in_goes_on_to_where_one_wanted(visitor: Visitor) -> None:
    browser = visitor()
    assert browser.client.get("/desk/sales?state=done").headers["Location"].startswith("/desk/login?next=")
    assert browser.log_in("Bea", next="/desk/sales?state=done").headers["Location"] == "/desk/sales?state=done"
    assert visitor().log_in("Bea", next="https://evil.test/").headers["Location"] == "/desk/"


def test_a_form_without_its_token_is_refused_and_says_so(visitor: Visitor, at_desk: AtDesk) -> None:
    answer = visitor().client.post("/desk/login", data={"email": "bea@werk.test", "password": "hammer and nail"})
    assert answer.status_code == 400
    assert "Please send it again" in answer.get_data(as_text=True)
    assert at_desk("Bea").client.post("/desk/logout").status_code == 400


def test_the_cookie_is_bound_to_its_site(visitor: Visitor) -> None:
    plain = visitor().log_in("Bea").headers["Set-Cookie"]
    assert plain.startswith("desk=")
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Path=/" in plain
    assert "Secure" not in plain  # a demo over plain HTTP must still log in
    browser = visitor()
    browser.client.environ_base |= {"wsgi.url_scheme": "https", "HTTP_ORIGIN": "https://localhost"}
    cookie = browser.client.get("/desk/login", base_url="https://localhost").headers["Set-Cookie"]
    assert cookie.startswith("__Host-desk=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("change", [{"active": False}, {"session_nonce": "new"}])
def test_a_session_ends_when_its_person_is_disabled_or_signed_out_everywhere(
    at_desk: AtDesk, workshop: Workshop, change: dict[str, object]
) -> None:
    bea = at_desk("Bea")
    bea.get("/desk/sales")
    workshop.db.run(lambda s: s.execute(sa.update(Staff).where(Staff.name == "Bea").values(**change)))
    bea.get("/desk/sales", 302)


def test_logging_out(at_desk: AtDesk) -> None:
    bea = at_desk("Bea")
    assert "You are logged out." in bea.send("/desk/logout")
    bea.get("/desk/sales", 302)


def test_the_shop_stays_free_of_sessions(site: Flask, at_desk: AtDesk) -> None:
    for client in (site.test_client(), at_desk("Bea").client):
        answer = client.get("/p/stool")
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"].startswith("public")
