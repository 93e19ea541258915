"""Where things lie: the data folder, the key ring, and the stores, given or kept by a running `run`."""

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from core.errors import BootError, StoreGoneError
from core.stores import boot
from core.stores.embedded.folder import runtime_folder
from core.stores.embedded.stores import Attached, EmbeddedStores, attach
from settings import EMBEDDED, Settings, Stores

ROOT = Path(__file__).parent.parent
MIGRATIONS = ROOT / "migrations"
DEMO = ROOT / "demo"
DEMO_TRANSIT = DEMO / "transit"
TEMPLATES = ROOT / "templates"


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses of both stores, and the `run` that keeps them, if one does."""

    redis_url: str
    database_url: str
    owner: Attached | None = None


def find(stores: Stores) -> Places:
    """Take what the settings say; for embedded stores find the `run` that keeps them, or say to start it."""
    if not stores.embedded:
        return Places(stores.redis_url, stores.database_url)
    return chosen(stores, attach(stores.folder))


def redis(stores: Stores) -> str:
    """The address of Redis, for who needs no more: one of its owner's own needs no `run`."""
    return find(stores).redis_url if stores.redis_url == EMBEDDED else stores.redis_url


def database(stores: Stores) -> str:
    """The database's address, for who needs no more: one of its owner's own needs no `run`."""
    return find(stores).database_url if stores.database_url == EMBEDDED else stores.database_url


def chosen(stores: Stores, owner: Attached | EmbeddedStores) -> Places:
    """What the settings say, and the owner's stores where they say embedded."""
    return Places(
        owner.redis_url if stores.redis_url == EMBEDDED else stores.redis_url,
        owner.database_url if stores.database_url == EMBEDDED else stores.database_url,
        owner if isinstance(owner, Attached) else None,
    )


def unreachable(stores: Stores, gone: StoreGoneError) -> BootError:
    """One line for a store that went away under a command: which, where, and what to do."""
    url = stores.redis_url if gone.store == "Redis" else stores.database_url
    if url == EMBEDDED:
        return BootError(f"{gone}: `make run` keeps it in {stores.folder}; start that again")
    return boot.unreachable(gone, url)


def require_writable(stores: Stores) -> None:
    """Refuse a data folder that could not be made or written, without making it."""
    folder = stores.folder
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise BootError(
            f"data folder {folder} cannot be written: make {there} a folder this user may write, "
            "or set stores.data_dir"
        )


def make_folder(stores: Stores) -> Path:
    """The data folder, made if it is not there, and ours to write in."""
    folder = stores.folder
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as refused:
        raise BootError(
            f"data folder {folder} cannot be written ({refused.strerror}): "
            "make it writable for this user, or set stores.data_dir"
        ) from refused


def key_ring(stores: Stores) -> Path:
    """The file of the keys under which everything personal is sealed."""
    return stores.folder / "keys"


def issuer_key(settings: Settings) -> Path:
    """The file of the keys that sign ride codes; only `issue` opens it."""
    return Path(settings.issuer.key) if settings.issuer.key else settings.stores.folder / "issuer"


def issuer_socket(settings: Settings) -> Path:
    """Where `issue` answers."""
    if settings.issuer.socket:
        return Path(settings.issuer.socket)
    return runtime_folder(settings.stores.folder) / "issuer.sock"
