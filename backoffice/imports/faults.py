"""What is wrong with a folder that somebody wants to import: where it is, and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _

from backoffice.public.errors import BadInput

MOST = 20  # faults of one file that are told at once


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. line: the physical line on which the row starts, counted from 1; None = the file as a whole. raw: the row."""

    file: str
    line: int | None
    column: str | None
    problem: str
    raw: str = field(default="", compare=False, repr=False)  # as it stands in the file, where it has no cells to be told by

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place += ", " + _("line %(number)s", number=self.line)
        if self.column is not None:
            place += ", " + _("column %(name)s", name=self.column)
        return f"{place}: {self.problem}"


class BrokenRow(Exception):
    """Say that one row cannot be read. Caught by the reader of its file, which goes on to find the other faults."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class BrokenFolder(BadInput):
    """Say what must be put right before the folder can be imported. Nothing was written."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("broken_import", faults=[str(fault) for fault in faults])
        self.faults = list(faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)
