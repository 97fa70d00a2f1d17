# ruff: noqa: E501 - rows of files, as they are
"""A small AdventureWorks folder, written by hand: every rule of the data has a row here.

Products: 1 a bike (made of a frame, two wheels and paint), 2 its frame (real routing, like model 10), 3 a wheel (bought),
4 paint (bought by the gallon), 5 a sold-out cap, 6 a retired cap, 7 a frame without parts list, 8 a hub (made, without
days to manufacture), 9 a rim that nobody sells us.
"""

from __future__ import annotations

import csv
from pathlib import Path

FILES: dict[str, str] = {
    "ProductCategory.csv": "ProductCategoryID,Name\n1,Bikes\n2,Components\n3,Clothing\n4,Unused\n",
    "ProductSubcategory.csv": "ProductSubcategoryID,ProductCategoryID,Name\n1,1,Touring Bikes\n2,2,Frames\n3,3,Caps\n4,4,Empty\n",
    "ProductModel.csv": "ProductModelID,Name\n10,LL Touring Frame\n20,Touring-1000\n30,Cycling Cap\n40,Never used\n",
    "Product.csv": (
        "ProductID,Name,ProductNumber,MakeFlag,FinishedGoodsFlag,Color,SafetyStockLevel,ReorderPoint,ListPrice,Size,Weight,"
        "WeightUnitMeasureCode,DaysToManufacture,ProductSubcategoryID,ProductModelID,SellEndDate,DiscontinuedDate\n"
        '1,"Touring-1000 Blue, 54",BK-54,1,1,Blue,100,75,2384.0700,54,25.20,LB,4,1,20,,\n'
        '2,"LL Touring Frame - Blue, 54",FR-54,1,1,Blue,500,375,333.4200,54,3.00,LB,1,2,10,,\n'
        "3,Wheel,WH-1,0,0,,500,375,.0000,,,,0,,,,\n"
        "4,Paint - Blue,PA-1,0,0,,60,45,.0000,,,,0,,,,\n"
        "5,Cycling Cap,CA-1,0,1,Multi,4,3,8.9900,,,,0,3,30,,\n"
        "6,Cycling Cap - Old,CA-0,0,1,Red,4,3,7.9950,,,,0,3,30,2024-05-28 00:00:00.000,\n"
        '7,"Road Frame - Black, 62",FR-62,1,1,Black,500,375,1431.5000,62,2.30,LB,1,2,,,\n'
        "8,Hub,HB-1,1,0,,500,375,.0000,,,,0,,,,\n"
        "9,Rim,RM-1,0,0,,500,375,.0000,,,,0,,,,\n"
    ),
    "ProductDescription.csv": (
        "ProductDescriptionID,Description\n"
        '1,"A frame for long rides.\nWelded by hand."\n'
        "2,هيكل متين للرحلات الطويلة\n"
        "3,旅行車架\n"
        "4,Keeps the sun out.\n"
        "5,Nobody shows this.\n"
    ),
    "Culture.csv": "CultureID,Name\n,Invariant\nen,English\nar,Arabic\nzh-cht,Chinese\n",
    "ProductModelProductDescriptionCulture.csv": (
        "ProductModelID,ProductDescriptionID,CultureID\n10,1,en    \n10,2,ar\n10,3,zh-cht\n30,4,en\n40,5,en\n"
    ),
    "Location.csv": (
        "LocationID,Name,CostRate,Availability\n1,Tool Crib,.0000,.00\n4,Paint Storage,.0000,.00\n7,Finished Goods Storage,.0000,.00\n"
        "20,Frame Welding,25.0000,96.00\n40,Paint,15.7500,120.00\n50,Subassembly,12.2500,120.00\n60,Final Assembly,12.2500,80.00\n"
    ),
    "Vendor.csv": (
        "BusinessEntityID,AccountNumber,Name,ActiveFlag\n100,FAST0001,Fast & Co,1\n101,SLOW0001,Slow Brothers,1\n102,GONE0001,Gone Ltd,0\n"
    ),
    "PurchaseOrderHeader.csv": (
        "PurchaseOrderID,Status,VendorID,OrderDate\n"
        "1,4,100,2025-05-01 00:00:00.000\n2,1,100,2025-07-28 00:00:00.000\n3,2,101,2025-07-01 00:00:00.000\n4,3,100,2025-08-01 00:00:00.000\n"
    ),
    "PurchaseOrderDetail.csv": (
        "PurchaseOrderID,PurchaseOrderDetailID,DueDate,OrderQty,ProductID,ReceivedQty\n"
        "1,11,2025-05-15 00:00:00.000,550,3,500.00\n"  # complete: what is missing will never come
        "2,21,2025-08-12 00:00:00.000,550,3,468.00\n"  # five days after the newest day: 82 to come
        "2,22,2025-08-12 00:00:00.000,10,5,10.00\n"  # nothing left to come
        "3,31,2025-08-04 00:00:00.000,20,4,5.50\n"  # past due, 14.5 gallons to come
        "4,41,2025-08-20 00:00:00.000,5,3,.00\n"  # rejected
    ),
    "ProductPhoto.csv": "ProductPhotoID,LargePhotoFileName\n1,no_image_available_large.gif\n2,frame.gif\n3,cap.gif\n4,wheel.gif\n",
    "BillOfMaterials.csv": (
        "BillOfMaterialsID,ProductAssemblyID,ComponentID,StartDate,EndDate,UnitMeasureCode,BOMLevel,PerAssemblyQty\n"
        "1,,1,2021-05-25 00:00:00.000,,EA,0,1.00\n"  # top level: no line
        "2,1,2,2021-05-25 00:00:00.000,,EA,1,1.00\n"
        "3,1,3,2021-05-25 00:00:00.000,2022-01-01 00:00:00.000,EA,1,3.00\n"  # superseded
        "4,1,3,2022-01-01 00:00:00.000,,EA,1,2.00\n"
        "5,2,4,2021-05-25 00:00:00.000,,OZ,2,8.00\n"  # ounces of an item bought by the gallon
        "6,2,8,2021-05-25 00:00:00.000,,EA,2,1.00\n"
        "7,8,9,2021-05-25 00:00:00.000,,IN,3,2.50\n"  # inches count pieces
        "8,8,3,2021-05-25 00:00:00.000,,EA,3,1.00\n"
        "9,8,3,2021-06-25 00:00:00.000,,EA,3,1.00\n"  # listed twice: needed twice
    ),
    "ProductInventory.csv": (
        "ProductID,LocationID,Shelf,Bin,Quantity\n"
        "1,7,N/A,0,9\n1,60,A,1,50\n"  # 50 lie at a work centre: not for sale
        "3,1,B,4,100\n3,1,C,5,120\n3,7,D,6,150\n"  # 220 in the tool crib, most of them in bin 5
        "4,1,E,7,3\n5,7,N/A,0,0\n"
    ),
    "ProductModelRouting.csv": (
        "ProductModelID,OperationSequence,LocationID,LaborHours,SetupHours,MachineHours,LotSize\n"
        "10,10,20,1.5,0.15,1.75,1\n10,20,4,1.5,,,20\n10,30,60,4,,,1\n"
    ),
    "ProductVendor.csv": (
        "ProductID,BusinessEntityID,AverageLeadTime,StandardPrice,MinOrderQty,MaxOrderQty,UnitMeasureCode\n"
        "3,100,12,47.8700,500,1000,CTN\n3,101,19,39.9250,1,5,EA\n3,102,5,30.0000,1,5,EA\n"
        "4,100,16,48.3300,20,100,GAL\n5,101,19,3.1550,1,5,DZ\n6,101,19,3.1550,1,5,DZ\n"
    ),
    "ProductProductPhoto.csv": "ProductID,ProductPhotoID,Primary\n1,1,1\n2,2,1\n3,4,1\n5,1,0\n5,3,1\n6,3,1\n",
    "Store.csv": (
        "BusinessEntityID,Name,SalesPersonID,AnnualSales,BusinessType,YearOpened,Specialty,NumberEmployees\n"
        '292,Next-Door Bike Store,279,800000,BM,1996,Mountain,13\n294,"Żółw, Sons",276,,OS,1991,Touring,14\n'
    ),
}
PHOTOS = {
    "no_image_available_large.gif": b"GIF89a-none",
    "frame.gif": b"GIF89a-frame",
    "cap.gif": b"GIF89a-cap",
    "wheel.gif": b"GIF89a-wheel",
}


def write_folder(path: Path) -> Path:
    """Write the folder as it is above; return it."""
    (path / "photos").mkdir(parents=True)
    for name, text in FILES.items():
        (path / name).write_text(text, encoding="utf-8")
    for name, content in PHOTOS.items():
        (path / "photos" / name).write_bytes(content)
    return path


def replace(folder: Path, name: str, old: str, new: str) -> None:
    """Change one place of a file; the place must be there once."""
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def rows(path: Path) -> list[dict[str, str]]:
    """Read a file as it is, without any rule of the importer."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
