"""What a product page says to machines: schema.org Product, Offer and BreadcrumbList, the same facts as people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from backoffice.public.catalogue import Category, ProductPage, Variant
from backoffice.public.money import Money

SCHEMA = "https://schema.org"
# schema.org's words for what the badge says; what can be promised is never out of stock, it only comes later
AVAILABILITY: Mapping[str | None, str] = {"stock": "InStock", None: "OutOfStock"}
LATER = "BackOrder"


def product_data(product: ProductPage, *, page: str, media: Callable[[str], str], category: Callable[[str], str]) -> list[Any]:
    """Return the JSON-LD of a product page.

    page: its absolute address; media, category: make an absolute address from a file's name and a category's slug.
    """
    thing: dict[str, Any] = {
        "@context": SCHEMA,
        "@type": "Product",
        "name": product.name,
        "description": product.description,
        "url": page,
        "image": [media(picture.file) for picture in product.pictures],
        "offers": [_offer(variant, page) for variant in product.variants],
    }
    trail = [_crumb(number, node, category(node.slug)) for number, node in enumerate(product.path, start=1)]
    return [thing, {"@context": SCHEMA, "@type": "BreadcrumbList", "itemListElement": trail}]


def _offer(variant: Variant, page: str) -> dict[str, Any]:
    word = AVAILABILITY.get(variant.basis, LATER) if variant.available else AVAILABILITY[None]
    return {
        "@type": "Offer",
        "sku": variant.sku,
        "url": f"{page}?sku={variant.sku}",
        "price": plain(variant.price),
        "priceCurrency": variant.price.currency,
        "availability": f"{SCHEMA}/{word}",
    }


def plain(amount: Money) -> str:
    """Return an amount as machines read it: 1290.00, with the digits that its currency has."""
    return str(Decimal(amount.amount_minor).scaleb(-get_currency_precision(amount.currency)))


def _crumb(number: int, node: Category, address: str) -> dict[str, Any]:
    return {"@type": "ListItem", "position": number, "name": node.name, "item": address}
