"""The lanes of the work centres over a day or a week, drawn: where each operation stands on the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from backoffice.desk import context, forms, planning_lists
from backoffice.desk.formats import local
from backoffice.erp import schedule

bp = Blueprint("lanes", __name__, url_prefix="/desk/planning/lanes")
WIDTH, LANE = 1000, 30  # of the picture, in its own units
LINKED = 28  # narrower bars are too small to press: the table has their link
LETTER = 6.4
CLOSED_SHARE = 0.15  # how wide a day is on which nothing is open, of an open one


@dataclass(frozen=True, slots=True)
class Axis:
    """Days side by side, each from its first open hour to its last one: nights take no room, closed days little.

    opens, closes: minutes of the local day. edges: where each day begins, and where the last one ends.
    """

    first: date
    opens: int
    closes: int
    edges: Sequence[float]

    @property
    def days(self) -> int:
        """Return how many days there are."""
        return len(self.edges) - 1

    def x(self, at: datetime) -> float:
        """Return where an instant stands; what lies in a night stands at its edge."""
        there = local(at)
        number = (there.date() - self.first).days
        if not 0 <= number < self.days:
            return self.edges[0] if number < 0 else self.edges[-1]
        minute = there.hour * 60 + there.minute + there.second / 60
        share = min(max((minute - self.opens) / (self.closes - self.opens), 0), 1)
        return round(self.edges[number] + share * (self.edges[number + 1] - self.edges[number]), 1)

    def named(self) -> Sequence[tuple[float, date, bool]]:
        """Return where each day begins, which it is, and whether its name has room there."""
        ends = zip(self.edges, self.edges[1:], strict=False)
        return [(start, self.first + timedelta(days=number), end - start > 80) for number, (start, end) in enumerate(ends)]

    def hours(self) -> Sequence[tuple[float, str]]:
        """Return where full hours of the only day stand; none if there are several days."""
        if self.days > 1:
            return []
        span = self.closes - self.opens
        return [
            (round((hour * 60 - self.opens) * WIDTH / span, 1), f"{hour:02}:00")
            for hour in range(-(-self.opens // 60), self.closes // 60)
        ]


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch on the picture. text: what fits on it."""

    x: float
    y: float
    width: float
    run: schedule.Run | None = None
    text: str = ""

    @property
    def linked(self) -> bool:
        """Tell whether it is large enough to be pressed."""
        return self.width >= LINKED


@dataclass(frozen=True, slots=True)
class Drawn:
    """A work centre's lanes as a picture."""

    lanes: schedule.Lanes
    height: int
    open: Sequence[Bar]
    stops: Sequence[Bar]
    others: Sequence[Bar]
    runs: Sequence[Bar]


@bp.get("")
def home() -> ResponseReturnValue:
    """Show the lanes of all work centres, or of one, over a day or a week."""
    today = context.today()
    days = 1 if request.args.get("zoom") == "day" else 7
    first = forms.shown_day("from") or today
    centres = context.read(planning_lists.find_work_centres)
    centre_id = next((one.id for one in centres if request.args.get("centre") == str(one.id)), None)
    low, high, now = context.midnight(first), context.midnight(first + timedelta(days=days)), context.now()
    found = context.read(lambda db: schedule.find_schedule(db, low, high, centre_id=centre_id, page=forms.page(), now=now))
    axis = axis_of(found, first, days)
    return render_template(
        "desk/planning/lanes.html",
        found=found,
        axis=axis,
        drawn=[draw(one, found.runs, axis) for one in found.lanes],
        at_now=axis.x(now) if low <= now < high else None,
        lane_height=LANE,
        last=first + timedelta(days=days - 1),
        work_centres=centres,
        centre_names={one.id: one.name for one in centres},
        centre_id=centre_id,
        today=today,
        address=_address(first, days, centre_id),
        earlier=max(first - timedelta(days=days), date(forms.FIRST_YEAR, 1, 1)),
        later=min(first + timedelta(days=days), date(forms.LAST_YEAR, 12, 31)),
        total=found.total,
        page_number=forms.page(),
        page_size=schedule.PAGE,
    )


def axis_of(found: schedule.Schedule, first: date, days: int) -> Axis:
    """Return the axis on which every open hour of the lanes has its place."""
    spans = [(local(start), local(end)) for one in found.lanes for start, end in one.open]
    opens = min((start.hour * 60 for start, _ in spans), default=0)
    closes = max((_minute_of_end(end) for _, end in spans), default=1440)
    overnight = any(start.date() != (end - timedelta(microseconds=1)).date() for start, end in spans)
    if overnight or closes <= opens:
        opens, closes = 0, 1440
    worked = {start.date() for start, _ in spans} | {local(run.slot.starts_at).date() for run in found.runs}
    shares = [1 if first + timedelta(days=number) in worked or overnight else CLOSED_SHARE for number in range(days)]
    edges = [0.0, *accumulate(share * WIDTH / sum(shares) for share in shares)]
    return Axis(first, opens, min(-(-closes // 60) * 60, 1440), [round(edge, 1) for edge in edges])


def draw(lanes: schedule.Lanes, runs: Sequence[schedule.Run], axis: Axis) -> Drawn:
    """Return where everything of a work centre stands."""

    def bar(start: datetime, end: datetime, lane: int = 0, run: schedule.Run | None = None) -> Bar:
        x = axis.x(start)
        width = max(round(axis.x(end) - x, 1), 2)
        return Bar(x, lane * LANE + 1, width, run, _text(run, width) if run else "")

    return Drawn(
        lanes,
        lanes.count * LANE,
        [bar(start, end) for start, end in lanes.open],
        [bar(start, end) for start, end in lanes.stops],
        [bar(start, end, lane) for lane, spans in sorted(lanes.others.items()) for start, end in spans],
        [
            bar(one.slot.starts_at, one.slot.ends_at, one.slot.lane, one)
            for one in runs
            if one.slot.work_centre_id == lanes.centre.id
        ],
    )


def _minute_of_end(at: datetime) -> int:
    return 1440 if at.time() == time() else at.hour * 60 + at.minute


def _text(run: schedule.Run, width: float) -> str:
    """Return whose an operation is, or its order's number; cut to what fits, nothing where that says nothing."""
    words, room = run.order_ref or run.order.number, int((width - 6 - (16 if run.late else 0)) / LETTER)
    if len(words) <= room:
        return words
    return words[: room - 1] + "…" if room >= 5 else ""


def _address(first: date, days: int, centre_id: int | None) -> dict[str, Any]:
    """Return the part of the address that leads back to what is shown."""
    shown: dict[str, Any] = {"from": first.isoformat(), "zoom": "day" if days == 1 else "week"}
    return shown | ({"centre": centre_id} if centre_id else {})
