"""Drawings put together from a few parts: tops on legs, cases, frames, turned things, tins and lamps."""

from __future__ import annotations

from backoffice.demo.pictures import props
from backoffice.demo.pictures.canvas import BRASS, CLAY, HEATHER, IRON, SAGE, SAND, SKY, Canvas, Room, Tones

ROOMS = (SAGE, CLAY, SKY, SAND, HEATHER)


def stand(name: str, wood: Tones, *, width: int, height: int, shelf: bool = False, drawer: bool = False, deco: str = "") -> str:
    """Draw a top on four legs. width, height: on the canvas."""
    c, left, right, top = _begin(name, wood, width), 400 - width // 2, 400 + width // 2, 510 - height
    for x in (left + 46, right - 46):
        c.leg(x, top + 10, x, 486, wood, 16, "side")
    if drawer:
        c.box(left + 22, top + 16, width - 44, 46, wood, "side")
        c.knob(400, top + 40)
    if shelf:
        c.slab(left + 24, right - 24, top + height * 2 // 3, 34, 10, wood, 12)
    for x in (left + 20, right - 20):
        c.leg(x, top + 12, x, 512, wood, 20)
    c.slab(left, right, top, 44, 16, wood, 22)
    _decorate(c, deco, 400, top - 20)
    return c.svg()


def case(name: str, wood: Tones, *, width: int, height: int, doors: int = 0, drawers: int = 0, shelves: int = 0) -> str:
    """Draw a case on the floor: doors side by side, drawers or open shelves on top of each other."""
    c, left, top = _begin(name, wood, width), 400 - width // 2, 500 - height
    c.box(left, top, width, height, wood, "front", "v")
    c.slab(left - 6, left + width + 6, top, 26, 12, wood, 14)
    inside, tall = width - 28, height - 40
    for n in range(doors):
        part = inside / doors
        c.box(left + 14 + n * part + 3, top + 26, part - 6, tall, wood, "top", "v")
        c.knob(left + 14 + n * part + (part - 22 if n % 2 == 0 else 22), top + 26 + tall / 2)
    for n in range(drawers):
        part = tall / drawers
        c.box(left + 14, top + 26 + n * part + 3, inside, part - 6, wood, "top")
        c.knob(400, top + 26 + n * part + part / 2)
    if shelves:
        c.box(left + 14, top + 26, inside, tall, wood, "side", "v")
        for n in range(1, shelves + 1):
            y = top + 26 + n * tall / shelves
            props.books(c, left + 40 + (n * 37) % 60, y - 8)
            c.box(left + 14, y - 8, inside, 10, wood, "top")
    return c.svg()


def frame(name: str, wood: Tones, *, width: int, height: int, round_one: bool = False, hands: bool = False) -> str:
    """Draw a frame on the wall: a mirror or a picture; `hands`: a clock."""
    c = Canvas(_room(name), name + wood.top)
    glass, x, y = "#dfeaf0" if not hands else "#f7f2e8", 400, 250
    if round_one:
        for radius, fill in ((width // 2 + 6, wood.side), (width // 2, wood.front), (width // 2 - 22, glass)):
            c.raw(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}"/>')
    else:
        c.box(x - width / 2, y - height / 2, width, height, wood, "front", "v")
        c.raw(
            f'<rect x="{x - width / 2 + 20}" y="{y - height / 2 + 20}" width="{width - 40}" height="{height - 40}"'
            f' fill="{glass}"/>'
        )
    if hands:
        for to_x, to_y, thick in ((x + 46, y - 30, 9), (x - 14, y - 84, 6)):
            c.raw(f'<path d="M{x} {y}L{to_x} {to_y}" stroke="{wood.edge}" stroke-width="{thick}" stroke-linecap="round"/>')
        c.knob(x, y, BRASS, 8)
    else:
        c.raw(
            f'<path d="M{x - width / 4} {y + 30}L{x + 10} {y - height / 4}" stroke="#fff" stroke-width="12" stroke-opacity=".7"/>'
        )
    c.slab(220, 580, 470, 30, 14, wood, 20)
    props.pot(c, 300, 440)
    return c.svg()


def turned(name: str, wood: Tones, *, rings: tuple[tuple[int, int], ...], deco: str = "") -> str:
    """Draw something turned: rings of (width, height) from the bottom up."""
    c, y = _begin(name, wood, rings[0][0] + 60), 500
    for width, height in rings:
        c.box(400 - width / 2, y - height, width, height, wood, "front", "v")
        c.raw(f'<ellipse cx="400" cy="{y}" rx="{width / 2}" ry="{max(6, width / 9):.0f}" fill="{wood.front}"/>')
        y -= height
        c.raw(f'<ellipse cx="400" cy="{y}" rx="{width / 2}" ry="{max(6, width / 9):.0f}" fill="{wood.top}"/>')
    _decorate(c, deco, 400, y)
    return c.svg()


def tin(name: str, wood: Tones, *, body: str, label: str, height: int = 200, width: int = 150) -> str:
    """Draw a tin or a bottle with a label."""
    c, left, top = _begin(name, wood, width + 80), 400 - width // 2, 500 - height
    c.raw(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="14" fill="{body}"/>')
    c.raw(
        f'<rect x="{left + 14}" y="{top + height * 0.32:.0f}" width="{width - 28}" height="{height * 0.42:.0f}"'
        f' rx="6" fill="{label}"/>'
    )
    c.raw(
        f'<rect x="{400 - width * 0.28:.0f}" y="{top - 34}" width="{width * 0.56:.0f}" height="38" rx="7" fill="{wood.front}"/>'
    )
    c.raw(f'<path d="M{left + 20} {top + 12}V{top + height - 16}" stroke="#fff" stroke-opacity=".35" stroke-width="8"/>')
    c.slab(200, 600, 505, 34, 14, wood, 24)
    return c.svg()


def hung(name: str, wood: Tones, *, shade: str, inner: str) -> str:
    """Draw a lamp that hangs over a table."""
    c = Canvas(_room(name), name + shade)
    c.raw(f'<path d="M400 0V150" stroke="{IRON.front}" stroke-width="4"/>')
    c.raw(f'<path d="M400 140l150 130a300 90 0 0 1 -300 0z" fill="{shade}"/>')
    c.raw(f'<ellipse cx="400" cy="276" rx="146" ry="30" fill="{inner}"/>')
    c.raw('<ellipse cx="400" cy="282" rx="40" ry="12" fill="#fff8e1"/>')
    c.slab(170, 630, 470, 50, 16, wood, 30)
    props.cup(c, 330, 440)
    return c.svg()


def tray(name: str, wood: Tones, *, width: int, depth: int, rim: int = 30, deco: str = "") -> str:
    """Draw an open box or a tray from above its front edge."""
    c, left, right = _begin(name, wood, width + 60), 400 - width // 2, 400 + width // 2
    c.slab(left, right, 470, depth, rim, wood, 40)
    c.board([(left + 52, 478 - depth), (right - 52, 478 - depth), (right - 22, 462), (left + 22, 462)], wood, "side")
    _decorate(c, deco, 400, 440 - depth // 3)
    c.box(left, 470, right - left, rim, wood, "front")
    return c.svg()


def plate(name: str, wood: Tones, *, width: int, deco: str = "") -> str:
    """Draw a single board that lies on trestles."""
    c = _begin(name, wood, width)
    for x in (400 - width // 3, 400 + width // 3):
        c.leg(x - 30, 330, x - 52, 512, wood, 14, "side")
        c.leg(x + 30, 330, x + 52, 512, wood, 14, "side")
    c.slab(400 - width // 2, 400 + width // 2, 326, 70, 18, wood, 30)
    _decorate(c, deco, 400, 290)
    return c.svg()


def armchair(name: str, wood: Tones, *, colour: str) -> str:
    """Draw an armchair with a padded seat and back."""
    c = _begin(name, wood, 300)
    for x in (290, 510):
        c.leg(x + 14, 330, x + 8, 486, wood, 16, "side")
    c.raw(f'<rect x="292" y="190" width="216" height="170" rx="34" fill="{colour}"/>')
    props.cushion(c, 400, 360, 230, 60, colour)
    c.raw(f'<rect x="282" y="346" width="236" height="56" rx="24" fill="{colour}"/>')
    c.raw('<path d="M300 352h200" stroke="#fff" stroke-opacity=".3" stroke-width="6" stroke-linecap="round"/>')
    for x in (272, 528):
        c.leg(x, 296, x, 512, wood, 22)
        c.box(x - 16, 282, 32, 18, wood, "top")
    c.box(284, 402, 232, 16, wood, "front")
    return c.svg()


def rungs(name: str, wood: Tones, *, number: int, width: int) -> str:
    """Draw two posts with rungs, leaning on the wall; a cloth over one of them."""
    c, left, right = _begin(name, wood, width), 400 - width // 2, 400 + width // 2
    for n in range(number):
        y = 130 + n * (330 / number)
        c.box(left, y, right - left, 13, wood, "top")
    c.raw(
        f'<rect x="{left + 26}" y="{130 + (330 // number if number > 1 else 6)}" width="{(right - left) * 0.45:.0f}" height="120"'
        ' rx="6" fill="#c9775a"/>'
    )
    for x in (left, right):
        c.leg(x, 90, x, 512, wood, 20)
    return c.svg()


def cloth(name: str, wood: Tones, *, colour: str, stripes: str, rolled: bool = False) -> str:
    """Draw something woven: folded, or rolled up."""
    c = _begin(name, wood, 360)
    c.slab(200, 600, 490, 60, 16, wood, 30)
    for n in range(1 if rolled else 3):
        y = 430 - n * 42
        c.raw(f'<rect x="270" y="{y - 20}" width="260" height="44" rx="20" fill="{colour}"/>')
        c.raw(f'<path d="M300 {y - 18}v40M330 {y - 18}v40M470 {y - 18}v40M500 {y - 18}v40" stroke="{stripes}" stroke-width="6"/>')
    return c.svg()


def volume(name: str, wood: Tones, *, colour: str) -> str:
    """Draw a book that lies on a board."""
    c = _begin(name, wood, 360)
    c.slab(200, 600, 490, 60, 16, wood, 30)
    c.raw('<rect x="292" y="424" width="220" height="44" fill="#f7efdd"/>')
    c.raw(f'<path d="M288 414h232v14h-214q-10 16 0 32h214v14h-232q-16 -30 0 -60z" fill="{colour}"/>')
    return c.svg()


def _begin(name: str, wood: Tones, width: int) -> Canvas:
    c = Canvas(_room(name), name + wood.top)
    c.shadow(400, 514, width + 40, 34, 0.18)
    return c


def _room(name: str) -> Room:
    return ROOMS[sum(map(ord, name)) % len(ROOMS)]


def _decorate(c: Canvas, deco: str, x: int, y: int) -> None:
    if deco == "vase":
        props.vase(c, x - 30, y)
    elif deco == "books":
        props.books(c, x - 40, y)
    elif deco == "cup":
        props.cup(c, x, y)
    elif deco == "pot":
        props.pot(c, x, y)
    elif deco == "bird":
        props.bird(c, x, y)
    elif deco == "flame":
        c.raw(f'<rect x="{x - 10}" y="{y - 90}" width="20" height="92" fill="#f7efdd"/>')
        c.raw(f'<path d="M{x} {y - 132}c16 20 12 38 0 40c-12 -2 -16 -20 0 -40z" fill="#e9b44c"/>')
