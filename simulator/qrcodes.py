"""QR codes with a scene: made by `qrcode/create`, scanned by citizens."""

import itertools
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from html import escape
from typing import Annotated

import msgspec
from msgspec import Meta

from simulator.clock import Clock
from simulator.payload import read_object
from simulator.refusals import ApiError, RefusedError

DEFAULT_S, LONGEST_S = 60, 2_592_000
MOST_LASTING_ID = 100_000
ACTIONS = ("QR_SCENE", "QR_STR_SCENE", "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE")

SceneId = Annotated[int, Meta(ge=1, le=2**32 - 1)]
SceneText = Annotated[str, Meta(min_length=1, max_length=64)]


class _Scene(msgspec.Struct, frozen=True):
    scene_id: SceneId | None = None
    scene_str: SceneText | None = None


class _Info(msgspec.Struct, frozen=True):
    scene: _Scene


class Wish(msgspec.Struct, frozen=True):
    """What a bot asked for; without `life_s` the code is there to stay."""

    scene: str
    life_s: int | None


class Code(msgspec.Struct, frozen=True):
    """One QR code; `until` is the Unix time at which nobody can scan it any more, None is never."""

    ticket: str
    account: str
    scene: str
    until: float | None

    @property
    def url(self) -> str:
        """What a camera reads in the picture."""
        return f"http://weixin.qq.com/q/{self.ticket[:22]}"

    def lives(self, now: float) -> bool:
        return self.until is None or now < self.until


def parse(body: bytes) -> Wish:
    """The code in a request; raises ApiError as the platform would."""
    plain = read_object(body)
    action = plain.get("action_name")
    if action not in ACTIONS:
        raise ApiError(40052, f"action_name is one of {', '.join(ACTIONS)}")
    try:
        scene = msgspec.convert(plain.get("action_info"), _Info).scene
        life_s = msgspec.convert(
            plain.get("expire_seconds", DEFAULT_S), Annotated[int, Meta(ge=1, le=LONGEST_S)]
        )
    except msgspec.ValidationError as wrong:
        raise ApiError(40053, str(wrong)) from wrong
    lasting = action.startswith("QR_LIMIT")
    name = scene.scene_str if action.endswith("STR_SCENE") else scene.scene_id
    if name is None:
        raise ApiError(40053, f"{action} needs {'scene_str' if action.endswith('STR_SCENE') else 'scene_id'}")
    if lasting and isinstance(name, int) and name > MOST_LASTING_ID:
        raise ApiError(40053, f"scene_id of {action}: 1 to {MOST_LASTING_ID}")
    return Wish(str(name), None if lasting else life_s)


class Codes:
    """All codes of all accounts; `most` of each account are there to stay, and as many pass."""

    def __init__(self, accounts: Iterable[str], clock: Clock, most: int) -> None:
        self._lasting: dict[str, dict[str, Code]] = {key: {} for key in accounts}
        self._passing: dict[str, OrderedDict[str, Code]] = {key: OrderedDict() for key in self._lasting}
        self._clock = clock
        self._most = most

    def make(self, account: str, wish: Wish) -> Code:
        """A new code; raises 45029 where there are too many that stay."""
        now = self._clock().timestamp()
        if wish.life_s is None and len(self._lasting[account]) >= self._most:
            raise ApiError(45029, f"at most {self._most} codes without an end")
        ticket = f"gQ{secrets.token_urlsafe(69)}=="
        code = Code(ticket, account, wish.scene, None if wish.life_s is None else now + wish.life_s)
        self.settle(code)
        return code

    def settle(self, code: Code) -> None:
        """Take in a code that is new or comes back from the store; the oldest that passes makes room."""
        codes = (self._lasting if code.until is None else self._passing)[code.account]
        codes[code.ticket] = code
        if len(self._passing[code.account]) > self._most:
            self._passing[code.account].popitem(last=False)

    def find(self, ticket: str) -> Code | None:
        """The code with this ticket, whether it can still be scanned or not."""
        for key in self._lasting:
            code = self._lasting[key].get(ticket) or self._passing[key].get(ticket)
            if code is not None:
                return code
        return None

    def scanned(self, account: str, ticket: str) -> Code:
        """The code of this account that a citizen holds the phone over; raises RefusedError."""
        code = self.find(ticket)
        if code is None or code.account != account:
            raise RefusedError(f"ticket: no QR code of {account!r} has it")
        if not code.lives(self._clock().timestamp()):
            raise RefusedError("ticket: the QR code has expired")
        return code

    def everything(self) -> list[Code]:
        """The codes that can be scanned now."""
        now = self._clock().timestamp()
        kept = itertools.chain(
            *(codes.values() for codes in (*self._lasting.values(), *self._passing.values()))
        )
        return [code for code in kept if code.lives(now)]


def picture(code: Code, name: str) -> str:
    """An SVG that stands for the QR code: no camera reads it, a person can."""
    corners = "".join(
        f'<path d="M{x} {y}h70v70h-70zM{x + 20} {y + 20}h30v30h-30z" fill="#181818" fill-rule="evenodd"/>'
        for x, y in ((30, 30), (200, 30), (30, 200))
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 300" width="430" height="430">'
        f'<rect width="300" height="300" fill="#fff"/>{corners}'
        '<g font-family="sans-serif" text-anchor="middle" fill="#181818">'
        f'<text x="150" y="142" font-size="18">{escape(name[:16])}</text>'
        f'<text x="150" y="168" font-size="14" textLength="{min(240, 9 * len(code.scene))}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(code.scene)}</text>'
        '<text x="205" y="240" font-size="12" fill="#626262">模拟器里扫码</text></g></svg>'
    )
