"""The menu of an account at WeChat (wechat-facts 2.5)."""

from clients.wechat_call import Answer, Question
from clients.wechat_line import Line
from core.chat.menus import Button, Menu

_CREATE = Question("menu/create", Answer)


class Menus:
    """What citizens see under the chat."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def create(self, menu: Menu) -> None:
        """Show this menu to everybody who opens the account."""
        await self._line.post(_CREATE, {"button": [_button(button) for button in menu.buttons]})


def _button(button: Button) -> dict[str, object]:
    if button.children:
        return {"name": button.name, "sub_button": [_button(child) for child in button.children]}
    if button.url:
        return {"name": button.name, "type": "view", "url": button.url}
    return {"name": button.name, "type": "click", "key": button.click}
