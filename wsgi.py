"""The one place where the parts meet. Importing it does nothing; gunicorn calls `wsgi:create_app()`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask

from backoffice import bootstrap, policy
from backoffice.config import Settings
from backoffice.desk.app import register as register_desks
from backoffice.desk.phrases import TRANSLATIONS as DESK_WORDS
from backoffice.payments.pages import register as register_payments
from backoffice.web import logs, shedding
from backoffice.web.site import make_site
from storefront import busy
from storefront.api.app import blueprint as api
from storefront.app import blueprint as shop_window
from storefront.app import register_errors
from storefront.languages import TRANSLATIONS as SHOP_WORDS
from storefront.languages import offered


def create_app(settings: Settings | None = None, clock: Callable[[], datetime] | None = None) -> Flask:
    """Return the whole site: shop window, desks, sandbox payment pages, health, under one policy.

    Raises RuntimeError when a route has no entry in the policy or the settings are not safe to start with.
    """
    services = bootstrap.build(settings or Settings(), clock=clock)
    settings, clock = services.settings, services.clock  # a demo's secret key has been made by now
    logs.configure(as_json=settings.log_json)
    site = make_site(settings, services.db, clock)
    site.extensions["shopfloor"] = services
    site.config["BABEL_TRANSLATION_DIRECTORIES"] = f"{SHOP_WORDS};{DESK_WORDS}"
    site.register_blueprint(shop_window(services.shop, clock, media=settings.media_path, demo=settings.demo))
    site.register_blueprint(api(services.shop, services.partners, clock))
    register_errors(site)
    standing = shedding.of(site)
    standing.words, standing.languages = busy.words(site), offered()
    register_desks(site, services)
    register_payments(site, services)
    policy.enforce(site)
    return site
