"""Makes a text fit for WeChat: nothing it cannot show, and cut where nobody stumbles."""

import re
import unicodedata
from itertools import takewhile

MAX_TEXT_BYTES = 2_047  # wechat-facts 5.2, passive replies and customer-service messages alike

# What XML 1.0 cannot hold, lone surrogates among it; \r goes too, since XML would turn it into \n.
_ILLEGAL = re.compile(r"[^\t\n\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")

_NEVER_LONGER = MAX_TEXT_BYTES // 4  # characters: no text as short as this needs its bytes counted
_LONGEST_CLUSTER = 64  # characters one emoji or accented letter may be made of before we cut through it
_JOINER = "\u200d"  # makes one family out of several people


def clean(text: str) -> str:
    """Leave out what WeChat's XML cannot hold; its JSON would hold it only as an escape, which it refuses."""
    return _ILLEGAL.sub("", text)


def cut(text: str) -> str:
    """Cut a text to what WeChat takes: never inside a character, and links stay whole or go."""
    if len(text) <= _NEVER_LONGER:
        return text
    encoded = text.encode()
    if len(encoded) <= MAX_TEXT_BYTES:
        return text
    end = len(encoded[:MAX_TEXT_BYTES].decode(errors="ignore"))
    return text[: _before_link(text, end) or _before_cluster(text, end)]


def _before_link(text: str, end: int) -> int:
    """Move the cut in front of an `<a …>…</a>` it would go through; 0 if nothing would be left."""
    link = text.rfind("<a ", 0, end + 2)  # + 2: also one whose first letters end the text
    if link >= 0:
        closed = text.find("</a>", link)
        if closed < 0 or closed + len("</a>") > end:
            return link
    return _before_cluster(text, end)


def _before_cluster(text: str, end: int) -> int:
    """Move the cut in front of what a reader sees as one character: 👩‍👩‍👧, 🇨🇳, é."""
    for earlier in range(end, max(end - _LONGEST_CLUSTER, 0), -1):
        if not _glued(text, earlier):
            return earlier
    return end


def _glued(text: str, at: int) -> bool:
    """Whether the character at `at` belongs to the one before it."""
    here, before = text[at], text[at - 1]
    if _JOINER in (here, before) or "\U0001f3fb" <= here <= "\U0001f3ff":  # the skin tones
        return True
    if unicodedata.category(here) in {"Mn", "Mc", "Me"} or "\U000e0020" <= here <= "\U000e007f":
        return True
    # A flag is two letters: cut only after an even number of them.
    return _is_flag_letter(here) and bool(
        sum(1 for _ in takewhile(_is_flag_letter, reversed(text[max(0, at - _LONGEST_CLUSTER) : at]))) % 2
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
