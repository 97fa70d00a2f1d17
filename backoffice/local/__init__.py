"""The door over the database: each call is one transaction; what leaves the house is called between transactions."""

from __future__ import annotations

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.local.accounts import LocalAccounts
from backoffice.local.carts import LocalCarts
from backoffice.local.cases import LocalCases
from backoffice.local.catalogue import LocalCatalogue, LocalProfile, LocalPromises
from backoffice.local.checkout import LocalCheckout, Till
from backoffice.local.leads import LocalLeads
from backoffice.local.letters import LocalLetters
from backoffice.local.lost_demand import LocalLostDemand
from backoffice.local.orders import LocalOrders
from backoffice.local.quotations import LocalQuotations
from backoffice.local.slips import LocalSlips
from backoffice.local.visits import LocalVisits
from backoffice.local.withdrawals import LocalWithdrawals
from backoffice.payments.gateway import Gateway
from backoffice.public import Shop


def open_shop(settings: Settings, db: Database, gateway: Gateway) -> tuple[Shop, Till]:
    """Return the door, and the till that settles payments for it."""
    till = Till(db, gateway, settings.secret_key, settings.hold_minutes)
    carts = LocalCarts(db, till, settings.hold_minutes)
    shop = Shop(
        profile=LocalProfile(db),
        catalogue=LocalCatalogue(db),
        promises=LocalPromises(db),
        carts=carts,
        checkout=LocalCheckout(db, till, settings),
        orders=LocalOrders(db, till, settings.secret_key),
        leads=LocalLeads(db, settings.secret_key),
        accounts=LocalAccounts(db, carts, settings),
        slips=LocalSlips(db),
        withdrawals=LocalWithdrawals(db, settings.secret_key),
        quotations=LocalQuotations(db, till),
        visits=LocalVisits(db),
        cases=LocalCases(db, settings.secret_key),
        lost_demand=LocalLostDemand(db, settings.secret_key),
        letters=LocalLetters(db, settings.secret_key),
    )
    return shop, till


__all__ = ["Till", "open_shop"]
