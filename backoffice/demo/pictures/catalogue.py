"""Which product is drawn by which function."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backoffice.demo.pictures import furniture, small, storage
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
}


def draw(name: str, wood: str, size: str) -> str:
    """Return the SVG of a product's variant, always the same for the same words. Raises KeyError for unknown ones."""
    return _DRAWN[name](WOODS.get(wood, OAK), size)
