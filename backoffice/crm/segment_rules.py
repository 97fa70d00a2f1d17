"""What a segment may ask of a profile: conditions as data, checked here before anything is asked of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from backoffice.public.errors import BadInput

Kind = Literal["number", "money", "days", "text", "flag"]
Matching = Literal["all", "any"]
MOST = 12  # conditions of one segment
LARGEST = 1_000_000_000_000
LONGEST_DAYS = 36_500
LONGEST_TEXT = 40

# field → what it is; the names are the profile's columns
FIELDS: Mapping[str, Kind] = {
    "orders": "number",
    "spent_minor": "money",
    "last_order_at": "days",
    "first_order_at": "days",
    "broken_promises": "number",
    "last_seen_at": "days",
    "visits": "number",
    "searches": "number",
    "carts": "number",
    "known_since": "days",
    "newsletter": "flag",
    "language": "text",
    "country": "text",
    "customer_class": "text",
}
# longer_ago: that many days or more, or never; within: in the last so many days
OPERATORS: Mapping[Kind, Sequence[str]] = {
    "number": ("at_least", "at_most"),
    "money": ("at_least", "at_most"),
    "days": ("within", "longer_ago"),
    "text": ("is", "is_not"),
    "flag": ("yes", "no"),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. value: a number, minor units or days; text; None for a flag."""

    field: str
    operator: str
    value: int | str | None = None


def check(matching: str, conditions: Sequence[Condition]) -> None:
    """Raise BadInput(invalid_form) naming each condition (`condition-0` …) or `matching` that makes no sense."""
    wrong = {f"condition-{number}": code for number, one in enumerate(conditions) if (code := _wrong(one))}
    if matching not in ("all", "any"):
        wrong["matching"] = "bad_choice"
    if not 1 <= len(conditions) <= MOST:
        wrong["condition-0"] = "missing" if not conditions else "too_long"
    if wrong:
        raise BadInput("invalid_form", wrong)


def read(kept: Sequence[Sequence[object]]) -> Sequence[Condition]:
    """Return conditions as they were kept (see `write`)."""
    return [Condition(str(field), str(operator), value) for field, operator, value in kept]  # type: ignore[arg-type] # as `check` let it


def write(conditions: Sequence[Condition]) -> list[list[object]]:
    """Return conditions as JSON keeps them."""
    return [[one.field, one.operator, one.value] for one in conditions]


def _wrong(one: Condition) -> str:
    kind = FIELDS.get(one.field)
    if kind is None or one.operator not in OPERATORS[kind]:
        return "bad_choice"
    if kind == "flag":
        return "" if one.value is None else "bad_choice"
    if kind == "text":
        good = isinstance(one.value, str) and one.value.isprintable() and len(one.value) <= LONGEST_TEXT
        return "" if good else "bad_character"
    most = LONGEST_DAYS if kind == "days" else LARGEST
    return "" if isinstance(one.value, int) and 0 <= one.value <= most else "bad_quantity"
