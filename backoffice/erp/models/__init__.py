"""Tables of the ERP layer: what there is and how it is made.

Quantities are integers in an item's smallest unit; `Item.parts_per_unit` says how many make one counted unit
(paint counted in gallons and used by the ounce: 128). Instants end in `_at` (UTC), days in `_on`.
"""

from backoffice.erp.models.catalogue import (
    Category,
    CategoryText,
    Item,
    ItemSubstitute,
    Picture,
    Product,
    ProductFacet,
    ProductText,
)
from backoffice.erp.models.company import (
    Calendar,
    CalendarException,
    CalendarShift,
    Company,
    ExternalRef,
    PlanDomain,
    ShippingService,
    ShippingZone,
    Staff,
    StaffAbsence,
    Warehouse,
    WarehouseTransit,
)
from backoffice.erp.models.invoicing import Invoice, InvoiceLine, NumberSeries
from backoffice.erp.models.making import (
    BomAlternate,
    BomLine,
    OperationAlternate,
    OperationSlot,
    ProductionOrder,
    Resequencing,
    RoutingOperation,
    WorkCentre,
    WorkCentreException,
    WorkCentreStop,
)
from backoffice.erp.models.planned import PlanAudit, PlanCheckpoint, PlanDecision
from backoffice.erp.models.promising import Margin, Offer, Peg, Reservation, Residual
from backoffice.erp.models.purchasing import PurchaseOrder, PurchaseOrderLine, Supplier, SupplierItem
from backoffice.erp.models.returning import GoodsReturn, GoodsReturnLine
from backoffice.erp.models.stocking import Allotment, Shipment, ShipmentLine, ShortPick, Stock, StockLot, StockMovement, Wave

__all__ = [
    "Allotment",
    "BomAlternate",
    "BomLine",
    "Calendar",
    "CalendarException",
    "CalendarShift",
    "Category",
    "CategoryText",
    "Company",
    "ExternalRef",
    "GoodsReturn",
    "GoodsReturnLine",
    "Invoice",
    "InvoiceLine",
    "Item",
    "ItemSubstitute",
    "Margin",
    "NumberSeries",
    "Offer",
    "OperationAlternate",
    "OperationSlot",
    "Peg",
    "Picture",
    "PlanAudit",
    "PlanCheckpoint",
    "PlanDecision",
    "PlanDomain",
    "Product",
    "ProductFacet",
    "ProductText",
    "ProductionOrder",
    "PurchaseOrder",
    "PurchaseOrderLine",
    "Resequencing",
    "Reservation",
    "Residual",
    "RoutingOperation",
    "Shipment",
    "ShipmentLine",
    "ShippingService",
    "ShippingZone",
    "ShortPick",
    "Staff",
    "StaffAbsence",
    "Stock",
    "StockLot",
    "StockMovement",
    "Supplier",
    "SupplierItem",
    "Warehouse",
    "WarehouseTransit",
    "Wave",
    "WorkCentre",
    "WorkCentreException",
    "WorkCentreStop",
]
