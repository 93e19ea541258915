"""The links to one booking: to see it, until a day after the visit; or to change it, too, as it is now."""

import re
from datetime import datetime, timedelta

from core.seal import Seal

LASTS = timedelta(days=1)  # after the visit
PAGE = "/visit"
_PURPOSE, _CHANGING = "booking-link", "booking-change"
_TOKEN = re.compile(r"([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22})", re.ASCII)
_RIGHT = re.compile(r"([0-9]{1,9})\.([A-Za-z0-9_-]{22})", re.ASCII)
_MADE = "b_"  # how the ids of bookings begin


class Links:
    """Makes and reads these links; nothing of them is stored.

    A token is the booking's id, which is random and says nothing, and 128 bits that only we can make for it.
    """

    def __init__(self, seal: Seal, base_url: str) -> None:
        self._seal = seal
        self._base_url = base_url.rstrip("/")

    def address(self, booking: str) -> str:
        """The page of a booking."""
        made = booking.removeprefix(_MADE)
        return f"{self._base_url}{PAGE}?k={made}.{self._seal.capability(_PURPOSE, booking)}"

    def own_address(self, booking: str, version: int) -> str:
        """The page of a booking with the right to change it, as long as it is of this version."""
        right = self._seal.capability(_CHANGING, f"{booking}:{version}")
        return f"{self.address(booking)}&a={version}.{right}"

    def version(self, booking: str, right: str) -> int | None:
        """The version of the booking that a right to change it was made for; None for anything else."""
        found = _RIGHT.fullmatch(right)
        if found is None:
            return None
        version = int(found[1])
        return version if self._seal.is_capability(_CHANGING, f"{booking}:{version}", found[2]) else None

    def booking(self, token: str) -> str | None:
        """The id of the booking a token was made for; None for anything else."""
        found = _TOKEN.fullmatch(token)
        if found is None:
            return None
        booking = _MADE + found[1]
        return booking if self._seal.is_capability(_PURPOSE, booking, found[2]) else None


def over_at(ends_at: datetime) -> datetime:
    """From when on the link to a visit that ends then shows nothing."""
    return ends_at + LASTS
