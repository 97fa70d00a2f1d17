"""Who may open what: the one table, denied by default. A route without an entry stops the start-up."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, abort, make_response, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from backoffice.desk import home, interrupted

Roles = frozenset[str]

PUBLIC: Roles = frozenset({"public"})
ADMIN: Roles = frozenset({"admin"})
SALES: Roles = frozenset({"sales"}) | ADMIN
WAREHOUSE: Roles = frozenset({"warehouse"}) | ADMIN
PLANNER: Roles = frozenset({"planner"}) | ADMIN
STAFF: Roles = SALES | WAREHOUSE | PLANNER
LOG_IN = "desk.login"


def _to(roles: Roles, blueprint: str, names: str) -> dict[str, Roles]:
    return {f"{blueprint}.{name}": roles for name in names.split()}


POLICY: dict[str, Roles] = (
    _to(PUBLIC, "health", "healthz readyz")
    | _to(PUBLIC, "metrics", "metrics")  # which asks for its token itself
    | _to(PUBLIC, "shop", "static home category search product media page robots sitemap language")
    | _to(PUBLIC, "shop", "cart cart_add cart_line cart_postcode cart_parcels cart_day cart_service cart_instead cart_count")
    | _to(PUBLIC, "shop", "cart_coupon")
    | _to(PUBLIC, "shop", "checkout checkout_start")
    | _to(PUBLIC, "shop", "order order_ask order_cancel order_cancel_submit order_moved order_moved_submit")
    | _to(PUBLIC, "shop", "order_paper order_show order_show_submit order_withdraw order_withdraw_submit")
    | _to(
        PUBLIC, "shop", "contact contact_submit lead_submit thanks consent consent_confirm consent_withdraw visits visits_choose"
    )
    | _to(PUBLIC, "shop", "question question_write question_rate")
    # the link of a letter is its own secret: a mail program's POST comes from elsewhere, without login or token (web.guard)
    | _to(PUBLIC, "shop", "unsubscribe unsubscribe_submit")
    | _to(PUBLIC, "shop", "quotation quotation_paper quotation_accept quotation_again")
    | _to(
        PUBLIC, "api", "home openapi list_products get_product get_availability get_promise list_instead"
    )  # keys and scopes: itself
    | _to(PUBLIC, "api", "make_cart get_cart set_line drop_line set_place set_parcels ask_for_day set_service take_instead")
    | _to(PUBLIC, "api", "renew_cart check_out set_coupon")
    | _to(PUBLIC, "api", "get_order list_orders cancel_order write_lead get_slip choose list_papers get_paper")
    | _to(PUBLIC, "shop", "account account_login account_login_submit account_register account_register_submit")
    | _to(PUBLIC, "shop", "account_sent account_confirm account_confirm_submit account_forgot account_forgot_submit")
    | _to(PUBLIC, "shop", "account_reset account_reset_submit account_logout account_everywhere account_settings")
    | _to(PUBLIC, "shop", "account_change account_password account_close account_again account_again_submit")
    | _to(PUBLIC, "shop", "account_addresses account_address_new account_address_add account_address_edit account_address_save")
    | _to(PUBLIC, "shop", "account_address_remove account_address_prefer")
    | _to(PUBLIC, "desk", "static login login_submit language")
    | _to(PUBLIC, "second", "code code_submit")  # between password and code
    | _to(STAFF, "desk", "home logout logout_everywhere")
    | _to(STAFF, "second", "home set_up new_codes sure sure_submit")
    | _to(SALES, "sales", "home next lead take take_over note answer ready call come_back hand lose introduce done release")
    | _to(SALES, "pipeline", "home move estimate")
    | _to(SALES, "lead_list", "home many save_view drop_view")
    | _to(SALES, "lead_file", "home bring broken")
    | _to(SALES, "phoning", "home save")
    | _to(SALES, "sales_same", "decide")
    | _to(SALES, "identities", "home undo")
    | _to(SALES, "selling", "home change withdraw")
    | _to(SALES, "quoting", "home change withdraw")
    | _to(SALES, "cases", "home new add case take hand note prioritise answer ready solve close reopen")
    | _to(SALES, "customers", "home found customer change consent withdraw join add role leave")
    | _to(SALES, "segments", "home new segment count save")
    | _to(STAFF, "tasks", "home add done decline ask")  # each sees the tasks of their own desk
    | _to(SALES, "campaigns", "home new campaign count progress save trial sure send stop results export")
    | _to(SALES, "orders", "home order address renew_link cancel cancel_submit charge refund")
    | _to(SALES, "told_choice", "home choose")
    | _to(WAREHOUSE, "warehouse", "home shipment scan undo take short part pack ship receive receive_line")
    | _to(WAREHOUSE, "waves", "home release wave scan undo take pack close")
    | _to(WAREHOUSE, "papers", "slip label")
    | _to(WAREHOUSE, "sent", "home arrived")
    | _to(WAREHOUSE, "returns", "home receive")
    | _to(WAREHOUSE, "shelves", "home count")
    | _to(WAREHOUSE, "expiry", "home write_off")
    | _to(PLANNER, "planning", "home production_orders finish receipts move_due confirm work_centres centre pace stop end_stop")
    | _to(PLANNER, "expedite", "ask decline earlier")
    | _to(PLANNER, "items", "home item offer drop_offer keep release add_substitute drop_substitute prefer_substitute")
    | _to(PLANNER, "items", "lots contents phantom withdrawal")
    | _to(PLANNER, "prices", "tiers tax")
    | _to(PLANNER, "making", "add_part part drop_part add_work work drop_work")
    | _to(PLANNER, "lanes", "home")
    | _to(PLANNER, "hours", "home calendar change take_back")
    | _to(PLANNER, "supposing", "home")
    | _to(PLANNER, "kept", "home")
    | _to(PLANNER, "demand", "home export")
    | _to(PLANNER, "forecasts", "home export")
    | _to(STAFF, "tracing", "order made receipt item")  # names no customer: sales and warehouse ask it too
    | _to(PLANNER, "breaks", "ways shorten shift delay begin")
    | _to(ADMIN, "reports", "home export mail")
    | _to(ADMIN, "accounts", "home paper export")
    | _to(ADMIN, "receivables", "home record agree assign end")
    | _to(ADMIN, "price_lists", "home make price_list save export")
    | _to(ADMIN, "admin", "home")
    | _to(ADMIN, "people", "home add change password second_step_reset")
    | _to(ADMIN, "persons", "home one export erase proof fetch handed_over")
    | _to(ADMIN, "absences", "home add remove")
    | _to(ADMIN, "company", "home save")
    | _to(ADMIN, "keys", "home create classify revoke")
    | _to(ADMIN, "outgoing", "home replay replay_all drop")
    | _to(ADMIN, "figures", "home approve decline")
    | _to(ADMIN, "troubles", "home handled")
    | _to(ADMIN, "approvals", "home approve decline")
    | _to(ADMIN, "discounts", "home approve decline")
    | _to(ADMIN, "rules", "home save remove")
    | _to(ADMIN, "stages", "home likelihood reason overdue")
    | _to(ADMIN, "case_deadlines", "home save")
    | _to(ADMIN, "services", "home save")
    | _to(ADMIN, "coupons", "home save")
    | _to(ADMIN, "templates", "home save remove")
    | _to(ADMIN, "auditing", "home")
)

# these stand in a demo only, or belong to one payment provider, so an entry without a route is no mistake
OPTIONAL_POLICY: dict[str, Roles] = (
    _to(STAFF, "desk", "styleguide")
    | _to(PUBLIC, "sandbox", "pay pay_submit dispute")
    | _to(PUBLIC, "payments", "stripe_webhook")
)


def enforce(app: Flask) -> None:
    """Check every request against the table. Call after the last route is added.

    Raises RuntimeError that names each route without an entry and each entry without a route.
    """
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    table = POLICY | OPTIONAL_POLICY
    _refuse("routes without an entry in the policy", routes - table.keys())
    _refuse("entries of the policy without a route", POLICY.keys() - routes)
    app.before_request(lambda: _check(table))


def may(roles: Roles, role: str | None) -> bool:
    """Tell whether somebody with `role` (None = not logged in) may open what `roles` may."""
    return "public" in roles or (role is not None and role in roles)


def _refuse(what: str, endpoints: Iterable[str]) -> None:
    if named := ", ".join(sorted(endpoints)):
        raise RuntimeError(f"{what}: {named}")


def _check(table: dict[str, Roles]) -> Response | None:
    if request.endpoint is None:  # no such page: the router answers
        return None
    roles = table[request.endpoint]
    if "public" in roles:  # before anything looks at the session: shop pages are the same for everybody
        return None
    if not current_user.is_authenticated:
        if request.method in {"GET", "HEAD"}:
            return redirect(url_for(LOG_IN, next=request.full_path.rstrip("?")), 302)
        if kept := interrupted.seal():
            return make_response(home.ask_again(kept), 403)
        abort(403)
    if not may(roles, current_user.role):
        abort(403)
    return None
