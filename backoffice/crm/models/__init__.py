"""Tables of the CRM layer: who wants what."""

from backoffice.crm.models.buying import Cart, CartLine, Checkout, Order, OrderLine
from backoffice.crm.models.coupons import Coupon, CouponRedemption, CouponUse
from backoffice.crm.models.forecasts import DemandForecast
from backoffice.crm.models.leads import Activity, AssignmentRule, Lead, MailTemplate
from backoffice.crm.models.lost_demand import DemandMark, LostDemand
from backoffice.crm.models.parties import Account, AccountLink, AccountSession, Address, Consent, Party
from backoffice.crm.models.report_mails import ReportMail
from backoffice.crm.models.slips import Slip
from backoffice.crm.models.withdrawals import Withdrawal

__all__ = [
    "Account",
    "AccountLink",
    "AccountSession",
    "Activity",
    "Address",
    "AssignmentRule",
    "Cart",
    "CartLine",
    "Checkout",
    "Consent",
    "Coupon",
    "CouponRedemption",
    "CouponUse",
    "DemandForecast",
    "DemandMark",
    "Lead",
    "LostDemand",
    "MailTemplate",
    "Order",
    "OrderLine",
    "Party",
    "ReportMail",
    "Slip",
    "Withdrawal",
]
