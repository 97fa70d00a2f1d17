"""Tables of the CRM layer: who wants what."""

from backoffice.crm.models import long_lists as _long_lists  # noqa: F401 - its indexes are part of the tables
from backoffice.crm.models.buying import Cart, CartLine, Checkout, Order, OrderLine
from backoffice.crm.models.campaigns import Campaign, CampaignRecipient
from backoffice.crm.models.capture import CartReminder, PerhapsSame
from backoffice.crm.models.cases import CaseDeadline, ServiceCase
from backoffice.crm.models.coupons import Coupon, CouponRedemption, CouponUse
from backoffice.crm.models.forecasts import DemandForecast
from backoffice.crm.models.leads import Activity, AssignmentRule, Lead, MailTemplate
from backoffice.crm.models.lost_demand import DemandMark, LostDemand
from backoffice.crm.models.parties import Account, AccountLink, AccountSession, Address, Consent, Party
from backoffice.crm.models.pipeline import EscalationRule, LostReason, MailTaken, SavedView, StageProbability
from backoffice.crm.models.quotations import Quotation
from backoffice.crm.models.report_mails import ReportMail
from backoffice.crm.models.segments import Segment
from backoffice.crm.models.slips import Slip
from backoffice.crm.models.tasks import Task
from backoffice.crm.models.terms import CompanyPrices, CompanyTerms
from backoffice.crm.models.visits import IdentityLink, Profile, ProfileMark, Visit, VisitEvent, Visitor
from backoffice.crm.models.withdrawals import Withdrawal

__all__ = [
    "Account",
    "AccountLink",
    "AccountSession",
    "Activity",
    "Address",
    "AssignmentRule",
    "Campaign",
    "CampaignRecipient",
    "Cart",
    "CartLine",
    "CartReminder",
    "CaseDeadline",
    "Checkout",
    "CompanyPrices",
    "CompanyTerms",
    "Consent",
    "Coupon",
    "CouponRedemption",
    "CouponUse",
    "DemandForecast",
    "DemandMark",
    "EscalationRule",
    "IdentityLink",
    "Lead",
    "LostDemand",
    "LostReason",
    "MailTaken",
    "MailTemplate",
    "Order",
    "OrderLine",
    "Party",
    "PerhapsSame",
    "Profile",
    "ProfileMark",
    "Quotation",
    "ReportMail",
    "SavedView",
    "Segment",
    "ServiceCase",
    "Slip",
    "StageProbability",
    "Task",
    "Visit",
    "VisitEvent",
    "Visitor",
    "Withdrawal",
]
