"""Command: `lab` answers a model in a file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from backoffice.clock import utc_now
from backoffice.lab.document import BadModel, read_file
from backoffice.lab.read import read_model
from backoffice.lab.run import run
from backoffice.public.errors import ShopError


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.json")
def lab(model: Path) -> None:
    """Answer a what-if: a factory, what is there, what is promised, what is asked, as JSON (docs/lab.md).

    The answers go to standard output. A bad model is refused with exit 2 and a line per fault.
    """
    try:
        answers = run(read_model(read_file(model), now=utc_now().replace(microsecond=0)))
    except BadModel as bad:
        for fault in bad.faults:
            click.echo(fault, err=True)
        raise SystemExit(2) from bad
    except ShopError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(answers, indent=1))
