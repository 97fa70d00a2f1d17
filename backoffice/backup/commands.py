"""Commands: `backup`, `restore`, and `rebuild-orders`, which finds what was paid between the two."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from backoffice.backup import copies
from backoffice.backup.engines import BackupError
from backoffice.clock import utc_now
from backoffice.config import Settings

GRAVE = frozenset({"money_back", "not_ours", "waiting"})
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", required=False, type=FILE)
def backup(file: Path | None) -> None:
    """Copy the database to FILE (default: a new one below var/backups), while the shop sells."""
    settings = Settings()
    try:
        made = copies.back_up(settings.database_url, file, var_dir=settings.var_dir, now=utc_now())
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{made.file}\t{made.bytes} bytes\tsha256 {made.sha256}")


@click.command()
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="Also where the database has tables: all that is in them goes.")
def restore(file: Path, replace: bool) -> None:
    """Fill the database from the backup FILE. Stop web and worker first."""
    from backoffice import migrate

    try:
        known = copies.restore(Settings().database_url, file, replace=replace)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The database is as it was at {known.made_at}.")
    if known.schema != migrate.head():
        click.echo("Its tables are an older program's. Next: shopfloor migrate.")
    click.echo("Then: shopfloor verify, shopfloor rebuild-orders, and only then web and worker.")


@click.command("rebuild-orders")
@click.option("--hours", default=72, show_default=True, type=click.IntRange(1, 24 * 90), help="How far to look back.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
def rebuild_orders(hours: int, dry_run: bool) -> None:
    """Write again the orders that the payment provider was paid for and this database does not know.

    One line for each session that is not simply known; exit 1 if somebody has to look at one.
    """
    from backoffice import bootstrap
    from backoffice.local.rebuilding import rebuild
    from backoffice.payments.gateway import GatewayError
    from backoffice.web import logs

    settings = Settings()
    logs.configure(as_json=settings.log_json)
    services = bootstrap.build(settings)
    now = services.clock()
    counts: dict[str, int] = {}
    try:
        for one in rebuild(services.till, since=now - timedelta(hours=hours), dry_run=dry_run, now=now):
            counts[one.ending] = counts.get(one.ending, 0) + 1
            if one.ending != "known":
                click.echo("\t".join((one.ref, one.ending, one.order or one.why)))
    except GatewayError as error:
        raise click.ClickException(f"The payment provider does not answer ({error}). Try again.") from error
    finally:
        services.db.dispose()
    click.echo(", ".join(f"{many} {ending}" for ending, many in sorted(counts.items())) or "Nothing was paid in that time.")
    if GRAVE & counts.keys():
        raise SystemExit(1)
