"""A small works for the lab: models as plain data, answered through the same text that the command reads."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from backoffice.lab.document import read_text
from backoffice.lab.read import read_model
from backoffice.lab.run import run

NOW = "2026-11-24T09:00:00+01:00"  # a Tuesday
WEEK = {day: [["06:00", "14:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def at(text: str) -> str:
    """Return "24 10:00" as an instant of November 2026 in Berlin."""
    day, clock = text.split()
    return f"2026-11-{day}T{clock}:00+01:00"


def model(**parts: Any) -> dict[str, Any]:
    """Return a model of a works in Berlin, open Monday to Friday from 06:00 to 14:00, with one saw."""
    return {
        "now": NOW,
        "timezone": "Europe/Berlin",
        "calendars": {"plant": {"weekly": WEEK}},
        "work_centres": {"SAW": {"calendar": "plant"}},
        **parts,
    }


def answer(**parts: Any) -> dict[str, Any]:
    """Return what the lab answers to a model of that works."""
    return answer_to(model(**parts))


def answer_to(data: dict[str, Any]) -> dict[str, Any]:
    document = read_text(json.dumps(data))
    answers: dict[str, Any] = json.loads(json.dumps(run(read_model(document, now=datetime.fromisoformat(NOW)))))
    return answers


def quotes(*asks: dict[str, Any], **parts: Any) -> list[dict[str, Any]]:
    """Return the answers to quotes; ids are given by their place."""
    asked = [{"id": f"q{number}", **ask} for number, ask in enumerate(asks)]
    found: list[dict[str, Any]] = answer(quotes=asked, **parts)["quotes"]
    return found


def quote(item: str, quantity: float, due: str | None = None, *, partial: bool = False, **parts: Any) -> dict[str, Any]:
    return quotes({"item": item, "quantity": quantity, "due": due, "partial": partial}, **parts)[0]


def pegs(line: dict[str, Any], *items: str) -> dict[str, float]:
    """Return what a line takes of these items (of all, without any), by supply."""
    return {peg["supply"]: peg["quantity"] for peg in line["pegs"] if not items or peg["item"] in items}


def times(line: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(operation["work_centre"], operation["start"], operation["end"]) for operation in line["operations"]]


def parts(line: dict[str, Any]) -> list[tuple[float, str]]:
    return [(part["quantity"], part["ready_at"]) for part in line["parts"]]
