"""The `shopfloor` command. Each command imports what it needs when it is called, so that all start fast."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING

import click

from backoffice.clock import utc_now
from backoffice.config import Settings

if TYPE_CHECKING:
    from backoffice.bootstrap import Services
    from backoffice.db import Database

# commands that stand beside what they command, imported only when somebody calls them
ELSEWHERE = {
    "backup": "backoffice.backup.commands:backup",
    "company": "backoffice.imports.company_commands:company_group",
    "demo": "backoffice.demo.commands:demo_group",
    "import": "backoffice.imports.commands:import_group",
    "item": "backoffice.imports.commands:item_group",
    "lab": "backoffice.lab.commands:lab",
    "person": "backoffice.person_commands:person_group",
    "rebuild-orders": "backoffice.backup.commands:rebuild_orders",
    "restore": "backoffice.backup.commands:restore",
    "staff": "backoffice.staff_commands:staff_group",
    "verify": "backoffice.verify.commands:verify",
}
PLAN_ELSEWHERE = {
    "audit": "backoffice.plan_commands:audit",
    "backtest": "backoffice.backtest.commands:backtest",
    "correct": "backoffice.plan_commands:correct",
    "forecast": "backoffice.forecast_commands:forecast",
    "forecast-backtest": "backoffice.forecast_commands:forecast_backtest",
}
FIRST_ANSWER_SECONDS = 60.0
COUNTERS = (
    "PROMETHEUS_MULTIPROC_DIR"  # Prometheus' own setting; given from outside, several servers of one machine count together
)

HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0: all.")
PORT = click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))


class Commands(click.Group):
    """Our commands and those that stand elsewhere."""

    elsewhere = ELSEWHERE

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name."""
        return sorted([*super().list_commands(ctx), *self.elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in self.elsewhere:
            return super().get_command(ctx, cmd_name)
        module, _, name = self.elsewhere[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


class PlanCommands(Commands):
    """Those of the plan."""

    elsewhere = PLAN_ELSEWHERE


@click.group(cls=Commands)
def main() -> None:
    """Shopfloor: a web shop that names the delivery day from the production plan."""


@main.command()
def migrate() -> None:
    """Bring the database to this program's tables."""
    from backoffice import migrate as migrations

    settings = Settings()
    _make_folder_of(settings.database_url)
    migrations.upgrade(settings.database_url)
    click.echo(f"The database is at {migrations.head()}.")


@main.command()
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
def worker(once: bool) -> None:
    """Carry mails and do periodic work until stopped."""
    _work(once=once)


@main.command()
@HOST
@PORT
@click.option("--processes", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 256))
def serve(host: str, port: int, processes: int, threads: int) -> None:
    """Serve the shop and the desks; on the socket that systemd hands over, where it does."""
    from backoffice.web.server import Server

    together = processes > 1 and COUNTERS not in os.environ
    with _counting_together() if together else nullcontext():
        import_module("wsgi")  # once, before the processes part: each is ready at once, and all run the same code
        Server(host, port, processes=processes, threads=threads).run()


@main.command()
@HOST
@PORT
@click.option("--demo", is_flag=True, help="Make the tables and the demo company first, where there are none.")
@click.pass_context
def run(context: click.Context, host: str, port: int, demo: bool) -> None:
    """Serve and work together, on one machine, until Ctrl-C."""
    from backoffice import supervise
    from backoffice.web.server import Server

    if demo:
        os.environ["SHOPFLOOR_DEMO"] = "1"
    _require_free(host, port)
    import_module("wsgi")  # once for both processes
    people = _prepare_demo() if demo else []
    try:
        with _services(Settings()):
            pass  # what is wrong with the settings is said now, once, and a demo's key is made
    except ValueError as error:
        raise click.ClickException(str(error)) from error

    def started(alive: Callable[[], bool]) -> None:
        if _answers(host, port, alive):
            _welcome(host, port, people)

    context.exit(supervise.run([Server(host, port, processes=1, threads=8).run, _work], started=started))


@main.command()
@click.option("--deploy", is_flag=True, help="Also all that must be right before the public may come.")
def check(deploy: bool) -> None:
    """Say what is not well, a line each with what to do; exit 1 if any of it is grave."""
    from backoffice.web import deploy_check

    with _database() as db:
        found = deploy_check.findings(Settings(), db, now=utc_now())
    if not deploy:
        found = [one for one in found if one.name in deploy_check.RUNNING]
    for one in found:
        click.echo(f"{'WRONG' if one.grave else 'NOTE '} {one.name}: {one.what_to_do}")
    if any(one.grave for one in found):
        raise SystemExit(1)
    click.echo("All is well.")


@main.group()
def outbox() -> None:
    """Messages that could not be delivered."""


@outbox.command("dead")
def outbox_dead() -> None:
    """List the dead letters."""
    from backoffice.bridge import outbox as messages

    with _database() as db, db.read() as session:
        for message in messages.find_dead(session):
            click.echo(f"{message.id}\t{message.target}\t{message.kind}\t{message.aggregate}\t{message.last_error}")


@outbox.command("replay")
@click.argument("number", type=int)
def outbox_replay(number: int) -> None:
    """Try dead letter NUMBER again."""
    from backoffice.bridge import outbox as messages
    from backoffice.public.errors import NotFound

    with _database() as db:
        try:
            db.run(lambda session: messages.replay(session, number, now=db.clock()))
        except NotFound as error:
            raise click.ClickException(f"There is no dead letter {number}.") from error
    click.echo(f"Message {number} is on its way again.")


@main.group("plan", cls=PlanCommands)
def plan_group() -> None:
    """The plan of the works."""


@plan_group.command("reoptimise")
@click.option("--seconds", type=click.FloatRange(1, 60), help="How long to search; default: the setting, or 30.")
@click.option("--dry-run", is_flag=True, help="Say what would be gained; change nothing.")
def plan_reoptimise(seconds: float | None, dry_run: bool) -> None:
    """Look for a better sequence of the next weeks' work; nobody waits longer than they were told."""
    from backoffice.erp.reoptimising import reoptimise
    from backoffice.web import logs

    settings = Settings()
    logs.configure(as_json=settings.log_json)  # on standard error
    with _services(settings) as services:
        limit = seconds or settings.reoptimise_seconds or 30
        found = reoptimise(services.db, seconds=limit, clock=services.clock, apply=not dry_run)
    click.echo(f"{found.ending.replace('_', ' ')}{': ' if found.why else ''}{found.why}")
    click.echo(f"operations that may move: {found.operations}; orders earlier: {found.orders_earlier}")
    click.echo(f"minutes saved: {found.minutes_saved}, of them after a promised day: {found.late_minutes_saved}")
    click.echo("No sequence is better." if found.proven else "There may be a better one.")
    if found.ending in ("refused", "no_answer"):
        raise SystemExit(1)


def _work(*, once: bool = False) -> None:
    from backoffice import bootstrap
    from backoffice.bridge.worker import Worker
    from backoffice.web import logs

    settings = Settings()
    logs.configure(as_json=settings.log_json)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    with _services(settings) as services:
        name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        ours = Worker(services.db, bootstrap.carriers(services), bootstrap.periodic(services), name=name, clock=services.clock)
        if once:
            while ours.turn(stop.is_set):
                pass
            ours.finish()
        else:
            ours.run(stop.is_set, stop.wait)


@contextmanager
def _counting_together() -> Iterator[None]:
    """Give the web processes a folder in which they add up what they count for /metrics; it must be there before they start."""
    folder, starter = tempfile.mkdtemp(prefix="shopfloor-metrics-"), os.getpid()
    os.environ[COUNTERS] = folder
    try:
        yield
    finally:
        if os.getpid() == starter:  # a web process leaves through here too
            shutil.rmtree(folder, ignore_errors=True)


def _database() -> AbstractContextManager[Database]:
    from backoffice.command_database import opened

    return opened()


@contextmanager
def _services(settings: Settings) -> Iterator[Services]:
    from backoffice import bootstrap

    services = bootstrap.build(settings)
    try:
        yield services
    finally:
        services.db.dispose()


def _make_folder_of(database_url: str) -> None:
    from sqlalchemy import make_url

    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        from pathlib import Path

        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(f"Port {port} is taken: choose another with --port (make demo PORT=8001).") from error


def _prepare_demo() -> list[tuple[str, str, str]]:
    """Make tables and the demo company where there are none; return name, role and e-mail of its people."""
    import sqlalchemy as sa

    from backoffice import migrate as migrations
    from backoffice.erp.models import Company, Staff

    settings = Settings()
    _make_folder_of(settings.database_url)
    with _database() as db:
        with db.read() as session:
            at = migrations.find_revision(session.connection())
        if at != migrations.head():
            migrations.upgrade(settings.database_url)
        with db.read() as session:
            there = session.scalar(sa.select(Company.id)) is not None
        if not there:
            from backoffice.demo.load import load

            click.echo("Making the demo company …")
            now = db.clock()
            load(db, media=settings.media_path, now=now)
            _let_time_pass(now)
        with db.read() as session:
            rows = session.execute(sa.select(Staff.name, Staff.role, Staff.email).where(Staff.active).order_by(Staff.id))
            return [(row.name, row.role, row.email) for row in rows]


def _let_time_pass(now: datetime) -> None:
    """Give the demo company its last ninety days."""
    from backoffice import bootstrap
    from backoffice.demo.history import write_history
    from backoffice.demo.visits import write_visits

    services = bootstrap.build(Settings(demo=True))
    click.echo("Ninety days of orders …")
    try:
        write_history(services, now=now, say=click.echo)
        write_visits(services, now=now)
    finally:
        services.db.dispose()


def _answers(host: str, port: int, alive: Callable[[], bool]) -> bool:
    """Wait until the site answers; False when a process ended first."""
    address = f"http://{_reachable(host)}:{port}/healthz"
    pause = threading.Event()
    for _ in range(int(FIRST_ANSWER_SECONDS / 0.05)):
        if not alive():
            return False
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            pause.wait(0.05)
    return False


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - a comparison, nothing is bound


def _welcome(host: str, port: int, people: list[tuple[str, str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    address = f"http://{_reachable(host)}:{port}"
    console = Console()
    console.print(f"\n[bold]Shop[/bold]   {address}/\n[bold]Desks[/bold]  {address}/desk/", highlight=False)
    if people:
        table = Table("Desk", "Name", "E-mail", title="Log in with the password: demo", title_justify="left")
        for name, role, email in people:
            table.add_row(role, name, email)
        console.print(table)
        console.print(f"Mails are written to {Settings().mail_path}/. Ctrl-C stops everything.\n", highlight=False)


if __name__ == "__main__":
    main()
