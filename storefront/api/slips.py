"""Operations about a day that moved: what may be chosen, and choosing."""

from __future__ import annotations

from backoffice.public.errors import NotFound
from backoffice.public.slips import SlipView
from storefront.api import asked as a
from storefront.api import schemas as s
from storefront.api.operations import Call, Operation, Reply
from storefront.api.reading import NOT_KEPT, cause, money


def slip_shown(found: SlipView) -> s.SlipShown:
    """Return a slip."""
    return s.SlipShown(
        id=found.id,
        state=found.state,
        number=found.number,
        told_at=found.told_at,
        lines=[
            s.MovedLineShown(
                name=one.name,
                quantity=one.quantity,
                promised_on=one.promised_on,
                expected_on=one.expected_on,
                cause=cause(one.cause),
            )
            for one in found.lines
        ],
        parts=[
            s.PartShown(on=one.on, goods=[{"name": name, "quantity": quantity} for name, quantity in one.goods])
            for one in found.parts
        ],
        substitutes=[
            s.SubstituteShown(
                option=one.id,
                instead_of=one.instead_of,
                sku=one.sku,
                name=one.name,
                quantity=one.quantity,
                price=money(one.price),
                deliver_on=one.arrives_on,
                refund=money(one.refund) if one.refund else None,
                sooner=one.sooner,
            )
            for one in found.options
        ],
        cancel_refund=money(found.cancel_refund) if found.cancel_refund else None,
        chosen_at=found.chosen_at,
        newer=found.newer_id,
    )


def get_slip(call: Call) -> Reply:
    """Return a slip with what may be chosen now."""
    return Reply(slip_shown(call.shop.slips.get(call.path["token"], _number(call), now=call.now)), NOT_KEPT)


def choose(call: Call) -> Reply:
    """Do what was chosen."""
    given: a.ChoiceGiven = call.body
    token, number = call.path["token"], _number(call)
    call.shop.slips.choose(token, number, given.choice, given.option, now=call.now)
    return Reply(slip_shown(call.shop.slips.get(token, number, now=call.now)))


def _number(call: Call) -> int:
    typed = call.path["slip"]
    if not typed.isascii() or not typed.isdecimal() or len(typed) > 15:
        raise NotFound("unknown_slip")
    return int(typed)


SLIPS = (
    Operation(
        "get_slip",
        "GET",
        "/orders/{token}/slips/{slip}",
        "Read what may be chosen after a day has moved",
        get_slip,
        s.SlipShown,
        "carts:write",
        raises={404: ["unknown_order", "unknown_slip"]},
        about="An order names its `slip` while its customer has something to choose.",
    ),
    Operation(
        "choose",
        "POST",
        "/orders/{token}/slips/{slip}/choice",
        "Choose after a day has moved",
        choose,
        s.SlipShown,
        "carts:write",
        body=a.ChoiceGiven,
        raises={
            404: ["unknown_order", "unknown_slip"],
            409: [
                "already_chosen",
                "newer_day",
                "too_late_to_choose",
                "nothing_to_part",
                "offer_changed",
                "too_late_to_swap",
                "too_late_to_cancel",
                "busy",
            ],
        },
        about="accept: the new day is fine. part: what is ready is sent first, the rest on its day, at no charge. substitute: "
        "the `option` that the slip named; it never costs more, the difference goes back. cancel: all of it, the money goes "
        "back. One slip, one choice: the same again changes nothing, another one is refused.",
        example={"choice": "accept"},
    ),
)
