"""Read JSON with exact numbers, and know of each value where it stands, so that every fault names its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backoffice.planning.instants import local_instant, moment

T = TypeVar("T")
D = TypeVar("D")
Number = int | Fraction

LARGEST_FILE = 50_000_000
"""Bytes of a model; more is refused before it is read."""
LARGEST_NUMBER = 10**15
FINEST = -30
"""Numbers may have as many decimal places; more are refused."""
YEARS = range(1970, 9990)

_PLAIN = re.compile(r"[\w-]+(?: [\w-]+)*")


class BadModel(Exception):
    """A model that cannot be answered: `faults`, one line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep the lines."""
        super().__init__("\n".join(faults))
        self.faults = faults


class Odd(str):
    """What stands where a number should: NaN, Infinity, or digits beyond any measure."""

    __slots__ = ()


class Doubled(dict[str, Any]):
    """An object of which some keys were written more than once."""

    twice: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the model with its place; what is wrong with it is added to `faults`, and reading goes on."""

    value: Any
    place: str
    faults: list[str]

    def fault(self, text: str) -> None:
        """Add a fault at this place."""
        self.faults.append(f"{self.place or 'model'}: {text}")

    def entries(self) -> dict[str, Node]:
        """Return the entries of an object with keys of any name."""
        if not isinstance(self.value, dict):
            self.fault(f"must be an object, not {_shown(self.value)}")
            return {}
        for key in self.value.twice if isinstance(self.value, Doubled) else ():
            self._at(key).fault("is written twice")
        return {key: Node(value, self._at(key).place, self.faults) for key, value in self.value.items()}

    def fields(self, *known: str) -> Fields:
        """Return the entries of an object that may have these keys alone."""
        entries = self.entries()
        for key, node in entries.items():
            if key not in known:
                node.fault("unknown key")
        return Fields(self, {key: node for key, node in entries.items() if key in known})

    def elements(self) -> list[Node]:
        """Return the elements of a list."""
        if not isinstance(self.value, list):
            self.fault(f"must be a list, not {_shown(self.value)}")
            return []
        return [Node(value, f"{self.place}[{number}]", self.faults) for number, value in enumerate(self.value)]

    def text(self) -> str:
        """Return a text that is not empty."""
        if not isinstance(self.value, str) or isinstance(self.value, Odd) or not self.value:
            self.fault(f"must be a text, not {_shown(self.value)}")
            return ""
        return self.value

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            self.fault(f"must be true or false, not {_shown(self.value)}")
        return self.value is True

    def number(self, *, above: bool = False, below: int = LARGEST_NUMBER) -> Number:
        """Return a number of at least 0 (above: more than 0), less than `below`."""
        value = self.value
        if isinstance(value, Odd) and value[-1:].isdigit():
            self.fault(f"{_shown(value)} is too large or too fine a number")
        elif isinstance(value, bool) or not isinstance(value, int | Fraction) or not 0 <= value < below or (above and not value):
            what = f"a number {'above 0' if above else 'of 0 or more'}{f' below {below}' if below < LARGEST_NUMBER else ''}"
            self.fault(f"must be {what}, not {_shown(value)}")
        else:
            return value
        return 1

    def rank(self) -> Number:
        """Return any number, below 0 too: it only puts things in order."""
        value = self.value
        return value if isinstance(value, int | Fraction) and not isinstance(value, bool) else self.number()

    def whole(self, *, least: int = 0, most: int = LARGEST_NUMBER) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            upper = f" to {most}" if most < LARGEST_NUMBER else " or more"
            self.fault(f"must be a whole number of {least}{upper}, not {_shown(value)}")
            return least
        return value

    def choice(self, *words: str) -> str:
        """Return one of these words; the last of them if it is none."""
        if self.value not in words or isinstance(self.value, Odd):
            self.fault(f"must be one of {', '.join(words)}, not {_shown(self.value)}")
            return words[-1]
        return str(self.value)

    def day(self) -> date:
        """Return a date, YYYY-MM-DD."""
        found = day_of(self.value)
        if found is None:
            self.fault(f"must be a date (2026-11-24), not {_shown(self.value)}")
        return found or date(YEARS.start, 1, 1)

    def instant(self, zone: ZoneInfo) -> datetime:
        """Return an instant: ISO 8601 with offset, or a date for the start of that day in `zone`."""
        day = day_of(self.value)
        if day is not None:
            return moment(local_instant(day, 0, zone))
        found = None
        if isinstance(self.value, str) and "T" in self.value.upper().replace(" ", "T"):
            try:
                found = datetime.fromisoformat(self.value)
            except ValueError:
                found = None
        if found is None or found.tzinfo is None or found.year not in YEARS:
            self.fault(f"must be an instant with offset (2026-11-24T09:00:00+01:00) or a date, not {_shown(self.value)}")
            return moment(0)
        return found

    def zone(self) -> ZoneInfo:
        """Return a time zone by its IANA name."""
        try:
            return ZoneInfo(self.text() or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):  # the last: names of folders in the time zone data
            self.fault(f"unknown time zone {_shown(self.value)}")
            return ZoneInfo("UTC")

    def minute(self) -> int:
        """Return a time of day, "00:00" to "24:00", in minutes; -1 if it is none."""
        match = re.fullmatch(r"(\d{2}):(\d{2})", self.value) if isinstance(self.value, str) else None
        minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
        if not 0 <= minute <= 1440:
            self.fault(f"must be a time of day from 00:00 to 24:00, not {_shown(self.value)}")
            return -1
        return minute

    def _at(self, key: str) -> Node:
        name = key if _PLAIN.fullmatch(key) else json.dumps(key)
        return Node(None, f"{self.place}.{name}" if self.place else name, self.faults)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of an object, read by name."""

    node: Node
    there: Mapping[str, Node]

    def need(self, name: str, read: Callable[[Node], T], instead: D) -> T | D:
        """Return a field that must be there; `instead` goes on in its place."""
        if name not in self.there:
            self.node.fault(f"{name} is missing")
            return instead
        return read(self.there[name])

    def get(self, name: str, read: Callable[[Node], T], default: D) -> T | D:
        """Return a field or its default."""
        return read(self.there[name]) if name in self.there else default

    def maybe(self, name: str, read: Callable[[Node], T], default: D) -> T | D:
        """Return a field or its default, which null stands for too."""
        return read(self.there[name]) if name in self.there and self.there[name].value is not None else default


def day_of(value: object) -> date | None:
    """Return the date that a text YYYY-MM-DD names, or None."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def read_file(path: Path) -> Node:
    """Return the document in a file. Raises BadModel if there is none, or it is not JSON."""
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise BadModel([f"{path.name}: {size} bytes are too many for a model; at most {LARGEST_FILE} are read"])
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadModel([f"{path.name}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise BadModel([f"{path.name}: is not UTF-8 text at byte {error.start}"]) from error
    except ValueError as error:
        raise BadModel(["the name of the file is no name of a file"]) from error
    return read_text(text)


def read_text(text: str) -> Node:
    """Return the document in a text. Raises BadModel if it is not JSON."""
    try:
        value = json.loads(text, parse_int=_exact, parse_float=_exact, parse_constant=Odd, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise BadModel([f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}"]) from error
    except RecursionError as error:
        raise BadModel(["model: nested too deeply"]) from error
    return Node(value, "", [])


def _exact(digits: str) -> Number | Odd:
    """Return the number that is written, exactly: whole if it is whole."""
    if len(digits) > 60:
        return Odd(digits)
    number = Decimal(digits)
    if number and (number.adjusted() > 15 or int(number.normalize().as_tuple().exponent) < FINEST):
        return Odd(digits)
    fraction = Fraction(number)
    return fraction.numerator if fraction.denominator == 1 else fraction


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    seen: set[str] = set()
    doubled = Doubled(plain)
    doubled.twice = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value] # set.add returns None: first time seen
    return doubled


def _shown(value: object) -> str:
    """Return a value as it stands in the model, shortened."""
    if isinstance(value, Odd):
        shown = str(value)
    elif isinstance(value, Fraction):
        shown = str(float(value))
    elif isinstance(value, dict):
        return "an object"
    elif isinstance(value, list):
        return "a list"
    else:
        shown = json.dumps(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
