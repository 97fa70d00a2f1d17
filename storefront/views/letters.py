"""The page behind the link of a campaign's letter: one button that stops these letters, for people and for mail programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from storefront.front import Front
from storefront.phrases import _
from storefront.views.orders import guard

ONE_CLICK = ("List-Unsubscribe", "One-Click")  # the form that a mail program sends (RFC 8058)


def wording() -> str:
    """Return what they read who stop the letters; kept as proof, word for word."""
    return _("Send me no more letters.")


@dataclass(frozen=True, slots=True)
class Views:
    """One page and its button."""

    front: Front

    def unsubscribe(self, token: str) -> Response:
        """Show the button. Looking changes nothing: mail scanners open every link."""
        return self._page(token, subscribed=self.front.shop.letters.is_subscribed(token))

    def submit(self, token: str) -> Response:
        """Stop the letters and say so on the spot: a mail program follows no redirect."""
        name, value = ONE_CLICK
        how = "one_click" if request.form.get(name) == value else "page"
        self.front.shop.letters.unsubscribe(token, how=how, words=wording(), now=self.front.clock())
        return self._page(token, subscribed=False)

    def _page(self, token: str, *, subscribed: bool) -> Response:
        shown: dict[str, Any] = {"token": token, "subscribed": subscribed, "wording": wording()}
        return guard(self.front.page("storefront/unsubscribe.html", self.front.clock(), **shown))


def register(routes: Blueprint, front: Front) -> None:
    """Hang the page into the shop."""
    views = Views(front)
    routes.add_url_rule("/unsubscribe/<token>", "unsubscribe", views.unsubscribe)
    routes.add_url_rule("/unsubscribe/<token>", "unsubscribe_submit", views.submit, methods=["POST"])
