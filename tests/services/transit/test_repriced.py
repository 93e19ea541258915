"""A ride costs something else once a gate is heard late: nobody is asked for, or behind with, more (J10)."""

from services.payments.model import PaymentState
from services.transit import accounts_store
from tests.services.transit.line import Line
from tests.services.transit.test_money import books

CHEAPER, FREE = ("simenkou", 5), ("hanyang", 5)  # than 汉阳门 to 光谷广场: 200, and nothing (J4)


async def asked_for(line: Line) -> list[tuple[int, str]]:
    return [(each.amount_fen, each.state.value) for each in line.collector.payments.values()]


async def test_what_became_cheaper_before_it_was_tried_was_tried_in_full(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "hanyang", "guanggu")
    await line.left_at(rider, *CHEAPER)
    assert await asked_for(line) == [(500, "cancelled"), (200, "owed")]
    assert await line.trips(rider) == [("closed", "owed", 200), ("orphan_exit", "none", 0)]
    await line.pays("p2")
    assert not line.collector.asked_back
    assert await books(line) == {"rider": 0, "fares": -200, "advance": 0, "bank": 200}
    assert await line.trips(rider) == [("closed", "settled", 200), ("orphan_exit", "none", 0)]


async def test_what_becomes_cheaper_while_it_is_tried_goes_back(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "hanyang", "guanggu")
    line.asks("p1")
    await line.left_at(rider, *CHEAPER)
    assert await line.trips(rider) == [("closed", "owed", 200), ("orphan_exit", "none", 0)]
    await line.pays("p1")
    assert line.collector.asked_back == {"p1": 300}
    await line.goes_back("p1")
    assert await books(line) == {"rider": 0, "fares": -200, "advance": 0, "bank": 200}
    assert line.ears.told == [("paid", 500), ("refunded", 300)]


async def test_a_try_in_full_that_failed_put_somebody_in_arrears_for_nothing(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "hanyang", "guanggu")
    line.asks("p1")
    await line.left_at(rider, *FREE)
    await line.fails("p1")
    assert await line.account(rider) == "active"
    assert await line.trips(rider) == [("closed", "none", 0), ("orphan_exit", "none", 0)]
    assert await books(line) == {"rider": 0, "fares": 0, "advance": 0, "bank": 0}
    assert line.ears.told == []


async def test_what_is_behind_counted_fares_that_had_been_asked_for(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "hanyang", "guanggu")
    await line.fails("p1")
    await line.left_at(rider, *CHEAPER)
    assert await line.account(rider) == "arrears"
    assert await books(line) == {"rider": 0, "fares": -200, "advance": 200, "bank": 0}
    assert await accounts_store.owed(line.db, line.collector.payments["p2"].citizen) == (1, 200)
    await line.fails("p2")
    await line.pays("p2")
    assert await line.account(rider) == "active"
    assert await books(line) == {"rider": 0, "fares": -200, "advance": 0, "bank": 200}
    assert line.ears.told == [("behind", 500), ("recovered", 200)], "told once that she is behind"


async def test_what_is_really_behind_while_the_old_price_is_tried(line: Line) -> None:
    """She pays now, and a gate is heard just then: so much is behind as it costs, and the rest comes back."""
    rider = await line.rider()
    await line.rides(rider, "hanyang", "guanggu")
    await line.fails("p1")
    line.asks("p1")
    await line.left_at(rider, *CHEAPER)
    assert await accounts_store.owed(line.db, line.collector.payments["p1"].citizen) == (1, 200)
    await line.fails("p1")
    assert await asked_for(line) == [(500, "cancelled"), (200, "owed")]
    assert await books(line) == {"rider": 0, "fares": -200, "advance": 200, "bank": 0}


async def test_who_was_behind_with_what_costs_nothing_stayed_behind(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "hanyang", "guanggu")
    await line.fails("p1")
    await line.left_at(rider, *FREE)
    assert await line.account(rider) == "active"
    assert await books(line) == {"rider": 0, "fares": 0, "advance": 0, "bank": 0}


async def test_what_became_dearer_hid_that_she_is_behind(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "hanyang", "simenkou")
    await line.fails("p1")
    await line.left_at(rider, "guanggu", 20)
    assert await line.trips(rider) == [("closed", "arrears", 500), ("orphan_exit", "none", 0)]
    assert await asked_for(line) == [(200, "owed"), (300, "owed")]
    await line.pays("p2")
    assert await line.account(rider) == "arrears", "the first part is behind"
    await line.pays("p1")
    assert await line.account(rider) == "active"
    assert await books(line) == {"rider": 0, "fares": -500, "advance": 0, "bank": 500}


async def test_dearer_then_cheaper_and_only_the_difference_goes_back(line: Line) -> None:
    """One part is paid and one is being tried: what may not be paid at all is not sent back before it is."""
    rider = await line.rider()
    await line.rides(rider, "hanyang", "simenkou")
    await line.pays("p1")
    await line.left_at(rider, "guanggu", 20)
    line.asks("p2")
    await line.left_at(rider, "xiaoguishan", 10)
    assert not line.collector.asked_back
    await line.fails("p2")
    fare = (await line.trips(rider))[0][2]
    assert 200 <= fare < 500
    for payment, found in list(line.collector.payments.items()):
        if found.state is PaymentState.OWED:
            await line.pays(payment)
    assert await books(line) == {"rider": 0, "fares": -fare, "advance": 0, "bank": fare}
