"""Commands: `import` brings other systems' data in, `item` changes single items."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from flask_babel import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from sqlalchemy import inspect, make_url
from sqlalchemy.orm import Session

from backoffice import migrate, tables
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp.sell_from import POLICIES, get_items, set_policy
from backoffice.imports import adventureworks, leads, services
from backoffice.imports.sync import OUTCOMES
from backoffice.public.errors import ShopError


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    """Open the database; one without any table gets them, one that lags behind is refused."""
    assert tables.metadata.tables
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    db = Database(settings.database_url)
    try:
        with db.read() as session:
            revision, empty = migrate.find_revision(session.connection()), not inspect(session.connection()).get_table_names()
        if empty:
            migrate.upgrade(settings.database_url)
        elif revision != migrate.head():
            raise click.ClickException(_("The database is not at this program's tables: run `shopfloor migrate` first."))
        yield db
    finally:
        db.dispose()


@click.group("import")
def import_group() -> None:
    """Bring in the data of another system."""


@import_group.command("adventureworks")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--sell-from-production",
    "made",
    multiple=True,
    metavar="SKU|MODEL",
    help="Sell this item, or every variant of this model, from production too. May be given several times.",
)
def import_adventureworks(folder: Path, made: Sequence[str]) -> None:
    """Import an AdventureWorks FOLDER; a second time changes nothing."""
    settings = Settings()
    with _database(settings) as db:
        try:
            with _bar() as progress:
                report = adventureworks.import_folder(
                    db, folder, media=settings.media_path, made=made, now=db.clock(), progress=progress
                )
        except ShopError as error:
            raise click.ClickException(_words(error)) from error
    _print(report)


@import_group.command("services")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_shipping_services(file: Path) -> None:
    """Write the ways to send of a CSV FILE, by their codes; those that it does not name stay."""
    with _database(Settings()) as db:
        try:
            counts = services.import_services(db, file, by="shopfloor import services", now=db.clock())
        except ShopError as error:
            raise click.ClickException(_words(error)) from error
    totals = {outcome: counts[outcome] for outcome in ("added", "changed", "unchanged")}
    click.echo(_("%(added)s added, %(changed)s changed, %(unchanged)s unchanged", **totals))


@import_group.command("leads")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="A field of ours and its column, where they differ.")
@click.option("--dry-run", is_flag=True, help="Only look: say what would be taken, and every broken row.")
@click.option(
    "--broken",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Take the good rows and write the broken ones here, with what is wrong. Without it: all or nothing.",
)
def import_leads(file: Path, pairs: Sequence[str], broken: Path | None, *, dry_run: bool) -> None:
    """Take the leads of a CSV FILE; a row that came before is known."""
    columns = dict(pair.partition("=")[::2] for pair in pairs)
    if unknown := sorted(set(columns) - {*leads.COLUMNS, *leads.MORE}):
        raise click.ClickException(_("There is no field %(name)s.", name=", ".join(unknown)))
    with _database(Settings()) as db:
        try:
            report = leads.import_leads(db, file, columns=columns, broken=broken, dry=dry_run, now=db.clock())
        except ShopError as error:
            raise click.ClickException(_words(error)) from error
    for _row, fault in report.broken[:20]:
        click.echo(str(fault), err=True)
    totals = {"taken": report.taken, "known": report.known, "broken": len(report.broken)}
    if dry_run:
        click.echo(_("Nothing was written. %(taken)s would be taken, %(broken)s are broken", **totals))
        return
    click.echo(_("%(taken)s taken, %(known)s known before, %(broken)s broken", **totals))


@click.group("item")
def item_group() -> None:
    """Change single items."""


@item_group.command("sell-from")
@click.argument("names", nargs=-1, required=True, metavar="SKU|PRODUCT...")
@click.argument("policy", type=click.Choice(POLICIES))
def sell_from(names: Sequence[str], policy: str) -> None:
    """Set what items may be sold from: stock, incoming or production (each includes the former)."""
    with _database(Settings()) as db:
        try:
            count = _set_policy(db, names, policy)
        except ShopError as error:
            raise click.ClickException(_words(error)) from error
    click.echo(_("%(count)s items are sold from %(policy)s now.", count=count, policy=policy))


def _set_policy(db: Database, names: Sequence[str], policy: str) -> int:
    now = db.clock()

    def work(session: Session) -> int:
        items = [item for name in names for item in get_items(session, name)]
        set_policy(session, items, policy, now=now)
        return len(items)

    return db.run(work)


def _words(error: ShopError) -> str:
    if error.code == "unknown_product":
        return str(_("There is no item or product called %(name)s.", name=error.details["sku"]))
    if error.code == "wrong_state":
        skus = error.details["skus"]
        return str(_("This can be sold from stock only: %(skus)s", skus=", ".join(skus) if isinstance(skus, list) else skus))
    return f"{_('Nothing was imported.')}\n{error}"


@contextmanager
def _bar() -> Iterator[adventureworks.Progress]:
    columns = (TextColumn("{task.description:30}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)


def _print(report: adventureworks.Report) -> None:
    table = Table(title=_("Imported"))
    table.add_column(_("table"))
    for outcome in OUTCOMES:
        table.add_column(outcome, justify="right")
    for kind, counter in report.counts.items():
        table.add_row(kind, *(str(counter[outcome]) for outcome in OUTCOMES))
    Console(width=100).print(table)
    totals = {outcome: report.total(outcome) for outcome in OUTCOMES}
    click.echo(_("%(added)s added, %(changed)s changed, %(unchanged)s unchanged", **totals))
    click.echo(json.dumps({**totals, "tables": report.counts}))
