"""The invented people whom the demo institutions know: nobody's numbers, and always as old as today wants."""

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import date

_PLACE = "109901"  # no place has it, so nobody has these numbers
_PHONE = "154"  # no operator has these
_MEN, _WOMEN = 1, 2
_PRIME = 11


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody in the register; `phone` is "" for who has none, `guardians` are names of others."""

    name: str
    id_number: str
    born: date
    phone: str
    guardians: tuple[str, ...] = ()

    def is_called(self, name: str) -> bool:
        """Whether this is their name, however it is encoded."""
        return _plain(name) == _plain(self.name)

    def reference(self, institution: str) -> str:
        """The institution's own name for them; the same whatever the year."""
        return "P" + hashlib.sha256(f"{institution}:{self.name}".encode()).hexdigest()[:20]

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "id_number": self.id_number,
            "born": self.born.isoformat(),
            "phone": self.phone,
            "guardians": list(self.guardians),
        }


def residents(today: date) -> list[Resident]:
    """Everybody; a child is born so many years before today that it stays a child."""
    year = today.year
    return [
        _resident(1, "王秀英", date(1948, 3, 12), _WOMEN),
        _resident(2, "李建国", date(1946, 10, 1), _MEN),
        _resident(3, "赵志强", date(1983, 6, 5), _MEN),
        _resident(4, "陈玉梅", date(1985, 12, 31), _WOMEN),
        _resident(5, "阿依古丽·买买提", date(1990, 5, 20), _WOMEN),
        _resident(6, "欧阳㛃", date(1995, 2, 28), _WOMEN),
        _resident(7, "孙浩然", date(year - 16, 1, 9), _MEN, ("李建国",)),
        _resident(8, "赵小雨", date(year - 8, 4, 18), _WOMEN, ("赵志强", "陈玉梅"), phone=False),
        _resident(9, "赵一诺", date(year - 3, 9, 2), _MEN, ("赵志强", "陈玉梅"), phone=False),
    ]


def _resident(
    number: int, name: str, born: date, sex: int, guardians: tuple[str, ...] = (), *, phone: bool = True
) -> Resident:
    seventeen = f"{_PLACE}{born:%Y%m%d}{number:02}{sex}"
    own = f"{_PHONE}{number:08}" if phone else ""
    return Resident(name, seventeen + _last(seventeen), born, own, guardians)


def _last(seventeen: str) -> str:
    """The last character: with it, each digit taken 2^place times, all of them make 1 modulo 11."""
    total = 0
    for digit in seventeen:
        total = (total + int(digit)) * 2 % _PRIME
    return "0123456789X"[(1 - total) % _PRIME]


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).replace(" ", "")
