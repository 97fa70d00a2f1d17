"""Commands of the forecast: `plan forecast`, `plan forecast-backtest`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import click

from backoffice.command_database import opened
from backoffice.crm import forecasting
from backoffice.forecast.backtest import backtest
from backoffice.forecast.drawing import draw


@click.command()
def forecast() -> None:
    """Work out now what the worker works out every night: what will be ordered, and what of it can be carried."""
    with opened() as db:
        made = forecasting.make(db, now=db.clock())
    click.echo(f"Forecast of {made} items.")


@click.command("forecast-backtest")
@click.option("--csv", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="sku,month (2026-11),quantity")
@click.option("--drawn", type=int, help="Draw products from this seed instead of reading orders.")
def forecast_backtest(path: Path | None, drawn: int | None) -> None:
    """Hide the last months, forecast them, and compare with the naive seasonal forecast, by class of product."""
    if path is not None:
        series: Sequence[Sequence[int]] = _read(path)
    elif drawn is not None:
        series = list(draw(drawn))
    else:
        with opened() as db, db.read() as session:
            series = list(forecasting.histories(session, now=db.clock()).values())
    click.echo(f"{'class':<13}{'products':>9}{'MASE':>8}{'naive':>8}{'pinball':>9}{'naive':>8}")
    scores = backtest(series)
    for one in scores:
        loss = "-" if one.pinball is None else f"{one.pinball:.3f}"
        click.echo(f"{one.kind:<13}{one.products:>9}{one.mase:>8.3f}{one.naive_mase:>8.3f}{loss:>9}{one.naive_pinball:>8.3f}")
    if not scores:
        click.echo("No product has months enough to judge.")


def _read(path: Path) -> list[list[int]]:
    """Return each SKU's months, what is missing as 0. Raises ClickException for what is no such file."""
    sold: dict[str, dict[int, int]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                year, month = row["month"].split("-")
                months = sold.setdefault(row["sku"], {})
                number = int(year) * 12 + int(month)
                months[number] = months.get(number, 0) + int(row["quantity"])
    except (KeyError, ValueError, AttributeError) as error:
        raise click.ClickException("A file with the columns sku, month (2026-11) and quantity is needed.") from error
    last = max((max(months) for months in sold.values()), default=0)
    return [[months.get(number, 0) for number in range(min(months), last + 1)] for months in sold.values()]
