"""The desks' own table: how often somebody tried to log in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from backoffice.db import Base


class LoginThrottle(Base):
    """Tries of one address with one e-mail (as a hash) since `since_at`. A log-in that works removes the row."""

    __tablename__ = "login_throttle"

    who: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int]
    since_at: Mapped[datetime]
