"""The commands, as somebody types them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from pwdlib import PasswordHash

from backoffice import bootstrap
from backoffice.bridge import outbox
from backoffice.bridge.models import Heartbeat, OutboxMessage
from backoffice.cli import main
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp.models import Company, Staff
from tests.need import ROOT, free_port

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)  # the commands have the wall clock
PASSWORD = "a long password"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with nothing of the caller's settings."""
    for name in list(os.environ):
        if name.startswith("SHOPFLOOR_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SHOPFLOOR_SECRET_KEY", "a key for tests only, 32 letters!")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def made(folder: Path) -> Iterator[Database]:
    """The database of that folder, with every table."""
    assert run("migrate").exit_code == 0
    database = Database(f"sqlite:///{folder}/var/shopfloor.db")
    yield database
    database.dispose()


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_every_command_explains_itself(folder: Path) -> None:
    told = run("--help").output
    for command in ("demo", "import", "item", "migrate", "outbox", "plan", "run", "serve", "staff", "worker"):
        assert re.search(rf"^  {command} +\S", told, re.MULTILINE), command
        assert run(command, "--help").exit_code == 0


def test_migrate_makes_the_folder_and_the_tables_and_may_be_repeated(folder: Path) -> None:
    for _ in range(2):
        done = run("migrate")
        assert (done.exit_code, done.output.startswith("The database is at ")) == (0, True)
    assert (folder / "var" / "shopfloor.db").exists()


def test_somebody_added_can_be_found_by_what_they_typed(made: Database) -> None:
    added = run("staff", "add", " Ada@Example.test ", "--name", "Ada Okafor", "--role", "sales", "--password", PASSWORD)
    assert (added.exit_code, added.output) == (0, "Ada Okafor may log in as sales.\n")
    with made.read() as session:
        person = session.scalars(sa.select(Staff)).one()
        assert (person.email, person.name, person.role, person.active) == ("ada@example.test", "Ada Okafor", "sales", True)
        assert PasswordHash.recommended().verify(PASSWORD, person.password_hash)
        assert len(person.session_nonce) >= 16
    again = run("staff", "add", "ada@example.test", "--name", "Other", "--role", "admin", "--password", PASSWORD)
    assert (again.exit_code, "there already" in again.output) == (1, True)


@pytest.mark.parametrize(
    ("email", "name", "password", "wrong"),
    [
        ("ada", "Ada", PASSWORD, "email"),
        ("ada@example.test", " ", PASSWORD, "name"),
        ("ada@example.test", "Ada", "short", "password"),
        ("ada@example.test", "Ada", "x" * 129, "password"),
        ("ada@example.test", "Ada", "password", "password"),
        ("ada", "", "", "email, name, password"),
    ],
)
def test_nobody_is_added_with_something_wrong(made: Database, email: str, name: str, password: str, wrong: str) -> None:
    refused = run("staff", "add", email, "--name", name, "--role", "sales", "--password", password)
    assert refused.exit_code == 1
    assert f"Please check: {wrong}. Nobody was added." in refused.output
    with made.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Staff)) == 0


def test_the_worker_carries_once_and_a_dead_letter_can_be_replayed(made: Database, folder: Path) -> None:
    company = Company(
        id=1, name="Holzwerk", country="DE", currency="EUR", timezone="Europe/Berlin", language="en", email="shop@example.test"
    )
    payload = {"to": "nobody", "name": "Ada", "language": "en", "shop": "Holzwerk", "text": "Yes.", "subject": "Oak", "asked": ""}
    with made.write() as session:
        session.add(company)
        outbox.put(session, "mail", "lead:1", "lead_answer", payload, now=LONG_AGO)
        outbox.put(session, "mail", "lead:2", "lead_answer", payload | {"to": "ada@example.test"}, now=LONG_AGO)
    assert run("worker", "--once").exit_code == 0
    assert [path.suffix for path in (folder / "var" / "mail").iterdir()] == [".eml"]
    assert run("outbox", "dead").output == "1\tmail\tlead_answer\tlead:1\tUndeliverable: ValueError: not an e-mail address\n"
    assert run("outbox", "replay", "2").exit_code == 1
    assert run("outbox", "replay", "1").exit_code == 0
    with made.read() as session:
        assert session.scalars(sa.select(OutboxMessage.state).order_by(OutboxMessage.id)).all() == ["pending", "done"]
        assert session.scalar(sa.select(sa.func.count()).select_from(Heartbeat)) == 1


def test_a_taken_port_is_said_before_anything_starts(made: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = run("run", "--port", str(taken.getsockname()[1]))
    assert refused.exit_code == 1
    assert "is taken" in refused.output


def test_a_missing_secret_key_is_said_before_anything_starts(made: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOPFLOOR_SECRET_KEY")
    refused = run("run", "--port", str(free_port()))
    assert refused.exit_code == 1
    assert "SHOPFLOOR_SECRET_KEY" in refused.output


def test_a_demo_makes_its_own_key_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOPFLOOR_SECRET_KEY")
    settings = Settings(demo=True)
    keys = [bootstrap.build(settings).settings.secret_key for _ in range(2)]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 64
    assert [path.name for path in (folder / "var").iterdir()] == ["secret_key"]
    assert (folder / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_run_serves_and_works_and_stops_together(folder: Path) -> None:
    port = free_port()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "backoffice.cli", "run", "--demo", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    told = ""
    while "Ctrl-C" not in told:
        line = process.stdout.readline()
        assert line, f"it ended early:\n{told}"
        told += line
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 0
    assert f"http://127.0.0.1:{port}/desk/" in told
    assert "password: demo" in told
    with socket.socket() as probe:  # nothing listens any more
        assert probe.connect_ex(("127.0.0.1", port)) != 0
