"""Classes of customers in words."""

from __future__ import annotations

from collections.abc import Sequence

from backoffice.desk.phrases import gettext as _
from backoffice.erp.classes import CUSTOMER_CLASSES


def class_words(code: str) -> str:
    """Say a class of customers."""
    return {"retail": _("Retail"), "trade": _("Trade"), "key": _("Key accounts")}[code]


def class_pairs() -> Sequence[tuple[str, str]]:
    """Return every class with its words, to choose from."""
    return [(code, class_words(code)) for code in CUSTOMER_CLASSES]
