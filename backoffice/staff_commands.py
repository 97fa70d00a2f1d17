"""Commands: `staff` adds who may log in at the desks, and takes a lost phone off a log-in."""

from __future__ import annotations

import click
import sqlalchemy as sa

from backoffice import second_step
from backoffice import staff as people
from backoffice.command_database import opened
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, Refused


@click.group("staff")
def staff_group() -> None:
    """People who may log in at the desks."""


@staff_group.command("add")
@click.argument("email")
@click.option("--name", required=True, help="As colleagues and customers read it.")
@click.option("--role", required=True, type=click.Choice(["sales", "warehouse", "planner", "admin"]))
@click.password_option(help="8 to 128 characters, none that many people use; asked for when not given.")
def staff_add(email: str, name: str, role: str, password: str) -> None:
    """Let EMAIL log in at the desk of a role (admin: at all of them)."""
    [known] = [possible for possible in people.ROLES if possible == role]
    with opened() as db:
        try:
            db.run(lambda session: people.add(session, email=email, name=name, role=known, password=password, now=db.clock()))
        except BadInput as error:
            raise click.ClickException(f"Please check: {', '.join(error.fields)}. Nobody was added.") from error
        except Refused as error:
            raise click.ClickException("Somebody with this e-mail is there already. Nobody was added.") from error
    click.echo(f"{name} may log in as {role}.")


@staff_group.command("phone-lost")
@click.argument("email")
def phone_lost(email: str) -> None:
    """Take the phone of EMAIL off their log-in and end their sessions; they set up another when they log in."""
    with opened() as db:
        with db.read() as session:
            staff_id = session.scalar(sa.select(Staff.id).where(Staff.email == email.strip().lower()))
        if staff_id is None:
            raise click.ClickException("Nobody with this e-mail works here. Nothing was changed.")
        try:
            db.run(lambda session: second_step.reset(session, staff_id, by="command", role="", now=db.clock()))
        except Refused as error:
            raise click.ClickException("No phone is set up for them. Nothing was changed.") from error
    click.echo(f"{email} logs in with the password alone until a phone is set up again.")
