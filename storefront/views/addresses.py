"""The address book of an account: list, add, change, remove, prefer. Every page here is for its reader alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from flask import Blueprint, Response, request, url_for

from backoffice.public import addresses as rules
from backoffice.public.accounts import AccountView
from backoffice.public.addresses import PARTS
from backoffice.public.errors import BadInput, NotFound, Refused, ShopError
from storefront import addresses
from storefront.front import Front, see
from storefront.views import account


@dataclass(frozen=True, slots=True)
class Views(account.Views):
    """The address book's addresses."""

    def account_addresses(self) -> Response:
        """Show the book, the preferred address first."""
        return self._book()

    def account_address_new(self) -> Response:
        """Show an empty form, for the shop's own country until another is chosen."""
        who = self._who()
        if who is None:
            return see(url_for("shop.account_login"))
        return self._edit(who, None, {"name": who.name, "country": self.front.profile().country})

    def account_address_edit(self, address_id: int) -> Response:
        """Show an address in its form."""
        who = self._who()
        if who is None:
            return see(url_for("shop.account_login"))
        book = self.front.shop.accounts.find_addresses(self._token(), now=self.front.clock())
        found = next((one for one in book if one.id == address_id), None)
        if found is None:
            raise NotFound("unknown_address")
        return self._edit(who, address_id, asdict(found.address))

    def account_address_add(self) -> Response:
        """Add an address."""
        return self._save(None)

    def account_address_save(self, address_id: int) -> Response:
        """Change an address."""
        return self._save(address_id)

    def _save(self, address_id: int | None) -> Response:
        """Save what was typed, or show it again with the fields of the country that was chosen or with what is wrong."""
        who = self._who()
        if who is None:
            return see(url_for("shop.account_login"))
        self._check_form(self._token())
        typed = {part: request.form.get(part, "") for part in PARTS}
        if request.form.get("action") == "country":
            return self._edit(who, address_id, typed)
        address, now = rules.of(typed), self.front.clock()
        try:
            self.front.shop.accounts.save_address(self._token(), address, address_id=address_id, now=now)
        except (BadInput, Refused) as error:
            return self._edit(who, address_id, typed, error)
        return see(url_for("shop.account_addresses", saved=1))

    def account_address_remove(self, address_id: int) -> Response:
        """Remove an address."""
        doors = self.front.shop.accounts
        return self._change(lambda token: doors.remove_address(token, address_id, now=self.front.clock()))

    def account_address_prefer(self, address_id: int) -> Response:
        """Let the checkout begin with an address."""
        doors = self.front.shop.accounts
        return self._change(lambda token: doors.prefer_address(token, address_id, now=self.front.clock()))

    def _change(self, change: Callable[[str], None]) -> Response:
        self._check_form(self._token())
        try:
            change(self._token())
        except Refused:
            return see(url_for("shop.account_login"))
        except NotFound as error:  # removed in another window, perhaps: the book says what is left
            return self._book(error)
        return see(url_for("shop.account_addresses", saved=1))

    def _book(self, error: ShopError | None = None) -> Response:
        who = self._who()
        if who is None:
            return see(url_for("shop.account_login"))
        book = self.front.shop.accounts.find_addresses(self._token(), now=self.front.clock())
        return self._page("account_addresses", error, who=who, book=book, saved="saved" in request.args)

    def _edit(
        self, who: AccountView, address_id: int | None, typed: Mapping[str, str], error: ShopError | None = None
    ) -> Response:
        profile, now = self.front.profile(), self.front.clock()
        form = addresses.form_of(typed["country"], profile.country, self.front.language())
        listed = addresses.countries(profile.countries or [profile.country], self.front.formats(profile, now))
        return self._page(
            "account_address", error, who=who, address_id=address_id, typed=typed, form=form, countries=listed, labels=form.labels
        )


def register(routes: Blueprint, front: Front) -> None:
    """Add the address book's addresses."""
    views = Views(front)
    one = "/account/addresses/<int:address_id>"
    rules_of: tuple[tuple[str, str, str], ...] = (
        ("GET", "/account/addresses", "account_addresses"),
        ("GET", "/account/addresses/new", "account_address_new"),
        ("POST", "/account/addresses/new", "account_address_add"),
        ("GET", one, "account_address_edit"),
        ("POST", one, "account_address_save"),
        ("POST", f"{one}/remove", "account_address_remove"),
        ("POST", f"{one}/prefer", "account_address_prefer"),
    )
    for method, address, name in rules_of:
        routes.add_url_rule(address, name, getattr(views, name), methods=[method])
