"""What the demo's sales desk sold lately: one order by a link that is paid, one whose link still waits."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from backoffice.bootstrap import Services
from backoffice.crm.models import Lead, Party
from backoffice.demo.enquiries import BOUGHT, WAITING_FOR_PAYMENT
from backoffice.public.checkout import LONGEST_PAY_MINUTES, CheckoutForm, DeskOrder, PaymentStart
from backoffice.public.errors import Refused


def write_sales_orders(services: Services, *, now: datetime) -> None:
    """Sell through the same door as every day. What is sold out that day stays an open enquiry."""
    street = {"street": "Am Hang 3", "city": "Nürnberg", "postcode": "90402", "email": "leitung@sonnenhuegel.example"}
    paid = _sell(services, BOUGHT, street, now=now - timedelta(minutes=15))
    if paid is not None:
        ref, at = paid.pay_url.rsplit("/", 1)[1], now - timedelta(minutes=11)
        news = services.gateway.pay(ref, now=at)  # type: ignore[attr-defined] # the sandbox alone can be told to pay
        services.till.settle(news, event_id=f"demo:{ref}", now=at)
    street = {"street": "Obere Brücke 8", "city": "Bamberg", "postcode": "96047", "email": "gerlinde.aydin@post.example"}
    _sell(services, WAITING_FOR_PAYMENT, street, now=now - timedelta(minutes=10))


def _sell(services: Services, name: str, address: dict[str, str], *, now: datetime) -> PaymentStart | None:
    with services.db.read() as session:
        lead = session.scalars(sa.select(Lead).join(Party, Party.id == Lead.party_id).where(Party.name == name)).one()
        party = session.get_one(Party, lead.party_id)
    assert lead.owner_id is not None
    carts = services.shop.carts
    try:
        cart = carts.add(None, lead.sku, lead.quantity or 1, postcode=None, now=now)
        cart = carts.set_postcode(cart.token, address["postcode"], country="DE", now=now)
        assert cart.total is not None
        form = CheckoutForm(
            key=f"demo-desk-{lead.number}",
            cart_version=cart.version,
            total_minor=cart.total.amount_minor,
            name=name,
            phone=party.phone,
            country="DE",
            note="",
            language=lead.language,
            keep_address=False,
            on_account=False,
            **address,
        )
        desk = DeskOrder(lead.id, lead.version, lead.owner_id, LONGEST_PAY_MINUTES)
        return services.shop.checkout.start(cart.token, form, base_url="http://localhost:8000", now=now, desk=desk)
    except Refused:
        return None
