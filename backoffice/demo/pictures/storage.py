# ruff: noqa: E501 - path data is not prose: broken lines would not make it easier to read
"""Shelves, the sideboard and the chest."""

from __future__ import annotations

from backoffice.demo.pictures import props
from backoffice.demo.pictures.canvas import CLAY, SAGE, SAND, SKY, Canvas, Tones


def shelf(wood: Tones, size: str) -> str:
    """Draw the shelf "Regnitz": three or five boards high."""
    c = Canvas(SKY, f"regnitz{size}{wood.top}")
    high = size == "High"
    top, left, right = (112, 268, 532) if high else (268, 226, 574)
    boards = 5 if high else 3
    step = (492 - top - 14) / (boards - 1)
    c.shadow(400, 512, right - left + 70, 36, 0.18)
    c.board([(left + 16, top + 8), (right - 16, top + 8), (right - 16, 492), (left + 16, 492)], wood, "side", "v")
    c.shade([(left + 16, top + 8), (right - 16, top + 8), (right - 16, 492), (left + 16, 492)], 0.22)
    for i in range(boards):
        y = top + i * step
        if i:
            c.board([(left + 18, y - 20), (right - 18, y - 20), (right - 6, y), (left + 6, y)], wood, "top")
        c.box(left + 4, y, right - left - 8, 14, wood, "front")
        if i < boards - 1:
            c.shade([(left + 16, y + 15), (right - 16, y + 15), (right - 16, y + 24), (left + 16, y + 24)], 0.16)
    for x in (left - 8, right - 10):
        c.box(x, top - 6, 18, 518 - top, wood, "front", "v")
        c.raw(f'<path d="M{x + 1} {top - 4}V508" stroke="#fff" stroke-opacity=".3" stroke-width="2"/>')
    small = 0.78 if high else 1.0
    props.books(c, left + 26, top + step - 4, (64, 72, 54, 68, 60), small)
    props.pot(c, right - 60, top + step - 6, 0.72 * small)
    props.vase(c, left + 64, top + 2 * step - 4, "#c9775a", "#6f8f5f", 0.5 * small)
    props.books(c, right - 128, top + 2 * step - 4, (58, 66, 50, 70), small)
    if high:
        props.books(c, left + 96, top + 3 * step - 4, (62, 50, 70), small)
        c.raw(
            f'<rect x="{right - 104}" y="{top + 3 * step - 44:.0f}" width="72" height="40" rx="6" fill="#d8c6a5"/><path d="M{right - 80} {top + 3 * step - 30:.0f}h24" stroke="#8d7a55" stroke-width="5" stroke-linecap="round"/>'
        )
        props.stone(c, left + 62, top + 4 * step - 4, 62, 30, "#8d959b")
        props.books(c, right - 120, top + 4 * step - 4, (60, 68, 54, 64), small)
    else:
        props.bird(c, 452, top + 1, 0.85, flip=True)
    return c.svg()


def wall_shelf(wood: Tones, size: str) -> str:
    """Draw the wall shelf "Nische" on its wall."""
    c = Canvas(SAGE, f"nische{size}{wood.top}")
    half = {"60": 168, "90": 246}[size]
    left, right = 400 - half, 400 + half
    c.raw(
        f'<path d="M{left + 20} 322H{right + 26}L{right + 10} 360H{left + 60}z" fill="#2e221a" opacity=".16" filter="url(#soft)"/>'
    )
    for x in (left, right - 22):
        c.board([(x, 214), (x + 22, 206), (x + 22, 300), (x, 300)], wood, "front", "v")
    for x in (left + 40, right - 52):
        c.raw(f'<path d="M{x} 326h12v34q0 6-6 6t-6-6z" fill="#cfa852"/>')
    c.slab(left - 10, right + 10, 312, 22, 16, wood, 12)
    end = props.books(c, left + 34, 306, (88, 100, 78, 94, 84), 1.0)
    props.vase(c, (end + right) / 2 + 6, 308, "#b8604a", "#6f8f5f", 0.86)
    if size == "90":
        props.cup(c, right - 58, 308, "#f4efe6")
    return c.svg()


def sideboard(wood: Tones, size: str) -> str:
    """Draw the sideboard "Kabinett"."""
    c = Canvas(CLAY, f"kabinett{size}{wood.top}")
    left, right = 118, 682
    c.shadow(400, 512, 600, 40, 0.18)
    for x in (left + 60, right - 60):
        c.leg(x, 456, x, 490, wood, 18, "side")
    for x, to_x in ((left + 40, left + 28), (right - 40, right - 28)):
        c.leg(x, 460, to_x, 512, wood, 24)
    c.box(left, 292, right - left, 170, wood, "side")
    width = (right - left - 40) / 3
    for i in range(3):
        at = left + 10 + i * (width + 10)
        if i == 1:
            for row in range(3):
                c.box(at, 302 + row * 51, width, 46, wood, "front")
                c.knob(at + width / 2, 325 + row * 51)
        else:
            c.box(at, 302, width, 148, wood, "front", "v")
            c.knob(at + (width - 22 if i == 0 else 22), 374)
    c.slab(left - 10, right + 10, 284, 38, 14, wood, 34)
    c.shade([(left, 300), (right, 300), (right, 307), (left, 307)], 0.18)
    props.vase(c, 214, 270, "#5d7a86", "#7c9a6a", 1.0)
    c.raw(
        '<rect x="404" y="178" width="92" height="92" rx="4" fill="#fbf8f1"/><rect x="404" y="178" width="92" height="92" rx="4" fill="none" stroke="#6f5a48" stroke-width="6"/>'
        '<path d="M410 250l26-34l20 22l14-16l20 28v14h-80z" fill="#8fa596"/><circle cx="474" cy="204" r="9" fill="#d8b765"/>'
    )
    c.raw(
        '<rect x="538" y="258" width="86" height="12" rx="2" fill="#b8604a"/><rect x="546" y="246" width="74" height="12" rx="2" fill="#e8dfd0"/>'
    )
    props.stone(c, 580, 246, 40, 20, "#8d959b")
    return c.svg()


def chest(wood: Tones, size: str) -> str:
    """Draw the blanket chest "Truhe", a blanket looking out."""
    c = Canvas(SAND, f"truhe{wood.top}{size}")
    left, right = 176, 624
    c.shadow(400, 506, 500, 42, 0.2)
    c.board([(left + 34, 206), (right - 34, 206), (right - 6, 326), (left + 6, 326)], wood, "side")
    c.board([(left + 26, 196), (right - 26, 196), (right - 30, 212), (left + 30, 212)], wood, "top")
    c.raw(f'<path d="M{left} 340L{left + 34} 292H{right - 34}L{right} 340z" fill="#3b2a1f" opacity=".55"/>')
    c.raw('<path d="M262 344C258 296 300 284 330 296S400 284 428 294S520 284 526 344z" fill="#c9775a"/>')
    c.raw(
        '<path d="M300 340V394Q318 404 336 394V340z" fill="#c9775a"/><path d="M300 372h36M300 384h36" stroke="#f3e4da" stroke-width="4"/>'
        '<path d="M302 396v10M310 399v10M318 400v10M326 399v10M334 396v10" stroke="#f3e4da" stroke-width="2.500" stroke-linecap="round"/>'
    )
    c.raw(
        '<path d="M286 320C320 300 340 326 372 310S440 316 500 318" fill="none" stroke="#2e221a" stroke-width="4" opacity=".14" stroke-linecap="round"/>'
    )
    for row in range(3):
        c.box(left, 340 + row * 52, right - left, 50, wood, "front")
    for x in (left, right - 26):
        c.box(x, 340, 26, 154, wood, "top", "v")
    c.raw(
        '<path d="M300 340V394Q318 404 336 394V340z" fill="#c9775a"/><path d="M300 368h36M300 380h36" stroke="#f3e4da" stroke-width="4"/>'
        '<path d="M302 397v9M310 400v9M318 401v9M326 400v9M334 397v9" stroke="#c9775a" stroke-width="2.500" stroke-linecap="round"/>'
    )
    c.raw(f'<path d="M{left} 340H{right}" stroke="#fff" stroke-opacity=".4" stroke-width="2"/>')
    for x in (left + 16, right - 46):
        c.box(x, 494, 30, 14, wood, "side", "")
    c.raw('<path d="M470 410q20 22 40 0" fill="none" stroke="#8d6d2c" stroke-width="6" stroke-linecap="round"/>')
    c.knob(470, 408, radius=5)
    c.knob(510, 408, radius=5)
    return c.svg()
