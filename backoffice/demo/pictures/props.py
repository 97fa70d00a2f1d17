# ruff: noqa: E501 - path data is not prose: broken lines would not make it easier to read
"""Small things that make a room of a background: a vase, a bird, books, a cushion."""

from __future__ import annotations

from backoffice.demo.pictures.canvas import Canvas


def vase(c: Canvas, x: float, y: float, colour: str = "#7f9c93", leaf: str = "#6f8f5f", size: float = 1.0) -> None:
    """Stand a vase with a twig; x, y: the middle of its foot."""
    c.raw(f'<g transform="translate({x} {y}) scale({size})">')
    c.raw('<ellipse cx="6" cy="1" rx="24" ry="5" fill="#2e221a" opacity=".2"/>')
    c.raw(
        f'<g stroke="{leaf}" stroke-width="3" fill="none" stroke-linecap="round"><path d="M0-44C-4-78-18-98-22-122"/>'
        '<path d="M0-44C4-76 18-88 26-106"/></g>'
    )
    for left, top, turn in ((-22, -122, -20), (-8, -96, 30), (-24, -94, -50), (26, -108, 40), (10, -86, -15), (24, -84, 75)):
        c.raw(
            f'<path d="M0 0C10-10 10-24 0-34C-10-24-10-10 0 0z" fill="{leaf}" transform="translate({left} {top + 6}) rotate({turn})"/>'
        )
    c.raw(f'<path d="M-9-46H9C8-36 22-28 20-12C19-3 12 0 0 0S-19-3-20-12C-22-28-8-36-9-46z" fill="{colour}"/>')
    c.raw('<path d="M-9-46C-8-36-22-28-20-12C-19-3-12 0-4 0C-14-10-12-30-3-46z" fill="#fff" opacity=".22"/></g>')


def bird(c: Canvas, x: float, y: float, size: float = 1.0, flip: bool = False) -> None:
    """Set a blackbird down; x, y: between its feet."""
    c.raw(f'<g transform="translate({x} {y}) scale({-size if flip else size} {size})">')
    c.raw('<path d="M-3-8V0M5-8V0" stroke="#d08a2c" stroke-width="2.500" stroke-linecap="round"/>')
    c.raw('<path d="M-44-2C-30-14-26-34-4-38C2-52 24-54 28-38C30-18 16-6 0-6C-14-6-24-8-44-2z" fill="#33363b"/>')
    c.raw('<path d="M-30-12C-18-30 0-30 8-26C4-12-12-8-30-12z" fill="#45494f"/>')
    c.raw(
        '<path d="M27-42L42-37L27-33z" fill="#e39a35"/><circle cx="18" cy="-41" r="4" fill="#e39a35"/><circle cx="18" cy="-41" r="2.200" fill="#17181a"/></g>'
    )


def books(c: Canvas, x: float, y: float, heights: tuple[int, ...] = (64, 76, 58, 70), size: float = 1.0) -> float:
    """Stand books on a board; x: left end, y: the board. Return the right end."""
    colours = ("#b8604a", "#5d7a86", "#d8b765", "#6f8a6a", "#e8dfd0", "#8b6a88")
    for i, height in enumerate(heights):
        width, tall = (15 + (height * 7 + i * 5) % 9) * size, height * size
        colour = colours[(i * 5 + height // 2) % len(colours)]
        c.raw(f'<rect x="{x:.1f}" y="{y - tall:.1f}" width="{width:.1f}" height="{tall:.1f}" rx="2" fill="{colour}"/>')
        c.raw(f'<rect x="{x + 3:.1f}" y="{y - tall + 9:.1f}" width="{width - 6:.1f}" height="3" fill="#fff" opacity=".5"/>')
        c.raw(f'<rect x="{x + width - 3:.1f}" y="{y - tall:.1f}" width="3" height="{tall:.1f}" fill="#2e221a" opacity=".14"/>')
        x += width + 1.5
    return x


def pot(c: Canvas, x: float, y: float, size: float = 1.0, colour: str = "#c9775a") -> None:
    """Stand a pot with a round plant; x, y: the middle of its foot."""
    c.raw(f'<g transform="translate({x} {y}) scale({size})"><ellipse cx="5" cy="1" rx="26" ry="5" fill="#2e221a" opacity=".2"/>')
    for left, top, turn, tone in (
        (-14, -52, -55, "#5f8163"),
        (14, -52, 55, "#5f8163"),
        (-9, -56, -25, "#6f9572"),
        (10, -56, 24, "#6f9572"),
        (0, -56, 0, "#7fa581"),
    ):
        c.raw(
            f'<path d="M0 0C18-18 16-50 0-64C-16-50-18-18 0 0z" fill="{tone}" transform="translate({left} {top + 14}) rotate({turn})"/>'
        )
    c.raw(f'<path d="M-24-44H24L18 0H-18z" fill="{colour}"/><path d="M-26-48H26V-36H-26z" fill="{colour}"/>')
    c.raw(
        '<path d="M-26-36H26V-32H-25z" fill="#2e221a" opacity=".16"/><path d="M-24-44H-10L-8 0H-18z" fill="#fff" opacity=".16"/></g>'
    )


def cushion(c: Canvas, x: float, y: float, width: float, height: float, colour: str) -> None:
    """Lay a seat cushion, seen from slightly above; x, y: the upper left corner of its box."""
    right, bottom, rim = x + width, y + height, height * 0.42
    c.raw(
        f'<path d="M{x + 16:.0f} {y:.0f}H{right - 16:.0f}Q{right - 8:.0f} {y:.0f} {right - 5:.0f} {y + 8:.0f}L{right:.0f}'
        f" {bottom - 10:.0f}Q{right + 2:.0f} {bottom:.0f} {right - 10:.0f} {bottom:.0f}H{x + 10:.0f}Q{x - 2:.0f} {bottom:.0f}"
        f' {x:.0f} {bottom - 10:.0f}L{x + 5:.0f} {y + 8:.0f}Q{x + 8:.0f} {y:.0f} {x + 16:.0f} {y:.0f}z" fill="{colour}"/>'
    )
    c.raw(
        f'<path d="M{x + 3:.0f} {bottom - rim:.0f}H{right - 3:.0f}L{right:.0f} {bottom - 8:.0f}Q{right:.0f} {bottom:.0f}'
        f' {right - 10:.0f} {bottom:.0f}H{x + 10:.0f}Q{x:.0f} {bottom:.0f} {x:.0f} {bottom - 8:.0f}z" fill="#2e221a" opacity=".16"/>'
    )
    c.raw(
        f'<path d="M{x + 22:.0f} {y + 5:.0f}H{x + width * 0.6:.0f}" stroke="#fff" stroke-width="4" stroke-linecap="round" opacity=".35"/>'
    )


def cup(c: Canvas, x: float, y: float, colour: str = "#f4efe6") -> None:
    """Stand a cup; x, y: the middle of its foot."""
    c.raw(
        f'<g transform="translate({x} {y})"><ellipse cx="4" cy="0" rx="22" ry="4" fill="#2e221a" opacity=".18"/>'
        f'<path d="M14-22c14-2 14 16-2 14" fill="none" stroke="{colour}" stroke-width="4"/>'
        f'<path d="M-16-26H16C16-8 10 0 0 0S-16-8-16-26z" fill="{colour}"/><ellipse cy="-26" rx="16" ry="4" fill="#7b5a43"/>'
        '<path d="M-16-26C-16-8-10 0-3 0C-9-6-11-16-10-26z" fill="#fff" opacity=".5"/></g>'
    )


def stone(c: Canvas, x: float, y: float, width: float, height: float, colour: str) -> None:
    """Lay a pebble; x, y: the middle of its underside."""
    c.raw(f'<ellipse cx="{x + 3}" cy="{y}" rx="{width * 0.55}" ry="{height * 0.22}" fill="#2e221a" opacity=".2"/>')
    c.raw(f'<ellipse cx="{x}" cy="{y - height / 2}" rx="{width / 2}" ry="{height / 2}" fill="{colour}"/>')
    c.raw(
        f'<ellipse cx="{x - width * 0.12}" cy="{y - height * 0.66}" rx="{width * 0.22}" ry="{height * 0.16}" fill="#fff" opacity=".35"/>'
    )
