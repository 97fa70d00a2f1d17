"""A web process reads the plan before its first request, and starts where there is none to read."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backoffice.bootstrap import Services
from backoffice.db import Database
from backoffice.web.tuning import read_ahead
from tests.company import open_company
from tests.statements import sent


def test_the_first_question_finds_the_plan_read(client: FlaskClient, app: Flask, now: datetime) -> None:
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))
    services.db.kept.clear()  # as in a process that has just started
    read_ahead(services.db, now=now)
    with sent(services.db) as seen:
        assert client.get("/api/v1/promises?sku=TABLE").json["deliver_on"]
    assert not [one for one in seen if "plan_checkpoint" in one or "routing_operation" in one]


def test_without_a_company_or_a_database_a_process_starts_all_the_same(
    sqlite_db: Database, now: datetime, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read_ahead(sqlite_db, now=now)
    assert _warned(capsys) == ["NotFound"]  # the demo's company is not there yet
    read_ahead(Database(f"sqlite:///{tmp_path}/away/shop.db"), now=now)
    assert _warned(capsys) == ["OperationalError"]


def _warned(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Find the errors of the warnings, wherever the log was sent by who configured it."""
    lines = [line for line in "".join(capsys.readouterr()).splitlines() if "could not be read ahead" in line]
    return [name for line in lines for name in re.findall("NotFound|OperationalError", line)]
