"""Photos: copied into the media folder under names made of their contents, so that the same picture is there once."""

from __future__ import annotations

import hashlib
from pathlib import Path

from backoffice.imports.adventureworks.records import Source


def media_name(content: bytes, suffix: str) -> str:
    """Return the name below the media folder of a picture's bytes."""
    return hashlib.sha256(content).hexdigest()[:20] + suffix.lower()


def copy_photos(source: Source, media: Path) -> tuple[dict[int, str], list[Path]]:
    """Copy the photos that a sellable product shows; return photo → name, and the files that were not there before.

    Raises OSError. A copy that nothing points to does no harm: it has the name of its contents.
    """
    wanted = {source.shown_by.get(product.id) for product in source.products.values() if product.sellable}
    names: dict[int, str] = {}
    made: list[Path] = []
    media.mkdir(parents=True, exist_ok=True)
    for photo_id, photo in source.photos.items():
        if photo.path is None or photo_id not in wanted:
            continue
        content = photo.path.read_bytes()
        names[photo_id] = media_name(content, photo.path.suffix)
        target = media / names[photo_id]
        if not target.exists():
            part = target.with_name(target.name + ".part")
            part.write_bytes(content)
            part.replace(target)
            made.append(target)
    return names, made
