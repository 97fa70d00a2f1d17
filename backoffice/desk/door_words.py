"""What the doors say when they stay shut: log-in by phone, and what is known of a person."""

from __future__ import annotations

from collections.abc import Mapping

from backoffice.desk.phrases import gettext as _


def sentences() -> Mapping[str, str]:
    """Return the words of each error."""
    return {
        "code_set_up": _("A phone is set up already. Nothing was changed."),
        "code_not_set_up": _("There is no phone set up. Nothing was changed."),
        "still_open": _(
            "Goods or money are still on their way to them or from them. Wait until that is done. Nothing was changed."
        ),
        "own_second_step": _("A colleague of administration must do this for you. Nothing was changed."),
    }


def fields() -> Mapping[str, str]:
    """Return the words of what is wrong with one field."""
    return {
        "wrong_code": _("That was not the code. Look at the app and at the clock of your phone, then try the next one."),
    }
