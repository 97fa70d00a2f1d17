"""Shard `work` (R13, R17, R18): workers, pickers and editors who do the same at once on PostgreSQL and are killed meanwhile.

Each writes down what it did in a file of its own, after it was done: what the database must still have in the end. Every second
picker who was killed never comes back; somebody else has their place, and whoever waits for such a parcel takes it over.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import staff, verify
from backoffice.bridge import outbox
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.outbox import Message
from backoffice.bridge.worker import Worker
from backoffice.crm import leads
from backoffice.crm.models import Activity, Lead
from backoffice.db import Database
from backoffice.erp import fulfilment, pickers
from backoffice.erp import models as t
from backoffice.public.errors import Refused
from backoffice.public.leads import LeadForm
from backoffice.tables import metadata
from tests.bench.generate import grow
from tests.bench.verify import settle_totals, write_orders
from tests.faults.crew import Crew
from tests.faults.rows import Row
from tests.need import postgres_database

FASTER = 60  # the workers' clock: a lease of two minutes lasts two seconds
MOST_SECONDS = 240.0
LEFT_AFTER = 1.0  # seconds without a change until a parcel in somebody's hand counts as left


def rows(seed: str = "1", part: str = "1", poison: str = "poison") -> Iterator[Row]:
    """Yield what came of each.

    part: 1 / part of the whole amount of work. poison: anything else: no message that never gets through, whose eight
    tries last a minute.
    """
    with ExitStack() as stack:
        url = stack.enter_context(postgres_database())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        db = Database(url)
        metadata.create_all(db.engine)
        less, random = int(part), Random(int(seed))  # noqa: S311 - the same kills each time
        grow(db, 1_000, now=datetime.now(UTC))
        db.dispose()
        yield from _pickers(url, folder, 1_000 // less, -(-20 // less), random)
        yield from _workers(url, folder, 2_000 // less, -(-10 // less), random, ["poison"] if poison == "poison" else [])
        yield from _editors(url, folder, 100 // less)


def _note(folder: Path, number: int, what: str) -> None:
    with (folder / f"{number}.txt").open("a") as file:
        file.write(f"{what}\n")


def _noted(folder: Path) -> list[tuple[int, str]]:
    return [(int(path.stem), line) for path in folder.glob("*.txt") for line in path.read_text().splitlines()]


# --- R17: pickers -----------------------------------------------------------------------------------


def _pickers(url: str, folder: Path, tasks: int, kills: int, random: Random) -> Iterator[Row]:
    here = folder / "pickers"
    here.mkdir()
    (folder / "taken").mkdir()
    db = Database(url)
    write_orders(db, range(1, 4 * tasks + 1), datetime.now(UTC))
    db.run(settle_totals)
    db.run(_count_on)
    db.dispose()
    started = time.perf_counter()
    crew = Crew(_pick, (url, here), 8)
    crew.kill_some(kills, every=0.5, random=random, stop=lambda: len(_noted(here)) >= tasks)
    well = crew.join(MOST_SECONDS)
    seconds = time.perf_counter() - started
    with db.read() as session:
        left = session.scalar(sa.select(sa.func.count()).where(t.Shipment.state != "shipped")) or 0
        lines = session.execute(sa.select(sa.func.sum(t.ShipmentLine.picked), sa.func.sum(t.ShipmentLine.quantity))).one()
        found = verify.breaches(session, now=datetime.now(UTC))
    db.dispose()
    twice = [parcel for parcel, many in Counter(line for _, line in _noted(here)).items() if many > 1]
    figure = f"{left} left, {lines[0] - lines[1]} picked too many, {len(twice)} by two, {len(found)} breaches"
    for line in found[:3]:
        print("   ", line)
    taken = len(_noted(folder / "taken"))
    print(f"    {seconds:.1f} s, {crew.killed} killed, {taken} parcels taken over, all ended well: {well}", flush=True)
    met = (left, lines[0] - lines[1], twice, list(found), well) == (0, 0, [], [], True) and crew.killed > 0
    yield Row(f"R17 8 pickers, {tasks} parcels", "0 left, 0 too many, 0 by two, 0 breaches", figure, met)


def _count_on(session: Session) -> None:
    """Let numbers go on behind those that were given."""
    for table in metadata.sorted_tables:
        if "id" in table.c and isinstance(table.c.id.type, sa.BigInteger):
            last = session.scalar(sa.select(sa.func.max(table.c.id)))
            name = session.scalar(sa.func.pg_get_serial_sequence(table.name, "id"))
            if last and name:
                session.execute(sa.func.setval(name, last).select())


def _pick(url: str, folder: Path, number: int) -> None:
    """Take parcels that nobody has, one's own that were begun before a death, and those of who is gone, until none is left."""
    db, me, random = Database(url), _who(folder, number), Random(number)  # noqa: S311 - any order
    waited_for = dict[int, tuple[int, float]]()
    here = t.Shipment.state.in_(("to_pick", "picking", "packed"))
    while True:
        with db.read() as session:
            open_ones = list(session.scalars(sa.select(t.Shipment.id).where(here).order_by(t.Shipment.id).limit(40)))
        if not open_ones:
            return
        parcel = random.choice(open_ones)
        _take_over_if_left(db, folder, number, me, parcel, waited_for)
        _one_parcel(db, folder, number, me, parcel)


def _who(folder: Path, number: int) -> str:
    """Return who is at a place: after the first death somebody else, after the second the same as before, and so on."""
    starts = folder / f"{number}.starts"
    with starts.open("a") as file:
        file.write(".")
    return f"picker {number}, {starts.stat().st_size // 2}"


def _take_over_if_left(
    db: Database, folder: Path, number: int, me: str, parcel: int, waited_for: dict[int, tuple[int, float]]
) -> None:
    """Take over a parcel of somebody else that is as it was LEFT_AFTER ago. waited_for: its version, and since when it is so."""
    with db.read() as session:
        seen = session.get_one(t.Shipment, parcel)
    if seen.state != "picking" or seen.picker == me:
        return
    version, since = waited_for.get(parcel, (0, 0.0))
    if version != seen.version:
        waited_for[parcel] = (seen.version, time.monotonic())
    elif time.monotonic() - since > LEFT_AFTER:
        named = {"version": version, "sure": True, "actor": me, "staff_id": None}
        with suppress(Refused):  # another one was faster, or it went on
            db.run(lambda session: pickers.take_over(session, parcel, **named, now=datetime.now(UTC)))
            _note(folder.parent / "taken", number, seen.picker)


def _one_parcel(db: Database, folder: Path, number: int, me: str, parcel: int) -> None:
    with db.read() as session:
        packed = session.get_one(t.Shipment, parcel).state == "packed"  # by somebody who was killed before it left
    try:
        if packed:
            if db.run(lambda session: _ship(session, parcel, me)):
                _note(folder, number, str(parcel))
            return
        db.run(lambda session: fulfilment.start(session, parcel, actor=me, now=datetime.now(UTC)))
        for line_id in db.run(lambda session: [line.id for line in fulfilment.lines_of(session, parcel)]):
            db.run(lambda session, line_id=line_id: _pick_line(session, parcel, line_id, me))
        db.run(lambda session: fulfilment.pack(session, parcel, actor=me, now=datetime.now(UTC)))
        if db.run(lambda session: _ship(session, parcel, me)):
            _note(folder, number, str(parcel))
    except Refused:
        return  # somebody else has it, or was faster


def _pick_line(session: Session, parcel: int, line_id: int, me: str) -> None:
    line = session.get_one(t.ShipmentLine, line_id, with_for_update=True)
    if line.picked < line.quantity:
        sku = session.scalars(sa.select(t.Item.sku).where(t.Item.id == line.item_id)).one()
        fulfilment.pick(session, parcel, sku, line.quantity - line.picked, actor=me, now=datetime.now(UTC))


def _ship(session: Session, parcel: int, me: str) -> bool:
    """Tell whether it was this one who shipped it."""
    before = session.scalars(sa.select(t.Shipment.state).where(t.Shipment.id == parcel).with_for_update()).one()
    fulfilment.ship(session, parcel, tracking=me, actor=me, now=datetime.now(UTC))
    return before == "packed"


# --- R13: workers -----------------------------------------------------------------------------------


def _workers(url: str, folder: Path, messages: int, kills: int, random: Random, poison: list[str]) -> Iterator[Row]:
    here = folder / "workers"
    here.mkdir()
    db, began = Database(url), time.time()
    aggregates = messages // 10

    def put(session: Session) -> None:
        session.execute(sa.delete(OutboxMessage))  # what the parcels left to say: nobody carries it here
        for number in range(messages):
            outbox.put(session, "test", f"thing:{number % aggregates}", "said", {"n": number // aggregates}, now=_fast(began))
        for name in poison:
            outbox.put(session, "test", name, "said", {"n": -1}, now=_fast(began))

    db.run(put)
    db.dispose()
    started = time.perf_counter()
    crew = Crew(_carry, (url, here, began), 4)
    crew.kill_some(kills, every=0.6 if messages >= 1_000 else 0.1, random=random, stop=lambda: False)
    well = crew.join(MOST_SECONDS)
    seconds = time.perf_counter() - started
    with db.read() as session:
        mine = sa.select(sa.func.count()).where(OutboxMessage.target == "test")
        waiting = session.scalar(mine.where(OutboxMessage.state == "pending")) or 0
        dead = session.scalars(sa.select(OutboxMessage.aggregate).where(OutboxMessage.state == "dead")).all()
    db.dispose()
    arrived = sorted((float(line.split()[0]), *line.split()[1:]) for _, line in _noted(here))
    effects = list(dict.fromkeys((aggregate, int(n)) for _, aggregate, n in arrived))  # the other side knows a message by its id
    in_order = all(
        [n for one, n in effects if one == f"thing:{number}"] == list(range(messages // aggregates))
        for number in range(aggregates)
    )
    figure = f"{len(effects)} effects of {len(arrived)} deliveries, {waiting} waiting, dead: {', '.join(dead) or 'none'}"
    print(f"    {seconds:.1f} s, {crew.killed} killed, in order: {in_order}", flush=True)
    met = (len(effects), waiting, list(dead), in_order, well) == (messages, 0, poison, True, True) and crew.killed > 0
    yield Row(f"R13 4 workers, {messages} messages", "each once, in order, the poisoned one dead", figure, met)


def _fast(began: float) -> datetime:
    return datetime.fromtimestamp(began, UTC) + timedelta(seconds=(time.time() - began) * FASTER)


def _carry(url: str, folder: Path, began: float, number: int) -> None:
    db = Database(url)

    def carry(message: Message) -> None:
        if message.aggregate == "poison":
            raise ValueError("this one never")
        _note(folder, number, f"{time.time():.6f} {message.aggregate} {message.payload['n']}")

    def clock() -> datetime:
        return _fast(began)

    worker = Worker(db, {"test": carry}, [], name=f"w{number}-{time.time()}", clock=clock)
    pending = sa.select(OutboxMessage.id).where(OutboxMessage.target == "test", OutboxMessage.state == "pending").limit(1)
    while True:
        if not worker.turn():
            with db.read() as session:
                if session.scalar(pending) is None:
                    return
            time.sleep(0.05)


# --- R18: editors -----------------------------------------------------------------------------------


def _editors(url: str, folder: Path, edits: int) -> Iterator[Row]:
    here = folder / "editors"
    here.mkdir()
    db, now = Database(url), datetime.now(UTC)
    form = LeadForm(key="a form", kind="contact", name="Ada", email="ada@example.test", phone="", message="Is it bright?")
    lead_id = db.run(lambda session: leads.submit(session, form, now=now).id)
    for number in range(8):
        mail = f"editor{number}@werk.test"
        db.run(lambda s, m=mail: staff.add(s, email=m, name=m[:7], role="sales", password="a long password", now=now))
    db.dispose()
    crew = Crew(_edit, (url, here, lead_id, edits), 8)
    well = crew.join(MOST_SECONDS)
    with db.read() as session:
        kept = session.scalars(sa.select(Activity.text).where(Activity.lead_id == lead_id, Activity.kind == "note")).all()
        version = session.get_one(Lead, lead_id).version
    db.dispose()
    refused = sum(line == "stale" for _, line in _noted(here))
    figure = f"{len(set(kept))} of {8 * edits}, version {version}, {refused} times refused as stale"
    met = (len(kept), len(set(kept)), version, well) == (8 * edits, 8 * edits, 8 * edits + 1, True)
    yield Row(f"R18 8 editors, {edits} notes each", "every one is kept, each moves the version by 1", figure, met)


def _edit(url: str, folder: Path, lead_id: int, edits: int, number: int) -> None:
    db = Database(url)
    with db.read() as session:
        me = session.scalars(sa.select(t.Staff).where(t.Staff.email == f"editor{number}@werk.test")).one()
    for edit in range(edits):
        while True:
            with db.read() as session:
                seen = session.get_one(Lead, lead_id).version
            try:
                text, now = f"note {edit} of {number}", datetime.now(UTC)
                db.run(lambda s, t=text, v=seen, n=now: leads.note(s, lead_id, t, staff=me, version=v, now=n))
                break
            except Refused:
                _note(folder, number, "stale")
