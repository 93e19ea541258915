"""What gates upload: in any order, however often, with whatever is wrong; nothing is lost or counts twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.stores.database import Database
from gate.code import Type
from services.transit.model import Batch, Device, Reason, Sent
from services.transit.pairing import Way
from services.transit.taps import Taps
from services.transit.taps_store import Decided
from tests.services.transit.line import TIMETABLE, Line, after


async def a_ride(line: Line, account: str) -> list[tuple[Device, Sent]]:
    return [
        await line.tap(account, "zhongnan", "in", after(0)),
        await line.tap(account, "guanggu", "out", after(25)),
    ]


async def test_a_ride_is_a_trip_with_its_fare(line: Line) -> None:
    rider = await line.rider()
    for device, sent in await a_ride(line, rider):
        assert (await line.uploads(device, sent)).accepted == [sent.seq]
    await line.settles()
    assert await line.trips(rider) == [("closed", "owed", 400)]
    (payment,) = line.collector.payments.values()
    assert payment.amount_fen == 400


async def test_a_batch_that_comes_twice_changes_nothing(line: Line) -> None:
    rider = await line.rider()
    for device, sent in await a_ride(line, rider):
        assert (await line.uploads(device, sent)).accepted == [sent.seq]
        again = await line.uploads(device, sent)
        assert (again.accepted, again.known) == ([], [sent.seq])
    await line.settles()
    assert await line.trips(rider) == [("closed", "owed", 400)]


async def test_the_exit_is_uploaded_before_the_entry(line: Line) -> None:
    rider = await line.rider()
    (first, entry), (last, out) = await a_ride(line, rider)
    await line.uploads(last, out)
    await line.settles()
    assert await line.trips(rider) == [("orphan_exit", "none", 0)]
    await line.uploads(first, entry)
    await line.settles()
    assert await line.trips(rider) == [("closed", "owed", 400)]
    assert len(line.collector.payments) == 1


async def test_one_code_at_two_gates_is_charged_once(line: Line) -> None:
    """Gates without a network do not know of one another; the upload finds it (invariant 7)."""
    rider = await line.rider()
    device, sent = await line.tap(rider, "E1", "board", after(0))
    other = await line.gate("E2")
    copy = replace(sent, seq=1, vehicle="E2", at=sent.at + 60_000)
    assert (await line.uploads(device, sent)).accepted == [sent.seq]
    assert (await line.uploads(other.device, copy)).quarantined == {1: Reason.USED_TWICE}
    await line.settles()
    assert await line.trips(rider) == [("closed", "owed", 200)]
    again = await line.uploads(other.device, copy)
    assert again.known == [1], "the gate may forget it"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at": 99_999_999_999_999_999}, Reason.CLOCK),
        ({"at": -1}, Reason.CLOCK),
        ({"station": "guanggu"}, Reason.WRONG_PLACE),
        ({"line": "m9"}, Reason.WRONG_PLACE),
        ({"way": Way.BOARD}, Reason.WRONG_WAY),
        ({"code": b"\x01\x02nonsense"}, Reason.UNREADABLE),
    ],
)
async def test_what_nobody_believes_is_kept_aside(
    line: Line, change: dict[str, object], reason: Reason
) -> None:
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    told = await line.uploads(device, replace(sent, **change))  # type: ignore[arg-type]
    assert told.quarantined == {sent.seq: reason}
    row = await line.db.fetchrow("SELECT device, reason, said FROM transit_quarantine")
    assert row is not None
    assert (row["device"], row["reason"]) == (device.id, reason)
    assert (await line.uploads(device, sent)).accepted == [sent.seq], "the right one may still come"


async def test_a_gate_on_a_line_that_runs_no_more(line: Line) -> None:
    """It was registered when the line ran; its taps wait for whoever puts the data files right."""
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    _, boarded = bus = await line.tap(await line.rider(), "E1", "board", after(0))
    runs = TIMETABLE.network
    line.taps = Taps(line.db, replace(runs, metro={"m4": runs.metro["m4"]}, buses={}))
    assert (await line.uploads(device, sent)).quarantined == {sent.seq: Reason.UNKNOWN_LINE}
    assert (await line.uploads(*bus)).quarantined == {boarded.seq: Reason.UNKNOWN_LINE}
    line.taps = Taps(line.db, runs)
    assert (await line.uploads(device, sent)).accepted == [sent.seq], "control"
    assert (await line.uploads(*bus)).accepted == [boarded.seq]


async def test_a_tap_of_tomorrow_is_kept_aside(line: Line) -> None:
    device, sent = await line.tap(
        await line.rider(), "zhongnan", "in", line.clock.now() + timedelta(minutes=2)
    )
    assert (await line.uploads(device, sent)).quarantined == {sent.seq: Reason.FUTURE}


async def test_a_gate_whose_clock_is_wrong(line: Line) -> None:
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    told = await line.uploads(device, sent, off=timedelta(seconds=121))
    assert told.quarantined == {sent.seq: Reason.CLOCK}
    assert (await line.uploads(device, sent, off=timedelta(seconds=-119))).accepted == [sent.seq]


async def test_a_code_nobody_was_given(line: Line) -> None:
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    await line.db.execute("DELETE FROM transit_grants")
    assert (await line.uploads(device, sent)).quarantined == {sent.seq: Reason.UNKNOWN_CODE}


async def test_a_code_that_says_another_cap_than_was_signed(line: Line) -> None:
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    await line.db.execute("UPDATE transit_grants SET cap_fen = 599")
    assert (await line.uploads(device, sent)).quarantined == {sent.seq: Reason.UNKNOWN_CODE}
    await line.db.execute("UPDATE transit_grants SET cap_fen = 600")
    assert (await line.uploads(device, sent)).accepted == [sent.seq], "control"


async def test_a_ride_dearer_than_its_code_allows_is_charged_the_cap(line: Line) -> None:
    """C8; also once its grant is gone, for the tap keeps what the rider agreed to (J11)."""
    rider = await line.rider()
    device, sent = await line.tap(rider, "E1", "board", after(0))
    await line.db.execute("UPDATE transit_grants SET cap_fen = 150")
    capped = replace(sent, code=sent.code[:21] + (150).to_bytes(3) + sent.code[24:])
    assert (await line.uploads(device, capped)).accepted == [sent.seq]
    await line.settles()
    assert await line.trips(rider) == [("closed", "owed", 150)], "the line's fare is 200"
    await line.db.execute("DELETE FROM transit_grants")
    await line.db.execute("INSERT INTO transit_due SELECT account, day, now() FROM transit_taps")
    await line.settles()
    assert await line.trips(rider) == [("closed", "owed", 150)]
    assert await line.db.fetchval("SELECT because FROM transit_trips") == "capped"


async def test_a_code_whose_grant_was_over(line: Line) -> None:
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    late = replace(sent, at=sent.at + 15 * 60_000)
    assert (await line.uploads(device, late)).quarantined == {sent.seq: Reason.NOT_ITS_TIME}


async def test_a_companion_on_the_metro(line: Line) -> None:
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0), Type.COMPANION)
    assert (await line.uploads(device, sent)).quarantined == {sent.seq: Reason.NOT_ALLOWED}


async def test_a_number_that_was_used_for_something_else(line: Line) -> None:
    rider = await line.rider()
    device, sent = await line.tap(rider, "zhongnan", "in", after(0))
    _, other = await line.tap(rider, "zhongnan", "in", after(5))
    assert (await line.uploads(device, sent)).accepted == [sent.seq]
    told = await line.uploads(device, replace(other, seq=sent.seq))
    assert told.quarantined == {sent.seq: Reason.SEQ_REUSED}
    together = await line.uploads(device, replace(other, seq=7), replace(sent, seq=7))
    assert together.quarantined == {7: Reason.SEQ_REUSED}
    assert (together.accepted, together.known) == ([], []), "the number stood in two lists"


async def test_of_three_taps_under_one_number_the_second_was_lost(line: Line, db: Database) -> None:
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    others = [replace(sent, at=sent.at + 1), replace(sent, at=sent.at + 2)]
    told = await line.uploads(device, sent, *others)
    assert told.quarantined == {sent.seq: Reason.SEQ_REUSED}
    assert await db.fetchval("SELECT count(*) FROM transit_taps") == 1
    assert await db.fetchval("SELECT count(*) FROM transit_quarantine") == 2


async def test_every_number_is_in_just_one_list(line: Line) -> None:
    rider = await line.rider()
    made = [await line.tap(rider, "zhongnan", "in", after(number)) for number in range(6)]
    device = made[0][0]
    taps = [sent for _, sent in made]
    await line.uploads(device, taps[0])
    told = await line.uploads(device, *taps, replace(taps[1], line="m9", seq=50), replace(taps[2], seq=51))
    assert told.known == [1]
    assert told.accepted == [2, 3, 4, 5, 6]
    assert told.quarantined == {50: Reason.WRONG_PLACE, 51: Reason.USED_TWICE}


async def test_a_tap_that_was_kept_aside_for_the_clock_is_taken_in_once(line: Line) -> None:
    account = await line.rider()
    device, sent = await line.tap(account, "zhongnan", "in", after(0))
    await line.uploads(device, sent, off=timedelta(minutes=3))
    (number,) = await line.db.fetchrow("SELECT id FROM transit_quarantine")  # type: ignore[misc]
    lin = Decided("operator:lin", "its clock was put right", line.clock.now())
    assert await line.taps.take_in(number, lin) is None
    await line.settles()
    assert await line.trips(account) == [("open", "none", 0)]
    row = await line.db.fetchrow("SELECT taken_by, taken_why FROM transit_quarantine")
    assert tuple(row or ()) == ("operator:lin", "its clock was put right")
    for once_more in (number, number + 1):
        with pytest.raises(LookupError):
            await line.taps.take_in(once_more, lin)
    assert (await line.uploads(device, sent)).known == [sent.seq]


async def test_a_tap_that_does_not_fit_is_not_taken_in_whoever_says_so(line: Line) -> None:
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    await line.db.execute("DELETE FROM transit_grants")
    await line.uploads(device, sent)
    (number,) = await line.db.fetchrow("SELECT id FROM transit_quarantine")  # type: ignore[misc]
    lin = Decided("operator:lin", "let it be", line.clock.now())
    assert await line.taps.take_in(number, lin) is Reason.UNKNOWN_CODE
    assert await line.db.fetchval("SELECT count(*) FROM transit_taps") == 0
    assert await line.db.fetchval("SELECT count(*) FROM transit_quarantine WHERE taken_at IS NULL") == 1


async def test_a_tap_of_a_line_that_is_known_by_now_is_taken_in(line: Line) -> None:
    device, sent = await line.tap(await line.rider(), "zhongnan", "in", after(0))
    before = Taps(line.db, replace(TIMETABLE.network, metro={}))
    await before.ingest(device, Batch(line.clock.now(), [sent]), line.clock.now())
    (number,) = await line.db.fetchrow("SELECT id FROM transit_quarantine")  # type: ignore[misc]
    lin = Decided("operator:lin", "the line runs", line.clock.now())
    assert await before.take_in(number, lin) is Reason.UNKNOWN_LINE
    assert await Taps(line.db, TIMETABLE.network).take_in(number, lin) is None
