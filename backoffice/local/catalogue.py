"""Catalogue, promises and profile over the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from backoffice.crm import carts
from backoffice.db import Database
from backoffice.erp import catalogue, offers, promising, shipping
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.erp.shipping import Destination
from backoffice.public import ShopProfile
from backoffice.public.catalogue import Card, Category, Listing, Picture, ProductPage, Variant
from backoffice.public.errors import BadInput, NotFound
from backoffice.public.money import Money
from backoffice.public.promise import Promise


class LocalProfile:
    """Say who the shop is."""

    def __init__(self, db: Database) -> None:
        """Read from `db`."""
        self._db = db

    def get(self) -> ShopProfile:
        """Return the company's public face."""
        with self._db.read() as session:
            company = get_company(session)
            countries = shipping.countries(session)
            return ShopProfile(
                name=company.name,
                country=company.country,
                currency=company.currency,
                timezone=company.timezone,
                language=company.language,
                email=company.email,
                phone=company.phone,
                address=list(company.address),
                countries=countries,
                returns_days=company.returns_days,
                vat_number=company.vat_number,
                register_entry=company.register_entry,
                languages=[str(tag) for tag in company.languages],
            )


class LocalCatalogue:
    """Read the catalogue from the projection, made fresh first where it was touched."""

    def __init__(self, db: Database) -> None:
        """Read from `db`."""
        self._db = db
        self._tops: dict[str, tuple[str, list[Category]]] = {}  # language → state, the top of the tree: on every page

    def list_products(
        self, *, category: str | None, query: str | None, page: int, postcode: str | None, language: str, now: datetime
    ) -> Listing:
        """Return one page of products of which something may be promised."""
        offers.freshen(self._db, now=now)
        with self._db.read() as session:
            tree = catalogue.tree(session, language)
            chosen = catalogue.find_category(session, category) if category else None
            if category and chosen is None:
                raise NotFound("unknown_category", slug=category)
            inside = tree.below(chosen.id) if chosen else None
            products, total = catalogue.page_of(session, categories=inside, query=query, page=page)
            place = place_of(session, postcode, now)
            children = [_category(tree, one) for one in tree.children.get(chosen.id if chosen else None, [])]
            return Listing(
                cards=cards_of(session, products, place, language, now),
                total=total,
                page=page,
                pages=max(1, -(-total // catalogue.PAGE)),
                category=_category(tree, chosen.id) if chosen else None,
                path=[_category(tree, one) for one in tree.path(chosen.id)] if chosen else [],
                categories=[child for child in children if child.count],
                nearest_words=catalogue.nearest_words(session, query) if query and not total else (),
            )

    def get_product(self, slug: str, *, language: str, now: datetime) -> ProductPage:
        """Return a product with its variants, also when nothing can be promised."""
        offers.freshen(self._db, now=now)
        with self._db.read() as session:
            product = catalogue.find_product(session, slug)
            if product is None:
                raise NotFound("unknown_product", slug=slug)
            tree = catalogue.tree(session, language)
            text = catalogue.texts_of(session, [product.id], language).get(product.id)
            pictures = catalogue.pictures_of(session, [product.id])[product.id]
            items = catalogue.items_of(session, [product.id])[product.id]
            company = get_company(session)
            return ProductPage(
                slug=product.slug,
                name=(text.name if text and text.name else product.name),
                description=text.description if text else product.description,
                language=text.language if text else company.language,
                pictures=[_picture(picture) for picture in _each_once(pictures)],
                path=[_category(tree, one) for one in tree.path(product.category_id)],
                variants=[
                    Variant(
                        sku=item.sku,
                        options={str(k): str(v) for k, v in item.options.items()},
                        price=Money(item.price_minor, item.currency),
                        picture=_own_picture(pictures, item.id),
                        available=bool(offer and offer.listed),
                        basis=offer.basis if offer and offer.listed else None,
                    )
                    for item, offer in items
                ],
                facts={str(k): str(v) for k, v in ((text.facts if text else {}) or product.facts).items()},
            )

    def find_version(self, *, now: datetime) -> str:
        """Return a name for the present state of the catalogue."""
        with self._db.read() as session:
            state, stale = offers.shown_version(session, now=now)
        if stale:
            offers.freshen(self._db, now=now)
            with self._db.read() as session:
                state, _ = offers.shown_version(session, now=now)
        return state

    def find_slugs(self, *, now: datetime) -> Sequence[str]:
        """Return the slugs of all products of which something may be promised."""
        offers.freshen(self._db, now=now)
        with self._db.read() as session:
            return catalogue.slugs(session)

    def find_categories(self, *, now: datetime, language: str = "") -> Sequence[Category]:
        """Return the top of the tree where something is listed, as it was when offers were last computed."""
        with self._db.read() as session:
            state, _ = offers.shown_version(session, now=now)
            kept = self._tops.get(language)
            if kept is None or kept[0] != state:
                tree = catalogue.tree(session, language)
                top = [_category(tree, one) for one in tree.children.get(None, [])]
                kept = self._tops[language] = (state, [category for category in top if category.count])
            return kept[1]


class LocalPromises:
    """Ask for a day."""

    def __init__(self, db: Database) -> None:
        """Read from `db`."""
        self._db = db

    def quote(
        self, sku: str, quantity: int, *, postcode: str | None, cart: str | None, now: datetime, country: str | None = None
    ) -> Promise:
        """Return the earliest day; own holds do not compete."""
        if not 1 <= quantity <= carts.MOST:
            raise BadInput("bad_quantity", most=carts.MOST)
        with self._db.read() as session:
            item = promising.get_item(session, sku)
            own = carts.find_cart(session, cart)
            owner = carts.owner_ref(own) if own else None
            return promising.quote(session, item, quantity, country=country, postcode=postcode, own=owner, now=now)


def place_of(session: Session, postcode: str | None, now: datetime) -> Destination:
    """Return where days are named for; a postcode that does not exist falls back to the default place in lists."""
    master = masters.load(session, now=now)
    try:
        return shipping.destination(session, master, postcode=postcode, now=now)
    except BadInput:
        return shipping.destination(session, master, now=now)


def cards_of(session: Session, products: Sequence[t.Product], place: Destination, language: str, now: datetime) -> list[Card]:
    ids = [product.id for product in products]
    items = catalogue.items_of(session, ids)
    pictures = catalogue.pictures_of(session, ids)
    texts = catalogue.texts_of(session, ids, language)
    master = masters.load(session, now=now)
    cards = []
    for product in products:
        first = catalogue.earliest(items[product.id], now)
        if first is None or first[1].ready_at is None:
            continue
        item, offer = first
        way = shipping.from_warehouse(session, master, place, offer.warehouse_id, now=now)
        days = promising.day_for(first[1].ready_at, way, now=now)
        if days is None:
            continue
        text = texts.get(product.id)
        prices = {other.price_minor for other, its in items[product.id] if its is not None and its.listed}
        cards.append(
            Card(
                slug=product.slug,
                name=text.name if text and text.name else product.name,
                sku=item.sku,
                picture=_own_picture(pictures[product.id], item.id),
                price=Money(item.price_minor, item.currency),
                several_prices=len(prices) > 1,
                promise=Promise(
                    sku=item.sku,
                    quantity=1,
                    basis=offer.basis,
                    ready_at=max(offer.ready_at or now, now),
                    ship_on=days[0],
                    deliver_on=days[1],
                    steps=(),
                    valid_until=offer.valid_until,
                    plan_version=offer.plan_version,
                    postcode=place.postcode,
                ),
            )
        )
    return cards


def _category(tree: catalogue.Tree, category_id: int) -> Category:
    row = tree.rows[category_id]
    parent = tree.rows[row.parent_id].slug if row.parent_id else None
    return Category(row.slug, tree.names[category_id], parent, tree.counts[category_id])


def _picture(picture: t.Picture) -> Picture:
    return Picture(picture.file, picture.alt)


def _each_once(pictures: Sequence[t.Picture]) -> Iterable[t.Picture]:
    """Return the pictures without repeats: several sizes may show one photo."""
    shown: dict[str, t.Picture] = {}
    for picture in pictures:
        shown.setdefault(picture.file, picture)
    return shown.values()


def _own_picture(pictures: Sequence[t.Picture], item_id: int) -> Picture | None:
    """Return the item's own picture, else the product's first."""
    own = [picture for picture in pictures if picture.item_id == item_id] or list(pictures)
    return _picture(own[0]) if own else None
