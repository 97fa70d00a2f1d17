"""Which product is drawn by which function."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backoffice.demo.pictures import furniture, small, storage
from backoffice.demo.pictures import workshop as w
from backoffice.demo.pictures.canvas import OAK, WOODS, Tones

_DRAWN: Mapping[str, Callable[[Tones, str], str]] = {
    "linde": furniture.dining_table,
    "kiesel": furniture.side_table,
    "werra": furniture.desk,
    "amsel": furniture.chair,
    "dachs": furniture.stool,
    "zaun": furniture.bench,
    "mulde": furniture.bed,
    "regnitz": storage.shelf,
    "nische": storage.wall_shelf,
    "kabinett": storage.sideboard,
    "truhe": storage.chest,
    "span": small.board,
    "haken": small.coat_rack,
    "mond": small.lamp,
    "furt": lambda wood, _: w.stand("furt", wood, width=440, height=170, shelf=True, deco="cup"),
    "steg": lambda wood, _: w.stand("steg", wood, width=400, height=290, drawer=True, deco="vase"),
    "lade": lambda wood, size: w.plate("lade" + size, wood, width=500 if size == "140" else 580, deco="books"),
    "star": lambda wood, _: w.stand("star", wood, width=190, height=300, shelf=True),
    "tritt": lambda wood, _: w.stand("tritt", wood, width=250, height=150, shelf=True, deco="cup"),
    "falke": lambda wood, _: w.armchair("falke", wood, colour="#7f9470"),
    "diele": lambda wood, size: w.stand("diele" + size, wood, width=380 if size == "80" else 500, height=180, shelf=True),
    "turm": lambda wood, _: w.case("turm", wood, width=200, height=430, shelves=6),
    "garten": lambda wood, size: w.case("garten" + size, wood, width=290 if size == "100" else 420, height=430, doors=2),
    "fach": lambda wood, _: w.case("fach", wood, width=340, height=300, drawers=4),
    "stange": lambda wood, _: w.rungs("stange", wood, number=1, width=320),
    "kasten": lambda wood, size: w.tray("kasten" + size, wood, width={"S": 260, "M": 360}.get(size, 480), depth=110, rim=90),
    "nacht": lambda wood, _: w.stand("nacht", wood, width=230, height=240, shelf=True, drawer=True, deco="books"),
    "wiege": lambda wood, _: w.case("wiege", wood, width=460, height=220, doors=8),
    "leiter": lambda wood, _: w.rungs("leiter", wood, number=5, width=200),
    "decke": lambda wood, size: w.cloth("decke" + size, wood, colour=small.SHADES[size][0], stripes=small.SHADES[size][1]),
    "teich": lambda wood, size: w.frame("teich" + size, wood, width=240 if size == "50" else 320, height=300, round_one=True),
    "stunde": lambda wood, _: w.frame("stunde", wood, width=250, height=250, round_one=True, hands=True),
    "mulle": lambda wood, size: w.turned("mulle" + size, wood, rings=((110, 16), (220 if size == "S" else 320, 80))),
    "korn": lambda wood, _: w.turned("korn", wood, rings=((110, 60), (80, 110), (96, 60), (44, 36))),
    "docht": lambda wood, _: w.turned("docht", wood, rings=((170, 24), (70, 70)), deco="flame"),
    "brett": lambda wood, _: w.tray("brett", wood, width=440, depth=120, rim=34, deco="cup"),
    "glocke": lambda wood, size: w.hung("glocke" + size, wood, shade=small.SHADES[size][0], inner=small.SHADES[size][1]),
    "kerze": lambda wood, size: w.tin("kerze" + size, wood, body=small.SHADES[size][1], label="#fff8e1", width=120),
    "licht": lambda wood, _: w.tray("licht", wood, width=420, depth=60, rim=20, deco="books"),
    "pflege": lambda wood, size: w.tin(
        "pflege" + size, wood, body="#8a6b46", label="#f4efe6", height=170 if size == "250 ml" else 230
    ),
    "seife": lambda wood, _: w.tin("seife", wood, body="#cfdbe3", label="#ffffff", height=260, width=120),
    "set": lambda wood, _: w.tray("set", wood, width=360, depth=150, rim=70, deco="vase"),
    "buch": lambda wood, _: w.volume("buch", wood, colour="#7a4a35"),
    "filz": lambda wood, _: w.cloth("filz", wood, colour="#9b958a", stripes="#7d776c", rolled=True),
    "latten": lambda wood, _: w.rungs("latten", wood, number=7, width=340),
}


def draw(name: str, wood: str, size: str) -> str:
    """Return the SVG of a product's variant, always the same for the same words. Raises KeyError for unknown ones."""
    return _DRAWN[name](WOODS.get(wood, OAK), size)
