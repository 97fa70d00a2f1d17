"""Is this machine fit to be opened to the public? Each thing that is not gets a name and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask.helpers import get_debug_flag
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backoffice import second_step, verify
from backoffice.backup import record
from backoffice.bridge.models import Heartbeat
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import currencies, plan_audit
from backoffice.erp.models import Company, Item, Staff
from backoffice.web import health

SHORTEST_KEY = 32
LEAST_FREE = 0.10
OLDEST_BACKUP = timedelta(hours=26)  # a night and two hours
MOST_CLOCK_OFF = timedelta(seconds=2)
DEMO_PASSWORD = "demo"  # noqa: S105 - what must not open anything here
RUNNING = frozenset(
    {"database_away", "not_migrated", "no_worker", "plan_not_well", "does_not_add_up"}
)  # what a running shop needs, public or not
NEVER_REWRITTEN = {"audit_entry": "DELETE, TRUNCATE", "stock_movement": "UPDATE, DELETE, TRUNCATE"}  # table → what nobody may
TIME_OUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")  # we ask for each when we connect
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to put right. name: stable, for scripts; grave: the shop must not open with it."""

    name: str
    what_to_do: str
    grave: bool = True


def findings(settings: Settings, db: Database, *, now: datetime) -> list[Finding]:
    """Return what is to be put right, the settings first, then what the database and the machine say."""
    found = [*_settings(settings), *_payments(settings), *_machine(settings), *_backups(settings, now)]
    try:
        with db.read() as session:
            found += _database(session, db, now)
            found += _currency(session)
            found += _people(session)
            found += _codes(session, settings)
            found += _plan(session)
            found += _figures(session)
        found += _running(db, now)
    except SQLAlchemyError:
        found.append(Finding("database_away", "The database does not answer, or its tables are not there: shopfloor migrate."))
    return found


def _settings(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.base_url)
    if get_debug_flag():
        yield Finding("debug_on", "FLASK_DEBUG is on: errors would show how they came about to anybody. Unset it.")
    if settings.demo:
        yield Finding("demo_on", "SHOPFLOOR_DEMO is on: it shows log-ins and makes its own key. Unset it.")
    if len(settings.secret_key) < SHORTEST_KEY or len(set(settings.secret_key)) < 8:
        yield Finding("weak_secret_key", f"Set SHOPFLOOR_SECRET_KEY to at least {SHORTEST_KEY} random characters.")
    if not settings.base_url:
        yield Finding("no_base_url", "Set SHOPFLOOR_BASE_URL to the public address: links in mails are made with it.")
    elif url.scheme != "https":
        yield Finding("not_https", "SHOPFLOOR_BASE_URL must begin with https://: cookies and HSTS depend on it.")
    elif settings.proxy_hops == 0:
        yield Finding("no_proxy", "Behind a proxy that speaks HTTPS set SHOPFLOOR_PROXY_HOPS=1, else pages think they are HTTP.")
    if not settings.trusted_hosts and not settings.base_url:
        yield Finding("any_host", "Set SHOPFLOOR_TRUSTED_HOSTS or SHOPFLOOR_BASE_URL: now only this machine itself is answered.")
    if not settings.smtp_url:
        yield Finding("no_mail_server", "Set SHOPFLOOR_SMTP_URL: now mails are only written to a folder.")


def _payments(settings: Settings) -> Iterator[Finding]:
    if not settings.stripe_secret_key:
        yield Finding("sandbox_payments", "Set SHOPFLOOR_STRIPE_SECRET_KEY: now nothing is really paid.")
        return
    if "_test_" in settings.stripe_secret_key:
        yield Finding("test_payments", "SHOPFLOOR_STRIPE_SECRET_KEY is a test key: nothing is really paid.")
    if not settings.stripe_webhook_secret:
        yield Finding("no_webhook_secret", "Set SHOPFLOOR_STRIPE_WEBHOOK_SECRET: now every message of Stripe is refused.")
    if settings.stripe_api_base:
        yield Finding("other_stripe", "SHOPFLOOR_STRIPE_API_BASE sends payments elsewhere than to Stripe. Unset it.")


def _machine(settings: Settings) -> Iterator[Finding]:
    folder = next((one for one in (settings.var_dir, *settings.var_dir.absolute().parents) if one.exists()), None)
    disk = shutil.disk_usage(folder or "/")
    if disk.free < disk.total * LEAST_FREE:
        yield Finding("disk_nearly_full", f"Less than {LEAST_FREE:.0%} of the disk of {settings.var_dir} is free. Make room.")


def _backups(settings: Settings, now: datetime) -> Iterator[Finding]:
    last = record.find_last(settings.var_dir)
    if last is None or now - datetime.fromisoformat(last.made_at) > OLDEST_BACKUP:
        when = f"is of {last.made_at[:16]} UTC" if last else "was never made from here"
        yield Finding("backup_old", f"The last backup {when}. Make one each night: shopfloor backup.")


def _database(session: Session, db: Database, now: datetime) -> Iterator[Finding]:
    if db.is_sqlite:
        yield from _one_machine(session, now)
        return
    if session.scalar(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
        yield Finding("superuser", "The database role is a superuser. Give the shop a role of its own that is none.")
    for name in DURABLE:
        if session.scalar(sa.text("SELECT current_setting(:name)"), {"name": name}) == "off":
            yield Finding(f"{name}_off", f"PostgreSQL's {name} is off: an order could be lost in a power cut. Turn it on.")
    for name in TIME_OUTS:
        if session.scalar(sa.text("SELECT current_setting(:name)"), {"name": name}) == "0":
            what = f"PostgreSQL's {name} is off, though we ask for it: let whatever stands between pass our options on."
            yield Finding(f"{name}_off", what)
    if session.scalar(sa.text("SELECT current_setting('data_checksums')")) == "off":
        yield Finding("no_checksums", "PostgreSQL runs without data checksums: pg_checksums --enable.", grave=False)
    if may := sorted({table for table, wanted in NEVER_REWRITTEN.items() if _may(session, table, wanted)}):
        what = f"The database role may rewrite {', '.join(may)}. Let another role own the tables (docs/operators.md, PostgreSQL)."
        yield Finding("may_rewrite", what)
    there = session.scalar(sa.text("SELECT clock_timestamp()"))
    if isinstance(there, datetime) and abs(there.astimezone(UTC) - now) > MOST_CLOCK_OFF:
        yield Finding("clocks_differ", "The clocks of this machine and of the database differ by more than 2 s. Set up NTP.")


def _currency(session: Session) -> Iterator[Finding]:
    code = session.scalar(sa.select(Company.currency))
    if code and not currencies.is_sure(code):
        yield Finding(
            "unsure_currency",
            f"Stripe counts {code} in another unit than the shop: sell in another currency, in a shop of its own.",
        )
    others = sa.select(Item.sku).where(Item.on_sale, Item.currency != code).order_by(Item.sku).limit(5)
    if code and (found := list(session.scalars(others))):
        what = f"The shop sells in {code}; {', '.join(found)} has a price in another currency: nobody can buy it."
        yield Finding("other_currency", what)


def _one_machine(session: Session, now: datetime) -> Iterator[Finding]:
    """Name SQLite, and that several machines share it, as their workers' signs of life tell: its locks do not reach so far."""
    yield Finding("sqlite", "SQLite is for one machine. For more set SHOPFLOOR_DATABASE_URL to PostgreSQL.", grave=False)
    names = session.scalars(sa.select(Heartbeat.name).where(Heartbeat.at > now - health.OLDEST_HEARTBEAT))
    if len({name.partition(":")[0] for name in names}) > 1:
        yield Finding(
            "sqlite_shared", "Workers of several machines share a file of SQLite. Set SHOPFLOOR_DATABASE_URL to PostgreSQL."
        )


def _may(session: Session, table: str, wanted: str) -> bool:
    """Tell whether our role owns a table, so that it could take its triggers off, or has one of these privileges."""
    asked = (
        "SELECT pg_has_role(current_user, relowner, 'MEMBER') OR has_table_privilege(oid, :wanted)"
        " FROM pg_class WHERE oid = to_regclass(:name)"
    )
    return bool(session.scalar(sa.text(asked), {"name": table, "wanted": wanted}))


def _people(session: Session) -> Iterator[Finding]:
    people = session.scalars(sa.select(Staff).where(Staff.active).order_by(Staff.email)).all()
    if not any(person.role == "admin" for person in people):
        yield Finding("no_admin", "Nobody may administer the shop: shopfloor staff add … --role admin.")
    hasher = PasswordHash.recommended()
    for person in people:
        try:
            known = hasher.verify(DEMO_PASSWORD, person.password_hash)
        except UnknownHashError:
            known = False
        if known or person.email.endswith(".example"):
            yield Finding("demo_account", f"Staff number {person.id} is an account of the demo. Take it out.")


def _codes(session: Session, settings: Settings) -> Iterator[Finding]:
    if settings.second_step == "nobody":
        yield Finding("second_step_off", "SHOPFLOOR_SECOND_STEP is nobody: a stolen password opens the desks. Unset it.")
    with_code = second_step.find_all(session)
    for person in session.scalars(sa.select(Staff).where(Staff.active, Staff.role == "admin").order_by(Staff.id)):
        if person.id not in with_code:
            what = f"Staff number {person.id} administers by a password alone. Let them log in once and set up their phone."
            yield Finding("admin_without_code", what)


def _plan(session: Session) -> Iterator[Finding]:
    last = plan_audit.find_last(session)
    if last is not None and last.breaches:
        many = f"The last audit of the plan ({last.at:%Y-%m-%d %H:%M} UTC) found {len(last.breaches)} breaches"
        yield Finding("plan_not_well", f"{many}: shopfloor plan audit names them.")


def _figures(session: Session) -> Iterator[Finding]:
    last = verify.find_last(session)
    if last is not None and last.found:
        many = f"The last check of all figures ({last.at:%Y-%m-%d %H:%M} UTC) found {last.found} breaches"
        yield Finding("does_not_add_up", f"{many}, the first: {last.breaches[0]}. shopfloor verify names them all.")


def _running(db: Database, now: datetime) -> Iterator[Finding]:
    parts = health.check(db, now)
    for name, finding in (("migrations", "not_migrated"), ("worker", "no_worker")):
        part = parts.get(name)
        if part is not None and not part.ready:
            yield Finding(finding, f"{part.problem[:1].upper()}{part.problem[1:]}.")
