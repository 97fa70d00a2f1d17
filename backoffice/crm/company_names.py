"""How a company is known again: by its name without regard to case and spaces, or by its VAT number. Pure."""

from __future__ import annotations

import re
import unicodedata

from backoffice.erp.company_settings import VAT_NUMBER

LONGEST_NAME = 200


def tidy(name: str) -> str:
    """Return a name as it is shown: no spaces around, one between words, no control characters."""
    return " ".join("".join(letter if is_storable(letter) else " " for letter in name).split())[:LONGEST_NAME].rstrip()


def is_storable(text: str) -> bool:
    """Tell whether a line holds neither control characters nor halves of a surrogate pair."""
    return not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text)


def fold(name: str) -> str:
    """Return a name as it is compared: " Büro  NORDLICHT GmbH" is "büro nordlicht gmbh"; empty where no letter is in it.

    What nobody sees (soft hyphens, joiners) makes no difference.
    """
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", name) if unicodedata.category(letter) != "Cf")
    key = " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())
    return key if any(letter.isalnum() for letter in key) else ""


def clean_vat_number(typed: str) -> str | None:
    """Return a VAT number as the tax office writes it, empty for none; None if it is no such number."""
    number = re.sub(r"[\s.-]", "", typed).upper()
    return number if not number or VAT_NUMBER.fullmatch(number) else None
