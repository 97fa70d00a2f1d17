# ruff: noqa: E501 - path data is not prose: broken lines would not make it easier to read
"""Tables, seats and the bed."""

from __future__ import annotations

from backoffice.demo.pictures import props
from backoffice.demo.pictures.canvas import CLAY, HEATHER, SAGE, SKY, Canvas, Tones


def dining_table(wood: Tones, size: str) -> str:
    """Draw the table "Linde": a lime twig on it."""
    c = Canvas(SAGE, f"linde{size}{wood.top}")
    half = {"140": 225, "180": 268, "220": 312}[size]
    left, right, y = 400 - half, 400 + half, 322
    c.shadow(400, 508, 2 * half + 30, 44, 0.16)
    for x in (left + 62, right - 62):
        c.leg(x, y, x, 464, wood, 20, "side")
    for x, to_x in ((left + 34, left + 22), (right - 34, right - 22)):
        c.leg(x, y + 12, to_x, 508, wood, 30)
    c.box(left + 44, y + 16, right - left - 88, 26, wood, "side")
    c.slab(left, right, y, 54, 18, wood, 46)
    c.shade([(left + 44, y + 20), (right - 44, y + 20), (right - 44, y + 28), (left + 44, y + 28)])
    props.vase(c, 400 - half * 0.3, 298, "#6d8f94")
    props.cup(c, 400 + half * 0.36, 304)
    return c.svg()


def side_table(wood: Tones, size: str) -> str:
    """Draw the table "Kiesel": round, with pebbles."""
    c = Canvas(SKY, f"kiesel{wood.top}{size}")
    c.shadow(400, 512, 320, 40, 0.18)
    c.leg(400, 326, 400, 476, wood, 22, "side")
    c.leg(318, 330, 286, 510, wood, 24)
    c.leg(482, 330, 514, 510, wood, 24)
    c.raw(f'<ellipse cx="400" cy="330" rx="182" ry="46" fill="{wood.side}"/>')
    c.raw(f'<ellipse cx="400" cy="322" rx="182" ry="46" fill="{wood.front}"/>')
    c.raw(f'<ellipse cx="400" cy="314" rx="182" ry="46" fill="{wood.top}"/>')
    c.raw(f'<g fill="none" stroke="{wood.grain}" stroke-width="1.200" opacity=".34">')
    for shrink in (0.9, 0.76, 0.62, 0.5, 0.36, 0.22):
        c.raw(f'<ellipse cx="{400 + 12 * (1 - shrink):.0f}" cy="314" rx="{182 * shrink:.0f}" ry="{46 * shrink:.0f}"/>')
    c.raw("</g>")
    props.stone(c, 352, 318, 74, 26, "#8d959b")
    props.stone(c, 356, 294, 54, 20, "#b9bdb8")
    props.stone(c, 351, 275, 36, 15, "#6f777d")
    props.books(c, 430, 318, (8,), 0.01)
    c.raw(
        '<rect x="428" y="302" width="84" height="11" rx="2" fill="#b8604a"/><rect x="436" y="291" width="72" height="11" rx="2" fill="#e8dfd0"/>'
    )
    c.raw(
        '<rect x="428" y="310" width="84" height="3" fill="#2e221a" opacity=".16"/><rect x="436" y="299" width="72" height="3" fill="#2e221a" opacity=".12"/>'
    )
    return c.svg()


def desk(wood: Tones, size: str) -> str:
    """Draw the desk "Werra" with its drawer and a lamp."""
    c = Canvas(SAGE, f"werra{size}{wood.top}")
    half = {"120": 232, "150": 284}[size]
    left, right, y = 400 - half, 400 + half, 318
    c.shadow(400, 506, 2 * half + 20, 42, 0.16)
    for x in (left + 56, right - 56):
        c.leg(x, y, x, 462, wood, 18, "side")
    for x, to_x in ((left + 26, left + 14), (right - 26, right - 14)):
        c.leg(x, y + 12, to_x, 506, wood, 24)
    c.box(left + 36, y + 16, right - left - 72, 56, wood, "side")
    c.box(right - 226, y + 22, 176, 44, wood, "front")
    c.knob(right - 138, y + 44)
    c.slab(left, right, y, 48, 16, wood, 40)
    c.shade([(left + 36, y + 18), (right - 36, y + 18), (right - 36, y + 26), (left + 36, y + 26)])
    _desk_lamp(c, left + 92, 296)
    end = props.books(c, right - 190, 290, (62, 74, 56, 68, 60))
    props.pot(c, end + 34, 296, 0.62)
    c.raw(
        '<path d="M352 306l96 0l14 -22l-84 0z" fill="#fbf8f1"/><path d="M384 298h44M390 291h44" stroke="#8d959b" stroke-width="2" opacity=".6"/>'
    )
    return c.svg()


def _desk_lamp(c: Canvas, x: float, y: float) -> None:
    c.raw(
        f'<g transform="translate({x} {y})"><ellipse cx="4" cy="2" rx="34" ry="6" fill="#2e221a" opacity=".2"/>'
        '<path d="M0-2L-16-74L44-122" fill="none" stroke="#4f6f68" stroke-width="6" stroke-linejoin="round" stroke-linecap="round"/>'
        '<path d="M-28 0a28 7 0 0 1 56 0z" fill="#4f6f68"/><path d="M26-132L66-114L84-74L22-102z" fill="#4f6f68"/>'
        '<path d="M26-132L40-126L36-96L22-102z" fill="#fff" opacity=".16"/><ellipse cx="53" cy="-87" rx="33" ry="9" transform="rotate(24 53 -87)" fill="#fbe9b7"/></g>'
    )


def chair(wood: Tones, size: str) -> str:
    """Draw the chair "Amsel": a blackbird on its back."""
    c = Canvas(CLAY, f"amsel{wood.top}{size}")
    c.shadow(404, 520, 290, 40, 0.18)
    c.leg(320, 352, 314, 480, wood, 18, "side")
    c.leg(484, 352, 490, 480, wood, 18, "side")
    for x, to_x in ((310, 318), (490, 482)):
        c.board([(x - 8, 190), (x + 8, 190), (to_x + 9, 360), (to_x - 9, 360)], wood, "front", "v")
    for x in (352, 384, 416, 448):
        c.board(
            [(x - 5, 206), (x + 5, 206), (400 + (x - 400) * 0.94 + 5, 350), (400 + (x - 400) * 0.94 - 5, 350)], wood, "side", "v"
        )
    c.raw(f'<path d="M292 184Q400 150 508 184L506 222Q400 190 294 222z" fill="{wood.front}"/>')
    c.raw(f'<path d="M292 184Q400 150 508 184L507 192Q400 159 293 192z" fill="{wood.top}"/>')
    c.raw(
        f'<path d="M310 205Q400 176 490 205M330 210Q400 188 476 208" fill="none" stroke="{wood.grain}" stroke-width="1.200" opacity=".4"/>'
    )
    c.leg(302, 398, 288, 520, wood, 24)
    c.leg(498, 398, 512, 520, wood, 24)
    c.board([(306, 432), (494, 432), (494, 444), (306, 444)], wood, "side")
    c.slab(272, 528, 384, 42, 18, wood, 30)
    props.cushion(c, 304, 346, 192, 30, "#b8604a")
    props.bird(c, 454, 170, 0.95)
    return c.svg()


def stool(wood: Tones, size: str) -> str:
    """Draw the stool "Dachs": three legs and a paper cord seat."""
    c = Canvas(HEATHER, f"dachs{wood.top}{size}")
    c.shadow(400, 516, 270, 38, 0.18)
    c.leg(400, 348, 400, 478, wood, 20, "side")
    c.leg(322, 352, 286, 514, wood, 26)
    c.leg(478, 352, 514, 514, wood, 26)
    c.board([(308, 446), (492, 446), (494, 458), (306, 458)], wood, "side")
    c.raw(f'<ellipse cx="400" cy="346" rx="146" ry="44" fill="{wood.side}"/>')
    c.raw(f'<ellipse cx="400" cy="334" rx="146" ry="44" fill="{wood.front}"/>')
    c.raw(f'<ellipse cx="400" cy="326" rx="146" ry="44" fill="{wood.top}"/>')
    c.raw('<ellipse cx="400" cy="324" rx="116" ry="33" fill="#d9c7a3"/>')
    c.raw('<g fill="none" stroke="#b39c70" stroke-width="2">')
    for shrink in (0.94, 0.82, 0.7, 0.58, 0.46, 0.34, 0.22, 0.1):
        c.raw(f'<ellipse cx="400" cy="324" rx="{116 * shrink:.0f}" ry="{33 * shrink:.1f}"/>')
    c.raw('</g><path d="M284 324H516M400 291V357" stroke="#b39c70" stroke-width="1.500" opacity=".7"/>')
    props.cup(c, 432, 322, "#5d7a86")
    return c.svg()


def bench(wood: Tones, size: str) -> str:
    """Draw the bench "Zaun" with its slatted back."""
    c = Canvas(SAGE, f"zaun{size}{wood.top}")
    half = {"120": 222, "160": 284}[size]
    left, right = 400 - half, 400 + half
    c.shadow(400, 512, 2 * half + 10, 40, 0.17)
    for x in (left + 40, right - 40):
        c.leg(x, 380, x, 474, wood, 18, "side")
    for x in (left + 24, right - 24):
        c.board([(x - 10, 212), (x + 10, 212), (x + 10, 372), (x - 10, 372)], wood, "front", "v")
    count = 9 if size == "160" else 7
    for i in range(1, count + 1):
        at = left + 24 + (right - left - 48) * i / (count + 1)
        c.board([(at - 8, 250), (at + 8, 250), (at + 8, 366), (at - 8, 366)], wood, "side", "v")
    c.box(left + 12, 206, right - left - 24, 30, wood, "front")
    c.box(left + 14, 202, right - left - 28, 8, wood, "top")
    for x, to_x in ((left + 32, left + 26), (right - 32, right - 26)):
        c.leg(x, 404, to_x, 512, wood, 28)
    c.slab(left, right, 388, 40, 18, wood, 26)
    props.cushion(c, left + 46, 350, 170, 32, "#5d7a86")
    c.raw(
        f'<g transform="translate({right - 110} 384)"><rect x="-46" y="-78" width="88" height="78" rx="18" fill="#d8b765" transform="rotate(-8)"/>'
        '<path d="M-30-64L30-14M-38-40L8-4M-8-74L38-34" stroke="#fff" stroke-width="3" opacity=".35" transform="rotate(-8)"/></g>'
    )
    return c.svg()


def bed(wood: Tones, size: str) -> str:
    """Draw the bed "Mulde"."""
    c = Canvas(HEATHER, f"mulde{size}{wood.top}")
    half = {"140": 222, "160": 250, "180": 282}[size]
    left, right = 400 - half, 400 + half
    c.shadow(400, 512, 2 * half + 40, 44, 0.18)
    inner = half - 42
    c.box(400 - inner - 14, 214, 2 * inner + 28, 136, wood, "front")
    c.box(400 - inner - 14, 208, 2 * inner + 28, 10, wood, "top")
    c.raw(
        f'<path d="M{400 - inner - 14} 262H{400 + inner + 14}M{400 - inner - 14} 306H{400 + inner + 14}" stroke="{wood.edge}" stroke-width="2" opacity=".45"/>'
    )
    c.raw(f'<path d="M{400 - inner} 326H{400 + inner}L{right - 16} 456H{left + 16}z" fill="#fbf8f3"/>')
    for x in (400 - inner * 0.5, 400 + inner * 0.5):
        width = inner * 0.84
        c.raw(f'<rect x="{x - width / 2:.0f}" y="296" width="{width:.0f}" height="56" rx="24" fill="#fffdf9"/>')
        c.raw(
            f'<path d="M{x - width / 2 + 10:.0f} 338Q{x:.0f} 356 {x + width / 2 - 10:.0f} 338" fill="none" stroke="#cfc6bb" stroke-width="3"/>'
        )
    spread = inner + (half - 16 - inner) * 0.3
    c.raw(f'<path d="M{400 - spread:.0f} 366Q400 350 {400 + spread:.0f} 366L{right - 8} 462H{left + 8}z" fill="#8fa596"/>')
    c.raw(
        f'<path d="M{400 - spread:.0f} 366Q400 350 {400 + spread:.0f} 366L{400 + spread + 6:.0f} 384Q400 368 {400 - spread - 6:.0f} 384z" fill="#f3efe6"/>'
    )
    c.raw(
        f'<path d="M{left + 120} 396L{left + 92} 458M400 380V458M{right - 120} 396L{right - 92} 458" stroke="#2e221a" stroke-width="5" opacity=".07" stroke-linecap="round"/>'
    )
    for x in (left + 26, right - 26):
        c.leg(x, 484, x, 514, wood, 30)
    c.slab(left, right, 460, 6, 36, wood, 4)
    return c.svg()
