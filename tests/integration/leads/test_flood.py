"""A bot that says one thing from everywhere: few of it reach sales, and nobody who writes is refused."""

from __future__ import annotations

from backoffice.db import Database
from backoffice.local.leads import MOST_OF_ONE_TEXT
from tests.bench.leads import Came, flood


def test_one_text_from_a_hundred_networks_keeps_nobody_out(embedded_shop: Database) -> None:
    assert flood(embedded_shop, 100, 20) == Came(of_bot=MOST_OF_ONE_TEXT, of_people=20, refused=0, kept=120)
    assert MOST_OF_ONE_TEXT <= 10
