"""Who may what: every role × every route × every method × an object that is there and one that is not (S1, I18).

Expected is declared here, area by area, not read from the policy: an entry of the policy that lets somebody too far is
a difference. A form is sent without its token: whoever may send it is told so (400) after the policy and before anything
is done, so that the matrix changes nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from backoffice import staff_sessions
from backoffice.crm import leads, links
from backoffice.crm.models import Account, AccountSession, Address, Order, Party
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.public.cases import CaseForm
from backoffice.public.leads import LeadForm
from storefront.cookies import ACCOUNT
from tests.buyers import hidden
from tests.company import open_company
from tests.conftest import NOW, FixedClock
from tests.functional.desk.conftest import every_row
from tests.integration.chain.conftest import Workshop

Stage = tuple[Flask, Mapping[str, FlaskClient], Mapping[str, Any]]
ROLES = ("public", "customer", "sales", "warehouse", "planner", "admin", "disabled", "expired")
METHODS = {"GET", "HEAD", "POST", "DELETE"}  # and whatever else a route offers
STAFF = "sales warehouse planner admin"
# blueprint → who may, then single pages that differ from their blueprint
AREAS: Mapping[str, str] = {
    **dict.fromkeys(("shop", "api", "health", "metrics", "sandbox", "payments"), "everybody"),
    **dict.fromkeys(("sales", "sales_same", "pipeline", "lead_list", "lead_file"), "sales admin"),
    **dict.fromkeys(("phoning", "selling", "quoting", "cases", "identities", "campaigns"), "sales admin"),
    **dict.fromkeys(("customers", "orders", "told_choice", "segments"), "sales admin"),
    **dict.fromkeys(("warehouse", "waves", "papers", "sent", "returns", "shelves", "expiry"), "warehouse admin"),
    **dict.fromkeys(("planning", "expedite", "items", "prices", "making", "lanes", "hours"), "planner admin"),
    **dict.fromkeys(("supposing", "kept", "breaks", "demand", "forecasts"), "planner admin"),
    **dict.fromkeys(("admin", "people", "persons", "absences", "company", "keys", "outgoing", "troubles", "approvals"), "admin"),
    **dict.fromkeys(("rules", "stages", "services", "templates", "auditing", "accounts", "coupons", "figures"), "admin"),
    **dict.fromkeys(("discounts", "reports", "case_deadlines", "receivables", "price_lists"), "admin"),
    **dict.fromkeys(("desk", "second", "tracing", "tasks"), STAFF),
}
PAGES: Mapping[str, str] = dict.fromkeys(
    ("desk.static", "desk.login", "desk.login_submit", "desk.language", "second.code", "second.code_submit"), "everybody"
)
EXISTING: Mapping[str, Any] = {"slug": "stool", "sku": "STOOL", "filename": "desk.css", "language": "en"}
MISSING: Mapping[str, Any] = {"slug": "nope", "sku": "NOPE", "filename": "nope.css", "number": "SF-NOPE-NOPE", "token": "nope"}


class Cell(NamedTuple):
    """One of the matrix."""

    role: str
    endpoint: str
    method: str
    thing: str  # none | there | missing

    def may(self) -> bool:
        who = PAGES.get(self.endpoint, AREAS[self.endpoint.split(".")[0]])
        return who == "everybody" or self.role in who.split()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One site, a browser for each role, and the keys of what there is."""
    from backoffice.config import Settings
    from backoffice.tables import metadata
    from wsgi import create_app

    folder = tmp_path_factory.mktemp("matrix")
    url = f"sqlite:///{folder}/shop.db"
    database = Database(url)
    metadata.create_all(database.engine)
    database.dispose()
    key = "a key for tests only, 32 letters!"
    app = create_app(Settings(database_url=url, var_dir=folder, secret_key=key, demo=True), clock=FixedClock(NOW))
    services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=NOW))
    keys = fill(Workshop(services, NOW))
    yield app, {role: browser(app, role, keys) for role in ROLES}, keys
    services.db.dispose()


def fill(shop: Workshop) -> dict[str, Any]:
    """Put one of everything that has an owner into the shop; return the keys."""
    form = LeadForm(key="k", kind="question", name="Eve", email="eve@example.test", phone="", message="?", sku="STOOL")
    shop.db.run(lambda session: leads.submit(session, form, now=NOW))
    start = shop.start(shop.cart(STOOL=1))
    shop.pay(start)
    shop.shop.cases.open(start.order_token, CaseForm("k", "other", "?"), now=NOW)
    token, other = links.new_token(), links.new_token()

    def work(session: Session) -> None:
        for role in ("sales", "warehouse", "planner", "admin", "disabled", "expired"):
            kept = role if role in STAFF else "admin"
            person = Staff(email=f"{role}@werk.test", name=role, role=kept, password_hash="x", session_nonce="n", created_at=NOW)
            person.active = role != "disabled"
            session.add(person)
        for email, secret, addresses in (("ada@example.test", token, (1, 3)), ("bob@example.test", other, (2,))):
            party = session.scalar(sa.select(Party).where(Party.email == email)) or Party(name="B", email=email, created_at=NOW)
            session.add(party)
            session.flush()
            account = Account(party_id=party.id, email=email, name=party.name, password_hash="x", created_at=NOW)
            account.confirmed_at = NOW
            session.add(account)
            session.flush()
            times = {"created_at": NOW, "seen_at": NOW, "expires_at": NOW.replace(year=2027)}
            session.add(AccountSession(account_id=account.id, token_hash=links.hash_token(secret), **times))
            place = {"street": "Weg 1", "city": "Berlin", "postcode": "10115", "country": "DE"}
            session.add_all(Address(id=n, account_id=account.id, name=email, created_at=NOW, **place) for n in addresses)

    shop.db.run(work)
    theirs = shop.start(shop.cart(LAMP=1), email="bob@example.test")
    shop.pay(theirs)
    own, others = (row.number for row in shop.rows(Order))
    keys = {"token": start.order_token, "number": own, "customer": token, "other": other}
    keys |= {"number_own": own, "number_other": others, "number_nobody": "SF-NOPE-NOPE"}
    keys |= {"address_own": 1, "address_other": 2, "address_nobody": 999_999}
    return keys | {"spare_own": 3, "spare_other": 2, "spare_nobody": 999_999}


def browser(app: Flask, role: str, keys: Mapping[str, Any]) -> FlaskClient:
    """Return a browser of this role, logged in without the slow work of a password."""
    client = app.test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    if role == "customer":
        client.set_cookie(ACCOUNT, keys["customer"])
    elif role != "public":
        with app.extensions["shopfloor"].db.read() as session:
            person = session.scalars(sa.select(Staff).where(Staff.name == role)).one()
        begun_at = NOW - timedelta(hours=12) if role == "expired" else NOW
        token = app.extensions["shopfloor"].db.run(lambda session: staff_sessions.begin(session, person.id, now=begun_at))
        with client.session_transaction() as kept:
            kept["_user_id"] = token
            kept["sure_at"] = NOW.timestamp()
    return client


def paths(rule: Rule, keys: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (which object, path) of a route."""
    if not rule.arguments:
        yield "none", rule.rule
        return
    for thing, known, number in (("there", {**EXISTING, **keys}, "1"), ("missing", MISSING, "999999")):
        filled = re.sub(
            r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>",
            lambda match, known=known, number=number: number if match[1] == "int" else str(known.get(match[2], "nope")),
            rule.rule,
        )
        yield thing, filled


def plain(answer: TestResponse, path: str) -> bytes:
    """Return a page without what names itself: its address, its form's token, the request's number."""
    return re.sub(rb'value="[^"]{60,}"|[0-9a-f]{32}', b"", answer.data.replace(path.encode() or b"?", b""))


def wrong(cell: Cell, answer: TestResponse, offered: set[str]) -> str:
    """Return what is not as declared; empty: nothing."""
    status = answer.status_code
    if cell.endpoint == "health.readyz" and cell.method in offered:  # no worker runs here, and it says so to everybody
        return "" if status == 503 else f"{status}"
    if status >= 500:
        return f"{status}"
    if cell.method not in offered:
        return "" if status in {405, 404} else f"{status} instead of 405"  # 404: no such page, whatever is wanted of it
    if cell.may():
        refused = status in {401, 403} and not cell.endpoint.startswith(("api.", "metrics."))  # which ask for keys themselves
        to_login = status == 302 and (answer.location or "").startswith("/desk/login")
        return f"{status} {answer.location or ''}" if refused or to_login else ""
    if cell.role in {"public", "customer", "disabled", "expired"} and cell.method in {"GET", "HEAD"}:
        return "" if status == 302 and answer.location.startswith("/desk/login?next=") else f"{status} instead of the log-in"
    return "" if status == 403 else f"{status} instead of 403"


def test_every_cell_is_as_declared(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    app, browsers, keys = stage
    database: Database = app.extensions["shopfloor"].db
    with database.read() as session:
        before = every_row(session)
    rules: dict[str, dict[str, set[str]]] = {}
    owner: dict[tuple[str, str], str] = {}
    for rule in app.url_map.iter_rules():
        offered = set(rule.methods or ()) - {"OPTIONS"}
        rules.setdefault(rule.rule, {})[rule.endpoint] = offered
        owner |= {(rule.rule, method): rule.endpoint for method in offered}
    differences, count = [], 0
    bodies: dict[tuple[str, str, str], set[bytes]] = {}
    for rule in app.url_map.iter_rules():
        public = PAGES.get(rule.endpoint, AREAS[rule.endpoint.split(".")[0]]) == "everybody"
        together = set().union(*rules[rule.rule].values())
        for (thing, path), method in itertools.product(paths(rule, keys), sorted(METHODS | together)):
            if owner.get((rule.rule, method), rule.endpoint) != rule.endpoint or (public and method in {"POST", "PUT", "DELETE"}):
                continue  # another route of the same path answers; what everybody may send is tried with content elsewhere
            for role in ROLES:
                cell = Cell(role, rule.endpoint, method, thing)
                if (method not in together and role not in {"public", "admin"}) or (method == "HEAD" and cell.may()):
                    continue  # the router refuses before anybody asks who it is; HEAD is GET without its page
                answer = browsers[role].open(path, method=method)
                count += 1
                if said := wrong(cell, answer, together):
                    differences.append((*cell, said))
                if answer.status_code == 403:
                    bodies.setdefault((role, rule.endpoint, method), set()).add(plain(answer, path))
    with capsys.disabled():
        print(f"\nS1: {count} cells, {len(differences)} differences")
    assert differences == [], differences
    assert {key for key, said in bodies.items() if len(said) > 1} == set()  # a refusal does not tell whether it is there
    with database.read() as session:
        after = every_row(session)
    assert {name for name in before if before[name] != after[name]} <= {
        "offer",
        "plan_domain",
        "cart",
        "login_throttle",
    }  # the last: links that open nothing are counted
    assert count > 4_000


OWNED = (  # what belongs to a customer; of a key: theirs, another customer's, nobody's
    ("GET", "/account/addresses/{address}"),
    ("POST", "/account/addresses/{address}"),
    ("POST", "/account/addresses/{address}/prefer"),
    ("POST", "/account/addresses/{spare}/remove"),
    ("GET", "/account/orders/{number}/again"),
    ("POST", "/account/orders/{number}/again"),
)
# a link is the key to its order: of the right shape or not, one that opens nothing is like any other
LINKED = ("/o/{}", "/o/{}/cancel", "/o/{}/moved/1", "/api/v1/orders/{}", "/api/v1/orders/{}/slip", "/api/v1/carts/{}")


@pytest.mark.parametrize(("method", "path"), OWNED)
def test_another_customers_is_like_nobodys(stage: Stage, method: str, path: str) -> None:
    _app, browsers, keys = stage
    whole = {"name": "Ada", "street": "Weg 2", "city": "Berlin", "postcode": "10115", "country": "DE"}
    form = whole if path.endswith("{address}") else {}
    form["form_token"] = hidden(browsers["customer"].get("/account/settings").text, "form_token")
    answers = {}
    for whose in ("other", "nobody", "own"):
        address = path.format(**{name: keys[f"{name}_{whose}"] for name in ("address", "spare", "number")})
        answers[whose] = browsers["customer"].open(address, method=method, data=form if method == "POST" else None)
    assert [answers[whose].status_code for whose in ("other", "nobody")] == [404, 404]
    assert plain(answers["other"], "") == plain(answers["nobody"], "")
    assert answers["own"].status_code in {200, 303}
    if method == "GET":
        assert "/account/login" in browsers["public"].get(address).location


@pytest.mark.parametrize("path", LINKED)
def test_every_link_that_opens_nothing_is_like_any_other(stage: Stage, path: str) -> None:
    _app, browsers, keys = stage
    guesses = ("nope", links.new_token(), keys["number_own"], keys["customer"], keys["token"][:-1], keys["token"].swapcase())
    elsewhere = {"REMOTE_ADDR": f"10.{LINKED.index(path)}.0.1"}  # too many from one network are told to wait
    answers = [browsers["public"].get(path.format(guess), environ_base=elsewhere) for guess in guesses]
    assert {answer.status_code for answer in answers} == {404}
    assert len({plain(answer, guess) for answer, guess in zip(answers, guesses, strict=True)}) == 1
