"""Each planted misconfiguration is named; a machine that is fit has none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.exc import ProgrammingError

from backoffice import audit, bootstrap, migrate, staff
from backoffice.backup import record
from backoffice.bridge.worker import beat
from backoffice.cli import main
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import fulfilment
from backoffice.erp.models import Shipment, Staff
from backoffice.second_step import SecondStep
from backoffice.web import deploy_check
from tests.company import open_company
from tests.conftest import NOW, FixedClock
from tests.integration.chain.conftest import Workshop
from tests.need import ROOT

GOOD: dict[str, Any] = {
    "secret_key": "Zt7-long-and-quite-random-letters-9Qw",
    "base_url": "https://shop.example.org",
    "proxy_hops": 1,
    "demo": False,
    "smtp_url": "smtp+starttls://u:p@mail.example.org",
    "stripe_secret_key": "sk_live_x",
    "stripe_webhook_secret": "whsec_x",
}


@pytest.fixture
def fit(db: Database, settings_for: Callable[..., Settings]) -> Database:
    """A database with a worker that lives, an administrator, all migrations, and a backup of last night."""
    backups = record.folder(settings_for(db.url).var_dir)
    backups.mkdir(parents=True)
    record.write(record.Record("copy", "sqlite", "", (NOW - timedelta(hours=20)).isoformat(), 1, ""), backups / record.LAST)

    def work(session: Any) -> None:
        beat(session, "w", now=NOW)
        ada = staff.add(session, email="ada@werk.org", name="Ada", role="admin", password="a long password", now=NOW)
        session.add(SecondStep(staff_id=ada.id, nonce="n", last_counter=1, set_up_at=NOW))
        session.execute(sa.text("CREATE TABLE IF NOT EXISTS alembic_version (version_num TEXT)"))
        session.execute(sa.text("DELETE FROM alembic_version"))
        session.execute(sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": migrate.head()})

    db.run(work)
    return db


def grave(db: Database, settings: Settings, now: datetime = NOW) -> set[str]:
    """Return the names found, without what the test server itself is (a superuser's, on another clock, not durable)."""
    server = {"superuser", "may_rewrite", "clocks_differ", "disk_nearly_full"}
    server |= {"fsync_off", "synchronous_commit_off", "full_page_writes_off"}
    return {one.name for one in deploy_check.findings(settings, db, now=now) if one.grave} - server


def test_a_machine_that_is_fit_has_nothing_to_put_right(fit: Database, settings_for: Callable[..., Settings]) -> None:
    assert grave(fit, settings_for(fit.url, **GOOD)) == set()


@pytest.mark.parametrize(
    ("planted", "named"),
    [
        ({"demo": True}, {"demo_on"}),
        ({"secret_key": "short"}, {"weak_secret_key"}),
        ({"secret_key": "a" * 64}, {"weak_secret_key"}),
        ({"base_url": ""}, {"no_base_url", "any_host"}),
        ({"base_url": "", "trusted_hosts": "shop.example.org"}, {"no_base_url"}),
        ({"base_url": "http://shop.example.org"}, {"not_https"}),
        ({"proxy_hops": 0}, {"no_proxy"}),
        ({"smtp_url": ""}, {"no_mail_server"}),
        ({"stripe_secret_key": ""}, {"sandbox_payments"}),
        ({"stripe_secret_key": "sk_test_x"}, {"test_payments"}),
        ({"stripe_webhook_secret": ""}, {"no_webhook_secret"}),
        ({"stripe_api_base": "http://127.0.0.1:1"}, {"other_stripe"}),
        ({"second_step": "nobody"}, {"second_step_off"}),
    ],
)
def test_each_wrong_setting_is_named(
    fit: Database, settings_for: Callable[..., Settings], planted: dict[str, Any], named: set[str]
) -> None:
    assert grave(fit, settings_for(fit.url, **GOOD | planted)) == named


@pytest.mark.parametrize(
    ("planted", "named"),
    [
        ("UPDATE staff SET role = 'sales'", "no_admin"),
        ("UPDATE staff SET active = false", "no_admin"),
        ("UPDATE staff SET email = 'theres@birkengrund.example'", "demo_account"),
        ("DELETE FROM heartbeat", "no_worker"),
        ("DELETE FROM second_step", "admin_without_code"),
        (
            "INSERT INTO plan_audit (at, number, digest, breaches)"
            " VALUES ('2026-11-24 07\\:00\\:00.000000', 3, 'd', '[\"slot 1: …\"]')",
            "plan_not_well",
        ),
        (
            "INSERT INTO verification (at, found, breaches) VALUES ('2026-11-24 07\\:00\\:00.000000', 1, '[\"I5 …\"]')",
            "does_not_add_up",
        ),
        ("UPDATE alembic_version SET version_num = 'old'", "not_migrated"),
    ],
)
def test_each_wrong_row_is_named(fit: Database, settings_for: Callable[..., Settings], planted: str, named: str) -> None:
    fit.run(lambda session: session.execute(sa.text(planted)))
    assert grave(fit, settings_for(fit.url, **GOOD)) == {named}


def test_debugging_is_named(fit: Database, settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert grave(fit, settings_for(fit.url, **GOOD)) == {"debug_on"}


def test_two_machines_on_one_file_are_named(fit: Database, settings_for: Callable[..., Settings]) -> None:
    fit.run(lambda session: beat(session, "w:2:b", now=NOW))  # another worker of the same machine
    assert grave(fit, settings_for(fit.url, **GOOD)) == set()
    fit.run(lambda session: beat(session, "other:1:a", now=NOW))
    assert grave(fit, settings_for(fit.url, **GOOD)) == ({"sqlite_shared"} if fit.is_sqlite else set())


@pytest.mark.postgresql
@pytest.mark.parametrize("name", deploy_check.TIME_OUTS)
def test_a_time_out_that_does_not_reach_the_database_is_named(
    postgres_db: Database, settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def named() -> set[str]:
        return {one.name for one in deploy_check.findings(settings_for(postgres_db.url, **GOOD), postgres_db, now=NOW)}

    assert f"{name}_off" not in named()
    with postgres_db._reader.connect() as connection:  # as a pooler would that drops our options
        connection.execute(sa.text("SELECT set_config(:name, '0', false)"), {"name": name})
        connection.commit()
        monkeypatch.setattr(postgres_db, "_reader", connection)
        assert f"{name}_off" in named()


def test_the_password_of_the_demo_is_found(fit: Database, settings_for: Callable[..., Settings]) -> None:
    def plant(session: Any) -> None:
        from pwdlib import PasswordHash

        session.execute(sa.update(Staff).values(password_hash=PasswordHash.recommended().hash("demo")))

    fit.run(plant)
    assert grave(fit, settings_for(fit.url, **GOOD)) == {"demo_account"}


@pytest.mark.postgresql
@pytest.mark.parametrize("name", ["synchronous_commit", "clock"])
def test_what_postgresql_says_is_named(
    postgres_db: Database, settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    settings = settings_for(postgres_db.url, **GOOD)
    if name == "synchronous_commit":
        user, base = sa.make_url(postgres_db.url).username, sa.make_url(postgres_db.url).database
        with postgres_db.write() as session:
            session.execute(sa.text(f'ALTER ROLE "{user}" IN DATABASE "{base}" SET synchronous_commit = off'))
        postgres_db.engine.dispose()
    try:
        found = {one.name for one in deploy_check.findings(settings, postgres_db, now=NOW)}
    finally:
        if name == "synchronous_commit":
            with postgres_db.write() as session:
                session.execute(sa.text(f'ALTER ROLE "{user}" IN DATABASE "{base}" RESET synchronous_commit'))
            postgres_db.engine.dispose()
    assert {"synchronous_commit": "synchronous_commit_off", "clock": "clocks_differ"}[name] in found
    assert {"superuser", "may_rewrite"} <= found  # the test server's only role is one


def test_a_disk_that_is_nearly_full_is_named(
    fit: Database, settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Disk:
        total, free = 100, 9

    monkeypatch.setattr(deploy_check.shutil, "disk_usage", lambda _: Disk)
    found = {one.name for one in deploy_check.findings(settings_for(fit.url, **GOOD), fit, now=NOW)}
    assert "disk_nearly_full" in found


def test_a_database_that_is_away_is_named(settings_for: Callable[..., Settings]) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    assert "database_away" in {one.name for one in deploy_check.findings(settings_for(away.url, **GOOD), away, now=NOW)}
    away.dispose()


def test_the_command_names_what_is_wrong_and_ends_with_1(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPFLOOR_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("SHOPFLOOR_SECRET_KEY", "short")
    result = CliRunner().invoke(main, ["check", "--deploy"])
    assert result.exit_code == 1
    assert "WRONG weak_secret_key: Set SHOPFLOOR_SECRET_KEY to at least 32 random characters." in result.output
    result = CliRunner().invoke(main, ["check"])
    assert (result.exit_code, "weak_secret_key" in result.output, "not_migrated" in result.output) == (1, False, True)


@pytest.mark.parametrize(("hours", "named"), [(26, set()), (27, {"backup_old"})])
def test_a_backup_that_is_older_than_a_night_is_named(
    fit: Database, settings_for: Callable[..., Settings], hours: int, named: set[str]
) -> None:
    later = NOW + timedelta(hours=hours - 20)
    fit.run(lambda session: beat(session, "w", now=later))
    assert grave(fit, settings_for(fit.url, **GOOD), later) == named


@pytest.mark.postgresql
def test_a_role_as_documented_sells_and_may_rewrite_nothing(
    postgres_db: Database, settings_for: Callable[..., Settings], now: datetime
) -> None:
    """The grants of docs/operators.md: enough to sell, pack and ship, not enough to touch the ledger or the record."""
    documented = re.search(r"```sql\n(.*?)```", (ROOT / "docs" / "operators.md").read_text(encoding="utf-8"), re.DOTALL)
    assert documented is not None
    owner, role = sa.make_url(postgres_db.url).username, f"shop_{os.getpid()}"
    grants = documented[1].replace("shopfloor_owner", f'"{owner}"').replace(" shopfloor;", f" {role};")
    with postgres_db.write() as session:
        session.execute(sa.text(f"CREATE ROLE {role} LOGIN"))
        session.execute(sa.text(grants))
    url = sa.make_url(postgres_db.url).set(username=role).render_as_string(hide_password=False)
    services = bootstrap.build(settings_for(url), clock=FixedClock(now))
    try:
        services.db.run(lambda session: open_company(session, now=now))
        shop = Workshop(services, now)
        shop.buy(STOOL=1)
        [parcel] = shop.rows(Shipment)
        shop.do(fulfilment.pick, parcel.id, "STOOL", 1)
        shop.do(fulfilment.pack, parcel.id)
        shop.do(fulfilment.ship, parcel.id, tracking="")
        shop.db.run(lambda session: audit.record(session, "test.do", "x:1", actor="ada", now=now))
        found = {one.name for one in deploy_check.findings(settings_for(url, **GOOD), services.db, now=now)}
        assert not found & {"superuser", "may_rewrite", "database_away"}
        for statement in ("UPDATE stock_movement SET delta = 1", "DELETE FROM stock_movement", "DELETE FROM audit_entry"):
            with pytest.raises(ProgrammingError, match="permission denied"), services.db.write() as session:
                session.execute(sa.text(statement))
    finally:
        services.db.dispose()
        with postgres_db.write() as session:
            session.execute(sa.text(f"DROP OWNED BY {role}"))
            session.execute(sa.text(f"DROP ROLE {role}"))
