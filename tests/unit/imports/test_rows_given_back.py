"""A broken row comes back as it stood in the file, whatever stands before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backoffice.imports import csvfile
from backoffice.imports.faults import Fault


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x0c", "\x1e", "\n", "\r"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_very_row_is_given_back(tmp_path: Path, odd: str, end: str) -> None:
    path = tmp_path / "leads.csv"
    rows = ["name,email", f'"Two{odd}stools",a@example.test', f'Cai,c@example.test,"one{odd}too many"', "Dora,d@example.test"]
    path.write_bytes(end.join([*rows, ""]).encode())
    good, fault, last = csvfile.rows(path, ["name"])
    assert isinstance(good, csvfile.Row)
    assert isinstance(last, csvfile.Row)
    assert isinstance(fault, Fault)
    assert (good.cells["name"], last.cells["name"]) == (f"Two{odd}stools", "Dora")
    assert fault.raw == rows[2]
    assert fault.line == (4 if odd in "\r\n" else 3)
