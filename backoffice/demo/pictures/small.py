# ruff: noqa: E501 - path data is not prose: broken lines would not make it easier to read
"""Small things: the serving board, the coat rack, the lamp."""

from __future__ import annotations

from backoffice.demo.pictures import props
from backoffice.demo.pictures.canvas import CLAY, SAND, Canvas, Room, Tones

SHADES = {"Linen": ("#efe6d2", "#fdf8ea"), "Moss": ("#7f9470", "#a9bb95"), "Brick": ("#b8604a", "#dc8f77")}
DUSK = Room("#d9dce4", "#c6cad6", "#eceef2")


def board(wood: Tones, size: str) -> str:
    """Draw the serving board "Span", with bread and pears."""
    c = Canvas(SAND, f"span{size}{wood.top}")
    grow = {"S": 0.84, "L": 1.06}[size]
    half = 235 * grow
    y = 420
    c.raw('<rect y="430" width="800" height="170" fill="#fff" opacity=".18"/>')
    c.shadow(400, y + 46, 2 * half + 130, 46, 0.22)
    c.raw(f'<rect x="{400 + half - 30:.0f}" y="{y - 22}" width="{130 * grow:.0f}" height="30" rx="15" fill="{wood.top}"/>')
    c.raw(f'<rect x="{400 + half - 30:.0f}" y="{y - 4}" width="{130 * grow:.0f}" height="22" rx="11" fill="{wood.front}"/>')
    c.raw(f'<rect x="{400 + half - 30:.0f}" y="{y - 22}" width="{130 * grow:.0f}" height="30" rx="15" fill="{wood.top}"/>')
    c.raw(f'<ellipse cx="{400 + half + 78 * grow:.0f}" cy="{y - 8}" rx="9" ry="5" fill="{wood.side}"/>')
    c.slab(400 - half, 400 + half, y + 16, 74, 20, wood, 40)
    _bread(c, 400 - half * 0.3, y + 2, grow)
    _pear(c, 400 + half * 0.34, y + 4, 0.92 * grow, "#c8c76a")
    _pear(c, 400 + half * 0.58, y - 10, 0.8 * grow, "#dcb25a")
    return c.svg()


def _bread(c: Canvas, x: float, y: float, size: float) -> None:
    c.raw(
        f'<g transform="translate({x:.0f} {y:.0f}) scale({size})"><ellipse cx="6" cy="0" rx="128" ry="13" fill="#2e221a" opacity=".22"/>'
        '<path d="M-124-26C-126-84-66-106 0-106S126-84 124-26C124-6 104 2 0 2S-124-6-124-26z" fill="#b97b3f"/>'
        '<path d="M-124-26C-126-84-66-106 0-106C-52-96-96-76-100-30C-101-14-96-4-80 1C-112-1-124-10-124-26z" fill="#d39a59"/>'
        '<g fill="none" stroke="#f2d9ae" stroke-width="9" stroke-linecap="round"><path d="M-62-84C-44-74-34-54-34-36"/><path d="M-8-94C10-82 20-62 20-42"/><path d="M48-86C62-74 72-58 72-40"/></g></g>'
    )


def _pear(c: Canvas, x: float, y: float, size: float, colour: str) -> None:
    c.raw(
        f'<g transform="translate({x:.0f} {y:.0f}) scale({size})"><ellipse cx="5" cy="0" rx="40" ry="7" fill="#2e221a" opacity=".2"/>'
        '<path d="M4-96C6-106 10-112 16-116" stroke="#6b4a2f" stroke-width="5" fill="none" stroke-linecap="round"/>'
        f'<path d="M2-98C20-98 20-72 26-60C34-44 42-38 42-24C42-6 24 2 2 2S-38-6-38-24C-38-38-30-44-22-60C-16-72-16-98 2-98z" fill="{colour}"/>'
        '<path d="M-4-92C-10-84-8-70-16-56C-24-42-32-38-30-22C-36-34-28-44-22-58C-16-72-14-94-4-92z" fill="#fff" opacity=".4"/>'
        '<path d="M12-106C24-122 40-118 44-112C34-104 22-102 12-106z" fill="#6f8f5f"/></g>'
    )


def coat_rack(wood: Tones, size: str) -> str:
    """Draw the coat rack "Haken", with what hangs on it."""
    c = Canvas(CLAY, f"haken{wood.top}{size}")
    c.raw('<rect x="150" y="196" width="520" height="50" rx="8" fill="#2e221a" opacity=".18" filter="url(#soft)"/>')
    c.box(140, 170, 520, 56, wood, "front")
    c.box(140, 164, 520, 8, wood, "top")
    c.raw(f'<path d="M140 228H660" stroke="{wood.edge}" stroke-width="2" opacity=".6"/>')
    pegs = (196, 298, 400, 502, 604)
    c.raw(
        '<path d="M196 214C150 250 142 330 150 420C152 440 240 440 242 420C250 330 242 250 196 214z" fill="#5d7a86"/>'
        '<path d="M196 214C172 250 166 330 172 430" fill="none" stroke="#fff" stroke-width="5" opacity=".2"/>'
        '<path d="M196 224V434M160 350h22M210 350h22" stroke="#33454d" stroke-width="3" opacity=".5"/><path d="M176 226q20 22 40 0l-6 30q-14 12-28 0z" fill="#4c6671"/>'
    )
    c.raw(
        '<path d="M400 212q-26 26-20 120q-2 40 20 40q22 0 20-40q6-94-20-120z" fill="#d8b765"/><path d="M384 340h32M383 326h34" stroke="#fff" stroke-width="4" opacity=".5"/>'
        '<path d="M386 372v14M394 374v14M402 374v14M410 373v14" stroke="#d8b765" stroke-width="3" stroke-linecap="round"/>'
    )
    c.raw(
        '<path d="M604 214l-44 110q-4 12 8 12h72q12 0 8-12z" fill="none" stroke="#8d6a4c" stroke-width="7" stroke-linejoin="round"/>'
        '<path d="M548 318H660L650 412Q648 424 636 424H572Q560 424 558 412z" fill="#b8604a"/><path d="M548 318H660L659 330H549z" fill="#2e221a" opacity=".16"/><path d="M562 334l6 80" stroke="#fff" stroke-width="5" opacity=".22" stroke-linecap="round"/>'
    )
    for x in pegs:
        c.raw(
            f'<circle cx="{x + 2}" cy="209" r="15" fill="#2e221a" opacity=".22"/><circle cx="{x}" cy="202" r="15" fill="{wood.side}"/>'
            f'<circle cx="{x}" cy="200" r="13" fill="{wood.top}"/><circle cx="{x - 4}" cy="196" r="4" fill="#fff" opacity=".5"/>'
        )
    props.bird(c, 300, 166, 0.7)
    return c.svg()


def lamp(_wood: Tones, size: str) -> str:
    """Draw the lamp "Mond" in the evening. size: the colour of its shade."""
    c = Canvas(DUSK, f"mond{size}")
    shade, glow = SHADES[size]
    c.raw(
        '<defs><radialGradient id="glow"><stop offset="0" stop-color="#ffe9ad" stop-opacity=".9"/><stop offset=".5" stop-color="#ffe2a0" stop-opacity=".35"/><stop offset="1" stop-color="#ffe2a0" stop-opacity="0"/></radialGradient>'
        f'<radialGradient id="shade" cx=".42" cy=".6" r=".75"><stop offset="0" stop-color="{glow}"/><stop offset="1" stop-color="{shade}"/></radialGradient></defs>'
    )
    c.raw('<circle cx="400" cy="268" r="260" fill="url(#glow)"/>')
    _bedside(c)
    c.slab(210, 590, 496, 40, 16, Tones("#8a6a52", "#735540", "#5c4331", "#49331f", "#49331f"), 40)
    c.raw(
        '<path d="M352 486a48 11 0 0 1 96 0v4a48 11 0 0 1-96 0z" fill="#a8843a"/><ellipse cx="400" cy="484" rx="48" ry="11" fill="#e0bd68"/>'
    )
    c.raw(
        '<rect x="395" y="352" width="10" height="132" fill="#cfa852"/><rect x="396" y="352" width="3" height="132" fill="#f3dc9b"/>'
    )
    c.raw('<circle cx="400" cy="262" r="112" fill="url(#shade)"/>')
    c.raw(
        '<g fill="none" stroke="#2e221a" opacity=".1" stroke-width="1.500"><path d="M400 150C340 190 340 334 400 374M400 150C290 180 290 344 400 374M400 150C460 190 460 334 400 374M400 150C510 180 510 344 400 374"/></g>'
    )
    c.raw('<ellipse cx="362" cy="214" rx="32" ry="22" fill="#fff" opacity=".32" transform="rotate(-30 362 214)"/>')
    c.raw(
        '<rect x="384" y="366" width="32" height="14" rx="5" fill="#a8843a"/><rect x="388" y="142" width="24" height="12" rx="5" fill="#a8843a"/>'
    )
    c.raw(
        '<rect x="486" y="462" width="82" height="11" rx="2" fill="#5d7a86"/><rect x="492" y="452" width="70" height="10" rx="2" fill="#f4efe6"/>'
    )
    return c.svg()


def _bedside(c: Canvas) -> None:
    tones = Tones("#8a6a52", "#735540", "#5c4331", "#49331f", "#49331f")
    c.box(228, 508, 344, 100, tones, "side", "")
    c.box(242, 528, 316, 62, tones, "front")
    c.knob(400, 560)
