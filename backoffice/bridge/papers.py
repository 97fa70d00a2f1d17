"""Papers for customers, in their language, drawn as mails are: from `templates/papers`, with days and money as filters."""

from __future__ import annotations

from typing import Any

from backoffice.bridge import mail

FOLDER = mail.ROOT / "templates" / "papers"


def draw(template: str, language: str, **values: Any) -> str:
    """Return a paper as HTML in the nearest language that there are words in."""
    locale = mail.locale_of(language)
    made = mail.environment(locale, FOLDER)
    direction = "rtl" if locale.language in mail.RIGHT_TO_LEFT else "ltr"
    return made.get_template(template).render(values, lang=str(locale).replace("_", "-"), dir=direction)
