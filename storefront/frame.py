"""What stands around every page of the shop: links to its files, the head with the search, the foot.

All of it is the same for everybody who reads in one language, so it is drawn once and drawn again when the shop's face or
its categories have changed: a third of what a page costs otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import render_template, request
from markupsafe import Markup

from backoffice.public import ShopProfile
from backoffice.public.catalogue import Category

PARTS = ("files", "top", "foot")


@dataclass(frozen=True, slots=True)
class Frame:
    """The parts as they were drawn, and what they were drawn of."""

    profile: ShopProfile
    categories: Sequence[Category]
    files: Markup
    top: Markup
    foot: Markup


class Frames:
    """The frames drawn so far: one for each language and each category that a page may lie in."""

    def __init__(self) -> None:
        """Begin with none."""
        self._drawn: dict[tuple[str, str, str], Frame] = {}

    def get(
        self,
        profile: ShopProfile,
        categories: Sequence[Category],
        shared: Mapping[str, Any],
        *,
        trail: Sequence[Category],
        query: str,
    ) -> Frame:
        """Return the frame of a page.

        shared: what templates are given for every page. trail: the categories that the page lies in, from the top down.
        query: what was searched for, which stays in the field.
        """
        top = trail[0].slug if trail else ""
        at = top if any(category.slug == top for category in categories) else ""
        key = (shared["fmt"].language, request.script_root, at)
        kept = self._drawn.get(key)
        if kept is None or not (_same(kept.profile, profile) and _same(kept.categories, categories)):
            kept = Frame(profile, categories, *(_draw(part, shared, at) for part in PARTS))
            self._drawn[key] = kept
        return replace(kept, top=_draw("top", shared, at, query)) if query else kept


def _draw(part: str, shared: Mapping[str, Any], at: str, query: str = "") -> Markup:
    html = render_template(f"storefront/frame/{part}.html", **shared, at=at, query=query)
    return Markup(html)  # noqa: S704 - our own template, which escapes what it is given


def _same(one: object, other: object) -> bool:
    """Tell whether two are equal; mostly they are one and the same, and then nothing is compared."""
    return one is other or one == other
