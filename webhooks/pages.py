"""How the HTML pages behind our doors are made: escaped, strict about missing facts, told to nobody else."""

from pathlib import Path
from typing import Literal

import jinja2

from core.compiled import COMPILED


def pages(templates: Path, folder: str = "pages") -> jinja2.Environment:
    """The pages of a folder of templates; what has a name in the chat is called the same on them."""
    words = {each: jinja2.FileSystemLoader(templates / each) for each in ("citizens", "community")}
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(templates / folder), jinja2.PrefixLoader(words)]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        bytecode_cache=COMPILED,
        trim_blocks=True,
        lstrip_blocks=True,
    )


# Without scripts; with scripts of ours that ask us; one that leads to WeChat Pay, which goes back to where
# somebody came from (docs/pay-facts.md 3) and so has to be told.
Kind = Literal["plain", "scripted", "leading"]
_SCRIPTS = "script-src 'self'; connect-src 'self'; "


def guarded(framed_by: str = "", kind: Kind = "plain") -> dict[str, str]:
    """The headers of every page that is for one reader: nobody keeps it, no other site learns its address.

    No other page may stand around it, but for the phone page of the simulator where that plays WeChat:
    `framed_by` is its origin.
    """
    framing = framed_by or "'none'"
    return {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer-when-downgrade" if kind == "leading" else "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
        "Content-Security-Policy": (
            f"default-src 'none'; {_SCRIPTS if kind == 'scripted' else ''}style-src 'unsafe-inline'; "
            f"img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors {framing}"
        ),
    } | ({} if framed_by else {"X-Frame-Options": "DENY"})
