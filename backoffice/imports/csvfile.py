"""CSV files with a header line, read strictly: every fault is named by file, physical line and column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TypeVar

from flask_babel import gettext as _

from backoffice.imports.faults import MOST, BrokenFolder, BrokenRow, Fault
from backoffice.spreadsheet import text_of

T = TypeVar("T")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_LARGEST = Decimal(10) ** 12
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})( [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its cells by column, and where it stands."""

    file: str
    line: int
    cells: Mapping[str, str]

    def fault(self, column: str | None, problem: str) -> BrokenRow:
        """Return the exception that names this row, to be raised."""
        return BrokenRow(Fault(self.file, self.line, column, problem))

    def text(self, column: str) -> str:
        """Return the cell without spaces around it, and without what guards it in a spreadsheet; may be empty."""
        return text_of(self.cells[column]).strip()

    def required(self, column: str) -> str:
        """Return the cell. Raises BrokenRow if it is empty."""
        text = self.text(column)
        if not text:
            raise self.fault(column, _("this must not be empty"))
        return text

    def number(self, column: str, *, least: int = 0) -> Decimal:
        """Return a number from `least` up. Raises BrokenRow for anything else."""
        text = self.required(column)
        if not _NUMBER.fullmatch(text):
            raise self.fault(column, _("“%(text)s” is not a number", text=text[:40]))
        number = Decimal(text)
        if not least <= number <= _LARGEST:
            raise self.fault(column, _("%(text)s is not between %(least)s and 10¹²", text=text[:40], least=least))
        return number

    def integer(self, column: str, *, least: int = 0) -> int:
        """Return a whole number from `least` up; 3.00 is whole. Raises BrokenRow for anything else."""
        number = self.number(column, least=least)
        if number != int(number):
            raise self.fault(column, _("%(text)s is not a whole number", text=self.text(column)))
        return int(number)

    def minor(self, column: str) -> int:
        """Return an amount of money in minor units (two decimals), half a unit rounded up."""
        return int((self.number(column) * 100).quantize(Decimal(1), ROUND_HALF_UP))

    def flag(self, column: str) -> bool:
        """Return a 0/1 cell. Raises BrokenRow for anything else."""
        text = self.required(column)
        if text not in {"0", "1"}:
            raise self.fault(column, _("“%(text)s” is neither 0 nor 1", text=text[:40]))
        return text == "1"

    def day(self, column: str) -> date:
        """Return the day of a date or of an instant without zone. Raises BrokenRow for anything else."""
        text = self.required(column)
        match = _DAY.fullmatch(text)
        try:
            if match:
                return date.fromisoformat(match[1])
        except ValueError:
            pass
        raise self.fault(column, _("“%(text)s” is not a date", text=text[:40]))

    def find_day(self, column: str) -> date | None:
        """Return the day, or None for an empty cell."""
        return self.day(column) if self.text(column) else None

    def known(self, column: str, ids: Container[int], where: str) -> int:
        """Return the id in the cell. Raises BrokenRow if `where` (a file) has no such row."""
        number = self.integer(column)
        if number not in ids:
            raise self.fault(column, _("there is no %(number)s in %(file)s", number=number, file=where))
        return number

    def find_known(self, column: str, ids: Container[int], where: str) -> int | None:
        """Return the id in the cell, or None for an empty cell."""
        return self.known(column, ids, where) if self.text(column) else None


def read(path: Path, columns: Sequence[str], parse: Callable[[Row], T]) -> list[T]:
    """Return what `parse` makes of every row. Raises BrokenFolder with up to 20 faults of this file.

    A file that is missing, not UTF-8, without one of `columns`, or quoted wrongly is a fault as well.
    """
    parsed: list[T] = []
    faults: list[Fault] = []
    for row in rows(path, columns):
        if isinstance(row, Fault):
            faults.append(row)
        else:
            try:
                parsed.append(parse(row))
            except BrokenRow as broken:
                faults.append(broken.fault)
        if len(faults) >= MOST:
            break
    if faults:
        raise BrokenFolder(faults)
    return parsed


def read_by_id(path: Path, key: str, columns: Sequence[str], parse: Callable[[Row], T]) -> dict[int, T]:
    """Return the rows by their whole-number column `key`. Raises BrokenFolder, also for a number that comes twice."""
    found: dict[int, T] = {}

    def parse_once(row: Row) -> None:
        number = row.integer(key)
        if number in found:
            raise row.fault(key, _("%(number)s comes twice", number=number))
        found[number] = parse(row)

    read(path, [key, *columns], parse_once)
    return found


def rows(path: Path, columns: Sequence[str]) -> list[Row | Fault]:
    """Return every row, or what is wrong with it; after broken quoting (a fault without a column) nothing can be told apart.

    Raises BrokenFolder for a file that is missing, not UTF-8 or without one of `columns`.
    """
    lines: list[str] = []  # of the record that is being read
    reader = csv.reader(_noted(io.StringIO(_decode(path), newline=""), lines), strict=True)
    found: list[Row | Fault] = []
    header: list[str] = []
    line = 1
    try:
        for record in reader:
            if not header:
                header = _header(path, record, columns)
            elif record:  # an empty line is no row
                found.append(_row(path, line, header, record, "".join(lines).rstrip("\r\n")))
            line = reader.line_num + 1
            lines.clear()
    except csv.Error as error:
        found.append(Fault(path.name, line, None, _("the quoting is broken here (%(detail)s)", detail=str(error))))
    if not header:
        raise BrokenFolder([Fault(path.name, 1, columns[0], _("the header line is missing"))])
    return found


def _decode(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BrokenFolder([Fault(path.name, None, None, _("the file is missing or cannot be read"))]) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BrokenFolder([Fault(path.name, line, None, _("this line is not UTF-8"))]) from error


def _header(path: Path, record: list[str], columns: Sequence[str]) -> list[str]:
    header = [name.strip() for name in record]
    missing = [name for name in columns if name not in header]
    if missing:
        raise BrokenFolder([Fault(path.name, 1, name, _("the column is missing")) for name in missing])
    return header


def _noted(source: Iterable[str], lines: list[str]) -> Iterator[str]:
    """Yield lines, and keep each in `lines`: what a line is, is the reader's to say."""
    for line in source:
        lines.append(line)
        yield line


def _row(path: Path, line: int, header: list[str], record: list[str], raw: str) -> Row | Fault:
    if len(record) != len(header):
        column = header[min(len(record), len(header) - 1)]
        problem = _("the row has %(found)s cells, not %(wanted)s", found=len(record), wanted=len(header))
        return Fault(path.name, line, column, problem, raw)
    for name, cell in zip(header, record, strict=True):
        if "\x00" in cell:
            return Fault(path.name, line, name, _("a NUL character cannot be stored"), raw)
    return Row(path.name, line, dict(zip(header, record, strict=True)))
