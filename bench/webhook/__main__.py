"""The webhook bench: what a message costs here, beside aiohttp alone and the usual program."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import uvloop

from bench.machine import BUSY, this_machine
from bench.webhook.answers import Reader
from bench.webhook.corpus import Writer
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import Plan
from bench.webhook.processes import ROOT, Program
from bench.webhook.report import as_json, as_page, figures
from bench.webhook.trial import FULL, GUARDED, NAMES, QUICK, Memory, Run, Size, Trial
from core.errors import BootError
from core.stores.embedded.stores import EmbeddedStores
from core.stores.migrations import migrate


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when the load did not go through cleanly."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhook", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="three rounds of 1 s, less memory traffic; within 40 s"
    )
    parser.add_argument("--json", action="store_true", help="one object of named figures on stdout")
    given = parser.parse_args(arguments)
    size = QUICK if given.quick else FULL
    machine = this_machine()
    if machine.load > BUSY:
        tell(
            f"the machine is busy (load {machine.load:.1f}): ratios will be wide, rates and latencies too bad"
        )
    try:
        with stores() as plan, ProcessPoolExecutor(os.cpu_count()) as pool:
            trial = Trial(plan, Writer(plan, pool), Reader(plan), tell)
            rounds, memory = _measure(trial, size)
    except (LoadFailedError, BootError) as failed:
        print(f"bench: {failed}", file=sys.stderr)
        return 1
    found = figures(rounds, memory)
    print(as_json(found, size) if given.json else as_page(found, size, machine, datetime.now().astimezone()))
    return 0


def _measure(trial: Trial, size: Size) -> tuple[list[dict[str, Run]], Memory]:
    with _running(trial, NAMES) as programs:
        rounds = trial.rounds(programs, size)
        trial.audit([program for program in programs if program.name in GUARDED], size.audited)
    with _running(trial, ["gateway"]) as [fresh]:
        return rounds, trial.memory(fresh, size.memory_messages)


@contextmanager
def _running(trial: Trial, names: Sequence[str]) -> Iterator[list[Program]]:
    with ExitStack() as stack:
        programs = []
        for name in names:
            program = Program.start(name, trial.plan)
            stack.callback(program.stop)
            programs.append(program)
        for program in programs:
            program.wait_until(partial(trial.ready, program))
        yield programs


@contextmanager
def stores() -> Iterator[Plan]:
    """Valkey and PostgreSQL of our own in a scratch folder, migrated, and a plan that names them."""
    with tempfile.TemporaryDirectory(prefix="bianmin-bench-") as folder:
        started = EmbeddedStores.start(Path(folder) / "stores")
        try:
            uvloop.run(migrate(started.database_url, ROOT / "migrations"))
            plan = Plan(started.redis_url, started.database_url, folder)
            plan.write()
            yield plan
        finally:
            started.stop()


def tell(line: str) -> None:
    """Show how far we are, beside the result."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
