"""The issuer's key file: read by the process that signs and by nobody else, rotated ahead of its use."""

import base64
import fcntl
import os
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.errors import BootError
from core.stores.private_file import PrivateFile

_FORMAT = 1
_SEED_BYTES = 32
_LAST_KID = 65_535
_HEAD = """\
# Keys that sign ride codes. Who has this file rides for nothing: no copy of it is needed anywhere.
# A lost file is replaced by `main.py issue --create`; gates learn the new key when they next have a network.
"""

_FILE = PrivateFile(
    "issuer keys",
    "are",
    missing="make them with `.venv/bin/python main.py issue --create`",
    no_file="not in a file",
)


class _Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seed: str
    since: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    keys: dict[str, _Key]


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """One key pair; it signs from `since` (Unix seconds) until the next one's."""

    kid: int
    private: Ed25519PrivateKey
    since: int

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()


def load(path: Path) -> list[IssuerKey]:
    """All keys, by their time; `BootError` if the file is missing, open to others, or damaged."""
    return sorted((_key(path, kid, each) for kid, each in _read(path).items()), key=lambda key: key.since)


def current(keys: list[IssuerKey], now_s: int) -> IssuerKey:
    """The one that signs now."""
    return max((key for key in keys if key.since <= now_s), key=lambda key: key.since, default=keys[0])


def create(path: Path) -> None:
    """Make a file with one key, good at once; one that exists is never touched."""
    draft = _draft(path, {str(_fresh_kid({})): _fresh(0)})
    try:
        os.link(draft, path)
    except FileExistsError as exists:
        raise BootError(f"issuer keys {path} exist already and were left as they are") from exists
    finally:
        draft.unlink()


def rotate(path: Path, now_s: int, ahead_s: int) -> int:
    """Add a key that signs in so many seconds, when gates have learnt it; its number."""
    with _Change(path) as change:
        kid = _fresh_kid(change.keys)
        change.keys[str(kid)] = _fresh(now_s + ahead_s)
    return kid


def revoke(path: Path, kid: int, now_s: int) -> None:
    """Forget a key: gates trust it no more once they have the next list. The one that signs is left."""
    signing = current(load(path), now_s).kid
    with _Change(path) as change:
        if str(kid) not in change.keys:
            raise BootError(f"issuer keys {path} have no number {kid}")
        if signing == kid:
            raise BootError(f"number {kid} signs now: first `main.py issue --rotate --at-once`")
        del change.keys[str(kid)]


class _Change:
    """One change at a time; two at once would lose one's key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = -1
        self.keys: dict[str, _Key] = {}

    def __enter__(self) -> Self:
        try:
            self._folder = os.open(self._path.parent, os.O_RDONLY)
        except OSError as refused:
            raise BootError(f"issuer keys {self._path} cannot be read: {refused.strerror}") from refused
        fcntl.flock(self._folder, fcntl.LOCK_EX)
        try:
            self.keys = _read(self._path)
        except BaseException:
            os.close(self._folder)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        try:
            if kind is None:
                _draft(self._path, self.keys).replace(self._path)
                os.fsync(self._folder)
        finally:
            os.close(self._folder)


def _read(path: Path) -> dict[str, _Key]:
    content = _FILE.read(path)
    try:
        found = msgspec.convert(tomllib.loads(content.decode()), _File)
    except (ValueError, msgspec.ValidationError) as damaged:
        raise _damaged(path) from damaged
    if found.format != _FORMAT:
        raise BootError(f"issuer keys {path} have format {found.format}, this program knows {_FORMAT}")
    if not found.keys:
        raise _damaged(path)
    return dict(found.keys)


def _key(path: Path, kid: str, given: _Key) -> IssuerKey:
    try:
        number, seed = int(kid), base64.b64decode(given.seed, validate=True)
    except ValueError as garbage:
        raise _damaged(path) from garbage
    if len(seed) != _SEED_BYTES or not 0 < number <= _LAST_KID:
        raise _damaged(path)
    return IssuerKey(number, Ed25519PrivateKey.from_private_bytes(seed), given.since)


def _damaged(path: Path) -> BootError:
    return BootError(f"issuer keys {path} are damaged: move them away, then `main.py issue --create`")


def _fresh(since: int) -> _Key:
    return _Key(base64.b64encode(secrets.token_bytes(_SEED_BYTES)).decode(), since)


def _fresh_kid(taken: dict[str, _Key]) -> int:
    """A number by chance: one of a file that was lost must not come again with another key."""
    return next(kid for kid in iter(lambda: 1 + secrets.randbelow(_LAST_KID), 0) if str(kid) not in taken)


def _draft(path: Path, keys: dict[str, _Key]) -> Path:
    """Write the keys beside their place, safely on disk."""
    lines = [f"format = {_FORMAT}"]
    for kid, key in keys.items():
        lines += ["", f"[keys.{kid}]", f'seed = "{key.seed}"', f"since = {key.since}"]
    return _FILE.draft(path, _HEAD + "\n".join(lines) + "\n")
