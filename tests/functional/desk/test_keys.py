"""Partners' keys at the administrator's desk: their class of customers."""

from __future__ import annotations

from collections.abc import Callable

from backoffice.api_keys import ApiKey
from backoffice.audit import AuditEntry
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
ADMIN = "/desk/admin"


def test_a_partners_class_is_set_and_set_again(at_desk: AtDesk, workshop: Workshop) -> None:
    ada = at_desk("Ada")
    ada.post(f"{ADMIN}/keys", name="Marktplatz", scopes=["orders:read"], customer_class="trade")
    page = ada.send(f"{ADMIN}/keys/1/class", customer_class="key")
    assert '<option value="key" selected>Key accounts</option>' in page
    ada.send(f"{ADMIN}/keys/1/class", customer_class="key")  # nothing changes, nothing is written
    ada.refused(f"{ADMIN}/keys/1/class", 422, customer_class="kings")
    ada.refused(f"{ADMIN}/keys/9/class", 404, customer_class="key")
    ada.refused(f"{ADMIN}/keys", 422, name="Fair", scopes=["orders:read"], customer_class="kings")
    assert [one.customer_class for one in workshop.rows(ApiKey)] == ["key"]
    details = [one.details for one in workshop.rows(AuditEntry, action="api_key.class")]
    assert details == [{"name": "Marktplatz", "before": "trade", "after": "key"}]
