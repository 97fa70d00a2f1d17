"""Asking us: the contact page, "ask us" and "tell me when" on a product, and the thanks that name our answer's time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flask import Blueprint, Response, request, url_for

from backoffice.public.errors import BadInput, ShopError
from backoffice.public.leads import LeadForm, LeadReceipt
from storefront import attribution, wording
from storefront.front import Front, see
from storefront.inputs import content_key, is_local_path
from storefront.phrases import _
from storefront.views.orders import guard
from storefront.views.product import choose, draw_product, find_product

FIELDS = ("message", "needed_by_on", "name", "company", "email", "phone", "sku", "quantity", "postcode")
PRODUCT_KINDS = frozenset({"tell_me", "question", "quote_request"})
CONTACT_KINDS = ("contact", "quote_request", "refused_day")
ASKED = ("sku", "quantity", "kind", "needed_by_on", "postcode")
LONGEST_PAGE_NAME = 500


@dataclass(frozen=True, slots=True)
class Views:
    """The addresses of the contact forms."""

    front: Front

    def contact(self) -> Response:
        """Show the contact form; `about` fills the message, for searches that found nothing."""
        asked = {name: request.args.get(name, "")[:LONGEST_PAGE_NAME] for name in ASKED}
        typed = {"message": request.args.get("about", "")[:LONGEST_PAGE_NAME], **asked, **attribution.read()}
        return self._contact(typed, {}, self.front.clock())

    def contact_submit(self) -> Response:
        """Take a message in."""
        now = self.front.clock()
        typed = self._typed()
        kind = typed["kind"] if typed["kind"] in CONTACT_KINDS else "contact"
        try:
            form = replace(self._form(kind, typed, now), opened=request.form.get("key", "") or "of no page")
            receipt = self.front.shop.leads.submit(form, now=now)
        except BadInput as error:
            return self._contact(typed, field_words(error), now, status=error.status)
        return self._thank(kind, receipt, url_for("shop.home"))

    def lead_submit(self) -> Response:
        """Take in a question or a wish about a product."""
        now = self.front.clock()
        typed, kind = self._typed(), request.form.get("kind", "")
        slug = request.form.get("slug", "")
        if kind not in PRODUCT_KINDS:
            kind = "question"
        try:
            receipt = self.front.shop.leads.submit(self._form(kind, typed, now), now=now)
        except BadInput as error:
            return self._product_again(error, kind, slug, typed, now)
        return self._thank(kind, receipt, url_for("shop.product", slug=slug) if slug else url_for("shop.home"))

    def thanks(self) -> Response:
        """Say that the message is in, and by when there will be an answer."""
        kind, by, back = (request.args.get(name, "") for name in ("kind", "by", "back"))
        return self.front.page(
            "storefront/thanks.html",
            self.front.clock(),
            kind=kind if kind in PRODUCT_KINDS else "contact",
            answer_by=_instant(by),
            back=back if is_local_path(back) else url_for("shop.home"),
        )

    def consent(self, token: str) -> Response:
        """Show what somebody allowed, and the button that takes it back."""
        found = self.front.shop.leads.find_consent(token)
        return guard(self.front.page("storefront/consent.html", self.front.clock(), consent=found, token=token))

    def consent_confirm(self, token: str) -> Response:
        """Let a consent hold: whoever has this link has the mail."""
        self.front.shop.leads.confirm_consent(token, now=self.front.clock())
        return guard(see(url_for("shop.consent", token=token)))

    def consent_withdraw(self, token: str) -> Response:
        """Take a consent back."""
        self.front.shop.leads.withdraw_consent(token, now=self.front.clock())
        return guard(see(url_for("shop.consent", token=token)))

    def _typed(self) -> dict[str, str]:
        kept = ("kind", "newsletter", *attribution.NAMES)
        return {name: request.form.get(name, "") for name in (*FIELDS, *kept)}

    def _form(self, kind: str, typed: Mapping[str, str], now: datetime) -> LeadForm:
        day = now.astimezone(UTC).date().isoformat()
        return LeadForm(
            key=request.form.get("key", "") or content_key(kind, day, *(typed[name] for name in FIELDS)),
            kind=kind,
            language=self.front.language(),
            newsletter=newsletter_words() if typed["newsletter"] else "",
            page=request.form.get("page", "")[:LONGEST_PAGE_NAME],
            trap=request.form.get("website", ""),
            who_asks=request.remote_addr or "",
            **{name: typed[name] for name in FIELDS},
            **attribution.of_post(typed),
        )

    def _contact(self, typed: Mapping[str, str], problems: Mapping[str, str], now: datetime, *, status: int = 200) -> Response:
        return self.front.page(
            "storefront/contact.html",
            now,
            status=status,
            typed=typed,
            problems=problems,
            labels=labels(),
            newsletter=newsletter_words(),
            key=self.front.shop.leads.open_form(now=now),
        )

    def _product_again(self, error: BadInput, kind: str, slug: str, typed: Mapping[str, str], now: datetime) -> Response:
        product = find_product(self.front, slug, now)
        if product is None or typed["sku"] not in {variant.sku for variant in product.variants}:
            # the product went away meanwhile: the text is worth more than the page it was written on
            return self._contact(typed, field_words(error), now, status=error.status)
        try:
            choice = choose(self.front, product, typed["sku"], typed["quantity"] or "1", self.front.remembered_place(), now)
        except ShopError:
            return self._contact(typed, field_words(error), now, status=error.status)
        return draw_product(
            self.front,
            product,
            choice,
            now,
            status=error.status,
            lead={"kind": kind, "typed": typed, "problems": field_words(error)},
            labels=labels(),
        )

    def _thank(self, kind: str, receipt: LeadReceipt, back: str) -> Response:
        by = receipt.answer_by.astimezone(UTC).isoformat(timespec="minutes")
        return see(url_for("shop.thanks", kind=kind, by=by, back=back))


def newsletter_words() -> str:
    """Return what somebody agrees to who wants our letters; kept with their consent, word for word."""
    return _("Write to me by e-mail now and then about new things from your workshop. I can stop this at any time.")


def labels() -> dict[str, str]:
    """Return the fields' labels, in the order of the forms."""
    return {
        "message": _("What do you need?"),
        "company": _("Company"),
        "needed_by_on": _("By when do you need it?"),
        "name": _("Your name"),
        "email": _("Your e-mail"),
        "phone": _("Phone"),
        "quantity": _("Quantity"),
        "postcode": _("Postcode"),
        "sku": _("Product"),
    }


def field_words(error: BadInput) -> dict[str, str]:
    """Return field → words in the order of the form."""
    codes = dict(error.fields) or {"message": error.code}
    ordered = [name for name in FIELDS if name in codes] + [name for name in codes if name not in FIELDS]
    return wording.say_fields({name: codes[name] for name in ordered})


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def register(routes: Blueprint, front: Front) -> None:
    """Add the addresses of the contact forms."""
    views = Views(front)
    routes.add_url_rule("/contact", "contact", views.contact)
    routes.add_url_rule("/contact", "contact_submit", views.contact_submit, methods=["POST"])
    routes.add_url_rule("/consent/<token>", "consent", views.consent)
    routes.add_url_rule("/consent/<token>", "consent_withdraw", views.consent_withdraw, methods=["POST"])
    routes.add_url_rule("/consent/<token>/confirm", "consent_confirm", views.consent_confirm, methods=["POST"])
    routes.add_url_rule("/leads", "lead_submit", views.lead_submit, methods=["POST"])
    routes.add_url_rule("/thanks", "thanks", views.thanks)
