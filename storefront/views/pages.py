"""Pictures, the plain texts, robots.txt, the sitemap, the choice of a language."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template, request, send_from_directory, url_for

from storefront import languages
from storefront.cookies import keep_language
from storefront.front import Front, see, shared
from storefront.inputs import is_local_path

TEXTS = ("about", "delivery", "returns", "privacy", "imprint")
# what may be served from the media folder, and as what; everything else is not there
PICTURE_TYPES = {
    ".svg": "image/svg+xml",
    ".gif": "image/gif",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
NOT_FOR_ROBOTS = ("/cart", "/checkout", "/o/", "/thanks")  # in every language
NO_PAGES = ("/desk/", "/language/")


@dataclass(frozen=True, slots=True)
class Views:
    """Addresses that need no decision."""

    front: Front

    def page(self, name: str) -> Response:
        """Show one of the plain texts."""
        return shared(self.front.page("storefront/text.html", self.front.clock(), name=name))

    def media(self, path: str) -> Response:
        """Send a picture from the media folder. A drawing may style itself, and nothing else."""
        dot = path.rfind(".")
        kind = PICTURE_TYPES.get(path[dot:].lower()) if dot >= 0 else None
        if kind is None:
            abort(404)
        response = send_from_directory(self.front.media, path, mimetype=kind, max_age=86400)
        response.headers["X-Content-Type-Options"] = "nosniff"
        if kind == "image/svg+xml":
            response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        return response

    def robots(self) -> Response:
        """Tell robots what is nobody's business but the customer's, and where everything else is listed."""
        shop = languages.spoken()
        closed = [shop.prefix(language) + path for language in (shop.own, *shop.others) for path in NOT_FOR_ROBOTS]
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in (*closed, *NO_PAGES))]
        return Response("\n".join([*lines, f"Sitemap: {url_for('shop.sitemap', _external=True)}", ""]), mimetype="text/plain")

    def sitemap(self) -> Response:
        """List every page worth finding, with its twins: the first one, categories, what can be had, the plain texts."""
        now, catalogue = self.front.clock(), self.front.shop.catalogue
        shop = languages.spoken()
        paths = [
            url_for("shop.home"),
            *(url_for("shop.category", slug=node.slug) for node in catalogue.find_categories()),
            *(url_for("shop.product", slug=slug) for slug in catalogue.find_slugs(now=now)),
            *(url_for("shop.page", name=name) for name in TEXTS),
        ]
        pages = [{tag: languages.address_in(tag, path, absolute=True) for tag in (shop.own, *shop.others)} for path in paths]
        body = render_template("storefront/sitemap.xml", pages=pages, own=shop.own)
        return Response(body, mimetype="application/xml")

    def language(self, code: str) -> Response:
        """Remember a language and show the page that the reader comes from in it."""
        if code not in languages.spoken():
            abort(404)
        back = request.args.get("back", "/")
        path = back if is_local_path(back) else "/"
        return keep_language(see(languages.address_in(code, path)), code)


def register(routes: Blueprint, front: Front) -> None:
    """Add the addresses."""
    views = Views(front)
    routes.add_url_rule(f"/<any({','.join(TEXTS)}):name>", "page", views.page)
    routes.add_url_rule("/media/<path:path>", "media", views.media)
    routes.add_url_rule("/robots.txt", "robots", views.robots)
    routes.add_url_rule("/sitemap.xml", "sitemap", views.sitemap)
    routes.add_url_rule("/language/<code>", "language", views.language)
