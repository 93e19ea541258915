"""The menu of an account, checked with the error codes of the real call."""

import msgspec

from simulator.payload import read_object
from simulator.refusals import ApiError

TYPES: dict[str, tuple[str, ...]] = {
    "click": ("key",),
    "view": ("url",),
    "miniprogram": ("appid", "pagepath", "url"),
    "scancode_push": ("key",),
    "scancode_waitmsg": ("key",),
    "pic_sysphoto": ("key",),
    "pic_photo_or_album": ("key",),
    "pic_weixin": ("key",),
    "location_select": ("key",),
    "media_id": ("media_id",),
    "view_limited": ("media_id",),
    "article_id": ("article_id",),
    "article_view_limited": ("article_id",),
}
MOST_BUTTONS = 3
MOST_SUB_BUTTONS = 5
MOST_KEY_BYTES = 128
MOST_URL_BYTES = 1024


class Button(msgspec.Struct, frozen=True, omit_defaults=True):
    """A button of the menu bar, or of the list above one."""

    name: str
    type: str = ""
    key: str = ""
    url: str = ""
    appid: str = ""
    pagepath: str = ""
    media_id: str = ""
    article_id: str = ""
    sub_button: "tuple[Button, ...]" = ()


class Menu(msgspec.Struct, frozen=True):
    """What `menu/create` takes and `menu/get` gives back."""

    button: tuple[Button, ...]


class _Codes(msgspec.Struct, frozen=True):
    """The same mistake has one code in the bar and another in a list above it."""

    type: int
    name: int
    key: int
    url: int
    domain: int
    name_bytes: int


_TOP = _Codes(type=40017, name=40018, key=40019, url=40020, domain=40055, name_bytes=16)
_SUB = _Codes(type=40024, name=40025, key=40026, url=40027, domain=40054, name_bytes=60)


def parse(body: bytes) -> Menu:
    """The menu in a request; raises ApiError as the platform would."""
    try:
        menu = msgspec.convert(read_object(body), Menu)
    except msgspec.ValidationError as wrong:
        raise ApiError(47001, str(wrong)) from wrong
    if not 1 <= len(menu.button) <= MOST_BUTTONS:
        raise ApiError(40016, f"1 to {MOST_BUTTONS} buttons")
    for button in menu.button:
        _check_name(button, _TOP)
        if not button.sub_button:
            _check_action(button, _TOP)
            continue
        if len(button.sub_button) > MOST_SUB_BUTTONS:
            raise ApiError(40023, f"at most {MOST_SUB_BUTTONS} in a list")
        for sub in button.sub_button:
            if sub.sub_button:
                raise ApiError(40022)
            _check_name(sub, _SUB)
            _check_action(sub, _SUB)
    return menu


def _check_name(button: Button, codes: _Codes) -> None:
    if not 1 <= len(button.name.encode()) <= codes.name_bytes:
        raise ApiError(codes.name, f"{button.name[:40]}: 1 to {codes.name_bytes} bytes")


def _check_action(button: Button, codes: _Codes) -> None:
    needs = TYPES.get(button.type)
    if needs is None:
        raise ApiError(codes.type, f"{button.type[:40]!r} is none of {', '.join(TYPES)}")
    if "key" in needs and not 1 <= len(button.key.encode()) <= MOST_KEY_BYTES:
        raise ApiError(codes.key, f"{button.name}: 1 to {MOST_KEY_BYTES} bytes")
    if "url" in needs:
        _check_url(button, codes)
    if "media_id" in needs and not button.media_id:
        raise ApiError(40007, button.name)
    if any(not getattr(button, name) for name in needs):
        raise ApiError(40035, f"{button.name}: {button.type} needs {', '.join(needs)}")


def _check_url(button: Button, codes: _Codes) -> None:
    if not 1 <= len(button.url.encode()) <= MOST_URL_BYTES:
        raise ApiError(codes.url, f"{button.name}: 1 to {MOST_URL_BYTES} bytes")
    if not button.url.startswith(("http://", "https://")):
        raise ApiError(codes.domain, button.name)


def as_json(menu: Menu) -> dict[str, object]:
    """As `menu/get` shows it: every top button with its list, empty or not."""
    return {"menu": {"button": [_button(button) for button in menu.button]}}


def _button(button: Button) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(button)
    plain["sub_button"] = [_button(sub) for sub in button.sub_button]
    return plain


def name_of(menu: Menu | None, key: str) -> str:
    """The name of the button with this key or address, or the key itself."""
    for button in menu.button if menu else ():
        for one in (button, *button.sub_button):
            if key and key in {one.key, one.url}:
                return one.name
    return key
