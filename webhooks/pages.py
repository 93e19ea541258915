"""How the HTML pages behind our doors are made: escaped, and strict about missing facts."""

from pathlib import Path

import jinja2

from core.compiled import COMPILED


def pages(templates: Path) -> jinja2.Environment:
    """The pages of a folder of templates."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates / "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        bytecode_cache=COMPILED,
        trim_blocks=True,
        lstrip_blocks=True,
    )
