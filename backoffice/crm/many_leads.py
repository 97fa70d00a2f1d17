"""The same thing done to many enquiries at once, each for itself: what cannot be done is named, the others are done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sqlalchemy.orm import Session

from backoffice.crm.models import Lead
from backoffice.public.errors import ShopError

AT_ONCE = 200
Run = Callable[[Callable[[Session], object]], object]


class OneLead(Protocol):
    """Does it to one enquiry, from the version that was seen."""

    def __call__(self, session: Session, /, *, lead_id: int, version: int) -> Lead:
        """Return the enquiry as it is then. Raises ShopError."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each: done, and why the others were refused."""

    done: tuple[int, ...]
    refused: Mapping[int, ShopError]


def each(run: Run, chosen: Mapping[int, int], work: OneLead) -> Outcome:
    """Do it to each enquiry (id → version seen) in the order of their ids. run: a transaction."""
    done, refused = [], {}
    for lead_id, version in sorted(chosen.items()):
        try:
            run(partial(work, lead_id=lead_id, version=version))
        except ShopError as error:
            refused[lead_id] = error
        else:
            done.append(lead_id)
    return Outcome(tuple(done), refused)
