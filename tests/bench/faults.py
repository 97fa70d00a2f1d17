"""`make bench-faults SHARD=…`: attack the site and print what is left of it: test, target, figure.

Each shard is a module of `tests/faults` or a part of one, and says itself what it does; each ends within ten minutes.
Ends with 1 if a target was missed. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable, Iterator
from importlib import import_module

import structlog

from tests.faults.rows import Row

SHARDS = {  # name → module, what to call, with what
    "buyers": ("buyers", "rows", ()),
    "crash-sqlite": ("crash", "rows", ("sqlite",)),
    "crash-postgresql": ("crash", "rows", ("postgresql",)),
    "doors": ("shut_doors", "rows", ()),
    "clocks": ("clocks", "rows", ()),
    "migrations": ("migrations", "rows", ()),
    "deploy": ("deploy", "rows", ()),
    "overload": ("overload", "rows", ()),
    "soak": ("soak", "rows", ()),
    "full": ("full", "rows", ()),
    "full-postgresql": ("full_postgresql", "rows", ()),
    "locked": ("locked", "rows", ()),
    "erp": ("outside_erp", "rows", ()),
    "erp-orders": ("outside_erp", "orders", ()),
    "erp-workers": ("outside_erp", "workers", ()),
    "lines": ("lines", "rows", ("database", "payments", "mail")),
    "lines-erp": ("lines", "rows", ("erp",)),
    "model": ("model", "rows", ()),
    "money": ("lost_money", "rows", ()),
    "money-late": ("lost_money", "late", ()),
    "work": ("at_work", "rows", ()),
    "bank": ("bank", "rows", ()),
    "baskets": ("baskets", "rows", ()),
    "restore": ("restore", "rows", ()),
}


def main() -> None:
    """Run one shard and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shard", choices=sorted(SHARDS))
    parser.add_argument("words", nargs="*", help="for the shard: crash takes names of flows")
    given = parser.parse_args()
    module, name, arguments = SHARDS[given.shard]
    play: Callable[..., Iterator[Row]] = getattr(import_module(f"tests.faults.{module}"), name)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the doubles are asked thousands of times
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # what fails is meant to
    started = time.perf_counter()
    rows = []
    for row in play(*arguments, *given.words):
        rows.append(row)
        print(f"{row.test:<34} {row.target:<44} {row.figure:<34} {'met' if row.met else 'MISSED'}", flush=True)
    missed = [row.test for row in rows if not row.met]
    seconds = round(time.perf_counter() - started)
    print(json.dumps({"bench": "faults", "shard": given.shard, "tests": len(rows), "missed": missed, "seconds": seconds}))
    raise SystemExit(bool(missed))


if __name__ == "__main__":
    main()
