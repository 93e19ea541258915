"""The only place that knows XML: pushes are written here, answers are read here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Field:
    """One element: text goes into CDATA, a number stands bare, a sequence is nested elements."""

    name: str
    value: "str | int | Sequence[Field]"


def write(fields: Sequence[Field]) -> str:
    """The fields inside `<xml>`, one after the other."""
    return f"<xml>{''.join(map(_element, fields))}</xml>"


def _element(field: Field) -> str:
    value = field.value
    if isinstance(value, str):
        # XML cannot carry control characters at all, and CDATA ends at the first "]]>".
        clean = _FORBIDDEN.sub("", value).replace("]]>", "]]]]><![CDATA[>")
        inner = f"<![CDATA[{clean}]]>"
    elif isinstance(value, int):
        inner = str(value)
    else:
        inner = "".join(map(_element, value))
    return f"<{field.name}>{inner}</{field.name}>"


def read(body: bytes) -> ET.Element:
    """The root of a bot's answer; raises ValueError for whatever WeChat would not take as XML."""
    text = body.decode()
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a DOCTYPE or an entity")
    try:
        # Bounded by the caller, and without a DOCTYPE there is nothing to expand.
        root = ET.fromstring(text)  # noqa: S314
    except ET.ParseError as wrong:
        raise ValueError(f"no XML ({wrong})") from wrong
    if root.tag != "xml":
        raise ValueError(f"<{root.tag[:40]}> where <xml> is expected")
    return root


def text_of(parent: ET.Element, path: str) -> str:
    """The text of the element at `path`, or an empty string."""
    return (parent.findtext(path) or "").strip()
