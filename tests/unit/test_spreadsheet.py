"""No cell of text is a formula, and nothing changes on the way out and in again."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backoffice import spreadsheet

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


@pytest.mark.parametrize("first", FORMULA)
def test_what_begins_as_a_formula_stands_behind_an_apostrophe(first: str) -> None:
    assert spreadsheet.cell(f"{first}HYPERLINK(1)") == f"'{first}HYPERLINK(1)"


def test_numbers_stay_numbers() -> None:
    assert spreadsheet.write(["A", "B"], [["-1", -1], ["x", Decimal("-0.50")]]) == (
        b'\xef\xbb\xbf"A","B"\r\n"\'-1","-1"\r\n"x","-0.50"\r\n'
    )


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
@example(["'=1"])
@example(["''"])
@example(["'\tx", "\t"])
def test_nothing_changes_on_the_way(texts: list[str]) -> None:
    file = spreadsheet.write([f"c{at}" for at in range(len(texts))], [texts])
    _, row = csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""))
    assert not [cell for cell in row if cell.startswith(FORMULA)]
    assert [spreadsheet.text_of(cell) for cell in row] == texts
