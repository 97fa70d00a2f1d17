"""Each rule of ours fires on a planted line and leaves its neighbour alone; bandit's findings count unless the line says why.

They need the tools (`make check-security` installs them); without them the tests are skipped loudly.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import need
from tests.security import check

PLANTED: dict[str, str] = {  # rule → lines of a file: those that end in `# here` must be found, the others not
    "the-clock-is-handed-in": """
        import datetime, time
        from datetime import date, datetime as instant
        def work(now):
            one = datetime.datetime.now()  # here
            two = instant.utcnow()  # here
            three = date.today()  # here
            four = time.time()  # here
            return now, time.monotonic()
    """,
    "chance-is-seeded-or-secret": """
        import random, secrets
        from random import Random, choice
        def work(items, seed):
            random.shuffle(items)  # here
            choice(items)  # here
            Random()  # here
            return Random(seed).random(), secrets.token_bytes(8)
    """,
    "one-door-to-the-outside": """
        import socket
        import requests  # here
        import urllib.request  # here
        from httpx import get  # here
        from urllib.parse import urlsplit
        from backoffice.payments import requests as ours
        def work(address):
            return socket.create_connection(address)  # here
    """,
    "sql-is-not-glued": """
        import sqlalchemy as sa
        def work(session, connection, name):
            session.execute(sa.text(f"SELECT * FROM staff WHERE name = '{name}'"))  # here
            connection.exec_driver_sql("DELETE FROM staff WHERE name = '%s'" % name)  # here
            sa.text("SELECT " + name)  # here
            connection.exec_driver_sql("SELECT 1")
            session.execute(sa.text("SELECT * FROM staff WHERE name = :name"), {"name": name})
    """,
    "sql-is-not-glued-before": """
        import sqlalchemy as sa
        def work(session, connection, name):
            one = f"SELECT * FROM staff WHERE name = '{name}'"
            session.execute(sa.text(one))  # here
            two = "DELETE FROM staff WHERE name = '" + name + "'"
            connection.exec_driver_sql(two)  # here
            three = "SELECT * FROM staff WHERE name = :name"
            session.execute(sa.text(three), {"name": name})
    """,
    "mail-goes-over-the-bridge": """
        import smtplib  # here
        from imaplib import IMAP4  # here
        from email.message import EmailMessage
    """,
    "one-visible-commit": """
        def work(session):
            session.flush()
            session.commit()  # here
    """,
    "money-is-whole": """
        def work(order, price, seconds):
            one = float(order.total_minor)  # here
            two = order.total_minor / 100  # here
            three = price * 0.19  # here
            return order.total_minor // 100, seconds / 60, float(seconds), price * 2
    """,
    "no-secret-in-the-log": """
        def work(log, token, order):
            log.info("paid", token=token)  # here
            log.warning("late", number=order, email=order.email)  # here
            log.info(f"paid {order.email}")  # here
            log.info("paid", customer=order.email)  # here
            log.info("paid", buyer=order.email)  # here
            log.info("moved", actor=order)  # here
            log.info("paid", number=order)
        def fail(log, error):
            log.error("lost", error=str(error))  # here
            log.error("lost", error=type(error).__name__, number=str(error))
    """,
    "nobody-sleeps": """
        import time
        def work(sleep):
            time.sleep(1)  # here
            sleep(1)
    """,
}


def tool(name: str) -> None:
    """Find a tool in the environment of `make check-security`, or on the PATH."""
    beside = need.ROOT / ".venv-security" / "bin" / name
    if not beside.exists() and shutil.which(name) is None:
        need.lacks("security", f"no {name}: `make check-security` installs it")


@pytest.fixture
def in_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tools of `make check-security`, before those of the PATH."""
    import os

    monkeypatch.setenv("PATH", f"{need.ROOT / '.venv-security' / 'bin'}{os.pathsep}{os.environ['PATH']}")


def test_each_rule_fires_on_its_planted_line_and_on_no_other(in_reach: None, tmp_path: Path) -> None:
    tool("semgrep")
    (tmp_path / "backoffice").mkdir()
    wanted = set()
    for rule, text in PLANTED.items():
        name = f"backoffice/{rule.replace('-', '_')}.py"
        lines = [line[8:] for line in text.strip("\n").splitlines()]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
        wanted |= {f"{name}:{number} {rule}" for number, line in enumerate(lines, 1) if line.endswith("# here")}
    pages = tmp_path / "templates"
    pages.mkdir()
    (pages / "page.html").write_text("<p>{{ name }}</p>\n<p>{{ name | safe }}</p>\n<p>is it safe?</p>\n", encoding="utf-8")
    wanted.add("templates/page.html:2 text-is-escaped")
    rules = {line.split(": ", 1)[1] for line in check.RULES.read_text().splitlines() if line.startswith("  - id: ")}
    assert {one.split()[1] for one in wanted} == rules
    assert set(check.semgrep(tmp_path, ["backoffice", "templates"])) == wanted


def test_bandit_counts_unless_the_line_says_why(in_reach: None, tmp_path: Path) -> None:
    tool("bandit")
    start = "subprocess.run(typed, shell=True)"
    said = "  # no" + "qa: S602"  # not an exception of this file
    lines = ["import subprocess", "typed = input()", start, start + said, f"{start}{said} - a test of tests"]
    (tmp_path / "starts.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert [one.split(" ", 2)[:2] for one in check.bandit(tmp_path, ["starts.py"])] == [
        ["starts.py:3", "B602"],
        ["starts.py:4", "B602"],
    ]
