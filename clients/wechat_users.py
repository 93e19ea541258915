"""What WeChat tells of the people who follow an account (wechat-facts 2.7)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from clients.wechat_call import Answer, Question, WeChatLimitError
from clients.wechat_line import Line
from core.clock import CITY_ZONE

MOST_AT_ONCE = 100
_LANGUAGE = "zh_CN"
_LONG_BYTES = 1024 * 1024  # ten thousand openids


class _User(Answer, frozen=True):
    subscribe: int | None = None
    openid: str = ""
    subscribe_time: int = 0
    unionid: str = ""
    remark: str = ""
    tagid_list: tuple[int, ...] = ()
    subscribe_scene: str = ""
    qr_scene: int | str = 0
    qr_scene_str: str = ""

    @property
    def is_whole(self) -> bool:
        return self.subscribe is not None


class _Users(Answer, frozen=True):
    user_info_list: tuple[_User, ...] | None = None

    @property
    def is_whole(self) -> bool:
        return self.user_info_list is not None


class _Openids(Answer, frozen=True):
    openid: tuple[str, ...] = ()


class _Page(Answer, frozen=True):
    total: int | None = None
    count: int = 0
    data: _Openids | None = None
    next_openid: str = ""

    @property
    def is_whole(self) -> bool:
        return self.total is not None


_INFO = Question("user/info", _User)
_BATCH = Question("user/info/batchget", _Users, most_bytes=_LONG_BYTES)
_GET = Question("user/get", _Page, most_bytes=_LONG_BYTES)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody an account knows; of who does not follow it, WeChat tells nothing else.

    `came_by` is WeChat's word for the way (`ADD_SCENE_QR_CODE`, …), `scene` that of the QR code.
    """

    openid: str
    follows: bool
    since: datetime | None = None
    unionid: str = ""
    remark: str = ""
    tags: tuple[int, ...] = ()
    came_by: str = ""
    scene: str = ""


class Users:
    """Asks about one, a hundred, or all of them."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def about(self, openid: str) -> Person:
        """What is known of one."""
        return _person(await self._line.get(_INFO, {"openid": openid, "lang": _LANGUAGE}))

    async def about_many(self, openids: Sequence[str]) -> tuple[Person, ...]:
        """What is known of up to a hundred, in one call; `WeChatLimitError` for more."""
        if len(openids) > MOST_AT_ONCE:
            raise WeChatLimitError(f"at most {MOST_AT_ONCE} at once, not {len(openids)}")
        if not openids:
            return ()
        asked = [{"openid": openid, "lang": _LANGUAGE} for openid in openids]
        return tuple(map(_person, (await self._line.post(_BATCH, {"user_list": asked})).user_info_list or ()))

    async def followers(self) -> AsyncIterator[tuple[str, ...]]:
        """The openids of all who follow, up to ten thousand at a time; 500 calls a day are allowed."""
        after = ""
        while True:
            page = await self._line.get(_GET, {"next_openid": after} if after else {})
            if not page.count or page.data is None or not page.data.openid:
                return  # the last page has a next one, too, with nobody on it
            yield page.data.openid
            if page.next_openid in {"", after}:
                return
            after = page.next_openid


def _person(user: _User) -> Person:
    if not user.subscribe:
        return Person(user.openid, follows=False)
    since = datetime.fromtimestamp(user.subscribe_time, CITY_ZONE) if user.subscribe_time else None
    return Person(
        user.openid,
        follows=True,
        since=since,
        unionid=user.unionid,
        remark=user.remark,
        tags=user.tagid_list,
        came_by=user.subscribe_scene,
        scene=user.qr_scene_str or (str(user.qr_scene) if user.qr_scene else ""),
    )
