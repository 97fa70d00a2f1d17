"""CSV files that people open in a spreadsheet: no cell of theirs is a formula there, and what is read again is what was written.

Method: OWASP, CSV injection; ASVS 5.0, 1.2.10. A cell of text that begins as a formula could is written behind an apostrophe,
which also guards one that begins with an apostrophe, so that reading takes exactly one away. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

Value: TypeAlias = str | int | Decimal | date
GUARDED = ("=", "+", "-", "@", "\t", "\r", "\0", "'")


def cell(value: Value) -> str:
    """Return a value as its cell holds it."""
    if not isinstance(value, str):
        return str(value)
    return f"'{value}" if value.startswith(GUARDED) else value


def text_of(written: str) -> str:
    """Return the text that a cell was written for."""
    return written[1:] if written[:1] == "'" and written[1:].startswith(GUARDED) else written


def write(heads: Sequence[str], rows: Iterable[Sequence[Value]]) -> bytes:
    """Return a file in UTF-8 with a mark at its beginning, by which spreadsheets know that; every cell is quoted."""
    paper = io.StringIO(newline="")
    writer = csv.writer(paper, quoting=csv.QUOTE_ALL)
    writer.writerow([cell(head) for head in heads])
    writer.writerows([cell(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + paper.getvalue().encode()
