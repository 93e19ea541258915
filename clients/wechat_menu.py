"""The menu of an account at WeChat: what is there, and what is to be there (wechat-facts 2.5)."""

import msgspec

from clients.wechat_call import Answer, Question, WeChatRefusedError
from clients.wechat_line import Line
from core.chat.menus import Button, Menu

_NO_MENU = 46003


class MenuButton(msgspec.Struct, frozen=True, omit_defaults=True):
    """A button as WeChat writes it; one with a `sub_button` list has no `type`."""

    name: str = ""
    type: str = ""
    key: str = ""
    url: str = ""
    appid: str = ""
    pagepath: str = ""
    media_id: str = ""
    article_id: str = ""
    sub_button: "tuple[MenuButton, ...]" = ()


class _Bar(msgspec.Struct, frozen=True):
    button: tuple[MenuButton, ...] = ()


class _Present(Answer, frozen=True):
    menu: _Bar | None = None

    @property
    def is_whole(self) -> bool:
        return self.errcode is not None or self.menu is not None


_CREATE = Question("menu/create", Answer)
_GET = Question("menu/get", _Present)
_DELETE = Question("menu/delete", Answer)


class Menus:
    """What citizens see under the chat."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def create(self, menu: Menu) -> None:
        """Show this menu to everybody who opens the account."""
        await self._line.post(_CREATE, _Bar(as_wechat(menu)))

    async def present(self) -> tuple[MenuButton, ...]:
        """What they see now, also if it was made elsewhere; nothing if there is no menu."""
        try:
            answer = await self._line.get(_GET)
        except WeChatRefusedError as no:
            if no.code != _NO_MENU:
                raise
            return ()
        return tuple(map(_plain, answer.menu.button)) if answer.menu else ()

    async def delete(self) -> None:
        """Show no menu any more."""
        await self._line.get(_DELETE)


def as_wechat(menu: Menu) -> tuple[MenuButton, ...]:
    """A menu of ours in WeChat's words."""
    return tuple(map(_button, menu.buttons))


def _button(button: Button) -> MenuButton:
    if button.does is None:
        return MenuButton(button.name, sub_button=tuple(map(_button, button.children)))
    return MenuButton(
        button.name,
        type=button.does.value,
        key=button.click or button.key,
        url=button.url,
        appid=button.appid,
        pagepath=button.page,
        media_id=button.media_id,
        article_id=button.article_id,
    )


def _plain(button: MenuButton) -> MenuButton:
    """A button that opens a list, without whatever else WeChat tells of it."""
    if not button.sub_button:
        return button
    return MenuButton(button.name, sub_button=tuple(map(_plain, button.sub_button)))
