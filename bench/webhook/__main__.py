"""The webhook bench: what a message costs here, beside aiohttp alone and the usual program."""

import sys
from collections.abc import Sequence
from concurrent.futures import Executor

from bench import command
from bench.webhook.answers import Reader
from bench.webhook.corpus import Writer
from bench.webhook.plan import Plan
from bench.webhook.processes import running
from bench.webhook.report import Figure, figures
from bench.webhook.trial import GUARDED, NAMES, Size, Trial


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    return command.run("webhook", __doc__, _measure, arguments)


def _measure(plan: Plan, pool: Executor, size: Size) -> list[Figure]:
    trial = Trial(plan, Writer(plan, pool), Reader(plan), command.tell)
    with running(plan, NAMES, trial.ready) as programs:
        rounds = trial.rounds(programs, size)
        trial.audit([program for program in programs if program.name in GUARDED], size.audited)
    with running(plan, ["gateway"], trial.ready) as [fresh]:
        return figures(rounds, trial.memory(fresh, size.memory_messages))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
