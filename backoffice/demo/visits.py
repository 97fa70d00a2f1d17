"""Who looked around in the demo shop lately and let it note that: said who they are once, and came back without a word."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from backoffice.bootstrap import Services
from backoffice.crm import identity, profiles, visits
from backoffice.public.visits import Look

_WORDING = "Yes, note which pages I look at, so that you know what I like."
Seen = tuple[Literal["page", "search", "cart"], str]
# e-mail, days ago, what they looked at when they said who they are, and what when they came back two days later
_CAME: tuple[tuple[str, int, tuple[Seen, ...], tuple[Seen, ...]], ...] = (
    (
        "anna.schubert@post.example",
        9,
        (("page", "/p/linde"), ("search", "eiche"), ("cart", "LINDE-180-OAK")),
        (("page", "/p/amsel"),),
    ),
    (
        "giulia@lettere.example",
        6,
        (("page", "/p/falke"), ("search", "walnut armchair")),
        (("page", "/p/falke"), ("page", "/p/steg")),
    ),
    ("samir@risala.example", 4, (("search", "bed 160"), ("page", "/p/mulde")), ()),
)


def write_visits(services: Services, *, now: datetime) -> None:
    """Let some customers look around, and find out whose each visit was."""

    def come(session: Session) -> None:
        for email, ago, said, later in _CAME:
            first = now - timedelta(days=ago)
            token = visits.allow(session, wording=_WORDING, language="de", now=first)
            looks = [Look(token, kind, about, first + timedelta(minutes=n), email=email) for n, (kind, about) in enumerate(said)]
            back = first + timedelta(days=2)
            looks += [Look(token, kind, about, back + timedelta(minutes=n)) for n, (kind, about) in enumerate(later)]
            visits.record(session, looks)

    services.db.run(come)
    identity.resolve(services.db, now=now)
    profiles.refresh_all(services.db)
