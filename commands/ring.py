"""`keys create|rotate`: the key ring of a database of your own."""

from commands import places, terminal
from core.errors import BootError
from core.stores import keys
from settings import Settings


def create(settings: Settings) -> int:
    """Make the ring; an existing one is never touched."""
    path = places.key_ring(settings.stores)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as refused:
        raise BootError(f"data folder {path.parent} cannot be written: {refused.strerror}") from refused
    keys.create(path)
    terminal.say(f"made {path}: keep a copy of it, apart from the database's")
    return 0


def rotate(settings: Settings) -> int:
    """Seal with a new key from the next start on; what older ones sealed stays readable."""
    path = places.key_ring(settings.stores)
    keys.rotate(path)
    terminal.say(f"{path} has a new key; restart the gateway, and copy the file again")
    return 0
