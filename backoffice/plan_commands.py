"""Commands of the plan's log: `plan audit`, `plan correct`."""

from __future__ import annotations

import click

from backoffice.command_database import opened
from backoffice.erp import decisions, plan_audit


@click.command()
@click.option("--whole", is_flag=True, help="From the oldest checkpoint that is kept, not the newest.")
def audit(whole: bool) -> None:
    """Fold the plan's log from scratch; say whether the plan in the rows is the same and can be carried out."""
    with opened() as db:
        found = plan_audit.audit(db, whole=whole, now=db.clock())
    for breach in found.breaches:
        click.echo(breach)
    click.echo(
        f"{'NOT WELL' if found.breaches else 'All is well'}: decision {found.number} ({found.decisions} folded), "
        f"plan {found.plan_version}, master data {found.master_version}, {found.orders} orders, {found.slots} slots, "
        f"{found.pegs} pegs, log {found.digest[:16]}, rows {found.digest_of_rows[:16]}, {len(found.breaches)} breaches"
    )
    if found.breaches:
        raise SystemExit(1)


@click.command()
def correct() -> None:
    """Let the plan's log say what stands in the rows, once they are right: after somebody changed them by hand."""
    with opened() as db:
        number = db.run(lambda session: decisions.correct(session, now=db.clock()))
    click.echo(f"The plan's log goes on from decision {number}.")
