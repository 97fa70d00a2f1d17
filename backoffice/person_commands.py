"""Commands: `person export`, `person erase` and what belongs to it, for what somebody may ask of us by law."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click

from backoffice import bootstrap
from backoffice.bootstrap import Services
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.privacy import again, erasing, forgetting, telling
from backoffice.privacy.erasing import Asked, House
from backoffice.privacy.models import HOW
from backoffice.privacy.person import find_by_email, get_person
from backoffice.public.errors import BadInput, Refused


@contextmanager
def _services() -> Iterator[Services]:
    services = bootstrap.build(Settings())
    try:
        yield services
    finally:
        services.db.dispose()


@contextmanager
def _person(email: str) -> Iterator[tuple[Services, int]]:
    with _services() as services:
        db = services.db
        with db.read() as session:
            party_id = find_by_email(session, email)
        if party_id is None:
            raise click.ClickException("Nobody with this e-mail is known. Nothing was changed.")
        try:
            yield services, party_id
        except Refused as error:
            why = "This is a company." if error.code == "not_a_person" else _why_open(db, party_id)
            raise click.ClickException(f"{why} Nothing was changed.") from error


def _why_open(db: Database, party_id: int) -> str:
    with db.read() as session:
        found = forgetting.find_open(session, get_person(session, party_id))
    return "First this has to come to its end: " + ", ".join(f"{one.kind} {one.ref}" for one in found) + "."


@click.group("person")
def person_group() -> None:
    """What is known of a customer: handed out to them, or forgotten."""


@person_group.command("export")
@click.argument("email")
def export(email: str) -> None:
    """Write all that is known of EMAIL as JSON on standard output."""
    with _person(email) as (services, party_id):
        now = services.clock()
        known = services.db.run(lambda session: telling.hand_out(session, party_id, by="command", role="", now=now))
    click.echo(json.dumps(known, ensure_ascii=False, indent=2))


@person_group.command("erase")
@click.argument("email")
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where the export is written.")
@click.option(
    "--asked", "how", type=click.Choice(HOW), default="letter", show_default=True, help="How they asked; ours: nobody did."
)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day that the request came; without it: today.")
@click.confirmation_option(prompt="This cannot be taken back. Export and erase them?")
def erase(email: str, file: Path, how: str, on: datetime | None) -> None:
    """Export all that is known of EMAIL, then erase it; orders keep goods and amounts, invoices stay as the law says."""
    if file.exists():
        raise click.ClickException(f"{file} is there already. Nothing was changed.")
    file.touch(mode=0o600)  # before anything is erased: a place that cannot be written to costs nobody their export
    try:
        with _person(email) as (services, party_id):
            db, now = services.db, services.clock()
            asked = Asked(how, (on or now).date(), "command")
            erasure_id = erasing.erase(db, party_id, asked, House.of(services.settings), now=now)
            with db.read() as session:
                erasure = erasing.get_erasure(session, erasure_id)
            file.write_bytes(erasure.export or b"")
            db.run(lambda session: erasing.drop_export(session, erasure_id, actor="command", role="", now=now))
    except click.ClickException:
        file.unlink()
        raise
    click.echo(f"Erased: number {erasure_id}. The export is {file}, sha256 {erasure.export_hash}.")
    for paper in erasure.kept:
        click.echo(f"Kept by law until {paper['until']}: {paper['number']}")


@person_group.command("erased")
@click.argument("typed", metavar="EMAIL_OR_TELEPHONE")
def erased(typed: str) -> None:
    """Say whether somebody with this e-mail or telephone was erased, when, and on what request."""
    with _services() as services, services.db.read() as session:
        found = erasing.find_erased(session, typed, services.settings.secret_key)
        for one in found:
            click.echo("\t".join((str(one.id), one.at.isoformat(), one.actor, one.asked_how, one.asked_on.isoformat())))
    if not found:
        raise click.ClickException("Nobody with it was erased.")


@person_group.command("erasures")
def erasures() -> None:
    """List all erasures on standard output, in keyed hashes: keep it with the backups, for `person erase-again`."""
    with _services() as services, services.db.read() as session:
        for line in again.list_erasures(session):
            click.echo(line)


@person_group.command("erase-again")
@click.argument("file", type=click.File())
def erase_again(file: TextIO) -> None:
    """Erase whoever of the list FILE a restored backup has again. Exit 1 if somebody has to look: still_open, newer."""
    left = 0
    try:
        with _services() as services:
            house = House.of(services.settings)
            for one in again.erase_again(services.db, file, house, now=services.clock()):
                left += one.outcome in ("still_open", "newer")
                click.echo("\t".join((str(one.erasure), one.outcome, str(one.party_id or ""))).rstrip())
    except BadInput as error:
        raise click.ClickException(f"Line {error.fields['line']} is no erasure. Nothing after it was done.") from error
    if left:
        raise SystemExit(1)
