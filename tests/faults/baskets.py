"""Shard `baskets` (R2): 500 carts of two to five lines in any order, many of them sets that share parts, over too little stock.

Eight processes fill carts through the shop's own door on PostgreSQL, ask for one SKU a second time, change their mind, pay or go
away. Wanted: nothing sold twice, no deadlock that a buyer hears of, at most three tries again for 99 of 100 requests. What each
of them bought is written down beside the database; taken apart by hand it must be what the shelves have given.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import bootstrap, verify
from backoffice import db as database
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.erp import offers, plan, stock
from backoffice.public.errors import Refused
from backoffice.tables import metadata
from tests.company import item_id, open_company
from tests.faults.crew import Crew
from tests.faults.rows import Row
from tests.integration.chain.conftest import Workshop
from tests.need import postgres_database

BUYERS, PARTS, PIECES, MOST_SECONDS, MOST_TRIES = 8, 12, 150, 480.0, 3
SETS = {  # each shares parts with others, in another order
    "SET-0": {"PART-0": 1, "PART-1": 2},
    "SET-1": {"PART-2": 1, "PART-1": 1, "PART-0": 1},
    "SET-2": {"PART-11": 1, "PART-3": 2, "PART-0": 1},
    "SET-3": {"PART-5": 1, "PART-4": 1, "PART-3": 1},
}
WANTED = (*(f"PART-{n}" for n in range(PARTS)), *SETS, *SETS)  # a set is asked for twice as often


def rows(seed: str = "1", carts: str = "500") -> Iterator[Row]:
    """Yield what came of it."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres_database())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        db = Database(url)
        stack.callback(db.dispose)
        metadata.create_all(db.engine)
        pieces = max(2, PIECES * int(carts) // 500)
        db.run(lambda session: _open(session, pieces, now=datetime.now(UTC)))
        db.dispose()  # a forked child must not inherit a connection
        crew = Crew(_buy_all, (url, folder, int(seed), int(carts)), BUYERS)
        well = crew.join(MOST_SECONDS)
        yield from _judged(db, _noted(folder), f"R2 seed {seed}", pieces, int(carts), well=well)


def _open(session: Session, pieces: int, *, now: datetime) -> None:
    open_company(session, now=now)
    for number in range(PARTS):
        part = sell(session, f"PART-{number}", source="none", sell_from="stock", price_minor=1_000 + number)
        stock.move(session, part, 1, pieces, cause="opening", ref=f"opening:{number}", actor="test", now=now)
    for sku, contents in SETS.items():
        whole = sell(session, sku, source="kit", sell_from="production", price_minor=5_000)
        for position, (part_sku, quantity) in enumerate(contents.items()):
            part = item_id(session, part_sku)
            session.add(t.BomLine(parent_id=whole, component_id=part, quantity=quantity, position=position))
    session.flush()
    plan.bump(session, master=True)
    offers.refresh(session, None, now=now)


def sell(session: Session, sku: str, **values: Any) -> int:
    """Offer an item; return its id."""
    product = t.Product(category_id=1, slug=sku.lower(), name=sku)
    session.add(product)
    session.flush()
    item = t.Item(sku=sku, name=sku, product_id=product.id, on_sale=True, **values)
    session.add(item)
    session.flush()
    return item.id


# --- who buys ---------------------------------------------------------------------------------------


def _buy_all(url: str, folder: Path, seed: int, carts: int, number: int) -> None:
    """Fill every eighth cart; write down what it was, how often each request was tried again, and what went wrong."""
    services = bootstrap.build(Settings(database_url=url, var_dir=folder / "var", secret_key="b" * 40, reoptimise_seconds=0))
    tries = _counted_tries()
    with (folder / f"{number}.txt").open("a") as file:

        def note(*words: object) -> None:
            print(*words, file=file, flush=True)

        for cart in range(number, carts, BUYERS):
            buyer = _Buyer(Workshop(services, datetime.now(UTC)), Random(f"{seed} {cart}"), tries, note)  # noqa: S311 - the same carts each time
            try:
                buyer.fill_and_pay()
            except Exception as error:  # whatever a buyer is shown but words of ours is what the judge wants to know
                note("shown", type(error).__name__, getattr(getattr(error, "orig", None), "sqlstate", ""))
    services.db.dispose()


def _counted_tries() -> Counter[str]:
    """Count what `Database.run` tries again: 40P01 and 40001, and a plan that has moved."""
    found, asked = Counter[str](), database.is_retryable

    def is_retryable(error: Exception) -> bool:
        again = asked(error)
        found[str(getattr(getattr(error, "orig", None), "sqlstate", None) or type(error).__name__)] += again
        return again

    database.is_retryable = is_retryable
    return found


class _Buyer:
    """One of them, with a cart."""

    def __init__(self, shop: Workshop, random: Random, tries: Counter[str], note: Callable[..., None]) -> None:
        self._shop, self._random, self._tries, self._note = shop, random, tries, note
        self._cart: Any = None

    def fill_and_pay(self) -> None:
        """Put two to five things in, the first once more; take one out now and then; pay, or leave, one of six."""
        skus = self._random.sample(
            sorted(set(WANTED)), self._random.randint(2, 5), counts=[WANTED.count(s) for s in sorted(set(WANTED))]
        )
        for sku in (*skus, skus[0]):
            self._asked(lambda sku=sku: self._add(sku, self._random.randint(1, 2)))
        if self._cart is not None and self._random.random() < 0.2:
            self._asked(lambda: self._set(self._cart.lines[0].sku, 0))
        if self._cart is None or not self._cart.lines or self._random.random() < 1 / 6:
            self._note("left")
            return
        start = self._asked(lambda: self._shop.start(self._cart))
        if start is not None and self._asked(lambda: self._shop.pay(start) or True):
            bought = {line.sku: line.quantity for line in self._cart.lines}
            self._note("bought", *(f"{sku}:{quantity}" for sku, quantity in bought.items()))

    def _add(self, sku: str, quantity: int) -> None:
        token = self._cart.token if self._cart else None
        self._cart = self._shop.shop.carts.add(token, sku, quantity, postcode=None, now=datetime.now(UTC))

    def _set(self, sku: str, quantity: int) -> None:
        self._cart = self._shop.shop.carts.set_quantity(self._cart.token, sku, quantity, now=datetime.now(UTC))

    def _asked(self, request: Callable[[], Any]) -> Any:
        """Send one request; None where it was refused in words of ours."""
        before = self._tries.copy()
        try:
            return request()
        except Refused as refused:
            self._note("shown" if refused.code == "busy" else "refused", refused.code)
        finally:
            self._note("tried", (self._tries - before).total(), *(self._tries - before).elements())


# --- what came of it --------------------------------------------------------------------------------


def _noted(folder: Path) -> list[list[str]]:
    return [line.split() for path in sorted(folder.glob("*.txt")) for line in path.read_text().splitlines()]


def _judged(db: Database, noted: list[list[str]], name: str, pieces: int, carts: int, *, well: bool) -> Iterator[Row]:
    sold, said = Counter[str](), Counter(words[0] for words in noted)
    for words in noted:
        for sku, quantity in (word.split(":") for word in words[1:] if words[0] == "bought"):
            for part, many in SETS.get(sku, {sku: 1}).items():
                sold[part] += many * int(quantity)
    with db.read() as session:
        on_shelves = sa.select(t.Item.sku, t.Stock.allocated).join(t.Stock, t.Stock.item_id == t.Item.id)
        given = {sku: many for sku, many in session.execute(on_shelves) if sku.startswith("PART-")}
        found = verify.breaches(session, now=datetime.now(UTC))
    over = [sku for sku, many in sold.items() if many > pieces]
    wrong = {sku: (sold[sku], many) for sku, many in given.items() if sold[sku] != many}
    refused = Counter(words[1] for words in noted if words[0] == "refused")
    print(
        f"    {dict(said)}, refused: {dict(refused)}, sold out: {sum(sold[sku] == pieces for sku in given)} of {PARTS}",
        flush=True,
    )
    yield Row(f"{name}: {carts} carts", "all come to an end", f"{said['bought']} bought", well and said["bought"] > 0)
    figure = f"{len(over)} oversold, {len(wrong)} of {PARTS} not as bought"
    yield Row(f"{name}: the shelves", "0 oversold, as the buyers noted", figure, not over and not wrong)
    shown = Counter(" ".join(words[1:]) for words in noted if words[0] == "shown")
    yield Row(f"{name}: shown to a buyer", "0 deadlocks, 0 errors", str(dict(shown) or 0), not shown)
    tries = sorted(int(words[1]) for words in noted if words[0] == "tried")
    why = Counter(word for words in noted if words[0] == "tried" for word in words[2:])
    p99 = tries[int(0.99 * len(tries))]
    figure = f"{p99}, at most {tries[-1]} of {len(tries)} requests; {dict(why) or 'none'}"
    yield Row(f"{name}: tried again, p99", f"<= {MOST_TRIES}", figure, p99 <= MOST_TRIES)
    for line in found[:5]:
        print("   ", line)
    yield Row(f"{name}: verify", "0 breaches", f"{len(found)} breaches", not found)
