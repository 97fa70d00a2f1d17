# ruff: noqa: E501 - path data is not prose: broken lines would not make it easier to read
"""The drawing board: shapes of wood with grain, soft shadows, one background; written as plain SVG."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 800, 600
FLOOR = 430  # where wall meets floor

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Tones:
    """Colours of one material: top in the light, front, side in the shade, edge line, grain."""

    top: str
    front: str
    side: str
    edge: str
    grain: str


OAK = Tones("#e6c694", "#d6b07c", "#b98f5c", "#a67c4a", "#a97d48")
ASH = Tones("#f3e8d3", "#e6d6ba", "#cbb795", "#b8a380", "#b9a27c")
WALNUT = Tones("#98694b", "#7f543a", "#603c28", "#4f301f", "#4a2c1b")
BRASS = Tones("#e9c877", "#cfa852", "#a8843a", "#8d6d2c", "#8d6d2c")
IRON = Tones("#5d6163", "#474b4d", "#34383a", "#2a2d2f", "#2a2d2f")
WOODS = {"Oak": OAK, "Ash": ASH, "Walnut": WALNUT}


@dataclass(frozen=True, slots=True)
class Room:
    """The background: wall and floor, and the lighter shape on the wall that the piece stands before."""

    wall: str
    floor: str
    shape: str


SAGE = Room("#e4ebe1", "#d5dfd1", "#f0f4ec")
CLAY = Room("#f2e1d6", "#e7d0c1", "#f9ede5")
SKY = Room("#dfe8ee", "#cfdbe3", "#ecf2f6")
SAND = Room("#f0e8d9", "#e4d8c3", "#f8f3e9")
HEATHER = Room("#e9e2ea", "#dacfdc", "#f3eef4")


class Canvas:
    """Collect shapes and write them as one SVG. Coordinates: 800 × 600, y downwards."""

    def __init__(self, room: Room, seed: str) -> None:
        self._defs: list[str] = []
        self._body: list[str] = []
        self._random = random.Random(seed)  # noqa: S311 - grain, not a secret
        self._count = 0
        self._draw_room(room)

    def raw(self, svg: str) -> None:
        """Add a piece of SVG as it is."""
        self._body.append(svg)

    def shadow(self, x: float, y: float, width: float, height: float = 26, strength: float = 0.2) -> None:
        """Lay a soft shadow on the floor; x, y: its middle."""
        self.raw(
            f'<ellipse cx="{x:.0f}" cy="{y:.0f}" rx="{width / 2:.0f}" ry="{height / 2:.0f}" fill="#3b2f26"'
            f' opacity="{strength}" filter="url(#soft)"/>'
        )

    def board(self, points: Sequence[Point], tones: Tones, face: str = "front", grain: str = "h") -> None:
        """Draw a wooden face. face: top | front | side; grain: h | v | "" (none)."""
        fill = getattr(tones, face)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.raw(f'<polygon points="{path}" fill="{fill}" stroke="{fill}" stroke-width="3" stroke-linejoin="round"/>')
        if grain:
            self._grain(points, path, tones, grain)

    def box(self, x: float, y: float, width: float, height: float, tones: Tones, face: str = "front", grain: str = "h") -> None:
        """Draw an upright rectangle of wood."""
        self.board([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], tones, face, grain)

    def slab(self, left: float, right: float, y: float, depth: float, thickness: float, tones: Tones, inset: float = 0) -> None:
        """Draw a horizontal board seen from slightly above. y: its front edge's upper line; inset: of the back edge."""
        back = y - depth
        self.board([(left + inset, back), (right - inset, back), (right, y), (left, y)], tones, "top")
        self.box(left, y, right - left, thickness, tones, "front")
        self.raw(
            f'<path d="M{left + 1:.1f} {y:.1f}H{right - 1:.1f}" stroke="#fff" stroke-opacity=".38" stroke-width="2"'
            ' stroke-linecap="round"/>'
        )
        self.raw(
            f'<path d="M{left:.1f} {y + thickness + 1:.1f}H{right:.1f}" stroke="{tones.edge}" stroke-opacity=".55"'
            ' stroke-width="1.500"/>'
        )

    def leg(self, x: float, y: float, to_x: float, to_y: float, tones: Tones, width: float = 18, face: str = "front") -> None:
        """Draw a leg that grows thinner towards the floor; x, to_x: its middle."""
        half, foot = width / 2, width * 0.3
        points = [(x - half, y), (x + half, y), (to_x + foot, to_y), (to_x - foot, to_y)]
        self.board(points, tones, face, "v")
        if face == "front":
            self.raw(
                f'<path d="M{x - half + 2:.1f} {y:.1f}L{to_x - foot + 1:.1f} {to_y:.1f}" stroke="#fff"'
                ' stroke-opacity=".28" stroke-width="2"/>'
            )

    def shade(self, points: Sequence[Point], strength: float = 0.14) -> None:
        """Darken an area, as under an overhang."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.raw(f'<polygon points="{path}" fill="#2e221a" opacity="{strength}"/>')

    def knob(self, x: float, y: float, tones: Tones = BRASS, radius: float = 6) -> None:
        """Draw a round knob."""
        self.raw(f'<circle cx="{x + 1:.1f}" cy="{y + 3:.1f}" r="{radius}" fill="#2e221a" opacity=".22"/>')
        self.raw(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{tones.front}"/>')
        self.raw(f'<circle cx="{x - radius / 3:.1f}" cy="{y - radius / 3:.1f}" r="{radius / 2.6:.1f}" fill="{tones.top}"/>')

    def svg(self) -> str:
        """Return the picture."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
            f"<defs>{''.join(self._defs)}</defs>{''.join(self._body)}</svg>\n"
        )

    def _draw_room(self, room: Room) -> None:
        self._defs.append(
            '<filter id="soft" x="-30%" y="-150%" width="160%" height="400%"><feGaussianBlur stdDeviation="9"/></filter>'
        )
        self._defs.append(
            '<radialGradient id="light" cx=".36" cy=".22" r=".9"><stop offset="0" stop-color="#fff" stop-opacity=".55"/>'
            '<stop offset=".6" stop-color="#fff" stop-opacity="0"/></radialGradient>'
            f'<linearGradient id="floor" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{room.floor}"/>'
            f'<stop offset="1" stop-color="{room.wall}"/></linearGradient>'
        )
        self.raw(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{room.wall}"/>')
        self.raw(f'<path d="M170 {FLOOR}V300a230 230 0 0 1 460 0V{FLOOR}z" fill="{room.shape}"/>')
        self.raw(f'<rect y="{FLOOR}" width="{WIDTH}" height="{HEIGHT - FLOOR}" fill="url(#floor)"/>')
        self.raw(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#light)"/>')

    def _grain(self, points: Sequence[Point], path: str, tones: Tones, direction: str) -> None:
        self._count += 1
        name = f"g{self._count}"
        self._defs.append(f'<clipPath id="{name}"><polygon points="{path}"/></clipPath>')
        left, right = min(x for x, _ in points), max(x for x, _ in points)
        top, bottom = min(y for _, y in points), max(y for _, y in points)
        lines = []
        across = (bottom - top) if direction == "h" else (right - left)
        position = self._random.uniform(2, 6)
        while position < across:
            lines.append(self._line(left, right, top, bottom, position, direction))
            position += self._random.uniform(5, 13)
        self.raw(
            f'<g clip-path="url(#{name})" fill="none" stroke="{tones.grain}" stroke-width="1.100" opacity=".34">'
            f'<path d="{"".join(lines)}"/></g>'
        )

    def _line(self, left: float, right: float, top: float, bottom: float, position: float, direction: str) -> str:
        wave = self._random.uniform(-4, 4)
        if direction == "h":
            y, third = top + position, (right - left) / 3
            start = left + self._random.uniform(-0.1, 0.3) * (right - left)
            return f"M{start:.0f} {y:.1f}C{left + third:.0f} {y + wave:.1f} {left + 2 * third:.0f} {y - wave:.1f} {right:.0f} {y + wave / 2:.1f}"
        x, third = left + position, (bottom - top) / 3
        start = top + self._random.uniform(-0.1, 0.3) * (bottom - top)
        return f"M{x:.1f} {start:.0f}C{x + wave:.1f} {top + third:.0f} {x - wave:.1f} {top + 2 * third:.0f} {x + wave / 2:.1f} {bottom:.0f}"
