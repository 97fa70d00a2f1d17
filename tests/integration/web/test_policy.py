"""The policy: complete, denied by default, and enforced before a page runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask_login import LoginManager, UserMixin, login_user

from backoffice import policy
from backoffice.policy import PUBLIC, SALES, WAREHOUSE, enforce, may


class Person(UserMixin):
    def __init__(self, role: str) -> None:
        self.id = self.role = role


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An app with one page for everybody, one for sales, the log-in, and a way to become somebody."""
    monkeypatch.setattr(policy, "POLICY", {"a.open": PUBLIC, "a.sales": SALES, "desk.login": PUBLIC, "a.become": PUBLIC})
    monkeypatch.setattr(policy, "OPTIONAL_POLICY", {"a.demo": WAREHOUSE})
    app = Flask("t", static_folder=None)
    app.secret_key = "x"
    manager = LoginManager()  # as the desks do: init_app would look at the session of every page
    manager.user_loader(Person)
    app.login_manager = manager  # type: ignore[attr-defined] # where flask-login looks for it
    pages = Blueprint("a", __name__)
    pages.add_url_rule("/open", "open", lambda: "open")
    pages.add_url_rule("/sales", "sales", lambda: "sales", methods=["GET", "POST"])
    pages.add_url_rule("/become/<role>", "become", lambda role: str(login_user(Person(role))))
    desk = Blueprint("desk", __name__)
    desk.add_url_rule("/desk/login", "login", lambda: "log in")
    app.register_blueprint(pages)
    app.register_blueprint(desk)
    return app


def test_a_route_without_an_entry_stops_the_start(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "open to all")
    with pytest.raises(RuntimeError, match="routes without an entry in the policy: forgotten"):
        enforce(app)


def test_an_entry_without_a_route_stops_the_start(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policy.POLICY, "a.gone", SALES)
    with pytest.raises(RuntimeError, match=r"entries of the policy without a route: a\.gone"):
        enforce(app)


@pytest.mark.parametrize(
    ("role", "path", "method", "status"),
    [
        (None, "/open", "GET", 200),
        (None, "/sales", "GET", 302),
        (None, "/sales", "HEAD", 302),
        (None, "/sales", "POST", 403),
        (None, "/nowhere", "GET", 404),
        (None, "/open", "POST", 405),
        ("sales", "/sales", "GET", 200),
        ("sales", "/sales", "POST", 200),
        ("admin", "/sales", "POST", 200),
        ("warehouse", "/sales", "GET", 403),
        ("planner", "/sales", "POST", 403),
        ("public", "/sales", "GET", 403),  # no role of that name opens anything
        ("planner", "/open", "GET", 200),
    ],
)
def test_each_role_opens_only_its_pages(app: Flask, role: str | None, path: str, method: str, status: int) -> None:
    enforce(app)
    client = app.test_client()
    if role:
        client.get(f"/become/{role}")
    assert client.open(path, method=method).status_code == status


def test_whoever_must_log_in_comes_back_to_the_page_with_its_filters(app: Flask) -> None:
    enforce(app)
    assert app.test_client().get("/sales?mine=1").location == "/desk/login?next=/sales?mine%3D1"
    assert app.test_client().get("/sales").location == "/desk/login?next=/sales"


def test_public_pages_never_look_at_the_session(app: Flask) -> None:
    enforce(app)
    client = app.test_client()
    assert "Vary" not in client.get("/open").headers  # Flask adds `Vary: Cookie` once anything looked
    assert client.get("/sales").headers["Vary"] == "Cookie"


@pytest.mark.parametrize(
    ("roles", "role", "answer"),
    [(PUBLIC, None, True), (SALES, None, False), (SALES, "sales", True), (SALES, "", False), (WAREHOUSE, "sales", False)],
)
def test_may(roles: frozenset[str], role: str | None, answer: bool) -> None:
    assert may(roles, role) is answer


def test_the_whole_site_has_a_complete_policy(settings_for: Callable[..., Any], sqlite_url: str, clock: Any) -> None:
    from wsgi import create_app

    site = create_app(settings_for(sqlite_url), clock=clock)  # raises where one is missing
    table = policy.POLICY | policy.OPTIONAL_POLICY
    anonymous = {rule.endpoint for rule in site.url_map.iter_rules() if may(table[rule.endpoint], None)}
    assert {name for name in anonymous if name.split(".")[0] not in {"shop", "sandbox", "health", "metrics", "api"}} == {
        "desk.static",
        "desk.login",
        "desk.login_submit",
        "desk.language",
        "second.code",
        "second.code_submit",
    }
    site.extensions["shopfloor"].db.dispose()
