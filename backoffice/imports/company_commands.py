"""The command `company`: a company that is nobody's example."""

from __future__ import annotations

import re

import click
from babel.numbers import get_currency_precision

from backoffice import tables
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp.founding import Beginning, open_company
from backoffice.public.errors import BadInput, Refused

# the command may be the first to touch the database: every table is known by then
assert tables.metadata.tables

OPTIONS = {"default_postcode": "postcode", "transit_days": "transit or --deliver-to", "shipping_minor": "shipping"}


class ClockTime(click.ParamType[int]):
    """A time of the day, HH:MM, as minutes from midnight."""

    name = "HH:MM"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the minutes."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([01]?[0-9]|2[0-4]):([0-5][0-9])", value)
        if found is None:
            self.fail(f"{value} is no time such as 14:00", param, ctx)
        return int(found[1]) * 60 + int(found[2])


class Days(click.ParamType[tuple[str, int]]):
    """A country and how many days a parcel takes there: AT=3."""

    name = "COUNTRY=DAYS"

    def convert(self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Return both."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([A-Z]{2})=([0-9]{1,2})", value)
        if found is None:
            self.fail(f"{value} is not like AT=3", param, ctx)
        return found[1], int(found[2])


@click.group("company")
def company_group() -> None:
    """The company whose shop this is."""


@company_group.command("open")
@click.option("--name", required=True, help="As customers read it.")
@click.option("--country", required=True, help="Two letters: DE.")
@click.option("--currency", required=True, help="Three letters: EUR. It cannot be changed later.")
@click.option("--timezone", required=True, help="Such as Europe/Berlin. It cannot be changed later.")
@click.option("--language", required=True, type=click.Choice(["de", "en"]), help="That the shop speaks first.")
@click.option("--email", required=True, help="Where customers write to; mails come from here.")
@click.option("--address", required=True, multiple=True, help="A line of the postal address; give it once for each line.")
@click.option("--postcode", required=True, help="For which pages name a day before they know the customer's.")
@click.option("--transit", required=True, type=int, help="Days that a parcel takes within the country.")
@click.option("--deliver-to", multiple=True, type=Days(), help="Another country and the days there; may be given several times.")
@click.option("--holidays", default="", help="Region whose holidays you keep, such as DE-BY.  [default: the country's]")
@click.option("--carrier", default="", help="Who takes the parcels.")
@click.option("--opens", default="08:00", show_default=True, type=ClockTime(), help="Office and warehouse, Monday to Friday.")
@click.option("--closes", default="16:00", show_default=True, type=ClockTime())
@click.option("--cut-off", default="14:00", show_default=True, type=ClockTime(), help="Until when a day's parcels are packed.")
@click.option("--shipping", default=0.0, show_default=True, type=click.FloatRange(0, 10_000), help="Price of a parcel.")
def company_open(
    transit: int,
    deliver_to: tuple[tuple[str, int], ...],
    postcode: str,
    shipping: float,
    opens: int,
    closes: int,
    cut_off: int,
    address: tuple[str, ...],
    **more: str,
) -> None:
    """Found the company of an empty database."""
    beginning = Beginning(
        **more,
        address=address,
        default_postcode=postcode,
        transit_days=dict(deliver_to) | {more["country"]: transit},
        opens_minute=opens,
        closes_minute=closes,
        cutoff_minute=cut_off,
        shipping_minor=round(shipping * 10 ** get_currency_precision(more["currency"])),
    )
    db = Database(Settings().database_url)
    try:
        db.run(lambda session: open_company(session, beginning, by="shopfloor company open", now=db.clock()))
    except BadInput as error:
        if error.fields.get("currency") == "unsure_currency":
            raise click.ClickException(
                f"How many decimals {beginning.currency} has is written differently here and at the payment provider: a shop"
                " cannot sell in it yet. Nothing was written."
            ) from error
        fields = ", ".join(f"--{OPTIONS.get(name, name.replace('_', '-'))}" for name in error.fields)
        raise click.ClickException(f"Please check {fields}. Nothing was written.") from error
    except Refused as error:
        raise click.ClickException(f"{error.details['name']} is here already: its data is kept.") from error
    finally:
        db.dispose()
    click.echo(f"{beginning.name} is open. Now let somebody in: shopfloor staff add … --role admin.")
