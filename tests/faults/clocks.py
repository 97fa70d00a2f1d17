"""Shard `clocks` (R16, I17): a web process and a worker whose own clock is 400 s slow, an hour fast, 45 days fast.

They run beside others whose clock is right, over one PostgreSQL (`faketime`, Debian's package, sets the wrong ones). Wanted: what
is held stays held as long as it should and no longer, nothing that is too old lets anybody in and nothing that is not is refused,
every machine names the same day, no worker ends or puts off anything at the wrong time, and `shopfloor check --deploy` says it.
Then the days of `tests/reference_days.py`, asked of the whole shop in each of its four zones.
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from backoffice import migrate, staff, verify
from backoffice.bridge.models import Periodic
from backoffice.config import Settings
from backoffice.crm.accounts import begin_session
from backoffice.crm.models import Account, AccountSession, Party
from backoffice.db import Database
from backoffice.desk.app import DeskSession
from backoffice.erp import models as t
from backoffice.erp import offers, plan, stock
from backoffice.local import open_shop
from backoffice.payments.models import Payment
from backoffice.payments.sandbox import SandboxGateway
from backoffice.tables import metadata
from tests import reference_days, stripe_double
from tests.buyers import form_of, hidden
from tests.company import BERLIN, open_company
from tests.faults.baskets import sell
from tests.faults.journeys import PASSWORD, Visitor
from tests.faults.lines import started_worker
from tests.faults.rows import Row
from tests.need import ROOT, Gunicorn, lacks, postgres_database

SHIFTS = ("-400s", "+1h", "+45d")
HOLD = timedelta(minutes=15)
SECRET = "b" * 40


def rows(*shifts: str) -> Iterator[Row]:
    """Yield what came of each wrong clock, then of the table of days."""
    needs_faketime()
    with ExitStack() as stack:
        shop = _Shop(stack)
        for shift in shifts or SHIFTS:
            yield from shop.beside(shift)
        with shop.db.read() as session:
            found = verify.breaches(session, now=datetime.now(UTC))
        for line in found[:5]:
            print("   ", line)
        yield Row("R16 verify", "0 breaches", f"{len(found)} breaches", not found)
    yield days_of_the_shop()


def needs_faketime() -> None:
    """Skip where clocks cannot be set wrong."""
    if shutil.which("faketime") is None:
        lacks("faketime", "clocks cannot be set wrong")


def wrong_clock(shift: str, folder: Path) -> Mapping[str, str]:
    """Return the environment in which a process takes the time to be `shift` from now; how it counts seconds stays right.

    folder: where Python finds a `time.sleep` that faketime leaves alone: Python's own asks for an instant of the clock that
    counts, and faketime 0.9 mistakes it for one of the clock that it sets.
    """
    (folder / "sitecustomize.py").write_text(
        "import select, time\ntime.sleep = lambda s: select.select([], [], [], s) and None\n"
    )
    command = ["faketime", "-m", "--exclude-monotonic", "-f", shift, "env"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    set_so = dict(line.split("=", 1) for line in said.stdout.splitlines())
    names = ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")
    own = {"NO_FAKE_STAT": "1", "FAKE_UTIME": "0", "PYTHONPATH": str(folder)}
    return {name: set_so[name] for name in names if name in set_so} | own


@dataclass(frozen=True, slots=True)
class _Machine:
    """A wrong clock's web process. number: which one it is."""

    shift: str
    address: str
    number: int
    more: Mapping[str, str]

    def last(self, what: str) -> dict[str, str]:
        """Return the form that asks for the last piece of something."""
        sku = f"LAST-{what}-{self.number}"
        return {"sku": sku, "slug": sku.lower(), "quantity": "1", "postcode": "10115"}


class _Shop:
    """The shop with the right clock, and what the others do beside it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgres_database())
        migrate.upgrade(url)
        self.db = Database(url)
        stack.callback(self.db.dispose)
        self.db.run(lambda session: _open(session, now=datetime.now(UTC)))
        self._double = stack.enter_context(stripe_double.running())
        self._double.now = time.time
        self._settings = Settings(
            database_url=url,
            var_dir=self._folder / "var",
            secret_key=SECRET,
            trusted_hosts="127.0.0.1",
            proxy_hops=1,
            log_json=True,
            reoptimise_seconds=0,
            stripe_secret_key=self._double.secret_key,
            stripe_webhook_secret=self._double.webhook_secret,
            stripe_api_base=self._double.base,
        )
        right = Gunicorn(self._settings, workers=1, threads=4, log=self._folder / "right.log")
        stack.callback(right.stop)
        stack.enter_context(started_worker(self._settings, self._folder / "worker.log"))
        right.wait_until_ready()
        self._right, self._people = right.address, 0
        self._wim = self._somebody(right.address)
        form = {"email": "wim@werk.test", "password": PASSWORD}
        form["csrf_token"] = hidden(self._wim.open("GET", "/desk/login")[2], "csrf_token")
        assert self._wim.open("POST", "/desk/login", form)[0] == 303

    def beside(self, shift: str) -> Iterator[Row]:
        """Let a machine with a wrong clock serve and work beside this one."""
        more, number = wrong_clock(shift, self._folder), SHIFTS.index(shift)
        web = Gunicorn(self._settings, workers=1, threads=4, log=self._folder / f"wrong{number}.log", more=more)
        try:
            web.wait_until_ready()
            machine = _Machine(shift, web.address, number, more)
            for name, play in {
                "what is held": self._holds,
                "signatures, sessions": self._old_ones,
                "days named": self._days,
                "its worker": self._worker,
                "check --deploy": self._check,
            }.items():
                wrong = play(machine)
                yield Row(f"R16 {shift}: {name}", "as by the right clock", "; ".join(wrong) or "the same", not wrong)
        finally:
            web.stop()

    def _somebody(self, address: str, cookies: dict[str, str] | None = None) -> Visitor:
        self._people += 1
        return Visitor(address, dict(cookies or {}), comes_from=f"10.9.{self._people >> 8}.{self._people & 255}")

    def _add(self, address: str, form: dict[str, str]) -> tuple[int, Visitor]:
        who = self._somebody(address)
        return who.open("POST", "/cart/add", form)[0], who

    def _holds(self, machine: _Machine) -> list[str]:
        """Whoever holds the last piece has it for a quarter of an hour, on whichever machine they asked for it."""
        wrong = []
        for what, one, other in (("a", self._right, machine.address), ("b", machine.address, self._right)):
            first, second = self._add(one, machine.last(what))[0], self._add(other, machine.last(what))[0]
            if (first, second) != (303, 409):
                wrong.append(f"{what}: held {first}, then by another {second}")
        lives = sa.func.extract("epoch", t.Reservation.expires_at - sa.func.clock_timestamp())
        with self.db.read() as session:
            seconds = float(session.scalar(sa.select(lives).where(_held(machine, "b"))) or 0)
        if not HOLD.total_seconds() - 30 < seconds <= HOLD.total_seconds() + 1:
            wrong.append(f"a hold of its own lasts {seconds:.0f} s")
        self._add(self._right, machine.last("c"))
        self.db.run(lambda session: session.execute(_dies(_held(machine, "c"))))
        taken, _ = self._add(machine.address, machine.last("c"))
        if taken != 303:
            wrong.append(f"a hold that died a minute ago still keeps its piece: {taken}")
        return wrong

    def _old_ones(self, machine: _Machine) -> list[str]:
        """What is too old is refused, what is not is taken: a signature, a colleague's session, a customer's."""
        wrong = []
        event = {
            "id": f"evt_{machine.number}",
            "object": "event",
            "type": "payout.paid",
            "livemode": False,
            "data": {"object": {}},
        }
        for age, well in ((10, 200), (310, 400), (-310, 400)):
            status = _told(machine.address, *self._double.signed(event, at=time.time() - age))
            if status != well:
                wrong.append(f"a message signed {age} s ago: {status}")
        for age, well in ((timedelta(hours=11, minutes=55), 200), (timedelta(hours=12, minutes=1), 302)):
            cookies = {"desk": _signed_again(self._wim.cookies["desk"], datetime.now(UTC) - age)}
            status = self._somebody(machine.address, cookies).open("GET", "/desk/warehouse")[0]
            if (status == 200) != (well == 200):
                wrong.append(f"a colleague's session of {age}: {status}")
        for left, well in ((timedelta(minutes=5), 200), (-timedelta(minutes=1), 303)):
            token = self.db.run(lambda session, left=left: _log_in(session, left))
            status = self._somebody(machine.address, {"account": token}).open("GET", "/account")[0]
            if (status == 200) != (well == 200):
                wrong.append(f"a customer's session with {left} left: {status}")
        return wrong

    def _days(self, machine: _Machine) -> list[str]:
        """The cut-off is an instant: a little before and a little after it all machines name the same day."""
        wrong = []
        for minutes in (-4, 4, 30):
            at = (datetime.now(UTC) + timedelta(minutes=minutes)).astimezone(BERLIN)
            self.db.run(lambda session, at=at: _cut_off(session, at.hour * 60 + at.minute))
            both = (self._right, machine.address)
            pages = [self._somebody(where).open("GET", "/p/stool")[2].replace(where, "") for where in both]
            if pages[0] != pages[1]:
                wrong.append(f"cut-off in {minutes} minutes: another day")
        return wrong

    def _worker(self, machine: _Machine) -> list[str]:
        """Its worker lets go of nothing early, closes no open payment page, and puts nothing off."""
        status, buyer = self._add(self._right, machine.last("d"))
        sent = form_of(buyer.open("GET", "/checkout")[2], machine.number)
        status, pay_url, _ = buyer.open("POST", "/checkout", sent)
        given = {f"SHOPFLOOR_{name.upper()}": str(value) for name, value in self._settings.model_dump(exclude_none=True).items()}
        command = [sys.executable, "-m", "backoffice.cli", "worker", "--once"]
        self.db.run(lambda session: session.execute(sa.update(Periodic).values(next_at=sa.func.now())))
        subprocess.run(command, cwd=ROOT, env=os.environ | given | dict(machine.more), capture_output=True, check=True)
        wrong = [] if status == 303 else [f"checkout {status}"]
        ref = pay_url.rsplit("/", 1)[1]
        with self.db.read() as session:
            state = session.scalar(sa.select(Payment.state).where(Payment.provider_ref == ref))
            held = session.scalar(sa.select(sa.func.count()).where(_held(machine, "a")))
            ahead = sa.func.extract("epoch", sa.func.max(Periodic.next_at) - sa.func.clock_timestamp())
            furthest = float(session.scalar(sa.select(ahead)) or 0)
        if (state, held) != ("opened", 1):
            wrong.append(f"the payment is {state}, {held} held")
        if furthest > 86_400 + 60:
            wrong.append(f"work is put off for {furthest / 86_400:.0f} days")
        if self._somebody(self._right).open("GET", "/readyz")[0] != 200:
            wrong.append("the others take no worker to be there")
        self._double.pay(ref)
        [event] = [one for one in self._double.events if one["data"]["object"]["id"] == ref]
        if (status := self._double.deliver(machine.address, event)) != 200:
            wrong.append(f"the payment's message: {status}")
        return wrong

    def _check(self, machine: _Machine) -> list[str]:
        """It is said at once that the clocks differ."""
        given = {f"SHOPFLOOR_{name.upper()}": str(value) for name, value in self._settings.model_dump(exclude_none=True).items()}
        command = [sys.executable, "-m", "backoffice.cli", "check", "--deploy"]
        said = subprocess.run(
            command, cwd=ROOT, env=os.environ | given | dict(machine.more), capture_output=True, text=True, check=False
        )
        return [] if "clocks_differ" in said.stdout else [f"not said: {said.stdout[-200:]}{said.stderr[-200:]}"]


def _open(session: Session, *, now: datetime) -> None:
    open_company(session, now=now, stools=50)
    for number in range(len(SHIFTS)):
        for what in "abcd":
            part = sell(session, f"LAST-{what}-{number}", source="none", sell_from="stock", price_minor=1_000)
            stock.move(session, part, 1, 1, cause="opening", ref=f"opening:{what}{number}", actor="test", now=now)
    staff.add(session, email="wim@werk.test", name="Wim", role="warehouse", password=PASSWORD, now=now)
    party = Party(name="Ada", email="ada@example.test", language="en", created_at=now)
    session.add(party)
    session.flush()
    session.add(
        Account(
            party_id=party.id,
            email="ada@example.test",
            name="Ada",
            password_hash="none",
            language="en",
            created_at=now,
            confirmed_at=now,
        )
    )
    plan.bump(session, master=True)
    offers.refresh(session, None, now=now)


def _held(machine: _Machine, what: str) -> sa.ColumnElement[bool]:
    item = sa.select(t.Item.id).where(t.Item.sku == f"LAST-{what}-{machine.number}").scalar_subquery()
    return sa.and_(t.Reservation.item_id == item, t.Reservation.state == "held")


def _dies(which: sa.ColumnElement[bool]) -> sa.Update:
    return sa.update(t.Reservation).where(which).values(expires_at=datetime.now(UTC) - timedelta(minutes=1))


def _told(address: str, body: bytes, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    connection.request("POST", "/payments/stripe/webhook", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def _signed_again(cookie: str, then: datetime) -> str:
    """Return a desk's cookie as it would have been signed at another time."""
    app = Flask("any")
    app.secret_key = SECRET
    signs = DeskSession(lambda: then).get_signing_serializer(app)
    assert signs is not None
    return str(signs.dumps(signs.loads(cookie)))


def _log_in(session: Session, left: timedelta) -> str:
    now = datetime.now(UTC)
    account = session.scalars(sa.select(Account)).one()
    token = begin_session(session, account, device="any", now=now)
    session.execute(sa.update(AccountSession).values(expires_at=now + left))
    return token


def _cut_off(session: Session, minute: int) -> None:
    session.execute(sa.update(t.Warehouse).values(cutoff_minute=minute))
    plan.bump(session, master=True)
    offers.refresh(session, None, now=datetime.now(UTC))


# --- the table of days ------------------------------------------------------------------------------


def days_of_the_shop() -> Row:
    """Ask a whole shop in each zone, with the holidays that it looks up itself, for every day of the table."""
    wrong, many = [], 0
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/shop.db")
        metadata.create_all(db.engine)
        cases = list(reference_days.cases())
        db.run(lambda session: open_company(session, now=cases[0].ready_at))
        shop, _ = open_shop(
            Settings(database_url=db.url, secret_key=SECRET, var_dir=Path(folder)), db, SandboxGateway(db, SECRET)
        )
        for kind in dict.fromkeys(case[:3] for case in cases):
            db.run(lambda session, kind=kind: _move_to(session, *kind))
            for case in cases:
                if case[:3] == kind:
                    many += 1
                    found = shop.promises.quote("STOOL", 1, postcode="10115", cart=None, now=case.ready_at)
                    arrives = case.deliver_on if not case.daily else found.deliver_on  # no place takes goods on a Sunday
                    if (found.ship_on, found.deliver_on) != (case.ship_on, arrives):
                        wrong.append(f"{case}: {found.ship_on}, {found.deliver_on}")
        db.dispose()
    for line in wrong[:5]:
        print("   ", line)
    zones = len({ZoneInfo(case.zone) for case in cases})
    return Row(f"R16 days in {zones} zones", "as worked out by hand", f"{many - len(wrong)} of {many}", not wrong)


def _move_to(session: Session, zone: str, daily: bool, cutoff: int) -> None:
    """Put the company into a zone; daily: it and its carrier work on all days."""
    session.execute(sa.update(t.Company).values(timezone=zone))
    session.execute(sa.update(t.Warehouse).values(timezone=zone, cutoff_minute=cutoff))
    session.execute(sa.update(t.Calendar).values(timezone=zone, holidays="" if daily else reference_days.HOLIDAYS[zone]))
    session.execute(sa.delete(t.CalendarShift))
    for calendar in session.scalars(sa.select(t.Calendar.id)):
        for weekday in range(7 if daily else 5):
            session.add(t.CalendarShift(calendar_id=calendar, weekday=weekday, starts_minute=0, ends_minute=1440))
    session.flush()
    plan.bump(session, master=True)
