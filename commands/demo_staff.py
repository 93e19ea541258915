"""One invented member of staff, so that who runs the demo city can look into its console."""

from pathlib import Path

import msgspec

from commands import invented, staff
from core.clock import Clock
from core.seal import Seal
from core.stores.database import Database
from services.staff.errors import NoSuchStaff
from services.staff.model import Role
from services.staff.service import Staff

_FILE = "staff.json"
_SCOPES = ("420106", "desk:city")  # the district of demo/places.csv, and the human desk


class Login(msgspec.Struct, frozen=True):
    """What is typed at the console's door."""

    name: str
    password: str


async def employed(db: Database, seal: Seal, clock: Clock, folder: Path) -> Login | None:
    """Take the member on at the first start; None once their password is no longer the invented one."""
    login = invented.kept(folder / _FILE, Login, lambda: Login("lishan", staff.invented()))
    members = Staff(db, seal, clock)
    try:
        right = await members.has_password(login.name, login.password)
    except NoSuchStaff:
        await members.add(login.name, login.password, list(Role), _SCOPES)
        return login
    if right and not (await members.member(login.name)).scopes:  # taken on before there were places
        await members.set_work(login.name, list(Role), _SCOPES)
    return login if right else None
