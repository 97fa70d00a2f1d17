"""Schemathesis against the description: what it promises is what the API does. A small seed here, a long one when asked.

Made-up tokens end at the door, so every case that is well-formed is about a cart or an order that is really there, with goods
that are sold and the figures that its caller has seen; what is malformed keeps what was made up.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import hypothesis
import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from backoffice.erp.classes import CUSTOMER_CLASSES
from backoffice.public.partners import SCOPES
from backoffice.web import guesses
from storefront.api.app import OPERATIONS
from tests.company import open_company
from tests.functional.api.conftest import Caller, cart, checkout, pay

load_all_checks()
SMALL, LONG = 6, 250
PER_ROLE = 2_000  # cases of each kind of caller, over all operations
STOOLS = 100_000  # nobody is refused because others took the last ones


class Role(NamedTuple):
    """A kind of caller: what its key may do (None: it has none), and the class of customer that it buys for."""

    scopes: tuple[str, ...] | None
    customer_class: str = "retail"


ROLES = {
    "anybody": Role(None),
    **{f"only {scope}": Role((scope,)) for scope in SCOPES},
    "reads": Role(tuple(one for one in SCOPES if one.endswith(":read"))),
    **{f"may do all, {one}": Role(tuple(SCOPES), one) for one in CUSTOMER_CLASSES},
}
# a business refusal of a well-formed request (nothing left, nobody delivers there) is documented, not a defect
REFUSALS = ["2xx", "304", "400", "401", "403", "404", "409", "412", "422", "429"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough here."""
    return sqlite_url


@pytest.fixture
def api(app: Flask, now: datetime) -> Caller:
    """A running shop with the workshop's goods, stools for everybody."""
    app.extensions["shopfloor"].db.run(lambda session: open_company(session, now=now, stools=STOOLS))
    return Caller(app, now)


@pytest.fixture
def schema(app: Flask, api: Caller) -> Any:
    """Its description."""
    config = schemathesis.Config.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": REFUSALS}}})
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, config=config)


class Hammer:
    """Call operations with made-up requests, good and bad; every check of Schemathesis must hold.

    said: how often which operation answered with which status.
    """

    def __init__(self, schema: Any, api: Caller, key: str = "") -> None:
        self._operations = {found.ok().definition.raw["operationId"]: found.ok() for found in schema.get_all_operations()}
        self._api, self._headers, self._rounds = api, {"Authorization": key} if key else None, itertools.count(1)
        self.said = Counter[tuple[str, int]]()

    def strike(self, name: str, examples: int) -> None:
        """Call one operation so many times with what fits, and as often with what does not."""
        operation = self._operations[name]

        def sent(case: Any) -> None:
            self.said[name, case.call_and_validate(headers=self._headers).status_code] += 1

        def meant(case: Any) -> None:
            self._make_real(case)
            sent(case)

        for mode, run in ((GenerationMode.POSITIVE, meant), (GenerationMode.NEGATIVE, sent)):
            _examples(operation.as_strategy(generation_mode=mode), run, examples, seed=next(self._rounds))

    def _make_real(self, case: Any) -> None:
        """Let it be about something that is there."""
        path, body = case.path_parameters or {}, case.body if isinstance(case.body, dict) else {}
        if "token" in path:
            made = cart(self._api)
            order = case.operation.path.startswith("/orders")
            path["token"] = self._bought(made) if order else made["token"]
            for field in checkout(made).keys() & body.keys():
                body[field] = checkout(made)[field]
        for given in (path, body, case.query or {}):
            if "sku" in given:
                given["sku"] = "STOOL"

    def _bought(self, made: dict[str, Any]) -> str:
        """Pay for a cart; return the order's token."""
        started = self._api.send("POST", f"/carts/{made['token']}/checkout", checkout(made)).get_json()
        pay(self._api, started["pay_url"])
        return str(started["order_token"])


def _examples(strategy: Any, run: Callable[[Any], None], examples: int, *, seed: int) -> None:
    limits = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    hypothesis.seed(seed)(limits(hypothesis.given(case=strategy)(run)))()


@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
def test_the_api_is_as_described(schema: Any, api: Caller, name: str) -> None:
    assert len(CHECKS.get_all()) >= 8
    hammer = Hammer(schema, api)
    hammer.strike(name, SMALL)
    assert hammer.said.total() >= SMALL


@pytest.mark.parametrize(("name", "well"), {"set_line": 200, "check_out": 201, "cancel_order": 200}.items())
def test_what_is_well_formed_does_real_work(schema: Any, api: Caller, name: str, well: int) -> None:
    hammer = Hammer(schema, api, api.key(*SCOPES))
    hammer.strike(name, SMALL)
    assert hammer.said[name, well] > 0, hammer.said


def test_whoever_guesses_at_a_secret_may_be_told_to_wait(app: Flask, schema: Any) -> None:
    """As the routes have it: of each path with a secret in it the description says 429, of a listing it does not."""
    guessed = {
        (str(rule).removeprefix("/api/v1").replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        if str(rule).startswith("/api/v1/") and guesses.SECRETS & rule.arguments
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    said = {(path, method): one["responses"] for path, of in schema.raw_schema["paths"].items() for method, one in of.items()}
    assert len(guessed) > 8
    assert [place for place in sorted(guessed) if "429" not in said[place]] == []
    assert "429" not in said["/products", "get"]


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
def test_the_api_is_as_described_at_length(schema: Any, api: Caller, name: str) -> None:
    hammer = Hammer(schema, api)
    hammer.strike(name, LONG)
    assert hammer.said.total() >= LONG


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("role", ROLES)
def test_it_is_so_for_each_kind_of_partner(schema: Any, api: Caller, role: str) -> None:
    """Two thousand cases of each, shared among the operations: what a key may not do is refused as described."""
    scopes, customer_class = ROLES[role]
    hammer = Hammer(schema, api, api.key(*scopes, customer_class=customer_class) if scopes else "")
    done = -1
    while done < hammer.said.total() < PER_ROLE:  # some have few cases: then the others are asked again, with others
        done = hammer.said.total()
        for operation in OPERATIONS:
            hammer.strike(operation.name, -(-(PER_ROLE - done) // (2 * len(OPERATIONS))))
    assert hammer.said.total() >= PER_ROLE, hammer.said
