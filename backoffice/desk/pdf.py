"""The codes that scanners read."""

from __future__ import annotations

from io import StringIO

from markupsafe import Markup

BAR_HEIGHT = 40
QUIET = 10  # modules left white at both ends, which the standard asks for


def code_128(text: str) -> Markup:
    """Return a text as a Code 128 bar code, drawn in SVG."""
    from barcode import Code128

    modules = Code128(text).build()[0]
    if isinstance(modules, bytes):
        modules = modules.decode()
    bars = "".join(
        f'<rect x="{QUIET + at}" y="0" width="1" height="{BAR_HEIGHT}"/>' for at, one in enumerate(modules) if one == "1"
    )
    size = f'viewBox="0 0 {len(modules) + 2 * QUIET} {BAR_HEIGHT}"'
    return Markup(f'<svg class="bars" xmlns="http://www.w3.org/2000/svg" {size} preserveAspectRatio="none">{bars}</svg>')  # noqa: S704 - numbers only


def qr(text: str) -> Markup:
    """Return a text as a QR code, drawn in SVG."""
    import segno

    drawn = StringIO()
    drawn.write(segno.make(text, error="m", micro=False).svg_inline(border=4, omitsize=True))
    return Markup(drawn.getvalue())  # noqa: S704 - the library's own drawing, without the text
