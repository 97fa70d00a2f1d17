"""A quotation: the page that its mail leads to, without login and without a script. Only a POST accepts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import Blueprint, Response, make_response, request, url_for

from backoffice.public.errors import BadInput, Refused
from storefront import wording
from storefront.cookies import keep_order
from storefront.front import Front, see
from storefront.views.orders import guard


@dataclass(frozen=True, slots=True)
class Views:
    """A quotation's addresses. Mail scanners follow links: what is opened changes nothing."""

    front: Front

    def quotation(self, token: str) -> Response:
        """Show the newest version, what it costs, when it comes, and until when it is kept."""
        return self._page(token, self.front.clock())

    def quotation_paper(self, token: str) -> Response:
        """Return it as a file to print or to keep."""
        name, paper = self.front.shop.quotations.paper(token, now=self.front.clock())
        answer = make_response(paper)
        answer.mimetype = "application/pdf"
        answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
        return guard(answer)

    def quotation_accept(self, token: str) -> Response:
        """Accept what the page showed, and go to pay."""
        now = self.front.clock()
        typed = [request.form.get(name, "") for name in ("version", "total_minor")]
        version, total = (int(one) if one.isdecimal() and len(one) < 15 else 0 for one in typed)
        try:
            told_on = date.fromisoformat(request.form.get("told_on", ""))
        except ValueError:
            told_on = date.min
        try:
            start = self.front.shop.quotations.accept(token, version, total, told_on, now=now)
        except Refused as error:
            return self._page(token, now, wording.say(error), status=error.status)
        return guard(keep_order(see(start.pay_url), start.order_proof))

    def quotation_again(self, token: str) -> Response:
        """Ask for an ended quotation once more."""
        now = self.front.clock()
        try:
            self.front.shop.quotations.ask_again(token, request.form.get("message", ""), now=now)
        except (BadInput, Refused) as error:
            return self._page(token, now, wording.say(error), status=error.status)
        return guard(see(url_for("shop.quotation", token=token, asked=1)))

    def _page(self, token: str, now: datetime, problem: str = "", *, status: int = 200) -> Response:
        found = self.front.shop.quotations.get(token, now=now)
        if found.replaced and status == 409:
            problem = ""  # the page itself says that there is a newer one
        page = self.front.page(
            "storefront/quotation.html",
            now,
            status=status,
            one=found,
            token=token,
            problem=problem,
            asked="asked" in request.args,
        )
        return guard(page)


def register(routes: Blueprint, front: Front) -> None:
    """Add a quotation's addresses."""
    views = Views(front)
    routes.add_url_rule("/quotation/<token>", "quotation", views.quotation)
    routes.add_url_rule("/quotation/<token>/paper.pdf", "quotation_paper", views.quotation_paper)
    routes.add_url_rule("/quotation/<token>/accept", "quotation_accept", views.quotation_accept, methods=["POST"])
    routes.add_url_rule("/quotation/<token>/again", "quotation_again", views.quotation_again, methods=["POST"])
