"""Every table, imported once: what Alembic compares with and tests create."""

from backoffice import api_keys, audit, idempotency, second_step, staff_sessions, throttle
from backoffice.bridge import models as bridge_models
from backoffice.crm import models as crm_models
from backoffice.db import Base
from backoffice.erp import models as erp_models
from backoffice.payments import models as payment_models
from backoffice.privacy import models as privacy_models
from backoffice.verify import models as verify_models

metadata = Base.metadata

__all__ = [
    "api_keys",
    "audit",
    "bridge_models",
    "crm_models",
    "erp_models",
    "idempotency",
    "metadata",
    "payment_models",
    "privacy_models",
    "second_step",
    "staff_sessions",
    "throttle",
    "verify_models",
]
