"""Shard `lines` (R9): a bad line to the database, the payment provider, the mail server or an outside ERP, met by six journeys.

gunicorn (two processes), a worker, PostgreSQL, the doubles of Stripe and of an ERP and a mail server, each behind a `proxy`. For
every fault all six requests are sent at once; each must end as `DECLARED` says, within ten seconds. Then the line is good again:
the same request, sent again, must do it within five seconds, and it must have been done once.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from aiosmtpd.controller import Controller

from backoffice import migrate
from backoffice.clock import utc_now
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import models as t
from tests import stripe_double
from tests.erp_double import ErpDouble
from tests.faults import proxy
from tests.faults.journeys import Journeys, Ready
from tests.faults.proxy import FAULTS, Fault, Proxy
from tests.faults.rows import Row, adds_up
from tests.need import ROOT, Gunicorn, free_port, postgres_database

SLOWEST, BACK_WITHIN = 10.0, 5.0
DONE, LATER, TOLD = "done", "later", "told"  # done | 503 with Retry-After | a page that says so, with all that was typed
SIX = ("browse", "lead", "checkout", "login", "pick", "plan")


def _all(*outcomes: str, **others: str) -> dict[str, set[str]]:
    return {journey: {others[journey]} if journey in others else set(outcomes) for journey in SIX}


AS_EVER = _all(DONE)
NOT_PAID_NOW = _all(DONE, checkout=TOLD)
DECLARED: dict[tuple[str, str], dict[str, set[str]]] = {
    ("database", "latency 200 ms"): _all(DONE, LATER),
    ("database", "latency 2 s"): _all(LATER) | {"browse": {DONE, LATER}},
    ("database", "reset"): _all(LATER),
    ("database", "black hole"): _all(LATER),
    ("database", "answer lost"): _all(LATER),
    ("payments", "reset"): NOT_PAID_NOW,
    ("payments", "black hole"): NOT_PAID_NOW,
    ("payments", "answer lost"): NOT_PAID_NOW,
}


@dataclass(frozen=True, slots=True)
class Met:
    """What a journey met. back: seconds until it was done, after the line was good again. times: how often it was done."""

    outcome: str
    seconds: float
    back: float
    times: int


def rows(*only: str) -> Iterator[Row]:
    """Yield a row for each dependency and fault. only: names of dependencies, each with all faults, or "name:fault"."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgres_database())
        migrate.upgrade(url)
        direct = Database(url)
        stack.callback(direct.dispose)
        Journeys.open(direct)
        double = stack.enter_context(stripe_double.running())
        double.now = time.time
        post = _mail_server(stack)
        lines = {
            "database": stack.enter_context(proxy.before(to_postgresql(url))),
            "payments": stack.enter_context(proxy.before(_to("127.0.0.1", int(double.base.rsplit(":", 1)[1])))),
            "mail": stack.enter_context(proxy.before(_to("127.0.0.1", post))),
            "erp": stack.enter_context(proxy.before(_to("127.0.0.1", _erp(stack, direct).port))),
        }
        settings = _settings(url, lines, double, folder)
        shop = Gunicorn(settings, workers=2, threads=8, log=folder / "shop.log")
        stack.callback(shop.stop)
        stack.enter_context(started_worker(settings, folder / "worker.log"))
        shop.wait_until_ready()
        _wait_for_figures(direct)
        journeys = Journeys(direct, shop.address, double)
        journeys.begin()
        for word in only or tuple(lines):
            name, _, chosen = word.partition(":")
            for fault in FAULTS:
                if chosen in ("", fault.name):
                    yield _row(name, fault, meet(journeys, lines[name], fault))
        yield adds_up(url, "R9")


def meet(journeys: Journeys, line: Proxy, fault: Fault) -> dict[str, Met]:
    """Send all six while the line has a fault, then again when it has none."""
    ready = journeys.ready()
    line.fault = fault
    during = _at_once(ready, _once)
    line.heal()
    again = {name: one for name, one in ready.items() if name != "login" or during[name][0] != DONE}  # who is in, is in
    after = {"login": 0.0} | _at_once(again, _until_done)
    return {name: Met(*during[name], after[name], ready[name].done()) for name in ready}


def _at_once(ready: dict[str, Ready], send: Any) -> dict[str, Any]:
    said: dict[str, Any] = {}

    def run(name: str) -> None:
        said[name] = send(ready[name])

    threads = [threading.Thread(target=run, args=(name,)) for name in ready]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def _once(ready: Ready) -> tuple[str, float]:
    started = time.perf_counter()
    try:
        status, _, page = ready.browser.open(ready.method, ready.path, ready.form)
    except OSError as error:
        return f"{type(error).__name__}", time.perf_counter() - started
    seconds = time.perf_counter() - started
    if status == ready.well:
        return DONE, seconds
    if status == 503:
        return LATER if ready.browser.retry_after else "503 without Retry-After", seconds
    kept = ready.form is not None and all(value in page for value in (ready.form.get("name", "?"), ready.form.get("street", "?")))
    return (TOLD if kept else f"{status}, what was typed is gone"), seconds


def _until_done(ready: Ready) -> float:
    started = time.perf_counter()
    while (seconds := time.perf_counter() - started) < 3 * BACK_WITHIN:
        status, _, _ = ready.browser.open(ready.method, ready.path, ready.form)
        if status == ready.well or (status == 409 and ready.done() == 1):  # it was done the first time, and that is said
            return time.perf_counter() - started
        time.sleep(0.1)
    return seconds


def _row(name: str, fault: Fault, met: dict[str, Met]) -> Row:
    declared = DECLARED.get((name, fault.name), AS_EVER)
    wrong = []
    for journey, one in met.items():
        if one.outcome not in declared[journey]:
            wrong.append(f"{journey}: {one.outcome}")
        if one.seconds > SLOWEST or one.back > BACK_WITHIN or one.times != 1:
            wrong.append(f"{journey}: {one.seconds:.1f} s, back after {one.back:.1f} s, done {one.times} times")
    for line in wrong:
        print("   ", line)
    outcomes = " ".join(f"{journey[0]}:{one.outcome[:5]}" for journey, one in met.items())
    slowest, back = max(one.seconds for one in met.values()), max(one.back for one in met.values())
    figure = f"{slowest:.1f} s, back {back:.1f} s, {outcomes}"
    return Row(f"R9 {name}, {fault.name}", "6 of 6 as declared, ≤ 10 s, back ≤ 5 s", figure, not wrong)


def _settings(url: str, lines: dict[str, Proxy], double: stripe_double.StripeDouble, folder: Path) -> Settings:
    through = sa.make_url(url).set(host="127.0.0.1", port=lines["database"].port, query={})
    return site(
        through.render_as_string(hide_password=False),
        folder,
        erp_url=f"http://127.0.0.1:{lines['erp'].port}/erp",
        smtp_url=f"smtp://127.0.0.1:{lines['mail'].port}",
        stripe_secret_key=double.secret_key,
        stripe_webhook_secret=double.webhook_secret,
        stripe_api_base=f"http://127.0.0.1:{lines['payments'].port}",
    )


def _to(host: str, port: int) -> Any:
    return lambda: socket.create_connection((host, port), timeout=None)


def to_postgresql(url: str) -> Any:
    """Return what opens a connection to a server, over TCP or on its socket."""
    made = sa.make_url(url)
    folder = str(made.query.get("host", "")) if not made.host else ""
    if not folder:
        return _to(made.host or "127.0.0.1", made.port or 5432)

    def connect() -> socket.socket:
        one = socket.socket(socket.AF_UNIX)
        one.connect(f"{folder}/.s.PGSQL.{made.port or 5432}")
        return one

    return connect


def _erp(stack: ExitStack, direct: Database) -> ErpDouble:
    """Start an ERP that has on its shelves what the shop believes to be there."""
    erp = ErpDouble(utc_now)
    with direct.read() as session:
        rows = session.execute(sa.select(t.Item.sku, t.Stock.on_hand).join(t.Item, t.Item.id == t.Stock.item_id))
        erp.on_hand = {sku: on_hand for sku, on_hand in rows if on_hand}
    stack.callback(erp.stop)
    return erp.start()


def _wait_for_figures(direct: Database, seconds: float = 60) -> None:
    """Return when the ERP has said what there is: nothing is sold from its shelves before."""
    deadline, applied = time.monotonic() + seconds, sa.select(t.StockSnapshot.id).where(t.StockSnapshot.state == "applied")
    while time.monotonic() < deadline:
        with direct.read() as session:
            if session.scalars(applied).first() is not None:
                return
        time.sleep(0.2)
    raise TimeoutError("no figures from the ERP")


def _mail_server(stack: ExitStack) -> int:
    class Post:
        async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:
            return "250 taken"

    port = free_port()
    server = Controller(Post(), hostname="127.0.0.1", port=port)
    server.start()
    stack.callback(server.stop)
    return port


def site(url: str, folder: Path, **more: Any) -> Settings:
    """Return the settings of a site that is attacked, with what a shard wants of its own; its files lie under `folder`."""
    attacked: dict[str, Any] = {"secret_key": "b" * 40, "trusted_hosts": "127.0.0.1", "proxy_hops": 1, "log_json": True}
    return Settings(database_url=url, var_dir=folder / "var", reoptimise_seconds=0, **(attacked | more))


def started_worker(settings: Settings, log: Path, root: Path = ROOT) -> ExitStack:
    """Start a worker, which is killed when the block ends. root: where the program lies."""
    given = {f"SHOPFLOOR_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_none=True).items()}
    stack = ExitStack()
    output = stack.enter_context(log.open("wb"))
    command = [sys.executable, "-m", "backoffice.cli", "worker"]
    process = subprocess.Popen(command, cwd=root, env=os.environ | given, stdout=output, stderr=output)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return stack
