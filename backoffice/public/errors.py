"""The one error tree, shared by pages, desks, API and log.

ShopError
├── NotFound            404  unknown_product, unknown_order, unknown_lead, unknown_record, unknown_link,
│                            unknown_address, unknown_slip, unknown_case
├── Refused             409  not_available, day_moved, price_changed, hold_expired, stale, cart_empty,
│                            currency_mismatch, wrong_state, taken, busy, payment_away, not_enough_stock, not_ordered_yet,
│                            too_late_to_cancel, refund_too_much, no_email, payment_open, nothing_here, all_here,
│                            not_logged_in, wrong_login, wrong_password, too_many_addresses,
│                            solver_failed, bad_proposal, already_chosen, newer_day, too_late_to_choose, nothing_to_part,
│                            offer_changed, too_late_to_swap, withdrawal_over, on_hold, code_set_up, code_not_set_up,
│                            own_second_step, still_open, quotation_replaced, quotation_expired, quotation_over, segment_gone,
│                            nobody_to_write_to, not_on_account, account_paused, over_limit, more_than_open, still_at_it
│   └── TooOften        429  too_many_tries, too_many_codes
├── BadInput            422  bad_quantity, bad_amount, unknown_postcode, unknown_country, invalid_form, idempotency_key_reused,
│                            bad_job_shop, coupon_invalid, unknown_field
├── Unreadable          400  malformed_json, bad_cursor, idempotency_key_missing, bad_idempotency_key
├── Unidentified        401  unknown_key
└── Forbidden           403  missing_scope

Each error carries a stable `code`; `details` fills the wording, which each surface owns and translates.
"""

from __future__ import annotations

from collections.abc import Mapping


class ShopError(Exception):
    """Base of every error that a caller may show to a person."""

    status = 400

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details: Mapping[str, object] = details


class NotFound(ShopError):
    """Say that what was asked for is not there (or not for you: the same answer)."""

    status = 404


class Refused(ShopError):
    """Say that the request was understood and cannot be done in the present state."""

    status = 409


class TooOften(Refused):
    """Say that it was tried too often; after `retry_after` seconds it may be tried again."""

    status = 429

    def __init__(self, code: str, *, retry_after: float = 300, **details: object) -> None:
        super().__init__(code, **details)
        self.retry_after = max(1, round(retry_after))


class BadInput(ShopError):
    """Say which value was wrong. `fields` maps field name → error code for forms."""

    status = 422

    def __init__(self, code: str, fields: Mapping[str, str] | None = None, **details: object) -> None:
        super().__init__(code, **details)
        self.fields: Mapping[str, str] = fields or {}


class Unreadable(ShopError):
    """Say that the request itself is not as documented, so nothing of it was looked at."""

    status = 400


class Unidentified(ShopError):
    """Say that we do not know who is asking."""

    status = 401


class Forbidden(ShopError):
    """Say that whoever is asking is not allowed this."""

    status = 403
