"""A day that has moved, in words: how it came, and what was chosen."""

from __future__ import annotations

from backoffice.public.orders import Cause, CauseLink
from backoffice.public.slips import SlipView
from storefront.formats import Formats
from storefront.phrases import _, plural

ARROW = " → "


def how_it_came(cause: Cause | None) -> str:
    """Return a cause's chain: `PO-00017 Oak leg +5 days → MO-00009 Table → your Table +3 days`; "" where none was kept."""
    if cause is None or len(cause.chain) < 2:
        return ""
    return ARROW.join(_link(link) for link in cause.chain)


def _link(link: CauseLink) -> str:
    named = _("your %(item)s", item=link.name) if link.kind == "line" else f"{link.ref} {link.name}".strip()
    if not link.days:
        return named
    days = plural("%(num)d day", "%(num)d days", abs(link.days))
    return f"{named} {'+' if link.days > 0 else '−'}{days}"


def chosen_words(slip: SlipView, formats: Formats) -> str:
    """Return what was chosen, in one sentence; "" while nothing is."""
    if slip.chosen_at is None:
        return ""
    words = choice_words(slip.state, slip.item, slip.charge)
    if slip.state == "substituted" and slip.refund:
        words += " " + back_words(formats.money(slip.refund), slip.charge)
    return words


def back_words(amount: str, charge: str) -> str:
    """Return what becomes of an amount that an order costs less. charge: how the order is paid (OrderView)."""
    if charge == "account":
        return _("Your company owes %(amount)s less for it.", amount=amount)
    if charge in {"later", "let_go"}:
        return _("You are charged %(amount)s less for it.", amount=amount)
    return _("%(amount)s goes back to where you paid from.", amount=amount)


def choice_words(choice: str, item: str, charge: str = "") -> str:
    """Return a choice in words. item: the name of what comes instead; charge: how the order is paid."""
    if choice == "accepted":
        return _("You agreed to the new day.")
    if choice == "parted":
        return _("You chose parcels on different days: what is ready leaves first.")
    if choice == "substituted":
        return _("You chose %(item)s instead.", item=item)
    if charge:
        return _("You cancelled the order. You pay nothing for it.")
    return _("You cancelled the order. The money goes back to where you paid from.")
