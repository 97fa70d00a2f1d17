"""How the demo workshop makes things: parts, steps, and who sells us what.

Two levels for everything that has a top, a frame or legs: the assembly is made of sub-assemblies, those of boards. Times
are minutes for setting up and for each piece. Glue and oil are counted in litres and used by the millilitre, cord in
rolls and used by the metre.
"""

from __future__ import annotations

from backoffice.demo import recipes_home
from backoffice.demo.parts import Answer, Bought, Made, Parts, drawer
from backoffice.demo.range import Product, Variant

SUPPLIERS = (
    *recipes_home.SUPPLIERS,
    ("EBERTAL", "Sägewerk Ebertal", "holz@ebertal.example", True),
    ("KELLER", "Keller Edelholz", "bestellung@keller-edelholz.example", True),
    ("KOLB", "Schrauben Kolb", "verkauf@schrauben-kolb.example", True),
    ("PETERSEN", "Öl & Leim Petersen", "hallo@petersen-oel.example", True),
    ("WIESENTHAL", "Flechterei Wiesenthal", "werkstatt@wiesenthal.example", False),
    ("PERLBACH", "Lichtstudio Perlbach", "licht@perlbach.example", False),
)

BOUGHT = (
    *recipes_home.BOUGHT,
    Bought("BOARD-OAK", "Oak board 27 mm", "board", "EBERTAL", 6, 10, 5, 2400, 140),
    Bought("BOARD-ASH", "Ash board 27 mm", "board", "EBERTAL", 6, 10, 5, 2150, 110),
    Bought("BOARD-WALNUT", "Walnut board 27 mm", "board", "KELLER", 16, 8, 4, 4900, 26),
    Bought("WIDE-WALNUT", "Walnut board, wide, 220 cm", "board", "KELLER", 42, 4, 1, 9800, 0),
    Bought("POST-OAK", "Oak post 60 × 60", "post", "EBERTAL", 6, 20, 10, 900, 96),
    Bought("POST-ASH", "Ash post 60 × 60", "post", "EBERTAL", 6, 20, 10, 820, 80),
    Bought("POST-WALNUT", "Walnut post 60 × 60", "post", "KELLER", 16, 10, 5, 1900, 24),
    Bought("BOLT", "Bolt M6 × 60", "piece", "KOLB", 3, 100, 100, 18, 1400),
    Bought("INSERT", "Threaded insert M6", "piece", "KOLB", 3, 100, 100, 14, 1600),
    Bought("HINGE", "Hinge, soft closing", "piece", "KOLB", 5, 20, 10, 420, 3),
    Bought("RUNNER", "Drawer runner, pair", "pair", "KOLB", 5, 10, 5, 1150, 24),
    Bought("HOOK-BRASS", "Brass hook", "piece", "KOLB", 8, 20, 10, 360, 44),
    Bought("OIL", "Hard wax oil", "litre", "PETERSEN", 4, 5, 5, 2900, 22, 1000),
    Bought("GLUE", "Wood glue", "litre", "PETERSEN", 4, 5, 5, 850, 16, 1000),
    Bought("CORD", "Paper cord", "roll", "WIESENTHAL", 12, 2, 1, 3600, 5, 100),
    Bought("SLATS", "Sprung slats, set", "set", "WIESENTHAL", 9, 4, 2, 6800, 0),
    Bought("MOND-LINEN", "Mond table lamp, linen", "piece", "PERLBACH", 18, 6, 2, 7400, 0),
    Bought("MOND-MOSS", "Mond table lamp, moss", "piece", "PERLBACH", 18, 6, 2, 7400, 0),
    Bought("MOND-BRICK", "Mond table lamp, brick", "piece", "PERLBACH", 18, 6, 2, 7400, 0),
)

SECOND_SUPPLIERS = (  # who is asked when the first cannot bring it: item, supplier, days, cents
    ("BOARD-OAK", "KELLER", 9, 2650),
    ("BOARD-ASH", "KELLER", 9, 2400),
    ("BOLT", "MAHLWERK", 6, 21),
    ("INSERT", "MAHLWERK", 6, 17),
)

_BOARDS = {"140": 5, "180": 6, "220": 8}


def recipe(product: Product, variant: Variant) -> list[Made]:
    """Return the sub-assemblies of a variant and, last, the variant itself."""
    wood = variant.wood.upper()
    sku = product.sku(variant)
    name = f"{product.name}, {', '.join(product.options(variant).values()).lower()}"
    below, parts, steps = _RECIPES[product.key](variant.wood, wood, variant.size)
    return [*below, Made(sku, name, parts, steps)]


def _top(key: str, name: str, wood: str, boards: Parts) -> Made:
    return Made(
        f"TOP-{key}-{wood.upper()}", f"{name}, {wood.lower()}", {**boards, "GLUE": 180}, [("SAW", 10, 14), ("CNC", 15, 20)]
    )


def _legs(wood: str) -> Made:
    parts = {f"POST-{wood.upper()}": 4, "INSERT": 8}
    return Made(f"LEGS-{wood.upper()}", f"Leg set, {wood.lower()}", parts, [("SAW", 10, 8), ("CNC", 10, 12)])


def _linde(wood: str, upper: str, size: str) -> Answer:
    # the long walnut table needs boards that nobody has on the shelf
    boards = {"WIDE-WALNUT": 3} if (wood, size) == ("Walnut", "220") else {f"BOARD-{upper}": _BOARDS[size]}
    top = _top(f"LINDE-{size}", f"Table top {size} cm", wood, boards)
    steps = [("ASSEMBLY", 15, 80), ("FINISHING", 20, 150)]
    return [top, _legs(wood)], {top.sku: 1, f"LEGS-{upper}": 1, "BOLT": 8, "OIL": 220}, steps


def _kiesel(_wood: str, upper: str, _size: str) -> Answer:
    parts = {f"BOARD-{upper}": 1, f"POST-{upper}": 1, "INSERT": 3, "BOLT": 3, "GLUE": 40, "OIL": 60}
    return [], parts, [("SAW", 10, 6), ("CNC", 15, 14), ("ASSEMBLY", 5, 12), ("FINISHING", 10, 15)]


def _werra(wood: str, upper: str, size: str) -> Answer:
    top = _top(f"WERRA-{size}", f"Desk top {size} cm", wood, {f"BOARD-{upper}": 4 if size == "120" else 5})
    box = drawer(upper)
    parts = {top.sku: 1, box.sku: 1, f"LEGS-{upper}": 1, "BOLT": 10, "OIL": 180}
    return [top, box, _legs(wood)], parts, [("ASSEMBLY", 10, 40), ("FINISHING", 15, 35)]


def _amsel(_wood: str, upper: str, _size: str) -> Answer:
    parts = {f"BOARD-{upper}": 1, f"POST-{upper}": 2, "BOLT": 4, "INSERT": 4, "GLUE": 60, "OIL": 50}
    return [], parts, [("SAW", 15, 7), ("CNC", 20, 12), ("ASSEMBLY", 10, 18), ("FINISHING", 10, 14)]


def _dachs(_wood: str, upper: str, _size: str) -> Answer:
    parts = {f"BOARD-{upper}": 1, f"POST-{upper}": 1, "CORD": 35, "GLUE": 40, "OIL": 30}
    return [], parts, [("SAW", 10, 6), ("CNC", 15, 10), ("ASSEMBLY", 10, 30), ("FINISHING", 10, 8)]


def _zaun(_wood: str, upper: str, size: str) -> Answer:
    parts = {f"BOARD-{upper}": 3 if size == "120" else 4, f"POST-{upper}": 2, "BOLT": 8, "GLUE": 90, "OIL": 120}
    return [], parts, [("SAW", 15, 14), ("CNC", 15, 16), ("ASSEMBLY", 10, 30), ("FINISHING", 10, 25)]


def _regnitz(_wood: str, upper: str, size: str) -> Answer:
    boards = 4 if size == "Low" else 7
    parts = {f"BOARD-{upper}": boards, "GLUE": 50, "OIL": 40 * boards}
    return [], parts, [("SAW", 10, 5 * boards), ("CNC", 15, 4 * boards), ("FINISHING", 10, 6 * boards)]


def _nische(_wood: str, upper: str, _size: str) -> Answer:
    parts = {f"BOARD-{upper}": 1, "HOOK-BRASS": 2, "OIL": 25}
    return [], parts, [("SAW", 10, 3), ("CNC", 10, 5), ("FINISHING", 5, 8)]


def _kabinett(wood: str, upper: str, _size: str) -> Answer:
    body = Made(
        f"BODY-KABINETT-{upper}",
        f"Sideboard body, {wood.lower()}",
        {f"BOARD-{upper}": 8, "GLUE": 320},
        [("SAW", 15, 40), ("CNC", 20, 55)],
    )
    door = Made(f"DOOR-{upper}", f"Door, {wood.lower()}", {f"BOARD-{upper}": 1, "HINGE": 2, "GLUE": 40}, [("CNC", 10, 16)])
    box = drawer(upper)
    parts = {body.sku: 1, door.sku: 2, box.sku: 3, f"POST-{upper}": 1, "BOLT": 12, "OIL": 350}
    return [body, door, box], parts, [("ASSEMBLY", 20, 340), ("FINISHING", 20, 260)]


def _truhe(_wood: str, upper: str, _size: str) -> Answer:
    parts = {f"BOARD-{upper}": 6, "HINGE": 2, "GLUE": 200, "OIL": 180}
    return [], parts, [("SAW", 15, 25), ("CNC", 20, 35), ("ASSEMBLY", 10, 60), ("FINISHING", 10, 40)]


def _mulde(wood: str, upper: str, size: str) -> Answer:
    head = Made(
        f"HEAD-{size}-{upper}",
        f"Bed head {size} cm, {wood.lower()}",
        {f"BOARD-{upper}": 3, "GLUE": 120},
        [("SAW", 10, 12), ("CNC", 15, 25)],
    )
    sides = Made(
        f"SIDES-{upper}",
        f"Bed sides, {wood.lower()}",
        {f"BOARD-{upper}": 2, f"POST-{upper}": 1},
        [("SAW", 10, 15), ("CNC", 10, 18)],
    )
    parts = {head.sku: 1, sides.sku: 1, f"BOARD-{upper}": 1, "SLATS": 1, "BOLT": 12, "OIL": 240}
    return [head, sides], parts, [("ASSEMBLY", 15, 70), ("FINISHING", 20, 140)]


def _span(_wood: str, upper: str, size: str) -> Answer:
    return [], {f"BOARD-{upper}": 1, "OIL": 10 if size == "S" else 15}, [("CNC", 10, 4), ("FINISHING", 5, 4)]


def _haken(_wood: str, upper: str, _size: str) -> Answer:
    return [], {f"BOARD-{upper}": 1, "GLUE": 20, "OIL": 30}, [("SAW", 5, 4), ("CNC", 10, 15), ("FINISHING", 5, 8)]


_RECIPES = {
    **recipes_home.RECIPES,
    "linde": _linde,
    "kiesel": _kiesel,
    "werra": _werra,
    "amsel": _amsel,
    "dachs": _dachs,
    "zaun": _zaun,
    "regnitz": _regnitz,
    "nische": _nische,
    "kabinett": _kabinett,
    "truhe": _truhe,
    "mulde": _mulde,
    "span": _span,
    "haken": _haken,
}
