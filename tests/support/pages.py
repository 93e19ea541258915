"""What a browser finds in the head of a page."""

import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

_SVG = "http://www.w3.org/2000/svg"


def icon_of(page: str) -> str:
    """The page's own icon; a browser that finds none asks for /favicon.ico, which is a 404 in every log."""
    icons = re.findall(r'<link rel="icon" href="data:image/svg\+xml,([^"#]+)">', page)
    assert len(icons) == 1, "no icon of its own"
    drawing = unquote(icons[0])
    root = ET.fromstring(drawing)  # noqa: S314 (our own page)
    assert root.tag == f"{{{_SVG}}}svg"
    assert len(list(root.iter())) > 1, "there is nothing on it"
    return drawing
