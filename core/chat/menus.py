"""The menu under a chat, as data; WeChat's limits are checked when it is written down (wechat-facts 2.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

_MOST_BUTTONS, _MOST_CHILDREN = 3, 5
_TOP_BYTES, _CHILD_BYTES, _KEY_BYTES, _URL_BYTES = 16, 60, 128, 1024


class MenuError(ValueError):
    """A menu that WeChat would not take."""


class Kind(StrEnum):
    """What a tap on a button does."""

    CLICK = "click"
    VIEW = "view"
    MINIPROGRAM = "miniprogram"
    SCAN = "scancode_push"  # shows what was scanned; we hear of it
    SCAN_AND_WAIT = "scancode_waitmsg"  # waits for our answer
    CAMERA = "pic_sysphoto"
    CAMERA_OR_ALBUM = "pic_photo_or_album"
    ALBUM = "pic_weixin"
    PLACE = "location_select"
    MEDIA = "media_id"
    MEDIA_PAGE = "view_limited"
    ARTICLE = "article_id"
    ARTICLE_PAGE = "article_view_limited"


_NEEDS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.CLICK: ("click",),
        Kind.VIEW: ("url",),
        Kind.MINIPROGRAM: ("url", "appid", "page"),
        Kind.SCAN: ("key",),
        Kind.SCAN_AND_WAIT: ("key",),
        Kind.CAMERA: ("key",),
        Kind.CAMERA_OR_ALBUM: ("key",),
        Kind.ALBUM: ("key",),
        Kind.PLACE: ("key",),
        Kind.MEDIA: ("media_id",),
        Kind.MEDIA_PAGE: ("media_id",),
        Kind.ARTICLE: ("article_id",),
        Kind.ARTICLE_PAGE: ("article_id",),
    }
)
_GIVEN = ("click", "url", "key", "appid", "page", "media_id", "article_id")


@dataclass(frozen=True, slots=True)
class Button:
    """One button: a `click` key, a `url`, up to five children, or another `kind` with what that needs.

    A mini program's `url` is for phones that cannot open it.
    """

    name: str
    click: str = ""
    url: str = ""
    children: tuple["Button", ...] = ()
    kind: Kind | None = None
    key: str = ""
    appid: str = ""
    page: str = ""
    media_id: str = ""
    article_id: str = ""

    def __post_init__(self) -> None:
        if self.children:
            self._check_children()
        else:
            self._check_needs()
        self._check_bytes("name", _CHILD_BYTES, least=1)
        self._check_bytes("click", _KEY_BYTES)
        self._check_bytes("key", _KEY_BYTES)
        self._check_bytes("url", _URL_BYTES)
        if self.url and not self.url.startswith(("https://", "http://")):
            raise MenuError(f"menu button {self.name}: its url begins with https:// or http://")

    @property
    def does(self) -> Kind | None:
        """What a tap does; None opens the children."""
        return None if self.children else self._action

    @property
    def _action(self) -> Kind:
        return self.kind or (Kind.VIEW if self.url else Kind.CLICK)

    def _check_children(self) -> None:
        if self._given or self.kind:
            raise MenuError(f"menu button {self.name}: one with children does nothing else")
        if len(self.children) > _MOST_CHILDREN or any(child.children for child in self.children):
            raise MenuError(f"menu button {self.name}: at most {_MOST_CHILDREN} children, one level deep")

    def _check_needs(self) -> None:
        if self.kind is None and len(self._given) != 1:
            raise MenuError(f"menu button {self.name}: give it one of click, url, children and kind")
        kind = self._action
        if set(self._given) != set(_NEEDS[kind]):
            needed = ", ".join(_NEEDS[kind])
            raise MenuError(f"menu button {self.name}: {kind} needs {needed} and nothing else")

    @property
    def _given(self) -> list[str]:
        return [name for name in _GIVEN if getattr(self, name)]

    def _check_bytes(self, field: str, most: int, least: int = 0) -> None:
        size = len(getattr(self, field).encode())
        if not least <= size <= most:
            raise MenuError(f"menu button {self.name}: its {field} is {size} bytes long, WeChat takes {most}")


@dataclass(frozen=True, slots=True)
class Menu:
    """The whole menu: one to three buttons."""

    buttons: tuple[Button, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.buttons) <= _MOST_BUTTONS:
            raise MenuError(f"a menu has 1 to {_MOST_BUTTONS} buttons, this one {len(self.buttons)}")
        for button in self.buttons:
            if len(button.name.encode()) > _TOP_BYTES:
                raise MenuError(
                    f"menu button {button.name}: longer than {_TOP_BYTES} bytes (4 Chinese characters)"
                )
