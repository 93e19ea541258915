"""The key ring file: made once, readable by its owner alone, rotated without losing what it sealed."""

import base64
import binascii
import fcntl
import os
import secrets
import tomllib
from pathlib import Path

import msgspec

from core.errors import BootError
from core.seal import KEY_BYTES, Seal
from core.stores.private_file import PrivateFile

_FORMAT = 1
_LAST_NUMBER = 255  # a key's number is one byte in front of what it sealed
_HEAD = """\
# Bianmin's key ring. What these keys sealed is lost without them: keep a copy apart from the database's.
# index_key names conversations and never changes; `main.py keys rotate` adds one.
"""

_FILE = PrivateFile(
    "key ring",
    "is",
    missing="copy it from where the database was set up, "
    "or make one with `.venv/bin/python main.py keys create` for a new database",
    no_file="not a file",
)


class _Ring(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    current: int
    index_key: str
    keys: dict[str, str]


def load(path: Path) -> Seal:
    """Read the ring; `BootError` if it is missing, open to others, or damaged."""
    ring = _read(path)
    keys = {int(number): _key(path, text) for number, text in ring.keys.items()}
    return Seal(keys, current=ring.current, index_key=_key(path, ring.index_key))


def create(path: Path) -> Seal:
    """Make a ring with fresh keys; a ring that exists is never touched."""
    first = _Ring(format=_FORMAT, current=1, index_key=_fresh(), keys={"1": _fresh()})
    new = _written(path, first)
    try:
        os.link(new, path)  # unlike a rename it refuses to replace
    except FileExistsError as exists:
        raise BootError(f"key ring {path} exists already and was left as it is") from exists
    finally:
        new.unlink()
    _keep_folder(path.parent)
    return load(path)


def load_or_create(path: Path) -> Seal:
    """For embedded stores: the ring, made at the first start."""
    return load(path) if path.exists() else create(path)


def rotate(path: Path) -> Seal:
    """Add a key and seal with it from now on; the others still open what they sealed."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # two rotations at once would lose one's key
        ring = _read(path)
        number = max(int(known) for known in ring.keys) + 1
        if number > _LAST_NUMBER:
            raise BootError(f"key ring {path} is full: it holds {_LAST_NUMBER} keys")
        keys = ring.keys | {str(number): _fresh()}
        _written(path, msgspec.structs.replace(ring, current=number, keys=keys)).replace(path)
        os.fsync(folder)
    finally:
        os.close(folder)
    return load(path)


def _read(path: Path) -> _Ring:
    content = _FILE.read(path)
    try:
        ring = msgspec.convert(tomllib.loads(content.decode()), _Ring)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as damaged:
        raise _damaged(path) from damaged
    if ring.format != _FORMAT:
        raise BootError(f"key ring {path} has format {ring.format}, this program knows {_FORMAT}")
    if str(ring.current) not in ring.keys or not all(_is_number(number) for number in ring.keys):
        raise _damaged(path)
    return ring


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and str(int(text)) == text and int(text) <= _LAST_NUMBER


def _key(path: Path, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as garbage:
        raise _damaged(path) from garbage
    if len(key) != KEY_BYTES:
        raise _damaged(path)
    return key


def _damaged(path: Path) -> BootError:
    return BootError(f"key ring {path} is damaged: put its copy back")


def _fresh() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _written(path: Path, ring: _Ring) -> Path:
    """Write a ring beside its place, safely on disk."""
    lines = [
        f"format = {ring.format}",
        f"current = {ring.current}",
        f'index_key = "{ring.index_key}"',
        "",
        "[keys]",
    ]
    lines += [f'{number} = "{key}"' for number, key in ring.keys.items()]
    return _FILE.draft(path, _HEAD + "\n".join(lines) + "\n")


def _keep_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
