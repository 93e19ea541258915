"""Pictures of ours on their way to WeChat, which hands them on by an id of its own (wechat-facts 2.8)."""

from collections.abc import Iterable

import structlog

from clients.wechat import Credentials, Platform, WeChat
from clients.wechat_call import WeChatGoneError, WeChatRefusedError
from clients.wechat_media import FileKind
from services.transit.errors import PictureAway

_log = structlog.get_logger("pictures")


class WeChatPictures:
    """Uploads through each account with its own secret; an id is good in that account alone."""

    def __init__(self, platform: Platform, accounts: Iterable[Credentials]) -> None:
        self._accounts = {each.account: WeChat(platform, each) for each in accounts}

    async def picture(self, account: str, png: bytes) -> str:
        """Upload a picture; its id. `PictureAway` where WeChat does not take it now."""
        try:
            return await self._accounts[account].files.upload(FileKind.IMAGE, png)
        except (WeChatGoneError, WeChatRefusedError) as failed:
            _log.warning("not_uploaded", account=account, why=str(failed))
            raise PictureAway from failed
