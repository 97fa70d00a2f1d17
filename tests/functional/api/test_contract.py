"""Schemathesis against the description: what it promises is what the API does. A small seed here, a long one when asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks

from backoffice import api_keys
from backoffice.bootstrap import Services
from backoffice.public.partners import SCOPES
from storefront.api.app import OPERATIONS
from tests.company import open_company

load_all_checks()
SMALL, LONG = 6, 250
PER_ROLE = 2_000  # cases of each kind of partner, over all operations
ROLES = {"reads": [one for one in SCOPES if one.endswith(":read")], "may do all": list(SCOPES)}
# a business refusal of a well-formed request (nothing left, nobody delivers there) is documented, not a defect
REFUSALS = ["2xx", "304", "400", "401", "403", "404", "409", "412", "422", "429"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough here."""
    return sqlite_url


@pytest.fixture
def schema(app: Flask, now: datetime) -> Any:
    """The description of a running shop with the workshop's goods."""
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))
    config = schemathesis.Config.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": REFUSALS}}})
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, config=config)


def hammer(schema: Any, name: str, examples: int, headers: dict[str, str] | None = None) -> int:
    """Call one operation with made-up requests, good and bad; every check of Schemathesis must hold. Return how many."""
    [operation] = [found.ok() for found in schema.get_all_operations() if found.ok().definition.raw["operationId"] == name]
    done = 0

    def run(case: Any) -> None:
        nonlocal done
        case.call_and_validate(headers=headers)
        done += 1

    given = operation.as_strategy()
    for strategy in (given, operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)):
        _examples(strategy, run, examples)
    return done


def _examples(strategy: Any, run: Any, examples: int) -> None:
    from hypothesis import given

    limits = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    limits(given(case=strategy)(run))()


@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
def test_the_api_is_as_described(schema: Any, name: str) -> None:
    assert len(CHECKS.get_all()) >= 8
    assert hammer(schema, name, SMALL) >= SMALL


@pytest.mark.slow
@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
def test_the_api_is_as_described_at_length(schema: Any, name: str) -> None:
    assert hammer(schema, name, LONG) >= LONG


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
def test_it_is_so_for_each_kind_of_partner(schema: Any, app: Flask, now: datetime, name: str, role: str) -> None:
    """Two thousand cases of each, shared among the operations: what a key may not do is refused as described."""
    named = {"by": "t", "now": now}
    services: Services = app.extensions["shopfloor"]
    _, secret = services.db.run(lambda session: api_keys.create(session, "Partner", ROLES[role], **named))
    examples = -(-PER_ROLE // (2 * len(OPERATIONS)))
    assert hammer(schema, name, examples, {"Authorization": f"Bearer {secret}"}) >= examples
