"""QR codes that bring citizens, each with a scene we hear of when it is scanned (wechat-facts 2.6)."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from clients.wechat_call import Answer, Question, WeChatLimitError
from clients.wechat_line import Line

LONGEST = timedelta(days=30)
_MOST_ID, _MOST_LASTING_ID, _MOST_CHARACTERS = 2**32 - 1, 100_000, 64

Scene = int | str


class _Made(Answer, frozen=True):
    ticket: str = ""
    expire_seconds: int | None = None
    url: str = ""

    @property
    def is_whole(self) -> bool:
        return bool(self.ticket)


_CREATE = Question("qrcode/create", _Made)


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code to be shown: `picture` is where one is, `url` what stands in it; `lasts` None is for ever."""

    ticket: str
    url: str
    picture: str
    lasts: timedelta | None


class QrCodes:
    """Makes codes; a scene that WeChat would refuse is a `WeChatLimitError`, and WeChat is not asked."""

    def __init__(self, line: Line, mp_base: str) -> None:
        self._line = line
        self._mp_base = mp_base

    async def passing(self, scene: Scene, lasts: timedelta) -> QrCode:
        """A code that nobody can scan any more after some time, thirty days at the longest."""
        _check(scene, _MOST_ID)
        if not timedelta(seconds=1) <= lasts <= LONGEST:
            raise WeChatLimitError(f"a QR code lasts from a second to {LONGEST.days} days, not {lasts}")
        life = {"expire_seconds": int(lasts.total_seconds())}
        return await self._make(scene, "QR_STR_SCENE" if isinstance(scene, str) else "QR_SCENE", life)

    async def lasting(self, scene: Scene) -> QrCode:
        """A code for ever; an account has 100,000 of these, and none can be taken back."""
        _check(scene, _MOST_LASTING_ID)
        return await self._make(
            scene, "QR_LIMIT_STR_SCENE" if isinstance(scene, str) else "QR_LIMIT_SCENE", {}
        )

    def picture(self, ticket: str) -> str:
        """Where everybody can see the code of a ticket, without any token."""
        return f"{self._mp_base}/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}"

    async def _make(self, scene: Scene, action: str, life: dict[str, int]) -> QrCode:
        named = {"scene_str": scene} if isinstance(scene, str) else {"scene_id": scene}
        made = await self._line.post(
            _CREATE, {**life, "action_name": action, "action_info": {"scene": named}}
        )
        lasts = timedelta(seconds=made.expire_seconds or life["expire_seconds"]) if life else None
        return QrCode(made.ticket, made.url, self.picture(made.ticket), lasts)


def _check(scene: Scene, most: int) -> None:
    if isinstance(scene, str):
        if not 1 <= len(scene) <= _MOST_CHARACTERS:
            raise WeChatLimitError(f"a scene has 1 to {_MOST_CHARACTERS} characters, this one {len(scene)}")
    elif not 1 <= scene <= most:
        raise WeChatLimitError(f"a scene's number is from 1 to {most} here, not {scene}")
