"""Pictures, the plain texts, robots.txt, the sitemap."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template, send_from_directory, url_for

from storefront.front import Front, shared

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
ROBOTS = "User-agent: *\nDisallow: /cart\nDisallow: /checkout\nDisallow: /o/\nDisallow: /thanks\nDisallow: /desk/\n"


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
        return Response(f"{ROBOTS}Sitemap: {url_for('shop.sitemap', _external=True)}\n", mimetype="text/plain")

    def sitemap(self) -> Response:
        """List every page worth finding: the first one, categories, products that can be had, the plain texts."""
        now, catalogue = self.front.clock(), self.front.shop.catalogue
        addresses = [
            url_for("shop.home", _external=True),
            *(url_for("shop.category", slug=node.slug, _external=True) for node in catalogue.find_categories(now=now)),
            *(url_for("shop.product", slug=slug, _external=True) for slug in catalogue.find_slugs(now=now)),
            *(url_for("shop.page", name=name, _external=True) for name in TEXTS),
        ]
        return Response(render_template("storefront/sitemap.xml", addresses=addresses), mimetype="application/xml")


def register(routes: Blueprint, front: Front) -> None:
    """Add the addresses."""
    views = Views(front)
    routes.add_url_rule(f"/<any({','.join(TEXTS)}):name>", "page", views.page)
    routes.add_url_rule("/media/<path:path>", "media", views.media)
    routes.add_url_rule("/robots.txt", "robots", views.robots)
    routes.add_url_rule("/sitemap.xml", "sitemap", views.sitemap)
