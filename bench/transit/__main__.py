"""The transit bench: what a gate's verification costs beside the bare signatures."""

import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

from bench import command
from bench.transit import verifying
from bench.webhook.plan import Plan
from bench.webhook.report import Figure
from bench.webhook.trial import FULL, QUICK, Size

_CODES = {False: 2000, True: 300}


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    full, quick = (
        replace(size, told=f"{size.rounds} rounds of {_CODES[size.quick]:,} codes") for size in (FULL, QUICK)
    )
    return command.run("transit", __doc__, _measure, arguments, (full, quick))


def _measure(_plan: Plan, _pool: Executor, size: Size) -> list[Figure]:
    riders = verifying.Riders.of(_CODES[size.quick])
    command.tell(f"made       {len(riders.codes):,} codes, each of a phone of its own")
    return verifying.measured(riders, size.rounds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
