"""R16, small: a process whose clock is an hour fast keeps what it holds no longer than one whose clock is right, and says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from backoffice.clock import utc_now
from backoffice.db import Database
from backoffice.erp import models as t
from tests.company import open_company
from tests.faults.clocks import HOLD, needs_faketime, wrong_clock
from tests.need import ROOT

pytestmark = pytest.mark.postgresql
BUYS = """
from backoffice.clock import utc_now
from wsgi import create_app
client = create_app().test_client()
client.environ_base["HTTP_ORIGIN"] = "http://localhost"
form = {"sku": "STOOL", "slug": "stool", "quantity": "1", "postcode": "10115"}
print(client.post("/cart/add", data=form).status_code, utc_now().isoformat())
"""


def test_an_hour_ahead_alone(postgres_db: Database, tmp_path: Path) -> None:
    needs_faketime()
    postgres_db.run(lambda session: open_company(session, now=utc_now()))
    given = {"SHOPFLOOR_DATABASE_URL": postgres_db.url, "SHOPFLOOR_VAR_DIR": str(tmp_path), "SHOPFLOOR_SECRET_KEY": "b" * 40}
    environment = os.environ | given | {"SHOPFLOOR_DEMO": "True"} | dict(wrong_clock("+1h", tmp_path))
    environment["PYTHONPATH"] += f":{ROOT}"
    done = subprocess.run([sys.executable, "-c", BUYS], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    status, its_own = done.stdout.splitlines()[-1].split()
    assert (status, its_own > utc_now().isoformat()) == ("303", True)  # its own clock is ahead indeed
    left = sa.func.extract("epoch", t.Reservation.expires_at - sa.func.clock_timestamp())
    with postgres_db.read() as session:
        seconds = float(session.scalars(sa.select(left)).one())
    assert 0 < seconds <= HOLD.total_seconds()
