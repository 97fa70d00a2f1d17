"""The pages that belong to whichever provider is in use: the sandbox's payment page, or the ear for Stripe's messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from backoffice.config import Settings
from backoffice.payments import sandbox_pages
from backoffice.payments.gateway import Gateway
from backoffice.payments.sandbox import SandboxGateway

if TYPE_CHECKING:
    from flask import Flask


class Services(Protocol):
    """What the pages need of the services."""

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...

    @property
    def gateway(self) -> Gateway:
        """The provider in use."""
        ...

    @property
    def till(self) -> sandbox_pages.Settles:
        """Where its messages go."""
        ...

    @property
    def clock(self) -> Callable[[], datetime]:
        """The clock."""
        ...


def register(app: Flask, services: Services) -> None:
    """Add the provider's pages to the site."""
    if isinstance(services.gateway, SandboxGateway):
        app.register_blueprint(sandbox_pages.blueprint(services.gateway, services.till, services.clock))
        return
    from backoffice.payments import stripe_webhook  # with Stripe's library, which takes long to import

    settings = services.settings
    live = "_live_" in settings.stripe_secret_key
    stripe_webhook.register(app, services.till, settings.stripe_webhook_secret, services.clock, live=live)
