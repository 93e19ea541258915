"""票价: what a ride costs, asked in one sentence or step by step."""

from functools import partial

from core.chat.dialogue import Ask
from core.chat.replies import Reply, Text
from core.chat.router import Router
from services.transit.service import Transit

router = Router("transit")


@router.on(
    "{start}到{end}多少钱", "从{start}到{end}多少钱", "{start}到{end}要多少钱",
    "从{start}到{end}要多少钱", "{start}坐到{end}多少钱", "从{start}坐到{end}多少钱",
    "{start}坐到{end}要多少", "从{start}坐到{end}要多少", "{start}坐到{end}要多少钱",
    "从{start}坐到{end}要多少钱", "{start}坐地铁到{end}多少钱", "从{start}坐地铁到{end}多少钱",
    "{start}到{end}地铁多少钱", "从{start}到{end}地铁多少钱", "{start}到{end}票价",
    "从{start}到{end}票价", "{start}到{end}的票价", "从{start}到{end}的票价",
    "{start}到{end}几块钱", "从{start}到{end}几块钱", "{start}到{end}的车费",
    "从{start}到{end}的车费",
)  # fmt: skip
async def between(start: str, end: str, transit: Transit) -> Reply:
    """中南路到光谷多少钱."""
    return await _quoted(transit, await _station(transit, start), await _station(transit, end))


@router.dialogue(
    "票价", "查票价", "车票多少钱", "车费", "坐车多少钱", "坐地铁多少钱", "地铁票价", "地铁多少钱",
    "地铁几块钱", "查车费", click="TRANSIT_FARE",
)  # fmt: skip
async def fare(ask: Ask, transit: Transit) -> Reply:
    """起点站 → 终点站."""
    transit.require_lines()
    check = partial(_station, transit)
    start = await ask.text("fare_start", check)
    return await _quoted(transit, start, await ask.text("fare_end", check, partial(_said, start)))


@router.on(
    "公交票价", "公交多少钱", "公交车多少钱", "坐公交多少钱", "坐公交车多少钱", "公交几块钱", "公交车票价"
)
async def buses(transit: Transit) -> Reply:
    """公交多少钱: every line has one fare."""
    transit.require_lines()
    return Text("transit/buses", buses=transit.buses())


@router.on(
    "{line}路多少钱", "坐{line}路多少钱", "{line}路要多少钱", "坐{line}路要多少钱", "{line}路车多少钱",
    "{line}路公交多少钱", "{line}路公交车多少钱", "{line}路几块钱", "{line}路票价", "{line}路车费",
)  # fmt: skip
async def bus(line: str, transit: Transit) -> Reply:
    """15路多少钱; of a line there is not all of them."""
    transit.require_lines()
    found = [each for each in transit.buses() if each[0] == f"{line}路"]
    return Text("transit/buses", buses=found or transit.buses())


async def _station(transit: Transit, said: str) -> str:
    """The name of the station that is meant."""
    transit.require_lines()
    return transit.station(said).name


async def _said(start: str) -> str:
    return start


async def _quoted(transit: Transit, start: str, end: str) -> Reply:
    ids = (transit.station(start).id, transit.station(end).id)
    return Text("transit/fare", start=start, end=end, it=transit.quote(*ids), same=ids[0] == ids[1])
