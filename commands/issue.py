"""`issue`: holds the keys that sign ride codes and signs for `serve`, which never sees them."""

import asyncio
import fcntl
import os
import pwd
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from commands import issuer_keys, places, terminal
from commands.fleet import Member
from commands.issuing import Attendant, Issuing, Limits, own_uid
from commands.lifetime import Lifetime
from core import log
from core.clock import SystemClock
from core.errors import BootError
from settings import EMBEDDED, Settings

LEAD_S = 48 * 3600  # so long a gate may be without a network when the key changes
_BACKLOG = 64
_log = structlog.get_logger("issue")


def issue(settings: Settings, member: Member | None = None) -> int:
    """Sign until asked to end."""
    path = places.issuer_key(settings)
    if settings.stores.database_url == EMBEDDED and not path.exists():
        places.make_folder(settings.stores)
        with suppress(BootError):  # another one was quicker, or load says what is wrong
            issuer_keys.create(path)
    users = allowed(settings)
    issuing = Issuing(path, Limits(settings.issuer.cap_fen), SystemClock())
    with listening(places.issuer_socket(settings), strangers=len(users) > 1) as opened:
        log.configure()
        lifetime = Lifetime(insists=member.orphaned) if member else Lifetime()
        return lifetime.run(_attend(opened, Attendant(issuing, users), member))


async def _attend(opened: socket.socket, attendant: Attendant, member: Member | None) -> int:
    server = await asyncio.start_unix_server(attendant.attend, sock=opened, limit=1 << 12)
    try:
        _log.info("ready", part="issue")
        if member:
            member.ready()
        await asyncio.Event().wait()
    finally:
        server.close()
        await attendant.end()
    return 0


def create(settings: Settings) -> int:
    """Make the key file."""
    path = places.issuer_key(settings)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as refused:
        raise BootError(f"folder {path.parent} cannot be written: {refused.strerror}") from refused
    issuer_keys.create(path)
    terminal.say(f"made {path}: only the user of `main.py issue` may read it")
    return 0


def rotate(settings: Settings, *, at_once: bool) -> int:
    """Add a key; it signs after two days, when every gate has heard of it, or at once."""
    kid = issuer_keys.rotate(places.issuer_key(settings), int(time.time()), 0 if at_once else LEAD_S)
    when = "now: gates without a network refuse its codes" if at_once else f"in {LEAD_S // 3600} hours"
    terminal.say(f"key {kid} signs {when}; the others stay known until `main.py issue --revoke NUMBER`")
    return 0


def revoke(settings: Settings, kid: int) -> int:
    """Destroy a key; gates refuse what it signed once they have fetched the next list."""
    issuer_keys.revoke(places.issuer_key(settings), kid, int(time.time()))
    terminal.say(f"key {kid} is revoked; gates learn it when they next have a network")
    return 0


def allowed(settings: Settings) -> set[int]:
    """Whose processes may ask: our own user's, and those of `issuer.users`."""
    users = {own_uid()}
    for name in filter(None, (each.strip() for each in settings.issuer.users.split(","))):
        try:
            users.add(pwd.getpwnam(name).pw_uid)
        except KeyError as unknown:
            raise BootError(f"issuer.users: there is no user {name!r} on this machine") from unknown
    return users


@contextmanager
def listening(path: Path, *, strangers: bool) -> Iterator[socket.socket]:
    """The socket, ours alone unless other users may ask; a second issuer is told of the first."""
    try:
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as refused:
        raise BootError(f"issuer.socket: {path.parent} cannot be written: {refused.strerror}") from refused
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as taken:
        os.close(lock)
        raise BootError(f"another issuer answers on {path}: end it first") from taken
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        before = os.umask(0o111 if strangers else 0o177)
        try:
            opened.bind(str(path))
        finally:
            os.umask(before)
        opened.listen(_BACKLOG)
        opened.setblocking(False)
        yield opened
    except OSError as refused:
        raise BootError(f"issuer.socket: cannot listen on {path}: {refused.strerror or refused}") from refused
    finally:
        opened.close()
        os.close(lock)
