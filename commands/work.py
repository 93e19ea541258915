"""`work`: sends what the city starts itself, lane by lane; any number of them, on any number of machines."""

from contextlib import AbstractAsyncContextManager

from commands import parts
from commands.gateway import Assemble, Gateway
from commands.recurring import sending
from commands.surroundings import Surroundings
from settings import Settings


def work(settings: Settings, assemble: Assemble) -> int:
    """Send until asked to end; the requests that are under way then come to their end."""
    return parts.stand_alone(settings, assemble, parts.WORK, _sending)


def _sending(gateway: Gateway, _around: Surroundings) -> AbstractAsyncContextManager[None]:
    return sending(gateway.reception.outgoing)
