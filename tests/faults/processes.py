"""What processes take of the machine, as /proc tells it."""

from __future__ import annotations

import re
from pathlib import Path


def children_of(leader: int) -> list[int]:
    """Return the processes that one has started."""
    return [int(one) for one in Path(f"/proc/{leader}/task/{leader}/children").read_text().split()]


def memory_of(leader: int) -> int:
    """Return the bytes that the processes of a leader have in memory together."""
    return sum(_resident(one) for one in children_of(leader))


def _resident(process: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) * 1024 if found else 0
