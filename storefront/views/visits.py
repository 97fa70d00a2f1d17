"""The page on which somebody allows us to note their visits, says no, or takes it back."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, request, url_for

from storefront import visits
from storefront.front import Front, see
from storefront.phrases import _


def wording() -> str:
    """Return what somebody agrees to; kept with their consent, word for word."""
    return _(
        "Remember what I look at in this shop, with a random number in this browser, for half a year. "
        "If I order or log in, it may be put with my name. I can take this back here at any time; then it is deleted."
    )


@dataclass(frozen=True, slots=True)
class Views:
    """One page and its two buttons."""

    front: Front

    def visits(self) -> Response:
        """Show what is asked, and what was chosen."""
        return self.front.page("storefront/visits.html", self.front.clock(), wording=wording(), allowed=bool(visits.token()))

    def choose(self) -> Response:
        """Allow it, or say no: then all that was noted of this browser is deleted."""
        allowed, kept = request.form.get("choice") == "yes", visits.token()
        response = see(url_for("shop.visits"))
        if allowed:
            door, language = self.front.shop.visits, self.front.language()
            return visits.keep(response, kept or door.allow(wording=wording(), language=language, now=self.front.clock()))
        if kept:
            self.front.shop.visits.take_back(kept)
        return visits.keep(response, visits.NO)


def register(routes: Blueprint, front: Front) -> None:
    """Hang the page into the shop."""
    views = Views(front)
    routes.add_url_rule("/visits", "visits", views.visits)
    routes.add_url_rule("/visits", "visits_choose", views.choose, methods=["POST"])
