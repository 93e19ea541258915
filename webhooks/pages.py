"""How the HTML pages behind our doors are made: escaped, strict about missing facts, told to nobody else."""

from pathlib import Path

import jinja2

from core.compiled import COMPILED


def pages(templates: Path, folder: str = "pages") -> jinja2.Environment:
    """The pages of a folder of templates."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates / folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        bytecode_cache=COMPILED,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def guarded(framed_by: str = "") -> dict[str, str]:
    """The headers of every page that is for one reader: nobody keeps it, no other site learns its address.

    No other page may stand around it, but for the phone page of the simulator where that plays WeChat:
    `framed_by` is its origin.
    """
    framing = framed_by or "'none'"
    return {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
            f"form-action 'self'; frame-ancestors {framing}"
        ),
    } | ({} if framed_by else {"X-Frame-Options": "DENY"})
