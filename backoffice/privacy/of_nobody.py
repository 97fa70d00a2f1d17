"""Tables of nobody: goods, plans, money without a name, people who work here, hashes that open nothing.

Each with its columns of text: a new one is read here by somebody before it is in use. Of coupon_use: how often each hashed
address used a code, or its limit would not hold. Of lost_demand: words that two visitors searched for. An `actor` is a colleague.
"""

from __future__ import annotations

from collections.abc import Mapping

_TEXTS = """
allotment: customer_class reason actor
api_key: name prefix key_hash scopes customer_class created_by
assignment_rule: kind language country postcode_prefix
audit_chain: hash
bom_alternate:
bom_line:
calendar: code name timezone holidays
calendar_exception: intervals reason
calendar_shift:
campaign: name code texts state matching conditions addresses written_by
cart_line:
case_deadline: priority
category: slug name
category_text: language name
company: name country currency timezone language email phone address default_postcode vat_number register_entry languages
company_prices:
company_terms: currency
coupon: code kind currency
coupon_use: customer
demand_forecast: method
erased_mark: mark
erased_party:
erasure: actor role asked_how counts kept export_hash export
escalation_rule:
external_ref: system kind their_id fingerprint
goods_return_line:
heartbeat: name
held_order: order_ref
invoice_line: kind sku text
item: sku name unit no_withdrawal source sell_from options currency bin
item_substitute:
list_price:
login_throttle: who
lost_demand: kind sku words
lost_reason: name
mail_template: name language body
margin: source
number_series: kind
offer: basis
operation_alternate:
operation_slot:
outbox_lane: target
outside_stock:
peg: kind
periodic: name
picture: file alt
plan_audit: digest breaches
plan_checkpoint: decided
plan_decision: cause decided
plan_domain:
price_list: name currency
price_tier:
product: slug name description facts search_text tax_kind
product_facet: name value
product_text: language name description facts
production_order: number state learns
profile_mark: name
provider_cursor: provider
purchase_order: number state
purchase_order_line: expedite_asked_by
recovery_code: code_hash
report_mail: every language
resequencing: moves
reservation: state owner_ref order_ref basis customer_class chain
residual: kind source ref
routing_operation: name
sandbox_dispute: id session_id state
sandbox_refund: id session_id
second_step: nonce
segment: name matching conditions
shipment_line:
shipping_service: code name countries
shipping_zone: country prefix subdivision
short_pick: actor
staff: email name role password_hash session_nonce
staff_absence:
staff_session: token_hash nonce
stage_probability: stage
stock:
stock_lot: number
stock_movement: cause ref actor
stock_snapshot: kind state reason lines short decided_by
supplier: code name email
supplier_item:
verification: breaches
warehouse: code name timezone carrier address
warehouse_transit: country prefix
wave: number carrier state picker
work_centre: code name
work_centre_exception: intervals reason
work_centre_stop: reason actor
"""

OF_NOBODY: Mapping[str, frozenset[str]] = {
    table: frozenset(columns.split()) for table, _, columns in (line.partition(":") for line in _TEXTS.split("\n") if line)
}
