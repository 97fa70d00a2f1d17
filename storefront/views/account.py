"""Accounts: register, log in, one's own orders, order again, settings. Every page here is for its reader alone."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, request, url_for

from backoffice.public.accounts import AccountView, LoggedIn
from backoffice.public.errors import BadInput, Refused, ShopError, TooOften
from storefront import case_words, wording
from storefront.cookies import account_token, forget_account, keep_account, keep_cart
from storefront.front import Front, see
from storefront.inputs import parse_page
from storefront.phrases import _

SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS", "CrOS", "Linux")
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Chrome", "Chrome"))


@dataclass(frozen=True, slots=True)
class Views:
    """The account's addresses."""

    front: Front

    def account(self) -> Response:
        """Show one's orders; who is not logged in is asked to."""
        who = self._who()
        if who is None:
            return see(url_for("shop.account_login"))
        now = self.front.clock()
        orders = self.front.shop.accounts.find_orders(self._token(), page=parse_page(request.args.get("page")), now=now)
        questions = self.front.shop.cases.of_account(self._token(), now=now)
        kinds, states = case_words.kinds(), case_words.states()
        return self._page("account", who=who, orders=orders, questions=questions, kinds=kinds, states_of_questions=states)

    def account_login(self) -> Response:
        """Show the log-in form."""
        return self._form("login", {})

    def account_login_submit(self) -> Response:
        """Log in, or say one sentence whatever was wrong."""
        email, password = request.form.get("email", ""), request.form.get("password", "")
        here: dict[str, Any] = self._browser() | {"who_asks": who_asks()}
        try:
            found = self.front.shop.accounts.log_in(email=email, password=password, **here)
        except ShopError as error:
            return self._form("login", {"email": email}, error)
        return self._enter(found)

    def account_register(self) -> Response:
        """Show the form to register."""
        return self._form("register", {})

    def account_register_submit(self) -> Response:
        """Register: the answer is the same whether there is such an account or not."""
        typed = {name: request.form.get(name, "") for name in ("email", "name")}
        try:
            self.front.shop.accounts.register(
                **typed,
                password=request.form.get("password", ""),
                language=self.front.language(),
                base_url=request.url_root.rstrip("/"),
                who_asks=who_asks(),
                now=self.front.clock(),
            )
        except ShopError as error:
            return self._form("register", typed, error)
        return see(url_for("shop.account_sent"))

    def account_sent(self) -> Response:
        """Say that a mail is on its way, if there is somebody to write to."""
        return self._page("account_sent", who=None)

    def account_confirm(self, link: str) -> Response:
        """Ask for the password to confirm an address; opening a link changes nothing, as programs open them too."""
        return self._form("confirm", {}, link=link)

    def account_confirm_submit(self, link: str) -> Response:
        """Confirm the address and log in."""
        here: dict[str, Any] = self._browser() | {"who_asks": who_asks()}
        try:
            found = self.front.shop.accounts.confirm(link, request.form.get("password", ""), **here)
        except Refused as error:
            return self._form("confirm", {}, error, link=link)
        return self._enter(found)

    def account_forgot(self) -> Response:
        """Ask where to send a link for a new password."""
        return self._form("forgot", {})

    def account_forgot_submit(self) -> Response:
        """Send it, if there is such an account: the answer is the same."""
        email = request.form.get("email", "")
        base_url, now = request.url_root.rstrip("/"), self.front.clock()
        try:
            self.front.shop.accounts.ask_reset(email, base_url=base_url, who_asks=who_asks(), now=now)
        except ShopError as error:
            return self._form("forgot", {"email": email}, error)
        return see(url_for("shop.account_sent"))

    def account_reset(self, link: str) -> Response:
        """Ask for a new password."""
        return self._form("reset", {}, link=link)

    def account_reset_submit(self, link: str) -> Response:
        """Set it and log in."""
        here: dict[str, Any] = self._browser()
        try:
            found = self.front.shop.accounts.reset(link, request.form.get("password", ""), **here)
        except (BadInput, Refused) as error:
            return self._form("reset", {}, error, link=link)
        return self._enter(found)

    def account_logout(self) -> Response:
        """Log out of this browser; its cart stays with the account."""
        token = account_token()
        if token:
            self._check_form(token)
            self.front.shop.accounts.log_out(token)
        return forget_account(see(url_for("shop.account_login")))

    def account_everywhere(self) -> Response:
        """Log out of every browser."""
        self._check_form(self._token())
        with suppress(Refused):  # ended already, which is what was asked for
            self.front.shop.accounts.log_out_everywhere(self._token(), now=self.front.clock())
        return forget_account(see(url_for("shop.account_login")))

    def account_settings(self) -> Response:
        """Show name, language, password and the browsers that are logged in."""
        return self._settings()

    def account_change(self) -> Response:
        """Change name and language."""
        typed = {name: request.form.get(name, "") for name in ("name", "language")}
        doors = self.front.shop.accounts
        return self._do(lambda token: doors.change(token, **typed, now=self.front.clock()), typed)

    def account_password(self) -> Response:
        """Change the password."""
        old, new, asks = request.form.get("old", ""), request.form.get("password", ""), who_asks()
        doors, fresh = self.front.shop.accounts, list[str]()

        def change(token: str) -> None:
            fresh.append(doors.change_password(token, old=old, new=new, who_asks=asks, now=self.front.clock()))

        response = self._do(change, {})
        return keep_account(response, fresh[-1]) if fresh else response

    def account_close(self) -> Response:
        """Close the account."""
        token, password = self._token(), request.form.get("closing", "")
        self._check_form(token)
        try:
            self.front.shop.accounts.close(token, password=password, who_asks=who_asks(), now=self.front.clock())
        except BadInput as error:
            return self._settings({}, BadInput(error.code, {"closing": error.fields["password"]}))
        except Refused as error:
            return self._settings({}, error)
        return forget_account(see(url_for("shop.home")))

    def account_again(self, number: str) -> Response:
        """Show which lines of an old order did not get into the cart."""
        if self._who() is None:
            return see(url_for("shop.account_login"))
        again = self.front.shop.accounts.compare(self._token(), number, cart=self.front.cart_token(), now=self.front.clock())
        return self._page("account_again", who=self._who(), again=again)

    def account_again_submit(self, number: str) -> Response:
        """Put an old order into the cart once more."""
        token, cart = self._token(), self.front.cart_token()
        self._check_form(token)
        try:
            again = self.front.shop.accounts.order_again(token, number, cart=cart, now=self.front.clock())
        except Refused:
            return see(url_for("shop.account_login"))
        response = see(url_for("shop.account_again", number=number) if again.short else url_for("shop.cart"))
        return keep_cart(response, again.cart) if again.cart else response

    def _do(self, change: Callable[[str], None], typed: Mapping[str, str]) -> Response:
        token = self._token()
        self._check_form(token)
        try:
            change(token)
        except (BadInput, Refused) as error:
            return self._settings(typed, error)
        return see(url_for("shop.account_settings", saved=1))

    def _settings(self, typed: Mapping[str, str] | None = None, error: ShopError | None = None) -> Response:
        who = self._who()
        if who is None:
            return see(url_for("shop.account_login"))
        devices = self.front.shop.accounts.find_devices(self._token(), now=self.front.clock())
        values = {"name": who.name, "language": who.language, **(typed or {})}
        return self._page("account_settings", error, who=who, devices=devices, typed=values, saved="saved" in request.args)

    def _form(self, kind: str, typed: Mapping[str, str], error: ShopError | None = None, *, link: str = "") -> Response:
        return self._page("account_form", error, who=None, kind=kind, typed=typed, link=link)

    def _page(self, template: str, error: ShopError | None = None, **values: object) -> Response:
        fields = error.fields if isinstance(error, BadInput) else {}
        token = account_token()
        response = self.front.page(
            f"storefront/{template}.html",
            self.front.clock(),
            status=error.status if error else 200,
            problem=wording.say(error) if error else "",
            problems=wording.say_fields(fields),
            form_token=form_token(token) if token else "",
            **({"labels": labels()} | values),
        )
        if isinstance(error, TooOften):
            response.headers["Retry-After"] = str(error.retry_after)
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _browser(self) -> dict[str, Any]:
        return {"device": device_words(), "cart": self.front.cart_token(), "now": self.front.clock()}

    def _enter(self, found: LoggedIn) -> Response:
        if before := account_token():  # nobody's any more
            self.front.shop.accounts.log_out(before)
        response = keep_account(see(url_for("shop.account")), found.token)
        return keep_cart(response, found.cart) if found.cart else response

    def _who(self) -> AccountView | None:
        return self.front.shop.accounts.find(account_token(), now=self.front.clock())

    def _token(self) -> str:
        return account_token() or ""

    def _check_form(self, token: str) -> None:
        """Refuse a form that was not made for this session."""
        sent = request.form.get("form_token", "")
        if not hmac.compare_digest(sent.encode(errors="replace"), form_token(token).encode()):
            abort(403)


def form_token(token: str) -> str:
    """Derive what a session's forms carry from its secret, which no page shows."""
    return hmac.new(token.encode(errors="replace"), b"account-form", hashlib.sha256).hexdigest()


def who_asks() -> str:
    """Return the network address that tries are counted for."""
    return request.remote_addr or ""


def device_words() -> str:
    """Return browser and system, for the list that the owner of an account sees."""
    agent = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in BROWSERS if mark in agent), "Safari" if "Safari" in agent else "")
    return " · ".join(part for part in (browser, next((name for name in SYSTEMS if name in agent), "")) if part)


def labels() -> dict[str, str]:
    """Return the fields' labels."""
    return {
        "email": _("E-mail"),
        "name": _("Name"),
        "password": _("New password"),
        "old": _("Password until now"),
        "closing": _("Password"),
        "language": _("Language of our mails"),
    }


def register(routes: Blueprint, front: Front) -> None:
    """Add the account's addresses."""
    views = Views(front)
    get = {
        "/account": "account",
        "/account/login": "account_login",
        "/account/register": "account_register",
        "/account/sent": "account_sent",
        "/account/confirm/<link>": "account_confirm",
        "/account/forgot": "account_forgot",
        "/account/reset/<link>": "account_reset",
        "/account/settings": "account_settings",
        "/account/orders/<number>/again": "account_again",
    }
    post = {
        "/account/login": "account_login_submit",
        "/account/register": "account_register_submit",
        "/account/confirm/<link>": "account_confirm_submit",
        "/account/forgot": "account_forgot_submit",
        "/account/reset/<link>": "account_reset_submit",
        "/account/logout": "account_logout",
        "/account/logout/everywhere": "account_everywhere",
        "/account/settings": "account_change",
        "/account/password": "account_password",
        "/account/close": "account_close",
        "/account/orders/<number>/again": "account_again_submit",
    }
    for methods, addresses in (("GET", get), ("POST", post)):
        for address, name in addresses.items():
            routes.add_url_rule(address, name, getattr(views, name), methods=[methods])
