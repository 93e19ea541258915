"""The menu under a chat, as data; WeChat's limits are checked when it is written down (wechat-facts 2.5)."""

from dataclasses import dataclass

_MOST_BUTTONS, _MOST_CHILDREN = 3, 5
_TOP_BYTES, _CHILD_BYTES, _KEY_BYTES, _URL_BYTES = 16, 60, 128, 1024


@dataclass(frozen=True, slots=True)
class Button:
    """One button: a `click` key, a `url`, or up to five children."""

    name: str
    click: str = ""
    url: str = ""
    children: tuple["Button", ...] = ()

    def __post_init__(self) -> None:
        if sum(map(bool, (self.click, self.url, self.children))) != 1:
            raise ValueError(f"menu button {self.name}: give it one of click, url and children")
        if len(self.children) > _MOST_CHILDREN or any(child.children for child in self.children):
            raise ValueError(f"menu button {self.name}: at most {_MOST_CHILDREN} children, one level deep")
        longest = _CHILD_BYTES
        if len(self.name.encode()) > longest or len(self.click.encode()) > _KEY_BYTES:
            raise ValueError(f"menu button {self.name}: its name or key is too long for WeChat")
        if len(self.url.encode()) > _URL_BYTES:
            raise ValueError(f"menu button {self.name}: its address is longer than {_URL_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Menu:
    """The whole menu: one to three buttons."""

    buttons: tuple[Button, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.buttons) <= _MOST_BUTTONS:
            raise ValueError(f"a menu has 1 to {_MOST_BUTTONS} buttons, this one {len(self.buttons)}")
        for button in self.buttons:
            if len(button.name.encode()) > _TOP_BYTES:
                raise ValueError(
                    f"menu button {button.name}: longer than {_TOP_BYTES} bytes (4 Chinese characters)"
                )
