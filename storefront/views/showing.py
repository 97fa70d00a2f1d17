"""Where an order goes, for whoever has its link alone: a code is mailed to its customer, and who types it reads the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request, url_for

from backoffice.public.errors import BadInput, Refused, TooOften
from backoffice.public.orders import PendingOrder
from storefront import wording
from storefront.cookies import keep_order
from storefront.front import Front, see
from storefront.views.orders import guard


@dataclass(frozen=True, slots=True)
class Views:
    """The addresses of an order's address."""

    front: Front

    def order_show(self, token: str) -> Response:
        """Offer to mail a code; once it is on its way, ask for it."""
        return self._page(token, self.front.clock(), sent="sent" in request.args)

    def order_show_submit(self, token: str) -> Response:
        """Mail a code, or take one that was typed."""
        now, code = self.front.clock(), request.form.get("code", "")
        try:
            if request.form.get("action") == "send":
                self.front.shop.orders.send_code(token, now=now)
                return guard(see(url_for("shop.order_show", token=token, sent=1)))
            proof = self.front.shop.orders.show(token, code, now=now)
        except BadInput as error:
            return self._page(token, now, sent=True, code=code, problems=wording.say_fields(error.fields), status=error.status)
        except Refused as error:
            page = self._page(token, now, sent=True, code=code, problem=wording.say(error), status=error.status)
            if isinstance(error, TooOften):
                page.headers["Retry-After"] = str(error.retry_after)
            return page
        return guard(keep_order(see(url_for("shop.order", token=token) + "#address-title"), proof))

    def _page(
        self,
        token: str,
        now: datetime,
        *,
        sent: bool,
        code: str = "",
        problem: str = "",
        problems: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        order = self.front.shop.orders.get(token, reader=self.front.reader(), now=now)
        if isinstance(order, PendingOrder) or not order.hidden:
            return guard(see(url_for("shop.order", token=token)))
        page = self.front.page(
            "storefront/order_show.html",
            now,
            status=status,
            order=order,
            token=token,
            sent=sent,
            code=code,
            problem=problem,
            problems=problems or {},
        )
        return guard(page)


def register(routes: Blueprint, front: Front) -> None:
    """Add its addresses."""
    views = Views(front)
    routes.add_url_rule("/o/<token>/address", "order_show", views.order_show)
    routes.add_url_rule("/o/<token>/address", "order_show_submit", views.order_show_submit, methods=["POST"])
