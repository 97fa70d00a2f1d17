"""`make bench-faults SHARD=…`: attack the site and print what is left of it: test, target, figure.

Each shard is a module of `tests/faults` or a part of one, and says itself what it does; each ends within ten minutes on two cores
(those of `TOGETHER` are several others in a row). Ends with 1 if a target was missed. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable, Iterator
from importlib import import_module

import structlog

from tests.faults.parts import PARTS
from tests.faults.rows import Row

Shard = tuple[str, str, tuple[str, ...]]  # module, what to call, with what
SHARDS: dict[str, Shard] = {
    "buyers": ("buyers", "rows", ()),
    "doors": ("shut_doors", "rows", ()),
    "clocks": ("clocks", "rows", ()),
    "migrations": ("migrations", "rows", ()),
    "upgrade": ("upgrade", "rows", ()),
    "deploy": ("deploy", "rows", ()),
    "overload": ("overload", "rows", ()),
    "soak": ("soak", "rows", ()),
    "full": ("full", "rows", ()),
    "full-postgresql": ("full_postgresql", "rows", ()),
    "locked": ("locked", "rows", ()),
    "erp": ("outside_erp", "rows", ()),
    "erp-orders": ("outside_erp", "orders", ()),
    "erp-changes": ("outside_erp", "changes", ()),
    "erp-workers": ("outside_erp", "workers", ()),
    "lines": ("lines", "rows", ("database", "payments", "mail")),
    "lines-erp": ("lines", "rows", ("erp",)),
    "model": ("model", "rows", ()),
    "money-repeated": ("lost_money", "repeated", ()),
    "money-orders": ("lost_money", "shuffled", ()),
    "money-last-second": ("lost_money", "at_the_last_second", ()),
    "money-late": ("lost_money", "late", ()),
    "money-unheard": ("lost_money", "unheard", ()),
    "work": ("at_work", "rows", ()),
    "bank": ("bank", "rows", ()),
    "baskets": ("baskets", "rows", ()),
    "restore": ("restore", "rows", ("postgresql",)),
    "restore-sqlite": ("restore", "rows", ("sqlite",)),
} | {f"crash-{database}-{part}": ("crash", "rows", (database, part)) for database in ("sqlite", "postgresql") for part in PARTS}
TOGETHER = {  # name → shards that are run one after the other
    name: tuple(shard for shard in SHARDS if shard.startswith(f"{name}-"))
    for name in ("crash-sqlite", "crash-postgresql", "money")
}


def main() -> None:
    """Run one shard and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shard", choices=sorted([*SHARDS, *TOGETHER]))
    parser.add_argument("words", nargs="*", help="for the shard: how many, which seed, of crash-… which flows")
    given = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the doubles are asked thousands of times
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # what fails is meant to
    started = time.perf_counter()
    rows = []
    for row in played(given.shard, given.words):
        rows.append(row)
        print(f"{row.test:<34} {row.target:<44} {row.figure:<34} {'met' if row.met else 'MISSED'}", flush=True)
    missed = [row.test for row in rows if not row.met]
    seconds = round(time.perf_counter() - started)
    print(json.dumps({"bench": "faults", "shard": given.shard, "tests": len(rows), "missed": missed, "seconds": seconds}))
    raise SystemExit(bool(missed))


def played(name: str, words: list[str]) -> Iterator[Row]:
    """Yield the rows of a shard, or of those that are run together under a name. words: for the shard itself."""
    for shard in TOGETHER.get(name, (name,)):
        module, function, arguments = SHARDS[shard]
        play: Callable[..., Iterator[Row]] = getattr(import_module(f"tests.faults.{module}"), function)
        yield from play(*arguments, *words)


if __name__ == "__main__":
    main()
