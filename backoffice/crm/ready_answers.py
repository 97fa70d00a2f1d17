"""Ready answers: words that sales starts from, with what is known of this person put in. Pure, but for reading them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import MailTemplate

NAMES = ("name", "number", "order", "shop", "sender", "day")
_PLACE = re.compile(r"\{(" + "|".join(NAMES) + r")\}")


def fill(body: str, values: Mapping[str, str]) -> str:
    """Put values in; what is not known stays in its braces, for a person to see. A value is never read as a place."""
    return _PLACE.sub(lambda found: values.get(found[1]) or found[0], body)


def left_open(text: str) -> bool:
    """Tell whether a place was not filled in."""
    return _PLACE.search(text) is not None


def find(session: Session, *languages: str) -> Sequence[MailTemplate]:
    """Return the ready answers in the first of the languages that has any ("de-AT" counts as "de" too); else all of them."""
    rows = session.scalars(sa.select(MailTemplate).order_by(MailTemplate.name, MailTemplate.language)).all()
    for language in languages:
        tag = language.lower().replace("_", "-")
        for wanted in (tag, tag.partition("-")[0]):
            spoken = [row for row in rows if wanted and row.language.lower() == wanted]
            if spoken:
                return spoken
    return rows
