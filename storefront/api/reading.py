"""Operations that read: products, availability, days, orders."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from flask import url_for

from backoffice.public.catalogue import Card, ProductPage, Variant, Wish
from backoffice.public.days import read_day
from backoffice.public.errors import Refused
from backoffice.public.money import Money
from backoffice.public.orders import Cause, OrderView, PendingOrder
from backoffice.public.promise import Instead, Promise
from storefront.api import asked as a
from storefront.api import schemas as s
from storefront.api.operations import Call, Operation, Reply, cursor_for, cursor_of
from storefront.formats import zone_of
from storefront.phrases import locale

NOT_KEPT = {"Cache-Control": "private, no-store"}


def money(value: Money) -> s.MoneyShown:
    """Return an amount."""
    return s.MoneyShown(amount_minor=value.amount_minor, currency=value.currency)


def language(call: Call) -> str:
    """Return the language that was asked for, else the reader's."""
    return str((call.params and call.params.lang) or str(locale()).replace("_", "-"))


def products(call: Call) -> Reply:
    """List products of which something may be promised."""
    asked: a.ProductsAsked = call.params
    wish = _wish(asked, call)
    found = call.partners.feed.products(
        after=cursor_of(asked.cursor, by_price=wish.sort in {"cheapest", "dearest"}),
        limit=asked.limit,
        category=asked.category,
        query=asked.q,
        language=language(call),
        country=asked.country,
        postcode=asked.postcode,
        now=call.now,
        wish=wish,
    )
    return Reply(s.ProductsShown(products=[_card(card) for card in found.rows], next=cursor_for(found.next_after)))


def today(call: Call) -> date:
    """Return the day that it is where the shop is."""
    return call.now.astimezone(zone_of(call.shop.profile.get().timezone)).date()


def _wish(asked: a.ProductsAsked, call: Call) -> Wish:
    currency = call.shop.profile.get().currency
    facets: dict[str, list[str]] = {}
    for pair in asked.facet:
        name, _, value = pair.partition(":")
        facets.setdefault(name, []).append(value)
    lowest, highest = asked.price_from_minor, asked.price_to_minor
    return Wish(
        facets,
        None if lowest is None else Money(lowest, currency),
        None if highest is None else Money(highest, currency),
        None if asked.arrives_by is None else read_day(asked.arrives_by, today=today(call), field="arrives_by"),
        asked.sort or "shop",
    )


def _card(card: Card) -> s.CardShown:
    return s.CardShown(
        slug=card.slug,
        name=card.name,
        sku=card.sku,
        price=money(card.price),
        several_prices=card.several_prices,
        basis=card.promise.basis,
        deliver_on=card.promise.deliver_on,
        url=_page(card.slug),
    )


def product(call: Call) -> Reply:
    """Return one product."""
    page = call.shop.catalogue.get_product(call.path["slug"], language=language(call), now=call.now)
    return Reply(_product(page))


def _product(page: ProductPage) -> s.ProductShown:
    return s.ProductShown(
        slug=page.slug,
        name=page.name,
        description=page.description,
        language=page.language,
        facts=dict(page.facts),
        categories=[s.CategoryShown(slug=one.slug, name=one.name, products=one.count) for one in page.path],
        variants=[_variant(one) for one in page.variants],
        pictures=[url_for("shop.media", name=one.file, _external=True) for one in page.pictures],
        url=_page(page.slug),
    )


def _variant(variant: Variant) -> s.VariantShown:
    return s.VariantShown(
        sku=variant.sku,
        options=dict(variant.options),
        price=money(variant.price),
        available=variant.available,
        basis=variant.basis,
        contents=[s.ContentShown(quantity=one.quantity, name=one.name, slug=one.slug) for one in variant.contents],
        no_withdrawal=variant.no_withdrawal,
        tiers=[s.TierShown(from_quantity=least, price=money(price)) for least, price in variant.tiers],
    )


def _page(slug: str) -> str:
    return url_for("shop.product", slug=slug, _external=True)


def availability(call: Call) -> Reply:
    """Say for several things at once whether they can be promised."""
    asked: a.AvailabilityAsked = call.params
    shown = []
    for sku in asked.sku:
        known: dict[str, Any] = {"sku": sku, "quantity": asked.quantity}
        try:
            found = call.shop.promises.quote(
                sku,
                asked.quantity,
                country=asked.country,
                postcode=asked.postcode,
                cart=None,
                customer_class=call.caller.customer_class,
                now=call.now,
            )
            shown.append(s.AvailabilityShown(**known, available=True, basis=found.basis, deliver_on=found.deliver_on))
        except Refused:
            shown.append(s.AvailabilityShown(**known, available=False, basis=None, deliver_on=None))
    return Reply(s.AvailabilitiesShown(availability=shown))


def promise(call: Call) -> Reply:
    """Name the day, and say why."""
    asked: a.PromiseAsked = call.params
    found = call.shop.promises.quote(
        asked.sku,
        asked.quantity,
        country=asked.country,
        postcode=asked.postcode,
        cart=asked.cart,
        customer_class=call.caller.customer_class,
        now=call.now,
    )
    return Reply(_promise(found), NOT_KEPT if asked.cart else {})


def _promise(found: Promise) -> s.PromiseShown:
    values = {name: value for name, value in asdict(found).items() if name != "steps"}
    steps = [s.StepShown(kind=x.kind, starts_at=x.starts_at, ends_at=x.ends_at, details=dict(x.details)) for x in found.steps]
    return s.PromiseShown(**values, steps=steps)


def instead(call: Call) -> Reply:
    """Say what may stand in for a thing."""
    asked: a.PromiseAsked = call.params
    found = call.shop.promises.find_instead(
        asked.sku,
        asked.quantity,
        country=asked.country,
        postcode=asked.postcode,
        cart=asked.cart,
        customer_class=call.caller.customer_class,
        now=call.now,
    )
    return Reply(s.InsteadsShown(instead=[instead_shown(one) for one in found]), NOT_KEPT if asked.cart else {})


def instead_shown(one: Instead) -> s.InsteadShown:
    """Return a stand-in."""
    return s.InsteadShown(
        sku=one.sku, name=one.name, options=one.options, unit_price=money(one.unit_price), deliver_on=one.deliver_on
    )


def cause(found: Cause | None) -> s.CauseShown | None:
    """Return why a day moved; None where it did not, or nobody kept a code."""
    if found is None:
        return None
    links = [s.CauseLinkShown(kind=one.kind, ref=one.ref, name=one.name, days=one.days) for one in found.chain]
    return s.CauseShown(code=found.code, values=dict(found.values), chain=links)


def order(call: Call) -> Reply:
    """Return the order behind its secret link."""
    found = call.shop.orders.get(call.path["token"], now=call.now)
    return Reply(order_shown(found), NOT_KEPT)


def order_shown(found: OrderView | PendingOrder) -> s.OrderShown:
    """Return an order, or the payment that may become one."""
    if isinstance(found, PendingOrder):
        return s.OrderShown(state=found.state, pay_url=found.pay_url)
    return s.OrderShown(
        state=found.state,
        number=found.number,
        placed_at=found.placed_at,
        lines=[
            s.OrderLineShown(
                sku=one.sku,
                name=one.name,
                options=one.options,
                quantity=one.quantity,
                unit_price=money(one.unit_price),
                total=money(one.total),
                requested_on=one.requested_on,
                promised_on=one.promised_on,
                expected_on=one.expected_on,
                actual_on=one.actual_on,
                day_known=one.day_known,
                cause=cause(one.moved_cause),
            )
            for one in found.lines
        ],
        parcels=[
            s.ParcelShown(
                number=one.number,
                state=one.state,
                expected_on=one.expected_on,
                tracking=one.tracking,
                lines=[{"sku": sku, "name": name, "quantity": quantity} for sku, name, quantity in one.lines],
            )
            for one in found.parcels
        ],
        subtotal=money(found.subtotal),
        shipping=money(found.shipping),
        service=found.service,
        discount=money(found.discount) if found.discount else None,
        charge=found.charge,
        total=money(found.total),
        promised_on=found.promised_on,
        expected_on=found.expected_on,
        day_known=found.day_known,
        cancellable=found.cancellable,
        slip=found.slip_id,
    )


def orders(call: Call) -> Reply:
    """List all orders, for partners."""
    asked: a.OrdersAsked = call.params
    found = call.partners.feed.orders(after=cursor_of(asked.cursor), limit=asked.limit, state=asked.state, now=call.now)
    rows = [
        s.OrderListed(
            number=one.number,
            state=one.state,
            placed_at=one.placed_at,
            promised_on=one.promised_on,
            expected_on=one.expected_on,
            total=money(one.total),
            lines=[s.OrderLineListed.model_validate({**line, "cause": cause(line["cause"])}) for line in one.lines],
        )
        for one in found.rows
    ]
    return Reply(s.OrdersShown(orders=rows, next=cursor_for(found.next_after)), NOT_KEPT)


READS = (
    Operation(
        "list_products",
        "GET",
        "/products",
        "List products",
        products,
        s.ProductsShown,
        "catalogue:read",
        params=a.ProductsAsked,
        raises={400: ["bad_cursor"], 404: ["unknown_category"]},
        about="Only what a day can be named for, in an order that new products do not disturb. A cursor goes on in the order "
        "it was given in. Names, days and the shop's own order move by themselves, so there is no `sort` by them.",
    ),
    Operation(
        "get_product",
        "GET",
        "/products/{slug}",
        "Read a product",
        product,
        s.ProductShown,
        "catalogue:read",
        params=a.TextAsked,
        raises={404: ["unknown_product"]},
    ),
    Operation(
        "get_availability",
        "GET",
        "/availability",
        "Ask whether things can be promised",
        availability,
        s.AvailabilitiesShown,
        "catalogue:read",
        params=a.AvailabilityAsked,
        raises={404: ["unknown_product"], 422: ["unknown_postcode", "unknown_country"]},
    ),
    Operation(
        "get_promise",
        "GET",
        "/promises",
        "Ask for a day, and why",
        promise,
        s.PromiseShown,
        "catalogue:read",
        params=a.PromiseAsked,
        raises={404: ["unknown_product"], 409: ["not_available"], 422: ["unknown_postcode", "unknown_country"]},
        about="The day that the production plan gives now. Nothing is held: put it into a cart for that.",
    ),
    Operation(
        "list_instead",
        "GET",
        "/promises/instead",
        "Ask what may stand in",
        instead,
        s.InsteadsShown,
        "catalogue:read",
        params=a.PromiseAsked,
        raises={404: ["unknown_product"], 422: ["unknown_postcode", "unknown_country"]},
        about="At most three things, by priority, each with its own price and the day for as many pieces: for what is "
        "`not_available`, or comes too late.",
    ),
    Operation(
        "get_order",
        "GET",
        "/orders/{token}",
        "Read an order by its secret token",
        order,
        s.OrderShown,
        "carts:write",
        raises={404: ["unknown_order"]},
    ),
    Operation(
        "list_orders",
        "GET",
        "/orders",
        "List all orders",
        orders,
        s.OrdersShown,
        "orders:read",
        anonymous=False,
        params=a.OrdersAsked,
        raises={400: ["bad_cursor"]},
    ),
)
