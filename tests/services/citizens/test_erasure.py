"""Who is erased when: at once, when nothing is promised any more, after thirty days; and who came back."""

import hashlib
import json
from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.erasure import Erasing, NoErasureWaits, NoSuchReceipt
from services.hospital.service import Hospital
from tests.services.ward import Ward, at
from tests.support.city_hospital import hospital_of
from tests.support.household import Household
from tests.support.people import MOTHER
from tests.support.rights import data_rights_of
from tests.support.talk import Ground


@pytest.fixture
def ground(redis: Redis, db: Database, seal: Seal, clock: ManualClock) -> Ground:
    return Ground(redis, db, seal, clock)


@pytest.fixture
def erasing(ground: Ground) -> Erasing:
    return data_rights_of(ground).erasing


@pytest.fixture
async def home(db: Database, seal: Seal, clock: ManualClock) -> Household:
    """A mother who has proven who she is, and her daughter, who may act for her."""
    home = Household(db, seal, clock)
    await home.proven("mother", "王秀英", MOTHER)
    await home.bound("daughter", "mother", "王秀英", MOTHER, asker="女儿小芳")
    return home


@pytest.fixture
def hospital(home: Household, seal: Seal, clock: ManualClock) -> Hospital:
    return hospital_of(home.db, seal, clock)


async def books(ward: Ward, hospital: Hospital, home: Household, name: str, person: str = "") -> str:
    period = await ward.session("heart-1", at("10:00"), units=(4,))
    found: str = await hospital.hold(period[0], home.citizens[name], home.effect(), person)
    return found


async def known(home: Household) -> bool:
    """Whether anybody's name stands in the register."""
    return bool(await home.db.fetchval("SELECT count(*) FROM persons WHERE identity IS NOT NULL"))


async def followed(home: Household) -> set[str]:
    rows = await home.db.fetch("SELECT conversation FROM accounts")
    return {name for name in home.citizens if home.conversation(name) in {row[0] for row in rows}}


# --- 删除 ---


async def test_who_asks_is_erased_with_all_who_act_for_them(home: Household, erasing: Erasing) -> None:
    assert (await erasing.preview(home.citizens["mother"])).holders == 1
    number = await erasing.ask(home.citizens["mother"], home.effect())
    assert (await erasing.receipt(number)).state == "done"
    assert not await known(home)
    assert await followed(home) == {"daughter"}
    assert await home.families.people(home.citizens["daughter"], "book") == [
        each for each in await home.families.people(home.citizens["daughter"]) if each.is_self
    ]


async def test_who_acted_for_somebody_leaves_them_as_they_are(home: Household, erasing: Erasing) -> None:
    await erasing.ask(home.citizens["daughter"], home.effect())
    assert await known(home), "the mother is still here"
    assert await home.families.holders(home.citizens["mother"]) == []


async def test_whom_nobody_else_acts_for_is_erased_with_who_did(
    db: Database, seal: Seal, clock: ManualClock, erasing: Erasing
) -> None:
    home = Household(db, seal, clock)
    await home.bound("daughter", "mother", "王秀英", MOTHER, asker="女儿小芳")
    assert await known(home)
    await erasing.ask(home.citizens["daughter"], home.effect())
    assert not await known(home)


async def test_asked_twice_it_is_one_erasure_with_one_receipt(
    home: Household, erasing: Erasing, ward: Ward, hospital: Hospital
) -> None:
    await books(ward, hospital, home, "mother")
    first = await erasing.ask(home.citizens["mother"], home.effect())
    assert await erasing.ask(home.citizens["mother"], home.effect()) == first


@pytest.mark.parametrize("who", ["mother", "daughter"])
async def test_a_number_to_come_keeps_the_name_until_then(
    home: Household, erasing: Erasing, ward: Ward, hospital: Hospital, clock: ManualClock, who: str
) -> None:
    person = home.persons["mother"]
    await books(ward, hospital, home, who, person if who == "daughter" else "")
    number = await erasing.ask(home.citizens[who], home.effect())
    assert (await erasing.receipt(number)).state == "waiting"
    assert await erasing.run() == 0
    clock.move(timedelta(days=1))  # the visit is over
    assert await erasing.run() == 1
    receipt = await erasing.receipt(number)
    assert (receipt.state, receipt.kept["bookings"]) == ("done", 1)
    assert await home.db.fetchval("SELECT count(*) FROM bookings") == 1, "it stays in the books"


async def test_after_thirty_days_nothing_keeps_it(
    home: Household, erasing: Erasing, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def one(*_given: object) -> int:
        return 1

    monkeypatch.setattr("services.hospital.holding.Bookings.obligations", one)
    number = await erasing.ask(home.citizens["mother"], home.effect())
    clock.move(timedelta(days=30) - timedelta(seconds=1))
    assert await erasing.run() == 0
    clock.move(timedelta(seconds=1))
    assert await erasing.run() == 1
    assert (await erasing.receipt(number)).state == "done"


async def test_who_thinks_better_of_it_keeps_all(
    home: Household, erasing: Erasing, ward: Ward, hospital: Hospital, clock: ManualClock
) -> None:
    await books(ward, hospital, home, "mother")
    number = await erasing.ask(home.citizens["mother"], home.effect())
    await erasing.withdraw(home.citizens["mother"], home.effect())
    clock.move(timedelta(days=31))
    assert await erasing.run() == 0
    assert (await erasing.receipt(number)).state == "withdrawn"
    assert await known(home)
    with pytest.raises(NoErasureWaits):
        await erasing.withdraw(home.citizens["mother"], home.effect())


async def test_one_who_cannot_be_erased_keeps_no_other(
    home: Household, erasing: Erasing, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mother", "daughter"):
        await home.register.leave(home.conversation(name))
    broken = home.citizens["mother"]
    forgets = Erasing._try

    async def breaks(self: Erasing, tx: object, citizen: str, row: object) -> bool:
        if citizen == broken:
            raise RuntimeError("no")
        return await forgets(self, tx, citizen, row)  # type: ignore[arg-type]

    monkeypatch.setattr(Erasing, "_try", breaks)
    assert await erasing.run() == 1
    assert await followed(home) == {"mother"}


# --- receipts ---


async def test_the_hash_is_over_what_was_erased_and_can_be_computed_by_anybody(
    home: Household, erasing: Erasing
) -> None:
    receipt = await erasing.receipt(await erasing.ask(home.citizens["mother"], home.effect()))
    assert receipt.hash == hashlib.sha256(receipt.told).hexdigest()
    told = json.loads(receipt.told)
    assert told["receipt"] == receipt.number
    assert told["erased"] == {**receipt.erased}
    assert receipt.erased["persons"] == receipt.erased["accounts"] == 1
    told["erased"]["persons"] = 0
    assert hashlib.sha256(json.dumps(told).encode()).hexdigest() != receipt.hash


async def test_a_receipt_says_of_nobody(home: Household, erasing: Erasing, db: Database) -> None:
    number = await erasing.ask(home.citizens["mother"], home.effect())
    row = await db.fetchrow("SELECT * FROM erasures WHERE receipt = $1", number)
    assert row is not None
    assert row["citizen"] is None
    for mine in (home.citizens["mother"], home.persons["mother"], home.conversation("mother")):
        assert mine not in str(dict(row))


async def test_a_number_is_read_as_people_write_it(home: Household, erasing: Erasing) -> None:
    number = await erasing.ask(home.citizens["mother"], home.effect())
    written = f" {number[:4].lower()}-{number[4:]}".replace("0", "O").replace("1", "l")
    assert (await erasing.receipt(written)).number == number
    for wrong in ("", "000011112222", number[:-1], "'; DROP TABLE erasures"):
        with pytest.raises(NoSuchReceipt):
            await erasing.receipt(wrong)


# --- who leaves ---


async def test_who_leaves_is_erased_in_the_night_and_theirs_are_not(
    home: Household, erasing: Erasing
) -> None:
    await home.register.leave(home.conversation("mother"))
    assert await known(home), "not before the night"
    assert await erasing.run() == 1
    assert await followed(home) == {"daughter"}
    assert await known(home), "the daughter may still act for her: it is what both agreed to"
    people = await home.families.people(home.citizens["daughter"])
    assert "王*英" in [each.name for each in people]


async def test_who_is_back_before_that_keeps_all(
    home: Household, erasing: Erasing, ward: Ward, hospital: Hospital, clock: ManualClock
) -> None:
    await books(ward, hospital, home, "mother")
    await home.register.leave(home.conversation("mother"))
    assert await erasing.run() == 0
    await home.stranger("mother")  # follows again
    clock.move(timedelta(days=31))
    assert await erasing.run() == 0
    assert await followed(home) == {"mother", "daughter"}
    assert (await home.families.holders(home.citizens["mother"]))[0].asker == "女儿小芳"
    await home.register.leave(home.conversation("mother"))
    assert await erasing.run() == 1, "and leaves once more"


async def test_what_joins_accounts_goes_at_once_with_the_last_of_them(home: Household, db: Database) -> None:
    await db.execute(
        "UPDATE citizens SET unionid = decode(md5(id), 'hex') WHERE id = $1", home.citizens["mother"]
    )
    other = "school:0123456789abcdef0123456789abcdef"
    await home.register.arrive(other, "school", "o-mother-at-school")
    await db.execute(
        "UPDATE accounts SET citizen = $1 WHERE conversation = $2", home.citizens["mother"], other
    )
    unionids = "SELECT count(unionid) FROM citizens"
    await home.register.leave(home.conversation("mother"))
    assert await db.fetchval(unionids) == 1
    await home.register.leave(other)
    assert await db.fetchval(unionids) == 0


async def test_of_two_accounts_the_one_that_was_left_goes_after_thirty_days(
    home: Household, db: Database, erasing: Erasing, clock: ManualClock
) -> None:
    other = "school:0123456789abcdef0123456789abcdef"
    await home.register.arrive(other, "school", "o-mother-at-school")
    await db.execute(
        "UPDATE accounts SET citizen = $1 WHERE conversation = $2", home.citizens["mother"], other
    )
    await home.register.leave(other)
    clock.set(max(clock.now(), await db.fetchval("SELECT now()")) + timedelta(days=29))
    await erasing.run()
    assert await db.fetchval("SELECT count(*) FROM accounts WHERE conversation = $1", other) == 1
    clock.move(timedelta(days=2))
    await erasing.run()
    assert await db.fetchval("SELECT count(*) FROM accounts WHERE conversation = $1", other) == 0
    assert await followed(home) == {"mother", "daughter"}
