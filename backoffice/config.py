"""Settings: one class, read once at start-up, failing early."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read every setting from SHOPFLOOR_* in the environment."""

    model_config = SettingsConfigDict(env_prefix="SHOPFLOOR_", extra="ignore")

    database_url: str = "sqlite:///var/shopfloor.db"
    var_dir: Path = Path("var")
    secret_key: str = Field(default="", repr=False)
    base_url: str = ""  # public address; empty = taken from the request
    trusted_hosts: str = ""  # comma separated; empty = any (a demo on a local network)
    proxy_hops: int = Field(default=0, ge=0, le=5)  # reverse proxies in front of us whose X-Forwarded-* we believe
    demo: bool = False  # shows the demo log-ins; makes a secret key below var_dir where none is given
    second_step: Literal["admins", "everybody", "nobody"] = "admins"  # who logs in with a code too; in a demo who wants to
    hold_minutes: int = Field(default=15, ge=1, le=120)
    mail_dir: Path | None = None  # default: var_dir/mail
    smtp_url: str = Field(default="", repr=False)  # smtp:// | smtp+starttls:// | smtps://; empty: mails go to the folder
    imap_url: str = Field(default="", repr=False)  # imaps://user:password@host/INBOX; empty: replies are not read here
    reply_address: str = ""  # sales@example.com: answers ask for replies to sales+…@example.com; empty: no such addresses
    metrics_token: str = Field(default="", repr=False)  # who asks for /metrics must name it; empty: only this machine may
    log_json: bool = False
    visit_days: int = Field(default=180, ge=1, le=730)  # how long a visit that somebody let us note is kept
    invoice_years: int = Field(default=8, ge=0, le=30)  # how long the law wants invoices kept, from the end of their year
    reoptimise_seconds: int = Field(default=30, ge=0, le=60)  # how long the worker searches for a better sequence; 0: never
    stripe_secret_key: str = Field(default="", repr=False)  # empty: the sandbox, where nothing is really paid
    stripe_webhook_secret: str = Field(default="", repr=False)  # comma separated: two while one replaces the other
    stripe_api_base: str = ""  # empty: Stripe itself

    erp_url: str = ""  # of an outside ERP; empty: this program is the ERP
    erp_key: str = Field(default="", repr=False)
    erp_max_processing_seconds: int = Field(default=120, ge=20, le=3600)  # after which an unanswered call is done or never
    erp_max_snapshot_age_seconds: int = Field(default=900, ge=60, le=86_400)  # how long stock figures are sold from

    @property
    def payment_page(self) -> str:
        """Return the origin of the payment page that customers are sent to; empty: it is one of ours."""
        return (self.stripe_api_base or "https://checkout.stripe.com") if self.stripe_secret_key else ""

    @property
    def mail_path(self) -> Path:
        """Return the folder that mails are written to."""
        return self.mail_dir or self.var_dir / "mail"

    @property
    def media_path(self) -> Path:
        """Return the folder that product pictures are served from."""
        return self.var_dir / "media"
