"""The day, worked out by hand on the small workshop (see tests/company.py). Now is Tuesday 24 November 2026, 09:00."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from backoffice.erp import counting, production, purchasing
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.company import at

TUE, WED, THU, FRI, MON, NEXT_TUE, NEXT_WED = (date(2026, 11, 24) + timedelta(days=n) for n in (0, 1, 2, 3, 6, 7, 8))


def test_from_stock_before_the_cut_off_leaves_today(workshop):
    assert workshop.day("STOOL") == WED  # leaves Tue, one day on the road
    assert workshop.day("STOOL", postcode="80331") == THU  # two days to Bavaria


def test_exactly_at_the_cut_off_is_after_it(workshop):
    workshop.now = at(24, 13, 59)
    assert workshop.day("STOOL") == WED
    workshop.now = at(24, 14)
    assert workshop.day("STOOL") == THU


def test_more_than_stock_is_refused_with_what_could_be_had(workshop):
    with pytest.raises(Refused) as refusal:
        workshop.day("STOOL", 6)
    assert (refusal.value.code, refusal.value.details["most"]) == ("not_available", 5)


def test_incoming_is_promised_from_its_receipt(workshop):
    # due Fri 27 Nov 08:00, before the cut-off, leaves Fri; Saturday and Sunday the carrier rests: Monday
    assert workshop.day("LAMP") == MON
    with pytest.raises(Refused):
        workshop.day("LAMP", 11)


def test_made_through_both_levels(workshop):
    # Saw 10 + 20 = 30 min: 09:30; Assembly 30 + 60 = 90 min: 11:00; leaves today
    promise = workshop.shop.promises.quote("TABLE", 1, postcode=None, cart=None, now=workshop.now)
    assert (promise.ready_at, promise.deliver_on, promise.basis) == (at(24, 11), WED, "make")
    assert [step.kind for step in promise.steps] == ["stock", "operation", "operation", "cutoff", "ship", "transit", "deliver"]
    for before, after in zip(promise.steps, promise.steps[1:], strict=False):
        assert before.ends_at == after.starts_at


def test_made_with_legs_that_must_be_bought(workshop):
    # 4 tables need 16 legs, 12 are there: the rest comes Sun 29 Nov 09:00; Assembly opens Mon 06:00, 30 + 240 min: 10:30
    promise = workshop.shop.promises.quote("TABLE", 4, postcode=None, cart=None, now=workshop.now)
    assert (promise.ready_at, promise.deliver_on) == (at(30, 10, 30), NEXT_TUE)


def test_taking_a_component_away_moves_the_day(workshop):
    legs = workshop.rows(t.Item, sku="LEG")[0].id
    workshop.do(counting.count_stock, legs, 1, 3, ref="count:1")
    # one leg short: bought, there Sun 29 Nov; Assembly Mon 06:00 to 07:30; leaves Mon, arrives Tue
    assert workshop.day("TABLE") == NEXT_TUE


def test_stopping_a_work_centre_moves_the_day_and_says_why(workshop):
    saw = workshop.rows(t.WorkCentre, code="SAW")[0].id
    workshop.do(production.stop, saw, at(24, 9), at(25, 6), reason="blade")
    # Saw Wed 06:00 to 06:30, Assembly to 08:00, leaves Wed
    promise = workshop.shop.promises.quote("TABLE", 1, postcode=None, cart=None, now=workshop.now)
    assert promise.deliver_on == THU
    waiting = [step for step in promise.steps if step.kind == "wait"]
    assert waiting[0].details["work_centre"] == "Saw"
    stop = workshop.rows(t.WorkCentreStop)[0]
    workshop.do(production.end_stop, stop.id)
    assert workshop.day("TABLE") == WED


def test_moving_a_receipt_moves_the_day(workshop):
    line = workshop.rows(t.PurchaseOrderLine)[0]
    workshop.do(purchasing.move_due, line.id, at(1, 8, month=12), version=line.version)
    assert workshop.day("LAMP") == NEXT_WED  # due Tue 1 Dec 08:00, leaves Tue
    with pytest.raises(Refused) as stale:
        workshop.do(purchasing.move_due, line.id, at(2, 8, month=12), version=line.version)
    assert stale.value.code == "stale"
    with pytest.raises(BadInput):
        workshop.do(purchasing.move_due, line.id, at(23, 8), version=line.version + 1)
    assert workshop.day("LAMP") == NEXT_WED


def test_past_due_is_not_available_today(workshop):
    workshop.now = at(28, 9)
    with pytest.raises(Refused):
        workshop.day("LAMP")
    assert "lamp" not in workshop.listed()


@pytest.mark.parametrize("quantity", [0, -1, 10**18, 10_000])
def test_absurd_quantities_are_refused(workshop, quantity):
    with pytest.raises(BadInput) as error:
        workshop.day("STOOL", quantity)
    assert error.value.code == "bad_quantity"


@pytest.mark.parametrize("postcode", ["00000", "99999", "1011", "abcde", "١٠١١٥", "10115\u0000"])
def test_a_postcode_that_does_not_exist_is_refused(workshop, postcode):
    with pytest.raises(BadInput) as error:
        workshop.day("STOOL", postcode=postcode)
    assert error.value.code == "unknown_postcode"


def test_an_unknown_product_and_a_part_are_not_sold(workshop):
    for sku in ("NOPE", "LEG"):
        with pytest.raises(NotFound):
            workshop.day(sku)


def test_only_what_can_be_promised_is_listed(workshop):
    assert workshop.listed() == ["lamp", "stool", "table"]
    vase = workshop.shop.catalogue.get_product("vase", language="en", now=workshop.now)
    assert [variant.available for variant in vase.variants] == [False]
