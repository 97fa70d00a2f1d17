"""The units of docs/units: systemd reads them, and a restart of all of them costs no visitor a request."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.bench.restart import EMAIL, MADE_EVERY, PASSWORD, PRODUCTS, prepare
from tests.need import ROOT, lacks, postgres_database
from tests.units import PROGRAM, UNITS, Service, Shop, running
from tests.visitors import Visitors

FROM_STOCK = [number for number in range(PRODUCTS) if number % MADE_EVERY]


def failures(shop: Shop, number: signal.Signals) -> list[str]:
    """Restart everything once among visitors, each service stopped by a signal; return what failed."""

    def restart(service: Service) -> bool:
        in_time = service.stop(number)
        visitors.wait_for(15)  # one server is away, the other answers
        service.start()
        return in_time

    with Visitors(shop.address, FROM_STOCK, per_second=20, logs_in=(EMAIL, PASSWORD)) as visitors:
        visitors.wait_for(20)
        assert shop.restart(by=restart)
        visitors.wait_for(20)
    assert len(visitors.tally.took) > 80
    return visitors.tally.failed


@pytest.mark.postgresql
def test_nobody_notices_a_rolling_restart(tmp_path: Path) -> None:
    with postgres_database() as url, running(prepare(url, str(tmp_path)), tmp_path) as shop:
        assert failures(shop, signal.SIGTERM) == []


@pytest.mark.postgresql
def test_a_server_that_cannot_start_does_not_say_that_it_is_ready(tmp_path: Path) -> None:
    with postgres_database() as url:
        settings = prepare(url, str(tmp_path)).model_copy(update={"secret_key": "short"})
        with pytest.raises(RuntimeError, match="at least 32 random characters"), running(settings, tmp_path, worker=False):
            raise AssertionError("it said so")


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        lacks("systemd-analyze", "no systemd here")
    for unit in UNITS.glob("shopfloor-*"):  # the program is not in its place here: `true` stands in for it
        (tmp_path / unit.name).write_text(unit.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true"), encoding="utf-8")
    (tmp_path / "shopfloor-web@.service").rename(tmp_path / "shopfloor-web@1.service")
    units = sorted(tmp_path.glob("shopfloor-*"))
    assert len(units) == 3
    checked = subprocess.run([verify, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert (checked.returncode, [line for line in checked.stderr.splitlines() if str(tmp_path) in line]) == (0, [])


@pytest.mark.parametrize("unit", ["shopfloor-web@.service", "shopfloor-worker.service"])
def test_the_services_stand_behind_the_same_walls(unit: str) -> None:
    text = (UNITS / unit).read_text(encoding="utf-8")
    walls = re.search(r"^StateDirectory=.*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    other = re.search(
        r"^StateDirectory=.*?(?=\n\n)", (UNITS / "shopfloor-worker.service").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert walls is not None
    assert other is not None
    assert walls[0] == other[0]
    for wall in ("NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "CapabilityBoundingSet="):
        assert f"\n{wall}\n" in walls[0]


def test_every_unit_is_named_by_the_page_that_installs_it() -> None:
    page = (ROOT / "docs" / "going-live.md").read_text(encoding="utf-8")
    assert all(unit.name in page for unit in UNITS.iterdir())
