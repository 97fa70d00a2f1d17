"""Sets and phantoms at the planning desk, and the set in the shop."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.erp.models import BomLine, Item
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
VASE, TOP = "/desk/planning/items/2", "/desk/planning/items/5"


@pytest.fixture
def bare(workshop: Workshop) -> Workshop:
    """A workshop whose vase nobody sells to it any more: there is none, and there will be none."""
    workshop.db.run(lambda session: session.execute(sa.update(Item).where(Item.sku == "VASE").values(source="none")))
    return workshop


def test_an_item_becomes_a_set_and_the_shop_says_what_is_in_it(at_desk: AtDesk, bare: Workshop) -> None:
    petra = at_desk("Petra")
    assert "Is it a set?" in petra.get(VASE)
    assert "vase" not in bare.listed()
    petra.send(f"{VASE}/contents", contents="2 STOOL, 1 LAMP")
    page = petra.get(VASE)
    assert "sold as a set" in page
    assert 'value="2 STOOL, 1 LAMP"' in page
    assert [(one.component_id, one.quantity) for one in bare.rows(BomLine, parent_id=2)] == [(1, 2), (3, 1)]
    assert "vase" in bare.listed()
    page = petra.get("/p/vase")
    assert re.search(r"What is in it</h2>.*2 × <a href=\"/p/stool\">Stool</a>.*1 × <a href=\"/p/lamp\">Lamp</a>", page, re.DOTALL)
    assert "What is in it" not in petra.get("/p/stool")


@pytest.mark.parametrize("typed", ["", "STOOL", "2 STOOL, 1 STOOL", "1 VASE", "0 STOOL", "1 NOTHING", "1 TABLE, x LAMP"])
def test_a_set_that_makes_no_sense_is_refused_at_its_field(at_desk: AtDesk, bare: Workshop, typed: str) -> None:
    page = at_desk("Petra").refused(f"{VASE}/contents", 422, contents=typed)
    assert 'id="set-contents-wrong"' in page
    assert re.search(f'name="contents" [^>]*value="{typed}"', page)
    assert (bare.rows(Item, sku="VASE")[0].source, bare.rows(BomLine, parent_id=2)) == ("none", [])


def test_what_lies_on_a_shelf_or_is_promised_becomes_no_set(at_desk: AtDesk, bare: Workshop) -> None:
    petra = at_desk("Petra")
    assert "Some of it lies on a shelf" in petra.refused("/desk/planning/items/1/contents", 409, contents="1 LAMP")
    bare.buy(TABLE=1)
    assert "Somebody was promised it" in petra.refused("/desk/planning/items/4/phantom", 409, through="yes")
    petra.send(f"{VASE}/contents", contents="1 TABLE")
    page = petra.refused("/desk/planning/items/4/contents", 409, contents="1 VASE")
    assert "Somebody was promised it" in page


def test_a_sub_assembly_is_not_made_by_itself_any_more_and_again(at_desk: AtDesk, workshop: Workshop) -> None:
    petra = at_desk("Petra")
    assert 'id="through"' in petra.get(TOP)
    assert 'id="through"' not in petra.get("/desk/planning/items/4")  # what the shop sells is made by itself
    petra.send(f"{TOP}/phantom", through="yes")
    assert workshop.rows(Item, sku="TOP")[0].source == "phantom"
    assert "nothing but its parts" in petra.get(TOP)
    petra.send(f"{TOP}/phantom", through="no")
    assert workshop.rows(Item, sku="TOP")[0].source == "make"
    assert "It is not made here" in petra.refused("/desk/planning/items/1/phantom", 409, through="yes")
