"""The transit bench: a gate's verification beside bare signatures, and taps that become paid trips."""

import asyncio
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

from bench import command
from bench.transit import ingesting, verifying
from bench.webhook.plan import Plan
from bench.webhook.programs.gateway import furnish, settings_for
from bench.webhook.report import Figure
from bench.webhook.trial import FULL, QUICK, Size
from commands import places
from core.stores import keys

_CODES = {False: 2000, True: 300}
_TAPS = {False: 200_000, True: 20_000}


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    full, quick = (
        replace(
            size, told=f"{size.rounds} rounds of {_CODES[size.quick]:,} codes; {_TAPS[size.quick]:,} taps"
        )
        for size in (FULL, QUICK)
    )
    return command.run("transit", __doc__, _measure, arguments, (full, quick))


def _measure(plan: Plan, _pool: Executor, size: Size) -> list[Figure]:
    riders = verifying.Riders.of(_CODES[size.quick])
    command.tell(f"made       {len(riders.codes):,} codes, each of a phone of its own")
    verified = verifying.measured(riders, size.rounds)
    furnish(plan)
    seal = keys.load(places.key_ring(settings_for(plan, 1, 2).stores))
    return [*verified, *asyncio.run(ingesting.measured(plan.database_url, seal, _TAPS[size.quick]))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
