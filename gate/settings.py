"""`gate.toml`: which gate this is, what it lets through, whom it reports to; every mistake is named."""

import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from gate.code import SKEW_S, Type
from gate.faults import GateError

Way = Literal["in", "out", "board"]
WAYS: tuple[str, ...] = get_args(Way)
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_Operator = Annotated[str, Meta(pattern=r"^[a-z0-9-]{0,32}$")]
_Kept = Annotated[float, Meta(ge=0)]
_TYPES = {"self": Type.SELF, "companion": Type.COMPANION}


class Serve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the virtual gate answers; pages of `origins` may show codes to it."""

    port: Annotated[int, Meta(ge=1, le=65535)] = 8090
    host: str = "127.0.0.1"
    origins: tuple[str, ...] = ()


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One gate. `station` for one that stands, `vehicle` for one that drives; `folder` holds its data."""

    device: _Name
    way: Way
    station: _Name | None = None
    vehicle: _Name | None = None
    line: _Name
    title: str = ""
    operator: _Operator = ""  # whose codes it takes, as the city names it; "": those of every operator
    types: tuple[Literal["self", "companion"], ...] = ("self",)
    server: str = ""
    key: str = "gate.key"
    folder: str = "gate-data"
    skew_s: Annotated[int, Meta(ge=0, le=60)] = SKEW_S
    oldest_trust_h: _Kept = 0  # 0: however old, nobody is stranded for lack of a network
    every_s: Annotated[float, Meta(gt=0)] = 30.0  # between two uploads, and two looks at the trust list
    serve: Serve = Serve()

    @property
    def allowed(self) -> frozenset[Type]:
        """The types it lets through. Who was let in is let out: of a way out that cannot be taken away."""
        always = {Type.WAY_OUT} if self.way == "out" else set()
        return frozenset(_TYPES[name] for name in self.types) | always

    @property
    def place(self) -> str:
        """What the screen calls it."""
        return self.title or f"{self.line} {self.station or self.vehicle}"


def load(path: Path) -> Settings:
    """Read the file; paths in it are relative to it. `GateError` says what is wrong, in one line."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise GateError(
            f"{path} is not there: name another with --config, see docs/transit-code.md"
        ) from None
    except OSError as refused:
        raise GateError(f"{path} cannot be read: {refused.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise GateError(f"{path} is not TOML: {broken}") from None
    try:
        settings = msgspec.convert(given, Settings)
    except msgspec.ValidationError as wrong:
        raise GateError(f"{path}: {wrong}") from None
    problems = list(_contradictions(settings))
    if problems:
        raise GateError(f"{path}: {'; '.join(problems)}")
    beside = path.absolute().parent
    return msgspec.structs.replace(
        settings,
        key=str(beside / settings.key),
        folder=str(beside / settings.folder),
        server=settings.server.rstrip("/"),
    )


def _contradictions(settings: Settings) -> list[str]:
    problems = []
    if (settings.station is None) == (settings.vehicle is None):
        problems.append("give either station or vehicle")
    if settings.station is not None and settings.way == "board":
        problems.append('way = "board" is for a vehicle')
    if settings.server and not is_confidential(settings.server):
        problems.append(f"server: {settings.server!r} is not https (or on this machine)")
    if not is_loopback(settings.serve.host):
        problems.append(f"serve.host: {settings.serve.host!r} is not a loopback address such as 127.0.0.1")
    return problems


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_confidential(url: str) -> bool:
    """Whether nobody on the way reads or changes what is sent there."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
