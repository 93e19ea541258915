"""What citizens' phones show in the end: each notice once and in its own words, and nothing else."""

import json
from collections import Counter
from urllib.request import urlopen

from bench.broadcast.city import City
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import Plan, openid

_SAMPLED = 200


def look_at_phones(plan: Plan, city: City) -> None:
    """Look at some phones, and at all to which something urgent went; `LoadFailedError` names a wrong one."""
    step = max(1, plan.followers // _SAMPLED)
    for number in sorted({*range(0, plan.followers, step), *range(city.alarms)}):
        wanted = Counter([city.notice, city.urgent] if number < city.alarms else [city.notice])
        shown = Counter(_shown(plan, number))
        if shown != wanted:
            raise LoadFailedError(f"phone {number} shows {_told(shown)} instead of {_told(wanted)}")


def _shown(plan: Plan, number: int) -> list[tuple[str, ...]]:
    """Everything that came: the title of a card and what stands in it, or the words of a message."""
    who = f"account={plan.account}&openid={openid(number)}"
    with urlopen(f"http://127.0.0.1:{plan.platform_port}/sim/inbox?{who}", timeout=10) as answer:
        entries = json.load(answer)
    return [_said(entry) for entry in entries]


def _said(entry: dict[str, object]) -> tuple[str, ...]:
    rows = entry.get("fields")
    if not isinstance(rows, list):
        return (str(entry.get("content")),)
    return (str(entry.get("title")), *(str(row["value"]) for row in rows))


def _told(cards: Counter[tuple[str, ...]]) -> str:
    return ", ".join(f"{count} × {' '.join(card)}" for card, count in cards.items()) or "nothing"
