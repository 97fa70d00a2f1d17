"""What a product page says to machines: schema.org Product, Offer and BreadcrumbList, the same facts as people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from backoffice.public.catalogue import Category, ProductPage, Variant
from backoffice.public.money import Money
from backoffice.public.promise import Promise

SCHEMA = "https://schema.org"
# schema.org's words for what the badge says; what can be promised is never out of stock, it only comes later
AVAILABILITY: Mapping[str | None, str] = {"stock": "InStock", None: "OutOfStock"}
LATER = "BackOrder"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the page says beside every price: where to and for how much it is sent, and how long it may come back."""

    country: str
    shipping: Money | None
    returns_days: int


def product_data(
    product: ProductPage,
    *,
    page: str,
    media: Callable[[str], str],
    category: Callable[[str], str],
    terms: Terms,
    promise: Promise | None,
    today: date,
) -> list[Any]:
    """Return the JSON-LD of a product page.

    page: its absolute address; media, category: make an absolute address from a file's name and a category's slug.
    promise: the one that the page shows, for one of the variants; the days of the others are not known here.
    Prices carry no date until which they hold: nobody has promised one.
    """
    thing: dict[str, Any] = {
        "@context": SCHEMA,
        "@type": "Product",
        "name": product.name,
        "description": product.description,
        "url": page,
        "image": [media(picture.file) for picture in product.pictures],
        "offers": [_offer(variant, page, terms, promise, today) for variant in product.variants],
    }
    trail = [_crumb(number, node, category(node.slug)) for number, node in enumerate(product.path, start=1)]
    return [thing, {"@context": SCHEMA, "@type": "BreadcrumbList", "itemListElement": trail}]


def _offer(variant: Variant, page: str, terms: Terms, promise: Promise | None, today: date) -> dict[str, Any]:
    word = AVAILABILITY.get(variant.basis, LATER) if variant.available else AVAILABILITY[None]
    return {
        "@type": "Offer",
        "sku": variant.sku,
        "url": f"{page}?sku={variant.sku}",
        "price": plain(variant.price),
        "priceCurrency": variant.price.currency,
        "availability": f"{SCHEMA}/{word}",
        **_shipping(terms, promise if promise and promise.sku == variant.sku else None, today),
        "hasMerchantReturnPolicy": {
            "@type": "MerchantReturnPolicy",
            "applicableCountry": terms.country,
            "returnPolicyCategory": f"{SCHEMA}/MerchantReturnFiniteReturnWindow",
            "merchantReturnDays": terms.returns_days,
        },
    }


def _shipping(terms: Terms, promise: Promise | None, today: date) -> dict[str, Any]:
    if terms.shipping is None:
        return {}
    details: dict[str, Any] = {
        "@type": "OfferShippingDetails",
        "shippingRate": {
            "@type": "MonetaryAmount",
            "value": plain(terms.shipping),
            "currency": terms.shipping.currency,
        },
        "shippingDestination": {"@type": "DefinedRegion", "addressCountry": terms.country},
    }
    if promise is not None:
        details["deliveryTime"] = {
            "@type": "ShippingDeliveryTime",
            "handlingTime": _days((promise.ship_on - today).days),
            "transitTime": _days((promise.deliver_on - promise.ship_on).days),
        }
    return {"shippingDetails": details}


def _days(number: int) -> dict[str, Any]:
    return {"@type": "QuantitativeValue", "minValue": number, "maxValue": number, "unitCode": "DAY"}


def plain(amount: Money) -> str:
    """Return an amount as machines read it: 1290.00, with the digits that its currency has."""
    return str(Decimal(amount.amount_minor).scaleb(-get_currency_precision(amount.currency)))


def _crumb(number: int, node: Category, address: str) -> dict[str, Any]:
    return {"@type": "ListItem", "position": number, "name": node.name, "item": address}
