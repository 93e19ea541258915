"""One frozen settings object, read once from `bianmin.toml` and the environment; every bad value is named."""

import ipaddress
import tomllib
from collections.abc import Iterator, Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from core.errors import BootError

CONFIG_VARIABLE = "BIANMIN_CONFIG"
PREFIX = "BIANMIN_"
EMBEDDED = "embedded"
WECHAT_API = "https://api.weixin.qq.com"

Port = Annotated[int, Meta(ge=1, le=65535, description="a port number, 1 to 65535")]
Url = Annotated[str, Meta(pattern=r"^(https?://[^\s/]+.*)?$", description="an http(s) address")]
Text = Annotated[str, Meta(min_length=1, description="some text")]
Seconds = Annotated[float, Meta(gt=0, description="seconds, more than 0")]
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
Hours = Annotated[
    str, Meta(pattern=rf"^{_CLOCK}-{_CLOCK}$", description='a span of a day such as "08:30-17:30"')
]
Count = Annotated[int, Meta(ge=1, description="a whole number, 1 or more")]
# What `extra` marks secret may be a `file:` reference and is never shown in an error.
_HIDDEN: dict[str, Any] = {"secret": True}
Secret = Annotated[str, Meta(extra=_HIDDEN, description="text or a file: reference")]
AesKey = Annotated[
    str, Meta(pattern=r"^([A-Za-z0-9]{43})?$", extra=_HIDDEN, description="43 letters and digits")
]
_REDIS = r"^(embedded|rediss?://\S+|unix://\S+)$"
_POSTGRES = r"^(embedded|postgres(ql)?://\S+)$"
Module = Annotated[
    str, Meta(pattern=r"^bots(\.[a-z_][a-z0-9_]*)+$", description='a module such as "bots.city"')
]
AccountName = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$", description="a lower-case word of letters, digits and _")
]


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the file; each key has a default. Printed, it keeps its secrets."""

    def __repr__(self) -> str:
        hints = get_type_hints(type(self), include_extras=True)
        shown = (
            f"{key}={'…' if value and _is_secret(hints[key]) else repr(value)}"
            for key, value in msgspec.structs.asdict(self).items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class Server(_Section, frozen=True, kw_only=True):
    """Where the gateway listens, and the address people reach it by ("" = host and port)."""

    host: Text = "127.0.0.1"
    port: Port = 8080
    admin_port: Port = 8082  # health details and metrics, on loopback only
    base_url: Url = ""

    @property
    def url(self) -> str:
        """The public address, without a slash at its end."""
        return self.base_url.rstrip("/") or self.local_url

    @property
    def local_url(self) -> str:
        """The address for a program on this machine."""
        return address(self.host, self.port)


class Stores(_Section, frozen=True, kw_only=True):
    """Where the data lies; `embedded` means the servers `run` starts in `data_dir`."""

    redis_url: Annotated[
        str,
        Meta(pattern=_REDIS, extra=_HIDDEN, description='"embedded" or a redis:// address'),
    ] = EMBEDDED
    database_url: Annotated[
        str,
        Meta(pattern=_POSTGRES, extra=_HIDDEN, description='"embedded" or a postgresql:// address'),
    ] = EMBEDDED
    data_dir: Text = "var"

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return Path(self.data_dir)

    @property
    def embedded(self) -> bool:
        """Whether any of the two stores is one of ours."""
        return EMBEDDED in (self.redis_url, self.database_url)


class WeChat(_Section, frozen=True, kw_only=True):
    """WeChat's API side; "" = the simulator under `run`, WeChat itself everywhere else."""

    api_base: Url = ""
    window_sends: Count = 5  # messages of ours that WeChat takes in the 48 hours after one of a citizen's

    @property
    def url(self) -> str:
        """The address to call, without a slash at its end."""
        return self.api_base.rstrip("/") or WECHAT_API


class Simulator(_Section, frozen=True, kw_only=True):
    """The stand-in for WeChat; loopback only. `retry_s`: from one attempt of a push to the next."""

    host: Text = "127.0.0.1"
    port: Port = 8081
    retry_s: Seconds = 5.0

    @property
    def url(self) -> str:
        """Where the phone page and the API side are."""
        return address(self.host, self.port)


class Chat(_Section, frozen=True, kw_only=True):
    """How conversations behave, and the numbers citizens are given."""

    idle_minutes: Count = 15
    session_hours: Count = 24
    desk_hours: Hours = "08:30-17:30"
    desk_phone: Text = "12345"
    hotline: Text = "12356"  # psychological help, given when somebody speaks of harming themselves

    @property
    def desk_span(self) -> tuple[time, time]:
        """Opening and closing time of the desk, city time."""
        opens, closes = self.desk_hours.split("-")
        return time.fromisoformat(opens), time.fromisoformat(closes)


class Account(_Section, frozen=True, kw_only=True):
    """One official account; what is "" was not given."""

    bot: Module = "bots.city"
    name: str = ""
    original_id: str = ""
    appid: str = ""
    secret: Secret = ""
    token: Secret = ""
    aes_key: AesKey = ""
    previous_token: Secret = ""
    previous_aes_key: AesKey = ""
    mode: Literal["plain", "compatible", "safe"] = "safe"


class Settings(_Section, frozen=True, kw_only=True):
    """Everything a person can set."""

    server: Server = Server()
    stores: Stores = Stores()
    wechat: WeChat = WeChat()
    simulator: Simulator = Simulator()
    chat: Chat = Chat()
    accounts: dict[str, Account] = {}
    source: str = "bianmin.toml"


Shape = TypeVar("Shape", bound=_Section)

_SECTIONS: dict[str, type[_Section]] = {
    "server": Server,
    "stores": Stores,
    "wechat": WeChat,
    "simulator": Simulator,
    "chat": Chat,
}

# The values of bianmin.example.toml: known to everybody, so `serve` does not take them for secrets.
SAMPLES = frozenset(
    {
        "gh_0123456789ab",
        "wx0123456789abcdef",
        "0123456789abcdef0123456789abcdef",
        "a-token-of-your-own",
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    }
)


def load(environ: Mapping[str, str], folder: Path) -> Settings:
    """Read the settings file and the environment, or raise one `BootError` that names every problem.

    The file is `BIANMIN_CONFIG` or `bianmin.toml` in `folder`; without the latter every default holds.
    Paths in it are relative to the file.
    """
    path = Path(environ.get(CONFIG_VARIABLE) or folder / "bianmin.toml").absolute()
    values, variables = _overridden(_read(path, required=CONFIG_VARIABLE in environ), environ)
    reader = _Reader(path.parent, variables)
    sections: dict[str, Any] = {}
    for name, given in values.items():
        if name == "accounts":
            sections[name] = reader.accounts(given)
        elif name not in _SECTIONS:
            known = ", ".join([*_SECTIONS, "accounts.<name>"])
            reader.problems.append(f"[{name}] is no section (there are {known})")
        else:
            sections[name] = reader.section(_SECTIONS[name], name, given)
    settings = Settings(**sections, source=path.name)
    stores = msgspec.structs.replace(settings.stores, data_dir=str(path.parent / settings.stores.data_dir))
    settings = msgspec.structs.replace(settings, stores=stores)
    problems = [*reader.problems, *_contradictions(settings)]
    if problems:
        raise BootError((f"{path.name}: " if path.exists() else "") + "; ".join(problems))
    return settings


def require_credentials(settings: Settings) -> None:
    """Refuse accounts that WeChat itself would not know: values missing, or copied from the sample."""
    problems = []
    if not settings.accounts:
        problems.append("no account is named: add [accounts.city] with the values from WeChat's console")
    for key, account in settings.accounts.items():
        needed = ["original_id", "appid", "secret", "token"]
        if account.mode != "plain":
            needed.append("aes_key")
        for field in needed:
            value = getattr(account, field)
            if not value:
                problems.append(f"accounts.{key}.{field} is missing")
            elif value in SAMPLES:
                problems.append(f"accounts.{key}.{field} is still the sample value")
    if problems:
        raise BootError(f"{settings.source}: " + "; ".join(problems))


def address(host: str, port: int) -> str:
    """`http://host:port` as a browser on this machine takes it."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host)  # noqa: S104 - recognised, not bound
    return f"http://{shown or (f'[{host}]' if ':' in host else host)}:{port}"


def is_wechat_host(url: str) -> bool:
    """Whether an address is WeChat's own (api.weixin.qq.com, its regions, its pages)."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host == "qq.com" or host.endswith((".qq.com", ".wechat.com"))


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if required:
            raise BootError(f"{path} is not there; it is what {CONFIG_VARIABLE} names") from None
        return {}
    except OSError as unreadable:
        raise BootError(f"{path} cannot be read: {unreadable.strerror}") from None
    except UnicodeDecodeError:
        raise BootError(f"{path.name} is not UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as broken:
        raise BootError(f"{path.name} is not TOML: {broken}") from None


def _overridden(values: dict[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Lay `BIANMIN_<SECTION>__<KEY>` and `BIANMIN_ACCOUNTS__<NAME>__<KEY>` over the file's values.

    Returns the values, and which variable each overridden setting comes from.
    """
    variables: dict[str, str] = {}
    for variable, value in sorted(environ.items()):
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        *tables, key = variable.removeprefix(PREFIX).lower().split("__")
        place = values
        for table in tables:
            inner = place.setdefault(table, {})
            if not isinstance(inner, dict):
                raise BootError(f"{variable} names a key in {table}, which is no table")
            place = inner
        place[key] = value
        variables[".".join((*tables, key))] = variable
    return values, variables


class _Reader:
    """Turns the tables of a settings file into sections and collects everything wrong with them."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder  # what `file:` references are relative to
        self._variables = variables  # settings that come from the environment, and its name for them
        self.problems: list[str] = []

    def accounts(self, given: object) -> dict[str, Account]:
        """Read every `[accounts.<name>]`."""
        if not isinstance(given, dict):
            self.problems.append("accounts must be tables such as [accounts.city]")
            return {}
        for key in given:
            fault = _fault(key, AccountName)
            if fault:
                self.problems.append(f"[accounts.{key}]: the name is not {fault}")
        return {key: self.section(Account, f"accounts.{key}", values) for key, values in given.items()}

    def section(self, shape: type[Shape], name: str, given: object) -> Shape:
        """Read one table; a key that is unknown or bad is noted and its default stands."""
        if not isinstance(given, dict):
            self.problems.append(f"{name} must be a table: [{name}]")
            return shape()
        hints = get_type_hints(shape, include_extras=True)
        values: dict[str, Any] = {}
        for key, raw in given.items():
            if key not in hints:
                self._note(name, key, f" is no setting (there are {', '.join(hints)})")
                continue
            try:
                values[key] = self._value(raw, hints[key])
            except ValueError as fault:
                self._note(name, key, f": {fault}")
        return shape(**values)

    def _note(self, name: str, key: str, fault: str) -> None:
        """Note a fault so that its setting is found again: in the file, or by its variable."""
        variable = self._variables.get(f"{name}.{key}")
        self.problems.append(f"{name}.{key}{fault}" + (f" (set by {variable})" if variable else ""))

    def _value(self, raw: object, kind: Any) -> object:
        """One value as its setting wants it; `ValueError` says what is wrong and shows no secret."""
        secret = _is_secret(kind)
        value = raw
        if secret and isinstance(raw, str) and raw.startswith("file:"):
            path = self._folder / raw.removeprefix("file:")
            try:
                value = path.read_text("utf-8").strip()
            except OSError as unreadable:
                raise ValueError(f"{path} cannot be read: {unreadable.strerror}") from None
            except UnicodeDecodeError:
                raise ValueError(f"{path} is not UTF-8 text") from None
        fault = _fault(value, kind)
        if fault:
            raise ValueError(f"{'what is given' if secret else repr(raw)} is not {fault}")
        return msgspec.convert(value, kind, strict=False)


def _fault(value: object, kind: Any) -> str:
    """What `value` should have been, or "" where it is just that. Text counts as the number it spells."""
    if isinstance(value, bool):  # msgspec would take true for 1
        return _expected(kind)
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return _expected(kind)
    return ""


def _expected(kind: Any) -> str:
    meta = _meta(kind)
    if meta is not None and meta.description:
        return meta.description
    choices = getattr(kind, "__args__", ())
    return f"one of {', '.join(choices)}" if choices else "text"


def _meta(kind: Any) -> Meta | None:
    return next((each for each in getattr(kind, "__metadata__", ()) if isinstance(each, Meta)), None)


def _is_secret(kind: Any) -> bool:
    meta = _meta(kind)
    return meta is not None and meta.extra == _HIDDEN


def _contradictions(settings: Settings) -> Iterator[str]:
    """Values that are each well formed and yet cannot be."""
    ports = [
        ("server.port", settings.server.port),
        ("server.admin_port", settings.server.admin_port),
        ("simulator.port", settings.simulator.port),
    ]
    for place, (name, port) in enumerate(ports):
        for other, taken in ports[:place]:
            if port == taken:
                yield f"{name} and {other} are both {port}"
    if not is_loopback(settings.simulator.host):
        yield f"simulator.host: {settings.simulator.host!r} is not a loopback address such as 127.0.0.1"
    opens, closes = settings.chat.desk_span
    if opens >= closes:
        yield f"chat.desk_hours: {settings.chat.desk_hours!r} ends before it begins"
