"""The flows of R7 in parts, each a shard of its own: it is tried at every point within ten minutes on two cores."""

from __future__ import annotations

from tests.faults import at_stripe, flows
from tests.faults.flows import Flow

PARTS = {
    "buying": (
        Flow("buy", flows.customer, flows.buy),
        Flow("pay and leave", flows.customer, flows.pay_and_leave),
        Flow("leave unpaid", flows.customer, flows.leave_unpaid),
    ),
    "money": (
        Flow("cancel and refund", flows.bought, flows.cancel),
        Flow("cancel at the desk", flows.may_be_cancelled, flows.cancel_at_the_desk),
    ),
    "stripe": at_stripe.PAYING,
    "stripe-back": at_stripe.GIVING_BACK,
    "floor": (
        Flow("pick and ship", flows.ready_to_pick, flows.pick_and_ship),
        Flow("receive", flows.lamps_are_awaited, flows.receive),
        Flow("slip", flows.lamps_may_slip, flows.slip),
        Flow("ask", flows.customer, flows.ask),
    ),
    "erp": (
        Flow("ERP hand-off", flows.paid_and_not_handed_over, flows.hand_over),
        Flow("stock import", flows.sold_and_handed_over, flows.import_stock),
    ),
}
FLOWS = [flow for part in PARTS.values() for flow in part]
