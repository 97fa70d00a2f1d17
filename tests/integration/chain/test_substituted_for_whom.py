"""Something else after a slip is quoted to the order itself: to its class of customers, by the service that it was sold with."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from backoffice.crm.models import Slip
from backoffice.erp import models as t
from backoffice.erp import services
from tests.company import at
from tests.integration.chain.test_allotments import figures, keep
from tests.integration.chain.test_services import EXPRESS, MUNICH
from tests.integration.chain.test_services import choose as send_by
from tests.integration.chain.test_slips import MON, buy, choose, move_lamps, slip_of, stand_in

WED = date(2026, 12, 2)


def test_what_is_kept_for_the_order_s_class_is_offered_to_it_alone(workshop):
    stand_in(workshop, "LAMP", "STOOL")
    kept = keep(workshop, "STOOL", whose="key", quantity=3)  # two are anybody's
    anybody, key = buy(workshop, LAMP=3), buy(workshop, LAMP=3)
    second = workshop.rows(t.Reservation)[-1].id
    theirs = sa.update(t.Reservation).where(t.Reservation.id == second).values(customer_class="key")
    workshop.db.run(lambda session: session.execute(theirs))
    move_lamps(workshop, 3, 12)
    retail_slip, key_slip = (one.id for one in workshop.rows(Slip))
    assert workshop.shop.slips.get(anybody.order_token, retail_slip, now=workshop.now).options == []
    [option] = workshop.shop.slips.get(key.order_token, key_slip, now=workshop.now).options
    assert (option.sku, option.arrives_on) == ("STOOL", MON)
    choose(workshop, key, "substitute", option.id)
    assert [(one.sku, one.expected_on) for one in workshop.order(key).lines] == [("STOOL", MON)]
    assert (figures(workshop), workshop.rows(t.Allotment, id=kept)[0].taken) == ((5, 3, 0, 0), 3)


def test_it_comes_by_the_service_that_the_order_was_sold_with(workshop):
    """Friday morning to Munich: Express is there on Monday, the usual way on Tuesday. The lamps now come on Wednesday."""
    stand_in(workshop, "LAMP", "STOOL")
    by = {"by": "admin@werk.test", "role": "admin"}
    workshop.db.run(lambda session: services.save(session, EXPRESS, **by, now=workshop.now))
    cart = workshop.shop.carts.add(None, "LAMP", 3, postcode=MUNICH, now=workshop.now)
    start = workshop.start(send_by(workshop, cart, "express"), postcode=MUNICH)
    workshop.pay(start)
    assert workshop.order(start).promised_on == MON
    workshop.now = at(27, 7)
    move_lamps(workshop, 1, 12)
    assert workshop.order(start).expected_on == WED
    workshop.db.run(lambda session: services.save(session, EXPRESS | {"active": False}, **by, now=workshop.now))
    [option] = slip_of(workshop, start).options  # orders keep a service that is not offered any more
    assert (option.sku, option.arrives_on) == ("STOOL", MON)
    choose(workshop, start, "substitute", option.id)
    order = workshop.order(start)
    assert ([one.expected_on for one in order.lines], [one.expected_on for one in order.parcels]) == ([MON], [MON])
