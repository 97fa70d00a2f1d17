"""What the demo workshop sells: our own invention, from the lime table to the moon lamp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

CATEGORIES = (
    ("tables", "Tables & desks"),
    ("seating", "Seating"),
    ("storage", "Storage"),
    ("bedroom", "Bedroom"),
    ("small-things", "Small things"),
    ("light", "Light"),
    ("care", "Care & spare parts"),
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing to buy. price: euros; stock: pieces on the shelf today."""

    wood: str
    size: str
    price: int
    stock: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """A page of the shop. key: what it is drawn and made as; size_name: what its sizes are called."""

    key: str
    name: str
    category: str
    text: str
    variants: Sequence[Variant]
    sell_from: str = "stock"
    size_name: str = "Size"
    unit: str = ""
    made: bool = True
    contents: dict[str, int] = field(default_factory=dict)  # of a set: what is in it
    tax_kind: str = "standard"
    tiers: dict[int, int] = field(default_factory=dict)  # from so many pieces on → euros each
    facts: dict[str, str] = field(default_factory=dict)

    def sku(self, variant: Variant) -> str:
        """Return the number of a variant: LINDE-180-OAK."""
        return "-".join(part for part in (self.key, variant.size, variant.wood) if part).upper().replace(" ", "")

    def options(self, variant: Variant) -> dict[str, str]:
        """Return what a customer chooses between."""
        options = {self.size_name: f"{variant.size} {self.unit}".strip()} if variant.size else {}
        return options | ({"Wood": variant.wood} if variant.wood else {})


def grid(woods: str, sizes: Sequence[str], prices: Sequence[Sequence[int]], stock: Sequence[Sequence[int]] = ()) -> list[Variant]:
    """Make the variants of all woods (columns) in all sizes (rows)."""
    return [
        Variant(wood, size, prices[row][column], stock[row][column] if stock else 0)
        for row, size in enumerate(sizes)
        for column, wood in enumerate(woods.split())
    ]


PRODUCTS = (
    Product(
        "linde",
        "Linde dining table",
        "tables",
        "A table for long evenings. The top is glued from boards of one tree, the legs are set at a slight angle so that"
        " nobody knocks a knee. Oiled three times by hand; we make it for you when you order it.",
        grid("Oak Ash Walnut", ("140", "180", "220"), ((940, 980, 1380), (1140, 1180, 1640), (1380, 1420, 1980))),
        sell_from="production",
        size_name="Length",
        unit="cm",
        facts={"Width": "90 cm", "Height": "75 cm", "Surface": "hard wax oil"},
    ),
    Product(
        "kiesel",
        "Kiesel side table",
        "tables",
        "Round as a pebble, light enough to carry into the garden. Three legs never wobble.",
        grid("Oak Ash Walnut", ("",), ((240, 230, 320),), ((6, 2, 1),)),
        facts={"Diameter": "50 cm", "Height": "48 cm"},
    ),
    Product(
        "werra",
        "Werra desk",
        "tables",
        "A desk with one quiet drawer and room for two elbows. We build it in small series; the next ones are in the"
        " workshop right now.",
        grid("Oak Ash", ("120", "150"), ((660, 690), (760, 790))),
        sell_from="incoming",
        size_name="Width",
        unit="cm",
        facts={"Depth": "65 cm", "Height": "74 cm"},
    ),
    Product(
        "amsel",
        "Amsel chair",
        "seating",
        "A chair with a back like a garden fence, made for sitting long and getting up easily. The cushion is not part of"
        " it, the blackbird neither.",
        grid("Oak Ash Walnut", ("",), ((280, 290, 390),), ((14, 8, 3),)),
        facts={"Seat height": "46 cm", "Weight": "5.2 kg"},
    ),
    Product(
        "dachs",
        "Dachs stool",
        "seating",
        "Three legs, a seat of woven paper cord. Beside the bed, in the hall, in front of the stove.",
        grid("Oak Ash", ("",), ((180, 175),), ((11, 5),)),
        facts={"Height": "45 cm", "Weight": "3.1 kg"},
    ),
    Product(
        "zaun",
        "Zaun bench",
        "seating",
        "A bench with a back of upright slats, for the kitchen or a dry place outside.",
        grid("Oak", ("120", "160"), ((460,), (540,)), ((4,), (1,))),
        size_name="Length",
        unit="cm",
        facts={"Depth": "48 cm", "Seat height": "45 cm"},
    ),
    Product(
        "regnitz",
        "Regnitz shelf",
        "storage",
        "An open shelf that stands by itself. The boards lie in grooves: put together in ten minutes, no tools.",
        grid("Oak Ash", ("Low", "High"), ((370, 390), (540, 560)), ((3, 5), (2, 4))),
        size_name="Height",
        facts={"Width": "80 cm", "Depth": "32 cm"},
    ),
    Product(
        "nische",
        "Nische wall shelf",
        "storage",
        "A board for the books you are reading. Two brass hooks hold it, screws and dowels come with it.",
        grid("Oak Ash Walnut", ("60", "90"), ((95, 90, 130), (125, 120, 170)), ((22, 18, 3), (16, 2, 7))),
        size_name="Width",
        unit="cm",
        facts={"Depth": "20 cm", "Carries": "18 kg"},
    ),
    Product(
        "kabinett",
        "Kabinett sideboard",
        "storage",
        "Two doors, three drawers, dovetails where you see them and where you do not. Made for you.",
        grid("Oak Walnut", ("",), ((1490, 1960),)),
        sell_from="production",
        facts={"Width": "160 cm", "Depth": "42 cm", "Height": "72 cm"},
    ),
    Product(
        "truhe",
        "Truhe blanket chest",
        "storage",
        "A chest for blankets, toys or winter boots, and a seat as well. The lid comes down slowly.",
        grid("Oak Ash", ("",), ((620, 590),)),
        facts={"Width": "110 cm", "Height": "46 cm"},
    ),
    Product(
        "mulde",
        "Mulde bed",
        "bedroom",
        "A bed without metal. The frame wedges together, the head is one wide board; sprung slats included. Made for you.",
        grid("Oak Walnut", ("140", "160", "180"), ((1290, 1720), (1390, 1850), (1490, 1990))),
        sell_from="production",
        size_name="Width",
        unit="cm",
        facts={"Length": "200 cm", "Height of the head": "92 cm"},
    ),
    Product(
        "span",
        "Span serving board",
        "small-things",
        "Made from what the tables leave over. For bread, cheese and the last pear.",
        grid("Oak Walnut", ("S", "L"), ((28, 36), (42, 54)), ((40, 25), (31, 12))),
    ),
    Product(
        "haken",
        "Haken coat rack",
        "small-things",
        "Five turned pegs on one board. It holds a family's coats.",
        grid("Oak Ash", ("",), ((110, 105),)),
        facts={"Width": "90 cm", "Carries": "30 kg"},
    ),
    Product(
        "mond",
        "Mond table lamp",
        "small-things",
        "A round of pleated paper on a brass foot, from a studio three valleys away. It gives the light of a full moon.",
        [Variant("", "Linen", 160), Variant("", "Moss", 160), Variant("", "Brick", 160)],
        sell_from="incoming",
        size_name="Colour",
        made=False,
        facts={"Height": "48 cm", "Bulb": "E27, included"},
    ),
)
