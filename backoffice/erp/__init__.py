"""What there is and how it is made. Whoever imports any of it gets the plan's log with it: no row of the plan without it."""

from backoffice.erp import decisions

__all__ = ["decisions"]
