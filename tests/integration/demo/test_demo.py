"""The demo company: what the shop window needs to show is there, and it hangs together."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from pwdlib import PasswordHash

from backoffice.crm.models import AssignmentRule, Lead, MailTemplate, Party
from backoffice.db import Database
from backoffice.demo.load import load
from backoffice.erp import calendars, promising
from backoffice.erp import models as t
from backoffice.planning.instants import micros
from backoffice.public.errors import Refused

INSTANTS = [
    datetime(2026, 11, 24, 8, 0, tzinfo=UTC),  # a working morning
    datetime(2026, 11, 22, 21, 30, 17, 123, tzinfo=UTC),  # Sunday night
    datetime(2026, 12, 23, 22, 59, tzinfo=UTC),  # the last minute before the works close for the year
    datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
]


@pytest.fixture
def loaded(sqlite_db: Database, tmp_path: Path, now: datetime) -> Database:
    load(sqlite_db, media=tmp_path / "media", now=now)
    return sqlite_db


def test_it_fills_both_databases_once(db: Database, tmp_path: Path, now: datetime) -> None:
    load(db, media=tmp_path, now=now)
    with db.read() as session:
        assert session.scalar(sa.select(sa.func.count(t.Product.id))) == 45
        assert session.scalar(sa.select(sa.func.count(t.Item.id)).where(t.Item.on_sale)) == 131
        assert session.scalar(sa.select(sa.func.count(t.Category.id))) == 7
        assert session.scalar(sa.select(sa.func.count(t.WorkCentre.id))) == 6
        assert session.scalar(sa.select(sa.func.count(t.Warehouse.id))) == 2
        assert session.scalar(sa.select(sa.func.count(t.Supplier.id))) == 8
        german = sa.select(sa.func.count(t.ProductText.id)).where(t.ProductText.language == "de")
        assert session.scalar(german) == 45
    with pytest.raises(Refused, match="exists"):
        load(db, media=tmp_path, now=now)
    with db.read() as session:
        assert session.scalar(sa.select(sa.func.count(t.Product.id))) == 45


def test_each_product_can_be_had_as_it_should(loaded: Database, now: datetime) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    with loaded.read() as session:
        for item in session.scalars(sa.select(t.Item).where(t.Item.on_sale)):
            try:
                promise = promising.quote(session, item, 1, country=None, postcode="10115", now=now)
                found[item.sku.split("-")[0]].add(promise.basis)
            except Refused:
                found[item.sku.split("-")[0]].add("nothing")
    made = {key: {"make"} for key in ["LINDE", "MULDE", "KABINETT", "STEG", "FALKE", "GARTEN", "FACH", "WIEGE"]}
    incoming = {key: {"receipt"} for key in ("WERRA", "MOND", "GLOCKE")}
    gone = {key: {"nothing"} for key in ("TRUHE", "HAKEN", "LATTEN")}
    some = {"LADE": {"stock", "nothing"}}  # one size in ash is sold out
    here = {key: {"stock"} for key in set(found) - set(made) - set(incoming) - set(gone) - set(some)}
    assert len(here) == 30
    assert found == made | incoming | gone | some | here


def test_one_table_waits_weeks_for_its_boards(loaded: Database, now: datetime) -> None:
    with loaded.read() as session:
        days = {}
        for sku in ("LINDE-220-OAK", "LINDE-220-WALNUT"):
            item = session.execute(sa.select(t.Item).where(t.Item.sku == sku)).scalar_one()
            days[sku] = promising.quote(session, item, 1, country=None, postcode=None, now=now)
        assert days["LINDE-220-WALNUT"].deliver_on - days["LINDE-220-OAK"].deliver_on > timedelta(weeks=6)
        assert "buy" in {step.kind for step in days["LINDE-220-WALNUT"].steps}


def test_boms_have_three_levels(loaded: Database) -> None:
    with loaded.read() as session:
        line, below, deepest = (sa.orm.aliased(t.BomLine) for _ in range(3))
        deep = session.scalars(
            sa.select(t.Item.sku)
            .join(line, line.parent_id == t.Item.id)
            .join(below, below.parent_id == line.component_id)
            .join(deepest, deepest.parent_id == below.component_id)
            .where(t.Item.on_sale)
            .distinct()
        ).all()
        assert {sku.split("-")[0] for sku in deep} == {"FACH", "GARTEN"}
        assert session.scalar(sa.select(sa.func.count(t.BomLine.id)).join(t.Item, t.Item.id == t.BomLine.component_id)) > 100


def test_the_ledger_is_the_stock(loaded: Database) -> None:
    with loaded.read() as session:
        of = (t.StockMovement.item_id, t.StockMovement.warehouse_id)
        query = sa.select(*of, sa.func.sum(t.StockMovement.delta)).group_by(*of)
        moved = Counter({(item_id, warehouse_id): int(quantity) for item_id, warehouse_id, quantity in session.execute(query)})
        for row in session.scalars(sa.select(t.Stock)):
            assert (row.on_hand, row.allocated, row.reserved) == (moved[row.item_id, row.warehouse_id], 0, 0)


@pytest.mark.parametrize("at", INSTANTS, ids=str)
def test_planned_work_lies_in_open_time_and_never_twice(sqlite_db: Database, tmp_path: Path, at: datetime) -> None:
    load(sqlite_db, media=tmp_path, now=at)
    with sqlite_db.read() as session:
        open_times = calendars.load_all(session, *calendars.horizon(at.date()))
        busy: dict[tuple[int, int], list[tuple[datetime, datetime]]] = defaultdict(list)
        for slot in session.scalars(sa.select(t.OperationSlot)):
            centre = session.get_one(t.WorkCentre, slot.work_centre_id)
            assert 0 <= slot.lane < centre.lanes
            opened = list(open_times[centre.calendar_id].open_intervals(slot.starts_at, slot.ends_at))
            assert opened
            assert opened[0][0] == slot.starts_at
            assert opened[-1][1] == slot.ends_at
            assert slot.starts_at >= at
            busy[slot.work_centre_id, slot.lane].append((slot.starts_at, slot.ends_at))
        for slots in busy.values():
            slots.sort()
            assert all(before[1] <= after[0] for before, after in itertools.pairwise(slots))
        orders = session.scalars(sa.select(t.ProductionOrder)).all()
        assert len(orders) == 8
        assert all(order.ready_at > order.starts_at >= at for order in orders)
        assert micros(min(order.starts_at for order in orders)) % 60_000_000 == 0  # nobody starts at 17.000123 seconds


@pytest.mark.parametrize("at", INSTANTS, ids=str)
def test_one_purchase_order_is_late(sqlite_db: Database, tmp_path: Path, at: datetime) -> None:
    load(sqlite_db, media=tmp_path, now=at)
    with sqlite_db.read() as session:
        late = session.scalars(
            sa.select(t.PurchaseOrderLine.purchase_order_id).where(t.PurchaseOrderLine.due_at < at).distinct()
        ).all()
        assert len(late) == 1
        ordered = session.scalars(sa.select(t.PurchaseOrder.ordered_at)).all()
        assert all(instant < at for instant in ordered)


def test_people_leads_and_their_states(loaded: Database, now: datetime) -> None:
    with loaded.read() as session:
        roles = Counter(session.scalars(sa.select(t.Staff.role)))
        assert roles == {"sales": 2, "warehouse": 1, "planner": 1, "admin": 1}
        [someone, *_] = session.scalars(sa.select(t.Staff)).all()
        assert PasswordHash.recommended().verify("demo", someone.password_hash)
        leads = session.scalars(sa.select(Lead)).all()
        assert Counter(lead.state for lead in leads) == {
            "new": 5,
            "working": 4,
            "answered": 2,
            "done": 2,
            "quarantined": 1,
        }
        assert Counter(lead.outcome for lead in leads) == {"": 13, "lost": 1}
        assert sum(lead.follow_up_at is not None and lead.follow_up_at < now + timedelta(hours=12) for lead in leads) == 2
        assert len({lead.language for lead in leads}) == 9
        overdue = [lead for lead in leads if lead.state in {"new", "working"} and lead.due_at < now]
        assert 2 <= len(overdue) < 7
        assert session.scalar(sa.select(sa.func.count(Party.id))) == 14


def test_the_sales_desk_is_set_up(loaded: Database) -> None:
    with loaded.read() as session:
        rows = session.execute(
            sa.select(AssignmentRule.position, AssignmentRule.language, AssignmentRule.country, t.Category.slug, t.Staff.name)
            .join(t.Staff, t.Staff.id == AssignmentRule.owner_id)
            .join(t.Category, t.Category.id == AssignmentRule.category_id, isouter=True)
            .order_by(AssignmentRule.position)
        )
        assert [tuple(row) for row in rows] == [
            (1, "", "", "tables", "Mara Lindqvist"),
            (2, "", "AT", None, "Jonas Abel"),
            (3, "de", "", None, "Mara Lindqvist"),
            (4, "", "", None, "Jonas Abel"),
        ]
        assert Counter(session.scalars(sa.select(MailTemplate.language))) == {"en": 3, "de": 3}
        for body in session.scalars(sa.select(MailTemplate.body)):
            assert body.format(name="Ada", number="L-00001", shop="Birkengrund", sender="Mara").count("Ada") == 1
        [away] = session.scalars(sa.select(t.StaffAbsence)).all()
        assert (away.starts_on.weekday(), (away.ends_on - away.starts_on).days) == (0, 4)


def test_every_variant_has_a_drawn_picture(loaded: Database, tmp_path: Path) -> None:
    with loaded.read() as session:
        files = dict(session.execute(sa.select(t.Picture.item_id, t.Picture.file)).all())  # type: ignore[arg-type] # rows are pairs
        on_sale = set(session.scalars(sa.select(t.Item.id).where(t.Item.on_sale)))
    assert set(files) == on_sale
    for file in set(files.values()):
        drawn = ET.fromstring((tmp_path / "media" / file).read_text())  # noqa: S314 - our own drawing
        assert drawn.attrib["viewBox"] == "0 0 800 600"
        assert not [node for node in drawn.iter() if node.tag.endswith(("text", "script", "image"))]
        assert not [node for node in drawn.iter() for name in node.attrib if name.startswith("on") or name == "style"]


def test_the_same_instant_gives_the_same_company(sqlite_url: str, tmp_path: Path, now: datetime) -> None:
    media = [tmp_path / "one", tmp_path / "two"]
    dumps = []
    for number, folder in enumerate(media):
        path = tmp_path / f"{number}.db"
        path.write_bytes(Path(sqlite_url.removeprefix("sqlite:///")).read_bytes())
        db = Database(f"sqlite:///{path}")
        load(db, media=folder, now=now)
        with db.read() as session:
            tables = (
                t.Item,
                t.BomLine,
                t.RoutingOperation,
                t.PurchaseOrderLine,
                t.OperationSlot,
                t.StockMovement,
                t.Picture,
                Lead,
            )
            dumps.append([session.execute(sa.select(*table.__table__.columns)).all() for table in tables])
        db.dispose()
    assert dumps[0] == dumps[1]
    assert {path.name for path in media[0].iterdir()} == {path.name for path in media[1].iterdir()}


def test_the_command_keeps_what_is_there(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backoffice.cli import main

    monkeypatch.setenv("SHOPFLOOR_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("SHOPFLOOR_VAR_DIR", str(tmp_path / "var"))
    first = CliRunner().invoke(main, ["demo", "load"])
    second = CliRunner().invoke(main, ["demo", "load"])
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert "mara@birkengrund.example" in first.output
    assert second.output == "Birkengrund Workshop is here already: its data is kept.\n"
