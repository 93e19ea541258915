"""Nobody learns whether a person is known, and no table tells who anybody is."""

from collections.abc import Awaitable
from datetime import timedelta

from structlog.testing import capture_logs

from core.errors import DomainError
from tests.services.citizens.kin import Kin, Person, once

NAME, ASKER = "欧阳桂芳", "儿子小明明"


async def answers(kin: Kin, whom: Person) -> list[str]:
    """Everything that somebody hears who asks for this person and has no proof."""
    son = await kin.person("王小明")
    asked = await kin.asks(son, whom)
    me = son.citizen
    steps: list[Awaitable[object]] = [
        kin.proving.ways(asked, me),
        kin.proving.ask_person(asked, me, once()),
        kin.proving.ask_person(asked, me, once()),
        kin.proving.check_code(asked, me, "123456", once()),
        *(kin.proving.send_code(asked, me, "first", once()) for _ in range(4)),
        *(kin.proving.check_code(asked, me, f"00000{number}", once()) for number in range(5)),
        kin.proving.check_roster(asked, me, "first", once()),
        kin.proving.approve(asked, me, once()),
        kin.families.open_requests(me),
        kin.families.asked_of(me),
        kin.families.holders(me),
        kin.families.meant(me, "妈妈"),
        kin.asks(son, whom),
        kin.proving.withdraw(asked, me, once()),
    ]
    heard = []
    for each in steps:
        try:
            said = await each
        except DomainError as refused:
            said = (type(refused).__name__, refused.facts)
        heard.append(repr(said).replace(f"'{asked}'", "BINDING"))
    return heard


async def test_who_is_known_and_who_is_not_bring_the_same_answers(kin: Kin) -> None:
    known = await kin.person(NAME, proven=True)
    elsewhere = await kin.stranger(NAME)  # the institution knows her, we do not
    nobody = await kin.stranger(NAME)
    kin.clinic.patients.pop(nobody.number)
    misnamed = await kin.person("别的名字", proven=True)
    misnamed.name = NAME
    full = await kin.person(NAME, proven=True)
    for name in ("王一", "王二", "王三"):
        await kin.bound(await kin.person(name), full)
    kin.passes(timedelta(days=1))
    heard = [await answers(kin, each) for each in (nobody, known, elsewhere, misnamed, full)]
    assert heard[1:] == heard[:1] * 4
    assert len(heard[0]) == 21


async def everything(kin: Kin) -> Person:
    """A request, a binding, a kept dialogue, an end of each kind, and messages of all of them."""
    son, mother = await kin.person("王小明", proven=True), await kin.person(NAME, proven=True)
    asked = await kin.asks(son, mother, calls=ASKER)
    await kin.proving.keep(asked, son.citizen, f"给{NAME}挂号".encode(), "挂号")
    await kin.proving.ask_person(asked, son.citizen, once())
    await kin.proving.approve(asked, mother.citizen, once())
    refused = await kin.asks(await kin.person("王二"), mother, calls=ASKER)
    await kin.proving.refuse(refused, mother.citizen, once())
    revoked = await kin.bound(await kin.person("王三"), mother)
    await kin.families.revoke(revoked, mother.citizen, once())
    await kin.asks(await kin.person("王四"), mother, calls=ASKER)
    return mother


async def test_no_column_of_any_table_holds_a_name_or_a_number(kin: Kin) -> None:
    mother = await everything(kin)
    needles = [
        form
        for said in (NAME, ASKER, mother.number, kin.clinic.texts[-1][1], f"patient {mother.number[-4:]}")
        for form in (said, said.encode().hex())
    ]
    tables = await kin.db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for table in tables:
        rows = f'SELECT string_agg(t::text, chr(10)) FROM "{table["tablename"]}" t'  # noqa: S608
        text = str(await kin.db.fetchval(rows))
        assert not [needle for needle in needles if needle in text], table["tablename"]


async def test_control_the_needles_are_found_where_they_stand_open(kin: Kin) -> None:
    mother = await everything(kin)
    await kin.db.execute(
        "INSERT INTO kept_dialogues VALUES (1, repeat('x', 40)::bytea, $1, now())", mother.name
    )
    text = await kin.db.fetchval("SELECT string_agg(t::text, '') FROM kept_dialogues t")
    assert NAME in text


async def test_what_is_sealed_for_one_row_opens_in_no_other(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger(NAME)
    other = await kin.person("王二")
    mine, theirs = int(await kin.asks(son, mother)), int(await kin.asks(other, mother))
    await kin.db.execute("ALTER TABLE bindings DISABLE TRIGGER USER")
    await kin.db.execute(
        "UPDATE bindings SET sealed = (SELECT sealed FROM bindings WHERE id = $1) WHERE id = $2", theirs, mine
    )
    with capture_logs() as lines:
        (request,) = await kin.families.open_requests(son.citizen)
    assert (request.name, lines[0]["event"]) == ("", "request_unreadable")
    assert "another place" in lines[0]["why"]


async def test_no_log_line_and_no_refusal_tells_of_anybody(kin: Kin) -> None:
    with capture_logs() as lines:
        mother = await everything(kin)
        heard = await answers(kin, mother)
    for needle in (NAME, ASKER, mother.number, mother.number[6:14]):
        assert needle not in str(lines)
        assert needle not in "".join(heard)


async def test_a_wish_shows_itself_to_nobody_and_counts_by_its_keyed_hash(kin: Kin) -> None:
    number = "11010519491231002X"
    wish = kin.families.wish("mother", NAME, number, ASKER)
    again = kin.families.wish("mother", NAME, number, ASKER)
    other = kin.families.wish("mother", NAME, number, ASKER, ("book",))
    assert (repr(wish), str(wish)) == ("<Wish mother>", "<Wish mother>")
    assert wish.fingerprint == again.fingerprint != other.fingerprint
    assert wish.target == again.target == other.target
    assert len(wish.fingerprint) == len(wish.target) == 16
    assert number[6:14].encode() not in wish.fingerprint
