"""Catalogue, promises and profile over the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from backoffice.crm import carts, company_prices
from backoffice.db import Database
from backoffice.erp import catalogue, facets, in_time, listing, offers, price_lists, pricing, promising, shipping, sources
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.classes import RETAIL
from backoffice.erp.company import Premises, get_company, premises
from backoffice.local.ways import Way
from backoffice.public import ShopProfile
from backoffice.public.catalogue import (
    ALL,
    Card,
    Category,
    Content,
    Facet,
    FacetValue,
    Listing,
    Picture,
    ProductPage,
    Variant,
    Wish,
)
from backoffice.public.errors import BadInput, NotFound
from backoffice.public.money import Money
from backoffice.public.promise import Instead, Promise

Narrowing = tuple[list[Facet], tuple[Money, Money] | None]  # facets, the span of prices
NOTHING: Narrowing = ([], None)
MOST_KEPT = 200


class LocalProfile:
    """Say who the shop is."""

    def __init__(self, db: Database) -> None:
        """Read from `db`."""
        self._db = db
        self._known: tuple[Premises, ShopProfile] | None = None

    def get(self) -> ShopProfile:
        """Return the company's public face: one and the same until its master data changed."""
        with self._db.read() as session:
            places = premises(session)
            known = self._known
            if known is None or known[0] is not places:
                known = self._known = (places, _face(places.company, shipping.countries(session)))
            return known[1]


def _face(company: t.Company, countries: Sequence[str]) -> ShopProfile:
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
        shipping=Money(company.shipping_minor, company.currency),
        capture_on_shipment=company.capture_on_shipment,
        languages=[str(tag) for tag in company.languages],
    )


class LocalCatalogue:
    """Read the catalogue from the projection, made fresh first where it was touched."""

    def __init__(self, db: Database) -> None:
        """Read from `db`."""
        self._db = db
        self._narrowings: dict[tuple[str | None, str | None, str], tuple[str, Narrowing]] = {}
        self._tops: dict[str, tuple[str, list[Category]]] = {}  # language → state, the top of the tree: on every page

    def list_products(
        self,
        *,
        category: str | None,
        query: str | None,
        page: int,
        postcode: str | None,
        language: str,
        now: datetime,
        wish: Wish = ALL,
        country: str | None = None,
    ) -> Listing:
        """Return one page of products of which something may be promised."""
        offers.freshen(self._db, now=now)
        with self._db.read() as session:
            tree = catalogue.tree(session, language)
            chosen = catalogue.find_category(session, category) if category else None
            if category and chosen is None:
                raise NotFound("unknown_category", slug=category)
            way = Way(session, postcode, now, country=country)
            where = listing.Where(tree.below(chosen.id) if chosen else None, query, way.windows(wish))
            total = listing.count(session, where, wish)
            products = listing.page(session, where, wish, page, language=language, now=now, day_of=way.day_of)
            children = [_category(tree, one) for one in tree.children.get(chosen.id if chosen else None, [])]
            asked = (category, query, language)
            narrowing = self._narrowing(session, where, wish, asked, now) if any(asked[:2]) or wish.narrows else NOTHING
            return Listing(
                cards=cards_of(session, products, way, language, now, where, wish),
                total=total,
                page=page,
                pages=max(1, -(-total // listing.PAGE)),
                category=_category(tree, chosen.id) if chosen else None,
                path=[_category(tree, one) for one in tree.path(chosen.id)] if chosen else [],
                categories=[child for child in children if child.count],
                nearest_words=catalogue.nearest_words(session, query) if query and not total and not wish.narrows else (),
                facets=narrowing[0],
                prices=narrowing[1],
                earliest_on=way.earliest(listing.ready(session, where, wish))
                if where.in_time is not None and not total
                else None,
            )

    def _narrowing(
        self, session: Session, where: listing.Where, wish: Wish, asked: tuple[str | None, str | None, str], now: datetime
    ) -> Narrowing:
        """Return what a list can be narrowed by; that of a whole list is kept, as every page of it shows it."""
        if wish.narrows:
            return narrowing_of(session, where, wish, language=asked[2])
        state, stale = offers.shown_version(session, now=now)
        kept = self._narrowings.get(asked)
        if kept is not None and kept[0] == state and not stale:
            return kept[1]
        found = narrowing_of(session, where, wish, language=asked[2])
        if len(self._narrowings) >= MOST_KEPT:
            self._narrowings = {}
        self._narrowings[asked] = (state, found)
        return found

    def get_product(self, slug: str, *, language: str, now: datetime, account: str | None = None) -> ProductPage:
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
            contents = catalogue.contents_of(session, [item.id for item, _ in items], language)
            prices = _prices(session, [item for item, _ in items], account, now)
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
                        price=Money(prices[item.id][0], item.currency),
                        picture=_own_picture(pictures, item.id),
                        available=bool(offer and offer.listed),
                        basis=offer.basis if offer and offer.listed else None,
                        contents=[Content(*one) for one in contents.get(item.id, ())],
                        no_withdrawal=item.no_withdrawal,
                        tiers=[(n, Money(price, item.currency)) for n, price in prices[item.id][1]],
                        everybodys=Money(item.price_minor, item.currency) if prices[item.id][0] < item.price_minor else None,
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

    def find_categories(self, *, language: str = "") -> Sequence[Category]:
        """Return the top of the tree where something is listed, as it was when offers were last computed."""
        with self._db.read() as session:
            state = offers.shown_state(session)
            kept = self._tops.get(language)
            if kept is None or kept[0] != state:
                tree = catalogue.tree(session, language)
                top = [_category(tree, one) for one in tree.children.get(None, [])]
                kept = self._tops[language] = (state, [category for category in top if category.count])
            return kept[1]


def _prices(
    session: Session, items: Sequence[t.Item], account: str | None, now: datetime
) -> Mapping[int, tuple[int, Sequence[tuple[int, int]]]]:
    """Return item → what one piece costs, and from how many pieces on less: by the list of who is logged in, if they have one."""
    own = company_prices.list_of_account(session, account, now=now) if account else None
    if own is None:
        return {item.id: (item.price_minor, pricing.tiers_of(session, item.id)) for item in items}
    prices = price_lists.find(session, own, [item.id for item in items])
    return {item.id: price_lists.tiers_of(session, item, prices) for item in items}


class LocalPromises:
    """Ask for a day."""

    def __init__(self, db: Database) -> None:
        """Read from `db`."""
        self._db = db

    def quote(
        self,
        sku: str,
        quantity: int,
        *,
        postcode: str | None,
        cart: str | None,
        now: datetime,
        country: str | None = None,
        customer_class: str | None = None,
    ) -> Promise:
        """Return the earliest day; own holds do not compete."""
        if not 1 <= quantity <= carts.MOST:
            raise BadInput("bad_quantity", most=carts.MOST)
        with self._db.read() as session:
            item = promising.get_item(session, sku)
            own = carts.find_cart(session, cart)
            return promising.quote(
                session,
                item,
                quantity,
                country=country,
                postcode=postcode,
                own=carts.owner_ref(own) if own else None,
                customer_class=own.customer_class if own else customer_class or RETAIL,
                now=now,
            )

    def find_instead(
        self,
        sku: str,
        quantity: int,
        *,
        postcode: str | None,
        cart: str | None,
        now: datetime,
        country: str | None = None,
        customer_class: str | None = None,
    ) -> Sequence[Instead]:
        """Return what may stand in for it."""
        if not 1 <= quantity <= carts.MOST:
            raise BadInput("bad_quantity", most=carts.MOST)
        with self._db.read() as session:
            item = promising.get_item(session, sku)
            place = shipping.destination(session, masters.load(session, now=now), country=country, postcode=postcode, now=now)
            own = carts.find_cart(session, cart)
            whose = own.customer_class if own else customer_class or RETAIL
            asker = sources.Buyer(place.country, place.postcode, carts.owner_ref(own) if own else None, customer_class=whose)
            return instead_of(session, in_time.instead(session, item, quantity, asker, by=None, now=now))


def instead_of(session: Session, found: Sequence[tuple[t.Item, Promise]]) -> list[Instead]:
    """Return stand-ins as customers see them."""
    names = catalogue.names_of(session, [item for item, _ in found])
    return [
        Instead(
            item.sku,
            *names[item.id],
            ", ".join(str(value) for value in item.options.values()),
            Money(item.price_minor, item.currency),
            promise.deliver_on,
        )
        for item, promise in found
    ]


def narrowing_of(session: Session, where: listing.Where, wish: Wish, language: str) -> Narrowing:
    """Return what a list can be narrowed by: facets in the reader's words, and the span of its prices."""
    counted = listing.facets_of(session, where, wish)
    every = [one for values in counted.values() for one in values]
    texts = catalogue.texts_of(session, {one.product_id for one in every}, language) if every else {}
    words = facets.words(session, every, texts) if texts else {}
    names = {name: said for (name, _), (said, _) in words.items()}
    currency = get_company(session).currency
    span = listing.prices(session, where, wish, currency)
    return [
        Facet(
            name,
            names.get(name, name),
            [
                FacetValue(
                    one.value,
                    words.get((name, one.value), ("", one.value))[1],
                    one.products,
                    one.value in wish.facets.get(name, ()),
                )
                for one in values
            ],
        )
        for name, values in counted.items()
    ], (Money(span[0], currency), Money(span[1], currency)) if span else None


def cards_of(
    session: Session, products: Sequence[t.Product], way: Way, language: str, now: datetime, where: listing.Where, wish: Wish
) -> list[Card]:
    """Return the cards of products that a list has found: each shows the variant that meets the wish."""
    ids = [product.id for product in products]
    items = catalogue.items_of(session, ids)
    pictures = catalogue.pictures_of(session, ids)
    texts = catalogue.texts_of(session, ids, language)
    only = listing.matching(session, ids, where, wish) if wish.narrows else None
    cards = []
    for product in products:
        first = listing.shown(items[product.id], now, sort=wish.sort, only=only)
        if first is None or first[1].ready_at is None:
            continue
        item, offer = first
        days = way.days(first[1].ready_at, offer.warehouse_id)
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
                    postcode=way.place.postcode,
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
