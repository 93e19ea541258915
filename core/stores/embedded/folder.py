"""The data folder: who owns it, and the short private folder its sockets lie in."""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from core.errors import BootError

_STOPPING_S = 10.0
_POLL_S = 0.02
_SOCKET_PATH_LIMIT = 107  # bytes, of a unix socket's address
_LONGEST_SOCKET = "/.s.PGSQL.5432.lock"


class DataFolder:
    """A data folder held by this process until it ends.

    `lock` says that an owner lives. `servers.lock` is inherited by every server process and so stays held
    until the last of them has ended, also when the owner was killed.
    """

    def __init__(self, path: Path, owner_lock: int) -> None:
        self.path = path
        self._owner_lock = owner_lock
        self.servers_lock = -1

    @classmethod
    def take(cls, path: Path) -> "DataFolder":
        """Make the folder, take it, and wait for servers of a killed owner to end."""
        path = path.absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner_lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as refused:
            raise BootError(
                f"data folder {path} cannot be written ({refused.strerror}): "
                "make it writable for this user, or set stores.data_dir"
            ) from refused
        if not _locked(owner_lock):
            holder = os.pread(owner_lock, 32, 0).decode().strip() or "unknown"
            os.close(owner_lock)
            raise BootError(
                f"data folder {path} is in use by a running `make run` (pid {holder}): stop that one first"
            )
        os.ftruncate(owner_lock, 0)
        os.pwrite(owner_lock, f"{os.getpid()}\n".encode(), 0)
        folder = cls(path, owner_lock)
        try:
            folder._await_servers()
        except BaseException:
            folder.give_back()
            raise
        return folder

    def _await_servers(self) -> None:
        self.servers_lock = os.open(self.path / "servers.lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + _STOPPING_S
        while not _locked(self.servers_lock):
            if time.monotonic() > deadline:
                raise BootError(
                    f"servers of an earlier run still work in {self.path} after {_STOPPING_S:.0f} s: "
                    f"see who with `fuser {self.path / 'servers.lock'}` and end them"
                )
            time.sleep(_POLL_S)

    @property
    def held(self) -> bool:
        """Whether the folder is still ours."""
        return self._owner_lock >= 0

    def give_back(self) -> None:
        """Let go of the folder; may be called again."""
        # Closed, never unlocked: an unlock would also free the lock the servers share with us.
        for lock in (self.servers_lock, self._owner_lock):
            if lock >= 0:
                os.close(lock)
        self.servers_lock = self._owner_lock = -1


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def runtime_folder(data: Path) -> Path:
    """A private 0700 folder with a short name for this data folder's sockets; the same at every start."""
    digest = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]
    for base in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/run")):  # noqa: S108 - ownership is checked
        place = base / f"bianmin-{os.geteuid()}-{digest}"
        if len(os.fsencode(place)) + len(_LONGEST_SOCKET) > _SOCKET_PATH_LIMIT:
            continue
        try:
            place.mkdir(mode=0o700, exist_ok=True)
            if _is_private(place):
                return place
        except OSError:
            continue  # the next place may do
    raise BootError("no place for sockets: /tmp must be writable, or set TMPDIR to a short private folder")


def _is_private(place: Path) -> bool:
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return False
    if os.geteuid() == 0 and found.st_uid != 0:
        os.chown(place, 0, 0)  # an earlier start gave it to nobody
    elif found.st_uid != os.geteuid():
        return False
    place.chmod(0o700)
    return True


def remove_runtime(place: Path) -> None:
    """Remove the sockets' folder once no server needs it."""
    with suppress(FileNotFoundError):  # whoever tidies /tmp was quicker
        shutil.rmtree(place)
