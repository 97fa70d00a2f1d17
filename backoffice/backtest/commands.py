"""Command: `plan backtest` replays a year and says what its promises were worth."""

from __future__ import annotations

import json
from typing import NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from backoffice.backtest.drawing import draw
from backoffice.backtest.report import as_json, rows, table
from backoffice.backtest.simulate import simulate


class _Refused(click.ClickException):
    """Bad input, said in one line."""

    exit_code = 2


class _Between(click.ParamType[float]):
    """A number within limits, both included."""

    name = "number"

    def __init__(self, kind: type[int] | type[float], low: float, high: float) -> None:
        """Take the kind of number and its limits."""
        self.kind, self.low, self.high = kind, low, high

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ARG002 - click's signature
        """Return the number, or refuse the value."""
        try:
            number = self.kind(str(value))
        except ValueError:
            self._refuse(value, param)
        if not self.low <= number <= self.high:
            self._refuse(value, param)
        return number

    def _refuse(self, value: object, param: click.Parameter | None) -> NoReturn:
        whole = "a whole number" if self.kind is int else "a number"
        option = param.opts[0] if param else "value"
        raise _Refused(f"{option} is {whole} from {self.low} to {self.high}, not {str(value)[:40]!r}.")


@click.command()
@click.option("--seed", default=1, show_default=True, type=_Between(int, 0, 10**9), help="Which factory and which luck.")
@click.option("--days", default=365, show_default=True, type=_Between(int, 1, 1095), help="How long orders come and count.")
@click.option("--orders-per-day", default=5, show_default=True, type=_Between(int, 1, 50))
@click.option("--service-level", default=0.95, show_default=True, type=_Between(float, 0.5, 0.999), help="Share to be in time.")
def backtest(seed: int, days: int, orders_per_day: int, service_level: float) -> None:
    """Replay a factory's year with late suppliers, breakdowns and spoilt pieces: was what was promised kept?

    Compares this engine, a static lead time and infinite capacity on the same orders and luck (docs/backtest.md).
    """
    world = draw(seed, days, orders_per_day)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Days of orders")
        records = simulate(world, service_level, lambda done, of: bar.update(task, completed=done, total=of))
    found = rows(world, records)
    if not found:
        raise click.ClickException("Nobody ordered anything in this time: take more days or more orders.")
    click.echo(f"Seed {seed}: {found[0].orders} orders in {days} days, service level {service_level:.1%}")
    click.echo(table(found))
    given = {"seed": seed, "days": days, "orders_per_day": orders_per_day, "service_level": service_level}
    click.echo(json.dumps({"backtest": given, "methods": as_json(found)}))
