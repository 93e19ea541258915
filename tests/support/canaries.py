"""Looks for words that must be nowhere in clear, and for what was sealed of them, wherever we write."""

import base64
import mmap
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis

_COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY 1, 2
"""
# All that a backup holds: every table of every schema of ours, and what is stored and said beside rows.
_BACKED_UP = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
UNION ALL SELECT unnest(ARRAY['pg_largeobject', 'pg_description', 'pg_proc', 'pg_statistic'])
ORDER BY 1
"""
Found = dict[str, str]  # where, and what


class ListeningSeal(Seal):
    """A seal that remembers what it sealed, so that a test can tell what is in a sealed thing it finds."""

    def __init__(self, *args: Mapping[int, bytes], current: int, index_key: bytes) -> None:
        super().__init__(*args, current=current, index_key=index_key)
        self.sealed: dict[bytes, bytes] = {}

    def seal(self, plain: bytes, context: str) -> bytes:
        """Seal, and remember."""
        made = super().seal(plain, context)
        self.sealed[made] = plain
        return made


@dataclass
class Canaries:
    """Words of one citizen that stand nowhere else in the world."""

    words: tuple[str, ...]
    shapes: tuple[bytes, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Each word as text, as hexadecimal digits, as base64, and as JSON escapes it."""
        shapes = []
        for word in self.words:
            plain = word.encode()
            escaped = word.encode("unicode_escape")
            shapes += [plain, plain.hex().encode(), escaped, *_base64s(plain)]
        self.shapes = tuple(dict.fromkeys(shapes))

    def within(self, content: bytes) -> str:
        """The first of them in a content, however it is written; "" if none is."""
        lowered = content.lower()
        for shape in self.shapes:
            if shape in content or shape.lower() in lowered:
                return shape.decode(errors="replace")
        return ""


def _base64s(plain: bytes) -> list[bytes]:
    """The characters a word leads to in base64, wherever in a longer text it stands."""
    found = []
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain)
        inner = whole[(4 if shift else 0) : len(whole) // 4 * 4 - 4]
        if len(inner) >= 8:  # fewer say nothing
            found.append(inner)
    return found


async def contents(db: Database, redis: Redis) -> dict[str, bytes]:
    """Everything in every table and under every key, each value by where it stands."""
    return {**await _tables(db), **await _keys(redis)}


async def backup(db: Database) -> dict[str, bytes]:
    """What a backup of the database holds, each table as it is written there: a row is a line of text."""
    found: dict[str, bytes] = {}
    for row in await db.fetch(_BACKED_UP):
        lines = await db.fetch(f"SELECT t::text AS line FROM {row[0]} t")  # noqa: S608 - PostgreSQL's own names
        found[f"backup of {row[0]}"] = "\n".join(each["line"] for each in lines).encode()
    return found


async def _tables(db: Database) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for column in await db.fetch(_COLUMNS):
        table, name = column["table_name"], column["column_name"]
        shown = f'"{name}"' if column["data_type"] == "bytea" else f'"{name}"::text'
        rows = await db.fetch(f'SELECT ctid::text AS at, {shown} AS value FROM "{table}"')  # noqa: S608 - our own names
        for row in rows:
            if row["value"] is not None:
                value = row["value"]
                found[f"{table}{row['at']}.{name}"] = value if isinstance(value, bytes) else value.encode()
    return found


async def _keys(redis: Redis) -> dict[str, bytes]:
    client, found = redis.client, {}
    async for key in client.scan_iter(count=1_000):
        where = f"redis {key.decode()}"
        found[f"{where} (name)"] = key
        for place, value in enumerate(await _values(redis, key)):
            found[f"{where} [{place}]"] = value
    return found


async def _values(redis: Redis, key: bytes) -> list[bytes]:
    client: Any = redis.client  # its types know answers as words, too; here they are bytes
    match await client.type(key):
        case b"string":
            return [await client.get(key) or b""]
        case b"hash":
            return [each for pair in (await client.hgetall(key)).items() for each in pair]
        case b"list":
            return list(await client.lrange(key, 0, -1))
        case b"set":
            return list(await client.smembers(key))
        case b"zset":
            return list(await client.zrange(key, 0, -1))
        case other:
            raise LookupError(f"{key!r} is a {other!r}: say here how to read it")


def in_clear(canaries: Canaries, places: Mapping[str, bytes]) -> Found:
    """Where a word stands that anybody could read."""
    return {where: said for where, content in places.items() if (said := canaries.within(content))}


def sealed_in(canaries: Canaries, places: Mapping[str, bytes], seal: ListeningSeal) -> Found:
    """Where something sealed stands that has a word in it."""
    telling = {made: said for made, plain in seal.sealed.items() if (said := canaries.within(plain))}
    return {where: telling[content] for where, content in places.items() if content in telling}


def in_files(canaries: Canaries, folders: Iterable[Path]) -> Found:
    """The files with a word in them, whatever they are."""
    found: Found = {}
    for path in sorted(each for folder in folders for each in folder.rglob("*")):
        with suppress(FileNotFoundError):  # a running server puts files away
            if path.is_file() and path.stat().st_size and (word := _in_file(canaries, path)):
                found[str(path)] = word
    return found


def _in_file(canaries: Canaries, path: Path) -> str:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return next(
            (shape.decode(errors="replace") for shape in canaries.shapes if content.find(shape) >= 0), ""
        )
