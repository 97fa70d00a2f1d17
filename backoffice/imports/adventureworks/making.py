"""How things are made: work centres with their hours, parts lists, routings."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.imports.adventureworks import rules
from backoffice.imports.adventureworks.base import working_week
from backoffice.imports.adventureworks.records import Source
from backoffice.imports.sync import Incoming, Sync


def write_work_centres(sync: Sync, source: Source) -> dict[int, int]:
    """Write a work centre for each location with hours; return location → work centre id."""
    session = sync.session
    timezone = get_company(session).timezone
    rows = []
    for location_id, location in source.locations.items():
        if location.hours == 0:
            continue
        minutes = rules.open_minutes(location)
        code = f"aw-{minutes}"
        calendar_id = session.scalar(sa.select(t.Calendar.id).where(t.Calendar.code == code))
        if calendar_id is None:
            name = f"{location.hours.normalize():f} hours a week"
            calendar_id = working_week(session, code, name, timezone, 0, minutes, "")
        values = {"code": f"AW-{location_id}", "name": location.name, "calendar_id": calendar_id}
        rows.append(Incoming(str(location_id), values, {"lanes": 1}))
    return {int(their_id): our_id for their_id, our_id in sync.put(t.WorkCentre, rows).items()}


def write_boms(sync: Sync, source: Source, items: Mapping[int, int], parts: Mapping[int, int]) -> None:
    """Write the current parts lists; lines that are no longer current are removed."""
    lines = rules.current_bom(source, parts)
    sync.put(
        t.BomLine,
        [
            Incoming(
                f"{assembly}:{component}",
                {
                    "parent_id": items[assembly],
                    "component_id": items[component],
                    "quantity": quantity.numerator,
                    "per": quantity.denominator,
                    "position": component,
                },
            )
            for (assembly, component), quantity in lines.items()
        ],
        whole=True,
    )


def write_routings(sync: Sync, source: Source, items: Mapping[int, int], centres: Mapping[int, int]) -> None:
    """Write the operations of everything that is made and has parts."""
    with_parts = {row.assembly_id for row in source.bom if not row.ended}
    made = {i: product for i, product in source.products.items() if product.made and i in with_parts}
    sync.put(
        t.RoutingOperation,
        [
            Incoming(
                f"{product}:{step.position}",
                {
                    "item_id": items[product],
                    "position": step.position,
                    "name": source.locations[step.location_id].name,
                    "work_centre_id": centres[step.location_id],
                    "setup_seconds": step.setup,
                    "fixed_seconds": step.fixed,
                    "run_seconds": step.run,
                    "run_per": step.per,
                },
            )
            for product, steps in rules.routings(source, made).items()
            for step in steps
        ],
        whole=True,
    )
