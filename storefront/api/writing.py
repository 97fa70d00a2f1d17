"""Operations that write: carts, checkout, cancelling, leads."""

from __future__ import annotations

from flask import request, url_for

from backoffice.public.carts import Cart
from backoffice.public.checkout import CheckoutForm
from backoffice.public.days import read_day
from backoffice.public.errors import NotFound
from backoffice.public.leads import LeadForm
from storefront.api import asked as a
from storefront.api import schemas as s
from storefront.api.operations import Call, Operation, Reply
from storefront.api.reading import NOT_KEPT, instead_shown, money, order_shown, today
from storefront.phrases import locale


def show_cart(cart: Cart) -> s.CartShown:
    """Return a cart."""
    return s.CartShown(
        token=cart.token,
        version=cart.version,
        lines=[
            s.CartLineShown(
                sku=one.sku,
                name=one.name,
                options=one.options,
                quantity=one.quantity,
                unit_price=money(one.unit_price),
                total=money(one.total),
                deliver_on=one.promise.deliver_on if one.promise else None,
                basis=one.promise.basis if one.promise else None,
                most=one.most,
                was_on=one.was_on,
                most_in_time=one.most_in_time,
                instead=[instead_shown(other) for other in one.instead],
            )
            for one in cart.lines
        ],
        subtotal=money(cart.subtotal) if cart.subtotal else None,
        shipping=money(cart.shipping) if cart.shipping else None,
        total=money(cart.total) if cart.total else None,
        deliver_on=cart.deliver_on,
        held_until=cart.held_until,
        country=cart.country,
        postcode=cart.postcode,
        parcels=cart.parcels,
        dated=[s.ParcelDayShown(deliver_on=one.deliver_on, skus=list(one.skus)) for one in cart.dated],
        requested_on=cart.requested_on,
        in_time=cart.in_time,
        service=cart.service,
        services=[
            s.ServiceShown(code=one.code, name=one.name, price=money(one.price), deliver_on=one.deliver_on)
            for one in cart.services
        ],
        coupon=cart.coupon,
        discount=money(cart.discount) if cart.discount else None,
    )


def _mine(call: Call) -> Cart:
    cart = call.shop.carts.find(call.path["token"], now=call.now)
    if cart is None:
        raise NotFound("unknown_cart")
    return cart


def _expected(call: Call) -> Cart:
    cart = _mine(call)
    call.expect(show_cart(cart))
    return cart


def make_cart(call: Call) -> Reply:
    """Make a cart with its first line, held."""
    given: a.CartGiven = call.body
    whose = call.caller.customer_class
    cart = call.shop.carts.add(None, given.sku, given.quantity, postcode=given.postcode, customer_class=whose, now=call.now)
    return Reply(show_cart(cart), {"Location": url_for("api.get_cart", token=cart.token)})


def get_cart(call: Call) -> Reply:
    """Return a cart with the days of now."""
    return Reply(show_cart(_mine(call)), NOT_KEPT)


def set_line(call: Call) -> Reply:
    """Set how many of it."""
    given: a.LineGiven = call.body
    cart = _expected(call)
    return Reply(show_cart(call.shop.carts.set_quantity(cart.token, call.path["sku"], given.quantity, now=call.now)))


def drop_line(call: Call) -> Reply:
    """Take a line out."""
    cart = _expected(call)
    return Reply(show_cart(call.shop.carts.set_quantity(cart.token, call.path["sku"], 0, now=call.now)))


def set_place(call: Call) -> Reply:
    """Say where it goes."""
    given: a.PlaceGiven = call.body
    cart = _expected(call)
    moved = call.shop.carts.set_postcode(cart.token, given.postcode, country=given.country, now=call.now)
    return Reply(show_cart(moved))


def set_parcels(call: Call) -> Reply:
    """Choose one day or several parcels."""
    given: a.ParcelsGiven = call.body
    cart = _expected(call)
    return Reply(show_cart(call.shop.carts.set_parcels(cart.token, given.parcels, now=call.now)))


def ask_for_day(call: Call) -> Reply:
    """Ask for all of it by a day."""
    given: a.DayGiven = call.body
    day = None if given.requested_on is None else read_day(given.requested_on, today=today(call), field="requested_on")
    cart = _expected(call)
    return Reply(show_cart(call.shop.carts.ask_for_day(cart.token, day, now=call.now)))


def set_service(call: Call) -> Reply:
    """Choose how it is sent."""
    given: a.ServiceGiven = call.body
    cart = _expected(call)
    return Reply(show_cart(call.shop.carts.set_service(cart.token, given.service, now=call.now)))


def set_coupon(call: Call) -> Reply:
    """Put a code on the cart, or take it off."""
    given: a.CouponGiven = call.body
    cart, tried_by = _expected(call), request.remote_addr or ""
    return Reply(show_cart(call.shop.carts.set_coupon(cart.token, given.code, tried_by=tried_by, now=call.now)))


def take_instead(call: Call) -> Reply:
    """Put something else into a line's place."""
    given: a.InsteadGiven = call.body
    cart = _expected(call)
    return Reply(show_cart(call.shop.carts.take_instead(cart.token, call.path["sku"], given.sku, now=call.now)))


def renew_cart(call: Call) -> Reply:
    """Hold everything again from now."""
    return Reply(show_cart(call.shop.carts.renew(_mine(call).token, now=call.now)))


def check_out(call: Call) -> Reply:
    """Start the payment."""
    given: a.CheckoutGiven = call.body
    values = given.model_dump(exclude={"expected_total_minor", "language"})
    form = CheckoutForm(
        key=call.key,
        total_minor=given.expected_total_minor,
        language=given.language or str(locale()).replace("_", "-"),
        **values,
    )
    started = call.shop.checkout.start(call.path["token"], form, base_url=request.url_root.rstrip("/"), now=call.now)
    return Reply(
        s.PaymentShown(
            charged="shipment" if started.charged_later else "order",
            pay_url=started.pay_url,
            order_token=started.order_token,
            order_url=url_for("api.get_order", token=started.order_token, _external=True),
        )
    )


def cancel_order(call: Call) -> Reply:
    """Cancel the whole order; the money goes back."""
    token = call.path["token"]
    call.shop.orders.cancel(token, key=call.key, now=call.now)
    return Reply(order_shown(call.shop.orders.get(token, now=call.now)))


def write_lead(call: Call) -> Reply:
    """Take a message in."""
    given: a.LeadGiven = call.body
    form = LeadForm(
        key=call.key,
        kind=given.kind,
        name=given.name,
        email=given.email,
        phone=given.phone,
        message=given.message,
        sku=given.sku,
        quantity="" if given.quantity is None else str(given.quantity),
        needed_by_on=given.needed_by_on or "",
        postcode=given.postcode,
        language=given.language or "",
        page="api",
        company=given.company,
        source=given.source or "api",
        medium=given.medium,
        campaign=given.campaign,
        landing=given.landing,
        who_asks=request.remote_addr or "" if call.caller.is_anonymous else "",
    )
    receipt = call.shop.leads.submit(form, now=call.now)
    return Reply(s.LeadShown(answer_by=receipt.answer_by, answer_by_on=receipt.answer_by_on))


HELD = {404: ["unknown_cart", "unknown_product"], 409: ["not_available", "currency_mismatch", "stale", "payment_away", "busy"]}
CARTS = "carts:write"

WRITES = (
    Operation(
        "make_cart",
        "POST",
        "/carts",
        "Make a cart",
        make_cart,
        s.CartShown,
        CARTS,
        status=201,
        body=a.CartGiven,
        raises={404: ["unknown_product"], 409: ["not_available", "busy"], 422: ["unknown_postcode"]},
        about="The goods and the minutes that their making needs are kept for a quarter of an hour.",
        example={"sku": "STOOL", "quantity": 1, "postcode": "10115"},
    ),
    Operation("get_cart", "GET", "/carts/{token}", "Read a cart", get_cart, s.CartShown, CARTS, raises={404: ["unknown_cart"]}),
    Operation(
        "set_line",
        "PUT",
        "/carts/{token}/lines/{sku}",
        "Set a line",
        set_line,
        s.CartShown,
        CARTS,
        body=a.LineGiven,
        raises=HELD,
        example={"quantity": 2},
    ),
    Operation("drop_line", "DELETE", "/carts/{token}/lines/{sku}", "Take a line out", drop_line, s.CartShown, CARTS, raises=HELD),
    Operation(
        "set_place",
        "PUT",
        "/carts/{token}/place",
        "Say where it goes",
        set_place,
        s.CartShown,
        CARTS,
        body=a.PlaceGiven,
        raises={404: ["unknown_cart"], 409: ["stale", "payment_away"], 422: ["unknown_postcode", "unknown_country"]},
        example={"postcode": "80331", "country": "DE"},
    ),
    Operation(
        "set_parcels",
        "PUT",
        "/carts/{token}/parcels",
        "Choose one day or dated parcels",
        set_parcels,
        s.CartShown,
        CARTS,
        body=a.ParcelsGiven,
        raises={404: ["unknown_cart"], 409: ["stale", "payment_away"]},
        example={"parcels": "dated"},
    ),
    Operation(
        "ask_for_day",
        "PUT",
        "/carts/{token}/day",
        "Ask for all of it by a day",
        ask_for_day,
        s.CartShown,
        CARTS,
        body=a.DayGiven,
        raises={404: ["unknown_cart"], 409: ["stale", "payment_away", "busy"], 422: ["invalid_form"]},
        about="What is planned is held as late as possible but in time. `in_time` is the answer; if it is false, `deliver_on` is "
        "the earliest day and the late lines say what would have to change: fewer pieces (`most_in_time`), something else "
        "(`instead`). Of `dated` parcels some may be in time. The day goes to the order.",
        example={"requested_on": "2026-12-08"},
    ),
    Operation(
        "set_service",
        "PUT",
        "/carts/{token}/service",
        "Choose how it is sent",
        set_service,
        s.CartShown,
        CARTS,
        body=a.ServiceGiven,
        raises={404: ["unknown_cart"], 409: ["stale", "payment_away", "busy"], 422: ["invalid_form"]},
        about="One of the cart's `services`, each with its price and the day for all of it. `shipping` and `total` follow.",
        example={"service": "express"},
    ),
    Operation(
        "set_coupon",
        "PUT",
        "/carts/{token}/coupon",
        "Use a code that takes something off",
        set_coupon,
        s.CartShown,
        CARTS,
        body=a.CouponGiven,
        raises={
            404: ["unknown_cart"],
            409: ["stale", "payment_away", "busy"],
            422: ["coupon_invalid", "invalid_form"],
            429: ["too_many_codes"],
        },
        about="`discount` and `total` follow. Ten tries an hour. Empty takes it off. Refused, the cart is as it was.",
        example={"code": "WELCOME"},
    ),
    Operation(
        "take_instead",
        "POST",
        "/carts/{token}/lines/{sku}/instead",
        "Take something else in a line's place",
        take_instead,
        s.CartShown,
        CARTS,
        body=a.InsteadGiven,
        raises=HELD,
        about="As many pieces of it. Refused, the cart is as it was.",
        example={"sku": "STOOL-ASH"},
    ),
    Operation(
        "renew_cart",
        "POST",
        "/carts/{token}/renew",
        "Hold everything again",
        renew_cart,
        s.CartShown,
        CARTS,
        body=a.NothingGiven,
        raises={404: ["unknown_cart"], 409: ["stale", "payment_away", "busy"]},
        example={},
    ),
    Operation(
        "check_out",
        "POST",
        "/carts/{token}/checkout",
        "Start the payment",
        check_out,
        s.PaymentShown,
        CARTS,
        status=201,
        body=a.CheckoutGiven,
        raises={
            404: ["unknown_cart"],
            409: [
                *("cart_empty", "stale", "price_changed", "day_moved", "not_available", "hold_expired", "busy"),
                *("payment_away", "email_refused", "amount_refused"),
            ],
            422: ["unknown_postcode", "coupon_invalid"],
            429: ["too_many_checkouts"],
        },
        about="The order exists once it is paid; the same Idempotency-Key is the same payment. Which parts an address needs "
        "depends on its country: what is missing is named all at once (invalid_form; errors: required, bad_postcode, "
        "unknown_postcode, bad_choice, unknown_country).",
        example={
            "cart_version": 1,
            "expected_total_minor": 5400,
            "email": "ada@example.com",
            "name": "Ada Lovelace",
            "street": "Weg 1",
            "city": "Berlin",
            "postcode": "10115",
            "country": "DE",
        },
    ),
    Operation(
        "cancel_order",
        "POST",
        "/orders/{token}/cancel",
        "Cancel an order",
        cancel_order,
        s.OrderShown,
        CARTS,
        body=a.NothingGiven,
        raises={404: ["unknown_order"], 409: ["too_late_to_cancel", "busy"]},
        about="All of it, as long as nothing of it is packed. The money goes back the way it came.",
        example={},
    ),
    Operation(
        "write_lead",
        "POST",
        "/leads",
        "Write to the shop",
        write_lead,
        s.LeadShown,
        "leads:write",
        status=201,
        body=a.LeadGiven,
        example={"kind": "contact", "name": "Ada", "email": "ada@example.com", "message": "Do you make it in oak?"},
    ),
)
