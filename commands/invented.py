"""Credentials that `run` invents where nobody gave it any: made once, kept in the data folder."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from commands.places import DEMO_TRANSIT, make_folder
from core.errors import BootError
from settings import Account, Institution, Pay, Settings, is_wechat_host, require_credentials

DEFAULT_ACCOUNT = "city"
DEMO_PLANS = {"transit": 12535}
DEMO_INSTITUTION, DEMO_TITLE = "renmin", "云汀市人民医院"
Kept = TypeVar("Kept", bound=msgspec.Struct)


class Credentials(msgspec.Struct, frozen=True):
    """What WeChat's console would have shown."""

    original_id: str
    appid: str
    secret: str
    token: str
    aes_key: str


class SharedSecret(msgspec.Struct, frozen=True):
    """What an institution and the gateway both know."""

    secret: str


def as_run(settings: Settings) -> Settings:
    """The settings as `run` and what works beside it use them: the simulator, or WeChat itself."""
    if is_wechat_host(settings.wechat.api_base):
        require_credentials(settings)
        return settings
    return pointed(settings)


def pointed(settings: Settings) -> Settings:
    """Credentials for each account; WeChat's API and the demo hospital's register played by the simulator.

    Where no lines are given, those of the demo city run.
    """
    wechat = msgspec.structs.replace(
        settings.wechat, api_base=settings.wechat.api_base or settings.simulator.url
    )
    transit = msgspec.structs.replace(settings.transit, folder=settings.transit.folder or str(DEMO_TRANSIT))
    return msgspec.structs.replace(
        completed(settings),
        wechat=wechat,
        institutions=_institutions(settings),
        pay=_pay(settings),
        transit=transit,
    )


def played(settings: Settings) -> dict[str, Institution]:
    """The institutions whose register the simulator plays."""
    return {
        key: each
        for key, each in settings.institutions.items()
        if each.url == f"{settings.simulator.url}/institution/{key}"
    }


def completed(settings: Settings) -> Settings:
    """The same settings with every account's missing values filled in; `[accounts.city]` if there is none."""
    make_folder(settings.stores)
    accounts = settings.accounts or {DEFAULT_ACCOUNT: Account(name="云汀便民")}
    folder = settings.stores.folder / "accounts"
    return msgspec.structs.replace(
        settings,
        accounts={key: _complete(account, folder / f"{key}.json") for key, account in accounts.items()},
    )


def _complete(account: Account, path: Path) -> Account:
    missing = [name for name in Credentials.__struct_fields__ if not getattr(account, name)]
    if not missing:
        return account
    known = kept(path, Credentials, _invent)
    return msgspec.structs.replace(account, **{name: getattr(known, name) for name in missing})


def _institutions(settings: Settings) -> dict[str, Institution]:
    """The institutions as given, those without an address played by the simulator; one if there is none."""
    given = settings.institutions or {DEMO_INSTITUTION: Institution(title=DEMO_TITLE, knows_guardians=True)}
    return {key: each if each.url else _simulated(settings, key, each) for key, each in given.items()}


def _simulated(settings: Settings, key: str, institution: Institution) -> Institution:
    path = settings.stores.folder / "institutions" / f"{key}.json"
    return msgspec.structs.replace(
        institution,
        title=institution.title or DEMO_TITLE,
        url=f"{settings.simulator.url}/institution/{key}",
        secret=institution.secret or kept(path, SharedSecret, _invent_secret).secret,
    )


class Merchant(msgspec.Struct, frozen=True):
    """A merchant of the simulator's: what its console would show, and the key WeChat Pay signs with."""

    mch_id: str
    serial: str
    private_key: str
    platform_key_id: str
    platform_key: str
    platform_private_key: str
    api_v3_key: str


def merchant(settings: Settings) -> Merchant:
    """The merchant that the simulator plays WeChat Pay for."""
    return kept(settings.stores.folder / "pay" / "merchant.json", Merchant, _invent_merchant)


def pays_by_simulator(settings: Settings) -> bool:
    """Whether the simulator plays WeChat Pay: nobody named a merchant of their own."""
    return not settings.pay.mch_id or settings.pay.api_base == settings.simulator.url


def _pay(settings: Settings) -> Pay:
    if not pays_by_simulator(settings):
        return settings.pay
    known = merchant(settings)
    return Pay(
        api_base=settings.simulator.url,
        mch_id=known.mch_id,
        serial=known.serial,
        private_key=known.private_key,
        platform_key_id=known.platform_key_id,
        platform_key=known.platform_key,
        api_v3_key=known.api_v3_key,
        plans=settings.pay.plans or DEMO_PLANS,
    )


def _invent_merchant() -> Merchant:
    ours, theirs = _rsa(), _rsa()
    return Merchant(
        mch_id=f"19{secrets.randbelow(10**8):08}",
        serial=secrets.token_hex(20).upper(),
        private_key=_pem(ours),
        platform_key_id=f"PUB_KEY_ID_01{secrets.token_hex(14).upper()}",
        platform_key=_public_pem(theirs),
        platform_private_key=_pem(theirs),
        api_v3_key=secrets.token_hex(16),
    )


def _rsa() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65_537, key_size=2_048)


def _pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public_pem(key: RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def kept(path: Path, shape: type[Kept], invent: Callable[[], Kept]) -> Kept:
    """Read what was invented before, or invent it now; who comes second takes what the first one wrote."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        _write_once(path, msgspec.json.format(msgspec.json.encode(invent())))
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except msgspec.DecodeError as broken:
        raise BootError(f"{path} is damaged ({broken}): delete it, and new values are made") from broken


def _write_once(path: Path, content: bytes) -> None:
    """Put a private file there, whole or not at all, unless somebody else just did."""
    draft = path.with_suffix(f".{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content + b"\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _invent() -> Credentials:
    return Credentials(
        original_id=f"gh_{secrets.token_hex(6)}",
        appid=f"wx{secrets.token_hex(8)}",
        secret=secrets.token_hex(16),
        token=secrets.token_hex(12),
        aes_key=_drawn_until(lambda key: key.isalnum(), _aes_key),
    )


def _invent_secret() -> SharedSecret:
    return SharedSecret(secrets.token_hex(32))


def _aes_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def _drawn_until(good: Callable[[str], bool], draw: Callable[[], str]) -> str:
    while not good(drawn := draw()):
        pass
    return drawn
