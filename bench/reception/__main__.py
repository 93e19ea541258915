"""The reception bench: two processes beside one, and messages that wait for the one before."""

import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from operator import le
from pathlib import Path

from bench import command
from bench.figures import Spread, paired, spread
from bench.reception.waits import waits
from bench.webhook.answers import Reader
from bench.webhook.corpus import Writer
from bench.webhook.load import CONNECTIONS, Target, play
from bench.webhook.plan import Plan
from bench.webhook.processes import Program, running
from bench.webhook.report import Figure
from bench.webhook.trial import FULL, PER_SECOND, QUICK, Size, Trial

_PAIRS = {False: 300, True: 40}


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    full, quick = (replace(size, told=f"{size}, {_PAIRS[size.quick]} pairs") for size in (FULL, QUICK))
    return command.run("reception", __doc__, _measure, arguments, (full, quick))


def _measure(plan: Plan, pool: Executor, size: Size) -> list[Figure]:
    writer = Writer(plan, pool)
    trial = Trial(plan, writer, Reader(plan), command.tell)
    one, other = (running(plan, ["gateway"], trial.ready) for _ in range(2))
    with one as [first], other as [second]:  # the first one furnishes the folder for both
        programs = [first, second]
        return [*_costs(plan, writer, programs, size), *_waited(plan, writer, programs, size)]


def _costs(plan: Plan, writer: Writer, programs: Sequence[Program], size: Size) -> list[Figure]:
    """Processor time per message with one process and with both, in turns."""
    one: list[float] = []
    both: list[float] = []
    for number in range(size.rounds + 1):
        alone, together = programs[:1], programs
        turns = [(one, alone), (both, together)]
        for costs, several in turns if number % 2 else turns[::-1]:
            cost, rate = _cost(plan, writer, several, size.seconds)
            command.tell(
                f"round {number}/{size.rounds}  {len(several)} processes: {cost:.0f} µs, {rate:,.0f}/s"
            )
            if number:
                costs.append(cost)
    return [
        Figure("two_to_one", "CPU per message, two processes ÷ one", "×", paired(both, one), 1.15, None, le),
        Figure("one_cpu_us", "one process: server CPU per message", "µs", spread(one)),
        Figure("two_cpu_us", "two processes: server CPU per message", "µs", spread(both)),
    ]


def _cost(plan: Plan, writer: Writer, programs: Sequence[Program], seconds: int) -> tuple[float, float]:
    """Play to all of them at once; µs of processor time per message, messages per second."""
    each = PER_SECOND * seconds // len(programs)
    corpora = [writer.write(each, f"round-{number}") for number in range(len(programs))]
    before = sum(program.cpu_seconds for program in programs)
    with ThreadPoolExecutor(len(programs)) as threads:
        loads = threads.map(
            lambda corpus, program: play(
                corpus,
                Target(program.name, program.port, Path(plan.folder) / f"{program.port}.kept"),
                seconds,
                connections=CONNECTIONS // len(programs),
            ),
            corpora,
            programs,
        )
        answered = [load.answered for load in loads]
    spent = sum(program.cpu_seconds for program in programs) - before
    return spent / sum(answered) * 1e6, sum(answered) / seconds


def _waited(plan: Plan, writer: Writer, programs: Sequence[Program], size: Size) -> list[Figure]:
    pairs = _PAIRS[size.quick]
    here = waits(plan, writer, programs[:1], pairs)
    command.tell(f"waits      {pairs} in one process")
    across = waits(plan, writer, programs, pairs)
    command.tell(f"waits      {pairs} across two")
    return [
        Figure("wait_p99_ms", "wait after the one before, one process, p99", "ms", _p99(here), 50, None, le),
        Figure("across_p99_ms", "the same across two processes, p99", "ms", _p99(across), 150, None, le),
        Figure("wait_p50_ms", "one process, p50", "ms", spread(here)),
        Figure("across_p50_ms", "across two processes, p50", "ms", spread(across)),
    ]


def _p99(values: Sequence[float]) -> Spread:
    high = statistics.quantiles(values, n=100, method="inclusive")[-1]
    return Spread(high, high, high)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
