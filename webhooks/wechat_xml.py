"""WeChat's XML, read within bounds: no DOCTYPE, no entities, few elements, little depth."""

import re
from functools import cache
from xml.parsers import expat

from webhooks.wechat_refusals import PushRefusedError

# What one push holds, in the shape WeChat's JSON mode has: text, an object, or an array where a name repeats.
Fields = dict[str, "str | Fields | list[str | Fields]"]

MAX_DEPTH = 8  # the deepest documented push (MASSSENDJOBFINISH) has 5
MAX_ELEMENTS = 1_000  # the largest documented push has about 100

# Characters no XML 1.0 document may hold; a citizen's keyboard or a stray program sometimes sends them.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


# One element without children as WeChat writes it: its name, the beginning of CDATA if it is that, its text.
# Texts in which XML would change or refuse anything are left to its reader.
_TEXT = r"[^\]<>&\x00-\x08\x0b-\x1f\ufffe\uffff]*+"
_FLAT = rf"<([A-Za-z]\w*+)>(<!\[CDATA\[)?({_TEXT})(?({{cdata}})\]\]>)</\{{name}}>[ \t\n]*+"
_GROUPS = 3
_MAX_FLAT = 16
_MAX_FLAT_BYTES = 8_192


@cache
def _shape(elements: int) -> re.Pattern[str]:
    """The expression of a whole document with so many plain fields; it reads each character once."""
    fields = (_FLAT.format(name=_GROUPS * each + 1, cdata=_GROUPS * each + 2) for each in range(elements))
    return re.compile(rf"<xml>[ \t\n]*+{''.join(fields)}</xml>[ \t\n]*+", re.ASCII)


def parse(document: bytes) -> Fields:
    """Read one `<xml>…</xml>` document in UTF-8, or raise `PushRefusedError`."""
    flat = _parse_flat(document)
    return flat if flat is not None else _parse_any(document)


def _parse_flat(document: bytes) -> Fields | None:
    """Read a document of plain fields, as almost every push is; None leaves it to the XML reader."""
    elements = document.count(b"</") - 1
    if not 0 < elements <= _MAX_FLAT or len(document) > _MAX_FLAT_BYTES:
        return None
    try:
        found = _shape(elements).fullmatch(document.decode())
    except UnicodeDecodeError:
        return None
    if found is None:
        return None
    groups = found.groups()
    fields: Fields = dict(zip(groups[::_GROUPS], groups[_GROUPS - 1 :: _GROUPS], strict=True))
    return fields if len(fields) == elements else None


def _parse_any(document: bytes) -> Fields:
    """Read any document with the XML reader."""
    root: Fields = {}
    open_elements: list[Fields | None] = [root]  # None: no child seen yet, so perhaps plain text
    text: list[str] = []
    left = MAX_ELEMENTS

    def start(_name: str, _attributes: dict[str, str]) -> None:
        nonlocal left
        left -= 1
        if left < 0 or len(open_elements) > MAX_DEPTH:
            raise PushRefusedError("XML too deep or with too many elements")
        open_elements.append(None)
        text.clear()

    def end(name: str) -> None:
        node = open_elements.pop()
        value = "".join(text) if node is None else node
        text.clear()
        parent = open_elements[-1]
        if parent is None:
            parent = open_elements[-1] = {}
        if name in parent:
            _repeat(parent, name, value)
        else:
            parent[name] = value

    # Whatever the document declares: WeChat speaks UTF-8 only.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(document, True)
    except expat.ExpatError as broken:
        raise PushRefusedError("not well-formed XML") from broken
    content = root.get("xml")
    if not isinstance(content, dict):
        raise PushRefusedError("XML without the fields of a push")
    return content


def parse_mended(document: bytes) -> Fields:
    """Read an authentic document; broken bytes and illegal control characters in it do not silence a citizen.

    Only for what a signature has vouched for: anything else that is not XML should stay refused at once.
    """
    try:
        return parse(document)
    except PushRefusedError:
        mended = _ILLEGAL.sub("", document.decode(errors="replace")).encode()
        if mended == document:
            raise
    return parse(mended)


def word(fields: Fields, name: str) -> str:
    """Return the text of a field, the first where it repeats, "" where there is none."""
    value = fields.get(name, "")
    if isinstance(value, str):
        return value
    first = value[0] if isinstance(value, list) else ""
    return first if isinstance(first, str) else ""


def inside(fields: Fields, *path: str) -> Fields:
    """Return the object at a path, the first where it repeats, an empty one where there is none."""
    for name in path:
        fields = next(iter(many(fields, name)), {})
    return fields


def many(fields: Fields, name: str) -> list[Fields]:
    """Return the objects of one name: none, one or several."""
    value = fields.get(name)
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, dict)]


def leaves(fields: Fields, prefix: str = "") -> list[tuple[str, str]]:
    """Return every text with its path, in order: `("ResultList/item/1/ArticleUrl", "…")`."""
    found: list[tuple[str, str]] = []
    for name, value in fields.items():
        path = f"{prefix}{name}"
        if isinstance(value, str):
            found.append((path, value))
        elif isinstance(value, dict):
            found += leaves(value, f"{path}/")
        else:
            for number, each in enumerate(value):
                found += leaves({str(number): each}, f"{path}/")
    return found


def _repeat(parent: Fields, name: str, value: "str | Fields") -> None:
    """Make an array out of an element that comes again."""
    known = parent[name]
    if isinstance(known, list):
        known.append(value)
    else:
        parent[name] = [known, value]


def _refuse_doctype(*_declaration: object) -> None:
    """Nothing WeChat sends has one; whoever sends one is after the parser (wechat-facts 5.8)."""
    raise PushRefusedError("DOCTYPE in XML")
