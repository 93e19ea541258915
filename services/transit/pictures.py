"""A code as a picture in the chat (C2): drawn, uploaded, and on its way for as long as it is good."""

import asyncio
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import zxingcpp
from PIL import Image

from core.clock import Clock
from core.delivery.notices import Notice
from core.stores.database import Database, Transaction
from services.transit.codes import Pictured

KIND = "ride_picture"
_SIDE = 600  # pixels at least: the whole width of a phone
_WORTH = timedelta(seconds=20)  # what is left when it arrives: less is no use at a gate


class Uploads(Protocol):
    """Who brings pictures to the platform."""

    async def picture(self, account: str, png: bytes) -> str:
        """Upload it; its id there. `PictureAway` where that does not work now."""
        ...


class Messenger(Protocol):
    """Who sends notices: `core.delivery.notices.Notices`."""

    async def queue(self, tx: Transaction, notice: Notice) -> bool: ...


class Makes(Protocol):
    """Who makes codes for pictures."""

    async def picture(self, citizen: str) -> Pictured: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture that is on its way; good until then, `left` more today; `only_out`: to leave the metro by."""

    until: datetime
    left: int
    only_out: bool = False


@dataclass(frozen=True, slots=True)
class Pictures:
    """Sends codes as pictures."""

    db: Database
    codes: Makes
    uploads: Uploads
    messenger: Messenger
    clock: Clock

    async def send(self, citizen: str, conversation: str, message: str) -> Sent:
        """Answer a message with a picture, once. Refusals: those of `Codes.picture`, and `PictureAway`.

        A run that begins again after a crash makes another code; the first one to be queued is sent.
        """
        made = await self.codes.picture(citizen)
        png = await asyncio.to_thread(drawn, made.text)
        uploaded = await self.uploads.picture(conversation.split(":", 1)[0], png)
        notice = Notice(
            kind=KIND,
            about=message,
            conversation=conversation,
            valid_until=made.until - _WORTH,
            picture=uploaded,
        )
        async with self.db.transaction() as tx:
            await self.messenger.queue(tx, notice)
        return Sent(made.until, made.left, made.refusal is not None)


def drawn(text: str) -> bytes:
    """A text as a QR code, a PNG with a quiet zone of four modules."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    made: Any = code.to_image(scale=1, add_quiet_zones=True)  # a buffer, which its types do not tell
    modules = memoryview(made)
    height, width = modules.shape or (0, 0)
    image = Image.frombuffer("L", (width, height), modules.tobytes())
    scale = -(-_SIDE // width)
    whole = image.resize((width * scale, height * scale), Image.Resampling.NEAREST)
    file = io.BytesIO()
    whole.convert("1").save(file, "PNG", optimize=True)
    return file.getvalue()
