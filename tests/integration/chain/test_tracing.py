"""Pegs as trees, in both directions: exact quantities at every step, whatever hangs together is read in a few queries."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from backoffice.erp import decisions, fulfilment, plan, production, tracing
from backoffice.erp import models as t
from backoffice.erp.tracing import Key, Node
from tests.company import at


def trees(workshop, direction, *starts: Key) -> list[Node]:
    """Return the trees of these starts."""
    with workshop.db.read() as session:
        return list(tracing.find_tree(session, starts, direction, now=workshop.now))


def said(node: Node) -> tuple:
    """Return kind, item, quantity and what hangs below it."""
    return node.key.kind, node.item, node.quantity, [said(one) for one in node.nodes]


def lines(workshop, number: str) -> list[Node]:
    """Return where the lines of an order come from."""
    with workshop.db.read() as session:
        starts = tracing.lines_of_order(session, number)
    return trees(workshop, "origin", *starts)


def shelf(workshop, sku: str) -> Key:
    """Return the only shelf of an item."""
    return Key("stock", workshop.rows(t.Item, sku=sku)[0].id, 1)


def test_an_order_line_leads_down_to_every_shelf_and_purchase(workshop):
    order = workshop.buy(TABLE=4)  # 4 tops of 2 boards, 16 legs: 12 are there, 4 are proposed
    [line] = lines(workshop, order.number)
    top = ("made", "Top", 4, [("stock", "Board", 8, [])])
    legs = [("stock", "Leg", 12, []), ("receipt", "Leg", 4, [])]
    kind, item, quantity, [made] = said(line)
    assert (kind, item, quantity, made[:3]) == ("line", "Table", 4, ("made", "Table", 4))
    assert sorted(made[3]) == sorted([top, *legs])
    assert (line.ref, line.promised_on) == (order.number, date(2026, 12, 1))
    proposed = next(one for one in line.nodes[0].nodes if one.key.kind == "receipt")
    assert (proposed.state, proposed.partner, proposed.at) == ("proposed", "Holz & Co", at(29, 9))
    # and the way of what comes last: the table, its legs on Sunday
    assert [one.key.kind for one in tracing.path_of(line)] == ["line", "made", "receipt"]


def test_a_shelf_a_receipt_and_a_production_order_lead_up_to_whom_they_are_for(workshop):
    order = workshop.buy(TABLE=2)
    workshop.buy(LAMP=3)
    cart = workshop.cart(TABLE=1)
    [boards] = trees(workshop, "purpose", shelf(workshop, "BOARD"))
    assert (boards.quantity, boards.free) == (20, 14)
    mine, theirs = boards.nodes
    assert said(mine) == ("made", "Top", 2, [("made", "Table", 2, [("line", "Table", 2, [])])])
    assert (mine.takes, mine.nodes[0].takes, mine.nodes[0].nodes[0].ref) == (4, 2, order.number)
    assert (theirs.takes, theirs.state, theirs.nodes[0].nodes[0].ref) == (2, "held", "")
    [receipt] = trees(workshop, "purpose", Key("receipt", 1))
    assert (receipt.quantity, receipt.free, [(one.item, one.takes) for one in receipt.nodes]) == (10, 7, [("Lamp", 3)])
    workshop.now += timedelta(minutes=20)  # the cart's hold is dead
    [boards] = trees(workshop, "purpose", shelf(workshop, "BOARD"))
    assert [one.takes for one in boards.nodes] == [4]
    assert cart.lines[0].sku == "TABLE"


def test_one_lot_for_two_orders_leads_to_both_and_both_lead_to_it(workshop):
    def in_lots(session):
        session.execute(sa.update(t.Item).where(t.Item.sku == "TOP").values(lot_minimum=3))
        plan.bump(session, master=True)

    workshop.db.run(in_lots)
    numbers = [workshop.buy(TABLE=1).number for _ in range(2)]
    lot = next(one for one in workshop.rows(t.ProductionOrder) if one.quantity == 3)
    [tree] = trees(workshop, "purpose", Key("made", lot.id))
    assert (tree.free, [one.nodes[0].ref for one in tree.nodes]) == (1, numbers)
    for number in numbers:
        [line] = lines(workshop, number)
        assert lot.number in [one.ref for one in line.nodes[0].nodes]


def test_what_was_used_and_sent_still_tells_where_it_came_from(workshop):
    order = workshop.buy(STOOL=2)
    shipment = workshop.rows(t.Shipment)[0]
    workshop.do(fulfilment.pick, shipment.id, "STOOL", 2)
    workshop.do(fulfilment.pack, shipment.id)
    workshop.do(fulfilment.ship, shipment.id, tracking="")
    [line] = lines(workshop, order.number)
    assert (line.state, said(line), line.nodes[0].used) == ("shipped", ("line", "Stool", 2, [("stock", "Stool", 2, [])]), True)
    assert trees(workshop, "purpose", shelf(workshop, "STOOL"))[0].nodes == []
    workshop.buy(TABLE=1)
    top = workshop.rows(t.ProductionOrder, item_id=workshop.rows(t.Item, sku="TOP")[0].id)[0]
    workshop.do(production.finish, top.id)
    [made] = trees(workshop, "origin", Key("made", top.id))
    assert (made.state, said(made), made.nodes[0].used) == ("done", ("made", "Top", 1, [("stock", "Board", 2, [])]), True)


def test_a_loop_in_the_pegs_ends_where_it_began(workshop):
    workshop.buy(TABLE=1)
    table, top = sorted(workshop.rows(t.ProductionOrder), key=lambda one: one.item_id)

    def loop(session):
        session.execute(
            sa.update(t.Peg)
            .where(t.Peg.production_order_id == top.id)
            .values(kind="make", warehouse_id=None, supply_order_id=table.id)
            .execution_options(**decisions.NOTED)
        )

    workshop.db.run(loop)
    [down] = trees(workshop, "origin", Key("made", top.id))
    way = down.nodes[0]
    assert (way.key, way.again) == (Key("made", table.id), False)
    assert [one.again for one in way.nodes if one.key == Key("made", top.id)] == [True]
    [up] = trees(workshop, "purpose", Key("made", top.id))
    assert any(one.again for one in up.nodes[0].nodes)

    def mend(session):
        session.execute(
            sa.update(t.Peg)
            .where(t.Peg.production_order_id == top.id)
            .values(kind="stock", warehouse_id=1, supply_order_id=None)
            .execution_options(**decisions.NOTED)
        )

    workshop.db.run(mend)


def test_a_shelf_for_hundreds_says_how_many_it_leaves_out_and_asks_no_more_for_it(workshop):
    workshop.buy(STOOL=1)
    statements: list[str] = []
    sa.event.listen(workshop.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    trees(workshop, "purpose", shelf(workshop, "STOOL"))
    few = len(statements)
    [one] = workshop.rows(t.Reservation)
    times = {"ready_at": one.ready_at, "expires_at": one.expires_at}
    kept = {"item_id": one.item_id, "quantity": 1, "state": "converted", "owner_ref": "", "order_ref": "SF-X", "basis": "stock"}
    peg = {"item_id": one.item_id, "quantity": 1, "kind": "stock", "warehouse_id": 1, "available_at": one.ready_at}

    def many(session):
        session.execute(
            sa.insert(t.Reservation), [kept | times | {"id": n, "plan_version": 1, "chain": []} for n in range(100, 1100)]
        )
        session.execute(
            sa.insert(t.Peg).execution_options(**decisions.NOTED), [peg | {"reservation_id": n} for n in range(100, 1100)]
        )

    def none(session):
        session.execute(sa.delete(t.Peg).where(t.Peg.reservation_id >= 100).execution_options(**decisions.NOTED))
        session.execute(sa.delete(t.Reservation).where(t.Reservation.id >= 100))

    workshop.db.run(many)
    statements.clear()
    [tree] = trees(workshop, "purpose", shelf(workshop, "STOOL"))
    assert (len(tree.nodes), tree.left_out, len(statements)) == (tracing.MOST - 1, 1001 - tracing.MOST + 1, few)
    workshop.db.run(none)


def test_two_pegs_of_one_supply_for_one_need_are_one_line(workshop):
    order = workshop.buy(TABLE=3)

    def part(session):
        peg = session.scalars(sa.select(t.Peg).where(t.Peg.kind == "stock", t.Peg.quantity == 12)).one()
        values = {"reservation_id": peg.reservation_id, "production_order_id": peg.production_order_id, "item_id": peg.item_id}
        session.add(t.Peg(**values, quantity=5, kind="stock", warehouse_id=1, available_at=peg.available_at))
        peg.quantity = 7

    workshop.db.run(part)
    [line] = lines(workshop, order.number)
    assert ("stock", "Leg", 12, []) in said(line)[3][0][3]


def test_what_does_not_exist_has_no_tree(workshop):
    assert trees(workshop, "purpose", Key("made", 99), Key("receipt", 99), Key("stock", 99, 1), Key("line", 99)) == []
    assert lines(workshop, "SF-NONE") == []
