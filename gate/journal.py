"""Every tap that opened the gate: on disk before it opened, until the server has it, whatever the power does.

One line for each record: CRC-32 in 8 hexadecimal digits, a space, JSON, a line feed. A line that was cut off
at the end is cut away; one that is damaged in the middle is put aside, and what follows it is read.
"""

import base64
import fcntl
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import structlog

from gate import files
from gate.clock import Clock
from gate.code import Code, Refused, read
from gate.faults import GateError, OutOfOrder
from gate.settings import Way

Place = tuple[Way, str | None, str, str | None]  # way, station, line, vehicle
_COMPACT_BYTES = 8 * 1024 * 1024
_log = structlog.get_logger("journal")


class Tap(msgspec.Struct, frozen=True):
    """One opening as it is uploaded; `at` is Unix milliseconds, `code` base64url of the raw code."""

    seq: int
    at: int
    way: Way
    station: str | None
    line: str
    vehicle: str | None
    code: str


class _Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the three: where numbering goes on, a tap, taps that the server has."""

    next: int = 0
    tap: Tap | None = None
    done: tuple[int, ...] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Record).decode


class Journal:
    """The file; one process at a time. Not for two threads at once."""

    def __init__(self, path: Path, clock: Clock, keep_s: int) -> None:
        """Open or begin it. Taps younger than `keep_s` beyond their code's life stay, for the used-set."""
        self._path = path
        self._clock = clock
        self._keep_s = keep_s
        self._taps: dict[int, Tap] = {}
        self._done: set[int] = set()
        self._lock = _locked(path.with_name(f"{path.name}.lock"))
        self._file = -1
        self._size = 0
        self._is_kept = True  # not: a power cut might bring the file before back
        try:
            records, damaged = _read(path)
            if damaged:
                self._put_aside(damaged)
            for record in records:
                self._apply(record)
            self._next = max([record.next for record in records] + [max(self._taps, default=0) + 1])
            if not any(record.next for record in records):
                # It begins anew, perhaps on a wiped disk, and must not use a number again.
                self._next = max(self._next, clock.unchecked_ms())
            self._rewrite()
        except OSError as refused:
            self.close()
            raise GateError(f"{path} cannot be used: {refused.strerror}") from refused

    def append(self, at: int, place: Place, raw: bytes) -> Tap:
        """Note a tap; it is on disk when this returns, and nowhere after an `OutOfOrder`."""
        way, station, line, vehicle = place
        code = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        tap = Tap(self._next, at, way, station, line, vehicle, code)
        self._write(_Record(tap=tap))
        self._next += 1
        self._taps[tap.seq] = tap
        return tap

    def pending(self) -> list[Tap]:
        """What the server does not have yet, oldest first."""
        return [tap for seq, tap in self._taps.items() if seq not in self._done]

    def done(self, seqs: Iterable[int]) -> None:
        """The server has these; they go when nothing needs them any more."""
        known = tuple(seq for seq in seqs if seq in self._taps and seq not in self._done)
        if not known:
            return
        self._write(_Record(done=known))
        self._done.update(known)
        if self._size > _COMPACT_BYTES:
            self._compact()

    def uses(self) -> Iterator[tuple[Code, int]]:
        """Codes that were let through and may still be shown again, with the time of it in Unix seconds."""
        for tap in self._taps.values():
            code = _code(tap)
            if code is not None:
                yield code, tap.at // 1000

    def close(self) -> None:
        """Let another process have it."""
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    def _apply(self, record: _Record) -> None:
        if record.tap is not None:
            self._taps[record.tap.seq] = record.tap
            self._clock.surely_over(record.tap.at)
        self._done.update(record.done)

    def _write(self, record: _Record) -> None:
        line = _line(record)
        try:
            if self._file < 0:
                self._reopen()
            written = os.write(self._file, line)
            if written != len(line):
                raise OSError(f"{written} of {len(line)} bytes")  # noqa: TRY301 - undone below, as any failure
            os.fsync(self._file)
        except OSError as failed:
            self._drop()
            raise OutOfOrder("journal", str(failed)) from failed
        self._size += len(line)

    def _drop(self) -> None:
        """Nobody knows what a failed write left on disk: the file is cut before the next one."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _reopen(self) -> None:
        if not self._is_kept:
            self._keep()
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            os.ftruncate(file, self._size)
            os.fsync(file)
        except OSError:
            os.close(file)
            raise
        self._file = file

    def _compact(self) -> None:
        """Nothing is lost where this fails: the next tap finds the file before, or the new one."""
        try:
            self._rewrite()
        except OSError as refused:
            _log.warning("journal_not_compacted", why=str(refused))

    def _keep(self) -> None:
        """See to it that a power cut leaves the new file; nothing is written into it before."""
        self._is_kept = False
        files.keep_folder(self._path.parent)
        self._is_kept = True

    def _rewrite(self) -> None:
        """Write what is still needed into a new file, and put that in the old one's place."""
        now_s = self._clock.unchecked_ms() // 1000
        gone = {
            seq for seq in self._done if seq not in self._taps or not self._needed(self._taps[seq], now_s)
        }
        self._taps = {seq: tap for seq, tap in self._taps.items() if seq not in gone}
        self._done -= gone
        records = [_Record(next=self._next), *(_Record(tap=tap) for tap in self._taps.values())]
        if self._done:
            records.append(_Record(done=tuple(sorted(self._done))))
        content = b"".join(map(_line, records))
        self._drop()
        files.replace(self._path, content)
        self._size = len(content)
        self._keep()

    def _needed(self, tap: Tap, now_s: int) -> bool:
        code = _code(tap)
        return code is not None and tap.at // 1000 + code.ttl_s + self._keep_s >= now_s

    def _put_aside(self, lines: list[bytes]) -> None:
        """Keep what cannot be read, for a person to look at."""
        aside = self._path.with_name(f"{self._path.name}.damaged")
        with aside.open("ab") as file:
            file.write(b"\n".join(lines) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _log.warning("journal_damaged", lines=len(lines), kept_in=str(aside))


def _read(path: Path) -> tuple[list[_Record], list[bytes]]:
    """The records of a journal, and the lines that are none; a torn end is one of these."""
    raw = path.read_bytes() if path.exists() else b""
    records: list[_Record] = []
    damaged: list[bytes] = []
    good = raw.rfind(b"\n") + 1
    for line in raw[:good].split(b"\n")[:-1]:
        record = _parsed(line)
        if record is None:
            damaged.append(line)
        else:
            records.append(record)
    if good != len(raw):
        _log.warning("journal_torn", bytes=len(raw) - good)
        damaged.append(raw[good:])
    return records, damaged


def _line(record: _Record) -> bytes:
    body = _encode(record)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def _parsed(line: bytes) -> _Record | None:
    crc, _, body = line.partition(b" ")
    try:
        return _decode(body) if int(crc, 16) == zlib.crc32(body) and len(crc) == 8 else None  # noqa: PLR2004
    except (ValueError, msgspec.DecodeError):
        return None


def _code(tap: Tap) -> Code | None:
    try:
        return read(base64.urlsafe_b64decode(tap.code + "=" * (-len(tap.code) % 4)))
    except (Refused, ValueError):
        return None


def _locked(path: Path) -> int:
    """Keep other processes out."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as refused:
        raise GateError(f"{path.parent} cannot be written: {refused.strerror}") from refused
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as taken:
        os.close(lock)
        raise GateError(f"another gate works in {path.parent}: end it first") from taken
    return lock
