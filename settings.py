"""One frozen settings object, read once from `bianmin.toml` and the environment; every bad value is named."""

from collections.abc import Iterator, Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from core.addresses import is_confidential, is_loopback
from core.config import HIDDEN, Reader, Section, overridden, read
from core.delivery.quiet import USUAL as USUAL_QUIET_HOURS
from core.delivery.rates import BULK_SHARE, SUBSCRIPTION, TEMPLATE, USER_INFO, USUAL_QUOTAS, WINDOW
from core.errors import BootError

CONFIG_VARIABLE = "BIANMIN_CONFIG"
EMBEDDED = "embedded"
WECHAT_API = "https://api.weixin.qq.com"
PAY_API = "https://api.mch.weixin.qq.com"

Port = Annotated[int, Meta(ge=1, le=65535, description="a port number, 1 to 65535")]
Url = Annotated[str, Meta(pattern=r"^(https?://[^\s/]+.*)?$", description="an http(s) address")]
Text = Annotated[str, Meta(min_length=1, description="some text")]
Seconds = Annotated[float, Meta(gt=0, description="seconds, more than 0")]
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
Hours = Annotated[
    str, Meta(pattern=rf"^{_CLOCK}-{_CLOCK}$", description='a span of a day such as "08:30-17:30"')
]
Percent = Annotated[int, Meta(ge=1, le=100, description="a whole number from 1 to 100")]
YesOrNo = Annotated[bool, Meta(description="true or false")]
Count = Annotated[int, Meta(ge=1, description="a whole number, 1 or more")]
Secret = Annotated[str, Meta(extra=HIDDEN, description="text or a file: reference")]
AesKey = Annotated[
    str, Meta(pattern=r"^([A-Za-z0-9]{43})?$", extra=HIDDEN, description="43 letters and digits")
]
_REDIS = r"^(embedded|rediss?://\S+|unix://\S+)$"
_POSTGRES = r"^(embedded|postgres(ql)?://\S+)$"
Module = Annotated[
    str, Meta(pattern=r"^bots(\.[a-z_][a-z0-9_]*)+$", description='a module such as "bots.city"')
]
AccountName = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$", description="a lower-case word of letters, digits and _")
]
_Given = TypeVar("_Given", bound=Section)
SECRET_CHARACTERS = 32  # of an institution's secret, at least


class Server(Section, frozen=True, kw_only=True):
    """Where the gateway listens, and the address people reach it by ("" = host and port).

    `proxy` is the web server in front of it, if that is on another machine: what it says of a browser's
    address is believed.
    """

    host: Text = "127.0.0.1"
    port: Port = 8080
    admin_port: Port = 8082  # health details and metrics, on loopback only
    base_url: Url = ""
    proxy: Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:]*$", description="an IP address")] = ""

    @property
    def url(self) -> str:
        """The public address, without a slash at its end."""
        return self.base_url.rstrip("/") or self.local_url

    @property
    def local_url(self) -> str:
        """The address for a program on this machine."""
        return address(self.host, self.port)


class Stores(Section, frozen=True, kw_only=True):
    """Where the data lies; `embedded` means the servers `run` starts in `data_dir`."""

    redis_url: Annotated[
        str,
        Meta(pattern=_REDIS, extra=HIDDEN, description='"embedded" or a redis:// address'),
    ] = EMBEDDED
    database_url: Annotated[
        str,
        Meta(pattern=_POSTGRES, extra=HIDDEN, description='"embedded" or a postgresql:// address'),
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


class WeChat(Section, frozen=True, kw_only=True):
    """WeChat's API side; "" = the simulator under `run`, WeChat itself everywhere else."""

    api_base: Url = ""
    window_sends: Count = 5  # messages of ours that WeChat takes in the 48 hours after one of a citizen's
    sends_per_second: Count = 500  # messages of ours from one account, by all processes together
    bulk_share: Percent = BULK_SHARE  # of what an account may send in a day, for notices to many
    quiet_hours: Hours = USUAL_QUIET_HOURS  # when notices wait; the same time twice: never

    @property
    def url(self) -> str:
        """The address to call, without a slash at its end."""
        return self.api_base.rstrip("/") or WECHAT_API


class Pay(Section, frozen=True, kw_only=True):
    """One merchant at WeChat Pay; without `mch_id` nothing is debited, but `run` has its simulator play one.

    `plans`: the number WeChat Pay gave to the plan of each purpose. `platform_key`: their public key or
    certificate, `platform_key_id` its serial or PUB_KEY_ID_….
    """

    api_base: Url = ""
    mch_id: str = ""
    serial: str = ""
    private_key: Secret = ""
    platform_key_id: str = ""
    platform_key: Secret = ""
    api_v3_key: Secret = ""
    plans: Annotated[dict[str, int], Meta(description="numbers by purpose, such as {transit = 12535}")] = {}  # noqa: RUF012

    @property
    def url(self) -> str:
        """The address to call, without a slash at its end."""
        return self.api_base.rstrip("/") or PAY_API


class Simulator(Section, frozen=True, kw_only=True):
    """The stand-in for WeChat; loopback only. `retry_s`: from one attempt of a push to the next.

    `gates_port`: where the demo city's virtual gates are beside `run`; 0 = none.
    """

    host: Text = "127.0.0.1"
    port: Port = 8081
    gates_port: Annotated[int, Meta(ge=0, le=65535, description="a port number, or 0")] = 8095
    retry_s: Seconds = 5.0

    @property
    def url(self) -> str:
        """Where the phone page and the API side are."""
        return address(self.host, self.port)


class Chat(Section, frozen=True, kw_only=True):
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


class Issuer(Section, frozen=True, kw_only=True):
    """Who signs ride codes; "" = in the data folder, and a socket that processes of our own user find.

    `users`: other users of this machine, with commas, whose processes may have codes signed.
    """

    key: str = ""
    socket: str = ""
    users: str = ""
    cap_fen: Count = 5000  # no code lets anybody ride for more


class Transit(Section, frozen=True, kw_only=True):
    """Metro and buses; `folder` holds files as in demo/transit. "" = none, but `run` has the demo city's.

    `debit_after_s`: from the end of a ride to its debit, so that what gates upload late is in the price.
    """

    folder: str = ""
    debit_after_s: Annotated[int, Meta(ge=0, le=86_400, description="seconds, 0 to 86400")] = 600


class Account(Section, frozen=True, kw_only=True):
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
    # What WeChat lets this account send in a day (wechat-facts 3); more with more followers.
    daily_sends: Count = USUAL_QUOTAS[WINDOW]
    daily_templates: Count = USUAL_QUOTAS[TEMPLATE]
    daily_subscriptions: Count = USUAL_QUOTAS[SUBSCRIPTION]
    daily_user_infos: Count = USUAL_QUOTAS[USER_INFO]
    # The Open Platform account (开放平台) it is bound to, by any name; "": WeChat knows no unionids.
    open_platform: str = ""


class Institution(Section, frozen=True, kw_only=True):
    """A register that knows people, such as a hospital's (docs/institution.md); what is "" was not given."""

    title: str = ""
    url: Url = ""
    secret: Secret = ""
    knows_guardians: YesOrNo = False


class Settings(Section, frozen=True, kw_only=True):
    """Everything a person can set."""

    server: Server = Server()
    stores: Stores = Stores()
    wechat: WeChat = WeChat()
    pay: Pay = Pay()
    simulator: Simulator = Simulator()
    chat: Chat = Chat()
    issuer: Issuer = Issuer()
    transit: Transit = Transit()
    accounts: dict[str, Account] = {}  # noqa: RUF012 - msgspec gives each its own
    institutions: dict[str, Institution] = {}  # noqa: RUF012
    source: str = "bianmin.toml"


_SECTIONS: dict[str, type[Section]] = {
    "server": Server,
    "stores": Stores,
    "wechat": WeChat,
    "pay": Pay,
    "simulator": Simulator,
    "chat": Chat,
    "issuer": Issuer,
    "transit": Transit,
}

_NAMED: dict[str, type[Section]] = {"accounts": Account, "institutions": Institution}

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
    named = CONFIG_VARIABLE if CONFIG_VARIABLE in environ else ""
    values, variables = overridden(read(path, variable=named), environ)
    reader = Reader(path.parent, variables)
    sections: dict[str, Any] = {}
    for name, given in values.items():
        if name in _NAMED:
            sections[name] = reader.named(_NAMED[name], name, given, AccountName)
        elif name not in _SECTIONS:
            known = ", ".join([*_SECTIONS, *(f"{group}.<name>" for group in _NAMED)])
            reader.problems.append(f"[{name}] is no section (there are {known})")
        else:
            sections[name] = reader.section(_SECTIONS[name], name, given)
    settings = Settings(**sections, source=path.name)
    stores = msgspec.structs.replace(settings.stores, data_dir=str(path.parent / settings.stores.data_dir))
    settings = msgspec.structs.replace(
        settings,
        stores=stores,
        issuer=_beside(path.parent, settings.issuer, "key", "socket"),
        transit=_beside(path.parent, settings.transit, "folder"),
    )
    problems = [*reader.problems, *_contradictions(settings)]
    if problems:
        raise BootError((f"{path.name}: " if path.exists() else "") + "; ".join(problems))
    return settings


def _beside(folder: Path, section: _Given, *names: str) -> _Given:
    """A section with these paths relative to the settings file; one that is "" was not given."""
    given = {name: getattr(section, name) for name in names}
    return msgspec.structs.replace(
        section, **{name: path and str(folder / path) for name, path in given.items()}
    )


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


def require_institutions(settings: Settings) -> None:
    """Refuse institutions that nobody could ask: values missing."""
    problems = [
        f"institutions.{key}.{field} is missing"
        for key, institution in settings.institutions.items()
        for field in ("title", "url", "secret")
        if not getattr(institution, field)
    ]
    if problems:
        raise BootError(f"{settings.source}: " + "; ".join(problems))


def require_pay(settings: Settings) -> None:
    """Refuse a merchant that could not debit: values missing, or an address nobody outside can tell us at."""
    pay = settings.pay
    needed = ("mch_id", "serial", "private_key", "platform_key_id", "platform_key", "api_v3_key", "plans")
    problems = [f"pay.{name} is missing" for name in needed if not getattr(pay, name)]
    if is_wechat_host(pay.url) and not settings.server.url.startswith("https://"):
        problems.append("server.base_url: WeChat Pay tells what it debited at https addresses only")
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


def _contradictions(settings: Settings) -> Iterator[str]:
    """Values that are each well formed and yet cannot be."""
    ports = [
        ("server.port", settings.server.port),
        ("server.admin_port", settings.server.admin_port),
        ("simulator.port", settings.simulator.port),
        ("simulator.gates_port", settings.simulator.gates_port),
    ]
    for place, (name, port) in enumerate(ports):
        for other, taken in ports[:place]:
            if port and port == taken:
                yield f"{name} and {other} are both {port}"
    if not is_loopback(settings.simulator.host):
        yield f"simulator.host: {settings.simulator.host!r} is not a loopback address such as 127.0.0.1"
    for key, institution in settings.institutions.items():
        if institution.url and not is_confidential(institution.url):
            yield f"institutions.{key}.url: {institution.url!r} is not https (or on this machine)"
        if institution.secret and len(institution.secret) < SECRET_CHARACTERS:
            yield f"institutions.{key}.secret: what is given has fewer than {SECRET_CHARACTERS} characters"
    opens, closes = settings.chat.desk_span
    if opens >= closes:
        yield f"chat.desk_hours: {settings.chat.desk_hours!r} ends before it begins"
