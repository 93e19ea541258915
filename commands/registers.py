"""The ways to the institutions of the settings, and whether they are open."""

import aiohttp

from clients.institution import Access, HttpInstitution
from clients.wechat import open_http
from core.clock import Clock, SystemClock
from core.errors import BootError
from services.citizens.institutions import Institution, InstitutionGone
from settings import Settings, require_institutions


def institutions(settings: Settings, http: aiohttp.ClientSession, clock: Clock) -> dict[str, Institution]:
    """Every institution by its key; `BootError` where one could never be asked."""
    return {each.name: each for each in _connected(settings, http, clock)}


async def require_answers(settings: Settings) -> list[str]:
    """Say hello to each institution; one that cannot be asked now is a `BootError`. Their titles."""
    async with open_http() as http:
        for each in _connected(settings, http, SystemClock()):
            try:
                await each.hello()
            except InstitutionGone as gone:
                raise BootError(f"institutions.{each.name} does not answer ({gone.why})") from None
    return [each.title for each in settings.institutions.values()]


def _connected(settings: Settings, http: aiohttp.ClientSession, clock: Clock) -> list[HttpInstitution]:
    require_institutions(settings)
    return [
        HttpInstitution(http, Access(key, each.title, each.url, each.secret, each.knows_guardians), clock)
        for key, each in settings.institutions.items()
    ]
