"""The reception bench: two processes beside one, and messages that wait for the one before."""

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from operator import le
from pathlib import Path

from bench.figures import Spread, paired, spread
from bench.machine import this_machine
from bench.reception.waits import waits
from bench.webhook.__main__ import stores, tell
from bench.webhook.answers import Reader
from bench.webhook.corpus import Writer
from bench.webhook.load import CONNECTIONS, LoadFailedError, Target, play
from bench.webhook.plan import Plan
from bench.webhook.processes import Program
from bench.webhook.report import Figure, as_json, as_page
from bench.webhook.trial import FULL, QUICK, Size, Trial
from core.errors import BootError

_PER_SECOND = 12_000
_PAIRS = {False: 300, True: 40}


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when the load did not go through cleanly."""
    parser = argparse.ArgumentParser(prog="python -m bench.reception", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds of 1 s and 40 pairs; within 40 s")
    parser.add_argument("--json", action="store_true", help="one object of named figures on stdout")
    given = parser.parse_args(arguments)
    size, machine = QUICK if given.quick else FULL, this_machine()
    try:
        with stores() as plan, ProcessPoolExecutor(os.cpu_count()) as pool, ExitStack() as stack:
            writer = Writer(plan, pool)
            programs = [_started(stack, plan, writer) for _ in range(2)]
            found = [*_costs(plan, writer, programs, size), *_waited(plan, writer, programs, size)]
    except (LoadFailedError, BootError) as failed:
        print(f"bench: {failed}", file=sys.stderr)
        return 1
    now = datetime.now().astimezone()
    print(as_json(found, size) if given.json else as_page(found, size, machine, now, name="reception"))
    return 0


def _started(stack: ExitStack, plan: Plan, writer: Writer) -> Program:
    program = Program.start("gateway", plan)
    stack.callback(program.stop)
    program.wait_until(partial(Trial(plan, writer, Reader(plan), tell).ready, program))
    return program


def _costs(plan: Plan, writer: Writer, programs: Sequence[Program], size: Size) -> list[Figure]:
    """Processor time per message with one process and with both, in turns."""
    one: list[float] = []
    both: list[float] = []
    for number in range(size.rounds + 1):
        alone, together = programs[:1], programs
        turns = [(one, alone), (both, together)]
        for costs, several in turns if number % 2 else turns[::-1]:
            cost, rate = _cost(plan, writer, several, size.seconds)
            tell(f"round {number}/{size.rounds}  {len(several)} processes: {cost:.0f} µs, {rate:,.0f}/s")
            if number:
                costs.append(cost)
    return [
        Figure("two_to_one", "CPU per message, two processes ÷ one", "×", paired(both, one), 1.15, None, le),
        Figure("one_cpu_us", "one process: server CPU per message", "µs", spread(one)),
        Figure("two_cpu_us", "two processes: server CPU per message", "µs", spread(both)),
    ]


def _cost(plan: Plan, writer: Writer, programs: Sequence[Program], seconds: int) -> tuple[float, float]:
    """Play to all of them at once; µs of processor time per message, messages per second."""
    each = _PER_SECOND * seconds // len(programs)
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
    tell(f"waits      {pairs} in one process")
    across = waits(plan, writer, programs, pairs)
    tell(f"waits      {pairs} across two")
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
