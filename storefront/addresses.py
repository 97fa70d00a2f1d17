"""A country's address as fields of a form: which, in which order, called what, with which help from the browser."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backoffice.public import addresses
from backoffice.public.addresses import AddressForm
from storefront.formats import Formats
from storefront.phrases import N_, _

# what browsers fill in by themselves
COMPLETE: Mapping[str, str] = {
    "name": "name",
    "company": "organization",
    "street": "address-line1",
    "city": "address-level2",
    "region": "address-level1",
    "postcode": "postal-code",
}
CITIES: Mapping[str, str] = {"district": N_("District"), "suburb": N_("Suburb")}
POSTCODES: Mapping[str, str] = {"zip": N_("ZIP code"), "pin": N_("PIN code"), "eircode": N_("Eircode")}
REGIONS: Mapping[str, str] = {
    "area": N_("Area"),
    "county": N_("County"),
    "department": N_("Department"),
    "district": N_("District"),
    "do_si": N_("Province or city"),
    "emirate": N_("Emirate"),
    "island": N_("Island"),
    "oblast": N_("Oblast"),
    "parish": N_("Parish"),
    "prefecture": N_("Prefecture"),
    "state": N_("State"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. choices: (value, name), empty where anything may be written.

    hint: an example of what is meant; quiet: shown only beside a problem, as everybody there knows what one looks like.
    """

    name: str
    label: str
    required: bool
    complete: str
    most: int
    hint: str = ""
    quiet: bool = False
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a country, line by line, and the labels of all fields for the summary of what is wrong."""

    country: str
    lines: tuple[tuple[Field, ...], ...]
    labels: Mapping[str, str]


def form_of(country: str, fallback: str, language: str) -> Form:
    """Return the fields of `country`; of `fallback` where nobody knows it."""
    try:
        found = addresses.form_of(country, language)
    except KeyError:
        found = addresses.form_of(fallback, language)
    labels = _labels(found)
    lines: list[tuple[Field, ...]] = []
    for line in found.lines:
        beside = tuple(_field(found, part, labels) for part in line if part != "street")
        if "street" in line:
            lines.append((_field(found, "street", labels),))
        if beside:
            lines.append(beside)
    return Form(found.country, tuple(lines), labels)


def _labels(form: AddressForm) -> dict[str, str]:
    return {
        "name": _("Name"),
        "company": _("Company"),
        "street": _("Street and number"),
        "city": _(CITIES.get(form.city_kind) or N_("Town")),
        "region": _(REGIONS.get(form.region_kind) or N_("Province")),
        "postcode": _(POSTCODES.get(form.postcode_kind) or N_("Postcode")),
        "country": _("Country"),
        "phone": _("Phone"),
    }


def _field(form: AddressForm, part: str, labels: Mapping[str, str]) -> Field:
    example = form.postcode_example if part == "postcode" else ""
    return Field(
        part,
        labels[part],
        part in form.required,
        COMPLETE[part],
        addresses.LONGEST[part],
        _("For example %(example)s", example=example) if example else "",
        example.isdecimal(),
        tuple((one.key, one.name) for one in form.regions) if part == "region" else (),
    )


def countries(codes: Iterable[str], fmt: Formats) -> list[tuple[str, str]]:
    """Return (code, name) of countries, by their names in the reader's language."""
    named = [(code, fmt.country(code)) for code in codes]
    return sorted(named, key=lambda one: unicodedata.normalize("NFKD", one[1]).casefold())
