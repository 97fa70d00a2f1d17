"""What is sold and what is made: categories, products (pages), items (things that are stocked, bought, made, sold)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base, BigId
from backoffice.erp.classes import one_of
from backoffice.erp.taxes import KINDS as TAX_KINDS

NO_WITHDRAWAL = ("made_for_you", "perishable", "sealed")  # Directive 2011/83/EU, Article 16 (c), (d), (e)


class Category(Base):
    """A node of the catalogue tree."""

    __tablename__ = "category"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("category.id"), index=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)


class CategoryText(Base):
    """A category's name in another language."""

    __tablename__ = "category_text"
    __table_args__ = (sa.UniqueConstraint("category_id", "language"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    category_id: Mapped[int] = mapped_column(sa.ForeignKey("category.id", ondelete="CASCADE"))
    language: Mapped[str]  # BCP 47
    name: Mapped[str]


class Product(Base):
    """A page in the shop: one or more items as variants."""

    __tablename__ = "product"
    __table_args__ = (sa.CheckConstraint(one_of("tax_kind", TAX_KINDS), name="tax_kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    category_id: Mapped[int] = mapped_column(sa.ForeignKey("category.id"), index=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"Width": "160 cm"}
    position: Mapped[int] = mapped_column(default=0)
    search_text: Mapped[str] = mapped_column(default="")  # folded, see erp.search
    tax_kind: Mapped[str] = mapped_column(default="standard", server_default="standard")  # see erp.taxes


class ItemSubstitute(Base):
    """What may be sent instead of an item whose day has moved, the lowest priority first. One way: the twin row is another."""

    __tablename__ = "item_substitute"
    __table_args__ = (
        sa.UniqueConstraint("item_id", "substitute_id"),
        sa.CheckConstraint("item_id <> substitute_id", name="not_itself"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id", ondelete="CASCADE"))
    substitute_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id", ondelete="CASCADE"), index=True)
    priority: Mapped[int] = mapped_column(default=1)


class ProductText(Base):
    """A product's name and description in another language."""

    __tablename__ = "product_text"
    __table_args__ = (sa.UniqueConstraint("product_id", "language"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id", ondelete="CASCADE"))
    language: Mapped[str]  # BCP 47
    name: Mapped[str | None]
    description: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=sa.text("'{}'"))  # {"Breite": "160 cm"}


class ProductFacet(Base):
    """A property that a list of products can be narrowed by, for each item of a page: Material = Oak. See erp.facets.

    Kept for the item, because two wishes must be met by one and the same variant. In the words of the product itself.
    """

    __tablename__ = "product_facet"
    __table_args__ = (
        sa.UniqueConstraint("item_id", "name", "value"),
        sa.Index("ix_product_facet_name_value", "name", "value"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id", ondelete="CASCADE"))
    name: Mapped[str]
    value: Mapped[str]


class PriceTier(Base):
    """What a piece of an item costs from so many pieces on; below the first of them its own price holds. See erp.pricing."""

    __tablename__ = "price_tier"
    __table_args__ = (
        sa.UniqueConstraint("item_id", "from_quantity"),
        sa.CheckConstraint("from_quantity > 1", name="from_quantity"),
        sa.CheckConstraint("price_minor >= 0", name="price"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id", ondelete="CASCADE"))
    from_quantity: Mapped[int]
    price_minor: Mapped[int]


class Picture(Base):
    """A picture of a product, or of one of its items. `file`: a name below the media folder."""

    __tablename__ = "picture"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("item.id", ondelete="CASCADE"), index=True)
    file: Mapped[str]
    alt: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)


class Item(Base):
    """Something that is stocked, bought, made or sold.

    source: buy | make | kit (sold as the set of its parts, see erp.kits) | phantom (its parts stand in its parent's list; never
    made by itself) | none (only what is there). sell_from: stock | incoming | production (each includes the former).
    lot_*: the lot made, for make items. on_sale: listed in the shop while there is something to promise.
    days_left: it is kept in lots that expire, and so many days must be left when it arrives, or when work with it begins;
    none: it is not kept in lots.
    """

    __tablename__ = "item"
    __table_args__ = (
        sa.CheckConstraint("source IN ('buy', 'make', 'kit', 'phantom', 'none')", name="source"),
        sa.CheckConstraint("source <> 'kit' OR sell_from = 'production'", name="kit"),
        sa.CheckConstraint("sell_from IN ('stock', 'incoming', 'production')", name="sell_from"),
        sa.CheckConstraint("safety_stock >= 0", name="safety_stock"),
        sa.CheckConstraint("parts_per_unit >= 1", name="parts"),
        sa.CheckConstraint("price_minor >= 0", name="price"),
        sa.CheckConstraint("lot_minimum >= 0 AND lot_multiple >= 1", name="lot"),
        sa.CheckConstraint(one_of("no_withdrawal", ("", *NO_WITHDRAWAL)), name="no_withdrawal"),
        sa.CheckConstraint("days_left IS NULL OR (days_left >= 0 AND source IN ('buy', 'none'))", name="days_left"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sku: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    unit: Mapped[str] = mapped_column(default="EA")
    no_withdrawal: Mapped[str] = mapped_column(default="", server_default=sa.text("''"))  # why the law lets nobody take it back
    parts_per_unit: Mapped[int] = mapped_column(default=1)
    source: Mapped[str] = mapped_column(default="buy")
    sell_from: Mapped[str] = mapped_column(default="stock")
    safety_stock: Mapped[int] = mapped_column(default=0)
    lot_minimum: Mapped[int] = mapped_column(default=0)
    lot_multiple: Mapped[int] = mapped_column(default=1)
    lot_maximum: Mapped[int | None]
    on_sale: Mapped[bool] = mapped_column(default=False)
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("product.id"), index=True)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {"Size": "M"}
    position: Mapped[int] = mapped_column(default=0)
    price_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(default="EUR")
    bin: Mapped[str] = mapped_column(default="")  # where it lies, for the picker
    days_left: Mapped[int | None]
