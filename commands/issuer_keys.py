"""The issuer's key file: read by the process that signs and by nobody else, rotated ahead of its use."""

import base64
import fcntl
import os
import secrets
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.errors import BootError
from core.stores.private_file import PrivateFile

_FORMAT = 1
_SEED_BYTES = 32  # as of a public key
_LAST_KID = 65_535
_MOST_REVOKED = 4  # gates refuse a key that they are told nothing of, too
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


class _Revoked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    public: str
    at: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    keys: dict[str, _Key]
    revoked: dict[str, _Revoked] = msgspec.field(default_factory=dict)


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
    return load_all(path)[0]


def load_all(path: Path) -> tuple[list[IssuerKey], dict[int, bytes]]:
    """All keys, and the public halves of those that were revoked, of one reading."""
    found = _read(path)
    keys = [_key(path, kid, each) for kid, each in found.keys.items()]
    revoked = {_number(path, kid): _bytes(path, each.public) for kid, each in found.revoked.items()}
    return sorted(keys, key=lambda key: key.since), revoked


def current(keys: list[IssuerKey], now_s: int) -> IssuerKey:
    """The one that signs now."""
    return max((key for key in keys if key.since <= now_s), key=lambda key: key.since, default=keys[0])


def create(path: Path) -> None:
    """Make a file with one key, good at once; one that exists is never touched."""
    draft = _draft(path, _File(_FORMAT, {str(_fresh_kid(())): _fresh(0)}))
    try:
        os.link(draft, path)
    except FileExistsError as exists:
        raise BootError(f"issuer keys {path} exist already and were left as they are") from exists
    finally:
        draft.unlink()


def rotate(path: Path, now_s: int, ahead_s: int) -> int:
    """Add a key that signs in so many seconds, when gates have learnt it; its number."""
    with _Change(path) as change:
        kid = _fresh_kid((*change.file.keys, *change.file.revoked))
        change.file.keys[str(kid)] = _fresh(now_s + ahead_s)
    return kid


def revoke(path: Path, kid: int, now_s: int) -> None:
    """Destroy a key and note that it is revoked: gates refuse it once they have the next list.

    The one that signs is left.
    """
    signing = current(load(path), now_s).kid
    with _Change(path) as change:
        if str(kid) not in change.file.keys:
            raise BootError(f"issuer keys {path} have no number {kid}")
        if signing == kid:
            raise BootError(f"number {kid} signs now: first `main.py issue --rotate --at-once`")
        gone = _key(path, str(kid), change.file.keys.pop(str(kid)))
        change.file.revoked[str(kid)] = _Revoked(base64.b64encode(gone.public).decode(), now_s)
        for oldest in sorted(change.file.revoked, key=lambda each: change.file.revoked[each].at):
            if len(change.file.revoked) > _MOST_REVOKED:
                del change.file.revoked[oldest]


class _Change:
    """One change at a time; two at once would lose one's key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = -1
        self.file = _File(_FORMAT, {})

    def __enter__(self) -> Self:
        try:
            self._folder = os.open(self._path.parent, os.O_RDONLY)
        except OSError as refused:
            raise BootError(f"issuer keys {self._path} cannot be read: {refused.strerror}") from refused
        fcntl.flock(self._folder, fcntl.LOCK_EX)
        try:
            self.file = _read(self._path)
        except BaseException:
            os.close(self._folder)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        try:
            if kind is None:
                _draft(self._path, self.file).replace(self._path)
                os.fsync(self._folder)
        finally:
            os.close(self._folder)


def _read(path: Path) -> _File:
    content = _FILE.read(path)
    try:
        found = msgspec.convert(tomllib.loads(content.decode()), _File)
    except (ValueError, msgspec.ValidationError) as damaged:
        raise _damaged(path) from damaged
    if found.format != _FORMAT:
        raise BootError(f"issuer keys {path} have format {found.format}, this program knows {_FORMAT}")
    if not found.keys:
        raise _damaged(path)
    return found


def _key(path: Path, kid: str, given: _Key) -> IssuerKey:
    seed = _bytes(path, given.seed)
    return IssuerKey(_number(path, kid), Ed25519PrivateKey.from_private_bytes(seed), given.since)


def _number(path: Path, kid: str) -> int:
    if not kid.isdecimal() or not 0 < int(kid) <= _LAST_KID:
        raise _damaged(path)
    return int(kid)


def _bytes(path: Path, text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError as garbage:
        raise _damaged(path) from garbage
    if len(found) != _SEED_BYTES:
        raise _damaged(path)
    return found


def _damaged(path: Path) -> BootError:
    return BootError(f"issuer keys {path} are damaged: move them away, then `main.py issue --create`")


def _fresh(since: int) -> _Key:
    return _Key(base64.b64encode(secrets.token_bytes(_SEED_BYTES)).decode(), since)


def _fresh_kid(taken: Collection[str]) -> int:
    """A number by chance: one of a file that was lost must not come again with another key."""
    return next(kid for kid in iter(lambda: 1 + secrets.randbelow(_LAST_KID), 0) if str(kid) not in taken)


def _draft(path: Path, file: _File) -> Path:
    """Write the keys beside their place, safely on disk."""
    lines = [f"format = {file.format}"]
    for kid, key in file.keys.items():
        lines += ["", f"[keys.{kid}]", f'seed = "{key.seed}"', f"since = {key.since}"]
    for kid, gone in file.revoked.items():
        lines += ["", f"[revoked.{kid}]", f'public = "{gone.public}"', f"at = {gone.at}"]
    return _FILE.draft(path, _HEAD + "\n".join(lines) + "\n")
